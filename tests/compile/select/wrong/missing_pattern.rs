//! A branch without a pattern.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        std::future::ready(1) => {}
    }
}

fn main() {
    drop(choose());
}
