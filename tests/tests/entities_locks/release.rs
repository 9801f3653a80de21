//! When entities are released.

use std::time::Duration;

use durable_runtime::client::RuntimeStatus;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;

use crate::bench::{Bench, LONG, until, within};
use crate::support::{Log, holds, log};

#[orchestrator]
async fn ends(ctx: OrchestrationContext, how: String) -> Result<()> {
    let guard = ctx.lock([log("a"), log("b")]).await?;
    guard.entity::<Log>("b").add(how.clone()).await?;
    match how.as_str() {
        "drops" => {
            drop(guard);
            ctx.set_custom_status("outside")?;
            ctx.wait_for_external_event::<()>("go").await?;
        }
        "fails" => return Err(Error::msg("it fails")),
        "panics" => panic!("it panics"),
        "fails by itself" => ctx.signal_entity(EntityId::new("@", "@"), "add", ()),
        // Not what the check that follows will see.
        "differs" if !ctx.is_replaying() => ctx.signal_entity(log("c"), "add", "never"),
        "continues as new" => return ctx.continue_as_new("drops"),
        "waits" => {
            ctx.set_custom_status("inside")?;
            ctx.wait_for_external_event::<()>("go").await?;
        }
        _ => {}
    }
    Ok(())
}

async fn is_free(bench: &Bench) {
    bench.until_unlocked().await;
    let both = vec!["b".to_owned(), "a".to_owned()];
    bench.begin::<holds>("next", both).await;
    bench.until_status("next", "inside").await;
}

async fn ends_and_is_free(how: &str, status: RuntimeStatus) {
    let bench = Bench::start().await;
    bench.begin::<ends>("ends", how.to_owned()).await;
    assert_eq!(bench.until_ended("ends").await, status);
    is_free(&bench).await;
    assert_eq!(bench.texts("b").await, [how, "locked"]);
}

#[tokio::test]
async fn when_the_guard_is_dropped() {
    let bench = Bench::start().await;
    bench.begin::<ends>("ends", "drops".to_owned()).await;
    bench.until_status("ends", "outside").await;
    is_free(&bench).await;
}

#[tokio::test]
async fn when_the_holder_returns() {
    ends_and_is_free("returns", RuntimeStatus::Completed).await;
}

#[tokio::test]
async fn when_the_holder_fails() {
    ends_and_is_free("fails", RuntimeStatus::Failed).await;
    ends_and_is_free("fails by itself", RuntimeStatus::Failed).await;
}

#[tokio::test]
async fn when_the_holder_panics() {
    ends_and_is_free("panics", RuntimeStatus::Failed).await;
}

#[tokio::test]
async fn when_the_holder_is_not_deterministic() {
    ends_and_is_free("differs", RuntimeStatus::Failed).await;
}

#[tokio::test]
async fn when_the_holder_continues_as_new() {
    let bench = Bench::start().await;
    bench
        .begin::<ends>("ends", "continues as new".to_owned())
        .await;
    // The next execution has locked and released them too.
    bench.until_status("ends", "outside").await;
    is_free(&bench).await;
    let wanted = ["continues as new", "drops", "locked"];
    assert_eq!(bench.texts("b").await, wanted);
}

#[tokio::test]
async fn when_the_holder_is_terminated() {
    let bench = Bench::start().await;
    bench.begin::<ends>("ends", "waits".to_owned()).await;
    bench.until_status("ends", "inside").await;
    assert_eq!(bench.locks().len(), 2);
    within(bench.client.terminate("ends", "enough"))
        .await
        .unwrap();
    is_free(&bench).await;
}

#[tokio::test]
async fn when_the_holder_is_replaced() {
    let bench = Bench::start().await;
    bench.begin::<ends>("ends", "waits".to_owned()).await;
    bench.until_status("ends", "inside").await;
    let again = bench.client.start_new::<ends>("returns".to_owned());
    let again = again
        .instance_id("ends")
        .on_existing(durable_runtime::client::OnExisting::Restart);
    within(again).await.unwrap();
    assert_eq!(bench.until_ended("ends").await, RuntimeStatus::Completed);
    is_free(&bench).await;
}

// A holder that is suspended is still there.
#[tokio::test]
async fn not_while_the_holder_is_suspended() {
    let bench = Bench::start().await;
    bench.begin::<holds>("holder", vec!["a".to_owned()]).await;
    bench.until_status("holder", "inside").await;
    within(bench.client.suspend("holder", "")).await.unwrap();
    bench.note("a", "waits").await;
    bench.go("holder").await;
    assert_eq!(bench.locks().len(), 1);
    within(bench.client.resume("holder", "")).await.unwrap();
    bench
        .until_texts("a", &["locked", "released", "waits"])
        .await;
    bench.until_unlocked().await;
}

#[orchestrator]
async fn gives_up(ctx: OrchestrationContext, then: String) -> Result<()> {
    let request = ctx.lock([log("a"), log("b")]).start();
    ctx.sleep(Duration::from_millis(5)).await;
    if then == "holds on" {
        ctx.set_custom_status("asked")?;
        drop(request.await?);
        return Ok(());
    }
    drop(request);
    ctx.set_custom_status("gave up")?;
    if then == "goes on" {
        ctx.wait_for_external_event::<()>("go").await?;
        // Nothing is left of the request: another one is not nested.
        drop(ctx.lock([log("c")]).await?);
    }
    Ok(())
}

/// One holds `b` while another one asks for `a` and `b`.
async fn asks_in_vain(then: &str) -> Bench {
    let bench = Bench::start().await;
    bench.begin::<holds>("holder", vec!["b".to_owned()]).await;
    bench.until_status("holder", "inside").await;
    bench.begin::<gives_up>("asks", then.to_owned()).await;
    bench
}

// A request that is given up takes effect for nobody.
#[tokio::test]
async fn when_the_request_is_given_up() {
    let bench = asks_in_vain("goes on").await;
    bench.until_status("asks", "gave up").await;
    bench.go("holder").await;
    is_free(&bench).await;
    bench.go("next").await;
    bench.go("asks").await;
    assert_eq!(bench.until_ended("asks").await, RuntimeStatus::Completed);
    bench.until_unlocked().await;
    let status = bench.client.get_status("asks").with_history();
    let history = within(status).await.unwrap().unwrap().history.unwrap();
    let granted = history.iter();
    let granted = granted.filter(|event| matches!(event.kind, EventKind::LockGranted { .. }));
    assert_eq!(granted.count(), 1);
}

#[tokio::test]
async fn when_the_one_that_asked_has_ended() {
    let bench = asks_in_vain("returns").await;
    assert_eq!(bench.until_ended("asks").await, RuntimeStatus::Completed);
    bench.go("holder").await;
    is_free(&bench).await;
}

#[tokio::test]
async fn when_the_one_that_asked_was_terminated_and_purged() {
    let bench = asks_in_vain("holds on").await;
    bench.until_status("asks", "asked").await;
    within(bench.client.terminate("asks", "")).await.unwrap();
    within(bench.client.purge("asks")).await.unwrap();
    until(async || {
        let locks = bench.locks();
        (locks.len() == 2).then_some(())
    })
    .await;
    bench.go("holder").await;
    is_free(&bench).await;
    bench.go("next").await;
    let ended = within(bench.client.wait_for_completion("next", LONG)).await;
    ended.unwrap();
}
