//! Rule 44: tokens from a token source, which are never stored.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::http::{
    AccessToken, BoxFuture, ClientCredentials, DurableHttpRequest, RegisteredTokenSource,
    TokenSource,
};
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, Sqlite};
use tempfile::TempDir;

use crate::server::{Received, Reply, Server};
use crate::support::{Bench, builder};

/// Gives `hush-0`, `hush-1`, ..
async fn issuer() -> Server {
    Server::start(|request| {
        let number = request.number;
        Reply::ok(format!(
            r#"{{"token_type": "Bearer", "access_token": "hush-{number}", "expires_in": 3600}}"#
        ))
    })
    .await
}

fn authorization(server: &Server) -> Vec<String> {
    let header = |request: &Received| request.header("authorization").unwrap_or("none").to_owned();
    server.received().iter().map(header).collect()
}

// Rule 44: a token is fetched when the request is sent, and kept until shortly before it expires.
#[tokio::test]
async fn client_credentials_give_a_token_for_many_requests() {
    let issuer = issuer().await;
    let server = Server::start(|request| match request.number {
        0 => Reply::status(202).header("Location", "/status"),
        _ => Reply::ok(""),
    })
    .await;
    let source = ClientCredentials::new(issuer.url("/token"), "app", "s3cret&=")
        .scope("crm/.default")
        .parameter("audience", "crm");
    let bench = Bench::of(builder(Memory::new()).token_source("crm", source)).await;
    let request = DurableHttpRequest::get(server.url("/"))
        .header("Authorization", "Basic of-the-caller")
        .token_source("crm");
    bench.response(request.clone()).await;
    bench.response(request.clone()).await;
    assert_eq!(authorization(&server), ["Bearer hush-0"; 3]);
    assert_eq!(issuer.lines(), ["POST /token"]);
    assert_eq!(
        issuer.received()[0].body,
        "grant_type=client_credentials&scope=crm%2F.default&audience=crm&client_id=app\
         &client_secret=s3cret%26%3D"
    );
    // Another resource, another token.
    let other = RegisteredTokenSource::new("crm").resource("mail");
    bench.response(request.token_source(other)).await;
    assert!(issuer.received()[1].body.contains("scope=mail&"));
    assert_eq!(authorization(&server)[3], "Bearer hush-1");
}

#[tokio::test]
async fn client_credentials_can_travel_in_a_header() {
    let issuer = issuer().await;
    let server = Server::start(|_| Reply::ok("")).await;
    let source = ClientCredentials::new(issuer.url("/"), "app", "secret").basic_authentication();
    let bench = Bench::of(builder(Memory::new()).token_source("crm", source)).await;
    bench
        .response(DurableHttpRequest::get(server.url("/")).token_source("crm"))
        .await;
    assert_eq!(authorization(&issuer), ["Basic YXBwOnNlY3JldA=="]);
    assert_eq!(issuer.received()[0].body, "grant_type=client_credentials");
}

#[tokio::test]
async fn a_token_that_was_revoked_is_fetched_anew() {
    let issuer = issuer().await;
    let server = Server::start(|request| match request.header("authorization") {
        Some("Bearer hush-0") if request.number > 0 => Reply::status(401),
        _ if request.path == "/locked" => Reply::status(401),
        _ => Reply::ok(""),
    })
    .await;
    let source = ClientCredentials::new(issuer.url("/"), "app", "secret");
    let bench = Bench::of(builder(Memory::new()).token_source("crm", source)).await;
    let get = |path| DurableHttpRequest::get(server.url(path)).token_source("crm");
    for _ in 0..2 {
        assert_eq!(bench.response(get("/")).await.status_code, 200);
    }
    let expected = ["Bearer hush-0", "Bearer hush-0", "Bearer hush-1"];
    assert_eq!(authorization(&server), expected);
    // Where a new token is no better, that is the answer.
    assert_eq!(bench.response(get("/locked")).await.status_code, 401);
    assert_eq!(server.lines().len(), 5);
}

// Rule 44: tokens from a token source are never stored, and neither is what they are made of.
#[tokio::test]
async fn neither_tokens_nor_secrets_are_in_the_file() {
    let issuer = issuer().await;
    let server = Server::start(|request| match request.path.as_str() {
        "/broken" => Reply::raw(""),
        _ => Reply::ok("fine"),
    })
    .await;
    let refusing = Server::start(|_| {
        Reply::status(400).body(r#"{"error": "invalid_client", "error_description": "who?"}"#)
    })
    .await;
    let directory = TempDir::new().unwrap();
    let storage = Sqlite::open(directory.path().join("hub.db")).unwrap();
    let source = |server: &Server| ClientCredentials::new(server.url("/"), "app", "s3cret");
    let host = builder(storage)
        .token_source("crm", source(&issuer))
        .token_source("closed", source(&refusing));
    let bench = Bench::of(host).await;
    let get = |path| DurableHttpRequest::get(server.url(path));
    bench.response(get("/").token_source("crm")).await;
    bench.failure(get("/broken").token_source("crm")).await;
    let failure = bench.failure(get("/").token_source("closed")).await;
    assert!(
        failure.message().contains("invalid_client: who?"),
        "{failure}"
    );
    assert!(failure.is_non_retriable());
    assert_eq!(authorization(&server), ["Bearer hush-0"; 2]);
    bench.host.shutdown().await.unwrap();

    let mut names = 0;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let count = |text: &str| {
            let windows = bytes.windows(text.len());
            windows.filter(|window| *window == text.as_bytes()).count()
        };
        assert_eq!(count("hush"), 0);
        assert_eq!(count("s3cret"), 0);
        names += count(r#""name":"crm""#);
    }
    assert!(names > 0, "the files hold no history");
}

#[tokio::test]
async fn a_source_that_the_host_does_not_have_fails_before_anything_is_sent() {
    let server = Server::start(|_| Reply::ok("")).await;
    let source = ClientCredentials::new("http://localhost/", "app", "secret");
    let bench = Bench::of(builder(Memory::new()).token_source("billing", source)).await;
    let request = DurableHttpRequest::get(server.url("/")).token_source("biling");
    let failure = bench.failure(request).await;
    assert_eq!(failure.error_type(), Failure::NOT_REGISTERED);
    assert!(
        failure.message().contains("did you mean \"billing\"?"),
        "{failure}"
    );
    assert!(server.lines().is_empty());
}

/// Fails once.
#[derive(Debug, Default)]
struct Unsteady(AtomicU32);

impl TokenSource for Unsteady {
    fn token<'a>(&'a self, _: Option<&'a str>) -> BoxFuture<'a, Result<AccessToken>> {
        Box::pin(async {
            match self.0.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Error::msg("the vault is closed")),
                1 => Ok(AccessToken::new("not\na header")),
                _ => Ok(AccessToken::new("good")),
            }
        })
    }
}

#[tokio::test]
async fn a_source_of_the_user_may_fail_and_is_asked_again() {
    let server = Server::start(|_| Reply::ok("")).await;
    let host = builder(Memory::new()).token_source("vault", Unsteady::default());
    let bench = Bench::of(host).await;
    let request = DurableHttpRequest::get(server.url("/")).token_source("vault");
    let failure = bench.failure(request.clone()).await;
    assert!(
        failure.message().contains("the vault is closed"),
        "{failure}"
    );
    assert!(failure.message().contains("\"vault\""), "{failure}");
    let failure = bench.failure(request.clone()).await;
    assert!(!failure.message().contains("not\na"), "{failure}");
    let retried = request.retry(RetryPolicy::new(2, Duration::from_millis(1)));
    assert_eq!(bench.response(retried).await.status_code, 200);
    assert_eq!(authorization(&server), ["Bearer good"]);
}
