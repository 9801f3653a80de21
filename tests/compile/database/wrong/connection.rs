//! A connection that is opened.
use durable_runtime::prelude::*;

#[orchestrator]
async fn count(_ctx: OrchestrationContext) -> Result<i64> {
    let orders = rusqlite::Connection::open("orders.db")?;
    Ok(orders.last_insert_rowid())
}

fn main() {}
