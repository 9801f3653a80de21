//! What the hosts of fuzzing run.

use std::time::Duration;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What an event of [`order()`] carries: something of most kinds that JSON and types have.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Decision {
    approved: bool,
    by: Option<String>,
    amount: u64,
    share: f64,
    lines: Vec<Line>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
enum Line {
    Nothing,
    Text(String),
    Item { id: i32, note: Box<Option<Line>> },
}

#[activity]
async fn put_aside(item: String) -> Result<u64> {
    Ok(item.len() as u64)
}

/// Waits for a decision, and calls an activity before and after.
#[orchestrator]
pub(crate) async fn order(ctx: OrchestrationContext, item: String) -> Result<u64> {
    let aside = ctx.call_activity::<put_aside>(item).await?;
    let decision = ctx.wait_for_external_event::<Decision>("decision").await?;
    let by = decision.by.unwrap_or_default();
    Ok(aside + ctx.call_activity::<put_aside>(by).await?)
}

/// Waits for any event, and returns what it carries.
#[orchestrator]
pub(crate) async fn wait(ctx: OrchestrationContext) -> Result<Value> {
    Ok(ctx.wait_for_external_event::<Value>("go").await?)
}

/// Returns what it is given.
#[orchestrator]
pub(crate) async fn echo(_ctx: OrchestrationContext, input: Value) -> Result<Value> {
    Ok(input)
}

/// Waits for a timer, an activity, a child and an entity.
#[orchestrator]
pub(crate) async fn everything(ctx: OrchestrationContext) -> Result<i64> {
    ctx.sleep(Duration::from_millis(1)).await;
    ctx.call_sub_orchestrator::<echo>(Value::Null).await?;
    let aside = ctx.call_activity::<put_aside>("tea".to_owned()).await?;
    let counted = ctx.entity::<Tally>("all").add(1).await?;
    let _decision = ctx.wait_for_external_event::<Decision>("decision").await?;
    Ok(counted + i64::try_from(aside)?)
}

/// Goes the other ways that there are: a race with a timer, retries, a patch, a signal, a critical section,
/// several children at once, an event for another instance, a wait that ends, and another round.
#[orchestrator]
pub(crate) async fn branches(ctx: OrchestrationContext, round: u64) -> Result<u64> {
    let retry = RetryPolicy::new(3, Duration::from_secs(1)).backoff(2.0);
    let tea = ctx.call_activity::<put_aside>("tea".to_owned());
    let aside = tea.retry(retry).start();
    let mut limit = ctx.sleep(Duration::from_secs(60)).start();
    let amount = select! {
        decision = ctx.wait_for_external_event::<Decision>("decision") => decision?.amount,
        () = &mut limit => 0,
    };
    let aside = aside.await.unwrap_or_default();
    if ctx.patched("counts") {
        ctx.signal::<Tally>("all").name("Ann".to_owned());
    }
    let both = ctx.lock([Tally::id("a"), Tally::id("b")]).await?;
    both.entity::<Tally>("a").add(1).await?;
    drop(both);
    let children = (0..2).map(|child| {
        let echo = ctx.call_sub_orchestrator::<echo>(Value::from(child));
        echo.instance_id(format!("child-{child}"))
    });
    when_all(children).await?;
    ctx.send_event("waits", "go", amount);
    let go = ctx.wait_for_external_event::<u64>("go");
    if go.timeout(Duration::from_secs(60)).await?.is_some() {
        return ctx.continue_as_new(round.wrapping_add(1));
    }
    Ok(aside.wrapping_add(amount))
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    count: i64,
    names: Vec<String>,
}

#[entity]
impl Tally {
    fn add(&mut self, amount: i64) -> i64 {
        self.count = self.count.wrapping_add(amount);
        self.count
    }

    fn name(&mut self, name: String) {
        self.names.push(name);
    }
}
