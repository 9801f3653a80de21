//! A pattern that does not match every output.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        Some(one) = std::future::ready(Some(1)) => drop(one),
        _ = std::future::ready(2) => {}
    }
}

fn main() {
    drop(choose());
}
