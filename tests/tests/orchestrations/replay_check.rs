//! `HostOptions::replay_check`: what only a replay would show is caught in the step itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::host::HostOptions;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;

use crate::support::{Bench, count, counted, double, failure_of, within};

/// Another number each time: what a clock or a random number is to an orchestrator.
fn varying() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

#[orchestrator]
async fn varies(ctx: OrchestrationContext, what: String) -> Result<u64> {
    ctx.call_activity::<double>(1).await?;
    let number = varying();
    let is_odd = number % 2 == 1;
    match what.as_str() {
        "name" => {
            ctx.call_activity_by_name::<u32>(&format!("n{number}"), ())
                .await?;
        }
        "input" => {
            ctx.call_activity::<counted>(number.to_string()).await?;
        }
        "fire time" => ctx.sleep(Duration::from_secs(number)).await,
        "event" => {
            ctx.send_event("another", "event", number);
            ctx.sleep(Duration::from_secs(3600)).await;
        }
        "status" => {
            ctx.set_custom_status(number)?;
            ctx.sleep(Duration::from_secs(3600)).await;
        }
        "cancelled" => {
            let one = ctx.sleep(Duration::from_secs(3600)).start();
            let other = ctx.sleep(Duration::from_secs(3600)).start();
            if is_odd {
                drop(one);
                other.await;
            } else {
                drop(other);
                one.await;
            }
        }
        "action" => {
            if !ctx.is_replaying() {
                let _call = ctx.call_activity::<counted>("more").start();
            }
            ctx.sleep(Duration::from_secs(3600)).await;
        }
        "end" if ctx.is_replaying() => {
            ctx.wait_for_external_event::<()>("never").await?;
        }
        "failure" => return Err(Error::msg(format!("failure {number}"))),
        "next" => return ctx.continue_as_new(number.to_string()),
        _ => {}
    }
    Ok(number)
}

/// Runs [`varies`], and gives what the message says of both sides.
async fn caught(bench: &Bench, what: &str) -> String {
    let run = bench.begin_run::<varies>(what).await;
    let id = run.id().to_owned();
    let failure = failure_of(within(run.output()).await);
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC, "{what}");
    let message = failure.message();
    for part in [
        "orchestrator \"varies\" is not deterministic at step 2: the history has ",
        "`HostOptions::replay_check`",
        "a clock, a random number",
    ] {
        assert!(message.contains(part), "{what}: {part}: {message}");
    }
    assert!(message.ends_with("[replay]"), "{what}: {message}");
    // Of the step nothing is there but that it was tried.
    let history = bench.history(&id).await;
    assert_eq!(count(&history, EventKind::is_action), 1, "{what}");
    assert!(bench.status(&id).await.custom_status.is_none(), "{what}");
    let (_, sides) = message.split_once("the history has ").unwrap();
    sides.split_once(". `Host").unwrap().0.to_owned()
}

// Every kind of difference is caught in the step in which it is made, and nothing of the step takes
// place. Without the check all of these run on.
#[tokio::test]
async fn what_differs_is_caught_at_once() {
    let bench = Bench::start().await;
    for (what, history, code) in [
        (
            "name",
            "call #1 of activity \"n",
            "made call #1 of activity \"n",
        ),
        (
            "input",
            "call #1 of activity \"counted\" with \"",
            "made call #1 of activity \"counted\"",
        ),
        ("fire time", "timer #1 due at ", "made timer #1 due at "),
        (
            "event",
            "event #1 \"event\" sent to ",
            "made event #1 \"event\" sent to ",
        ),
        ("status", "the custom status ", "set the custom status "),
        (
            "cancelled",
            "that the code cancelled the timers #",
            "cancelled the timers #",
        ),
        (
            "action",
            "call #1 of activity \"counted\" with \"more\"",
            "made timer #1",
        ),
        ("end", "that the code returned ", "went on waiting"),
        ("output", "that the code returned ", "returned "),
        (
            "failure",
            "that the code failed (failure ",
            "failed (failure ",
        ),
        (
            "next",
            "that the code continued as new with \"",
            "continued as new with \"",
        ),
    ] {
        let sides = caught(&bench, what).await;
        assert!(sides.starts_with(history), "{what}: {sides}");
        assert!(
            sides.contains(&format!(", the code {code}")),
            "{what}: {sides}"
        );
    }
    assert_eq!(bench.probe.calls("more"), 0);
}

// The check is an option: without it such code runs until it is replayed for another reason.
#[tokio::test]
async fn without_the_option_nothing_is_replayed() {
    let bench = Bench::unchecked(HostOptions::default()).await;
    bench.output::<varies>("output").await;
}

#[orchestrator]
async fn is_fine(ctx: OrchestrationContext) -> Result<HashMap<String, u32>> {
    #[allow_nondeterminism(hash, reason = "the check takes no order of keys for a difference")]
    let many: HashMap<String, u32> = (0..20).map(|number| (number.to_string(), number)).collect();
    #[allow_nondeterminism(hash, reason = "it is returned as it came")]
    let echoed: HashMap<String, u32> = ctx.call_activity_by_name("echo_map", &many).await?;
    if !ctx.is_replaying() {
        ctx.set_custom_status("seen once")?;
    }
    ctx.call_activity::<double>(1).await?;
    Ok(echoed.into_iter().collect())
}

#[activity]
async fn echo_map(map: HashMap<String, u32>) -> Result<HashMap<String, u32>> {
    Ok(map)
}

// The order of the keys of an object is no difference, and a status that is set only where the code
// does not repeat itself is a side effect.
#[tokio::test]
async fn what_no_reader_minds_is_no_difference() {
    let bench = Bench::start().await;
    assert_eq!(bench.output::<is_fine>(()).await.len(), 20);
}

#[orchestrator]
async fn varies_once_only(ctx: OrchestrationContext, is_second: bool) -> Result<u64> {
    if !is_second {
        ctx.wait_for_external_event::<()>("go").await?;
        return ctx.continue_as_new(true);
    }
    ctx.call_activity::<double>(1).await?;
    Ok(varying())
}

// Steps are counted, and histories kept, for each execution of its own.
#[tokio::test]
async fn the_next_execution_is_checked_as_well() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<varies_once_only>(false).await;
    let id = run.id().to_owned();
    drop(run);
    let bench = bench.restart().await;
    bench.raise(&id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(&id, crate::support::LONG)).await;
    let failure = ended.unwrap().failure.unwrap();
    assert!(failure.message().contains(" at step 2: "), "{failure}");
    assert!(failure.message().ends_with("[replay]"), "{failure}");
}

static MENDED: AtomicU64 = AtomicU64::new(0);

#[orchestrator]
async fn is_mended(ctx: OrchestrationContext) -> Result<i64> {
    let doubled = ctx.call_activity::<double>(1).await?;
    let mended = MENDED.load(Ordering::SeqCst) == 1;
    let next = if mended { 5 } else { varying().cast_signed() };
    let call = ctx.call_activity::<double>(next).start();
    Ok(doubled + call.await?)
}

// A step that was refused did nothing, so mended code takes it anew after a rewind.
#[tokio::test]
async fn what_was_caught_can_be_mended_and_rewound() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<is_mended>(()).await;
    let id = run.id().to_owned();
    let failure = failure_of(within(run.output()).await);
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    MENDED.store(1, Ordering::SeqCst);
    within(bench.client.rewind(&id, "mended")).await.unwrap();
    let ended = within(bench.client.wait_for_completion(&id, crate::support::LONG)).await;
    assert_eq!(ended.unwrap().output, Some(12.into()));
}
