//! `continue_as_new`.

use durable_runtime::Failure;
use durable_runtime::model::{EventKind, ExecutionId, HistoryEvent};
use durable_runtime::prelude::*;
use serde_json::json;

use crate::support::{Bench, LONG, Probe, count, counted, gated, within};

fn execution(history: &[HistoryEvent]) -> ExecutionId {
    match &history[0].kind {
        EventKind::ExecutionStarted(started) => started.execution,
        other => panic!("begins with {}", other.name()),
    }
}

#[orchestrator]
async fn counts_down(ctx: OrchestrationContext, left: u32) -> Result<u32> {
    let number = ctx.call_activity::<counted>("generation").await?;
    ctx.set_custom_status(left)?;
    ctx.wait_for_external_event::<()>("next").await?;
    if left > 0 {
        return ctx.continue_as_new(left - 1);
    }
    Ok(number)
}

// Rule 19: same instance id, new execution id, empty history, numbering from zero.
#[tokio::test]
async fn a_generation_begins_afresh() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<counts_down>(3u32).await;
    let mut executions = Vec::new();
    for left in (0..=3).rev() {
        bench.reached(run.id(), left).await;
        let history = bench.history(run.id()).await;
        executions.push(execution(&history));
        let calls = |kind: &EventKind| matches!(kind, EventKind::TaskScheduled { .. });
        assert_eq!(count(&history, calls), 1);
        let first =
            |kind: &EventKind| matches!(kind, EventKind::TaskScheduled { id, .. } if id.0 == 0);
        assert_eq!(count(&history, first), 1);
        let status = bench.status(run.id()).await;
        assert_eq!(status.input, Some(left.into()));
        bench.raise(run.id(), "next", ()).await;
    }
    assert_eq!(within(run.output()).await.unwrap(), 4);
    executions.sort_by_key(|execution| execution.0);
    executions.dedup();
    assert_eq!(executions.len(), 4);
}

#[orchestrator]
async fn carries_over(ctx: OrchestrationContext, generation: u32) -> Result<Vec<u32>> {
    if generation == 0 {
        ctx.wait_for_external_event::<()>("begin").await?;
        let taken: u32 = ctx.wait_for_external_event("A").await?;
        assert_eq!(taken, 1);
        return ctx.continue_as_new(1u32);
    }
    if generation == 1 {
        return ctx.continue_as_new(2u32);
    }
    let mut taken = Vec::new();
    for name in ["a", "b", "a", "b"] {
        taken.push(ctx.wait_for_external_event(name).await?);
    }
    Ok(taken)
}

// Rule 19: events not consumed carry over, in order, over several generations.
#[tokio::test]
async fn events_carry_over_in_order() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<carries_over>(0u32).await;
    for (name, number) in [("a", 1), ("b", 2), ("a", 3), ("B", 4), ("A", 5)] {
        bench.raise(run.id(), name, number).await;
    }
    bench.raise(run.id(), "begin", ()).await;
    assert_eq!(within(run.output()).await.unwrap(), [3, 2, 5, 4]);
}

#[orchestrator]
async fn carries_over_given(ctx: OrchestrationContext, again: bool) -> Result<u32> {
    let waits = ctx.wait_for_external_event::<u32>("n").start();
    if again {
        ctx.set_custom_status("waiting")?;
        ctx.wait_for_external_event::<()>("begin").await?;
        let _still_there = waits;
        return ctx.continue_as_new(false);
    }
    Ok(waits.await?)
}

// Rule 19: an event that a task was given and nobody has seen is not consumed.
#[tokio::test]
async fn an_event_that_was_not_seen_carries_over() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<carries_over_given>(true).await;
    bench.reached(run.id(), "waiting").await;
    bench.raise(run.id(), "n", 8).await;
    bench.raise(run.id(), "begin", ()).await;
    assert_eq!(within(run.output()).await.unwrap(), 8);
}

#[orchestrator]
async fn discards(ctx: OrchestrationContext, again: bool) -> Result<u32> {
    if again {
        ctx.wait_for_external_event::<()>("begin").await?;
        return ctx.continue_as_new(false).discard_unprocessed_events();
    }
    ctx.set_custom_status("afresh")?;
    Ok(ctx.wait_for_external_event("n").await?)
}

// Rule 19: `.discard_unprocessed_events()` opts out, for events that had arrived.
#[tokio::test]
async fn events_are_discarded_when_asked_for() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<discards>(true).await;
    bench.raise(run.id(), "n", 1).await;
    bench.raise(run.id(), "begin", ()).await;
    bench.reached(run.id(), "afresh").await;
    bench.raise(run.id(), "n", 2).await;
    assert_eq!(within(run.output()).await.unwrap(), 2);
}

#[orchestrator]
async fn last_call_wins(ctx: OrchestrationContext, input: u32) -> Result<u32> {
    if input == 0 {
        let _ignored: Result<u32> = ctx.continue_as_new(1u32);
        return ctx.continue_as_new(2u32);
    }
    Ok(input)
}

// Rule 19: the last call wins.
#[tokio::test]
async fn the_last_call_wins() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<last_call_wins>(0u32).await, 2);
}

#[orchestrator]
async fn leaves_a_call_open(ctx: OrchestrationContext, again: bool) -> Result<String> {
    // The same number in both generations, so that an answer could be mistaken.
    let key = if again { "old" } else { "new" };
    let call = ctx.call_activity::<gated>(key).start();
    ctx.set_custom_status(key)?;
    if again {
        ctx.wait_for_external_event::<()>("next").await?;
        return ctx.continue_as_new(false);
    }
    Ok(call.await?)
}

// Rule 19: a late completion of the old generation is not taken for one of the new.
#[tokio::test]
async fn late_completions_are_not_taken() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<leaves_a_call_open>(true).await;
    bench.probe.called("old", 1).await;
    bench.raise(run.id(), "next", ()).await;
    bench.reached(run.id(), "new").await;
    bench.probe.called("new", 1).await;
    bench.probe.open("old");
    bench.raise(run.id(), "anything", ()).await;
    bench.probe.open("new");
    assert_eq!(within(run.output()).await.unwrap(), "new");
}

#[orchestrator]
async fn child_of_a_generation(ctx: OrchestrationContext, name: String) -> Result<String> {
    Ok(ctx.call_activity::<gated>(name).await?)
}

#[orchestrator]
async fn leaves_a_child_open(ctx: OrchestrationContext, again: bool) -> Result<String> {
    let key = if again { "old child" } else { "new child" };
    let call = ctx
        .call_sub_orchestrator::<child_of_a_generation>(key)
        .start();
    ctx.set_custom_status(key)?;
    if again {
        ctx.wait_for_external_event::<()>("next").await?;
        return ctx.continue_as_new(false);
    }
    Ok(call.await?)
}

// Rules 19 and 20: default ids differ between generations, and so do their answers.
#[tokio::test]
async fn late_children_are_not_taken() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<leaves_a_child_open>(true).await;
    bench.probe.called("old child", 1).await;
    bench.raise(run.id(), "next", ()).await;
    bench.probe.called("new child", 1).await;
    bench.probe.open("old child");
    let id = run.id().to_owned();
    drop(run);
    let bench = bench.restart().await;
    bench.probe.open("new child");
    let ended = within(bench.client.wait_for_completion(&id, LONG)).await;
    assert_eq!(ended.unwrap().output, Some("new child".into()));
}

#[orchestrator]
async fn sums_up(ctx: OrchestrationContext, (sum, taken): (u64, u32)) -> Result<u64> {
    let number: u64 = ctx.wait_for_external_event("n").await?;
    if taken == 199 {
        return Ok(sum * 10_000 + number);
    }
    assert_eq!(number, u64::from(taken));
    ctx.continue_as_new((sum + number, taken + 1))
}

// Rule 19: events that arrive while it continues carry over in any case, in order.
#[tokio::test]
async fn no_event_is_lost_between_generations() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<sums_up>((0u64, 0u32)).await;
    for number in 0..200 {
        bench.raise(run.id(), "n", number).await;
    }
    let sum: u64 = (0..199).sum();
    assert_eq!(within(run.output()).await.unwrap(), sum * 10_000 + 199);
}

#[orchestrator]
async fn changes_its_mind(ctx: OrchestrationContext, input: u32) -> Result<u32> {
    let ignored: Result<u32> = ctx.continue_as_new(input + 1);
    drop(ignored);
    Err(Error::msg("something else"))
}

// Rules 18 and 19: an error of its own fails it, whatever it has asked for before.
#[tokio::test]
async fn an_error_of_its_own_does_not_continue() {
    let bench = Bench::start().await;
    let failure = bench.failure::<changes_its_mind>(0u32).await;
    assert_eq!(failure.message(), "something else");
}

#[derive(Debug, thiserror::Error)]
enum Wrapping {
    #[error("something of ours")]
    Task(#[from] durable_runtime::TaskFailed),
}

#[orchestrator]
async fn continues_with_its_own_error(
    ctx: OrchestrationContext,
    input: u32,
) -> Result<u32, Wrapping> {
    if input < 3 {
        return ctx.continue_as_new(input + 1);
    }
    Ok(input)
}

// Rule 19: it works with any error type that takes a failed task.
#[tokio::test]
async fn it_works_with_an_error_of_the_users() {
    let bench = Bench::start().await;
    let output = bench.output::<continues_with_its_own_error>(0u32).await;
    assert_eq!(output, 3);
}

#[orchestrator]
async fn continues_with_too_much(ctx: OrchestrationContext, size: usize) -> Result<usize> {
    if size > 0 {
        return ctx.continue_as_new(vec![0; size]);
    }
    Ok(size)
}

// Rule 19: an input over the limit fails the orchestration.
#[tokio::test]
async fn an_input_over_the_limit_does_not_continue() {
    let bench = Bench::start().await;
    let failure = bench
        .failure::<continues_with_too_much>(3_000_000usize)
        .await;
    let links = std::iter::successors(Some(&failure), |failure| failure.inner());
    let messages: Vec<_> = links.map(|failure| failure.message().to_owned()).collect();
    assert!(
        messages.join("; ").contains("over the limit"),
        "{messages:?}"
    );
    assert_ne!(failure.error_type(), Failure::PANIC);
}

#[orchestrator]
async fn parent_of_generations(ctx: OrchestrationContext) -> Result<u32> {
    Ok(ctx.call_sub_orchestrator::<last_call_wins>(0u32).await?)
}

// Rules 19 and 20: a child answers its parent from whatever generation it ends in.
#[tokio::test]
async fn a_child_may_continue_as_new() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<parent_of_generations>(()).await, 2);
}

#[activity]
async fn never_counts_twice(State(probe): State<Probe>) -> Result<u32> {
    Ok(probe.call("eternal"))
}

#[orchestrator]
async fn runs_on(ctx: OrchestrationContext, rounds: u32) -> Result<u32> {
    let number = ctx.call_activity::<never_counts_twice>(()).await?;
    if rounds > 1 {
        return ctx.continue_as_new(rounds - 1);
    }
    Ok(number)
}

// Rule 19: each generation does its work once, and the history of the last is short.
#[tokio::test]
async fn many_generations_leave_a_short_history() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<runs_on>(100u32).await;
    assert_eq!(within(run.output()).await.unwrap(), 100);
    assert!(bench.history(run.id()).await.len() < 10);
    let status = bench.status(run.id()).await;
    assert_eq!(status.input, Some(json!(1)));
}
