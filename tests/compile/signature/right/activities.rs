//! Activities, and ordinary functions, do whatever they want.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use durable_runtime::prelude::*;

#[activity]
async fn measure(ctx: ActivityContext, words: Vec<String>) -> Result<usize> {
    let start = Instant::now();
    let mut seen = HashMap::new();
    for word in words {
        seen.insert(word, uuid::Uuid::new_v4());
    }
    tokio::time::sleep(Duration::from_millis(1)).await;
    let slow = tokio::spawn(async { 1 });
    tokio::select! {
        value = slow => drop(value),
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
    }
    println!("{} {:?} {:p}", ctx.attempt(), start.elapsed(), &seen);
    Ok(seen.len())
}

#[activity]
fn blocking(path: String) -> Result<String> {
    std::thread::sleep(Duration::from_millis(1));
    Ok(std::fs::read_to_string(path)?)
}

async fn ordinary() -> Result<Instant> {
    tokio::task::yield_now().await;
    Ok(Instant::now())
}

#[orchestrator]
async fn call(ctx: OrchestrationContext) -> Result<usize> {
    let words = ctx.call_activity::<blocking>("words.txt").await?;
    let words: Vec<_> = words.lines().map(str::to_owned).collect();
    Ok(ctx.call_activity::<measure>(words).await?)
}

fn main() {
    drop(ordinary());
    drop(blocking("words.txt".to_owned()));
}
