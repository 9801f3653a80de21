//! Tasks in `join!` without a comma between them.
use durable_runtime::prelude::*;

async fn choose() {
    let _both = join!(std::future::ready(1); std::future::ready(2));
}

fn main() {
    drop(choose());
}
