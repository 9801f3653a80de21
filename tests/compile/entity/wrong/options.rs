//! Options that there are not, and values that do not do.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity(nam = "counter", init = 1, name = "a@b")]
impl Counter {}

#[entity(name = "Ledger")]
trait Ledger {
    fn add(&mut self, amount: i64);
}

fn main() {}
