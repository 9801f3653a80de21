//! Bodies of two types.
use durable_runtime::prelude::*;

async fn choose() {
    let _chosen = select! {
        one = std::future::ready(1) => one,
        _ = std::future::ready(2) => "two",
    };
}

fn main() {
    drop(choose());
}
