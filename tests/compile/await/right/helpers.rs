//! `#[deterministic]` functions of every shape.
use std::fmt::Display;
use std::time::Duration;

use durable_runtime::prelude::*;
use durable_runtime::{Activity, BoxedTask, DurableTask};

#[activity]
async fn is_paid(order: u64) -> Result<bool> {
    Ok(order > 0)
}

#[deterministic]
async fn poll<T: Display + Copy>(ctx: &OrchestrationContext, order: u64, what: T) -> Result<bool> {
    for _ in 0..10 {
        if ctx.call_activity::<is_paid>(order).await? {
            return Ok(true);
        }
        tracing::info!("waiting for {what}");
        ctx.sleep(Duration::from_secs(60)).await;
    }
    Ok(false)
}

#[deterministic]
async fn call<A>(ctx: &OrchestrationContext, input: impl Into<A::Input>) -> Result<A::Output>
where
    A: Activity,
{
    Ok(ctx.call_activity::<A>(input).await?)
}

#[deterministic]
async fn first_of<T, F: DurableTask<Output = T>>(task: F, other: F) -> T
where
    F: Unpin,
{
    let (_, output, _) = when_any([task, other]).await;
    output
}

#[deterministic]
async fn count_down(ctx: &OrchestrationContext, seconds: u64) -> u64 {
    if seconds == 0 {
        return 0;
    }
    ctx.sleep(Duration::from_secs(1)).await;
    let rest: BoxedTask<'_, u64> = Box::pin(count_down(ctx, seconds - 1));
    rest.await + 1
}

#[deterministic]
async fn times(count: u32, task: impl AsyncFn(u32) -> Result<u32>) -> Result<u32> {
    let mut sum = 0;
    for number in 0..count {
        sum += task(number).await?;
    }
    Ok(sum)
}

#[deterministic]
async fn in_turn<F: AsyncFnMut(u32) -> u32>(mut step: F) -> u32 {
    step(1).await + step(2).await
}

#[deterministic]
async fn until_none<F>(step: &F) -> u32
where
    F: AsyncFn(u32) -> Option<u32>,
{
    let mut count = 0;
    while let Some(number) = step(count).await {
        count += number;
    }
    count
}

#[deterministic]
async fn pause(ctx: &OrchestrationContext) {
    ctx.sleep(Duration::from_secs(1)).await;
}

#[deterministic]
fn discount(cents: u64) -> u64 {
    cents / 10
}

struct Shop<'a> {
    ctx: &'a OrchestrationContext,
    open: bool,
}

impl Shop<'_> {
    #[deterministic]
    async fn sell(&mut self, order: u64) -> Result<bool> {
        self.open = poll(self.ctx, order, "an order").await?;
        self.close().await;
        Ok(self.open)
    }

    #[deterministic]
    async fn close(&self) {
        self.ctx.sleep(Duration::from_secs(1)).await;
    }

    #[deterministic]
    fn price(&self, cents: u64) -> u64 {
        cents - discount(cents)
    }
}

#[orchestrator]
async fn run(ctx: OrchestrationContext, order: u64) -> Result<u64> {
    pause(&ctx).await;
    poll(&ctx, order, 'x').await?;
    call::<is_paid>(&ctx, order).await?;
    let timer = first_of(
        ctx.sleep(Duration::from_secs(1)),
        ctx.sleep(Duration::from_secs(2)),
    );
    timer.await;
    let mut shop = Shop {
        ctx: &ctx,
        open: false,
    };
    shop.sell(order).await?;
    let (seconds, ()) = join!(count_down(&ctx, 5), pause(&ctx));
    let sum = times(3, async |number| {
        ctx.sleep(Duration::from_secs(number.into())).await;
        Ok(number)
    });
    let mut calls = 0;
    let twice = in_turn(async |number| {
        calls += number;
        calls
    });
    assert_eq!(twice.await, 4);
    until_none(&async |count| (count < 3).then_some(1)).await;
    Ok(shop.price(order) + seconds + u64::from(sum.await?))
}

fn main() {}
