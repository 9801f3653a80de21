//! Starting orchestrators: rule 42.

use durable_runtime::client::RuntimeStatus;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, BASE, HUB, PATIENCE, Site};

#[tokio::test]
async fn a_start_is_answered_with_where_to_look() {
    let site = Site::new().await;
    let answer = site.post_json("/orchestrators/hello", "\"you\"").await;
    let answer = answer.expect(StatusCode::ACCEPTED);
    assert_eq!(answer.header("retry-after"), Some("10"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.json();
    let id = body["id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    let look = format!(
        "{}{BASE}/instances/{id}?taskHub={HUB}&connection=Storage",
        site.origin()
    );
    assert_eq!(body["statusQueryGetUri"], look);
    assert_eq!(answer.header("location"), Some(look.as_str()));
    let ended = site
        .client()
        .wait_for_completion(id, PATIENCE)
        .await
        .unwrap();
    assert_eq!(ended.output, Some(json!("Hello you!")));
    let looked = Answer::of(reqwest::Client::new().get(look)).await;
    assert_eq!(looked.expect(StatusCode::OK).json()["output"], "Hello you!");
}

#[tokio::test]
async fn an_id_can_be_given() {
    let site = Site::new().await;
    let answer = site
        .post_json("/orchestrators/hello/my%20%C3%A4%20id", "\"you\"")
        .await;
    let body = answer.expect(StatusCode::ACCEPTED).json();
    assert_eq!(body["id"], "my ä id");
    let url = body["statusQueryGetUri"].as_str().unwrap();
    assert!(url.contains("/instances/my%20%C3%A4%20id?"), "{url}");
    let ended = site
        .client()
        .wait_for_completion("my ä id", PATIENCE)
        .await
        .unwrap();
    assert_eq!(ended.runtime_status, RuntimeStatus::Completed);
}

/// A body may be empty, and may be JSON whatever its type is said to be.
#[tokio::test]
async fn bodies_are_taken_as_clients_send_them() {
    let site = Site::new().await;
    let bodies = [
        ("", json!(null)),
        ("  \r\n", json!(null)),
        ("null", json!(null)),
        ("\"\"", json!("")),
        ("{\"a\": [1, 2.5]}", json!({ "a": [1, 2.5] })),
        ("\u{feff}1", json!(1)),
        // Encoded twice, it is a string.
        (r#""{\"a\":1}""#, json!("{\"a\":1}")),
    ];
    let types = [
        None,
        Some("application/json"),
        Some("text/plain"),
        Some("not a type"),
    ];
    for (body, expected) in bodies {
        for kind in types {
            let mut request = site.request(Method::POST, "/orchestrators/echo?timeout=30");
            if let Some(kind) = kind {
                request = request.header("content-type", kind);
            }
            let answer = Answer::of(request.body(body)).await;
            assert_eq!(
                answer.expect(StatusCode::OK).json(),
                expected,
                "{body:?} {kind:?}"
            );
        }
    }
    // One without an input does not look at what it is sent.
    for body in ["", "\"\"", "null", "{}"] {
        let answer = site
            .post_json("/orchestrators/nothing?timeout=30", body)
            .await;
        assert_eq!(answer.expect(StatusCode::OK).json(), 7, "{body:?}");
    }
}

#[tokio::test]
async fn the_end_can_be_waited_for() {
    let site = Site::new().await;
    let wait = "timeout=30&pollingInterval=1";
    let answer = site
        .post_json(&format!("/orchestrators/hello/a?{wait}"), "\"you\"")
        .await;
    assert_eq!(answer.expect(StatusCode::OK).json(), "Hello you!");

    let failing = format!("/orchestrators/hello?{wait}");
    let answer = site
        .post_json(&failing, "\"nobody\"")
        .await
        .expect(StatusCode::OK);
    assert_eq!(answer.json()["runtimeStatus"], "Failed");
    let failing = format!("{failing}&returnInternalServerErrorOnFailure=True");
    let answer = site.post_json(&failing, "\"nobody\"").await;
    let answer = answer.expect(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(answer.json()["runtimeStatus"], "Failed");

    let answer = site
        .post("/orchestrators/wait/b?timeout=0.05&pollingInterval=0.01")
        .await;
    let answer = answer.expect(StatusCode::ACCEPTED);
    assert_eq!(answer.json()["id"], "b");
    assert_eq!(answer.header("retry-after"), Some("10"));
}

#[tokio::test]
async fn what_cannot_be_started_is_refused() {
    let site = Site::new().await;
    let bad = StatusCode::BAD_REQUEST;
    let unknown = site.post_json("/orchestrators/helo", "1").await;
    unknown.expect_error(bad, "did you mean \"hello\"");
    site.post("/orchestrators/hello/%40a")
        .await
        .expect_error(bad, "'@'");
    site.post("/orchestrators/hello/a%2Fb")
        .await
        .expect_error(bad, "any of");
    let long = "x".repeat(257);
    site.post(&format!("/orchestrators/hello/{long}"))
        .await
        .expect_error(bad, "256");
    for body in ["{", "nul", "1 2", "\"\\ud800\"", "1e999"] {
        let answer = site.post_json("/orchestrators/hello", body).await;
        answer.expect_error(bad, "not JSON");
    }
    let deep = "[".repeat(100_000);
    site.post_json("/orchestrators/hello", &deep)
        .await
        .expect_error(bad, "not JSON");
    let request = site
        .request(Method::POST, "/orchestrators/hello")
        .body(vec![0xff, 0xfe]);
    Answer::of(request).await.expect_error(bad, "UTF-8");
    let version = site.post("/orchestrators/hello?version=9").await;
    version.expect_error(bad, "version");
    // Nothing of it has begun.
    assert_eq!(site.get("/instances").await.json(), json!([]));
}

/// Rule 3: one that has ended is replaced, one that has not is not.
#[tokio::test]
async fn an_id_in_use_is_a_conflict() {
    let site = Site::new().await;
    site.waiting("a").await;
    let again = site.post("/orchestrators/wait/a").await;
    again.expect_error(StatusCode::CONFLICT, "already exists and is Running");
    site.ended("echo", "b", "1").await;
    site.ended("echo", "b", "2").await;
    assert_eq!(site.get("/instances/b").await.json()["output"], 2);
}

/// Rule 9: under a new id, unless that is not wanted.
#[tokio::test]
async fn an_instance_is_restarted() {
    let site = Site::new().await;
    site.ended("echo", "a", "{\"n\":1}").await;
    let answer = site
        .post("/instances/a/restart")
        .await
        .expect(StatusCode::ACCEPTED);
    assert_eq!(answer.header("retry-after"), Some("10"));
    let new = answer.json()["id"].as_str().unwrap().to_owned();
    assert_ne!(new, "a");
    let ended = site
        .client()
        .wait_for_completion(&new, PATIENCE)
        .await
        .unwrap();
    assert_eq!(ended.output, Some(json!({ "n": 1 })));

    let same = site
        .post("/instances/a/restart?restartWithNewInstanceId=False")
        .await;
    assert_eq!(same.expect(StatusCode::ACCEPTED).json()["id"], "a");
    let other = site
        .post("/instances/a/restart?restartWithNewInstanceId=true&timeout=30")
        .await;
    assert_eq!(other.expect(StatusCode::OK).json(), json!({ "n": 1 }));

    site.waiting("b").await;
    let running = site
        .post("/instances/b/restart?restartWithNewInstanceId=false")
        .await;
    running.expect_error(StatusCode::CONFLICT, "Running");
    let unknown = site.post("/instances/unknown/restart").await;
    unknown.expect_error(StatusCode::NOT_FOUND, "unknown");
    let odd = site
        .post("/instances/a/restart?restartWithNewInstanceId=perhaps")
        .await;
    odd.expect_error(StatusCode::BAD_REQUEST, "restartWithNewInstanceId");
    let listed: Value = site.get("/instances").await.json();
    assert_eq!(listed.as_array().unwrap().len(), 4);
}
