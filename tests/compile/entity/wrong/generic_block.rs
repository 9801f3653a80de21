//! A block for many types.
use durable_runtime::prelude::*;

struct Counter<T> {
    value: T,
}

#[entity]
impl<T: Send> Counter<T> {
    fn get(&self) -> i64 {
        1
    }
}

fn main() {}
