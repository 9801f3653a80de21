//! A function that returns no `Result`.
use durable_runtime::prelude::*;

#[entity]
async fn counter(_: EntityContext) -> i64 {
    1
}

fn main() {}
