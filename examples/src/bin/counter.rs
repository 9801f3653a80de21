//! An entity: a counter that a client signals, an orchestration calls, and that starts an
//! orchestration of its own each time it passes a multiple of ten.
//!
//! Kill it in the middle and start it again: the counter goes on from where it was, because its state
//! is stored with every operation, and each milestone is celebrated once.

use std::time::Duration;

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

/// How far the counter is taken.
const GOAL: u32 = 40;

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counter {
    value: u32,
}

#[entity]
impl Counter {
    /// Adds to the counter. A milestone that is passed starts `celebrate`.
    fn add(&mut self, ctx: EntityContext, amount: u32) -> u32 {
        let before = self.value / 10;
        self.value += amount;
        if self.value / 10 > before {
            ctx.start_new::<celebrate>(self.value / 10 * 10);
        }
        self.value
    }
}

#[activity]
async fn announce(milestone: u32) -> Result<()> {
    println!("the counter has passed {milestone}");
    Ok(())
}

#[orchestrator]
async fn celebrate(ctx: OrchestrationContext, milestone: u32) -> Result<()> {
    ctx.call_activity::<announce>(milestone).await?;
    ctx.signal::<Party>("all").celebrated(milestone);
    Ok(())
}

/// The milestones that were celebrated.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Party {
    milestones: Vec<u32>,
}

#[entity]
impl Party {
    fn celebrated(&mut self, milestone: u32) {
        self.milestones.push(milestone);
    }
}

/// Calls the counter, and so hears what became of it.
#[orchestrator]
async fn count_on(ctx: OrchestrationContext, key: String) -> Result<u32> {
    let counter = ctx.entity::<Counter>(key);
    counter.add(1).await?;
    Ok(counter.add(2).await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder().task_hub("Counter").start().await?;
    let client = host.client();
    let value = async || {
        let state: Option<Counter> = client.read_entity_state(Counter::id("visits")).await?;
        Ok::<_, Error>(state.map_or(0, |counter| counter.value))
    };
    while value().await? < GOAL {
        client.signal::<Counter>("visits").add(1).await?;
        let run = client.start_new::<count_on>("visits").await?;
        println!("the counter is at {}", run.output().await?);
        sleep(Duration::from_millis(50)).await;
    }
    let mut party = loop {
        let state: Option<Party> = client.read_entity_state(Party::id("all")).await?;
        let party = state.unwrap_or_default();
        let wanted = usize::try_from(value().await? / 10).unwrap_or_default();
        if party.milestones.len() >= wanted {
            break party;
        }
        sleep(Duration::from_millis(10)).await;
    };
    host.shutdown().await?;
    // Those who celebrate do not wait for each other.
    party.milestones.sort_unstable();
    println!("celebrated: {:?}", party.milestones);
    Ok(())
}
