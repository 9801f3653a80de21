//! What keeps a server from doing more than it can.

use std::time::Duration;

use durable_runtime::http::HttpOptions;
use reqwest::{Body, Method, StatusCode};

use crate::support::{Answer, Site, eventually};

/// Rule 42: whether the length is announced or not.
#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let options = HttpOptions {
        max_body_bytes: 1_000,
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let fits = format!("\"{}\"", "x".repeat(998));
    let answer = site
        .post_json("/orchestrators/echo?timeout=30", &fits)
        .await;
    assert_eq!(answer.expect(StatusCode::OK).text, fits);
    let body = "1".repeat(1_001);
    for path in [
        "/orchestrators/echo",
        "/instances/a/raiseEvent/b",
        "/entities/Counter/a?op=add",
    ] {
        let answer = site.post_json(path, &body).await;
        answer.expect_error(StatusCode::PAYLOAD_TOO_LARGE, "1000 bytes");
        let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(body.clone())]);
        let request = site
            .request(Method::POST, path)
            .body(Body::wrap_stream(pieces));
        let answer = Answer::of(request).await;
        answer.expect_error(StatusCode::PAYLOAD_TOO_LARGE, "1000 bytes");
    }
}

/// What fits into a request may still be more than a payload may have.
#[tokio::test]
async fn a_payload_over_the_limit_is_refused() {
    let options = HttpOptions {
        max_body_bytes: 6 << 20,
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let body = format!("\"{}\"", "x".repeat(5 << 20));
    let answer = site.post_json("/orchestrators/echo", &body).await;
    answer.expect_error(StatusCode::PAYLOAD_TOO_LARGE, "over the limit");
}

#[tokio::test]
async fn more_requests_than_allowed_are_told_to_come_again() {
    let options = HttpOptions {
        max_concurrent_requests: 2,
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let waits = |id: &str| {
        let path = format!("/orchestrators/wait/{id}?timeout=30");
        tokio::spawn(Answer::of(site.request(Method::POST, &path)))
    };
    let (one, other) = (waits("a"), waits("b"));
    let refused = eventually("a request is refused", async || {
        let answer = site.get("/instances").await;
        (answer.status != StatusCode::OK).then_some(answer)
    })
    .await;
    let refused = refused.expect_error(StatusCode::SERVICE_UNAVAILABLE, "too many requests");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // That the host works is said even then.
    site.get("/health").await.expect(StatusCode::OK);
    for id in ["a", "b"] {
        site.client().raise_event(id, "go", 1).await.unwrap();
    }
    one.await.unwrap().expect(StatusCode::OK);
    other.await.unwrap().expect(StatusCode::OK);
    eventually("requests are answered again", async || {
        let answer = site.get("/instances").await;
        (answer.status == StatusCode::OK).then_some(())
    })
    .await;
}

/// One that waits longer than a request may take is answered before that.
#[tokio::test]
async fn a_long_wait_ends_in_time() {
    let options = HttpOptions {
        request_timeout: Duration::from_millis(500),
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let answer = site
        .post("/orchestrators/wait/a?timeout=3600&pollingInterval=1")
        .await;
    assert_eq!(answer.expect(StatusCode::ACCEPTED).json()["id"], "a");
    let answer = site.post("/orchestrators/wait/b?timeout=1e300").await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", answer.text);
}
