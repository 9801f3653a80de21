//! In which order entities are locked, and what waits for what.

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, run_seed, run_with};
use futures_util::future::join_all;

use crate::bench::{Bench, LONG, within};
use crate::hosts::{DAY, calm_and_crashing};
use crate::support::{ADDS_IN, Log, holds, log};

#[orchestrator]
async fn goes_through(
    ctx: OrchestrationContext,
    (name, keys): (String, Vec<String>),
) -> Result<Vec<String>> {
    let guard = ctx.lock(keys.iter().map(|key| log(key))).await?;
    for entity in guard.entities().to_vec() {
        let enter = format!("{name} enters");
        guard.call_entity::<()>(entity, "add", enter).await?;
    }
    for entity in guard.entities().to_vec() {
        let leave = format!("{name} leaves");
        guard.call_entity::<()>(entity, "add_slowly", leave).await?;
    }
    Ok(guard.entities().iter().map(EntityId::to_string).collect())
}

/// What each of so many orchestrations is told: its name, and what it is to lock.
fn crossing(times: usize) -> impl Iterator<Item = (String, Vec<String>)> {
    let orders = [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]];
    let orders = orders.map(|keys| keys.map(str::to_owned).to_vec());
    (0..times).map(move |n| (n.to_string(), orders[n % orders.len()].clone()))
}

const IN_ORDER: [&str; 3] = ["@log@a", "@log@b", "@log@c"];

/// Nobody comes in before the one that is inside has left.
fn are_pairs(texts: &[String], times: usize) {
    assert_eq!(texts.len(), 2 * times, "{texts:?}");
    for pair in texts.chunks(2) {
        let name = pair[0].strip_suffix(" enters").unwrap();
        assert_eq!(pair[1], format!("{name} leaves"), "{texts:?}");
    }
}

async fn cross(options: HostOptions, times: usize) {
    let bench = Bench::with(options).await;
    let runs = crossing(times).map(|input| bench.output::<goes_through>(input));
    let locked = join_all(runs).await;
    assert!(locked.iter().all(|keys| *keys == IN_ORDER), "{locked:?}");
    for key in ["a", "b", "c"] {
        are_pairs(&bench.texts(key).await, times);
    }
    bench.until_unlocked().await;
}

// Rules 23 and 38: in any order in which they come, and however often they are replayed. One is inside at a
// time, and there is no time between two.
#[test]
fn the_order_asked_does_not_matter_in_any_order() {
    for seed in 0..3 {
        run_seed(seed, async |host| {
            let runs = crossing(60).map(|input| host.run::<goes_through>(input));
            for keys in join_all(runs).await {
                assert_eq!(keys.unwrap(), IN_ORDER);
            }
            assert_eq!(host.elapsed(), 60 * 3 * ADDS_IN);
            for key in ["a", "b", "c"] {
                let client = host.client();
                let texts = client.read_entity_state::<Vec<String>>(log(key));
                are_pairs(&texts.await.unwrap().unwrap(), 60);
            }
        });
    }
}

// Orchestrations that ask in different orders do not wait for each other, and none is in between.
#[tokio::test]
async fn the_order_asked_does_not_matter() {
    cross(HostOptions::default(), 15).await;
}

// Nor where nothing stays in memory.
#[tokio::test]
async fn nor_does_eviction() {
    let options = HostOptions {
        max_cached_instances: 0,
        idle_timeout: std::time::Duration::ZERO,
        ..HostOptions::default()
    };
    cross(options, 20).await;
}

#[tokio::test]
async fn one_that_is_named_twice_is_locked_once() {
    let bench = Bench::start().await;
    let keys = ["b", "a", "b", "b", "a"].map(str::to_owned).to_vec();
    let locked = bench.output::<goes_through>(("x".to_owned(), keys)).await;
    assert_eq!(locked, ["@log@a", "@log@b"]);
    bench.until_unlocked().await;
    assert_eq!(bench.texts("a").await, ["x enters", "x leaves"]);
}

#[orchestrator]
async fn signals_and_locks(ctx: OrchestrationContext) -> Result<()> {
    let mut calls = Vec::new();
    for number in 0..5 {
        ctx.signal_entity(log("a"), "add_slowly", format!("signal {number}"));
        let text = format!("call {number}");
        calls.push(ctx.call_entity::<()>(log("a"), "add", text).start());
    }
    let guard = ctx.lock([log("a")]).await?;
    guard.call_entity::<()>(log("a"), "add", "inside").await?;
    when_all(calls).await?;
    Ok(())
}

// Operations that were queued before the lock run before it.
#[tokio::test]
async fn what_was_queued_before_runs_first() {
    let bench = Bench::start().await;
    bench.output::<signals_and_locks>(()).await;
    let mut wanted = Vec::new();
    for number in 0..5 {
        wanted.extend([format!("signal {number}"), format!("call {number}")]);
    }
    wanted.push("inside".to_owned());
    assert_eq!(bench.texts("a").await, wanted);
}

#[orchestrator]
async fn calls(ctx: OrchestrationContext, (key, text): (String, String)) -> Result<()> {
    ctx.call_entity::<()>(log(&key), "add", text).await?;
    Ok(())
}

// While an entity is locked, what others ask waits, in order, and what the holder asks goes ahead.
#[tokio::test]
async fn others_wait_and_the_holder_goes_ahead() {
    let bench = Bench::start().await;
    bench.note("a", "first").await;
    bench.begin::<holds>("holder", vec!["a".to_owned()]).await;
    bench.until_status("holder", "inside").await;
    assert_eq!(bench.locks(), [("a".to_owned(), "holder".to_owned())]);
    // These are accepted, so that no crash loses them.
    for number in 0..5 {
        bench.note("a", &number.to_string()).await;
    }
    let call = ("a".to_owned(), "called".to_owned());
    bench.begin::<calls>("caller", call).await;
    assert_eq!(bench.texts("a").await, ["first", "locked"]);
    // The others are not concerned.
    bench.note("b", "free").await;
    bench.until_texts("b", &["free"]).await;
    bench.go("holder").await;
    within(bench.client.wait_for_completion("caller", LONG))
        .await
        .unwrap();
    let wanted = [
        "first", "locked", "released", "0", "1", "2", "3", "4", "called",
    ];
    bench.until_texts("a", &wanted).await;
    bench.until_unlocked().await;
}

// Rule 38: a signal whose time comes while the entity is locked waits as well, and one whose time has not come
// does not come sooner.
#[test]
fn what_is_due_later_waits_too() {
    calm_and_crashing(TestHost::builder, |host| {
        run_with(host, async |host| {
            let client = host.client();
            let texts = async || {
                let state = client.read_entity_state::<Vec<String>>(log("a"));
                state.await.unwrap().unwrap_or_default()
            };
            let run = host.start::<holds>(vec!["a".to_owned()]).await.unwrap();
            for days in [10, 30] {
                let later = client.signal::<Log>("a").at(host.now() + days * DAY);
                later.add(format!("after {days} days")).await.unwrap();
            }
            host.sleep(20 * DAY).await;
            assert_eq!(texts().await, ["locked"]);
            run.raise_event("go", ()).await.unwrap();
            run.output().await.unwrap();
            assert_eq!(host.elapsed(), 20 * DAY);
            let released = ["locked", "released", "after 10 days"];
            host.sleep(9 * DAY).await;
            assert_eq!(texts().await, released);
            host.sleep(2 * DAY).await;
            assert_eq!(texts().await[..3], released);
            assert_eq!(texts().await[3..], ["after 30 days"]);
        });
    });
}

#[orchestrator]
async fn deletes(ctx: OrchestrationContext) -> Result<()> {
    let guard = ctx.lock([log("a")]).await?;
    let a = guard.entity::<Log>("a");
    guard.call_entity::<()>(log("a"), "delete", ()).await?;
    ctx.set_custom_status("deleted")?;
    ctx.wait_for_external_event::<()>("go").await?;
    a.add("holder".to_owned()).await?;
    Ok(())
}

// An entity without a state can be locked, and deleting the state does not release it.
#[tokio::test]
async fn a_deleted_entity_stays_locked() {
    let bench = Bench::start().await;
    bench.note("a", "first").await;
    bench.begin::<deletes>("holder", ()).await;
    bench.until_status("holder", "deleted").await;
    let bench = bench.restart().await;
    assert_eq!(bench.locks().len(), 1);
    bench.note("a", "other").await;
    bench.go("holder").await;
    bench.until_texts("a", &["holder", "other"]).await;
    bench.until_unlocked().await;
}

/// What can be asked of whatever takes notes.
#[entity]
trait Notes {
    fn note(&mut self, text: String);
}

#[entity]
impl Notes for Log {
    fn note(&mut self, text: String) {
        self.push(text);
    }
}

#[orchestrator]
async fn notes_inside(ctx: OrchestrationContext) -> Result<()> {
    let guard = ctx.lock([log("a")]).await?;
    let notes = guard.entity_as::<dyn Notes>(log("a"));
    notes.note("inside".to_owned()).await?;
    let free = guard.entity_as::<dyn Notes>(log("b"));
    let refused = free.note("never".to_owned()).await;
    notes
        .note(refused.unwrap_err().message().to_owned())
        .await?;
    Ok(())
}

// A locked entity is called through its interface as well, and one that is not locked is refused there.
#[tokio::test]
async fn the_holder_calls_through_an_interface() {
    let bench = Bench::start().await;
    bench.output::<notes_inside>(()).await;
    let texts = bench.texts("a").await;
    assert_eq!(texts[0], "inside");
    assert!(texts[1].ends_with("[critical_section]"), "{texts:?}");
    assert_eq!(texts.len(), 2);
    assert!(bench.texts("b").await.is_empty());
}
