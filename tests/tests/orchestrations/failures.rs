//! How activities and orchestrators fail.

use std::fmt;

use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;
use durable_runtime::{Failure, TaskFailed};
use serde::{Deserialize, Serialize};

use crate::support::{Bench, double, within};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
enum StockError {
    #[error("only {left} left")]
    TooFew { left: u32 },
}

#[derive(Debug)]
struct Opaque(std::io::Error);

impl fmt::Display for Opaque {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("opaque")
    }
}

impl std::error::Error for Opaque {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

#[activity]
async fn too_few(left: u32) -> Result<u32, StockError> {
    Err(StockError::TooFew { left })
}

#[activity]
async fn opaque() -> Result<(), Opaque> {
    Err(Opaque(std::io::Error::other("the disk is gone")))
}

#[activity]
async fn by_question_mark(text: String) -> Result<u32> {
    Ok(text.parse::<u32>()?)
}

#[orchestrator]
async fn looks_at_failures(ctx: OrchestrationContext) -> Result<()> {
    let failed: TaskFailed = ctx.call_activity::<too_few>(3u32).await.unwrap_err();
    assert_eq!(failed.name(), "too_few");
    assert_eq!(failed.message(), "only 3 left");
    assert_eq!(failed.error_type(), std::any::type_name::<StockError>());
    assert!(failed.is::<StockError>() && !failed.is::<Opaque>());
    assert_eq!(failed.details(), Some(StockError::TooFew { left: 3 }));
    assert!(!failed.is_non_retriable() && !failed.is_timeout());
    assert!(failed.inner().is_none());

    let failed = ctx.call_activity::<opaque>(()).await.unwrap_err();
    assert!(failed.is::<Opaque>());
    assert_eq!(failed.inner().unwrap().message(), "the disk is gone");
    assert!(failed.details::<StockError>().is_none());

    let failed = ctx
        .call_activity::<by_question_mark>("x")
        .await
        .unwrap_err();
    assert!(failed.is::<std::num::ParseIntError>());
    assert!(std::error::Error::source(&failed).is_some());
    Ok(())
}

// Rule 31: the error of an activity crosses whole.
#[tokio::test]
async fn the_error_of_an_activity_crosses_whole() {
    let bench = Bench::start().await;
    bench.output::<looks_at_failures>(()).await;
}

#[orchestrator]
async fn returns_its_own_error(_ctx: OrchestrationContext) -> Result<(), StockError> {
    Err(StockError::TooFew { left: 1 })
}

// Rules 18 and 31: `Err` in orchestrator code fails it, with type, message and details.
#[tokio::test]
async fn the_error_of_an_orchestrator_crosses_whole() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<returns_its_own_error>(()).await;
    let failure = crate::support::failure_of(within(run.output()).await);
    assert_eq!(failure.details(), Some(StockError::TooFew { left: 1 }));
    assert_eq!(failure.message(), "only 1 left");
    let status = bench.status(run.id()).await;
    assert_eq!(status.runtime_status.to_string(), "Failed");
    assert_eq!(status.failure, Some(failure));
}

#[activity]
async fn panics_async(text: String) -> Result<()> {
    panic!("async {text}")
}

#[activity]
fn panics_plain(text: String) -> Result<()> {
    panic!("plain {text}")
}

#[activity]
async fn panics_with_a_value() -> Result<()> {
    std::panic::panic_any(42)
}

#[orchestrator]
async fn sees_panics(ctx: OrchestrationContext) -> Result<Vec<(String, String)>> {
    let tasks = [
        ctx.call_activity::<panics_async>("one"),
        ctx.call_activity::<panics_plain>("two"),
        ctx.call_activity::<panics_with_a_value>(()),
    ];
    let mut seen = Vec::new();
    for task in tasks {
        let failed = task.await.unwrap_err();
        seen.push((failed.error_type().to_owned(), failed.message().to_owned()));
    }
    Ok(seen)
}

// Rule 18: a panic in an activity, async or plain, is a failure of the call.
#[tokio::test]
async fn a_panic_in_an_activity_is_a_failure() {
    let bench = Bench::start().await;
    let seen = bench.output::<sees_panics>(()).await;
    assert!(seen.iter().all(|(kind, _)| kind == Failure::PANIC));
    let messages: Vec<_> = seen.iter().map(|(_, message)| message.as_str()).collect();
    assert_eq!(messages[..2], ["async one", "plain two"]);
    assert!(messages[2].contains("not text"));
}

#[orchestrator]
async fn panics(ctx: OrchestrationContext, after: bool) -> Result<()> {
    if after {
        ctx.call_activity::<double>(1).await?;
    }
    panic!("orchestrator {after}")
}

// Rule 18: a panic in an orchestrator fails it, and takes nothing else down.
#[tokio::test]
async fn a_panic_in_an_orchestrator_fails_it() {
    let bench = Bench::start().await;
    for after in [false, true] {
        let failure = bench.failure::<panics>(after).await;
        assert_eq!(failure.error_type(), Failure::PANIC);
        assert_eq!(failure.message(), format!("orchestrator {after}"));
    }
    bench.output::<looks_at_failures>(()).await;
}

#[orchestrator]
async fn calls_the_unknown(ctx: OrchestrationContext) -> Result<Vec<(String, bool)>> {
    let activity = ctx.call_activity_by_name::<()>("doubel", 1).await;
    let near = ctx.call_sub_orchestrator_by_name::<()>("looks_at_failure", ());
    let far = ctx.call_activity_by_name::<()>("0123456789", ()).await;
    let failed = [activity, near.await, far].map(Result::unwrap_err);
    assert!(
        failed
            .iter()
            .all(|failed| failed.error_type() == Failure::NOT_REGISTERED)
    );
    let text = |failed: TaskFailed| (failed.message().to_owned(), failed.is_non_retriable());
    Ok(failed.map(text).into())
}

// Rule 17: the caller's task fails for good, naming what is unknown and the nearest known name.
#[tokio::test]
async fn what_is_not_registered_fails_the_task_of_its_caller() {
    let bench = Bench::start().await;
    let seen = bench.output::<calls_the_unknown>(()).await;
    assert!(seen.iter().all(|(_, is_non_retriable)| *is_non_retriable));
    assert!(seen[0].0.contains("\"doubel\"") && seen[0].0.contains("\"double\""));
    assert!(seen[1].0.contains("\"looks_at_failures\""), "{}", seen[1].0);
    assert!(seen[2].0.contains("\"0123456789\""), "{}", seen[2].0);
}

#[orchestrator]
async fn calls_what_is_left_out(ctx: OrchestrationContext) -> Result<String> {
    let failed = ctx.call_activity::<double>(1).await.unwrap_err();
    Ok(failed.message().to_owned())
}

// Rule 17: also when the function exists and this host was not given it.
#[tokio::test]
async fn what_a_host_was_not_given_fails_the_task() {
    let host = DurableHost::builder()
        .storage(Memory::new())
        .without_discovery()
        .register::<calls_what_is_left_out>();
    let host = within(host.start()).await.unwrap();
    let start = host.client().start_new::<calls_what_is_left_out>(());
    let run = within(start).await.unwrap();
    let message = within(run.output()).await.unwrap();
    assert!(
        message.contains("\"double\" is not registered"),
        "{message}"
    );
    let unknown = within(host.client().start_new::<panics>(false)).await;
    assert!(unknown.is_err());
}

#[orchestrator]
async fn wants_a_pair(_ctx: OrchestrationContext, pair: (u8, u8)) -> Result<u8> {
    Ok(pair.0 + pair.1)
}

#[orchestrator]
async fn gives_misfits(ctx: OrchestrationContext) -> Result<Vec<(String, String)>> {
    let activity = ctx.call_activity_by_name::<i64>("double", "text").await;
    let child = ctx.call_sub_orchestrator_by_name::<i64>("wants_a_pair", "text");
    let child = child.await;
    let output = ctx.call_activity_by_name::<String>("double", 1).await;
    let failed = [
        activity.unwrap_err(),
        child.unwrap_err(),
        output.unwrap_err(),
    ];
    assert!(failed.iter().all(TaskFailed::is_non_retriable));
    let text = |failed: TaskFailed| (failed.error_type().to_owned(), failed.message().to_owned());
    Ok(failed.map(text).into())
}

// Rules 17 and 29: an input or output that does not fit is a failure that says what and why.
#[tokio::test]
async fn what_does_not_fit_its_type_is_a_failure() {
    let bench = Bench::start().await;
    let seen = bench.output::<gives_misfits>(()).await;
    let names = ["\"double\"", "\"wants_a_pair\"", "\"double\""];
    let types = ["i64", "(u8, u8)", "String"];
    for ((seen, name), wanted) in seen.iter().zip(names).zip(types) {
        assert_eq!(seen.0, Failure::SERIALIZATION);
        assert!(seen.1.contains(name) && seen.1.contains(wanted), "{seen:?}");
    }
    let run = bench.client.start_new_by_name("wants_a_pair", "text");
    let run = within(run).await.unwrap();
    let failure = crate::support::failure_of(within(run.output()).await);
    assert_eq!(failure.error_type(), Failure::SERIALIZATION);
}

#[activity]
async fn much(bytes: usize) -> Result<String> {
    Ok("x".repeat(bytes))
}

#[activity]
async fn length(text: String) -> Result<usize> {
    Ok(text.len())
}

#[orchestrator]
async fn returns_much(_ctx: OrchestrationContext, bytes: usize) -> Result<String> {
    Ok("x".repeat(bytes))
}

#[orchestrator]
async fn passes_much(ctx: OrchestrationContext) -> Result<Vec<(String, bool)>> {
    let fits = 2_048 - 2;
    ctx.call_activity::<length>("x".repeat(fits)).await?;
    ctx.call_activity::<much>(fits).await?;
    ctx.call_sub_orchestrator::<returns_much>(fits).await?;
    let input = ctx.call_activity::<length>("x".repeat(fits + 1)).await;
    let output = ctx.call_activity::<much>(fits + 1).await;
    let child = ctx.call_sub_orchestrator::<returns_much>(fits + 1).await;
    let failed = [input.unwrap_err(), output.unwrap_err(), child.unwrap_err()];
    let text = |failed: TaskFailed| {
        let says_limit = failed.message().contains("limit of 2048 bytes");
        (failed.error_type().to_owned(), says_limit)
    };
    Ok(failed.map(text).into())
}

// Payloads over `max_payload_bytes` fail the call, in both directions; those at the limit do not.
#[tokio::test]
async fn payloads_over_the_limit_fail_the_call() {
    let options = HostOptions {
        max_payload_bytes: 2_048,
        ..HostOptions::default()
    };
    let bench = Bench::with(options).await;
    let seen = bench.output::<passes_much>(()).await;
    let expected = (Failure::PAYLOAD_TOO_LARGE.to_owned(), true);
    assert_eq!(seen, vec![expected; 3]);
    let failure = bench.failure::<returns_much>(2_047usize).await;
    assert_eq!(failure.error_type(), Failure::PAYLOAD_TOO_LARGE);
}
