//! When a request is sent again: rule 28, for what a server answers.

use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::http::{DurableHttpRequest, HttpRetryOptions};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;

use crate::server::{Reply, Server};
use crate::support::{Bench, within};

const SHORT: Duration = Duration::from_millis(10);

// Rule 28: delays are durable timers, and grow.
#[tokio::test]
async fn error_answers_are_retried_by_durable_timers() {
    let server = Server::start(|request| match request.number {
        0 => Reply::status(503),
        1 => Reply::status(404),
        2 => Reply::raw(""),
        _ => Reply::ok("at last"),
    })
    .await;
    let bench = Bench::start().await;
    let options = HttpRetryOptions::new(4, SHORT).backoff(2.0);
    let request = DurableHttpRequest::post(server.url("/"))
        .json(1)
        .retry(options);
    let run = bench.begin(request).await;
    let response = within(run.output()).await.unwrap();
    assert_eq!(response.content, "at last");
    assert_eq!(server.lines(), ["POST /"; 4]);
    assert!(server.received().iter().all(|request| request.body == "1"));
    let history = bench.history(run.id()).await;
    let delays: Vec<_> = history
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::TimerCreated { fire_at, .. } => {
                Some((fire_at - event.timestamp).num_milliseconds())
            }
            _ => None,
        })
        .collect();
    assert_eq!(delays, [10, 20, 40]);
}

#[tokio::test]
async fn the_last_answer_or_failure_is_the_one_reported() {
    let server = Server::start(|request| match request.path.as_str() {
        "/broken" => Reply::raw(""),
        _ => Reply::status(500).body(format!("{}", request.number)),
    })
    .await;
    let bench = Bench::start().await;
    let get = |path| DurableHttpRequest::get(server.url(path)).retry(RetryPolicy::new(3, SHORT));
    let response = bench.response(get("/")).await;
    assert_eq!(
        (response.status_code, response.content.as_str()),
        (500, "2")
    );
    let failure = bench.failure(get("/broken")).await;
    assert_eq!(failure.error_type(), Failure::HTTP);
    assert_eq!(server.lines().len(), 6);
}

#[tokio::test]
async fn only_the_wanted_status_codes_are_retried() {
    let server = Server::start(|request| match request.number {
        0 => Reply::status(429),
        _ => Reply::status(404),
    })
    .await;
    let bench = Bench::start().await;
    let options = HttpRetryOptions::new(5, SHORT).status_codes([429]);
    let request = DurableHttpRequest::get(server.url("/")).retry(options);
    assert_eq!(bench.response(request).await.status_code, 404);
    assert_eq!(server.lines().len(), 2);
    // Without options, none is.
    let request = DurableHttpRequest::get(server.url("/"));
    assert_eq!(bench.response(request).await.status_code, 404);
    assert_eq!(server.lines().len(), 3);
}

// Rule 44: a server that is too busy says when it is less so.
#[tokio::test]
async fn a_retry_waits_as_long_as_the_server_says() {
    let server = Server::start(|_| Reply::status(429).header("Retry-After", "3600")).await;
    let bench = Bench::start().await;
    let patient = HttpRetryOptions::new(5, SHORT).max_interval(SHORT);
    let request = DurableHttpRequest::get(server.url("/"));
    let run = bench.begin(request.clone().retry(patient.clone())).await;
    let (made, due) = bench.timer(run.id()).await;
    assert_eq!((due - made).num_seconds(), 3600);
    // That is longer than anyone wants to wait.
    let request = request.retry(patient.timeout(Duration::from_secs(60)));
    assert_eq!(bench.response(request).await.status_code, 429);
}

#[tokio::test]
async fn each_request_of_a_poll_has_its_own_attempts() {
    let server = Server::start(|request| match request.number {
        1 => Reply::status(202).header("Location", "/status"),
        3 | 5 => Reply::status(202),
        7 => Reply::ok("done"),
        _ => Reply::status(503),
    })
    .await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::post(server.url("/")).retry(RetryPolicy::new(2, SHORT));
    assert_eq!(bench.response(request).await.content, "done");
    let mut expected = vec!["POST /"; 2];
    expected.extend(["GET /status"; 6]);
    assert_eq!(server.lines(), expected);
}

// Rule 29: what trying again cannot mend is not tried again.
#[tokio::test]
async fn a_request_that_cannot_be_sent_is_not_retried() {
    let bench = Bench::start().await;
    let retry = RetryPolicy::new(5, Duration::from_secs(3600));
    for url in ["http://169.254.169.254/", "no url", "http://127.0.0.1:1/"] {
        let request = DurableHttpRequest::get(url).token_source("unknown");
        let failure = bench.failure(request.retry(retry.clone())).await;
        assert!(failure.is_non_retriable(), "{url}: {failure}");
    }
}
