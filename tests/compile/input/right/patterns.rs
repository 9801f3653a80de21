//! Inputs of every pattern, and outputs of every error.
use std::fmt;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Order {
    id: u64,
    items: Vec<String>,
}

#[derive(Debug)]
enum Refused {
    Empty,
    Failed(durable_runtime::TaskFailed),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("empty"),
            Self::Failed(failed) => failed.fmt(f),
        }
    }
}

impl std::error::Error for Refused {}

impl From<durable_runtime::TaskFailed> for Refused {
    fn from(failed: durable_runtime::TaskFailed) -> Self {
        Self::Failed(failed)
    }
}

#[orchestrator]
async fn of_a_struct(
    ctx: OrchestrationContext,
    Order { id, mut items }: Order,
) -> Result<u64, Refused> {
    if items.pop().is_none() {
        return Err(Refused::Empty);
    }
    if id > 10 {
        return ctx.continue_as_new(Order { id: id - 1, items });
    }
    Ok(ctx.wait_for_external_event("number").await?)
}

#[orchestrator]
async fn of_a_tuple(mut ctx: OrchestrationContext, (from, _): (String, u8)) -> Result<String> {
    ctx = ctx.clone();
    let parent = ctx.parent_instance_id().unwrap_or_default();
    Ok(from + parent)
}

#[orchestrator]
async fn of_nothing(_: OrchestrationContext, (): ()) -> Result<()> {
    Ok(())
}

fn main() {}
