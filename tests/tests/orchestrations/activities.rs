//! How activities are written: inputs, states, contexts, names.

use std::sync::Arc;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::support::{Bench, Probe, within};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Transfer {
    from: String,
    to: String,
    amount: u64,
}

#[activity]
async fn transfer(from: String, to: String, amount: u64) -> Result<Transfer> {
    Ok(Transfer { from, to, amount })
}

#[orchestrator]
async fn transfers(ctx: OrchestrationContext) -> Result<Transfer> {
    let (from, to) = ("a".to_owned(), "b".to_owned());
    Ok(ctx.call_activity::<transfer>((from, to, 5)).await?)
}

// Orchestrators and activities: several inputs are passed as one tuple.
#[tokio::test]
async fn several_inputs_are_passed_as_a_tuple() {
    let bench = Bench::start().await;
    let expected = Transfer {
        from: "a".into(),
        to: "b".into(),
        amount: 5,
    };
    assert_eq!(bench.output::<transfers>(()).await, expected);
}

#[activity]
async fn uses_states(
    State(probe): State<Probe>,
    again: State<Probe>,
    key: String,
) -> Result<(u32, u32)> {
    Ok((probe.call(&key), again.call(&key)))
}

#[orchestrator]
async fn calls_with_states(ctx: OrchestrationContext) -> Result<(u32, u32)> {
    Ok(ctx.call_activity::<uses_states>("state").await?)
}

// Orchestrators and activities: a state is what the host was given, the same for all.
#[tokio::test]
async fn states_are_injected() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<calls_with_states>(()).await, (1, 2));
    assert_eq!(bench.probe.calls("state"), 2);
}

#[activity]
async fn tells_its_context(ctx: ActivityContext) -> Result<(String, String, u64, u32, bool)> {
    Ok((
        ctx.name().to_owned(),
        ctx.instance_id().to_owned(),
        ctx.task_id(),
        ctx.attempt(),
        ctx.is_cancelled(),
    ))
}

#[orchestrator]
async fn asks_for_context(ctx: OrchestrationContext) -> Result<(u64, u64)> {
    let (name, instance, first, attempt, cancelled) =
        ctx.call_activity::<tells_its_context>(()).await?;
    assert_eq!(name, "tells_its_context");
    assert_eq!(instance, ctx.instance_id());
    assert_eq!((attempt, cancelled), (1, false));
    let (.., second, _, _) = ctx.call_activity::<tells_its_context>(()).await?;
    Ok((first, second))
}

// Orchestrators and activities: the context names the call.
#[tokio::test]
async fn the_context_names_the_call() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<asks_for_context>(()).await, (0, 1));
}

#[activity]
async fn waits_to_be_cancelled(ctx: ActivityContext, State(probe): State<Probe>) -> Result<()> {
    probe.call("waiting");
    ctx.cancelled().await;
    probe.call("cancelled");
    Ok(())
}

#[orchestrator]
async fn calls_one_that_waits(ctx: OrchestrationContext) -> Result<()> {
    Ok(ctx.call_activity::<waits_to_be_cancelled>(()).await?)
}

// Rule 6: running activities of a terminated orchestration are told.
#[tokio::test]
async fn an_activity_is_told_that_it_is_not_wanted() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<calls_one_that_waits>(()).await;
    bench.probe.called("waiting", 1).await;
    assert_eq!(bench.probe.calls("cancelled"), 0);
    within(run.terminate("enough")).await.unwrap();
    bench.probe.called("cancelled", 1).await;
}

#[activity]
fn blocks(State(probe): State<Probe>, text: String) -> Result<(usize, bool)> {
    probe.call("blocks");
    // Only a thread that is no worker of the async runtime may do this.
    let blocking = std::panic::catch_unwind(|| {
        tokio::runtime::Handle::current().block_on(std::future::ready(()));
    });
    Ok((text.len(), blocking.is_ok()))
}

#[orchestrator]
async fn calls_plain(ctx: OrchestrationContext) -> Result<(usize, bool)> {
    Ok(ctx.call_activity::<blocks>("four").await?)
}

// Orchestrators and activities: a plain function runs on the blocking pool.
#[tokio::test]
async fn a_plain_function_runs_where_blocking_is_allowed() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<calls_plain>(()).await, (4, true));
}

#[activity(name = "Custom Name")]
async fn renamed(number: u8) -> Result<u8> {
    Ok(number + 1)
}

#[orchestrator(name = "Custom Orchestration")]
async fn renamed_too(ctx: OrchestrationContext) -> Result<(u8, u8, String)> {
    let typed = ctx.call_activity::<renamed>(1).await?;
    let untyped = ctx.call_activity_by_name::<u8>("Custom Name", 2).await?;
    Ok((typed, untyped, ctx.name().to_owned()))
}

#[orchestrator]
async fn calls_renamed(ctx: OrchestrationContext) -> Result<(u8, u8, String)> {
    let by_name = ctx.call_sub_orchestrator_by_name::<(u8, u8, String)>("Custom Orchestration", ());
    Ok(by_name.await?)
}

// Orchestrators and activities: the name of the attribute is the one that counts.
#[tokio::test]
async fn functions_are_known_by_the_name_they_were_given() {
    let bench = Bench::start().await;
    let expected = (2, 3, "Custom Orchestration".to_owned());
    assert_eq!(bench.output::<renamed_too>(()).await, expected);
    assert_eq!(bench.output::<calls_renamed>(()).await, expected);
    let run = bench.client.start_new_by_name("Custom Orchestration", ());
    let run = within(run).await.unwrap();
    let output = within(run.output()).await.unwrap();
    assert_eq!(output, json!([2, 3, "Custom Orchestration"]));
    let unknown = within(bench.client.start_new_by_name("renamed_too", ())).await;
    assert!(unknown.is_err());
}

#[orchestrator]
async fn takes_a_struct(_ctx: OrchestrationContext, input: Transfer) -> Result<u64> {
    Ok(input.amount)
}

#[orchestrator]
async fn twins(ctx: OrchestrationContext) -> Result<bool> {
    let (from, to) = ("a".to_owned(), "b".to_owned());
    let input = (from, to, 7);
    let typed = ctx.call_activity::<transfer>(input.clone()).await?;
    let untyped: Transfer = ctx.call_activity_by_name("transfer", input).await?;
    let child = ctx
        .call_sub_orchestrator::<takes_a_struct>(typed.clone())
        .await?;
    let input = json!({"from": "a", "to": "b", "amount": 7});
    let twin: u64 = ctx
        .call_sub_orchestrator_by_name("takes_a_struct", input)
        .await?;
    Ok(typed == untyped && child == twin && twin == 7)
}

// OrchestrationContext: the untyped twins do what the typed calls do.
#[tokio::test]
async fn the_untyped_twins_do_the_same() {
    let bench = Bench::start().await;
    assert!(bench.output::<twins>(()).await);
}

#[orchestrator]
async fn not_send(ctx: OrchestrationContext) -> Result<i64> {
    let shared = std::rc::Rc::new(std::cell::Cell::new(1));
    let doubled = ctx.call_activity::<crate::support::double>(21).await?;
    shared.set(doubled);
    Ok(shared.get())
}

// Orchestrators and activities: the future of an orchestrator need not be `Send`.
#[tokio::test]
async fn an_orchestrator_may_hold_what_is_not_send() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<not_send>(()).await, 42);
}

// Orchestrators and activities: the functions are ordinary functions.
#[tokio::test]
async fn an_activity_can_be_called_as_a_function() {
    assert_eq!(blocks_text().await, 5);
    let moved = transfer("x".into(), "y".into(), 1).await.unwrap();
    assert_eq!(moved.amount, 1);
}

async fn blocks_text() -> u64 {
    let shared = Arc::new(5);
    crate::support::double(0).await.unwrap();
    *shared
}

#[orchestrator]
async fn tells_its_identity(
    ctx: OrchestrationContext,
) -> Result<(String, String, Option<String>, Option<String>)> {
    let own = |text: &str| text.to_owned();
    Ok((
        own(ctx.instance_id()),
        own(ctx.name()),
        ctx.version().map(own),
        ctx.parent_instance_id().map(own),
    ))
}

#[orchestrator(version = "1.5")]
async fn has_a_child(
    ctx: OrchestrationContext,
) -> Result<(String, String, Option<String>, Option<String>)> {
    assert_eq!(ctx.version(), Some("1.5"));
    assert_eq!(ctx.parent_instance_id(), None);
    let child = ctx.call_sub_orchestrator::<tells_its_identity>(());
    Ok(child.instance_id("the-child").await?)
}

// OrchestrationContext: an orchestration knows what it is, and who called it.
#[tokio::test]
async fn an_orchestration_knows_what_it_is() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<has_a_child>(()).await;
    let (id, name, version, parent) = within(run.output()).await.unwrap();
    assert_eq!(id, "the-child");
    assert_eq!(name, "tells_its_identity");
    assert_eq!(version, None);
    assert_eq!(parent.as_deref(), Some(run.id()));
}
