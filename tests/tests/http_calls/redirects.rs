//! Rule 44: redirects are followed, within the call.

use durable_runtime::Failure;
use durable_runtime::http::DurableHttpRequest;
use durable_runtime::model::EventKind;

use crate::server::{Reply, Server};
use crate::support::{Bench, within};

fn to(status: u16, location: &str) -> Reply {
    Reply::status(status).header("Location", location)
}

#[tokio::test]
async fn they_are_followed_within_one_step() {
    let server = Server::start(|request| match request.path.as_str() {
        "/a/b?x" => to(302, "c"),
        "/a/c" => to(308, "/d"),
        "/d" => Reply::ok("here"),
        // One that does not say where is an answer.
        _ => Reply::status(302),
    })
    .await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::post(server.url("/a/b?x")).json(1);
    let run = bench.begin(request).await;
    let response = within(run.output()).await.unwrap();
    assert_eq!(response.content, "here");
    assert_eq!(response.url, server.url("/d"));
    assert_eq!(server.lines(), ["POST /a/b?x", "GET /a/c", "GET /d"]);
    let history = bench.history(run.id()).await;
    let calls = history
        .iter()
        .filter(|event| matches!(event.kind, EventKind::TaskScheduled { .. }));
    assert_eq!(calls.count(), 1);

    let nowhere = DurableHttpRequest::get(server.url("/nowhere"));
    assert_eq!(bench.response(nowhere).await.status_code, 302);
}

#[tokio::test]
async fn only_307_and_308_send_the_content_again() {
    let server = Server::start(|request| match request.path.as_str() {
        "/end" => Reply::ok(format!("{} {}", request.method, request.body)),
        path => to(path[1..].parse().unwrap(), "/end"),
    })
    .await;
    let bench = Bench::start().await;
    for (status, expected) in [
        (301, "GET "),
        (302, "GET "),
        (303, "GET "),
        (307, "POST x"),
        (308, "POST x"),
    ] {
        let url = server.url(&format!("/{status}"));
        let response = bench
            .response(DurableHttpRequest::post(url).content("x"))
            .await;
        assert_eq!(response.content, expected, "{status}");
    }
}

#[tokio::test]
async fn secrets_do_not_follow_to_another_server() {
    let other = Server::start(|_| Reply::ok("other")).await;
    let (redirected, polled) = (other.url("/redirected"), other.url("/polled"));
    let server = Server::start(move |request| match request.path.as_str() {
        "/redirect" => to(307, &redirected),
        _ => to(202, &polled),
    })
    .await;
    let bench = Bench::start().await;
    for path in ["/redirect", "/poll"] {
        let request = DurableHttpRequest::get(server.url(path))
            .header("Authorization", "Bearer mine")
            .header("Cookie", "session=mine")
            .header("X-Functions-Key", "mine")
            .header("X-Tenant", "t");
        assert_eq!(bench.response(request).await.content, "other");
    }
    for request in server.received() {
        assert_eq!(request.header("authorization"), Some("Bearer mine"));
        assert_eq!(request.header("x-functions-key"), Some("mine"));
    }
    assert_eq!(other.lines(), ["GET /redirected", "GET /polled"]);
    for request in other.received() {
        for name in ["authorization", "cookie", "x-functions-key"] {
            assert_eq!(request.header(name), None, "{name}");
        }
        assert_eq!(request.header("x-tenant"), Some("t"));
    }
}

#[tokio::test]
async fn a_circle_of_redirects_has_an_end() {
    let server = Server::start(|_| to(302, "/")).await;
    let bench = Bench::start().await;
    let failure = bench
        .failure(DurableHttpRequest::get(server.url("/")))
        .await;
    assert_eq!(failure.error_type(), Failure::HTTP);
    assert!(
        failure.message().contains("more than 10 redirects"),
        "{failure}"
    );
    assert!(failure.is_non_retriable());
    assert_eq!(server.lines().len(), 11);
}
