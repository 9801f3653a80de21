//! The status of one instance: rule 42.

use chrono::NaiveDateTime;
use durable_runtime::client::RuntimeStatus;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, BASE, HUB, Site};

#[tokio::test]
async fn one_that_runs_is_to_be_looked_at_again() {
    let site = Site::new().await;
    site.waiting("a").await;
    let path = format!("/instances/a?taskHub={HUB}&connection=Storage&showHistory=true");
    let answer = site.get(&path).await.expect(StatusCode::ACCEPTED);
    assert_eq!(answer.header("retry-after"), Some("5"));
    let again = format!("{}{BASE}{path}", site.origin());
    assert_eq!(answer.header("location"), Some(again.as_str()));
    let body = answer.json();
    assert_eq!(body["name"], "wait");
    assert_eq!(body["instanceId"], "a");
    assert_eq!(body["runtimeStatus"], "Running");
    assert_eq!(body["customStatus"], "waiting");

    site.client().suspend("a", "later").await.unwrap();
    let answer = site.get("/instances/a").await.expect(StatusCode::ACCEPTED);
    assert_eq!(answer.json()["runtimeStatus"], "Suspended");
}

#[tokio::test]
async fn one_that_has_ended_is_not() {
    let site = Site::new().await;
    site.ended("hello", "a", "\"you\"").await;
    let answer = site.get("/instances/a").await.expect(StatusCode::OK);
    assert_eq!(answer.header("location"), None);
    assert_eq!(answer.header("retry-after"), None);
    let mut body = answer.json();
    for field in ["createdTime", "lastUpdatedTime"] {
        let time = body[field].take();
        let time = time.as_str().unwrap();
        NaiveDateTime::parse_from_str(time, "%Y-%m-%dT%H:%M:%SZ").expect(time);
    }
    let expected = json!({
        "name": "hello",
        "instanceId": "a",
        "runtimeStatus": "Completed",
        "input": "you",
        "customStatus": null,
        "output": "Hello you!",
        "createdTime": null,
        "lastUpdatedTime": null,
    });
    assert_eq!(body, expected);
}

// Rule 22: the version is shown where there is one, of one instance and in lists.
#[tokio::test]
async fn the_version_is_shown() {
    let site = Site::new().await;
    site.ended("versioned", "a", "null").await;
    let body = site.get("/instances/a").await.json();
    assert_eq!(body["version"], "1.5");
    let listed = site.get("/instances").await.json();
    assert_eq!(listed[0]["version"], "1.5");
}

/// Fields that are empty are there.
#[tokio::test]
async fn empty_fields_are_null() {
    let site = Site::new().await;
    site.waiting("a").await;
    let body = site.get("/instances/a").await.json();
    let fields = body.as_object().unwrap();
    for field in ["input", "output"] {
        assert_eq!(fields.get(field), Some(&Value::Null), "{field}");
    }
    assert!(!fields.contains_key("historyEvents"));
}

#[tokio::test]
async fn the_input_can_be_left_out() {
    let site = Site::new().await;
    site.ended("echo", "a", "1").await;
    for (flag, input) in [
        ("true", json!(1)),
        ("True", json!(1)),
        ("FALSE", json!(null)),
    ] {
        let body = site
            .get(&format!("/instances/a?showInput={flag}"))
            .await
            .json();
        assert_eq!(body["input"], input, "{flag}");
        assert_eq!(body["output"], 1);
    }
}

#[tokio::test]
async fn a_failure_is_an_error_only_if_asked_for() {
    let site = Site::new().await;
    site.ended("hello", "a", "\"nobody\"").await;
    for path in [
        "/instances/a",
        "/instances/a?returnInternalServerErrorOnFailure=false",
    ] {
        let body = site.get(path).await.expect(StatusCode::OK).json();
        assert_eq!(body["runtimeStatus"], "Failed");
        assert!(body["output"]["message"].is_string(), "{body}");
    }
    let asked = site
        .get("/instances/a?returnInternalServerErrorOnFailure=True")
        .await;
    let asked = asked.expect(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(asked.json()["instanceId"], "a");
    assert_eq!(asked.header("location"), None);

    site.waiting("b").await;
    site.client().terminate("b", "enough").await.unwrap();
    site.until("b", RuntimeStatus::Terminated).await;
    let ended = site
        .get("/instances/b?returnInternalServerErrorOnFailure=true")
        .await;
    let body = ended.expect(StatusCode::OK).json();
    assert_eq!(
        (&body["runtimeStatus"], &body["output"]),
        (&json!("Terminated"), &json!("enough"))
    );
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let site = Site::new().await;
    for id in ["a", "%40a", "a%2Fb", "%F0%9F%98%80", &"x".repeat(300)] {
        let answer = site.get(&format!("/instances/{id}")).await;
        answer.expect_error(StatusCode::NOT_FOUND, "there is no instance");
    }
}

/// Rule 42: also where there is nothing, an error is JSON.
#[tokio::test]
async fn other_paths_are_not_found() {
    let site = Site::new().await;
    for path in [
        "/",
        "/favicon.ico",
        "/runtime/webhooks",
        "/%ff",
        BASE,
        &format!("{BASE}/"),
    ] {
        let url = format!("{}{path}", site.origin());
        let answer = Answer::of(reqwest::Client::new().get(url)).await;
        answer.expect_error(StatusCode::NOT_FOUND, "nothing at this path");
    }
}

/// Unknown parameters are ignored, and names and paths have any case.
#[tokio::test]
async fn urls_are_read_as_clients_write_them() {
    let site = Site::new().await;
    site.ended("echo", "a", "1").await;
    for path in [
        "/instances/a?x=1&y&=&%ff=%ff",
        "/instances/a/",
        "/INSTANCES/a",
        "/instances/a?TASKHUB=httphub&SHOWINPUT=true",
        "/instances/a?connection=AzureWebJobsStorage&taskHub=",
    ] {
        assert_eq!(
            site.get(path).await.expect(StatusCode::OK).json()["input"],
            1,
            "{path}"
        );
    }
    let url = format!("{}/runtime/webhooks/durableTask/instances/a", site.origin());
    let answer = Answer::of(reqwest::Client::new().get(url)).await;
    answer.expect(StatusCode::OK);
    let head = Answer::of(site.request(Method::HEAD, "/instances/a")).await;
    assert_eq!(head.expect(StatusCode::OK).text, "");
}

/// Whoever means another hub must not be shown this one.
#[tokio::test]
async fn other_hubs_are_not_served() {
    let site = Site::new().await;
    site.ended("echo", "a", "1").await;
    let hub = site.get("/instances/a?taskHub=Other").await;
    hub.expect_error(StatusCode::NOT_FOUND, "there is no task hub \"Other\" here");
    let connection = site.get("/instances/a?connection=Other").await;
    connection.expect_error(
        StatusCode::NOT_FOUND,
        "there is no connection \"Other\" here",
    );
    site.delete("/instances/a?taskHub=Other")
        .await
        .expect(StatusCode::NOT_FOUND);
    site.get("/instances/a").await.expect(StatusCode::OK);
}
