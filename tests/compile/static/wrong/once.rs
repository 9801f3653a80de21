//! A `static` that is filled by whoever comes first.
use std::sync::OnceLock;

use durable_runtime::prelude::*;

#[deterministic]
fn first(value: u32) -> u32 {
    static FIRST: OnceLock<u32> = OnceLock::new();
    *FIRST.get_or_init(|| value)
}

fn main() {}
