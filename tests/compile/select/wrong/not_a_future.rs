//! A number as a task.
use durable_runtime::prelude::*;

async fn choose() {
    select! {
        _ = 42 => {}
    }
}

fn main() {
    drop(choose());
}
