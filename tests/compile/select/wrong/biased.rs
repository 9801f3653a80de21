//! The `biased;` of another `select!`.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        biased;
        _ = std::future::ready(1) => {}
    }
}

fn main() {
    drop(choose());
}
