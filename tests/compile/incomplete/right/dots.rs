//! Dots that are not the end of an unfinished expression.
use durable_runtime::prelude::*;

#[derive(Default)]
struct Range {
    from: (u32, (u32,)),
    to: f64,
}

#[orchestrator]
async fn sum(ctx: OrchestrationContext) -> Result<f64> {
    let range = Range {
        to: 1.,
        ..Default::default()
    };
    let numbers = [1, 2, 3];
    let [first, ..] = numbers;
    let all: u32 = numbers[..].iter().chain(&numbers[1..]).sum();
    let inner = range.from.1.0;
    for _ in 0..=ctx.instance_id().len() {}
    Ok(2. * range.to + f64::from(first + all + inner))
}

fn main() {}
