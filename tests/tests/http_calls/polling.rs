//! Rule 44: a 202 with a `Location` is polled by durable timers until the answer is another one.

use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::http::{DurableHttpRequest, HttpCallOptions};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::server::{Reply, Server};
use crate::support::{Bench, builder, quick, within};

// Rule 44: a 202 is polled until another status; a relative `Location` counts from where it was said.
#[tokio::test]
async fn an_accepted_job_is_polled_until_it_is_done() {
    let server = Server::start(|request| match (request.number, request.path.as_str()) {
        (0, "/jobs/?x=1") => Reply::status(202)
            .header("Location", "7/status")
            .header("Retry-After", "0"),
        // It need not say again where.
        (1, "/jobs/7/status") => Reply::status(202).header("Retry-After", "0"),
        (2, "/jobs/7/status") => Reply::status(202)
            .header("Location", "/moved?y")
            .header("Retry-After", "0"),
        (3, "/moved?y") => Reply::status(201).header("X-Cost", "3").body("done"),
        (_, path) => Reply::status(500).body(path),
    })
    .await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::post(server.url("/jobs/?x=1"))
        .header("x-tenant", "t")
        .json(["work"]);
    let run = bench.begin(request).await;
    let response = within(run.output()).await.unwrap();
    assert_eq!(response.status_code, 201);
    assert_eq!(response.content, "done");
    assert_eq!(response.header("x-COST"), Some("3"));
    assert_eq!(response.url, server.url("/moved?y"));
    let expected = [
        "POST /jobs/?x=1",
        "GET /jobs/7/status",
        "GET /jobs/7/status",
        "GET /moved?y",
    ];
    assert_eq!(server.lines(), expected);
    for (number, request) in server.received().iter().enumerate() {
        assert_eq!(request.header("x-tenant"), Some("t"));
        let first = number == 0;
        assert_eq!(request.body, if first { r#"["work"]"# } else { "" });
        assert_eq!(request.header("content-type").is_some(), first);
    }

    // Request, answer and the waits between them are history.
    let history = bench.history(run.id()).await;
    let count =
        |kind: fn(&EventKind) -> bool| history.iter().filter(|event| kind(&event.kind)).count();
    assert_eq!(
        count(
            |kind| matches!(kind, EventKind::TaskScheduled { name, .. } if name == "BuiltIn::HttpActivity")
        ),
        4
    );
    assert_eq!(
        count(|kind| matches!(kind, EventKind::TaskCompleted { .. })),
        4
    );
    assert_eq!(
        count(|kind| matches!(kind, EventKind::TimerFired { .. })),
        3
    );
}

// Rule 44: `Retry-After` is obeyed, in seconds and as a time.
#[tokio::test]
async fn the_server_says_when_to_ask_again() {
    let server = Server::start(|request| {
        let reply = Reply::status(202).header("Location", "/status");
        match request.path.as_str() {
            "/seconds" => reply.header("Retry-After", "7200"),
            "/date" => reply.header("Retry-After", "Thu, 01 Jan 2099 00:00:00 GMT"),
            "/nonsense" => reply.header("Retry-After", "later"),
            "/for_ever" => reply.header("Retry-After", "99999999999999999999"),
            _ => reply,
        }
    })
    .await;
    let options = HttpCallOptions {
        poll_interval: Duration::from_secs(600),
        ..quick()
    };
    let bench = Bench::of(builder(Memory::new()).http_calls(options)).await;
    let timer = async |path| {
        let run = bench.begin(DurableHttpRequest::get(server.url(path))).await;
        bench.timer(run.id()).await
    };
    let (made, due) = timer("/seconds").await;
    assert_eq!((due - made).num_seconds(), 7200);
    let (_, due) = timer("/date").await;
    let wanted: DateTime<Utc> = "2099-01-01T00:00:00Z".parse().unwrap();
    assert!((due - wanted).num_seconds().abs() < 30, "{due}");
    for path in ["/unsaid", "/nonsense"] {
        let (made, due) = timer(path).await;
        assert_eq!((due - made).num_seconds(), 600, "{path}");
    }
    let (_, due) = timer("/for_ever").await;
    assert!(due > wanted);
}

// Rule 44: without options a poll waits for 30 seconds, as in Durable Functions.
#[tokio::test]
async fn without_options_a_poll_waits_half_a_minute() {
    let server = Server::start(|_| Reply::status(202).header("Location", "/status")).await;
    let host = DurableHost::builder().storage(Memory::new());
    let bench = Bench::of(host).await;
    let run = bench.begin(DurableHttpRequest::get(server.url("/"))).await;
    let (made, due) = bench.timer(run.id()).await;
    assert_eq!((due - made).num_seconds(), 30);
}

#[tokio::test]
async fn a_202_is_an_answer_where_polling_is_off_or_nothing_says_where() {
    let server = Server::start(|request| match request.path.as_str() {
        "/nowhere" => Reply::status(202).body("accepted"),
        _ => Reply::status(202)
            .header("Location", "/status")
            .body("accepted"),
    })
    .await;
    let bench = Bench::start().await;
    let off = DurableHttpRequest::get(server.url("/")).asynchronous_pattern(false);
    let nowhere = DurableHttpRequest::get(server.url("/nowhere"));
    for request in [off, nowhere] {
        let response = bench.response(request).await;
        assert_eq!(response.status_code, 202);
        assert_eq!(response.content, "accepted");
    }
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn a_location_that_leads_nowhere_fails_the_call() {
    let server = Server::start(|_| Reply::status(202).header("Location", "http://[")).await;
    let bench = Bench::start().await;
    let failure = bench
        .failure(DurableHttpRequest::get(server.url("/")))
        .await;
    assert_eq!(failure.error_type(), durable_runtime::Failure::HTTP);
    assert!(failure.message().contains("leads nowhere"), "{failure}");
}
