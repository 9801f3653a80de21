//! A call is a durable task as any other.

use std::time::Duration;

use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse};
use durable_runtime::model::{EventKind, HistoryEvent};
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use durable_runtime::{Failure, TaskFailed};

use crate::server::{Reply, Server};
use crate::support::{Bench, eventually, within};
use crate::virtual_time::{Asked, DAY, POLL_INTERVAL, URL, calm_and_crashing, mock};

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

/// A job that is done when it is asked for again.
fn job(asked: &Asked) -> DurableHttpResponse {
    let path = asked.request.url().strip_prefix(URL).unwrap_or_default();
    if let Some(path) = path.strip_suffix("/status") {
        return DurableHttpResponse::new(200, path);
    }
    let mut accepted = DurableHttpResponse::new(202, "");
    let location = format!("/{path}/status");
    accepted.headers.insert("Location", location);
    accepted
}

#[durable_runtime::test(seeds = 10)]
async fn calls_are_combined_and_started(host: TestHost) {
    let http = mock(&host, |asked| Ok(job(asked)));
    let run = host.start::<many>(URL).await.unwrap();
    let answers = run.output().await.unwrap();
    assert_eq!(answers, ["early", "a", "b", "0", "1", "2"]);
    http.expect_calls(12);
    // What was joined is waited for together, and so is what is in a list. What was started goes on with its
    // poll when it is awaited.
    assert_eq!(host.elapsed(), 3 * POLL_INTERVAL);
    // What was started and what was joined went out together.
    let history = host.history(run.id()).unwrap();
    let events = history.events();
    let first = events
        .iter()
        .filter(|event| event.timestamp == events[1].timestamp);
    let sent = first.filter(|event| matches!(event.kind, EventKind::TaskScheduled { .. }));
    assert_eq!(sent.count(), 3);
}

#[orchestrator]
async fn gives_up(ctx: OrchestrationContext, url: String) -> Result<bool> {
    let mut call = ctx.call_http(DurableHttpRequest::get(url));
    let timed_out = select! {
        _ = &mut call => false,
        () = ctx.sleep(POLL_INTERVAL / 2) => true,
    };
    drop(call);
    // Longer than the poll would have waited.
    ctx.sleep(DAY).await;
    Ok(timed_out)
}

// Rule 16: dropping a call cancels the timer of its poll.
#[test]
fn a_call_that_is_dropped_asks_no_more() {
    calm_and_crashing(async |host| {
        let http = mock(&host, |asked| Ok(job(asked)));
        let run = host.start::<gives_up>(URL).await.unwrap();
        assert!(run.output().await.unwrap());
        http.expect_calls(1);
        assert_eq!(host.elapsed(), DAY + POLL_INTERVAL / 2);
        let history = host.history(run.id()).unwrap();
        let fired = |event: &&HistoryEvent| matches!(event.kind, EventKind::TimerFired { .. });
        // The two of the orchestrator's own.
        let fired = history.events().iter().filter(fired);
        assert_eq!(fired.count(), 2);
    });
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
