//! Sub-orchestrations.

use std::collections::BTreeSet;

use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::{Failure, TaskFailed};
use serde::{Deserialize, Serialize};

use crate::support::{Bench, LONG, count, counted, within};
use crate::virtual_time::{DAY, calm_and_crashing};

#[orchestrator]
async fn tells_its_id(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.instance_id().to_owned())
}

#[orchestrator]
async fn asks_children_for_ids(
    ctx: OrchestrationContext,
    (generation, mut ids): (u32, Vec<String>),
) -> Result<Vec<String>> {
    let calls = (0..3).map(|_| ctx.call_sub_orchestrator::<tells_its_id>(()));
    ids.extend(when_all(calls).await?);
    ctx.set_custom_status(generation)?;
    ctx.wait_for_external_event::<()>("next").await?;
    if generation == 0 {
        return ctx.continue_as_new((1, ids));
    }
    ids.push(ctx.call_sub_orchestrator::<tells_its_id>(()).await?);
    Ok(ids)
}

// Rule 20: default ids are unique across calls and generations, and the same on replay.
#[tokio::test]
async fn default_ids_are_unique_and_stable() {
    let bench = Bench::start().await;
    let run = bench
        .begin_run::<asks_children_for_ids>((0u32, Vec::new()))
        .await;
    let id = run.id().to_owned();
    drop(run);
    bench.reached(&id, 0).await;
    // Replayed, or the calls would not be the ones that the history has.
    let bench = bench.restart().await;
    bench.raise(&id, "next", ()).await;
    bench.reached(&id, 1).await;
    let bench = bench.crash().await;
    bench.raise(&id, "next", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    let ids: Vec<String> = ended.unwrap().output_as().unwrap();
    let unique: BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), unique.len()), (7, 7));
    for child in ids {
        assert_eq!(bench.status(&child).await.parent.as_ref(), Some(&id));
    }
}

#[orchestrator]
async fn calls_under_its_own_id(ctx: OrchestrationContext) -> Result<(String, String, bool)> {
    let id = ctx.instance_id().to_owned();
    let call = ctx.call_sub_orchestrator::<tells_its_id>(());
    let failed = call.instance_id(id).await.unwrap_err();
    let call = ctx.call_sub_orchestrator::<tells_its_id>(());
    let invalid = call.instance_id("a/b").await.unwrap_err();
    assert_eq!(invalid.error_type(), Failure::INSTANCE_ID);
    Ok((
        failed.error_type().to_owned(),
        failed.message().to_owned(),
        failed.is_non_retriable() && invalid.is_non_retriable(),
    ))
}

// Rule 20: an id equal to the parent's, or one that is not valid, is an error of the task.
#[tokio::test]
async fn an_id_that_cannot_be_given_is_an_error_of_the_task() {
    let bench = Bench::start().await;
    let (error_type, message, final_) = bench.output::<calls_under_its_own_id>(()).await;
    assert_eq!(error_type, Failure::INSTANCE_ID);
    assert!(message.contains("parent"), "{message}");
    assert!(final_);
}

#[orchestrator]
async fn waits_for_release(ctx: OrchestrationContext) -> Result<u8> {
    Ok(ctx.wait_for_external_event("release").await?)
}

#[orchestrator]
async fn calls_under_taken_id(ctx: OrchestrationContext) -> Result<(String, String)> {
    let call = ctx.call_sub_orchestrator::<waits_for_release>(());
    let failed = call.instance_id("taken").await.unwrap_err();
    Ok((failed.error_type().to_owned(), failed.message().to_owned()))
}

// Rule 20: the id of a live instance is an error of the task, and leaves that instance alone.
#[tokio::test]
async fn the_id_of_a_live_instance_is_an_error_of_the_task() {
    let bench = Bench::start().await;
    let start = bench.client.start_new::<waits_for_release>(());
    let taken = within(start.instance_id("taken")).await.unwrap();
    let (error_type, message) = bench.output::<calls_under_taken_id>(()).await;
    assert_eq!(error_type, Failure::INSTANCE_ID);
    assert!(message.contains("\"taken\" already exists"), "{message}");
    bench.raise("taken", "release", 9).await;
    assert_eq!(within(taken.output()).await.unwrap(), 9);
}

#[orchestrator]
async fn calls_under_used_id(ctx: OrchestrationContext) -> Result<String> {
    let call = ctx.call_sub_orchestrator::<tells_its_id>(());
    call.instance_id("used").await?;
    let call = ctx.call_sub_orchestrator::<tells_its_id>(());
    Ok(call.instance_id("used").await?)
}

// Rule 20: only a live instance holds its id.
#[tokio::test]
async fn the_id_of_an_ended_instance_can_be_used() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<calls_under_used_id>(()).await, "used");
}

#[derive(Debug, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("card {card} declined")]
struct Declined {
    card: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("no payment")]
struct NoPayment(#[source] TaskFailed);

#[activity]
async fn declines(card: u32) -> Result<(), Declined> {
    Err(Declined { card })
}

#[orchestrator]
async fn pays(ctx: OrchestrationContext) -> Result<(), NoPayment> {
    ctx.call_activity::<declines>(7u32).await.map_err(NoPayment)
}

#[orchestrator]
async fn orders(ctx: OrchestrationContext) -> Result<Vec<(String, String)>> {
    let failed = ctx.call_sub_orchestrator::<pays>(()).await.unwrap_err();
    assert_eq!(failed.name(), "pays");
    assert_eq!(failed.message(), "no payment");
    assert!(failed.is::<NoPayment>() && !failed.is::<Declined>());
    let innermost = failed.inner().unwrap();
    assert!(innermost.is::<Declined>());
    assert_eq!(innermost.details::<Declined>(), Some(Declined { card: 7 }));
    let links = std::iter::successors(Some(failed.failure()), |failure| failure.inner());
    let text = |link: &Failure| (link.error_type().to_owned(), link.message().to_owned());
    Ok(links.map(text).collect())
}

// Rules 20 and 31: a failure reaches the parent with type, message, chain and details.
#[tokio::test]
async fn a_failure_reaches_the_parent_whole() {
    let bench = Bench::start().await;
    let chain = bench.output::<orders>(()).await;
    assert_eq!(chain[0].0, std::any::type_name::<NoPayment>());
    assert_eq!(chain.last().unwrap().0, std::any::type_name::<Declined>());
    assert_eq!(chain.last().unwrap().1, "card 7 declined");
    assert_eq!(chain.len(), 3);
}

#[orchestrator]
async fn hands_on(ctx: OrchestrationContext, depth: u32) -> Result<()> {
    if depth > 0 {
        ctx.call_sub_orchestrator::<hands_on>(depth - 1).await?;
    } else {
        ctx.call_activity::<declines>(8u32).await?;
    }
    Ok(())
}

// Rule 31: handed on with `?` over many borders, and to the client, the error is still known.
#[tokio::test]
async fn a_failure_is_known_after_many_borders() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<hands_on>(4u32).await;
    let failure = crate::support::failure_of(within(run.output()).await);
    assert!(failure.is::<Declined>());
    assert_eq!(failure.details::<Declined>(), Some(Declined { card: 8 }));
    let status = bench.status(run.id()).await;
    assert_eq!(status.failure, Some(failure));
}

#[orchestrator]
async fn sees_a_termination(ctx: OrchestrationContext) -> Result<(String, bool)> {
    let call = ctx.call_sub_orchestrator::<waits_for_release>(());
    let failed = call.instance_id("to-be-ended").await.unwrap_err();
    let has_reason = failed.message().contains("no longer needed");
    Ok((failed.error_type().to_owned(), has_reason))
}

// Rule 20: the termination of a child is a failure of the task.
#[tokio::test]
async fn the_termination_of_a_child_reaches_the_parent() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<sees_a_termination>(()).await;
    bench.until("to-be-ended", |_| true).await;
    within(bench.client.terminate("to-be-ended", "no longer needed"))
        .await
        .unwrap();
    let output = within(run.output()).await.unwrap();
    assert_eq!(output, (Failure::TERMINATED.to_owned(), true));
}

#[orchestrator]
async fn drops_a_child(ctx: OrchestrationContext) -> Result<u32> {
    let child = ctx.call_sub_orchestrator::<waits_for_release>(());
    let child = child.instance_id("dropped-child");
    select! {
        _ = child => unreachable!("it is not released"),
        () = ctx.sleep(DAY) => {}
    }
    ctx.wait_for_external_event::<()>("go").await?;
    Ok(ctx.call_activity::<counted>("after the child").await?)
}

// Rules 14 and 16: the answer of a child that was dropped is ignored, live and on replay.
#[test]
fn the_answer_of_a_dropped_child_is_ignored() {
    calm_and_crashing(async |host, _| {
        let run = host.start::<drops_a_child>(()).await.unwrap();
        host.raise_event_after(2 * DAY, "dropped-child", "release", 1);
        host.raise_event_after(3 * DAY, run.id(), "go", ());
        assert_eq!(run.output().await.unwrap(), 1);
        assert_eq!(host.elapsed(), 3 * DAY);
        let history = host.history(run.id()).unwrap();
        let answer = |kind: &EventKind| matches!(kind, EventKind::SubOrchestrationCompleted { .. });
        assert_eq!(count(history.events(), answer), 1, "{history}");
    });
}
