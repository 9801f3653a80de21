//! The orchestrators and activities that the tests run.

use std::time::Duration;

use durable_runtime::prelude::*;

use crate::support::{Bench, DAY, HOUR};

/// Does what the bench says for `key`, and returns it.
#[activity]
pub(crate) async fn work(State(bench): State<Bench>, key: String) -> Result<String> {
    bench.begin(&key);
    bench.until_let_go(&key).await;
    if bench.is_broken(&key) {
        return Err(Error::msg(format!("{key} is broken")));
    }
    Ok(key)
}

/// Ends when it is let go or told that its result is not wanted.
#[activity]
pub(crate) async fn work_patiently(
    ctx: ActivityContext,
    State(bench): State<Bench>,
    key: String,
) -> Result<String> {
    bench.begin(&key);
    tokio::select! {
        () = ctx.cancelled() => bench.note_cancelled(&key),
        () = bench.until_let_go(&key) => {}
    }
    Ok(key)
}

/// Does not end before it is let go, and says then whether its result is wanted.
#[activity]
pub(crate) async fn work_stubbornly(
    ctx: ActivityContext,
    State(bench): State<Bench>,
    key: String,
) -> Result<String> {
    bench.begin(&key);
    bench.until_let_go(&key).await;
    if ctx.is_cancelled() {
        bench.note_cancelled(&key);
    }
    Ok(key)
}

#[orchestrator]
pub(crate) async fn greet(_ctx: OrchestrationContext, name: String) -> Result<String> {
    Ok(format!("Hello {name}!"))
}

#[orchestrator(version = "1.0")]
pub(crate) async fn versioned(ctx: OrchestrationContext) -> Result<String> {
    Ok(format!("one, {}", ctx.version().unwrap_or("none")))
}

#[orchestrator(name = "versioned", version = "2.0")]
pub(crate) async fn versioned_again(ctx: OrchestrationContext) -> Result<String> {
    Ok(format!("two, {}", ctx.version().unwrap_or("none")))
}

#[orchestrator]
pub(crate) async fn fails(_ctx: OrchestrationContext, message: String) -> Result<String> {
    Err(Error::msg(message))
}

/// Calls one activity after the other.
#[orchestrator]
pub(crate) async fn chain(ctx: OrchestrationContext, keys: Vec<String>) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for key in keys {
        done.push(ctx.call_activity::<work>(key).await?);
    }
    Ok(done)
}

/// Calls all activities at once.
#[orchestrator]
pub(crate) async fn fan_out(ctx: OrchestrationContext, keys: Vec<String>) -> Result<Vec<String>> {
    Ok(when_all(keys.into_iter().map(|key| ctx.call_activity::<work>(key))).await?)
}

#[orchestrator]
pub(crate) async fn patient(ctx: OrchestrationContext, key: String) -> Result<String> {
    Ok(ctx.call_activity::<work_patiently>(key).await?)
}

#[orchestrator]
pub(crate) async fn stubborn(ctx: OrchestrationContext, key: String) -> Result<String> {
    Ok(ctx.call_activity::<work_stubbornly>(key).await?)
}

/// Waits for `count` events of the name `item`, and shows as its custom status how many it has.
#[orchestrator]
pub(crate) async fn collect(ctx: OrchestrationContext, count: usize) -> Result<Vec<i64>> {
    let mut items = Vec::new();
    while items.len() < count {
        items.push(ctx.wait_for_external_event::<i64>("item").await?);
        ctx.set_custom_status(items.len())?;
    }
    Ok(items)
}

#[orchestrator]
pub(crate) async fn sleeper(ctx: OrchestrationContext, milliseconds: u64) -> Result<()> {
    ctx.sleep(Duration::from_millis(milliseconds)).await;
    Ok(())
}

/// Runs `chain` as the child `<own id>-child`.
#[orchestrator]
pub(crate) async fn parent(ctx: OrchestrationContext, keys: Vec<String>) -> Result<Vec<String>> {
    let child = format!("{}-child", ctx.instance_id());
    Ok(ctx
        .call_sub_orchestrator::<chain>(keys)
        .instance_id(child)
        .await?)
}

/// Runs `parent` as the child `<own id>-child`.
#[orchestrator]
pub(crate) async fn grandparent(
    ctx: OrchestrationContext,
    keys: Vec<String>,
) -> Result<Vec<String>> {
    let child = format!("{}-child", ctx.instance_id());
    Ok(ctx
        .call_sub_orchestrator::<parent>(keys)
        .instance_id(child)
        .await?)
}

/// Starts `greet` as `<own id>-child` and does not wait for it.
#[orchestrator]
pub(crate) async fn careless_parent(ctx: OrchestrationContext) -> Result<()> {
    let child = format!("{}-child", ctx.instance_id());
    drop(
        ctx.call_sub_orchestrator::<greet>("child".to_owned())
            .instance_id(child)
            .start(),
    );
    Ok(())
}

/// Ten days, an activity that is tried twice, and ten days.
#[orchestrator]
pub(crate) async fn retried(ctx: OrchestrationContext, key: String) -> Result<String> {
    ctx.sleep(10 * DAY).await;
    let before = ctx.call_activity::<work>(format!("{key}-before")).await?;
    let result = ctx
        .call_activity::<work>(key)
        .retry(RetryPolicy::new(2, HOUR))
        .await?;
    ctx.sleep(10 * DAY).await;
    Ok(format!("{before}, {result}"))
}

/// Goes on when `soft` fails, but not when `hard` does.
#[orchestrator]
pub(crate) async fn catches(ctx: OrchestrationContext) -> Result<String> {
    let soft = match ctx.call_activity::<work>("soft").await {
        Ok(_) => "soft worked",
        Err(_) => "soft failed",
    };
    let hard = ctx.call_activity::<work>("hard").await?;
    Ok(format!("{soft}, {hard} worked"))
}

/// Fails while another activity is still under way.
#[orchestrator]
pub(crate) async fn fails_early(ctx: OrchestrationContext) -> Result<String> {
    let slow = ctx.call_activity::<work>("slow").start();
    let quick = ctx.call_activity::<work>("quick").await?;
    Ok(format!("{quick}, {}", slow.await?))
}

/// Has a timer of ten days under way while an activity runs.
#[orchestrator]
pub(crate) async fn with_a_timer(ctx: OrchestrationContext) -> Result<String> {
    let timer = ctx.sleep(10 * DAY).start();
    let result = ctx.call_activity::<work>("quick").await?;
    timer.await;
    Ok(result)
}

/// Every generation waits for the event `next`, the last one returns how many there were.
#[orchestrator]
pub(crate) async fn generations(ctx: OrchestrationContext, generation: u32) -> Result<u32> {
    if generation == 3 {
        return Ok(generation);
    }
    ctx.wait_for_external_event::<()>("next").await?;
    ctx.continue_as_new(generation + 1)
}

/// An activity between the second and the third of three events.
#[orchestrator]
pub(crate) async fn between_events(ctx: OrchestrationContext, key: String) -> Result<Vec<i64>> {
    let first = ctx.wait_for_external_event("item").await?;
    ctx.call_activity::<work>(key).await?;
    let second = ctx.wait_for_external_event("item").await?;
    let third = ctx.wait_for_external_event("item").await?;
    Ok(vec![first, second, third])
}

/// Every generation calls an activity with its number.
#[orchestrator]
pub(crate) async fn working_generations(ctx: OrchestrationContext, generation: u32) -> Result<u32> {
    if generation == 4 {
        return Ok(generation);
    }
    ctx.call_activity::<work>(generation.to_string()).await?;
    ctx.continue_as_new(generation + 1)
}

/// Runs `chain` twice, as the children `<own id>-a` and `<own id>-b`.
#[orchestrator]
pub(crate) async fn parent_of_two(ctx: OrchestrationContext) -> Result<Vec<Vec<String>>> {
    let children = ["a", "b"].map(|key| {
        ctx.call_sub_orchestrator::<chain>(vec![key.to_owned()])
            .instance_id(format!("{}-{key}", ctx.instance_id()))
    });
    Ok(when_all(children).await?)
}

/// Runs `chain` as the child `<own id>-child`, and again after a day if that fails.
#[orchestrator]
pub(crate) async fn retrying_parent(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let child = format!("{}-child", ctx.instance_id());
    Ok(ctx
        .call_sub_orchestrator::<chain>(vec!["a".to_owned(), "b".to_owned()])
        .instance_id(child)
        .retry(RetryPolicy::new(2, DAY))
        .await?)
}

/// Ends at once and leaves the child `<own id>-child` behind.
#[orchestrator]
pub(crate) async fn leaves_a_child(ctx: OrchestrationContext, keys: Vec<String>) -> Result<()> {
    let child = format!("{}-child", ctx.instance_id());
    drop(
        ctx.call_sub_orchestrator::<chain>(keys)
            .instance_id(child)
            .start(),
    );
    Ok(())
}

/// Runs `leaves_a_child` as `<own id>-child`, and waits for an event that does not come.
#[orchestrator]
pub(crate) async fn outlives_its_child(ctx: OrchestrationContext, keys: Vec<String>) -> Result<()> {
    let child = format!("{}-child", ctx.instance_id());
    ctx.call_sub_orchestrator::<leaves_a_child>(keys)
        .instance_id(child)
        .await?;
    Ok(ctx.wait_for_external_event("never").await?)
}

/// A key, on which it works as an activity would.
#[durable_client(queue("keys"))]
async fn on_key(_client: DurableClient, State(bench): State<Bench>, key: String) {
    bench.begin(&key);
    bench.until_let_go(&key).await;
}
