//! Text that is made and not printed, and a macro of the user's own that is called as one that prints.
use std::fmt::Write as _;

use durable_runtime::prelude::*;

mod report {
    macro_rules! print {
        ($text:expr) => {
            $text.len()
        };
    }
    pub(crate) use print;
}

#[derive(Debug)]
struct Order {
    number: u32,
}

#[orchestrator]
async fn describe(ctx: OrchestrationContext, number: u32) -> Result<String> {
    let order = Order { number };
    let mut text = String::new();
    writeln!(
        text,
        "{order:?} {:#?} {:>5} {{{number:p$}}}",
        order.number,
        number,
        p = 4
    )?;
    text += &format_args!("{number:02x} {{:p}}").to_string();
    let length = report::print!(text);
    tracing::info!(length, "described");
    ctx.set_custom_status(&text)?;
    Ok(text)
}

fn main() {}
