//! Suspending and resuming instances.

use std::time::Duration;

use chrono::TimeDelta;
use durable_runtime::client::RuntimeStatus;
use durable_runtime::model::{EventKind, HistoryEvent};
use durable_runtime::testing::TestHost;

use crate::functions::{chain, collect, greet, with_a_timer};
use crate::support::{Bench, DAY, Site, now, status, until_recorded, until_status};

in_virtual_time!(
    a_timer_that_fires_is_held,
    a_start_that_was_put_off_is_held,
    suspension_does_not_change_the_time_of_a_start,
);

everywhere!(
    events_are_held_in_order,
    no_step_is_taken,
    an_instance_that_never_ran_is_held,
    a_start_resumed_before_its_time_waits,
    suspension_outlives_the_host,
    doing_it_twice_does_no_harm,
);

// Rule 7: every event is held, and none changes places.
async fn events_are_held_in_order(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(5_usize).await.unwrap();
    run.raise_event("item", 0).await.unwrap();
    client.suspend(run.id(), "wait").await.unwrap();
    let before = run.status().await.unwrap().custom_status;
    for item in 1..5 {
        run.raise_event("item", item).await.unwrap();
    }
    let held = run.status().await.unwrap();
    assert_eq!(held.runtime_status, RuntimeStatus::Suspended);
    assert_eq!(held.custom_status, before);
    client.resume(run.id(), "go").await.unwrap();
    assert_eq!(run.output().await.unwrap(), [0, 1, 2, 3, 4]);
}

// Rule 7: a result that arrives starts nothing until it is resumed.
async fn no_step_is_taken(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = client.start_new::<chain>(keys).await.unwrap();
    site.bench.called("a", 1).await;
    client.suspend(run.id(), "wait").await.unwrap();
    site.bench.let_go("a");
    until_recorded(&client, run.id(), "TaskCompleted", 1).await;
    let other = client.start_new::<chain>(vec!["c".to_owned()]).await;
    other.unwrap().output().await.unwrap();
    assert_eq!(site.bench.calls("b"), 0);
    client.resume(run.id(), "go").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a", "b"]);
}

// Rule 7: so is a timer. It has fired when it was due: what is resumed later does not wait again.
async fn a_timer_that_fires_is_held(host: TestHost, bench: Bench) {
    bench.hold("quick");
    let run = host.start::<with_a_timer>(()).await.unwrap();
    host.sleep(DAY).await;
    host.client().suspend(run.id(), "wait").await.unwrap();
    host.sleep(10 * DAY).await;
    bench.let_go("quick");
    host.sleep(DAY).await;
    let held = run.status().await.unwrap();
    assert_eq!(held.runtime_status, RuntimeStatus::Suspended);
    let history = host.history(run.id()).unwrap();
    let fired = |event: &&HistoryEvent| matches!(event.kind, EventKind::TimerFired { .. });
    let fired: Vec<_> = history.events().iter().filter(fired).collect();
    assert_eq!(fired.len(), 1, "{history}");
    assert_eq!(host.now() - fired[0].timestamp, TimeDelta::days(2));
    assert!(history.to_string().contains("TaskCompleted"), "{history}");
    host.client().resume(run.id(), "go").await.unwrap();
    assert_eq!(run.output().await.unwrap(), "quick");
    assert_eq!(host.elapsed(), 12 * DAY);
}

// Rule 7: an instance that is suspended before its first step has not run.
async fn an_instance_that_never_ran_is_held(site: Site) {
    let client = site.remote();
    let run = client.start_new::<chain>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    client.suspend("one", "wait").await.unwrap();
    let host = site.host().await;
    until_status(&client, "one", RuntimeStatus::Suspended).await;
    host.client().resume("one", "go").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a"]);
}

// Rule 7: one that is suspended when the time of its start comes begins when it is resumed, and
// holds up nobody meanwhile.
async fn a_start_that_was_put_off_is_held(host: TestHost, bench: Bench) {
    let client = host.client();
    let began = host.now();
    let start = client.start_new::<chain>(vec!["a".to_owned()]);
    let run = start.start_at(began + 30 * DAY).await.unwrap();
    client.suspend(run.id(), "wait").await.unwrap();
    for days in [30, 31] {
        let later = client.start_new::<greet>("Ann");
        let later = later.start_at(began + days * DAY);
        later.await.unwrap().output().await.unwrap();
        assert_eq!(host.elapsed(), days * DAY);
        let held = run.status().await.unwrap();
        assert_eq!(held.runtime_status, RuntimeStatus::Suspended);
    }
    assert_eq!(bench.calls("a"), 0);
    host.sleep(9 * DAY).await;
    client.resume(run.id(), "go").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a"]);
    assert_eq!(host.elapsed(), 40 * DAY);
}

// Rule 4: being suspended and resumed neither brings a start forward nor puts it off.
async fn suspension_does_not_change_the_time_of_a_start(host: TestHost, bench: Bench) {
    let client = host.client();
    let start = client.start_new::<chain>(vec!["a".to_owned()]);
    let run = start.start_at(host.now() + 30 * DAY).await.unwrap();
    host.sleep(10 * DAY).await;
    client.suspend(run.id(), "wait").await.unwrap();
    host.sleep(10 * DAY).await;
    client.resume(run.id(), "go").await.unwrap();
    host.sleep(9 * DAY).await;
    assert_eq!(bench.calls("a"), 0);
    assert_eq!(run.output().await.unwrap(), ["a"]);
    assert_eq!(host.elapsed(), 30 * DAY);
}

// Rule 4: being suspended and resumed does not bring a start forward.
async fn a_start_resumed_before_its_time_waits(site: Site) {
    let remote = site.remote();
    let begins = now() + Duration::from_millis(50);
    let run = remote.start_new::<greet>("Ann").start_at(begins).await;
    let run = run.unwrap();
    remote.suspend(run.id(), "wait").await.unwrap();
    remote.resume(run.id(), "go").await.unwrap();
    let _host = site.host().await;
    assert_eq!(run.output().await.unwrap(), "Hello Ann!");
    assert!(now() >= begins);
}

// Rule 7: and it keeps what was held.
async fn suspension_outlives_the_host(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(3_usize).instance_id("one");
    let run = run.await.unwrap();
    run.raise_event("item", 1).await.unwrap();
    client.suspend("one", "wait").await.unwrap();
    run.raise_event("item", 2).await.unwrap();
    drop(run);
    host.shutdown().await.unwrap();
    let host = site.host().await;
    let client = host.client();
    client.raise_event("one", "item", 3).await.unwrap();
    let held = status(&client, "one").await;
    assert_eq!(held.runtime_status, RuntimeStatus::Suspended);
    assert_eq!(held.output_as::<String>().unwrap(), "wait");
    client.resume("one", "go").await.unwrap();
    let ended = client.wait_for_completion("one", Duration::from_secs(10));
    let output = ended.await.unwrap().output_as::<Vec<i64>>();
    assert_eq!(output.unwrap(), [1, 2, 3]);
}

async fn doing_it_twice_does_no_harm(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(1_usize).await.unwrap();
    client.resume(run.id(), "is not suspended").await.unwrap();
    for _ in 0..2 {
        client.suspend(run.id(), "wait").await.unwrap();
    }
    for _ in 0..2 {
        client.resume(run.id(), "go").await.unwrap();
    }
    run.raise_event("item", 1).await.unwrap();
    assert_eq!(run.output().await.unwrap(), [1]);
}
