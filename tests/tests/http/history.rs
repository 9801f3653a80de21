//! The history in a status: rule 43.

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::Site;

async fn events(site: &Site, id: &str, query: &str) -> Vec<Value> {
    let path = format!("/instances/{id}?showHistory=true{query}");
    let body = site.get(&path).await.json();
    body["historyEvents"].as_array().expect("a history").clone()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["EventType"].as_str().unwrap())
        .collect()
}

fn time(event: &Value, field: &str) -> DateTime<Utc> {
    let text = event[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field}: {event}"));
    // Seven decimals.
    assert_eq!(text.len(), "2018-02-28T05:18:49.3452372Z".len(), "{text}");
    text.parse().unwrap()
}

#[tokio::test]
async fn a_call_stands_where_it_ended() {
    let site = Site::new().await;
    site.ended("hello", "a", "\"you\"").await;
    let history = events(&site, "a", "&showHistoryOutput=true").await;
    assert_eq!(
        kinds(&history),
        ["ExecutionStarted", "TaskCompleted", "ExecutionCompleted"]
    );
    let [started, called, completed] = &history[..] else {
        panic!("{history:?}");
    };
    assert_eq!(started["FunctionName"], "hello");
    assert_eq!(called["FunctionName"], "greet");
    assert_eq!(called["Result"], "Hello you!");
    assert_eq!(completed["OrchestrationStatus"], "Completed");
    assert_eq!(completed["Result"], "Hello you!");
    assert!(time(started, "Timestamp") <= time(called, "ScheduledTime"));
    assert!(time(called, "ScheduledTime") <= time(called, "Timestamp"));
    assert!(time(called, "Timestamp") <= time(completed, "Timestamp"));
}

#[tokio::test]
async fn results_are_shown_when_asked_for() {
    let site = Site::new().await;
    site.ended("everything", "a", "").await;
    for query in ["", "&showHistoryOutput=false"] {
        for event in events(&site, "a", query).await {
            assert_eq!(event.get("Result"), None, "{event}");
        }
    }
    let shown = events(&site, "a", "&showHistoryOutput=True").await;
    assert!(shown.iter().any(|event| event.get("Result").is_some()));
    // On its own it asks for nothing.
    let body = site.get("/instances/a?showHistoryOutput=true").await.json();
    assert_eq!(body.get("historyEvents"), None);
}

#[tokio::test]
async fn inputs_go_with_the_input() {
    let site = Site::new().await;
    site.ended("hello", "a", "\"you\"").await;
    for event in events(&site, "a", "&showInput=false").await {
        assert_eq!(event.get("Input"), None, "{event}");
    }
    let shown = events(&site, "a", "").await;
    assert_eq!(
        (&shown[0]["Input"], &shown[1]["Input"]),
        (&json!("you"), &json!("you"))
    );
}

#[tokio::test]
async fn every_kind_of_call_has_its_name() {
    let site = Site::new().await;
    site.ended("everything", "a", "").await;
    let history = events(&site, "a", "&showHistoryOutput=true").await;
    let expected = [
        "ExecutionStarted",
        "SubOrchestrationInstanceCompleted",
        "EntityOperationCompleted",
        "TimerCreated",
        "TimerFired",
        "TaskFailed",
        "ExecutionCompleted",
    ];
    assert_eq!(kinds(&history), expected);
    let [_, child, entity, timer, _, failed, completed] = &history[..] else {
        panic!("{history:?}");
    };
    assert_eq!(
        (&child["FunctionName"], &child["Result"]),
        (&json!("hello"), &json!("Hello child!"))
    );
    assert!(child["InstanceId"].is_string());
    assert_eq!(entity["FunctionName"], "add");
    assert_eq!(entity["InstanceId"], "@counter@of everything");
    assert!(time(timer, "FireAt") >= time(timer, "Timestamp"));
    assert_eq!(failed["FunctionName"], "greet");
    assert_eq!(failed["Reason"], "there is nobody to greet");
    assert_eq!(failed["FailureDetails"]["nonRetriable"], true);
    assert_eq!(completed["Result"], "Hello child! true");
}

#[tokio::test]
async fn what_has_not_ended_is_shown_as_begun() {
    let site = Site::new().await;
    site.waiting("a").await;
    assert_eq!(kinds(&events(&site, "a", "").await), ["ExecutionStarted"]);
    site.post("/instances/a/suspend?reason=lunch")
        .await
        .expect(StatusCode::ACCEPTED);
    site.post_json("/instances/a/raiseEvent/Go", "5")
        .await
        .expect(StatusCode::ACCEPTED);
    site.post("/instances/a/terminate?reason=enough")
        .await
        .expect(StatusCode::ACCEPTED);
    site.client()
        .wait_for_completion("a", crate::support::PATIENCE)
        .await
        .unwrap();
    let history = events(&site, "a", "").await;
    let find = |kind: &str| {
        let found = history.iter().find(|event| event["EventType"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}: {history:?}"))
    };
    assert_eq!(find("ExecutionSuspended")["Reason"], "lunch");
    assert_eq!(find("EventRaised")["Name"], "Go");
    assert_eq!(find("EventRaised")["Input"], 5);
    assert_eq!(find("ExecutionTerminated")["Input"], "enough");
}

#[tokio::test]
async fn a_failed_execution_says_why() {
    let site = Site::new().await;
    site.ended("hello", "a", "\"nobody\"").await;
    let history = events(&site, "a", "").await;
    assert_eq!(
        kinds(&history),
        ["ExecutionStarted", "TaskFailed", "ExecutionCompleted"]
    );
    assert_eq!(history[2]["OrchestrationStatus"], "Failed");
    assert!(
        history[2]["Reason"]
            .as_str()
            .unwrap()
            .contains("nobody to greet")
    );
}
