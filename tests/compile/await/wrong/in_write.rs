//! An await in `write!`.
use std::fmt::Write as _;

use durable_runtime::prelude::*;

async fn line(_number: u32) -> String {
    String::new()
}

#[orchestrator]
async fn report(_ctx: OrchestrationContext) -> Result<String> {
    let mut text = String::new();
    for number in 1..=3 {
        write!(text, "{number}: {}", line(number).await)?;
    }
    Ok(text)
}

fn main() {}
