//! A call is a durable task as any other.

use std::time::Duration;

use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::{Failure, TaskFailed};

use crate::server::{Reply, Server};
use crate::support::{Bench, eventually, within};

async fn run<O: durable_runtime::Orchestrator<Input = String>>(
    bench: &Bench,
    url: String,
) -> (String, O::Output) {
    let run = within(bench.client.start_new::<O>(url)).await.unwrap();
    let output = within(run.output()).await;
    (run.id().to_owned(), output.unwrap())
}

#[orchestrator]
async fn many(ctx: OrchestrationContext, url: String) -> Result<Vec<String>> {
    let call = |path: &str| ctx.call_http(DurableHttpRequest::get(format!("{url}{path}")));
    let early = call("early").start();
    let (a, b) = join!(call("a"), call("b"));
    let rest = when_all((0..3).map(|number| call(&number.to_string()))).await?;
    let mut answers = vec![early.await?, a?, b?];
    answers.extend(rest);
    Ok(answers.into_iter().map(|answer| answer.content).collect())
}

#[tokio::test]
async fn calls_are_combined_and_started() {
    // A server that polls, to have several steps in each.
    let server = Server::start(|request| match request.path.strip_suffix("/status") {
        Some(path) => Reply::ok(path[1..].to_owned()),
        None => Reply::status(202)
            .header("Location", &format!("{}/status", request.path))
            .header("Retry-After", "0"),
    })
    .await;
    let bench = Bench::start().await;
    let (id, answers) = run::<many>(&bench, server.url("/")).await;
    assert_eq!(answers, ["early", "a", "b", "0", "1", "2"]);
    assert_eq!(server.lines().len(), 12);
    // What was started and what was joined went out together.
    let history = bench.history(&id).await;
    let first = history
        .iter()
        .filter(|event| event.timestamp == history[1].timestamp);
    let sent = first.filter(|event| matches!(event.kind, EventKind::TaskScheduled { .. }));
    assert_eq!(sent.count(), 3);
}

#[orchestrator]
async fn gives_up(ctx: OrchestrationContext, url: String) -> Result<bool> {
    let mut call = ctx.call_http(DurableHttpRequest::get(url));
    let timed_out = select! {
        _ = &mut call => false,
        _ = ctx.sleep(Duration::from_millis(50)) => true,
    };
    drop(call);
    // Longer than the poll would have waited.
    ctx.sleep(Duration::from_millis(400)).await;
    Ok(timed_out)
}

// Rule 16: dropping a call cancels the timer of its poll.
#[tokio::test]
async fn a_call_that_is_dropped_asks_no_more() {
    let server = Server::start(|_| {
        Reply::status(202)
            .header("Location", "/")
            .header("Retry-After", "0")
    })
    .await;
    let bench = Bench::start().await;
    let (id, timed_out) = run::<gives_up>(&bench, server.url("/")).await;
    assert!(timed_out);
    assert_eq!(server.lines(), ["GET /"]);
    let history = bench.history(&id).await;
    let fired = history
        .iter()
        .filter(|event| matches!(event.kind, EventKind::TimerFired { .. }));
    // The two of the orchestrator's own.
    assert_eq!(fired.count(), 2);
}

#[orchestrator]
async fn settings_on_the_task(ctx: OrchestrationContext, url: String) -> Result<(u16, bool)> {
    let retried = ctx
        .call_http(DurableHttpRequest::get(format!("{url}busy")))
        .retry(RetryPolicy::new(2, Duration::from_millis(1)))
        .await?;
    let call = ctx.call_http(DurableHttpRequest::get(format!("{url}slow")));
    let slow: Result<DurableHttpResponse, TaskFailed> =
        call.start().timeout(Duration::from_millis(50)).await;
    let is_timeout = slow.is_err_and(|failed| failed.is_timeout());
    Ok((retried.status_code, is_timeout))
}

#[tokio::test]
async fn retries_and_time_limit_can_be_set_on_the_task() {
    let server = Server::start(|request| match (request.number, request.path.as_str()) {
        (_, "/slow") => Reply::raw("").stall(),
        (0, _) => Reply::status(500),
        _ => Reply::status(204),
    })
    .await;
    let bench = Bench::start().await;
    let (_, output) = run::<settings_on_the_task>(&bench, server.url("/")).await;
    assert_eq!(output, (204, true));
    assert_eq!(server.lines(), ["GET /busy", "GET /busy", "GET /slow"]);
}

#[orchestrator]
async fn not_valid(ctx: OrchestrationContext, url: String) -> Result<Vec<String>> {
    let requests = [
        DurableHttpRequest::get(""),
        DurableHttpRequest::new("NO GO", &url),
        DurableHttpRequest::post(&url)
            .json(f64::NAN)
            .header("a b", "c"),
    ];
    let mut messages = Vec::new();
    for request in requests {
        let failed = ctx.call_http(request).await.expect_err("it is not valid");
        assert_eq!(failed.error_type(), Failure::HTTP);
        assert!(failed.is_non_retriable());
        messages.push(failed.message().to_owned());
    }
    Ok(messages)
}

#[tokio::test]
async fn a_request_that_is_not_valid_fails_where_it_is_awaited() {
    let server = Server::start(|_| Reply::ok("")).await;
    let bench = Bench::start().await;
    let (id, messages) = run::<not_valid>(&bench, server.url("/")).await;
    for (message, expected) in messages
        .iter()
        .zip(["absolute URL", "\"NO GO\"", "\"a b\""])
    {
        assert!(message.contains(expected), "{message}");
    }
    assert!(server.lines().is_empty());
    // Nothing was scheduled.
    let history = bench.history(&id).await;
    assert!(!history.iter().any(|event| event.kind.is_action()));
}

#[tokio::test]
async fn the_end_of_an_orchestration_ends_its_request() {
    let server = Server::start(|_| Reply::raw("").stall()).await;
    let bench = Bench::start().await;
    let run = bench.begin(DurableHttpRequest::get(server.url("/"))).await;
    eventually(async || (!server.lines().is_empty()).then_some(())).await;
    within(bench.client.terminate(run.id(), "enough"))
        .await
        .unwrap();
    let ended = within(run.output()).await;
    assert!(ended.is_err(), "{ended:?}");
    eventually(async || (server.open() == 0).then_some(())).await;
}
