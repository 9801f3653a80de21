//! Who may use the management API, and what never shows.

use std::io;
use std::sync::{Arc, Mutex};

use durable_runtime::client::InstanceQuery;
use durable_runtime::http::HttpOptions;
use durable_runtime::storage::Memory;
use reqwest::{Client, Method, StatusCode};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Answer, BASE, Site, builder};

const KEY: &str = "the-key-that-nobody-may-see";

fn with_key() -> HttpOptions {
    HttpOptions {
        system_key: Some(KEY.to_owned()),
        ..HttpOptions::default()
    }
}

/// Rule 42: with the key in the query or in a header, and with nothing else.
#[tokio::test]
async fn a_given_key_is_needed() {
    let site = Site::with(with_key()).await;
    site.get(&format!("/instances?code={KEY}"))
        .await
        .expect(StatusCode::OK);
    let request = site
        .request(Method::GET, "/instances")
        .header("X-Functions-Key", KEY);
    Answer::of(request).await.expect(StatusCode::OK);
    let wrong = [
        "/instances".to_owned(),
        "/instances?code=".to_owned(),
        format!("/instances?code={}", &KEY[1..]),
        format!("/instances?code={}", KEY.to_uppercase()),
        format!("/instances?code=x&code={KEY}"),
        format!("/nothing?key={KEY}"),
    ];
    for path in wrong {
        let answer = site.get(&path).await;
        answer.expect_error(StatusCode::UNAUTHORIZED, "system key");
    }
    // Nobody without it learns what there is, or changes anything.
    site.post("/orchestrators/nothing")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    site.get("/openapi.json")
        .await
        .expect(StatusCode::UNAUTHORIZED);
    site.get("/health").await.expect(StatusCode::OK);
    assert_eq!(
        site.client()
            .list_instances(InstanceQuery::default())
            .await
            .unwrap()
            .instances,
        []
    );
}

#[tokio::test]
async fn at_a_loopback_address_none_is_needed() {
    for address in ["127.0.0.1:0", "localhost:0"] {
        let site = Site::of(builder(address, HttpOptions::default())).await;
        assert_eq!(site.host.http_system_key(), None, "{address}");
        let origin = site.host.http_address().unwrap();
        let url = format!("http://{origin}{BASE}/instances");
        Answer::of(Client::new().get(url))
            .await
            .expect(StatusCode::OK);
    }
}

/// At other addresses one is made, and is the same for all hosts of the hub from then on.
#[tokio::test]
async fn elsewhere_a_key_is_made_and_kept() {
    let memory = Memory::new();
    let mut keys = Vec::new();
    for _ in 0..2 {
        let builder = builder("0.0.0.0:0", HttpOptions::default()).storage(memory.clone());
        let site = Site::of(builder).await;
        let key = site.host.http_system_key().unwrap().to_owned();
        site.get("/instances")
            .await
            .expect_error(StatusCode::UNAUTHORIZED, "system key");
        site.get(&format!("/instances?code={key}"))
            .await
            .expect(StatusCode::OK);
        let payload = site.client().create_http_management_payload("a");
        assert!(payload.restart_post_uri.ends_with(&format!("&code={key}")));
        assert!(payload.restart_post_uri.starts_with(&site.origin()));
        site.host.shutdown().await.unwrap();
        keys.push(key);
    }
    assert_eq!(keys[0], keys[1]);
    assert!(keys[0].len() >= 43, "32 bytes at least");
    // One that is given goes before the one that is kept.
    let given = Site::of(builder("0.0.0.0:0", with_key()).storage(memory)).await;
    assert_eq!(given.host.http_system_key(), Some(KEY));
}

/// A page that somebody looks at must not steer instances through their browser.
#[tokio::test]
async fn without_a_key_other_sites_are_refused() {
    let site = Site::new().await;
    let from = async |site: &Site, origin: &str, method: Method, path: &str| {
        Answer::of(site.request(method, path).header("origin", origin)).await
    };
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let answer = from(&site, origin, Method::POST, "/orchestrators/nothing").await;
        answer.expect_error(StatusCode::FORBIDDEN, "another site");
    }
    let own = site.origin();
    from(&site, &own, Method::POST, "/orchestrators/nothing")
        .await
        .expect(StatusCode::ACCEPTED);
    from(&site, "https://a.example", Method::GET, "/instances")
        .await
        .expect(StatusCode::OK);
    // Whoever has the key may be anywhere.
    let site = Site::with(with_key()).await;
    let path = format!("/orchestrators/nothing?code={KEY}");
    from(&site, "https://a.example", Method::POST, &path)
        .await
        .expect(StatusCode::ACCEPTED);
}

/// Everything that is logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_secret_is_logged_or_printed() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let site = Site::with(with_key()).await;
    let start = format!("/orchestrators/hello/logged?code={KEY}");
    site.post_json(&start, "\"you\"")
        .await
        .expect(StatusCode::ACCEPTED);
    for path in ["/instances/logged", "/instances/unknown", "/nothing"] {
        site.get(&format!("{path}?code={KEY}")).await;
        site.get(&format!("{path}?code=wrong-{KEY}"))
            .await
            .expect(StatusCode::UNAUTHORIZED);
    }
    let printed = format!("{:?} {:?} {:?}", site.host, site.client(), with_key());
    assert!(!printed.contains(KEY), "{printed}");
    let made = Site::of(builder("0.0.0.0:0", HttpOptions::default())).await;
    let made_key = made.host.http_system_key().unwrap().to_owned();
    made.get(&format!("/instances?code={made_key}"))
        .await
        .expect(StatusCode::OK);

    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("/instances/logged"), "requests are logged");
    for secret in [KEY, made_key.as_str()] {
        assert!(!logged.contains(secret));
    }
}
