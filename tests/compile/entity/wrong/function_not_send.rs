//! A function whose future cannot be sent to another thread.
use durable_runtime::prelude::*;

#[entity]
async fn counter(_: EntityContext) -> Result<()> {
    let value = std::rc::Rc::new(1);
    std::future::ready(()).await;
    drop(value);
    Ok(())
}

fn main() {}
