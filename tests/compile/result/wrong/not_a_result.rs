//! An activity that returns no `Result`.
use durable_runtime::prelude::*;

#[activity]
async fn greeting(city: String) -> String {
    city
}

fn main() {}
