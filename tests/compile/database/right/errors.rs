//! The errors and values of a database, of which an activity tells.
use durable_runtime::prelude::*;
use rusqlite::types::Value;

#[activity]
fn query(sql: String) -> Result<u64, rusqlite::Error> {
    let connection = rusqlite::Connection::open_in_memory()?;
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0).map(i64::unsigned_abs))
}

#[orchestrator]
async fn count(ctx: OrchestrationContext) -> Result<u64> {
    let value = Value::from(1_i64);
    match ctx.call_activity::<query>("SELECT 1").await {
        Ok(count) => Ok(count),
        Err(failed) if failed.is::<rusqlite::Error>() && value != Value::Null => Ok(0),
        Err(failed) => Err(failed.into()),
    }
}

fn main() {}
