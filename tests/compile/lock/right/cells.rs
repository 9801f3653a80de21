//! What changes within the orchestrator: cells, counted values, and a method named `lock`.
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::{Arc, LazyLock, OnceLock};

use durable_runtime::prelude::*;

struct Door {
    locked: bool,
}

impl Door {
    fn lock(&mut self) -> &mut Self {
        self.locked = true;
        self
    }
}

#[orchestrator]
async fn count(ctx: OrchestrationContext) -> Result<u32> {
    let sum = Rc::new(RefCell::new(0));
    let last = Cell::new(0);
    let first = OnceCell::new();
    let once = OnceLock::new();
    let lazy = LazyLock::new(|| 7);
    let name: Arc<str> = Arc::from(ctx.instance_id());
    let add = async |number: u32| {
        ctx.sleep(std::time::Duration::from_secs(1)).await;
        *sum.borrow_mut() += number;
        last.set(number);
    };
    add(1).await;
    add(2).await;
    let mut door = Door { locked: false };
    assert!(door.lock().locked);
    first.get_or_init(|| last.get());
    once.get_or_init(|| *lazy + Arc::strong_count(&name));
    let total = *sum.borrow() + last.take();
    Ok(total)
}

fn main() {}
