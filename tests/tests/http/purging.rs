//! Purging: rules 10 and 42.

use reqwest::StatusCode;
use serde_json::json;

use crate::support::Site;

const ALL: &str = "/instances?createdTimeFrom=2000-01-01T00:00:00Z";

#[tokio::test]
async fn one_that_has_ended_is_purged() {
    let site = Site::new().await;
    site.ended("echo", "a", "1").await;
    let answer = site.delete("/instances/a").await.expect(StatusCode::OK);
    assert_eq!(answer.json(), json!({ "instancesDeleted": 1 }));
    site.get("/instances/a").await.expect(StatusCode::NOT_FOUND);
    let again = site.delete("/instances/a").await;
    again.expect_error(StatusCode::NOT_FOUND, "there is no instance");
}

#[tokio::test]
async fn one_that_has_not_is_not() {
    let site = Site::new().await;
    site.waiting("a").await;
    let answer = site.delete("/instances/a").await;
    answer.expect_error(StatusCode::PRECONDITION_FAILED, "has ended");
    site.get("/instances/a").await.expect(StatusCode::ACCEPTED);
}

#[tokio::test]
async fn many_are_purged() {
    let site = Site::new().await;
    for id in ["a", "b", "c"] {
        site.ended("echo", id, "1").await;
    }
    site.ended("hello", "failed", "\"nobody\"").await;
    site.waiting("waits").await;
    let purge = async |query: &str| site.delete(&format!("{ALL}{query}")).await;

    let failed = purge("&runtimeStatus=Failed,Running")
        .await
        .expect(StatusCode::OK);
    assert_eq!(failed.json(), json!({ "instancesDeleted": 1 }));
    let none = purge("&runtimeStatus=Failed").await;
    none.expect_error(StatusCode::NOT_FOUND, "no instance to purge");
    purge("&runtimeStatus=Canceled")
        .await
        .expect(StatusCode::NOT_FOUND);
    let old = purge("&createdTimeTo=2000-01-02").await;
    old.expect(StatusCode::NOT_FOUND);
    let one = purge("&instanceIdPrefix=a").await.expect(StatusCode::OK);
    assert_eq!(one.json(), json!({ "instancesDeleted": 1 }));
    let rest = purge("").await.expect(StatusCode::OK);
    assert_eq!(rest.json(), json!({ "instancesDeleted": 2 }));

    let left = site.get("/instances").await.json();
    assert_eq!(
        (left.as_array().unwrap().len(), &left[0]["instanceId"]),
        (1, &json!("waits"))
    );
}

/// What is not understood must not purge more than was meant.
#[tokio::test]
async fn a_purge_says_from_when() {
    let site = Site::new().await;
    site.ended("echo", "a", "1").await;
    for path in [
        "/instances",
        "/instances/",
        "/instances?createdTimeFrom=",
        "/instances?x=1",
    ] {
        let answer = site.delete(path).await;
        answer.expect_error(StatusCode::BAD_REQUEST, "createdTimeFrom");
    }
    for query in ["&createdTimeTo=soon", "&runtimeStatus=Done"] {
        site.delete(&format!("{ALL}{query}"))
            .await
            .expect(StatusCode::BAD_REQUEST);
    }
    site.get("/instances/a").await.expect(StatusCode::OK);
}
