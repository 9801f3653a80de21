//! Calling an activity as a function: an orchestrator must not, and everything else may.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};

use durable_runtime::Failure;
use durable_runtime::prelude::*;

use crate::support::{Bench, count, counted, failure_of, within};

static CHARGED: AtomicU32 = AtomicU32::new(0);

/// What is declared first in a body stays legal, whatever the attribute puts before it.
#[activity(name = "Charge")]
fn charge(cents: u32) -> Result<u32> {
    #![allow(clippy::no_effect_underscore_binding)]
    const FEE: u32 = 1;
    let _nothing = cents;
    CHARGED.fetch_add(1, Ordering::SeqCst);
    Ok(cents + FEE)
}

#[activity]
async fn charge_twice(cents: u32) -> Result<u32> {
    charge(charge(cents)?)
}

#[activity]
fn charge_three_times(cents: u32) -> Result<u32> {
    charge(charge(charge(cents)?)?)
}

#[orchestrator]
async fn calls_as_a_function(ctx: OrchestrationContext, caught: bool) -> Result<u32> {
    let _before = ctx.call_activity::<counted>("before").start();
    let sum = if caught {
        // Whoever catches the unwinding does not get away with it.
        catch_unwind(AssertUnwindSafe(|| charge(10))).unwrap_or(Ok(0))?
    } else {
        charge(10)?
    };
    Ok(sum)
}

async fn is_refused(bench: &Bench, caught: bool) {
    let run = bench.begin_run::<calls_as_a_function>(caught).await;
    let id = run.id().to_owned();
    let failure = failure_of(within(run.output()).await);
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    let message = failure.message();
    for part in [
        "\"calls_as_a_function\" is not deterministic at step 1",
        "the code made call #0 of activity \"counted\" and then called the activity `charge` as a \
         function",
        "Write `ctx.call_activity::<charge>(..)`",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(message.ends_with("[direct_call]"), "{message}");
    let history = bench.history(&id).await;
    let actions = count(&history, durable_runtime::model::EventKind::is_action);
    assert_eq!(actions, 0);
}

#[orchestrator]
async fn calls_through_the_context(ctx: OrchestrationContext) -> Result<(u32, u32, u32)> {
    let one = ctx.call_activity::<charge>(10u32).await?;
    let two = ctx.call_activity::<charge_twice>(10u32).await?;
    let three = ctx.call_activity::<charge_three_times>(10u32).await?;
    Ok((one, two, three))
}

// An orchestrator that calls an activity as a function fails at once, before the body has run; the
// same activity can be called through the context, by other activities, and by a test.
#[tokio::test]
async fn a_direct_call_fails_an_orchestrator_and_nothing_else() {
    let bench = Bench::start().await;
    is_refused(&bench, false).await;
    is_refused(&bench, true).await;
    assert_eq!(CHARGED.load(Ordering::SeqCst), 0);
    let outputs = bench.output::<calls_through_the_context>(()).await;
    assert_eq!(outputs, (11, 12, 13));
    assert_eq!(charge(10).unwrap(), 11);
}
