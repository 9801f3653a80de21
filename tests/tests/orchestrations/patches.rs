//! `ctx.patched` and `ctx.deprecate_patch`: changes inside of one version.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use durable_runtime::Failure;
use durable_runtime::client::{ClientError, OrchestrationStatus};
use durable_runtime::host::HostOptions;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use serde_json::Value;

use crate::support::{Bench, LONG, count, double, within};

/// The code that is deployed, in the order in which one follows the other.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Code {
    Old,
    Patched,
    Deprecated,
    Clean,
}

use Code::{Clean, Deprecated, Old, Patched};

/// The code that each instance of these tests runs.
static DEPLOYED: Mutex<BTreeMap<String, Code>> = Mutex::new(BTreeMap::new());

fn deploy(id: &str, code: Code) {
    let mut deployed = DEPLOYED.lock().unwrap_or_else(PoisonError::into_inner);
    deployed.insert(id.to_owned(), code);
}

fn deployed(id: &str) -> Code {
    let deployed = DEPLOYED.lock().unwrap_or_else(PoisonError::into_inner);
    *deployed.get(id).expect("it is deployed")
}

/// Whether to do what is new.
fn is_new(ctx: &OrchestrationContext) -> bool {
    const ID: &str = "double twice";
    match deployed(ctx.instance_id()) {
        Old => false,
        Patched => ctx.patched(ID),
        Deprecated => {
            ctx.deprecate_patch(ID);
            true
        }
        Clean => true,
    }
}

/// Doubles once, and twice with what is new.
#[orchestrator]
async fn changes(ctx: OrchestrationContext) -> Result<i64> {
    ctx.set_custom_status("before")?;
    ctx.wait_for_external_event::<()>("go").await?;
    let is_new = is_new(&ctx);
    let mut number = ctx.call_activity::<double>(1).await?;
    if is_new {
        number = ctx.call_activity::<double>(number).await?;
    }
    ctx.set_custom_status("after")?;
    ctx.wait_for_external_event::<()>("end").await?;
    Ok(number)
}

async fn begin(id: &str, code: Code) -> Bench {
    deploy(id, code);
    let bench = Bench::start().await;
    let start = bench.client.start_new::<changes>(()).instance_id(id);
    within(start).await.unwrap();
    bench.reached(id, "before").await;
    bench
}

async fn redeploy(bench: Bench, id: &str, code: Code) -> Bench {
    let down = bench.stop().await;
    deploy(id, code);
    down.start().await
}

async fn pass(bench: &Bench, id: &str) {
    bench.raise(id, "go", ()).await;
    bench.reached(id, "after").await;
}

/// Raises what an instance waits for last, and waits for its end.
async fn end(bench: &Bench, id: &str) -> OrchestrationStatus {
    match within(bench.client.raise_event(id, "end", ())).await {
        // It has failed when it was loaded for the event.
        Ok(()) | Err(ClientError::NotRunning { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    within(bench.client.wait_for_completion(id, LONG))
        .await
        .unwrap()
}

async fn marks(bench: &Bench, id: &str) -> usize {
    let history = bench.history(id).await;
    count(&history, |event| {
        matches!(event, EventKind::PatchMarked { .. })
    })
}

/// The output of an instance that passes the line with the code `before`, and ends with that of `after`.
async fn output(id: &str, before: Code, after: Code) -> Option<Value> {
    let bench = begin(id, before).await;
    pass(&bench, id).await;
    let bench = redeploy(bench, id, after).await;
    let ended = end(&bench, id).await;
    assert_eq!(ended.failure, None, "{before:?}, then {after:?}");
    ended.output
}

async fn difference(id: &str, before: Code, after: Code) -> String {
    let bench = begin(id, before).await;
    pass(&bench, id).await;
    let bench = redeploy(bench, id, after).await;
    let failure = end(&bench, id).await.failure.expect("it has failed");
    assert_eq!(failure.error_type(), Failure::NON_DETERMINISTIC);
    failure.message().to_owned()
}

// Rule 22: `patched` is false where a history has passed the line without the patch.
#[tokio::test]
async fn an_instance_that_has_passed_the_line_does_what_is_old() {
    assert_eq!(output("passed", Old, Patched).await, Some(2.into()));
}

// Rule 22: `patched` is true for instances that reach the line first with the new code, and stays so.
#[tokio::test]
async fn an_instance_that_reaches_the_line_first_does_what_is_new() {
    let id = "reaches";
    let bench = begin(id, Old).await;
    let bench = redeploy(bench, id, Patched).await;
    pass(&bench, id).await;
    assert_eq!(marks(&bench, id).await, 1);
    let bench = bench.restart().await.crash().await;
    assert_eq!(end(&bench, id).await.output, Some(4.into()));
    assert_eq!(marks(&bench, id).await, 1);
}

// Rule 22: `patched` is true for instances that start with the new code.
#[tokio::test]
async fn an_instance_that_starts_with_the_patch_does_what_is_new() {
    assert_eq!(output("starts", Patched, Patched).await, Some(4.into()));
}

// Rule 23: the mark is part of the history: code that does not ask for the patch does not repeat it, whatever
// else it does.
#[tokio::test]
async fn code_without_the_patch_does_not_repeat_the_mark() {
    for (id, code) in [("without: old", Old), ("without: clean", Clean)] {
        let message = difference(id, Patched, code).await;
        let wanted = "at step 2: the history has the mark of patch \"double twice\", the code made \
                      call #1 of activity \"double\".";
        assert!(message.contains(wanted), "{message}");
    }
}

// Rules 8 and 22: an instance that met code without the patch, as a rollback brings it about, is rewound when
// the patch is back.
#[tokio::test]
async fn a_rollback_can_be_taken_back() {
    let id = "rolled back";
    let bench = begin(id, Patched).await;
    pass(&bench, id).await;
    let bench = redeploy(bench, id, Old).await;
    assert!(end(&bench, id).await.failure.is_some());
    let bench = redeploy(bench, id, Patched).await;
    within(bench.client.rewind(id, "the patch is back"))
        .await
        .unwrap();
    assert_eq!(end(&bench, id).await.output, Some(4.into()));
}

// Rule 22: with `deprecate_patch` instances with the mark go on, and those without do not, for they did what is old.
#[tokio::test]
async fn a_deprecated_patch_takes_the_mark() {
    assert_eq!(
        output("deprecated", Patched, Deprecated).await,
        Some(4.into())
    );
    let message = difference("deprecated too early", Old, Deprecated).await;
    assert!(message.contains("the history has"), "{message}");
}

// Rule 22: what begins with `deprecate_patch` goes on with the code before it and with the code after it.
#[tokio::test]
async fn a_deprecated_patch_is_the_step_between() {
    assert_eq!(
        output("then clean", Deprecated, Clean).await,
        Some(4.into())
    );
    assert_eq!(output("back", Deprecated, Patched).await, Some(4.into()));
}

#[orchestrator]
async fn asks_twice(ctx: OrchestrationContext) -> Result<(bool, bool)> {
    let first = is_new(&ctx);
    ctx.set_custom_status("before")?;
    ctx.wait_for_external_event::<()>("go").await?;
    let second = is_new(&ctx);
    Ok((first, second))
}

// Rule 22: the answer is the same for the same id within an execution.
#[tokio::test]
async fn the_answer_stays_the_same() {
    for (id, code) in [("asks, old", Old), ("asks, patched", Patched)] {
        deploy(id, code);
        let bench = Bench::start().await;
        let start = bench.client.start_new::<asks_twice>(()).instance_id(id);
        within(start).await.unwrap();
        bench.reached(id, "before").await;
        let bench = redeploy(bench, id, Patched).await;
        bench.raise(id, "go", ()).await;
        let ended = within(bench.client.wait_for_completion(id, LONG))
            .await
            .unwrap();
        let both = code == Patched;
        assert_eq!(ended.output_as::<(bool, bool)>().unwrap(), (both, both));
        assert_eq!(marks(&bench, id).await, usize::from(both));
    }
}

#[orchestrator]
async fn asks_in_each_generation(
    ctx: OrchestrationContext,
    before: Option<bool>,
) -> Result<(bool, bool)> {
    let is_new = is_new(&ctx);
    ctx.set_custom_status("before")?;
    ctx.wait_for_external_event::<()>("go").await?;
    match before {
        None => ctx.continue_as_new(is_new),
        Some(before) => Ok((before, is_new)),
    }
}

// Rules 19 and 22: the next execution has a history of its own, and asks anew.
#[tokio::test]
async fn each_generation_asks_anew() {
    let id = "generations of a patch";
    deploy(id, Old);
    let bench = Bench::start().await;
    let start = bench
        .client
        .start_new::<asks_in_each_generation>(None)
        .instance_id(id);
    within(start).await.unwrap();
    bench.reached(id, "before").await;
    let bench = redeploy(bench, id, Patched).await;
    bench.raise(id, "go", ()).await;
    bench.raise(id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(id, LONG))
        .await
        .unwrap();
    assert_eq!(ended.output_as::<(bool, bool)>().unwrap(), (false, true));
}

#[orchestrator]
async fn fails_without_the_patch(ctx: OrchestrationContext) -> Result<i64> {
    ctx.wait_for_external_event::<()>("go").await?;
    if !is_new(&ctx) {
        return Err(Error::msg("not mended"));
    }
    Ok(ctx.call_activity::<double>(1).await?)
}

// Rules 8 and 22: a step in which the code failed without doing anything runs again after a rewind, and so has
// the patch.
#[tokio::test]
async fn a_rewound_step_has_the_patch() {
    let id = "rewound with a patch";
    deploy(id, Old);
    let bench = Bench::with(HostOptions::default()).await;
    let start = bench
        .client
        .start_new::<fails_without_the_patch>(())
        .instance_id(id);
    within(start).await.unwrap();
    bench.raise(id, "go", ()).await;
    let ended = within(bench.client.wait_for_completion(id, LONG))
        .await
        .unwrap();
    assert_eq!(ended.failure.unwrap().message(), "not mended");
    deploy(id, Patched);
    within(bench.client.rewind(id, "mended")).await.unwrap();
    let ended = within(bench.client.wait_for_completion(id, LONG))
        .await
        .unwrap();
    assert_eq!(ended.output, Some(2.into()));
    assert_eq!(marks(&bench, id).await, 1);
}
