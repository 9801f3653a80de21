//! The bytes on the wire: what no client library would send.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use durable_runtime::http::HttpOptions;

use crate::support::{BASE, PATIENCE, Site};

/// A connection to a host.
pub(crate) struct Wire(TcpStream);

impl Wire {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self(stream)
    }

    /// Sends bytes; the other side may have closed already.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes);
    }

    /// Says that no more comes, of a request that is not whole, and reads all that comes back. A host
    /// takes one that had been whole for one that nobody waits for.
    pub(crate) fn finish(mut self) -> String {
        let _ = self.0.shutdown(Shutdown::Write);
        self.read_all()
    }

    /// Reads until the other side closes. What it sends after bytes that it did not read may be lost.
    pub(crate) fn read_all(&mut self) -> String {
        let mut bytes = Vec::new();
        match self.0.read_to_end(&mut bytes) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}"),
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Reads until `end` has come.
    fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !text.contains(end) {
            let count = self.0.read(&mut buffer).unwrap();
            assert_ne!(count, 0, "closed after {text:?}");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        text
    }
}

/// Blocks this thread, while the host has others.
async fn on_wire<T: Send + 'static>(
    site: &Site,
    work: impl FnOnce(Wire) -> T + Send + 'static,
) -> T {
    let address = site.host.http_address().unwrap();
    tokio::task::spawn_blocking(move || work(Wire::to(address)))
        .await
        .unwrap()
}

/// What comes back for a request after which the host closes the connection.
async fn answer_to(site: &Site, request: String) -> String {
    on_wire(site, move |mut wire| {
        wire.send(request.as_bytes());
        wire.read_all()
    })
    .await
}

/// What comes back for the beginning of a request.
async fn answer_to_part(site: &Site, request: String) -> String {
    on_wire(site, move |mut wire| {
        wire.send(request.as_bytes());
        wire.finish()
    })
    .await
}

#[tokio::test]
async fn old_clients_are_answered() {
    let site = Site::new().await;
    let answer = answer_to(&site, format!("GET {BASE}/health HTTP/1.0\r\n\r\n")).await;
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "{answer}");
    assert!(
        answer.ends_with(r#"{"status":"Healthy","taskHub":"HttpHub"}"#),
        "{answer}"
    );
}

/// Rule 42: without a `Host` there is no origin of the request, and the host's own has to do.
#[tokio::test]
async fn a_request_without_a_host_is_answered() {
    let site = Site::new().await;
    let head = format!("POST {BASE}/orchestrators/wait/a HTTP/1.0\r\n");
    let answer = answer_to(&site, format!("{head}content-length: 0\r\n\r\n")).await;
    let location = format!("\r\nlocation: {}{BASE}/instances/a?", site.origin());
    assert!(answer.contains(&location), "{answer}");
}

#[tokio::test]
async fn hostile_hosts_make_no_url() {
    let site = Site::new().await;
    for host in ["user@evil.example", "a b", "\"><script>", "a/../b"] {
        let head = format!("POST {BASE}/orchestrators/nothing HTTP/1.1\r\nhost: {host}\r\n");
        let answer = answer_to(&site, format!("{head}connection: close\r\n\r\n")).await;
        assert!(
            !answer.contains("evil") && !answer.contains("script"),
            "{answer}"
        );
        assert!(!answer.contains("HTTP/1.1 5"), "{answer}");
    }
}

#[tokio::test]
async fn the_whole_url_may_stand_in_the_first_line() {
    let site = Site::new().await;
    let url = format!("http://other.example:81{BASE}/orchestrators/wait/a");
    let head = format!("POST {url} HTTP/1.1\r\nhost: ignored\r\nconnection: close\r\n\r\n");
    let answer = answer_to(&site, head).await;
    let location = format!("\r\nlocation: http://other.example:81{BASE}/instances/a?");
    assert!(answer.contains(&location), "{answer}");
}

#[tokio::test]
async fn several_requests_may_come_at_once() {
    let site = Site::new().await;
    let head = "HTTP/1.1\r\nhost: a\r\n";
    let body = "content-length: 3\r\n\r\n\"x\"";
    let requests = format!(
        "POST {BASE}/orchestrators/echo/a?timeout=30 {head}{body}\
         GET {BASE}/instances/a {head}\r\n\
         DELETE {BASE}/instances/a {head}connection: close\r\n\r\n"
    );
    let answers = answer_to(&site, requests).await;
    assert_eq!(
        answers.matches("HTTP/1.1 200 OK\r\n").count(),
        3,
        "{answers}"
    );
    assert!(answers.ends_with("{\"instancesDeleted\":1}"), "{answers}");
}

#[tokio::test]
async fn a_body_may_come_in_chunks() {
    let site = Site::new().await;
    let head = format!(
        "POST {BASE}/orchestrators/echo?timeout=30 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\
         transfer-encoding: chunked\r\n\r\n"
    );
    let answer = answer_to(&site, format!("{head}3\r\n[1,\r\n2\r\n2]\r\n0\r\n\r\n")).await;
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("[1,2]"),
        "{answer}"
    );
    for broken in ["zz\r\n", "3\r\n[1", "ffffffffffffffffff\r\n1"] {
        let answer = answer_to_part(&site, format!("{head}{broken}")).await;
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 400");
        assert!(refused, "{broken:?}: {answer}");
    }
    assert_eq!(
        site.get("/instances")
            .await
            .json()
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_client_may_ask_before_it_sends() {
    let site = Site::new().await;
    let answer = on_wire(&site, |mut wire| {
        let head = format!("POST {BASE}/orchestrators/echo?timeout=30 HTTP/1.1\r\nhost: a\r\n");
        let more = "expect: 100-continue\r\ncontent-length: 1\r\nconnection: close\r\n\r\n";
        wire.send(format!("{head}{more}").as_bytes());
        let asked = wire.read_until("\r\n\r\n");
        assert!(asked.starts_with("HTTP/1.1 100 "), "{asked}");
        wire.send(b"7");
        wire.read_all()
    })
    .await;
    assert!(answer.ends_with('7'), "{answer}");
}

#[tokio::test]
async fn what_is_no_http_is_refused() {
    let site = Site::new().await;
    for bytes in [
        "\r\n\r\n\r\n",
        "hello\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{0}\u{1}\r\n\r\n",
    ] {
        let answer = answer_to_part(&site, bytes.to_owned()).await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
            "{bytes:?}: {answer}"
        );
    }
    let huge = format!(
        "GET {BASE}/health HTTP/1.1\r\nx: {}\r\n\r\n",
        "y".repeat(1 << 20)
    );
    let answer = answer_to(&site, huge).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 431"),
        "{answer}"
    );
    let many = "x: y\r\n".repeat(1_000);
    let answer = answer_to(&site, format!("GET {BASE}/health HTTP/1.1\r\n{many}\r\n")).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    site.get("/health").await.expect(reqwest::StatusCode::OK);
}

/// A client that sends slowly, or nothing at all, keeps its connection for so long and no longer.
#[tokio::test]
async fn slow_clients_are_let_go() {
    let options = HttpOptions {
        header_timeout: Duration::from_millis(200),
        request_timeout: Duration::from_millis(400),
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let began = Instant::now();
    for begun in ["", "GET /", "GET / HTTP/1.1\r\nhost: a\r\n"] {
        let answer = on_wire(&site, move |mut wire| {
            wire.send(begun.as_bytes());
            wire.read_all()
        })
        .await;
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 408"),
            "{begun:?}: {answer}"
        );
    }
    let head = format!("POST {BASE}/orchestrators/echo HTTP/1.1\r\nhost: a\r\n");
    let answer = on_wire(&site, move |mut wire| {
        wire.send(format!("{head}content-length: 10\r\n\r\n123").as_bytes());
        wire.read_all()
    })
    .await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(
        answer.contains("\"error\":\"the body did not arrive"),
        "{answer}"
    );
    assert!(began.elapsed() < PATIENCE);
}

/// One that never reads its answers loses its place to another.
#[tokio::test]
async fn clients_that_do_not_read_are_let_go() {
    let options = HttpOptions {
        header_timeout: Duration::from_millis(200),
        max_connections: 1,
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let large = "x".repeat(2 << 20);
    site.client()
        .start_new_by_name("echo", &large)
        .instance_id("a")
        .await
        .unwrap();
    site.until("a", durable_runtime::client::RuntimeStatus::Completed)
        .await;
    // More than the buffers of the system hold.
    let ask = format!("GET {BASE}/instances/a HTTP/1.1\r\nhost: a\r\n\r\n").repeat(16);
    let deaf = on_wire(&site, move |mut wire| {
        wire.send(ask.as_bytes());
        wire
    })
    .await;
    site.get("/health").await.expect(reqwest::StatusCode::OK);
    drop(deaf);
}
