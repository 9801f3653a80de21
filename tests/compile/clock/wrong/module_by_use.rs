//! A clock through a `use` of its module in the body.
use durable_runtime::prelude::*;

#[orchestrator]
async fn measure(_ctx: OrchestrationContext) -> Result<()> {
    use std::{fmt::Write as _, time};
    let mut text = String::new();
    write!(text, "{:?}", time::SystemTime::now())?;
    Ok(())
}

fn main() {}
