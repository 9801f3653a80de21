//! Clients that reach the hub through storage, with and without a host at work.

use std::time::Duration;

use durable_runtime::client::{ClientError, OnExisting, RuntimeStatus};
use durable_runtime::model::Failure;
use serde_json::json;

use crate::functions::{chain, collect, fails, greet};
use crate::support::{Site, status, until_no_message_waits, until_status};

everywhere!(
    everything_through_storage,
    a_start_waits_for_a_host,
    without_a_host_ids_are_still_unique,
    without_a_host_one_of_many_starts_wins,
    without_a_host_an_unknown_orchestrator_is_not_forgotten,
    without_a_host_nothing_is_promised_in_vain,
    without_a_host_an_earlier_end_is_not_that_of_what_is_to_run,
    what_waits_to_be_started_is_not_purged,
    what_is_asked_for_is_done_in_this_order,
    after_a_shutdown_the_client_goes_on,
    dropping_a_host_loses_nothing,
    what_a_dropped_host_left_can_be_steered,
    two_hosts_share_a_hub,
);

// Rule 25 and others: a client of another process gets the same answers.
async fn everything_through_storage(site: Site) {
    let host = site.host().await;
    let client = site.remote();
    assert_eq!(client.task_hub(), "DurableHub");
    let run = client
        .start_new::<collect>(2_usize)
        .instance_id("one")
        .await;
    let run = run.unwrap();
    let second = client.start_new::<greet>("Ann").instance_id("one").await;
    assert!(matches!(second, Err(ClientError::AlreadyExists { .. })));
    client.suspend("one", "wait").await.unwrap();
    let held = run.status().await.unwrap();
    assert_eq!(held.runtime_status, RuntimeStatus::Suspended);
    client.resume("one", "go").await.unwrap();
    run.raise_event("item", 1).await.unwrap();
    host.client().raise_event("one", "item", 2).await.unwrap();
    assert_eq!(run.output().await.unwrap(), [1, 2]);
    assert!(matches!(
        run.raise_event("item", 3).await,
        Err(ClientError::NotRunning { .. })
    ));
    assert!(matches!(
        client.raise_event("nobody", "item", 3).await,
        Err(ClientError::InstanceNotFound { .. })
    ));
    assert!(matches!(
        client.start_new_by_name("gret", "Ann").await,
        Err(ClientError::UnknownOrchestrator { .. })
    ));
    let failed = client.start_new::<fails>("no").await.unwrap();
    assert!(matches!(failed.output().await, Err(ClientError::Failed(_))));
    client.purge("one").await.unwrap();
    assert_eq!(client.get_status("one").await.unwrap(), None);
    host.shutdown().await.unwrap();
}

// Rule 6: what is asked for waits in a queue, also behind what takes a look at descendants first.
async fn what_is_asked_for_is_done_in_this_order(site: Site) {
    let host = site.host().await;
    let run = host.client().start_new::<collect>(1_usize);
    run.instance_id("one").await.unwrap();
    host.shutdown().await.unwrap();
    let client = site.remote();
    client.terminate("one", "enough").recursive().await.unwrap();
    let again = client
        .start_new::<collect>(1_usize)
        .instance_id("one")
        .on_existing(OnExisting::Restart)
        .await
        .unwrap();
    let host = site.host().await;
    until_status(&client, "one", RuntimeStatus::Running).await;
    until_no_message_waits(&site).await;
    again.raise_event("item", 7).await.unwrap();
    assert_eq!(again.output().await.unwrap(), [7]);
    host.shutdown().await.unwrap();
}

// Rule 45: a start that was accepted is run, whoever comes to do it.
async fn a_start_waits_for_a_host(site: Site) {
    let client = site.remote();
    let run = client
        .start_new::<collect>(2_usize)
        .instance_id("one")
        .await;
    let run = run.unwrap();
    for item in [1, 2] {
        run.raise_event("item", item).await.unwrap();
    }
    let waited = client.wait_for_completion("one", Duration::from_millis(10));
    assert!(matches!(waited.await, Err(ClientError::Timeout { .. })));
    let host = site.host().await;
    assert_eq!(run.output().await.unwrap(), [1, 2]);
    host.shutdown().await.unwrap();
}

// Rule 3: also when nobody runs the hub.
async fn without_a_host_ids_are_still_unique(site: Site) {
    let client = site.remote();
    let start = || client.start_new::<greet>("Ann").instance_id("one");
    start().await.unwrap();
    assert!(matches!(
        start().await,
        Err(ClientError::AlreadyExists { .. })
    ));
    start().on_existing(OnExisting::Ignore).await.unwrap();
    let host = site.host().await;
    let ended = client.wait_for_completion("one", Duration::from_secs(10));
    assert_eq!(
        ended.await.unwrap().runtime_status,
        RuntimeStatus::Completed
    );
    host.shutdown().await.unwrap();
    let refused = start().on_existing(OnExisting::Error).await;
    assert!(matches!(refused, Err(ClientError::AlreadyExists { .. })));
}

// Rule 3: of starts of one id at the same moment exactly one wins, also when no host is there.
async fn without_a_host_one_of_many_starts_wins(site: Site) {
    let starts = (0..16).map(|_| {
        let client = site.remote();
        tokio::spawn(async move { client.start_new::<greet>("Ann").instance_id("one").await })
    });
    let mut won = 0;
    for start in starts.collect::<Vec<_>>() {
        match start.await.unwrap() {
            Ok(_) => won += 1,
            Err(error) => assert!(
                matches!(error, ClientError::AlreadyExists { .. }),
                "{error}"
            ),
        }
    }
    assert_eq!(won, 1);
}

// Rule 17: a start that was accepted when nobody could know its orchestrator is not dropped silently.
async fn without_a_host_an_unknown_orchestrator_is_not_forgotten(site: Site) {
    let client = site.remote();
    let start = client.start_new_by_name("nobody_has_this", 1);
    start.instance_id("unknown").await.unwrap();
    let host = site.host().await;
    let ended = client.wait_for_completion("unknown", Duration::from_secs(10));
    let status = ended.await.unwrap();
    assert_eq!(status.runtime_status, RuntimeStatus::Failed);
    let failure = status.failure.unwrap();
    assert_eq!(failure.error_type(), Failure::NOT_REGISTERED);
    assert!(failure.message().contains("nobody_has_this"), "{failure}");
    host.shutdown().await.unwrap();
}

// Rules 6, 8, 10 and 25: what storage says cannot be done is refused although no host is there.
async fn without_a_host_nothing_is_promised_in_vain(site: Site) {
    let host = site.host().await;
    let run = host.client().start_new::<greet>("Ann").instance_id("ended");
    run.await.unwrap().output().await.unwrap();
    let run = host.client().start_new::<collect>(1_usize);
    run.instance_id("running").await.unwrap();
    host.shutdown().await.unwrap();
    let client = site.remote();
    for refused in [
        client.raise_event("ended", "item", 1).await,
        client.terminate("ended", "").await,
        client.suspend("ended", "").await,
        client.resume("ended", "").await,
        client.rewind("ended", "").await,
        client.rewind("running", "").await,
        client.purge("running").await,
    ] {
        assert!(
            matches!(refused, Err(ClientError::NotRunning { .. })),
            "{refused:?}"
        );
    }
    assert!(matches!(
        client.raise_event("nobody", "item", 1).await,
        Err(ClientError::InstanceNotFound { .. })
    ));
    // What is queued may change what is there, so it is left to the host to judge.
    client.terminate("running", "enough").await.unwrap();
    client.purge("running").await.unwrap();
}

// Rules 3, 5 and 8: how an instance has ended is not the output of the one that is to replace it, and who waits
// for one that is to be rewound does not want to know how it has failed before.
async fn without_a_host_an_earlier_end_is_not_that_of_what_is_to_run(site: Site) {
    const SOON: Duration = Duration::from_millis(10);
    let host = site.host().await;
    let run = host.client().start_new::<greet>("Ann").instance_id("one");
    assert_eq!(run.await.unwrap().output().await.unwrap(), "Hello Ann!");
    let run = host.client().start_new::<fails>("no").instance_id("failed");
    run.await.unwrap().output().await.unwrap_err();
    host.shutdown().await.unwrap();
    let client = site.remote();
    let run = client.start_new::<greet>("Bob").instance_id("one").await;
    let run = run.unwrap();
    client.rewind("failed", "again").await.unwrap();
    for id in ["one", "failed"] {
        let waited = client.wait_for_completion(id, SOON).await;
        assert!(
            matches!(waited, Err(ClientError::Timeout { .. })),
            "{waited:?}"
        );
    }
    let host = site.host().await;
    assert_eq!(run.output().await.unwrap(), "Hello Bob!");
    let ended = client.wait_for_completion("failed", Duration::from_secs(10));
    assert_eq!(ended.await.unwrap().runtime_status, RuntimeStatus::Failed);
    host.shutdown().await.unwrap();
}

// Rule 45: the hub can still be used when its host has gone.
async fn after_a_shutdown_the_client_goes_on(site: Site) {
    let host = site.host().await;
    let client = host.client();
    host.shutdown().await.unwrap();
    let run = client.start_new::<greet>("Ann").instance_id("one").await;
    let run = run.unwrap();
    assert_eq!(client.get_status("one").await.unwrap(), None);
    let host = site.host().await;
    until_status(&host.client(), "one", RuntimeStatus::Completed).await;
    assert_eq!(run.output().await.unwrap(), "Hello Ann!");
    host.shutdown().await.unwrap();
}

// Rule 45: nor does a crash lose what was acknowledged.
async fn dropping_a_host_loses_nothing(site: Site) {
    site.bench.hold("a");
    let host = site.host().await;
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = host.client().start_new::<chain>(keys).instance_id("one");
    run.await.unwrap();
    site.bench.called("a", 1).await;
    drop(host);
    let host = site.host().await;
    site.bench.called("a", 2).await;
    site.bench.let_go("a");
    let client = host.client();
    let ended = client.wait_for_completion("one", Duration::from_secs(20));
    let ended = ended.await.unwrap();
    assert_eq!(ended.output_as::<Vec<String>>().unwrap(), ["a", "b"]);
    assert_eq!(status(&client, "one").await.output, ended.output);
    host.shutdown().await.unwrap();
}

// Rules 8 and 10: what waits to be started has neither ended nor failed, unless something queued ends it.
async fn what_waits_to_be_started_is_not_purged(site: Site) {
    let remote = site.remote();
    let start = remote.start_new::<greet>("Ann").instance_id("one");
    start.await.unwrap();
    for refused in [
        remote.purge("one").await.unwrap_err(),
        remote.rewind("one", "again").await.unwrap_err(),
    ] {
        assert!(
            matches!(refused, ClientError::NotRunning { .. }),
            "{refused}"
        );
    }
    remote.terminate("one", "enough").await.unwrap();
    remote.purge("one").await.unwrap();
}

// Rules 6, 7 and 10: what nobody runs at the moment is steered by the next host.
async fn what_a_dropped_host_left_can_be_steered(site: Site) {
    let host = site.host().await;
    for id in ["end", "hold", "go"] {
        let start = host.client().start_new::<collect>(1_usize).instance_id(id);
        start.await.unwrap();
        until_status(&host.client(), id, RuntimeStatus::Running).await;
    }
    drop(host);
    let remote = site.remote();
    remote.terminate("end", "enough").await.unwrap();
    remote.suspend("hold", "wait").await.unwrap();
    remote.raise_event("hold", "item", 1).await.unwrap();
    remote.raise_event("go", "item", 2).await.unwrap();
    let host = site.host().await;
    let client = host.client();
    for id in ["end", "go"] {
        let ended = client.wait_for_completion(id, Duration::from_secs(20));
        ended.await.unwrap();
    }
    assert_eq!(status(&client, "go").await.output, Some(json!([2])));
    assert_eq!(status(&client, "end").await.output, Some(json!("enough")));
    until_status(&client, "hold", RuntimeStatus::Suspended).await;
    client.resume("hold", "go").await.unwrap();
    let ended = client.wait_for_completion("hold", Duration::from_secs(20));
    assert_eq!(ended.await.unwrap().output, Some(json!([1])));
    client.purge("hold").await.unwrap();
    host.shutdown().await.unwrap();
}

// Rule 45: when one of two hosts goes, the other one takes its part over.
async fn two_hosts_share_a_hub(site: Site) {
    let first = site.host().await;
    let mut runs = Vec::new();
    for number in 0..20 {
        let client = first.client();
        let start = client.start_new::<collect>(1_usize);
        let start = start.instance_id(format!("one-{number}")).await;
        runs.push(start.unwrap());
    }
    let second = site.host().await;
    let client = second.client();
    for run in &runs[..10] {
        client.raise_event(run.id(), "item", 1).await.unwrap();
        assert_eq!(run.output().await.unwrap(), [1]);
    }
    first.shutdown().await.unwrap();
    for run in &runs[10..] {
        client.raise_event(run.id(), "item", 2).await.unwrap();
        assert_eq!(run.output().await.unwrap(), [2]);
    }
    second.shutdown().await.unwrap();
}
