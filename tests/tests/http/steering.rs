//! Events, termination, suspension and rewinding: rule 42, and 5 to 8, 24 and 25.

use durable_runtime::client::RuntimeStatus;
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::support::{Answer, PATIENCE, Site};

#[tokio::test]
async fn an_event_is_raised() {
    let site = Site::new().await;
    let bodies = [
        ("5", Some("application/json"), json!(5)),
        (
            "{\"a\":1}",
            Some("Application/JSON; charset=utf-8"),
            json!({ "a": 1 }),
        ),
        (
            r#""{\"a\":1}""#,
            Some("application/json"),
            json!("{\"a\":1}"),
        ),
        ("", Some("application/json"), json!(null)),
        ("", Some("application/x-www-form-urlencoded"), json!(null)),
        ("", None, json!(null)),
        ("7", None, json!(7)),
    ];
    for (number, (body, kind, expected)) in bodies.into_iter().enumerate() {
        let id = format!("wait-{number}");
        site.waiting(&id).await;
        // Names are compared without regard to case.
        let mut request = site.request(Method::POST, &format!("/instances/{id}/raiseEvent/GO"));
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        let answer = Answer::of(request.body(body))
            .await
            .expect(StatusCode::ACCEPTED);
        assert_eq!(answer.text, "");
        let ended = site
            .client()
            .wait_for_completion(&id, PATIENCE)
            .await
            .unwrap();
        assert_eq!(
            ended.output.unwrap_or_default(),
            expected,
            "{body:?} {kind:?}"
        );
    }
}

#[tokio::test]
async fn an_event_that_is_not_json_is_refused() {
    let site = Site::new().await;
    site.waiting("a").await;
    let bad = StatusCode::BAD_REQUEST;
    let path = "/instances/a/raiseEvent/go";
    site.post_json(path, "{")
        .await
        .expect_error(bad, "not JSON");
    let request = site
        .request(Method::POST, path)
        .header("content-type", "text/plain");
    Answer::of(request.body("5"))
        .await
        .expect_error(bad, "Only application/json");
    site.get("/instances/a").await.expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_instance_is_terminated() {
    let site = Site::new().await;
    site.waiting("a").await;
    let answer = site.post("/instances/a/terminate?reason=no%20more").await;
    assert_eq!(answer.expect(StatusCode::ACCEPTED).text, "");
    site.until("a", RuntimeStatus::Terminated).await;
    assert_eq!(site.get("/instances/a").await.json()["output"], "no more");
    site.waiting("b").await;
    site.post("/instances/b/Terminate")
        .await
        .expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn an_instance_is_suspended_and_resumed() {
    let site = Site::new().await;
    site.waiting("a").await;
    site.post("/instances/a/suspend?reason=lunch")
        .await
        .expect(StatusCode::ACCEPTED);
    site.until("a", RuntimeStatus::Suspended).await;
    assert_eq!(site.get("/instances/a").await.json()["output"], "lunch");
    site.post_json("/instances/a/raiseEvent/go", "1")
        .await
        .expect(StatusCode::ACCEPTED);
    site.post("/instances/a/resume?reason=")
        .await
        .expect(StatusCode::ACCEPTED);
    site.until("a", RuntimeStatus::Completed).await;
}

#[tokio::test]
async fn a_failed_instance_is_rewound() {
    let site = Site::new().await;
    site.ended("hello", "a", "\"nobody\"").await;
    site.post("/instances/a/rewind?reason=again")
        .await
        .expect(StatusCode::ACCEPTED);
    site.until("a", RuntimeStatus::Failed).await;
    let history = site.get("/instances/a?showHistory=true").await.json();
    let history = history["historyEvents"].as_array().unwrap().clone();
    let rewound = history
        .iter()
        .find(|event| event["EventType"] == "ExecutionRewound");
    assert_eq!(rewound.unwrap()["Reason"], "again");

    site.waiting("b").await;
    let running = site.post("/instances/b/rewind").await;
    running.expect_error(StatusCode::PRECONDITION_FAILED, "has failed");
    site.ended("echo", "c", "1").await;
    let completed = site.post("/instances/c/rewind").await;
    completed.expect_error(StatusCode::GONE, "has failed");
}

#[tokio::test]
async fn what_has_ended_is_gone_and_what_is_unknown_not_found() {
    let site = Site::new().await;
    site.ended("echo", "a", "1").await;
    for operation in ["terminate", "suspend", "resume", "raiseEvent/go"] {
        let ended = site.post(&format!("/instances/a/{operation}")).await;
        ended.expect_error(StatusCode::GONE, "is Completed");
        for id in ["b", "%40a", "a%2Fb"] {
            let unknown = site.post(&format!("/instances/{id}/{operation}")).await;
            unknown.expect_error(StatusCode::NOT_FOUND, "there is no instance");
        }
    }
    let unknown = site.post("/instances/b/rewind").await;
    unknown.expect_error(StatusCode::NOT_FOUND, "there is no instance");
}

#[tokio::test]
async fn other_operations_and_methods_are_refused() {
    let site = Site::new().await;
    site.waiting("a").await;
    let nothing = site.post("/instances/a/explode").await;
    nothing.expect_error(StatusCode::NOT_FOUND, "nothing at this path");
    let wrong = site.get("/instances/a/terminate").await;
    let wrong = wrong.expect_error(StatusCode::METHOD_NOT_ALLOWED, "POST");
    assert_eq!(wrong.header("allow"), Some("POST"));
    let wrong = Answer::of(site.request(Method::PUT, "/instances/a")).await;
    let wrong = wrong.expect_error(StatusCode::METHOD_NOT_ALLOWED, "GET, DELETE");
    assert_eq!(wrong.header("allow"), Some("GET, DELETE"));
}
