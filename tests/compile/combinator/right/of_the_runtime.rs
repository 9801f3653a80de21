//! The combinators of the runtime, and functions of the user's own with the names of others.
use std::path::Path;
use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

fn join_all(parts: &[&str]) -> String {
    parts.join("/")
}

#[orchestrator]
async fn settled(ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<u32> {
    let tasks = numbers
        .iter()
        .map(|&number| ctx.call_activity::<square>(number));
    let (squares, ()) = join!(when_all_settled(tasks), ctx.sleep(Duration::from_secs(1)));
    let squares = squares.into_iter().filter_map(|square| square.ok());
    Ok(squares.sum())
}

#[orchestrator]
async fn in_turn(ctx: OrchestrationContext, numbers: Vec<u32>) -> Result<Vec<u32>> {
    let mut tasks: Vec<_> = numbers
        .into_iter()
        .map(|number| ctx.call_activity::<square>(number))
        .collect();
    let mut squares = Vec::new();
    while !tasks.is_empty() {
        let (_, square, rest) = when_any(tasks).await;
        squares.push(square?);
        tasks = rest;
    }
    Ok(squares)
}

#[orchestrator]
async fn paths(_ctx: OrchestrationContext) -> Result<String> {
    let path = Path::new("a").join("b");
    Ok(join_all(&["x", "y"]) + &path.display().to_string())
}

fn main() {}
