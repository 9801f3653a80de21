//! Branches without a comma between them.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        one = std::future::ready(1) => drop(one)
        two = std::future::ready(2) => drop(two),
    }
}

fn main() {
    drop(choose());
}
