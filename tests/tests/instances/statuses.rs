//! What a status query shows, and waiting for the end.

use std::time::Duration;

use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::model::EventKind;
use serde_json::{Value, json};

use crate::functions::{chain, collect, fails, generations, greet, parent};
use crate::support::{Site, event_names, now, status, until_status};

everywhere!(
    each_status_is_seen,
    the_output_says_how_it_ended,
    a_status_shows_all_there_is,
    history_comes_with_and_without_results,
    waiting_has_an_end,
    an_output_of_another_type_is_an_error,
    what_does_not_exist_is_not_found,
    continued_as_new_is_never_seen,
    a_purged_instance_has_no_output,
);

// Rule 2: the statuses in the life of an instance.
async fn each_status_is_seen(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let begins = now() + Duration::from_secs(3600);
    let pending = client.start_new::<greet>("Ann").start_at(begins).await;
    let pending = pending.unwrap().status().await.unwrap();
    assert_eq!(pending.runtime_status, RuntimeStatus::Pending);
    assert_eq!(pending.runtime_status.to_string(), "Pending");
    let run = client.start_new::<collect>(1_usize).await.unwrap();
    until_status(&client, run.id(), RuntimeStatus::Running).await;
    client.suspend(run.id(), "wait").await.unwrap();
    let suspended = run.status().await.unwrap();
    assert_eq!(suspended.runtime_status, RuntimeStatus::Suspended);
    client.resume(run.id(), "go").await.unwrap();
    let resumed = run.status().await.unwrap();
    assert_eq!(resumed.runtime_status, RuntimeStatus::Running);
    run.raise_event("item", 1).await.unwrap();
    let completed = run.wait(Duration::from_secs(10)).await.unwrap();
    assert_eq!(completed.runtime_status, RuntimeStatus::Completed);
    let failed = client.start_new::<fails>("no").await.unwrap();
    let failed = failed.wait(Duration::from_secs(10)).await.unwrap();
    assert_eq!(failed.runtime_status, RuntimeStatus::Failed);
    let terminated = client.start_new::<collect>(1_usize).await.unwrap();
    terminated.terminate("enough").await.unwrap();
    let terminated = terminated.status().await.unwrap();
    assert_eq!(terminated.runtime_status, RuntimeStatus::Terminated);
}

// Rule 5: the failure of a failed instance, the reason of a terminated or suspended one.
async fn the_output_says_how_it_ended(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let failed = client.start_new::<fails>("no \"luck\"").await.unwrap();
    match failed.output().await {
        Err(ClientError::Failed(failure)) => assert_eq!(failure.message(), "no \"luck\""),
        other => panic!("{other:?}"),
    }
    let status = failed.status().await.unwrap();
    assert_eq!(status.failure.unwrap().message(), "no \"luck\"");
    assert_eq!(status.output.unwrap()["message"], "no \"luck\"");

    let reason = "  \"because\"\n{1} ";
    let run = client.start_new::<collect>(1_usize).await.unwrap();
    client.suspend(run.id(), reason).await.unwrap();
    assert_eq!(run.status().await.unwrap().output, Some(json!(reason)));
    client.resume(run.id(), "go").await.unwrap();
    assert_eq!(run.status().await.unwrap().output, None);
    run.terminate(reason).await.unwrap();
    assert_eq!(run.status().await.unwrap().output, Some(json!(reason)));
    match run.output().await {
        Err(ClientError::Terminated(said)) => assert_eq!(said, reason),
        other => panic!("{other:?}"),
    }
}

async fn a_status_shows_all_there_is(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let before = now() - Duration::from_millis(1);
    let run = client
        .start_new::<collect>(1_usize)
        .instance_id("one")
        .tag("team", "blue")
        .await
        .unwrap();
    run.raise_event("item", 7).await.unwrap();
    run.output().await.unwrap();
    let found = status(&client, "one").await;
    assert_eq!(found.name, "collect");
    assert_eq!(found.instance_id, "one");
    assert_eq!(found.input, Some(json!(1)));
    assert_eq!(found.output, Some(json!([7])));
    assert_eq!(found.output_as::<Vec<i64>>().unwrap(), [7]);
    assert_eq!(found.custom_status, Some(json!(1)));
    assert_eq!(found.failure, None);
    assert_eq!(found.history, None);
    assert_eq!(found.version, None);
    assert_eq!(found.parent, None);
    assert!(before <= found.created_time && found.created_time <= found.last_updated_time);
    assert!(found.last_updated_time <= now());
    let bare = client.get_status("one").without_input().await.unwrap();
    assert_eq!(bare.unwrap().input, None);
    let bare = client.get_status("one").without_input().with_history();
    assert_eq!(bare.await.unwrap().unwrap().input, None);

    let run = client.start_new::<parent>(vec![]).instance_id("two");
    run.await.unwrap().output().await.unwrap();
    let child = status(&client, "two-child").await;
    assert_eq!(child.parent.as_deref(), Some("two"));
}

async fn history_comes_with_and_without_results(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let keys = vec!["a".to_owned()];
    let run = client.start_new::<chain>(keys).instance_id("one").await;
    run.unwrap().output().await.unwrap();
    assert_eq!(
        event_names(&client, "one").await,
        [
            "ExecutionStarted",
            "OrchestratorStarted",
            "TaskScheduled",
            "TaskCompleted",
            "OrchestratorStarted",
            "ExecutionCompleted"
        ]
    );
    let results = |status: durable_runtime::client::OrchestrationStatus| -> Vec<Value> {
        let history = status.history.unwrap();
        let results = history.iter().filter_map(|event| match &event.kind {
            EventKind::TaskCompleted { result, .. } | EventKind::ExecutionCompleted { result } => {
                Some(result.to_value())
            }
            _ => None,
        });
        results.collect()
    };
    let whole = client.get_status("one").with_history_output().await;
    let whole = results(whole.unwrap().unwrap());
    assert_eq!(whole, [json!("a"), json!(["a"])]);
    let blank = client.get_status("one").with_history().await.unwrap();
    let blank = blank.unwrap();
    assert_eq!(blank.output, Some(json!(["a"])));
    assert_eq!(results(blank), [Value::Null, Value::Null]);
    let both = client.get_status("one").with_history_output();
    let both = both.with_history().await.unwrap().unwrap();
    assert_eq!(results(both), whole);
}

async fn waiting_has_an_end(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(1_usize).instance_id("one");
    let run = run.await.unwrap();
    for _ in 0..2 {
        let waited = client.wait_for_completion("one", Duration::from_millis(20));
        match waited.await {
            Err(ClientError::Timeout { id, waited }) => {
                assert_eq!((id.as_str(), waited.as_millis()), ("one", 20));
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        run.wait(Duration::ZERO).await,
        Err(ClientError::Timeout { .. })
    ));
    let waits = tokio::join!(
        client.wait_for_completion("one", Duration::from_secs(10)),
        run.wait(Duration::from_secs(10)),
        run.output(),
        run.raise_event("item", 7),
    );
    let ended = waits.0.unwrap();
    assert_eq!(ended.output, Some(json!([7])));
    assert_eq!(ended.input, Some(json!(1)));
    assert_eq!(waits.1.unwrap().output, Some(json!([7])));
    assert_eq!(waits.2.unwrap(), [7]);
    waits.3.unwrap();
    let ended = client.wait_for_completion("one", Duration::from_secs(10));
    assert_eq!(ended.await.unwrap().output, Some(json!([7])));
}

async fn an_output_of_another_type_is_an_error(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<greet>("Ann").await.unwrap();
    let status = run.wait(Duration::from_secs(10)).await.unwrap();
    match status.output_as::<u32>() {
        Err(ClientError::Serialization { what, .. }) => assert!(what.contains("u32"), "{what}"),
        other => panic!("{other:?}"),
    }
}

async fn what_does_not_exist_is_not_found(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for id in ["nobody", "not/valid"] {
        assert_eq!(client.get_status(id).await.unwrap(), None);
        let wait = Duration::from_secs(10);
        for error in [
            client.terminate(id, "").await.unwrap_err(),
            client.terminate(id, "").recursive().await.unwrap_err(),
            client.suspend(id, "").await.unwrap_err(),
            client.resume(id, "").await.unwrap_err(),
            client.rewind(id, "").await.unwrap_err(),
            client.restart(id).await.unwrap_err(),
            client.purge(id).await.unwrap_err(),
            client.wait_for_completion(id, wait).await.unwrap_err(),
        ] {
            assert!(
                matches!(&error, ClientError::InstanceNotFound { id: named } if named == id),
                "{error}"
            );
        }
    }
}

// Rule 2: between two executions an instance is running.
async fn continued_as_new_is_never_seen(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<generations>(0_u32).await.unwrap();
    for _ in 0..3 {
        run.raise_event("next", ()).await.unwrap();
        let seen = run.status().await.unwrap().runtime_status;
        assert_ne!(seen, RuntimeStatus::ContinuedAsNew);
    }
    assert_eq!(run.output().await.unwrap(), 3);
}

async fn a_purged_instance_has_no_output(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<greet>("Ann").await.unwrap();
    run.output().await.unwrap();
    client.purge(run.id()).await.unwrap();
    assert!(matches!(
        run.output().await,
        Err(ClientError::InstanceNotFound { .. })
    ));
    assert!(matches!(
        run.status().await,
        Err(ClientError::InstanceNotFound { .. })
    ));
}
