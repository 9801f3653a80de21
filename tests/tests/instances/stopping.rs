//! Terminating instances.

use std::time::Duration;

use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::model::Failure;
use durable_runtime::testing::TestHost;

use crate::functions::{chain, collect, grandparent, greet, outlives_its_child, parent, patient};
use crate::support::{
    Bench, DAY, Setting, Site, bounded, event_names, status, until_recorded, until_status,
};

in_virtual_time!(a_pending_instance_never_runs);

everywhere!(
    a_running_instance_ends,
    a_suspended_instance_ends,
    an_ended_instance_stays_as_it_is,
    descendants_end_too_when_asked,
    descendants_of_a_child_that_has_ended_too,
    without_asking_children_go_on,
    a_parent_learns_that_its_child_was_terminated,
    activities_are_told,
    activities_that_did_not_begin_never_do,
    an_event_raised_before_is_not_lost_to_history,
);

// Rule 6: an instance that is pending when it is terminated never runs its code, also when its time comes.
async fn a_pending_instance_never_runs(host: TestHost, bench: Bench) {
    let start = host.start::<chain>(vec!["never".to_owned()]);
    let run = start.start_at(host.now() + 30 * DAY).await.unwrap();
    host.sleep(10 * DAY).await;
    let pending = run.status().await.unwrap();
    assert_eq!(pending.runtime_status, RuntimeStatus::Pending);
    run.terminate("not needed").await.unwrap();
    assert!(matches!(
        run.output().await,
        Err(ClientError::Terminated(_))
    ));
    assert_eq!(host.elapsed(), 10 * DAY);
    host.sleep(30 * DAY).await;
    assert_eq!(bench.calls("never"), 0);
    host.history(run.id())
        .unwrap()
        .expect(&["ExecutionStarted chain", "ExecutionTerminated not needed"]);
}

// Rule 6: what its activities return afterwards changes nothing.
async fn a_running_instance_ends(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = client.start_new::<chain>(keys).await.unwrap();
    site.bench.called("a", 1).await;
    run.terminate("enough").await.unwrap();
    let ended = run.status().await.unwrap();
    assert_eq!(ended.runtime_status, RuntimeStatus::Terminated);
    site.bench.let_go("a");
    let other = client.start_new::<chain>(vec!["c".to_owned()]).await;
    other.unwrap().output().await.unwrap();
    assert_eq!(site.bench.calls("b"), 0);
    let later = run.status().await.unwrap();
    assert_eq!(later.runtime_status, RuntimeStatus::Terminated);
    assert_eq!(later.last_updated_time, ended.last_updated_time);
}

// Rule 6: suspension does not hold a termination.
async fn a_suspended_instance_ends(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(1_usize).await.unwrap();
    client.suspend(run.id(), "wait").await.unwrap();
    run.terminate("enough").await.unwrap();
    assert!(matches!(
        run.output().await,
        Err(ClientError::Terminated(reason)) if reason == "enough"
    ));
    assert!(matches!(
        client.resume(run.id(), "go").await,
        Err(ClientError::NotRunning { .. })
    ));
}

// Rule 6: an instance that has ended cannot be terminated, suspended or resumed.
async fn an_ended_instance_stays_as_it_is(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<greet>("Ann").instance_id("one").await;
    run.unwrap().output().await.unwrap();
    let before = status(&client, "one").await;
    for error in [
        client.terminate("one", "").await.unwrap_err(),
        client.terminate("one", "").recursive().await.unwrap_err(),
        client.suspend("one", "").await.unwrap_err(),
        client.resume("one", "").await.unwrap_err(),
    ] {
        match &error {
            ClientError::NotRunning { id, status, .. } => {
                assert_eq!((id.as_str(), *status), ("one", RuntimeStatus::Completed));
            }
            other => panic!("{other}"),
        }
        assert!(error.to_string().contains("Completed"), "{error}");
    }
    assert_eq!(status(&client, "one").await, before);
}

// Rule 6: a recursive termination reaches grandchildren.
async fn descendants_end_too_when_asked(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let run = client.start_new::<grandparent>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    site.bench.called("a", 1).await;
    run.terminate("enough").recursive().await.unwrap();
    for id in ["one", "one-child", "one-child-child"] {
        until_status(&client, id, RuntimeStatus::Terminated).await;
        let output = status(&client, id).await.output_as::<String>();
        assert_eq!(output.unwrap(), "enough");
    }
    site.bench.let_go("a");
}

// Rule 6: a child that has ended may have left others behind.
async fn descendants_of_a_child_that_has_ended_too(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let run = client.start_new::<outlives_its_child>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    site.bench.called("a", 1).await;
    until_status(&client, "one-child", RuntimeStatus::Completed).await;
    run.terminate("enough").recursive().await.unwrap();
    until_status(&client, "one", RuntimeStatus::Terminated).await;
    until_status(&client, "one-child-child", RuntimeStatus::Terminated).await;
    let child = status(&client, "one-child").await;
    assert_eq!(child.runtime_status, RuntimeStatus::Completed);
    site.bench.let_go("a");
}

// Rule 6: without `recursive` children are left alone.
async fn without_asking_children_go_on(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let run = client.start_new::<parent>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    site.bench.called("a", 1).await;
    run.terminate("enough").await.unwrap();
    site.bench.let_go("a");
    let child = client.wait_for_completion("one-child", Duration::from_secs(10));
    let child = child.await.unwrap();
    assert_eq!(child.runtime_status, RuntimeStatus::Completed);
    let parent = run.status().await.unwrap();
    assert_eq!(parent.runtime_status, RuntimeStatus::Terminated);
}

// Rule 6: the call of a child that is terminated fails.
async fn a_parent_learns_that_its_child_was_terminated(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let run = client.start_new::<parent>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    site.bench.called("a", 1).await;
    client.terminate("one-child", "enough").await.unwrap();
    match run.output().await {
        Err(ClientError::Failed(failure)) => {
            let cause = failure.inner().unwrap();
            assert_eq!(cause.error_type(), Failure::TERMINATED);
            assert!(cause.message().contains("enough"), "{cause}");
        }
        other => panic!("{other:?}"),
    }
    site.bench.let_go("a");
}

// Rule 6: activities under way are told, those of others are not.
async fn activities_are_told(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("mine");
    site.bench.hold("other");
    let run = client.start_new::<patient>("mine").await.unwrap();
    let other = client.start_new::<patient>("other").await.unwrap();
    site.bench.called("mine", 1).await;
    site.bench.called("other", 1).await;
    run.terminate("enough").await.unwrap();
    site.bench.until_cancelled("mine").await;
    assert!(!site.bench.is_cancelled("other"));
    site.bench.let_go("other");
    assert_eq!(other.output().await.unwrap(), "other");
}

// Rule 6: an activity that waits for its turn when the orchestration is terminated is not begun.
async fn activities_that_did_not_begin_never_do(mut site: Site) {
    site.options.max_concurrent_activities = 1;
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("first");
    let first = client.start_new::<chain>(vec!["first".to_owned()]).await;
    let first = first.unwrap();
    site.bench.called("first", 1).await;
    let second = client.start_new::<chain>(vec!["second".to_owned()]);
    let second = second.await.unwrap();
    until_recorded(&client, second.id(), "TaskScheduled", 1).await;
    second.terminate("enough").await.unwrap();
    site.bench.let_go("first");
    first.output().await.unwrap();
    let third = client.start_new::<chain>(vec!["third".to_owned()]).await;
    third.unwrap().output().await.unwrap();
    assert_eq!(site.bench.calls("second"), 0);
}

// Rule 6: queued like any message: what was asked before is done before.
async fn an_event_raised_before_is_not_lost_to_history(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(2_usize).await.unwrap();
    run.raise_event("item", 1).await.unwrap();
    until_recorded(&client, run.id(), "EventRaised", 1).await;
    run.terminate("enough").await.unwrap();
    let names = event_names(&client, run.id()).await;
    assert_eq!(names.last(), Some(&"ExecutionTerminated"));
    let custom_status = run.status().await.unwrap().custom_status;
    assert_eq!(custom_status, Some(serde_json::json!(1)));
}

// Rule 6: an activity that has been handed over and is yet to take its first step is told as well.
#[test]
fn an_activity_that_is_just_beginning_is_told() {
    // Activities run on this one thread, which does nothing else until the instance has ended.
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let site = Site::new(Setting::Memory);
    site.bench.hold("a");
    let host = runtime.block_on(site.host());
    let client = host.client();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build().unwrap();
        runtime.block_on(bounded(async {
            let run = client.start_new::<patient>("a").await.unwrap();
            until_recorded(&client, run.id(), "TaskScheduled", 1).await;
            run.terminate("enough").await.unwrap();
        }));
    })
    .join()
    .unwrap();
    runtime.block_on(bounded(async {
        site.bench.until_cancelled("a").await;
        host.shutdown().await.unwrap();
    }));
}
