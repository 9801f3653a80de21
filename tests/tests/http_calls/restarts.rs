//! Rule 44 over restarts: a call goes on where it was.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use durable_runtime::http::DurableHttpRequest;
use durable_runtime::storage::Sqlite;
use tempfile::TempDir;

use crate::server::{Reply, Server};
use crate::support::{Bench, builder, eventually, within};

async fn host(directory: &Path) -> Bench {
    Bench::of(builder(Sqlite::open(directory.join("hub.db")).unwrap())).await
}

/// A job that is done when a test says so, and how often it was asked for.
async fn job() -> (Server, Arc<AtomicBool>) {
    let done = Arc::new(AtomicBool::new(false));
    let is_done = Arc::clone(&done);
    let server = Server::start(move |request| match request.path.as_str() {
        "/jobs" => Reply::status(202).header("Location", "/jobs/7"),
        _ if is_done.load(Ordering::SeqCst) => Reply::ok("done"),
        _ => Reply::status(202).header("Retry-After", "0"),
    })
    .await;
    (server, done)
}

async fn asked(server: &Server, more_than: usize) {
    eventually(async || (server.lines().len() > more_than).then_some(())).await;
}

// Rules 44 and 45: polling goes on after a shutdown, and after an end without one.
#[tokio::test]
async fn a_poll_goes_on_with_the_next_host() {
    let directory = TempDir::new().unwrap();
    let (server, done) = job().await;
    let bench = host(directory.path()).await;
    let request = DurableHttpRequest::post(server.url("/jobs")).json("work");
    let id = bench.begin(request).await.id().to_owned();
    asked(&server, 2).await;
    within(bench.host.shutdown()).await.unwrap();
    drop(bench);

    let bench = host(directory.path()).await;
    asked(&server, server.lines().len()).await;
    drop(bench);

    let bench = host(directory.path()).await;
    done.store(true, Ordering::SeqCst);
    let finished = bench
        .client
        .wait_for_completion(&id, std::time::Duration::from_secs(60));
    let status = finished.await.unwrap();
    let output = status.output.unwrap();
    assert_eq!(output["content"], "done");
    // The job was begun once.
    let begun = server.lines();
    assert_eq!(
        begun.iter().filter(|line| line.starts_with("POST")).count(),
        1
    );
}

// Rule 8: a call that failed is made again by a rewind, one that was answered is not.
#[tokio::test]
async fn a_call_that_failed_is_made_again_after_a_rewind() {
    let server = Server::start(|request| match (request.number, request.path.as_str()) {
        (_, "/jobs") => Reply::status(202)
            .header("Location", "/status")
            .header("Retry-After", "0"),
        (1, _) => Reply::raw(""),
        _ => Reply::ok("mended"),
    })
    .await;
    let bench = Bench::start().await;
    let request = DurableHttpRequest::post(server.url("/jobs"));
    let run = bench.begin(request).await;
    within(run.output()).await.unwrap_err();
    within(bench.client.rewind(run.id(), "the server is back"))
        .await
        .unwrap();
    assert_eq!(within(run.output()).await.unwrap().content, "mended");
    assert_eq!(server.lines(), ["POST /jobs", "GET /status", "GET /status"]);
}

// Rule 44: a request that was under way when its host ended is sent again, as any activity.
#[tokio::test]
async fn a_request_that_was_under_way_is_sent_again() {
    let directory = TempDir::new().unwrap();
    let server = Server::start(|request| match request.number {
        0 => Reply::raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").stall(),
        _ => Reply::ok("whole"),
    })
    .await;
    let bench = host(directory.path()).await;
    let request = DurableHttpRequest::get(server.url("/"));
    let id = bench.begin(request).await.id().to_owned();
    asked(&server, 0).await;
    within(bench.host.shutdown()).await.unwrap();
    drop(bench);

    let bench = host(directory.path()).await;
    let finished = bench
        .client
        .wait_for_completion(&id, std::time::Duration::from_secs(60));
    let status = finished.await.unwrap();
    assert_eq!(status.output.unwrap()["content"], "whole");
    assert_eq!(server.lines(), ["GET /"; 2]);
}
