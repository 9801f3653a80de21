//! An activity whose future cannot be sent to another thread.
use durable_runtime::prelude::*;

#[activity]
async fn count(numbers: Vec<u64>) -> Result<u64> {
    let numbers = std::rc::Rc::new(numbers);
    std::future::ready(()).await;
    Ok(numbers.iter().sum())
}

fn main() {}
