//! Where a host serves HTTP, and how that begins and ends: rule 45.

use std::net::TcpListener;
use std::time::Duration;

use durable_runtime::host::{HostError, HostOptions};
use durable_runtime::http::HttpOptions;
use durable_runtime::model::TaskHubName;
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, Sqlite, StorageProvider};
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, BASE, HUB, PATIENCE, Site, builder, eventually};

#[tokio::test]
async fn without_an_address_nothing_is_served() {
    let host = DurableHost::builder()
        .task_hub(HUB)
        .storage(Memory::new())
        .start()
        .await
        .unwrap();
    assert_eq!(host.http_address(), None);
    assert_eq!(host.http_system_key(), None);
    // URLs are those that a client would try.
    let payload = host.client().create_http_management_payload("a");
    assert!(
        payload
            .status_query_get_uri
            .starts_with("http://localhost:7071/runtime/webhooks/")
    );
}

#[tokio::test]
async fn a_bad_address_is_an_error_at_once() {
    for address in [
        "",
        "7071",
        ":7071",
        "127.0.0.1",
        "127.0.0.1:70710",
        "http://127.0.0.1:7071",
    ] {
        let error = builder(address, HttpOptions::default())
            .start()
            .await
            .unwrap_err();
        assert!(
            matches!(error, HostError::InvalidHttpAddress { .. }),
            "{address}: {error}"
        );
        assert!(
            error.to_string().contains("such as \"127.0.0.1:7071\""),
            "{error}"
        );
    }
}

/// A host that cannot have its port takes nothing from others.
#[tokio::test]
async fn a_port_in_use_is_an_error_at_once() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let directory = tempfile::TempDir::new().unwrap();
    let file = directory.path().join("hub.db");
    let builder = builder(&address, HttpOptions::default());
    let builder = builder.storage(Sqlite::open(&file).unwrap());
    let error = builder.start().await.unwrap_err();
    assert!(
        matches!(&error, HostError::HttpAddressInUse { .. }),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains(&address) && text.contains("another port"),
        "{text}"
    );
    let hubs = rusqlite::Connection::open(&file).unwrap();
    let count: i64 = hubs
        .query_row("SELECT count(*) FROM hubs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn options_that_make_no_sense_are_errors_at_once() {
    let wrong = [
        (
            "system_key",
            HttpOptions {
                system_key: Some("short".into()),
                ..Default::default()
            },
        ),
        (
            "max_body_bytes",
            HttpOptions {
                max_body_bytes: 0,
                ..Default::default()
            },
        ),
        (
            "max_header_bytes",
            HttpOptions {
                max_header_bytes: 100,
                ..Default::default()
            },
        ),
        (
            "header_timeout",
            HttpOptions {
                header_timeout: Duration::ZERO,
                ..Default::default()
            },
        ),
        (
            "request_timeout",
            HttpOptions {
                request_timeout: Duration::ZERO,
                ..Default::default()
            },
        ),
        (
            "max_concurrent_requests",
            HttpOptions {
                max_concurrent_requests: 0,
                ..Default::default()
            },
        ),
        (
            "max_connections",
            HttpOptions {
                max_connections: 0,
                ..Default::default()
            },
        ),
        (
            "public_origin",
            HttpOptions {
                public_origin: Some("a.b".into()),
                ..Default::default()
            },
        ),
    ];
    for (wrong_field, options) in wrong {
        let error = builder("127.0.0.1:0", options).start().await.unwrap_err();
        let HostError::InvalidOption { field, .. } = error else {
            panic!("{wrong_field}: {error}");
        };
        assert_eq!(field, wrong_field);
    }
}

#[tokio::test]
async fn whether_the_host_works_can_be_asked() {
    let storage = Memory::new();
    let builder = builder("127.0.0.1:0", HttpOptions::default()).storage(storage.clone());
    let site = Site::of(builder).await;
    let health = site.get("/health").await.expect(StatusCode::OK).json();
    assert_eq!(health["status"], "Healthy");
    assert_eq!(health["taskHub"], HUB);
    storage.delete_hub(&TaskHubName::new(HUB).unwrap()).unwrap();
    let health = site.get("/health").await;
    health.expect_error(StatusCode::SERVICE_UNAVAILABLE, "no host runs");
}

// Rule 45: whoever waits for an outcome when the host is told to stop is told where to ask later.
#[tokio::test]
async fn a_shutdown_answers_those_who_wait() {
    let site = Site::new().await;
    let waits = site.request(Method::POST, "/orchestrators/wait/a?timeout=80");
    let waits = tokio::spawn(Answer::of(waits));
    site.until("a", durable_runtime::client::RuntimeStatus::Running)
        .await;
    site.host.shutdown().await.unwrap();
    let answer = waits.await.unwrap().expect(StatusCode::ACCEPTED).json();
    assert_eq!(answer["id"], "a");
}

/// One that takes longer than the grace does not keep the host from ending.
#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let site = Site::of(
        builder("127.0.0.1:0", HttpOptions::default()).options(HostOptions {
            shutdown_grace: Duration::from_millis(100),
            ..HostOptions::default()
        }),
    )
    .await;
    let address = site.host.http_address().unwrap();
    let mut unfinished = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {BASE}/orchestrators/wait/a HTTP/1.1\r\nhost: {address}\r\nexpect: 100-continue\r\n\
         content-length: 9\r\n\r\n"
    );
    unfinished.write_all(head.as_bytes()).await.unwrap();
    // The server asks for the body: so it is in the middle of the request.
    let mut begun = [0; 12];
    unfinished.read_exact(&mut begun).await.unwrap();
    assert_eq!(&begun, b"HTTP/1.1 100");
    tokio::time::timeout(PATIENCE, site.host.shutdown())
        .await
        .unwrap()
        .unwrap();
    let mut rest = Vec::new();
    tokio::time::timeout(PATIENCE, unfinished.read_to_end(&mut rest))
        .await
        .unwrap()
        .ok();
    let rest = String::from_utf8_lossy(&rest);
    assert!(!rest.contains("HTTP/1.1"), "{rest}");
}

#[tokio::test]
async fn a_host_that_is_dropped_serves_no_more() {
    let site = Site::new().await;
    let address = site.host.http_address().unwrap();
    drop(site);
    eventually("nobody listens", async || {
        tokio::net::TcpStream::connect(address).await.err()
    })
    .await;
}
