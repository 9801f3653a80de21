//! Starting instances.

use std::time::Duration;

use durable_runtime::client::{ClientError, OnExisting, RuntimeStatus};
use durable_runtime::testing::TestHost;

use crate::functions::{between_events, chain, collect, greet, sleeper, stubborn, versioned};
use crate::support::{Bench, DAY, Site, now, status, until_status};

in_virtual_time!(it_begins_when_it_was_put_off_to);

everywhere!(
    typed_input_and_output,
    by_name_with_json,
    ids_are_checked,
    a_version_can_be_chosen,
    a_start_can_be_put_off,
    a_start_in_the_past_is_at_once,
    an_ended_instance_is_replaced,
    a_running_instance_is_not_replaced,
    of_two_starts_at_once_one_wins,
    error_refuses_an_ended_instance,
    ignore_leaves_what_there_is,
    restart_replaces_a_running_instance,
    restart_replaces_an_ended_instance,
    activities_of_a_replacement_are_wanted,
    a_start_gives_its_own_output,
    a_replacement_is_not_given_what_was_for_the_old_one,
    names_and_payloads_are_checked,
);

async fn typed_input_and_output(site: Site) {
    let host = site.host().await;
    let run = host
        .client()
        .start_new::<greet>("Ann")
        .tag("team", "blue")
        .await
        .unwrap();
    let output: String = run.output().await.unwrap();
    assert_eq!(output, "Hello Ann!");
    let status = run.status().await.unwrap();
    assert_eq!(status.tags["team"], "blue");
    assert_eq!(status.instance_id, run.id());
}

async fn by_name_with_json(site: Site) {
    let host = site.host().await;
    let input = serde_json::json!(["a", "b"]);
    let run = host.client().start_new_by_name("chain", &input).await;
    assert_eq!(run.unwrap().output().await.unwrap(), input);
}

// Rule 1: which ids are valid, and what an own one looks like.
async fn ids_are_checked(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<greet>("Ann").await.unwrap();
    let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(run.id().len() == 32 && run.id().chars().all(hex));
    let long = "x".repeat(257);
    for (id, rule) in [
        ("", "empty"),
        ("@greet@a", "'@'"),
        ("a/b", "/"),
        ("a\\b", "\\"),
        ("a#b", "#"),
        ("a?b", "?"),
        ("a\nb", "control"),
        (long.as_str(), "256"),
    ] {
        let start = client.start_new::<greet>("Ann").instance_id(id).await;
        match start.unwrap_err() {
            ClientError::InvalidInstanceId(error) => {
                assert!(error.to_string().contains(rule), "{error}");
            }
            other => panic!("{id:?}: {other}"),
        }
        assert_eq!(client.get_status(id).await.unwrap(), None);
    }
    for id in [&"ä".repeat(256), "a b@c.d:e|f"] {
        let run = client.start_new::<greet>("Ann").instance_id(id).await;
        assert_eq!(run.unwrap().output().await.unwrap(), "Hello Ann!");
    }
}

// Rule 22: a start takes the version given, else the highest; the instance shows it.
async fn a_version_can_be_chosen(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<versioned>(()).version("1.0").await;
    assert_eq!(first.unwrap().output().await.unwrap(), "one, 1.0");
    let highest = client.start_new::<versioned>(()).await.unwrap();
    assert_eq!(highest.output().await.unwrap(), "two, 2.0");
    let shown = highest.status().await.unwrap().version;
    assert_eq!(shown.as_deref(), Some("2.0"));
    match client.start_new::<versioned>(()).version("3.0").await {
        Err(ClientError::UnknownOrchestrator { message }) => {
            assert!(message.contains("3.0"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}

// Rule 4: pending until the time, and run then.
async fn a_start_can_be_put_off(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let later = client
        .start_new::<greet>("Ann")
        .start_at(now() + Duration::from_secs(3600))
        .await
        .unwrap();
    let begins = now() + Duration::from_millis(50);
    let soon = client.start_new::<greet>("Bob").start_at(begins);
    let soon = soon.await.unwrap();
    assert_eq!(soon.output().await.unwrap(), "Hello Bob!");
    assert!(now() >= begins);
    let status = later.status().await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Pending);
}

// Rule 4: to the moment, whatever happens in between.
async fn it_begins_when_it_was_put_off_to(host: TestHost, bench: Bench) {
    let begins = host.now() + 30 * DAY;
    let run = host.start::<chain>(vec!["a".to_owned()]).start_at(begins);
    let run = run.await.unwrap();
    host.run::<greet>("Ann").await.unwrap();
    host.sleep(Duration::from_millis(30 * 86_400_000 - 1)).await;
    let status = run.status().await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Pending);
    assert_eq!(bench.calls("a"), 0);
    assert_eq!(run.output().await.unwrap(), ["a"]);
    assert_eq!(host.elapsed(), 30 * DAY);
}

// Rule 4: only a time in the future puts a start off.
async fn a_start_in_the_past_is_at_once(site: Site) {
    let host = site.host().await;
    let begins = now() - Duration::from_secs(3600);
    let run = host.client().start_new::<greet>("Ann").start_at(begins);
    assert_eq!(run.await.unwrap().output().await.unwrap(), "Hello Ann!");
}

// Rule 3: a fresh history, and nothing left of the instance before.
async fn an_ended_instance_is_replaced(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let first = client.start_new::<chain>(keys).instance_id("one");
    first
        .tag("old", "yes")
        .await
        .unwrap()
        .output()
        .await
        .unwrap();
    let before = crate::support::history(&client, "one").await;
    let second = client.start_new::<greet>("Ann").instance_id("one").await;
    assert_eq!(second.unwrap().output().await.unwrap(), "Hello Ann!");
    let after = client.get_status("one").with_history().await.unwrap();
    let after = after.unwrap();
    assert_eq!(after.name, "greet");
    assert!(after.tags.is_empty());
    let after = after.history.unwrap();
    assert!(after.len() < before.len());
    assert_ne!(execution(&after), execution(&before));
}

fn execution(history: &[durable_runtime::model::HistoryEvent]) -> String {
    match &history[0].kind {
        durable_runtime::model::EventKind::ExecutionStarted(started) => {
            started.execution.to_string()
        }
        other => panic!("{other:?}"),
    }
}

// Rule 3: the error names the status.
async fn a_running_instance_is_not_replaced(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<collect>(1_usize).instance_id("one");
    let first = first.await.unwrap();
    until_status(&client, "one", RuntimeStatus::Running).await;
    let start = client.start_new::<collect>(1_usize).instance_id("one");
    let error = start.await.unwrap_err();
    assert!(
        matches!(&error, ClientError::AlreadyExists { id, status: RuntimeStatus::Running } if id == "one")
    );
    assert!(error.to_string().contains("Running"), "{error}");
    client.suspend("one", "wait").await.unwrap();
    let start = client.start_new::<collect>(1_usize).instance_id("one");
    assert!(start.await.unwrap_err().to_string().contains("Suspended"));
    client.resume("one", "go").await.unwrap();
    first.raise_event("item", 7).await.unwrap();
    assert_eq!(first.output().await.unwrap(), [7]);
}

// Rule 3: exactly one of several concurrent starts with one id wins.
async fn of_two_starts_at_once_one_wins(site: Site) {
    let host = site.host().await;
    for round in 0..10 {
        let id = format!("contended-{round}");
        let starts = (0..8).map(|number| {
            let client = host.client();
            let id = id.clone();
            tokio::spawn(async move {
                let run = client.start_new::<collect>(1_usize).instance_id(id);
                run.tag("number", number.to_string()).await.map(|_| number)
            })
        });
        let mut winners = Vec::new();
        for start in futures_util::future::join_all(starts).await {
            match start.unwrap() {
                Ok(number) => winners.push(number),
                Err(ClientError::AlreadyExists { .. }) => {}
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(winners.len(), 1);
        let status = status(&host.client(), &id).await;
        assert_eq!(status.tags["number"], winners[0].to_string());
    }
}

// Rule 3: `OnExisting::Error` spares an instance that has ended as well.
async fn error_refuses_an_ended_instance(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let start = |name: &str| {
        let start = client.start_new::<greet>(name).instance_id("one");
        start.on_existing(OnExisting::Error)
    };
    start("Ann").await.unwrap().output().await.unwrap();
    let error = start("Bob").await.unwrap_err();
    assert!(matches!(
        error,
        ClientError::AlreadyExists {
            status: RuntimeStatus::Completed,
            ..
        }
    ));
    let output = status(&client, "one").await.output_as::<String>();
    assert_eq!(output.unwrap(), "Hello Ann!");
}

// Rule 3: `OnExisting::Ignore` gives the handle of what exists, running or ended.
async fn ignore_leaves_what_there_is(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<collect>(1_usize).instance_id("one");
    let first = first.await.unwrap();
    let ignored = || {
        let start = client.start_new::<collect>(2_usize).instance_id("one");
        start.on_existing(OnExisting::Ignore)
    };
    let second = ignored().await.unwrap();
    first.raise_event("item", 7).await.unwrap();
    assert_eq!(second.output().await.unwrap(), [7]);
    assert_eq!(ignored().await.unwrap().output().await.unwrap(), [7]);
}

// Rule 3: `OnExisting::Restart` ends what runs; whoever waits for that is told.
async fn restart_replaces_a_running_instance(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<collect>(1_usize).instance_id("one");
    let first = first.await.unwrap();
    until_status(&client, "one", RuntimeStatus::Running).await;
    let second = client.start_new::<collect>(1_usize).instance_id("one");
    let second = second.on_existing(OnExisting::Restart).await.unwrap();
    assert!(matches!(
        first.output().await,
        Err(ClientError::Terminated(_))
    ));
    second.raise_event("item", 8).await.unwrap();
    assert_eq!(second.output().await.unwrap(), [8]);
}

// Rule 3: `OnExisting::Restart` replaces an instance that has ended.
async fn restart_replaces_an_ended_instance(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for name in ["Ann", "Bob"] {
        let run = client.start_new::<greet>(name).instance_id("one");
        let run = run.on_existing(OnExisting::Restart).await.unwrap();
        assert_eq!(run.output().await.unwrap(), format!("Hello {name}!"));
    }
}

// Rule 6: only the activities of the execution that was ended are told to cancel.
async fn activities_of_a_replacement_are_wanted(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("old");
    let old = client.start_new::<stubborn>("old").instance_id("one");
    old.await.unwrap();
    site.bench.called("old", 1).await;
    site.bench.hold("new");
    let new = client.start_new::<stubborn>("new").instance_id("one");
    let new = new.on_existing(OnExisting::Restart).await.unwrap();
    site.bench.called("new", 1).await;
    site.bench.let_go("new");
    assert_eq!(new.output().await.unwrap(), "new");
    assert!(!site.bench.is_cancelled("new"));
    site.bench.let_go("old");
    site.bench.until_cancelled("old").await;
}

// Rule 3: the handle of a start that replaces an instance never gives what that one returned, even
// if it ended at the moment of the start.
async fn a_start_gives_its_own_output(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for round in 0..60_i64 {
        let first = client.start_new::<collect>(1_usize).instance_id("one");
        let first = first.await.unwrap();
        let replace = async {
            loop {
                let start = client.start_new::<greet>("Ann").instance_id("one").await;
                match start {
                    Ok(run) => return run.output().await,
                    Err(ClientError::AlreadyExists { .. }) => tokio::task::yield_now().await,
                    Err(other) => return Err(other),
                }
            }
        };
        let (raised, replaced) = tokio::join!(first.raise_event("item", round), replace);
        raised.unwrap();
        assert_eq!(replaced.unwrap(), "Hello Ann!");
        // The handle of the first is not asked: its instance may have been replaced.
    }
}

// Rule 3: neither events, timers nor results of what was replaced reach the new instance.
async fn a_replacement_is_not_given_what_was_for_the_old_one(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("old");
    let old = client.start_new::<between_events>("old").instance_id("one");
    let old = old.await.unwrap();
    for item in [1, 2] {
        old.raise_event("item", item).await.unwrap();
    }
    site.bench.called("old", 1).await;
    site.bench.hold("new");
    let new = client.start_new::<between_events>("new").instance_id("one");
    let new = new.on_existing(OnExisting::Restart).await.unwrap();
    new.raise_event("item", 3).await.unwrap();
    site.bench.called("new", 1).await;
    site.bench.let_go("old");
    let other = client.start_new::<chain>(vec!["other".to_owned()]).await;
    other.unwrap().output().await.unwrap();
    new.raise_event("item", 4).await.unwrap();
    new.raise_event("item", 5).await.unwrap();
    assert_eq!(
        new.status().await.unwrap().runtime_status,
        RuntimeStatus::Running
    );
    site.bench.let_go("new");
    assert_eq!(new.output().await.unwrap(), [3, 4, 5]);
}

async fn names_and_payloads_are_checked(site: Site) {
    let host = site.host().await;
    let client = host.client();
    match client.start_new_by_name("gret", "Ann").await {
        Err(ClientError::UnknownOrchestrator { message }) => {
            assert!(message.contains("\"gret\"") && message.contains("\"greet\""));
        }
        other => panic!("{other:?}"),
    }
    let too_long = "x".repeat(5 * 1024 * 1024);
    let start = client.start_new::<greet>(too_long.as_str()).await;
    assert!(matches!(start, Err(ClientError::PayloadTooLarge(_))));
    let no_json = std::collections::BTreeMap::from([((1, 2), 3)]);
    let start = client.start_new_by_name("greet", &no_json).await;
    assert!(matches!(start, Err(ClientError::Serialization { .. })));
    let run = client.start_new::<sleeper>(60_000_u64).await.unwrap();
    let raise = run.raise_event("item", too_long).await;
    assert!(matches!(raise, Err(ClientError::PayloadTooLarge(_))));
}
