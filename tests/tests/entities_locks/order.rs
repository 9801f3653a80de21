//! In which order entities are locked, and what waits for what.

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use futures_util::future::join_all;

use crate::bench::{Bench, LONG, within};
use crate::support::{Log, holds, log};

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

async fn cross(options: HostOptions, times: usize) {
    let bench = Bench::with(options).await;
    let keys = |keys: [&str; 3]| keys.map(str::to_owned).to_vec();
    let orders = [
        keys(["a", "b", "c"]),
        keys(["c", "b", "a"]),
        keys(["b", "c", "a"]),
    ];
    let runs = (0..times).map(|n| {
        let order = orders[n % orders.len()].clone();
        bench.output::<goes_through>((n.to_string(), order))
    });
    let locked = join_all(runs).await;
    let in_order = ["@log@a", "@log@b", "@log@c"];
    assert!(
        locked.iter().all(|locked| *locked == in_order),
        "{locked:?}"
    );
    for key in ["a", "b", "c"] {
        let texts = bench.texts(key).await;
        assert_eq!(texts.len(), 2 * times, "{texts:?}");
        for pair in texts.chunks(2) {
            let name = pair[0].strip_suffix(" enters").unwrap();
            assert_eq!(pair[1], format!("{name} leaves"), "{texts:?}");
        }
    }
    bench.until_unlocked().await;
}

// Orchestrations that ask in different orders do not wait for each other, and none is in between.
#[tokio::test]
async fn the_order_asked_does_not_matter() {
    cross(HostOptions::default(), 60).await;
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

// A signal whose time comes while the entity is locked waits as well.
#[tokio::test]
async fn what_is_due_later_waits_too() {
    let bench = Bench::start().await;
    bench.begin::<holds>("holder", vec!["a".to_owned()]).await;
    bench.until_status("holder", "inside").await;
    let soon = chrono::Utc::now() + chrono::Duration::milliseconds(5);
    let sent = bench.client.signal::<Log>("a").at(soon);
    within(sent.add("late".to_owned())).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    assert_eq!(bench.texts("a").await, ["locked"]);
    bench.go("holder").await;
    bench
        .until_texts("a", &["locked", "released", "late"])
        .await;
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
