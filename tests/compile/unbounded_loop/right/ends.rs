//! Loops that end, and one that does not await.
#![deny(deprecated)]

use std::time::Duration;

use durable_runtime::prelude::*;

#[activity]
async fn is_done(job: u64) -> Result<bool> {
    Ok(job > 0)
}

#[orchestrator]
async fn continues_as_new(ctx: OrchestrationContext, round: u32) -> Result<()> {
    loop {
        ctx.sleep(Duration::from_secs(3600)).await;
        if round > 10 {
            return ctx.continue_as_new(round + 1);
        }
    }
}

#[orchestrator]
async fn breaks(ctx: OrchestrationContext, job: u64) -> Result<u32> {
    let rounds = loop {
        if ctx.call_activity::<is_done>(job).await? {
            break 1;
        }
        ctx.sleep(Duration::from_secs(60)).await;
    };
    Ok(rounds)
}

#[orchestrator]
async fn breaks_from_within(ctx: OrchestrationContext, jobs: Vec<u64>) -> Result<()> {
    'rounds: loop {
        for &job in &jobs {
            if ctx.call_activity::<is_done>(job).await? {
                break 'rounds;
            }
        }
    }
    Ok(())
}

#[orchestrator]
async fn breaks_in_select(ctx: OrchestrationContext) -> Result<u32> {
    let mut count = 0;
    loop {
        select! {
            item = ctx.wait_for_external_event::<u32>("item") => count += item?,
            () = ctx.sleep(Duration::from_secs(60)) => break,
        }
    }
    Ok(count)
}

#[orchestrator]
async fn computes(_ctx: OrchestrationContext, mut number: u64) -> Result<u64> {
    let mut steps = 0;
    loop {
        if number == 1 {
            break;
        }
        number = if number % 2 == 0 {
            number / 2
        } else {
            number * 3 + 1
        };
        steps += 1;
    }
    Ok(steps)
}

#[orchestrator]
async fn is_allowed(ctx: OrchestrationContext) -> Result<()> {
    #[allow_nondeterminism(unbounded_loop, reason = "an operator ends it within a day")]
    loop {
        ctx.sleep(Duration::from_secs(3600)).await;
    }
}

fn main() {}
