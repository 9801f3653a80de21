//! Code that was changed since a history was recorded.

use durable_runtime::Failure;
use durable_runtime::prelude::*;
use durable_runtime::testing::{Ending, ReplayError, replay, replay_recorded};
use serde_json::json;

use crate::support::{divergence, ended, order};

#[activity]
async fn put_aside(_what: String) -> Result<u32> {
    Ok(7)
}

#[activity]
async fn charge(_reservation: u32) -> Result<()> {
    Ok(())
}

#[activity]
async fn check_credit(_reservation: u32) -> Result<()> {
    Ok(())
}

#[orchestrator]
async fn order_as_recorded(ctx: OrchestrationContext, what: String) -> Result<u32> {
    let reservation = ctx.call_activity::<put_aside>(what).await?;
    ctx.call_activity::<charge>(reservation).await?;
    Ok(reservation)
}

/// Its inputs are others.
#[orchestrator]
async fn order_with_other_inputs(ctx: OrchestrationContext, what: String) -> Result<u32> {
    let reservation = ctx
        .call_activity::<put_aside>(format!("much {what}"))
        .await?;
    ctx.call_activity::<charge>(reservation + 1).await?;
    Ok(reservation + 1)
}

#[orchestrator]
async fn order_with_credit(ctx: OrchestrationContext, what: String) -> Result<u32> {
    let reservation = ctx.call_activity::<put_aside>(what).await?;
    ctx.call_activity::<check_credit>(reservation).await?;
    ctx.call_activity::<charge>(reservation).await?;
    Ok(reservation)
}

#[orchestrator]
async fn order_unpaid(ctx: OrchestrationContext, what: String) -> Result<u32> {
    Ok(ctx.call_activity::<put_aside>(what).await?)
}

#[orchestrator]
async fn order_by_number(ctx: OrchestrationContext, what: u32) -> Result<u32> {
    Ok(ctx.call_activity::<put_aside>(what.to_string()).await?)
}

#[orchestrator]
async fn order_without_charge(ctx: OrchestrationContext, what: String) -> Result<u32> {
    let reservation = ctx.call_activity::<put_aside>(what).await?;
    ctx.wait_for_external_event::<()>("charged").await?;
    Ok(reservation)
}

#[orchestrator]
async fn order_refused(ctx: OrchestrationContext, what: String) -> Result<u32> {
    let reservation = ctx.call_activity::<put_aside>(what).await?;
    ctx.call_activity::<charge>(reservation).await?;
    Err(Error::msg("sold out"))
}

#[orchestrator]
async fn order_by_hand(ctx: OrchestrationContext, what: String) -> Result<u32> {
    ctx.call_activity::<put_aside>(what).await?;
    #[allow_nondeterminism(await, reason = "it is what the test is about")]
    std::future::pending::<()>().await;
    Ok(0)
}

#[orchestrator(name = "order_versioned", version = "2.0")]
async fn order_versioned(ctx: OrchestrationContext, what: String) -> Result<u32> {
    Ok(ctx.call_activity::<put_aside>(what).await?)
}

const COMPLETED: &str = r#"{"ExecutionCompleted":{"result":7}}"#;
const FAILED: &str = r#"{"ExecutionFailed":{"failure":{"errorType":"E","message":"sold out"}}}"#;

#[test]
fn code_that_did_not_change_repeats_its_history() {
    let replayed = replay::<order_as_recorded>(&order("order_as_recorded")).unwrap();
    assert_eq!(replayed.instance_id, "order-1");
    assert_eq!(replayed.orchestrator, "order_as_recorded");
    assert_eq!((replayed.version, replayed.steps), (None, 2));
    assert_eq!(replayed.ending, Ending::Waiting);
    let replayed = replay_recorded(&ended("order_as_recorded", COMPLETED)).unwrap();
    assert_eq!(replayed.steps, 3);
    assert_eq!(replayed.ending, Ending::Returned(json!(7)));
}

// What calls are given may change while instances run, and so may what is returned.
#[test]
fn inputs_and_outputs_are_not_compared() {
    let recorded = ended("order_with_other_inputs", COMPLETED);
    let replayed = replay::<order_with_other_inputs>(&recorded).unwrap();
    assert_eq!(replayed.ending, Ending::Returned(json!(8)));
}

#[test]
fn a_call_put_in_between_is_told_with_its_place() {
    let found = divergence(replay_recorded(&order("order_with_credit")));
    assert_eq!((found.step, found.steps, found.event), (2, 2, 5));
    assert_eq!(found.after, ["TaskCompleted #0"]);
    assert_eq!(found.history, "call #1 of activity \"charge\"");
    assert_eq!(found.code, "made call #1 of activity \"check_credit\"");
    let text = found.to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(
        lines[..4],
        [
            "orchestrator \"order_with_credit\" does not repeat the history of instance \"order-1\"",
            "  at step 2 of 2, event 5 of the history, 2026-11-21T18:41:32.000003Z, after TaskCompleted #0",
            "  the history has: call #1 of activity \"charge\"",
            "  the code:        made call #1 of activity \"check_credit\"",
        ]
    );
    assert!(
        lines[4].starts_with("  likely causes:   The code was changed"),
        "{text}"
    );
    assert_eq!(lines.len(), 5, "{text}");
}

#[test]
fn an_end_that_came_too_early_is_told() {
    let found = divergence(replay_recorded(&order("order_unpaid")));
    assert_eq!(found.history, "call #1 of activity \"charge\"");
    assert_eq!(found.code, "returned 7");
}

// What made the code end is told, such as an input that no longer fits.
#[test]
fn an_input_that_no_longer_fits_is_told() {
    let found = divergence(replay_recorded(&order("order_by_number")));
    assert_eq!((found.step, found.event), (1, 2));
    assert_eq!(found.history, "call #0 of activity \"put_aside\"");
    assert!(found.code.starts_with("failed ("), "{found}");
    assert!(
        found
            .code
            .contains("invalid type: string \"tea\", expected u32"),
        "{found}"
    );
}

#[test]
fn a_call_that_was_left_out_is_told() {
    let found = divergence(replay_recorded(&order("order_without_charge")));
    assert_eq!(found.history, "call #1 of activity \"charge\"");
    assert_eq!(found.code, "did nothing more in this step");
}

#[test]
fn how_the_code_ended_is_compared() {
    let found = divergence(replay_recorded(&ended("order_refused", COMPLETED)));
    assert_eq!((found.step, found.steps), (3, 3));
    assert_eq!(found.history, "that the code returned 7");
    assert!(found.code.starts_with("failed (sold out"), "{found}");
    let found = divergence(replay_recorded(&ended("order_as_recorded", FAILED)));
    assert!(
        found.history.starts_with("that the code failed (sold out"),
        "{found}"
    );
    assert_eq!(found.code, "returned 7");
    let same = replay_recorded(&ended("order_refused", FAILED)).unwrap();
    assert!(matches!(same.ending, Ending::Failed(_)), "{same:?}");
    let goes_on = ended("order_as_recorded", r#""OrchestratorStarted""#);
    let found = divergence(replay_recorded(&goes_on));
    assert_eq!(found.history, "a further step");
}

// An instance that was ended from outside had not come to an end of its own.
#[test]
fn an_end_from_outside_says_nothing_of_the_code() {
    let terminated = order("order_as_recorded").replace(
        "\"input\":7}}]\n",
        "\"input\":7}}],\n[1795286492000009,{\"ExecutionTerminated\":{\"reason\":\"\"}}]\n",
    );
    assert_eq!(
        replay_recorded(&terminated).unwrap().ending,
        Ending::Waiting
    );
}

// The step in which code was found not to be deterministic counts for nothing: mended code takes it anew.
#[test]
fn code_that_was_mended_repeats_what_it_failed_in() {
    let refused = ended("order_as_recorded", "FAILED").replace(
        "FAILED",
        &json!({"ExecutionFailed": {"failure": Failure::new(Failure::NON_DETERMINISTIC, "")}})
            .to_string(),
    );
    let replayed = replay_recorded(&refused).unwrap();
    assert_eq!((replayed.steps, replayed.ending), (2, Ending::Waiting));
}

#[test]
fn code_that_awaits_something_else_is_told_as_such() {
    let found = divergence(replay_recorded(&order("order_by_hand")));
    assert_eq!(found.step, 2);
    assert_eq!(found.history, "1 earlier step and then TaskCompleted #0");
    assert!(
        found.code.contains("awaits what is not a durable task"),
        "{found}"
    );
    assert!(found.causes.contains("`std::future::pending`"), "{found}");
}

#[test]
fn the_history_of_other_code_is_refused() {
    let error = replay::<order_unpaid>(&order("order_as_recorded")).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, ReplayError::OtherCode { .. }), "{error:?}");
    for part in [
        "\"order_as_recorded\"",
        "\"order_unpaid\"",
        "`replay_recorded`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Rule 22: an instance stays on its version.
    let error = replay::<order_versioned>(&order("order_versioned")).unwrap_err();
    assert!(error.to_string().contains("in version \"2.0\""), "{error}");
}

// Rule 22: a worker that lacks the version leaves the instance alone.
#[test]
fn code_that_is_not_there_is_an_error_of_its_own() {
    for (recorded, part) in [
        (
            order("order_as_record"),
            "did you mean \"order_as_recorded\"?",
        ),
        (
            order("order_versioned"),
            "not registered in version \"(none)\"; registered: 2.0",
        ),
        (
            order("order_versioned")
                .replace("\"version\": null", "\"version\": \"1.0\"")
                .replace(
                    "\"input\":\"tea\"}}]",
                    "\"version\":\"1.0\",\"input\":\"tea\"}}]",
                )
                .replacen("\"put_aside\",\"version\":\"1.0\"", "\"put_aside\"", 1),
            "registered: 2.0",
        ),
    ] {
        let error = replay_recorded(&recorded).unwrap_err();
        assert!(matches!(error, ReplayError::NoCode { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
}
