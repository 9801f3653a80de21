//! External events.

use durable_runtime::Failure;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use serde_json::json;

use crate::support::{Bench, LONG, count, counted, within};
use crate::virtual_time::{DAY, calm_and_crashing};

#[orchestrator]
async fn takes_three(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    ctx.wait_for_external_event::<()>("begin").await?;
    let mut taken = Vec::new();
    for name in ["Number", "NUMBER", "number"] {
        taken.push(ctx.wait_for_external_event(name).await?);
    }
    Ok(taken)
}

// Rule 24: names without regard to case; raised before it is awaited, kept, first in first out.
#[tokio::test]
async fn events_are_kept_in_order_whatever_the_case() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<takes_three>(()).await;
    for (name, number) in [("number", 1), ("nUmBeR", 2), ("NUMBER", 3)] {
        bench.raise(run.id(), name, number).await;
    }
    bench.raise(run.id(), "BEGIN", ()).await;
    assert_eq!(within(run.output()).await.unwrap(), [1, 2, 3]);
}

// Rule 24: kept events survive the host.
#[tokio::test]
async fn kept_events_survive_a_restart() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<takes_three>(()).await;
    let id = run.id().to_owned();
    drop(run);
    bench.raise(&id, "number", 1).await;
    bench.raise(&id, "number", 2).await;
    let bench = bench.restart().await;
    bench.raise(&id, "number", 3).await;
    bench.raise(&id, "begin", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some(json!([1, 2, 3])));
}

#[orchestrator]
async fn non_ascii_name(ctx: OrchestrationContext) -> Result<u8> {
    Ok(ctx.wait_for_external_event("\u{c4}nderung").await?)
}

// Rule 24: "without regard to case" is not only meant for ASCII.
#[tokio::test]
async fn names_of_all_scripts_ignore_case() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<non_ascii_name>(()).await;
    bench.raise(run.id(), "\u{e4}NDERUNG", 7).await;
    assert_eq!(within(run.output()).await.unwrap(), 7);
}

#[orchestrator]
async fn many_wait(ctx: OrchestrationContext) -> Result<(u8, u8, u8)> {
    let (third, first) = (
        ctx.wait_for_external_event::<u8>("n"),
        ctx.wait_for_external_event::<u8>("n").start(),
    );
    let second = ctx.wait_for_external_event::<u8>("n").start();
    let third = third.start();
    ctx.set_custom_status("waiting")?;
    let (third, second, first) = join!(third, second, first);
    Ok((first?, second?, third?))
}

// Rule 24: waiters of one name are served in the order in which they began to wait.
#[tokio::test]
async fn waiters_are_served_in_order() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<many_wait>(()).await;
    bench.reached(run.id(), "waiting").await;
    for number in 1..=3 {
        bench.raise(run.id(), "n", number).await;
    }
    assert_eq!(within(run.output()).await.unwrap(), (1, 2, 3));
}

#[orchestrator]
async fn drops_a_waiter(ctx: OrchestrationContext) -> Result<(u8, u8)> {
    let dropped = ctx.wait_for_external_event::<u8>("n").start();
    let kept = ctx.wait_for_external_event::<u8>("n").start();
    drop(dropped);
    ctx.set_custom_status("dropped")?;
    let kept = kept.await?;
    Ok((kept, ctx.wait_for_external_event::<u8>("n").await?))
}

// Rules 16 and 24: a waiter that was dropped has left the queue.
#[tokio::test]
async fn a_dropped_waiter_is_skipped() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<drops_a_waiter>(()).await;
    bench.reached(run.id(), "dropped").await;
    bench.raise(run.id(), "n", 1).await;
    bench.raise(run.id(), "n", 2).await;
    assert_eq!(within(run.output()).await.unwrap(), (1, 2));
}

#[orchestrator]
async fn loses_a_race(ctx: OrchestrationContext) -> Result<(u8, Option<u8>)> {
    ctx.set_custom_status("racing")?;
    // Both events arrive while it is suspended, so that both tasks end in one episode.
    let winner = select! {
        first = ctx.wait_for_external_event::<u8>("first") => first?,
        second = ctx.wait_for_external_event::<u8>("second") => second?,
    };
    let rest = ctx.wait_for_external_event::<u8>("second");
    Ok((winner, rest.timeout(LONG).await?))
}

// Rule 24: an event that a dropped waiter was given and has not seen is not lost.
#[tokio::test]
async fn what_a_dropped_waiter_was_given_is_not_lost() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<loses_a_race>(()).await;
    bench.reached(run.id(), "racing").await;
    within(bench.client.suspend(run.id(), "hold"))
        .await
        .unwrap();
    bench.raise(run.id(), "second", 2).await;
    bench.raise(run.id(), "first", 1).await;
    within(bench.client.resume(run.id(), "go")).await.unwrap();
    assert_eq!(within(run.output()).await.unwrap(), (1, Some(2)));
}

#[orchestrator]
async fn hands_on_in_order(ctx: OrchestrationContext) -> Result<Vec<u8>> {
    let loser = ctx.wait_for_external_event::<u8>("n").start();
    let next = ctx.wait_for_external_event::<u8>("n").start();
    ctx.set_custom_status("racing")?;
    select! {
        go = ctx.wait_for_external_event::<()>("go") => go?,
        _ = loser => unreachable!("`go` has arrived as well and comes first"),
    }
    let next = next.await?;
    Ok(vec![next, ctx.wait_for_external_event::<u8>("n").await?])
}

// Rule 24: handed on, events stay in their order.
#[tokio::test]
async fn what_is_handed_on_stays_in_order() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<hands_on_in_order>(()).await;
    bench.reached(run.id(), "racing").await;
    within(bench.client.suspend(run.id(), "hold"))
        .await
        .unwrap();
    bench.raise(run.id(), "n", 1).await;
    bench.raise(run.id(), "n", 2).await;
    bench.raise(run.id(), "go", ()).await;
    within(bench.client.resume(run.id(), "go")).await.unwrap();
    assert_eq!(within(run.output()).await.unwrap(), [1, 2]);
}

#[orchestrator]
async fn hands_on_to_one_who_waits(ctx: OrchestrationContext) -> Result<(u8, bool)> {
    let loser = ctx.wait_for_external_event::<u8>("n").start();
    let waits = ctx.wait_for_external_event::<u8>("n").start();
    ctx.set_custom_status("racing")?;
    let race = async {
        select! {
            go = ctx.wait_for_external_event::<()>("go") => go.is_ok(),
            _ = loser => false,
        }
    };
    let (number, went) = join!(waits, race);
    Ok((number?, went))
}

// Rule 24: the next that waits gets what a dropped waiter had, though it was polled before.
#[tokio::test]
async fn what_a_dropped_waiter_was_given_goes_to_the_next() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<hands_on_to_one_who_waits>(()).await;
    bench.reached(run.id(), "racing").await;
    within(bench.client.suspend(run.id(), "hold"))
        .await
        .unwrap();
    bench.raise(run.id(), "n", 5).await;
    bench.raise(run.id(), "go", ()).await;
    within(bench.client.resume(run.id(), "go")).await.unwrap();
    assert_eq!(within(run.output()).await.unwrap(), (5, true));
}

#[orchestrator]
async fn wants_a_number(ctx: OrchestrationContext) -> Result<(String, String, u8)> {
    let failed = ctx.wait_for_external_event::<u8>("n").await.unwrap_err();
    assert_eq!(failed.name(), "n");
    let error_type = failed.error_type().to_owned();
    let message = failed.message().to_owned();
    Ok((error_type, message, ctx.wait_for_external_event("n").await?))
}

// Rule 26: a payload that does not fit fails the wait, and the event is consumed.
#[tokio::test]
async fn a_payload_that_does_not_fit_fails_the_wait() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<wants_a_number>(()).await;
    bench.raise(run.id(), "n", "text").await;
    bench.raise(run.id(), "n", 9).await;
    let (error_type, message, number) = within(run.output()).await.unwrap();
    assert_eq!(error_type, Failure::SERIALIZATION);
    assert!(
        message.contains("\"n\"") && message.contains("u8"),
        "{message}"
    );
    assert_eq!(number, 9);
}

#[orchestrator]
async fn waits_for_a_while(ctx: OrchestrationContext) -> Result<(Option<u8>, Option<u8>)> {
    let none = ctx.wait_for_external_event::<u8>("none");
    let none = none.timeout(30 * DAY).await?;
    let some = ctx.wait_for_external_event::<u8>("some");
    Ok((none, some.timeout(30 * DAY).await?))
}

// `.timeout` on the wait for an event: `Ok(None)` when the time is over, and not before.
#[test]
fn a_wait_gives_none_at_its_time_limit() {
    calm_and_crashing(async |host, _| {
        let run = host.start::<waits_for_a_while>(()).await.unwrap();
        run.raise_event("some", 3).await.unwrap();
        assert_eq!(run.output().await.unwrap(), (None, Some(3)));
        assert_eq!(host.elapsed(), 30 * DAY);
        let run = host.start::<waits_for_a_while>(()).await.unwrap();
        host.raise_event_after(29 * DAY, run.id(), "none", 1);
        host.raise_event_after(58 * DAY, run.id(), "some", 2);
        assert_eq!(run.output().await.unwrap(), (Some(1), Some(2)));
        assert_eq!(host.elapsed(), (30 + 58) * DAY);
        let run = host.start::<waits_for_a_while>(()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), (None, None));
        assert_eq!(host.elapsed(), (30 + 58 + 60) * DAY);
    });
}

#[orchestrator]
async fn too_late_is_kept(ctx: OrchestrationContext) -> Result<(Option<u8>, u8)> {
    let first = ctx.wait_for_external_event::<u8>("n");
    let first = first.timeout(DAY).await?;
    ctx.sleep(7 * DAY).await;
    Ok((first, ctx.wait_for_external_event("N").await?))
}

// `.timeout` on the wait for an event: it has left the queue.
#[test]
fn an_event_after_the_time_limit_is_for_the_next() {
    calm_and_crashing(async |host, _| {
        let run = host.start::<too_late_is_kept>(()).await.unwrap();
        host.raise_event_after(2 * DAY, run.id(), "n", 4);
        assert_eq!(run.output().await.unwrap(), (None, 4));
        assert_eq!(host.elapsed(), 8 * DAY);
    });
}

#[orchestrator]
async fn sends_to(ctx: OrchestrationContext, receivers: Vec<String>) -> Result<u32> {
    for receiver in receivers {
        ctx.send_event(receiver, "n", 1);
        ctx.send_event(&*format!("{}-none", ctx.instance_id()), "n", 1);
    }
    Ok(ctx.call_activity::<counted>("sender goes on").await?)
}

#[orchestrator]
async fn receives_twice(ctx: OrchestrationContext) -> Result<u8> {
    let first: u8 = ctx.wait_for_external_event("N").await?;
    let second: u8 = ctx.wait_for_external_event("n").await?;
    Ok(first + second)
}

#[orchestrator]
async fn has_ended(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

// Rule 25: `send_event` delivers, once; to one that is unknown or has ended it does no harm.
#[tokio::test]
async fn events_are_sent_between_orchestrations() {
    let bench = Bench::start().await;
    let receiver = bench.begin_run::<receives_twice>(()).await;
    let ended = bench.begin_run::<has_ended>(()).await;
    within(ended.output()).await.unwrap();
    let id = receiver.id().to_owned();
    let receivers = vec![id.clone(), ended.id().to_owned(), id.clone()];
    assert_eq!(bench.output::<sends_to>(receivers).await, 1);
    assert_eq!(within(receiver.output()).await.unwrap(), 2);
    let raised = |kind: &EventKind| matches!(kind, EventKind::EventRaised { .. });
    assert_eq!(count(&bench.history(&id).await, raised), 2);
}

#[orchestrator]
async fn sends_to_itself(ctx: OrchestrationContext) -> Result<u8> {
    ctx.send_event(ctx.instance_id(), "mine", 6);
    Ok(ctx.wait_for_external_event("mine").await?)
}

// `send_event`: the sender may be the receiver.
#[tokio::test]
async fn an_orchestration_can_send_to_itself() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<sends_to_itself>(()).await, 6);
}

#[orchestrator]
async fn sends_to_nonsense(ctx: OrchestrationContext) -> Result<()> {
    ctx.send_event("a/b", "n", ());
    Ok(())
}

// `send_event`: an id that cannot exist fails the orchestration, naming the rule.
#[tokio::test]
async fn sending_to_an_invalid_id_fails() {
    let bench = Bench::start().await;
    let failure = bench.failure::<sends_to_nonsense>(()).await;
    assert!(
        failure.message().contains("must not contain any of"),
        "{failure}"
    );
}

#[orchestrator]
async fn awaits_an_event_twice(ctx: OrchestrationContext) -> Result<String> {
    let mut event = ctx.wait_for_external_event::<u32>("go");
    (&mut event).await?;
    let limit = ctx.sleep(LONG);
    select! {
        again = event => Ok(again.unwrap_err().message().to_owned()),
        () = limit => Ok("never".to_owned()),
    }
}

// A task that has ended is an error to await, and does not keep the code waiting for ever.
#[tokio::test]
async fn an_event_is_awaited_once() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<awaits_an_event_twice>(()).await;
    run.raise_event("go", 1).await.unwrap();
    let message = within(run.output()).await.unwrap();
    assert!(message.contains("after it had ended"), "{message}");
}
