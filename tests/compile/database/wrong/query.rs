//! A query that is awaited.
use durable_runtime::prelude::*;

/// Stands in for the crate.
mod sqlx {
    pub struct Query;

    pub fn query(_sql: &str) -> Query {
        Query
    }

    impl Query {
        pub async fn execute(self, _pool: &str) -> Result<u64, std::fmt::Error> {
            Ok(1)
        }
    }
}

#[orchestrator]
async fn delete(_ctx: OrchestrationContext, pool: String) -> Result<u64> {
    Ok(sqlx::query("DELETE FROM orders").execute(&pool).await?)
}

fn main() {}
