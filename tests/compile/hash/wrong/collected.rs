//! A hash set that is collected, and declared as no more than a type.
use durable_runtime::prelude::*;

#[orchestrator]
async fn distinct(_ctx: OrchestrationContext, words: Vec<String>) -> Result<Vec<String>> {
    let words = words.into_iter().collect::<std::collections::HashSet<_>>();
    Ok(words.into_iter().collect())
}

fn main() {}
