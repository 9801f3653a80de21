//! The management URLs: rule 42.

use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::http::{HttpManagementPayload, HttpOptions};
use reqwest::{Client, Method, StatusCode};
use serde_json::Value;

use crate::support::{Answer, BASE, HUB, PATIENCE, Site};

/// The names of the fields, and how what is in braces is to be used.
const FIELDS: [&str; 9] = [
    "id",
    "statusQueryGetUri",
    "sendEventPostUri",
    "terminatePostUri",
    "rewindPostUri",
    "purgeHistoryDeleteUri",
    "restartPostUri",
    "suspendPostUri",
    "resumePostUri",
];

#[tokio::test]
async fn all_nine_fields_are_there() {
    let site = Site::new().await;
    let body = site
        .post("/orchestrators/wait/a")
        .await
        .expect(StatusCode::ACCEPTED)
        .json();
    let fields = body.as_object().unwrap();
    assert_eq!(fields.len(), FIELDS.len());
    let instance = format!("{}{BASE}/instances/a", site.origin());
    let hub = format!("taskHub={HUB}&connection=Storage");
    let expected = [
        "a".to_owned(),
        format!("{instance}?{hub}"),
        format!("{instance}/raiseEvent/{{eventName}}?{hub}"),
        format!("{instance}/terminate?reason={{text}}&{hub}"),
        format!("{instance}/rewind?reason={{text}}&{hub}"),
        format!("{instance}?{hub}"),
        format!("{instance}/restart?{hub}"),
        format!("{instance}/suspend?reason={{text}}&{hub}"),
        format!("{instance}/resume?reason={{text}}&{hub}"),
    ];
    for (field, expected) in FIELDS.into_iter().zip(expected) {
        assert_eq!(fields[field], expected, "{field}");
    }
}

#[tokio::test]
async fn every_url_works() {
    let key = "a key with / and + and more";
    let options = HttpOptions {
        system_key: Some(key.to_owned()),
        ..HttpOptions::default()
    };
    let site = Site::with(options).await;
    let start = site.request(Method::POST, "/orchestrators/wait/an%20id");
    let body = Answer::of(start.header("x-functions-key", key))
        .await
        .json();
    let http = Client::new();
    let send = async |method: Method, field: &str| {
        let url = body[field].as_str().unwrap();
        let url = url
            .replace("{eventName}", "go")
            .replace("{text}", "because");
        Answer::of(http.request(method, url)).await
    };
    send(Method::GET, "statusQueryGetUri")
        .await
        .expect(StatusCode::ACCEPTED);
    send(Method::POST, "suspendPostUri")
        .await
        .expect(StatusCode::ACCEPTED);
    send(Method::POST, "resumePostUri")
        .await
        .expect(StatusCode::ACCEPTED);
    send(Method::POST, "sendEventPostUri")
        .await
        .expect(StatusCode::ACCEPTED);
    site.client()
        .wait_for_completion("an id", PATIENCE)
        .await
        .unwrap();
    send(Method::POST, "rewindPostUri")
        .await
        .expect(StatusCode::GONE);
    send(Method::POST, "terminatePostUri")
        .await
        .expect(StatusCode::GONE);
    send(Method::POST, "restartPostUri")
        .await
        .expect(StatusCode::ACCEPTED);
    send(Method::DELETE, "purgeHistoryDeleteUri")
        .await
        .expect(StatusCode::OK);
    send(Method::GET, "statusQueryGetUri")
        .await
        .expect(StatusCode::NOT_FOUND);
}

/// URLs have the origin of the request; what a proxy says counts only if it is to be believed.
#[tokio::test]
async fn the_origin_is_that_of_the_request() {
    for (trust, expected) in [
        (false, "http://inner.example"),
        (true, "https://outer.example:8443"),
    ] {
        let options = HttpOptions {
            trust_forwarded_headers: trust,
            ..HttpOptions::default()
        };
        let site = Site::with(options).await;
        let proxied = |method: Method, path: &str| {
            let request = site.request(method, path).header("host", "inner.example");
            let request = request.header("x-forwarded-proto", "https");
            request.header("x-forwarded-host", "outer.example:8443")
        };
        let started = Answer::of(proxied(Method::POST, "/orchestrators/wait/a")).await;
        for field in &FIELDS[1..] {
            let body = started.json();
            let url = body[field].as_str().unwrap();
            assert!(
                url.starts_with(&format!("{expected}{BASE}/")),
                "{field}: {url}"
            );
        }
        assert!(started.header("location").unwrap().starts_with(expected));
        let status = Answer::of(proxied(Method::GET, "/instances/a?x=1")).await;
        let location = format!("{expected}{BASE}/instances/a?x=1");
        assert_eq!(status.header("location"), Some(location.as_str()));
    }
}

#[tokio::test]
async fn a_client_makes_urls_of_its_host() {
    let site = Site::new().await;
    let payload: HttpManagementPayload = site.client().create_http_management_payload("a");
    assert_eq!(payload.id, "a");
    let expected = format!(
        "{}{BASE}/instances/a/raiseEvent/{{eventName}}?taskHub={HUB}&connection=Storage",
        site.origin()
    );
    assert_eq!(payload.send_event_post_uri, expected);
    let text = serde_json::to_string(&payload).unwrap();
    assert_eq!(
        serde_json::from_str::<HttpManagementPayload>(&text).unwrap(),
        payload
    );

    let options = HttpOptions {
        public_origin: Some("https://orders.example.com".to_owned()),
        ..HttpOptions::default()
    };
    let public = Site::with(options).await;
    let payload = public.client().create_http_management_payload("a");
    assert!(
        payload
            .restart_post_uri
            .starts_with("https://orders.example.com/runtime/")
    );
}

#[tokio::test]
async fn a_client_answers_for_an_instance() {
    let site = Site::new().await;
    let client = site.client();
    let answer = client.create_check_status_response("a");
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(answer.headers()["retry-after"], "10");
    let payload = client.create_http_management_payload("a");
    assert_eq!(answer.headers()["location"], payload.status_query_get_uri);
    assert_eq!(json(answer).await, serde_json::to_value(&payload).unwrap());

    let outcome = async |id: &str, timeout: Duration| {
        let interval = Duration::from_millis(10);
        let answer =
            client.wait_for_completion_or_create_check_status_response(id, timeout, interval);
        let answer = answer.await?;
        Ok::<_, ClientError>((answer.status(), json(answer).await))
    };
    site.ended("echo", "ended", "{\"n\":1}").await;
    let (status, body) = outcome("ended", PATIENCE).await.unwrap();
    assert_eq!((status, &body["n"]), (StatusCode::OK, &Value::from(1)));
    site.ended("hello", "failed", "\"nobody\"").await;
    let (status, body) = outcome("failed", PATIENCE).await.unwrap();
    assert_eq!(
        (status, &body["runtimeStatus"]),
        (StatusCode::OK, &Value::from("Failed"))
    );
    site.waiting("waits").await;
    let (status, body) = outcome("waits", Duration::from_millis(20)).await.unwrap();
    assert_eq!(
        (status, &body["id"]),
        (StatusCode::ACCEPTED, &Value::from("waits"))
    );
    let unknown = outcome("unknown", PATIENCE).await.unwrap_err();
    assert!(matches!(unknown, ClientError::InstanceNotFound { .. }));
}

async fn json(answer: axum::response::Response) -> Value {
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20)
        .await
        .unwrap();
    serde_json::from_slice(&bytes).unwrap()
}
