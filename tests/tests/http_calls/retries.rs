//! When a request is sent again: rule 28, for what a server answers.

use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse, HttpRetryOptions};
use durable_runtime::prelude::*;

use crate::server::{Reply, Server};
use crate::support::{Bench, call};
use crate::virtual_time::{HOUR, POLL_INTERVAL, URL, calm_and_crashing, lines, mock};

const SHORT: Duration = Duration::from_millis(10);

// Rule 28: delays are durable timers, and grow.
#[test]
fn error_answers_are_retried_by_durable_timers() {
    calm_and_crashing(async |host| {
        let http = mock(&host, |asked| match asked.number {
            0 => Ok(DurableHttpResponse::new(503, "")),
            1 => Ok(DurableHttpResponse::new(404, "")),
            2 => Err(Error::msg("nobody listens")),
            _ => Ok(DurableHttpResponse::new(200, "at last")),
        });
        let options = HttpRetryOptions::new(4, HOUR).backoff(2.0);
        let request = DurableHttpRequest::post(URL).json(1).retry(options);
        let response = host.run::<call>(request).await.unwrap();
        assert_eq!(response.content, "at last");
        http.expect_calls(4);
        assert_eq!(host.elapsed(), (1 + 2 + 4) * HOUR);
    });
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
#[test]
fn a_retry_waits_as_long_as_the_server_says() {
    calm_and_crashing(async |host| {
        let http = mock(&host, |asked| {
            let mut busy = DurableHttpResponse::new(429, "");
            match asked.number {
                0 => busy.headers.insert("Retry-After", "86400"),
                // Two days after that.
                1 => busy
                    .headers
                    .insert("Retry-After", "Thu, 04 Jan 2024 00:00:00 GMT"),
                // Less than the policy wants.
                2 => busy.headers.insert("Retry-After", "1"),
                _ => return Ok(DurableHttpResponse::new(200, "")),
            }
            Ok(busy)
        });
        let patient = HttpRetryOptions::new(5, HOUR).max_interval(HOUR);
        let request = DurableHttpRequest::get(URL).retry(patient);
        assert_eq!(host.run::<call>(request).await.unwrap().status_code, 200);
        http.expect_calls(4);
        assert_eq!(host.elapsed(), (24 + 48 + 1) * HOUR);
    });
}

// Rules 28 and 44: what is longer than the retry timeout is not waited for.
#[test]
fn a_server_that_asks_for_more_time_than_there_is_has_the_last_word() {
    calm_and_crashing(async |host| {
        let http = mock(&host, |_| {
            let mut busy = DurableHttpResponse::new(429, "");
            busy.headers.insert("Retry-After", "86400");
            Ok(busy)
        });
        let options = HttpRetryOptions::new(5, HOUR).timeout(23 * HOUR);
        let request = DurableHttpRequest::get(URL).retry(options);
        assert_eq!(host.run::<call>(request).await.unwrap().status_code, 429);
        http.expect_calls(1);
        assert_eq!(host.elapsed(), Duration::ZERO);
    });
}

// Rules 28 and 44: the attempts are counted anew for each request of a poll.
#[test]
fn each_request_of_a_poll_has_its_own_attempts() {
    calm_and_crashing(async |host| {
        let http = mock(&host, |asked| {
            let mut accepted = DurableHttpResponse::new(202, "");
            match asked.number {
                1 => accepted.headers.insert("Location", "/status"),
                3 | 5 => {}
                7 => return Ok(DurableHttpResponse::new(200, "done")),
                _ => return Ok(DurableHttpResponse::new(503, "")),
            }
            Ok(accepted)
        });
        let request = DurableHttpRequest::post(URL).retry(RetryPolicy::new(2, HOUR));
        let response = host.run::<call>(request).await.unwrap();
        assert_eq!(response.content, "done");
        let mut expected = vec![format!("POST {URL}"); 2];
        expected.extend(vec![format!("GET {URL}status"); 6]);
        assert_eq!(lines(&http), expected);
        assert_eq!(host.elapsed(), 4 * HOUR + 3 * POLL_INTERVAL);
    });
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
