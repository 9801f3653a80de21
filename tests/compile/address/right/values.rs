//! References that are compared by value, and text with braces.
use std::any::TypeId;
use std::rc::Rc;

use durable_runtime::prelude::*;

#[orchestrator]
async fn compare(_ctx: OrchestrationContext, order: u64) -> Result<bool> {
    let order = Rc::new(order);
    let other = Rc::clone(&order);
    let number = *order as i32 as f64 as u8;
    let text = format!("{{:p}} {number:?} {:>1$} {2:.prec$}", 1, 5, 2.0, prec = 3);
    let template = "the placeholder {:p} of another language";
    Ok(Rc::ptr_eq(&order, &other) && TypeId::of::<u8>() != TypeId::of::<u16>() && text != template)
}

fn main() {}
