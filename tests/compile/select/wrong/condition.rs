//! A branch with a condition.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        _ = std::future::ready(1), if true => {}
    }
}

fn main() {
    drop(choose());
}
