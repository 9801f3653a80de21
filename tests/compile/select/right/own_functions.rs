//! Functions of the user's own with the names of those that select.
use durable_runtime::prelude::*;

mod sql {
    pub fn select(table: &str) -> String {
        format!("SELECT * FROM {table}")
    }
}

fn select(first: bool) -> u32 {
    u32::from(first)
}

fn race(runners: &[u32]) -> Option<&u32> {
    runners.iter().max()
}

#[orchestrator]
async fn choose(_ctx: OrchestrationContext) -> Result<u32> {
    let length = sql::select("orders").len() as u32;
    Ok(select(true) + race(&[1, 2]).copied().unwrap_or(length))
}

fn main() {}
