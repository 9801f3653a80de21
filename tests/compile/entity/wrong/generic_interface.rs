//! An interface of many types.
use durable_runtime::prelude::*;

#[entity]
trait Ledger<T> {
    fn add(&mut self, amount: T);
}

fn main() {}
