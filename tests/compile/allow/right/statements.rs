//! Statements, arms and loops that are let through, each for a reason.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use durable_runtime::prelude::*;

async fn ready() -> u32 {
    1
}

#[orchestrator]
async fn measured(ctx: OrchestrationContext, words: Vec<String>) -> Result<usize> {
    #[allow_nondeterminism(clock, reason = "it is only logged")]
    let start = Instant::now();
    #[allow_nondeterminism(hash, reason = "its order is never looked at")]
    let mut seen: HashMap<String, ()> = HashMap::new();
    for word in words {
        seen.insert(word, ());
    }
    ctx.sleep(Duration::from_secs(1)).await;
    #[allow_nondeterminism(clock, reason = "it is only logged")]
    if start.elapsed() > Duration::from_secs(1) {
        tracing::warn!("slow");
    }
    #[allow_nondeterminism(print, environment, reason = "it is for a look at the first run")]
    if std::env::var_os("SHOW").is_some() {
        println!("{}", seen.len());
    }
    Ok(seen.len())
}

#[orchestrator]
async fn in_arms(_ctx: OrchestrationContext, debug: bool) -> Result<u32> {
    match debug {
        #[allow_nondeterminism(print, reason = "it is for a look at the first run")]
        true => println!("debug"),
        false => {}
    }
    #[allow_nondeterminism(await, reason = "it is ready at once")]
    let number = ready().await;
    #[durable_runtime::allow_nondeterminism(process, reason = "a crash is wanted here")]
    if number > 100 {
        std::process::abort();
    }
    Ok(number)
}

fn main() {}
