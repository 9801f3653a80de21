//! Options that there are not, and values that do not do.
use durable_runtime::prelude::*;

#[durable_client(queu = "orders", name = "", task_hub = "1st", connection = 7)]
async fn nightly(_client: DurableClient) -> Result<()> {
    Ok(())
}

fn main() {}
