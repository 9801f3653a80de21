//! Requests to the management API.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::OnceLock;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use durable_runtime::Orchestrator;
use durable_runtime::host::DurableHost;
use durable_runtime::storage::Memory;
use durable_runtime::testing::{TestHost, run_with};
use serde_json::Value;
use tower::Service;

use crate::functions::{echo, order, wait};

/// No answer is longer.
const LONGEST: usize = 1 << 24;

/// Requests with a zero byte between them, up to eight; each in lines: method and target, headers, an empty line,
/// the body. There is an answer to each, which does not say that the host is broken; every error is JSON that
/// says what is wrong; and the host does what it is asked for next.
///
/// # Panics
///
/// If that does not hold.
pub fn http_request(bytes: &[u8]) {
    let requests = bytes.split(|byte| *byte == 0).filter_map(parse);
    // Others are for the app that the API is mounted in.
    let requests = requests.filter(|request| is_of_the_api(request.uri().path()));
    let requests: Vec<_> = requests.take(8).collect();
    if requests.is_empty() {
        return;
    }
    run_with(TestHost::builder(), async move |host| {
        let client = host.client();
        for (id, name) in [
            ("waits", wait::NAME),
            ("orders", order::NAME),
            ("ended", echo::NAME),
        ] {
            let start = client.start_new_by_name(name, "tea").instance_id(id);
            start.await.expect("a start is accepted");
        }
        let mut app = durable_runtime::http::router(&client);
        let mut what = String::new();
        for request in requests {
            what = format!("{what}{} {}\n", request.method(), request.uri());
            let is_head = request.method() == "HEAD";
            check(&what, is_head, answer(&mut app, request).await).await;
        }
        let output = host.run::<echo>(7).await.expect("the host goes on");
        assert_eq!(output, 7, "{what}");
    });
}

async fn answer(app: &mut Router, request: Request<Body>) -> Response<Body> {
    match app.call(request).await {
        Ok(answer) => answer,
        Err(never) => match never {},
    }
}

/// A request as the bytes describe it; `None` where HTTP has none like that.
fn parse(bytes: &[u8]) -> Option<Request<Body>> {
    let (head, body) = match bytes.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&bytes[..at], &bytes[at + 2..]),
        None => (bytes, &[][..]),
    };
    let head = str::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(target);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        request = request.header(name, value.trim());
    }
    request.body(Body::from(body.to_vec())).ok()
}

fn is_of_the_api(path: &str) -> bool {
    let below = path.strip_prefix("/runtime/webhooks/durable");
    below.is_some_and(|below| below.starts_with("task/") || below.starts_with("Task/"))
}

async fn check(what: &str, is_head: bool, answer: Response<Body>) {
    let status = answer.status();
    let headers = answer.headers().clone();
    let body = to_bytes(answer.into_body(), LONGEST).await;
    let body = body.expect("the answer has an end");
    let text = crate::text(&body);
    let json = serde_json::from_slice::<Value>(&body);
    // A failure of an instance that was asked for with a 500 is the one that is documented.
    let is_failure = status == StatusCode::INTERNAL_SERVER_ERROR
        && json
            .as_ref()
            .is_ok_and(|json| json["runtimeStatus"] == "Failed");
    let is_fine = status.as_u16() < 500 || status == StatusCode::NOT_IMPLEMENTED || is_failure;
    assert!(is_fine, "{what}: {status} {text}");
    let is_json = headers
        .get("content-type")
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if is_json && !body.is_empty() {
        assert!(json.is_ok(), "{what}: {status} {text}");
    }
    if status.is_client_error() && !is_head {
        let json = json.unwrap_or_default();
        let says_why = json["error"].is_string() || json["runtimeStatus"].is_string();
        assert!(says_why, "{what}: {status} {text}");
    }
}

/// What is sent to the socket of a host. The connection ends, with answers or without, and the host
/// answers the next one.
///
/// # Panics
///
/// If that does not hold.
pub fn http_bytes(bytes: &[u8]) {
    let mut stream = connect();
    // The other side may have closed already.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let answer = read_all(stream);
    let is_fine = answer.is_empty()
        || answer.starts_with("HTTP/1.1 4")
        || answer.starts_with("HTTP/1.1 2")
        || answer.starts_with("HTTP/1.1 1")
        || answer.starts_with("HTTP/1.1 501")
        || answer.starts_with("HTTP/1.0 4")
        || answer.starts_with("HTTP/1.0 2");
    assert!(is_fine, "{:?}: {answer}", crate::text(bytes));
    // Not shut down: one that expects no answer gets none.
    let mut stream = connect();
    let path = "/runtime/webhooks/durabletask/health";
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    let sent = stream.write_all(request.as_bytes());
    sent.expect("the host reads a request");
    let health = read_all(stream);
    assert!(health.starts_with("HTTP/1.1 200"), "{health}");
}

fn connect() -> TcpStream {
    const PATIENCE: Duration = Duration::from_secs(30);
    let stream = TcpStream::connect(address()).expect("the host accepts a connection");
    let patient = stream.set_read_timeout(Some(PATIENCE));
    patient.expect("the time-out is not zero");
    stream
}

/// What comes until the other side closes.
fn read_all(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    crate::text(&answer).into_owned()
}

/// Where a host listens, which runs until the process ends.
fn address() -> SocketAddr {
    static ADDRESS: OnceLock<SocketAddr> = OnceLock::new();
    *ADDRESS.get_or_init(|| {
        let (sender, address) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .enable_all()
                .build();
            let runtime = runtime.expect("an async runtime can be had");
            runtime.block_on(async {
                let host = DurableHost::builder()
                    .task_hub("inputs")
                    .storage(Memory::new())
                    .http("127.0.0.1:0")
                    .start()
                    .await
                    .expect("the host starts");
                let address = host.http_address().expect("it listens");
                sender.send(address).expect("somebody waits");
                std::future::pending::<()>().await;
            });
        });
        address.recv().expect("the host starts")
    })
}
