//! What comes back, and what does not.

use durable_runtime::Failure;
use durable_runtime::host::HostOptions;
use durable_runtime::http::DurableHttpRequest;
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::server::{Reply, Server};
use crate::support::{Bench, builder, within};

// Rule 44: request and response are history.
#[tokio::test]
async fn request_and_response_stand_in_history() {
    let server = Server::start(|request| {
        Reply::status(404)
            .header("Set-Cookie", "a=1")
            .header("Set-Cookie", "b=2")
            .body(format!("no {}", request.body))
    })
    .await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::new("PATCH", server.url("/orders/7?full=yes"))
        .header("Accept", "text/plain")
        .content("order");
    let run = bench.begin(request).await;
    // An error status is an answer.
    let response = within(run.output()).await.unwrap();
    assert_eq!(response.status_code, 404);
    assert_eq!(response.content, "no order");
    let cookies: Vec<_> = response.headers.get_all("set-cookie").collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
    let received = server.received();
    assert_eq!(server.lines(), ["PATCH /orders/7?full=yes"]);
    assert_eq!(received[0].header("accept"), Some("text/plain"));
    let agent = received[0].header("user-agent").unwrap();
    assert!(agent.starts_with("durable-runtime/"), "{agent}");

    let history = bench.history(run.id()).await;
    let sent = history.iter().find_map(|event| match &event.kind {
        EventKind::TaskScheduled { input, .. } => Some(input.to_value()),
        _ => None,
    });
    let sent = sent.unwrap();
    assert_eq!(sent["method"], "PATCH");
    assert_eq!(sent["content"], "order");
    assert_eq!(sent["headers"]["accept"], "text/plain");
    let answered = history.iter().find_map(|event| match &event.kind {
        EventKind::TaskCompleted { result, .. } => Some(result.to_value()),
        _ => None,
    });
    let answered = answered.unwrap();
    assert_eq!(answered["statusCode"], 404);
    assert_eq!(answered["content"], "no order");
    assert_eq!(answered["headers"]["set-cookie"][1], "b=2");
}

#[tokio::test]
async fn a_body_that_is_no_text_comes_back_as_it_was() {
    let server = Server::start(|_| Reply::ok(vec![0xff, 0x00, 0x80])).await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::get(server.url("/"));
    let response = bench.response(request).await;
    assert!(response.is_base64);
    assert_eq!(response.bytes(), [0xff, 0x00, 0x80]);
}

#[tokio::test]
async fn the_answer_to_head_has_no_body() {
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n";
    let server = Server::start(move |_| Reply::raw(head)).await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::new("HEAD", server.url("/"));
    let response = bench.response(request).await;
    assert_eq!(response.header("content-length"), Some("99999999999"));
    assert_eq!(response.content, "");
}

#[tokio::test]
async fn a_body_that_breaks_off_is_no_answer() {
    let server = Server::start(|request| {
        Reply::raw(match request.path.as_str() {
            "/chunks" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "/size" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n",
            "/length" => "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            "/nothing" => "",
            _ => "220 smtp.example.com ready\r\n",
        })
    })
    .await;
    let bench = Bench::start().await;
    for path in ["/chunks", "/size", "/length", "/nothing", "/other"] {
        let url = server.url(&format!("{path}?code=hush"));
        let failure = bench.failure(DurableHttpRequest::get(url)).await;
        assert_eq!(failure.error_type(), Failure::HTTP, "{path}");
        let message = failure.message();
        assert!(message.contains(&server.url(path)), "{message}");
        assert!(!message.contains("hush"), "{message}");
        assert!(!failure.is_non_retriable(), "{path}");
    }
}

#[tokio::test]
async fn a_server_without_encryption_is_no_answer_to_https() {
    let server = Server::start(|_| Reply::ok("")).await;
    let url = server.url("/").replace("http://", "https://");
    let bench = Bench::start().await;
    let failure = bench.failure(DurableHttpRequest::get(url)).await;
    assert_eq!(failure.error_type(), Failure::HTTP);
    assert!(failure.message().contains("no connection"), "{failure}");
}

#[tokio::test]
async fn nobody_who_listens_is_no_answer() {
    let server = Server::start(|_| Reply::ok("")).await;
    let url = server.url("/");
    drop(server);
    let bench = Bench::start().await;
    let failure = bench.failure(DurableHttpRequest::get(url)).await;
    assert!(failure.message().contains("no connection"), "{failure}");
}

#[tokio::test]
async fn an_answer_over_the_payload_limit_is_not_read_to_its_end() {
    // It has no end.
    let server = Server::start(|request| match request.path.as_str() {
        "/endless" => Reply::raw(&format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}",
            "x".repeat(5000)
        ))
        .stall(),
        // Short enough, until it is written as JSON.
        _ => Reply::ok("\u{1}".repeat(1000)),
    })
    .await;
    let options = HostOptions {
        max_payload_bytes: 4096,
        ..HostOptions::default()
    };
    let bench = Bench::of(builder(Memory::new()).options(options)).await;
    for path in ["/endless", "/escaped"] {
        let failure = bench
            .failure(DurableHttpRequest::get(server.url(path)))
            .await;
        assert_eq!(failure.error_type(), Failure::PAYLOAD_TOO_LARGE, "{path}");
        assert!(failure.message().contains("4096"), "{failure}");
        assert!(failure.is_non_retriable());
    }
    let run = within(bench.client.start_new::<sends_too_much>(server.url("/"))).await;
    let sent = within(run.unwrap().output()).await.unwrap();
    assert!(sent.contains("4096"), "{sent}");
    assert_eq!(server.lines().len(), 2);
}

/// Why a request cannot be sent that is over the payload limit itself.
#[orchestrator]
async fn sends_too_much(ctx: OrchestrationContext, url: String) -> Result<String> {
    let request = DurableHttpRequest::post(url).content("x".repeat(5000));
    let failed = ctx.call_http(request).await.expect_err("it is too long");
    Ok(failed.message().to_owned())
}
