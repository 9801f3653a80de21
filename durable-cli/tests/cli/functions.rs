//! What the hosts of the tests run.

use std::time::Duration;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[activity]
pub(crate) async fn greet(name: String) -> Result<String> {
    if name == "nobody" {
        return Err(Error::non_retriable("there is nobody to greet"));
    }
    Ok(format!("Hello {name}!"))
}

/// Greets whom it is given.
#[orchestrator]
pub(crate) async fn hello(ctx: OrchestrationContext, name: String) -> Result<String> {
    Ok(ctx.call_activity::<greet>(name).await?)
}

/// Returns what it is given.
#[orchestrator]
pub(crate) async fn echo(_ctx: OrchestrationContext, input: Value) -> Result<Value> {
    Ok(input)
}

/// Waits for the event `go` and returns what comes with it.
#[orchestrator]
pub(crate) async fn wait(ctx: OrchestrationContext) -> Result<Value> {
    ctx.set_custom_status("waiting")?;
    Ok(ctx.wait_for_external_event::<Value>("go").await?)
}

/// Has a child, calls and signals an entity, sleeps, and goes on from a failure.
#[orchestrator]
pub(crate) async fn everything(ctx: OrchestrationContext) -> Result<String> {
    let child = ctx.call_sub_orchestrator::<hello>("child");
    let greeting: String = child.instance_id("the-child").await?;
    ctx.entity::<Counter>("visits").add(1).await?;
    ctx.signal::<Counter>("visits").add(1);
    ctx.sleep(Duration::from_millis(20)).await;
    let failed = ctx.call_activity::<greet>("nobody").await;
    let _unawaited = ctx.create_timer(ctx.current_utc_datetime() + chrono::TimeDelta::days(7));
    Ok(format!("{greeting} {}", failed.is_err()))
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }
}
