//! An attribute on a struct.
use durable_runtime::prelude::*;

#[activity]
struct SayHello {
    city: String,
}

fn main() {}
