//! Requests that make no sense, at every route: whatever is sent, there is an answer, and it does not
//! say that the host is broken. Rule 42: every error is JSON.

use std::net::SocketAddr;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

use crate::openapi::routes;
use crate::raw::Wire;
use crate::support::{BASE, Site};

/// Requests in all for each property.
const CASES: u32 = 1_500;

/// Runs `test` with many values while a host serves.
async fn for_all<S: Strategy + Send + 'static>(
    strategy: impl FnOnce(&Value) -> S,
    test: impl Fn(SocketAddr, S::Value) -> Result<(), TestCaseError> + Send + 'static,
) {
    let site = Site::new().await;
    site.waiting("waits").await;
    site.ended("echo", "ended", "1").await;
    site.ended("hello", "failed", "\"nobody\"").await;
    let document = site.get("/openapi.json").await.json();
    let strategy = strategy(&document);
    let address = site.host.http_address().unwrap();
    let run = tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        });
        let run = runner.run(&strategy, |value| test(address, value));
        run.map_err(|error| error.to_string())
    });
    run.await.unwrap().unwrap();
    site.get("/health").await.expect(reqwest::StatusCode::OK);
}

/// Checks an answer of which the head has come whole.
fn check(answer: &str, request: &str) -> Result<(), TestCaseError> {
    // A request may ask whether to go on; that is not its answer.
    let answer = answer.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    let status: u16 = status.and_then(|status| status.parse().ok()).unwrap_or(0);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((answer, ""));
    prop_assert!(status >= 200, "{request}\n\n{answer}");
    // A failure of an instance that was asked for with a 500 is the one that is documented.
    let is_failure = status == 500 && body.contains("\"runtimeStatus\":\"Failed\"");
    prop_assert!(
        status < 500 || status == 501 || is_failure,
        "{request}\n\n{answer}"
    );
    let has_body = !request.starts_with("HEAD ") && !body.is_empty();
    if has_body
        && head
            .to_ascii_lowercase()
            .contains("content-type: application/json")
    {
        prop_assert!(
            serde_json::from_str::<Value>(body).is_ok(),
            "{request}\n\n{answer}"
        );
    }
    if status >= 400 && has_body {
        let is_json = serde_json::from_str::<Value>(body)
            .is_ok_and(|body| body["error"].is_string() || body["runtimeStatus"].is_string());
        prop_assert!(is_json, "{request}\n\n{answer}");
    }
    Ok(())
}

fn send(address: SocketAddr, head: &str, body: &[u8]) -> Result<(), TestCaseError> {
    let mut wire = Wire::to(address);
    wire.send(head.as_bytes());
    wire.send(body);
    let answer = wire.read_all();
    check(&answer, head)
}

/// Text as it may stand in a URL: mostly of what means something there.
fn in_url() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => prop::sample::select(vec![
            "waits", "ended", "failed", "echo", "hello", "Counter", "$", "", "@", "%40a%40b", ".", "..",
            "%00", "%2F", "%ff", "%", "%zz", "%F0%9F%98%80", "a%20b", "+", "null", "{id}", "*",
        ])
        .prop_map(str::to_owned),
        1 => "[!$&-;=@-Z_a-z~|^`{}\\[\\]\"<>\\\\]{0,40}",
        1 => "(%[0-9A-F]{2}){1,20}",
        1 => "[a-z]{250,400}",
    ]
}

/// The path with values in its places.
fn filled<T: AsRef<str>>(path: &str, values: &[T]) -> String {
    let mut values = values.iter().map(AsRef::as_ref);
    let parts = path.split('/').map(|part| {
        let is_place = part.starts_with('{');
        if is_place {
            values.next().unwrap_or_default()
        } else {
            part
        }
    });
    parts.collect::<Vec<_>>().join("/")
}

fn query() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "taskHub",
        "connection",
        "code",
        "timeout",
        "pollingInterval",
        "top",
        "showInput",
        "showHistory",
        "showHistoryOutput",
        "returnInternalServerErrorOnFailure",
        "createdTimeFrom",
        "createdTimeTo",
        "runtimeStatus",
        "instanceIdPrefix",
        "reason",
        "op",
        "fetchState",
        "lastOperationTimeFrom",
        "lastOperationTimeTo",
        "restartWithNewInstanceId",
        "version",
        "%",
    ]);
    let value = prop_oneof![
        2 => prop::sample::select(vec![
            "true", "False", "0", "-1", "1", "0.001", "99999999999999999999", "NaN", "HttpHub", "add",
            "Running", "Completed,Canceled", "2030-01-31T12:00:00Z", "0001-01-01", "9999-12-31T23:59:60Z",
            "-262143-01-01T00:00:00Z", "+262142-12-31T23:59:59Z", "",
        ])
        .prop_map(str::to_owned),
        1 => in_url(),
    ];
    vec((name, value), 0..5).prop_map(|pairs| {
        let pairs: Vec<_> = pairs
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("&")
    })
}

fn headers() -> impl Strategy<Value = String> {
    let header = prop_oneof![
        prop::sample::select(vec![
            "content-type: application/json",
            "content-type: text/plain",
            "content-type: ;;;",
            "x-ms-continuation-token: AAAA",
            "x-ms-continuation-token:",
            "x-functions-key: x",
            "x-forwarded-host: a b",
            "x-forwarded-proto: gopher",
            "expect: 100-continue",
            "origin: http://a",
            "host: ",
            "host: \u{fe}",
            "accept: */*",
        ])
        .prop_map(str::to_owned),
        "[a-z-]{1,20}: [ -~]{0,60}",
    ];
    vec(header, 0..4).prop_map(|headers| {
        headers.iter().fold(String::new(), |all, header| {
            // What says how long the request is comes from the test itself.
            let is_framing =
                header.starts_with("content-length") || header.starts_with("transfer-encoding");
            if is_framing {
                all
            } else {
                all + header + "\r\n"
            }
        })
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:0-9a-z\\\\ ]{0,100}".prop_map(String::into_bytes),
        prop::sample::select(vec![
            "1",
            "\"x\"",
            "{}",
            "null",
            "[",
            "\"\\ud800\"",
            "1e999"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        (1..2_000_usize).prop_map(|depth| "[".repeat(depth).into_bytes()),
    ]
}

/// Any method at any documented route, with anything in its places.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_whatever_is_sent() {
    let requests = |document: &Value| {
        let paths: Vec<String> = routes(document).into_iter().map(|(path, _)| path).collect();
        let method = prop::sample::select(vec![
            "GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "BREW",
        ]);
        let path = (prop::sample::select(paths), vec(in_url(), 3));
        let path = path.prop_map(|(path, values)| filled(&path, &values));
        (method, path, query(), headers(), body())
    };
    for_all(requests, |address, (method, path, query, headers, body)| {
        let head = format!(
            "{method} {BASE}{path}?{query} HTTP/1.1\r\n{headers}connection: close\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        send(address, &head, &body)
    })
    .await;
}

/// The right method and known instances, so that what comes behind the checks of the path is reached.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_answers_whatever_is_sent() {
    let requests = |document: &Value| {
        let routes = routes(document).into_iter().flat_map(|(path, methods)| {
            methods
                .into_iter()
                .map(move |method| (method, path.clone()))
                .collect::<Vec<_>>()
        });
        let routes: Vec<_> = routes.collect();
        let known = prop::sample::select(vec![
            "waits", "ended", "failed", "echo", "nothing", "Counter",
        ]);
        (
            prop::sample::select(routes),
            vec(known, 3),
            query(),
            headers(),
            body(),
        )
    };
    for_all(requests, |address, ((method, path), values, query, headers, body)| {
            let path = filled(&path, &values);
        let head = format!(
            "{method} {BASE}{path}?{query} HTTP/1.1\r\nhost: a\r\n{headers}connection: close\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        send(address, &head, &body)
    })
    .await;
}

/// Bytes that are no requests: the connection is closed, with or without an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_bytes_are_survived() {
    let bytes = |_: &Value| {
        let start = prop::sample::select(vec![
            "",
            "GET ",
            "POST /runtime/webhooks/durabletask/instances HTTP/1.1\r\n",
            "POST /runtime/webhooks/durabletask/orchestrators/echo HTTP/1.1\r\ncontent-length: 9\r\n\r\n",
            "POST /runtime/webhooks/durabletask/orchestrators/echo HTTP/1.1\r\n\
             transfer-encoding: chunked\r\n\r\n",
        ]);
        (start, vec(any::<u8>(), 0..300))
    };
    for_all(bytes, |address, (start, rest)| {
        let mut wire = Wire::to(address);
        wire.send(start.as_bytes());
        wire.send(&rest);
        let answer = wire.finish();
        let is_fine = answer.is_empty()
            || answer.starts_with("HTTP/1.1 4")
            || answer.starts_with("HTTP/1.1 2")
            || answer.starts_with("HTTP/1.0 4");
        prop_assert!(is_fine, "{answer}");
        Ok(())
    })
    .await;
}
