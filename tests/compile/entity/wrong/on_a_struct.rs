//! The attribute on the state of an entity.
use durable_runtime::prelude::*;

#[entity]
pub struct Counter {
    value: i64,
}

#[entity]
enum Light {
    On,
    Off,
}

#[entity]
static VALUE: i64 = 1;

fn main() {}
