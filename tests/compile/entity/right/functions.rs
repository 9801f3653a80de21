//! Entities that are functions.
#![deny(missing_docs, warnings)]

use durable_runtime::prelude::*;

/// Counts.
///
/// # Errors
///
/// For operations that it does not have.
#[entity]
pub async fn counter(ctx: EntityContext) -> Result<()> {
    let value: i64 = ctx.state()?.unwrap_or_default();
    match ctx.operation_name() {
        "add" => ctx.set_state(value + ctx.input::<i64>()?),
        "get" => ctx.return_value(value),
        "reset" if ctx.has_state() => ctx.delete_state(),
        "later" => std::future::ready(()).await,
        other => return Err(Error::msg(format!("no operation {other}"))),
    }
    ctx.signal_entity(counter::id("other"), "add", 1);
    Ok(())
}

#[entity(name = "Plain")]
fn plain(State(names): State<Vec<String>>, ctx: EntityContext) -> Result<usize, std::fmt::Error> {
    ctx.set_state(&*names);
    Ok(names.len())
}

#[orchestrator]
async fn orchestration(ctx: OrchestrationContext) -> Result<i64> {
    ctx.signal_entity(counter::id("k"), "add", 1);
    let _: usize = ctx
        .call_entity(EntityId::new(plain::NAME, "k"), "size", ())
        .await?;
    Ok(ctx
        .call_entity(EntityId::new("Counter", "k"), "get", ())
        .await?)
}

fn main() {
    assert_eq!(counter::id("k").to_string(), "@counter@k");
    assert_eq!(plain::NAME, "Plain");
    let _ = durable_runtime::host::DurableHost::builder().register::<counter>();
}
