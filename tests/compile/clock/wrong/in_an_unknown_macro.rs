//! A clock in a macro that has a syntax of its own.
use durable_runtime::prelude::*;

macro_rules! later {
    ($start:expr => plus $seconds:literal seconds) => {
        $start + std::time::Duration::from_secs($seconds)
    };
}

#[orchestrator]
async fn deadline(_ctx: OrchestrationContext) -> Result<()> {
    let _deadline = later!(std::time::Instant::now() => plus 5 seconds);
    Ok(())
}

fn main() {}
