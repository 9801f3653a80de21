//! An interface of a type that is no entity, and a trait that is no interface.
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

#[derive(Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
}

#[entity]
trait Ledger {
    fn add(&mut self, amount: i64);
}

#[entity]
impl Ledger for Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }
}

trait Plain {
    fn get(&self) -> i64;
}

#[derive(Default, Serialize, Deserialize)]
struct Account;

#[entity]
impl Account {}

#[entity]
impl Plain for Account {
    fn get(&self) -> i64 {
        1
    }
}

fn main() {}
