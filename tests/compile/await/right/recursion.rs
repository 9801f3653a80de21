//! `#[deterministic]` functions that call themselves and each other.
use std::time::Duration;

use durable_runtime::BoxedTask;
use durable_runtime::prelude::*;

struct Tree {
    seconds: u64,
    children: Vec<Tree>,
}

#[deterministic]
async fn depth(ctx: &OrchestrationContext, tree: &Tree) -> u32 {
    ctx.sleep(Duration::from_secs(tree.seconds)).await;
    let mut deepest = 0;
    for child in &tree.children {
        deepest = deepest.max(boxed(ctx, child).await);
    }
    deepest + 1
}

fn boxed<'a>(ctx: &'a OrchestrationContext, tree: &'a Tree) -> BoxedTask<'a, u32> {
    Box::pin(depth(ctx, tree))
}

#[orchestrator]
async fn measure(ctx: OrchestrationContext) -> Result<u32> {
    let leaf = Tree {
        seconds: 1,
        children: Vec::new(),
    };
    let root = Tree {
        seconds: 2,
        children: vec![leaf],
    };
    Ok(depth(&ctx, &root).await)
}

fn main() {}
