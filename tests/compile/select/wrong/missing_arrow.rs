//! A branch without a body.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        _ = std::future::ready(1)
    }
}

fn main() {
    drop(choose());
}
