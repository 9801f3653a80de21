//! What a host lets its orchestrations reach.

use durable_runtime::Failure;
use durable_runtime::host::HostError;
use durable_runtime::http::{DurableHttpRequest, HttpCallOptions};
use durable_runtime::storage::Memory;

use crate::server::{Reply, Server};
use crate::support::{Bench, builder, quick};

fn allowing(hosts: &[&str]) -> HttpCallOptions {
    HttpCallOptions {
        allowed_hosts: Some(hosts.iter().map(ToString::to_string).collect()),
        ..quick()
    }
}

fn assert_refused(failure: &Failure, by: &str) {
    assert_eq!(failure.error_type(), Failure::HTTP);
    assert!(failure.is_non_retriable());
    assert!(failure.message().contains(by), "{failure}");
    assert!(!failure.message().contains("hush"), "{failure}");
}

#[tokio::test]
async fn only_allowed_hosts_are_reached_by_redirects_and_polling_too() {
    let server = Server::start(|request| {
        let port = request
            .header("host")
            .and_then(|host| host.split(':').nth(1));
        let other = format!("http://localhost:{}/secret?code=hush", port.unwrap());
        match request.path.as_str() {
            "/redirect" => Reply::status(307).header("Location", &other),
            "/poll" => Reply::status(202).header("Location", &other),
            _ => Reply::ok("reached"),
        }
    })
    .await;
    let options = allowing(&["127.0.0.1", "*.example.org"]);
    let bench = Bench::of(builder(Memory::new()).http_calls(options)).await;
    let direct = format!("http://localhost:{}/?code=hush", server.port());
    for url in [direct, server.url("/redirect"), server.url("/poll")] {
        let failure = bench.failure(DurableHttpRequest::get(url)).await;
        assert_refused(&failure, "\"localhost\" are not allowed");
    }
    assert_eq!(server.lines(), ["GET /redirect", "GET /poll"]);
    let allowed = DurableHttpRequest::get(server.url("/"));
    assert_eq!(bench.response(allowed).await.content, "reached");
}

#[tokio::test]
async fn link_local_addresses_are_refused_by_default() {
    let metadata = "http://169.254.169.254/metadata/identity?code=hush";
    let server = Server::start(move |request| match request.path.as_str() {
        "/redirect" => Reply::status(302).header("Location", metadata),
        _ => Reply::status(202).header("Location", metadata),
    })
    .await;
    // Also where the host itself would be allowed.
    for options in [quick(), allowing(&["127.0.0.1", "169.254.169.254"])] {
        let bench = Bench::of(builder(Memory::new()).http_calls(options)).await;
        for url in [
            metadata.to_owned(),
            server.url("/redirect"),
            server.url("/poll"),
        ] {
            let failure = bench.failure(DurableHttpRequest::get(url)).await;
            assert_refused(&failure, "allow_link_local");
        }
    }
}

#[tokio::test]
async fn options_that_make_no_sense_keep_the_host_from_starting() {
    let no_time = HttpCallOptions {
        request_timeout: std::time::Duration::ZERO,
        ..quick()
    };
    for (options, named) in [
        (allowing(&["https://example.org/"]), "https://example.org/"),
        (no_time, "request_timeout"),
    ] {
        let error = builder(Memory::new()).http_calls(options).start().await;
        let error = error.unwrap_err();
        assert!(matches!(error, HostError::InvalidHttpCalls(_)), "{error}");
        assert!(error.to_string().contains(named), "{error}");
    }
}
