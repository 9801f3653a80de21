//! Awaits in the usual macros.
use std::fmt::Write as _;

use durable_runtime::prelude::*;
use serde_json::{Value, json};

#[activity]
async fn price(symbol: String) -> Result<u64> {
    Ok(symbol.len() as u64)
}

#[orchestrator]
async fn of_text(ctx: OrchestrationContext) -> Result<String> {
    let mut text = format!("{} {b}", 1, b = ctx.call_activity::<price>("b").await?);
    write!(text, " {}", ctx.call_activity::<price>("c").await?)?;
    writeln!(
        &mut text,
        "{:>8.2}",
        ctx.call_activity::<price>("d").await? as f64
    )?;
    Ok(text)
}

#[orchestrator]
async fn of_values(ctx: OrchestrationContext) -> Result<Value> {
    let list = vec![ctx.call_activity::<price>("a").await?, 2];
    let repeated = vec![ctx.call_activity::<price>("a").await?; 3];
    let is_small = matches!(ctx.call_activity::<price>("a").await, Ok(0..=9) if list.len() > 1);
    Ok(json!({
        "list": list,
        "price": ctx.call_activity::<price>("b").await?,
        "more": [1, ctx.call_activity::<price>("c").await?, { "deep": is_small }],
        "repeated": repeated,
        "none": null,
    }))
}

#[orchestrator]
async fn of_assertions(ctx: OrchestrationContext) -> Result<()> {
    assert!(
        ctx.call_activity::<price>("a").await? > 0,
        "{} is free",
        "a"
    );
    assert_eq!(ctx.call_activity::<price>("a").await?, 1);
    debug_assert_ne!(ctx.call_activity::<price>("a").await?, 2, "not {}", 2);
    if ctx.is_replaying() {
        todo!("{}", ctx.call_activity::<price>("a").await?);
    }
    panic!("{}", ctx.call_activity::<price>("a").await?)
}

fn main() {}
