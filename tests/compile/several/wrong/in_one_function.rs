//! Several mistakes in one function are all reported in one run.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use durable_runtime::prelude::*;

async fn notify(_text: &str) {}

#[orchestrator]
async fn everything(_ctx: OrchestrationContext) -> Result<u64> {
    let start = Instant::now();
    let mut seen = HashMap::new();
    println!("started");
    seen.insert(uuid::Uuid::new_v4(), start);
    tokio::time::sleep(Duration::from_secs(1)).await;
    notify("slept").await;
    let region = std::env::var("REGION")?;
    std::fs::write("region.txt", region)?;
    Ok(seen.len() as u64)
}

fn main() {}
