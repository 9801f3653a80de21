//! A function that returns nothing.
use durable_runtime::prelude::*;

#[activity]
async fn hello(city: String) {
    drop(city);
}

fn main() {}
