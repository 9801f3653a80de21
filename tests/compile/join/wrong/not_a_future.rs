//! A number in `join!`.
use durable_runtime::prelude::*;

async fn choose() {
    let _both = join!(std::future::ready(1), 42);
}

fn main() {
    drop(choose());
}
