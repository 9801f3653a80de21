//! The context in closures, structs and clones that stay in the orchestrator.
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{ActivityCall, BoxedTask};

#[activity]
async fn square(number: u32) -> Result<u32> {
    Ok(number * number)
}

struct Caller<'a> {
    ctx: &'a OrchestrationContext,
    calls: RefCell<Vec<u32>>,
}

impl Caller<'_> {
    fn call(&self, number: u32) -> ActivityCall<u32> {
        self.calls.borrow_mut().push(number);
        self.ctx.call_activity::<square>(number)
    }
}

#[orchestrator]
async fn in_a_struct(ctx: OrchestrationContext) -> Result<u32> {
    let caller = Caller {
        ctx: &ctx,
        calls: RefCell::default(),
    };
    Ok(caller.call(1).await? + caller.call(2).await?)
}

#[orchestrator]
async fn in_a_list_of_closures(ctx: OrchestrationContext) -> Result<u32> {
    let mut steps: Vec<Box<dyn Fn(u32) -> ActivityCall<u32> + '_>> = Vec::new();
    for added in 1..=3 {
        let ctx = &ctx;
        steps.push(Box::new(move |number| {
            ctx.call_activity::<square>(number + added)
        }));
    }
    let mut number = 0;
    for step in &steps {
        number = step(number).await?;
    }
    Ok(number)
}

#[orchestrator]
async fn in_a_saga(ctx: OrchestrationContext) -> Result<()> {
    let mut undo: Vec<BoxedTask<'_, ()>> = Vec::new();
    let shared = Rc::new(ctx.clone());
    for seconds in 1..=3 {
        let ctx = Rc::clone(&shared);
        undo.push(Box::pin(async move {
            ctx.sleep(Duration::from_secs(seconds)).await;
        }));
    }
    while let Some(step) = undo.pop() {
        step.await;
    }
    Ok(())
}

fn main() {}
