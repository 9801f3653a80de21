//! A branch with `else`.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        _ = std::future::ready(1) => {}
        else => {}
    }
}

fn main() {
    drop(choose());
}
