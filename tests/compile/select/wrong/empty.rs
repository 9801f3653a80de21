//! No branch at all.
use durable_runtime::prelude::*;

async fn choose() {
    select! {}
}

fn main() {
    drop(choose());
}
