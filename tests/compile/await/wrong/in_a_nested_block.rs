//! An await in a block in a block.
use durable_runtime::prelude::*;

async fn stock_of(_article: &str) -> u32 {
    3
}

#[orchestrator]
async fn reserve(_ctx: OrchestrationContext, article: String) -> Result<u32> {
    let available = {
        let counted = {
            if article.is_empty() {
                0
            } else {
                stock_of(&article).await
            }
        };
        counted / 2
    };
    Ok(available)
}

fn main() {}
