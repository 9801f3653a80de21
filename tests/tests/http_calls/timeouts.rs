//! Answers that do not come in time.

use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::client::ClientError;
use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse, HttpCallOptions};
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::server::{Reply, Server};
use crate::support::{Bench, builder, call, quick};
use crate::virtual_time::{HOUR, MINUTE, URL, calm_and_crashing, mock};

const SHORT: Duration = Duration::from_millis(50);

/// A server that never says the whole of it, the first `times` times.
async fn slow(times: usize) -> Server {
    Server::start(move |request| {
        if request.number >= times {
            return Reply::ok("whole");
        }
        match request.path.as_str() {
            "/silent" => Reply::raw("").stall(),
            _ => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").stall(),
        }
    })
    .await
}

#[tokio::test]
async fn a_slow_answer_ends_with_the_time_limit_of_the_call() {
    let server = slow(usize::MAX).await;
    let bench = Bench::start().await;
    for path in ["/silent", "/half"] {
        let request = DurableHttpRequest::get(server.url(path)).timeout(SHORT);
        let failure = bench.failure(request).await;
        assert!(failure.is_timeout(), "{path}: {failure}");
    }
}

#[test]
fn the_time_limit_counts_retries_and_polling() {
    calm_and_crashing(async |host| {
        let http = mock(&host, |asked| {
            let polled = asked.request.url().ends_with("/job");
            let mut answer = DurableHttpResponse::new(if polled { 202 } else { 503 }, "");
            answer.headers.insert("Location", "/job");
            answer.headers.insert("Retry-After", "3600");
            Ok(answer)
        });
        let retry = RetryPolicy::new(5, HOUR);
        for path in ["job", "busy"] {
            let began = host.elapsed();
            let request = DurableHttpRequest::get(format!("{URL}{path}"))
                .retry(retry.clone())
                .timeout(150 * MINUTE);
            let failure = match host.run::<call>(request).await {
                Err(ClientError::Failed(failure)) => failure.inner().unwrap().clone(),
                other => panic!("it has not failed: {other:?}"),
            };
            assert_eq!(failure.error_type(), Failure::TIMEOUT, "{path}");
            assert!(failure.message().contains("9000s"), "{failure}");
            assert_eq!(host.elapsed(), began + 150 * MINUTE, "{path}");
        }
        // At the beginning, and after one hour and two.
        http.expect_calls(2 * 3);
    });
}

#[tokio::test]
async fn an_attempt_has_the_time_limit_of_the_host_and_can_be_retried() {
    let server = slow(2).await;
    let options = HttpCallOptions {
        request_timeout: SHORT,
        ..quick()
    };
    let bench = Bench::of(builder(Memory::new()).http_calls(options)).await;
    let request = DurableHttpRequest::get(server.url("/half?code=hush"));
    let failure = bench.failure(request.clone()).await;
    assert!(failure.is_timeout(), "{failure}");
    assert!(failure.message().contains("within 50ms"), "{failure}");
    assert!(!failure.message().contains("hush"), "{failure}");
    let response = bench
        .response(request.retry(RetryPolicy::new(2, SHORT)))
        .await;
    assert_eq!(response.content, "whole");
    assert_eq!(server.lines().len(), 3);
}
