//! Signalling, reading and listing entities: rules 33 and 42.

use durable_runtime::prelude::EntityId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Answer, Site, eventually};

impl Site {
    /// Posts a signal.
    async fn signal(&self, path: &str, kind: Option<&str>, body: &str) -> Answer {
        let mut request = self.request(Method::POST, path);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        Answer::of(request.body(body.to_owned())).await
    }

    /// Waits until a field of a counter has a value.
    async fn until_field(&self, path: &str, field: &str, value: &Value) {
        eventually(&format!("{field} of {path} is {value}"), async || {
            let answer = self.get(path).await;
            let state = (answer.status == StatusCode::OK).then(|| answer.json())?;
            (state[field] == *value).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_signal_is_carried_out() {
    let site = Site::new().await;
    let none = site.get("/entities/Counter/a").await;
    none.expect_error(StatusCode::NOT_FOUND, "there is no entity \"@counter@a\"");
    let signal = site
        .signal("/entities/Counter/a?op=add", Some("application/json"), "5")
        .await;
    assert_eq!(signal.expect(StatusCode::ACCEPTED).text, "");
    site.until_field("/entities/counter/a", "value", &json!(5))
        .await;
    site.signal("/entities/COUNTER/a?op=add", None, "2")
        .await
        .expect(StatusCode::ACCEPTED);
    site.until_field("/entities/Counter/a", "value", &json!(7))
        .await;
    // The key has its case.
    site.get("/entities/Counter/A")
        .await
        .expect(StatusCode::NOT_FOUND);
}

/// A body that is not JSON is a string, and one that is a string of JSON too.
#[tokio::test]
async fn bodies_are_taken_as_clients_send_them() {
    let site = Site::new().await;
    for (kind, body, said) in [
        (Some("text/plain"), "hello", "hello"),
        (Some("text/plain"), "5", "5"),
        (None, "no JSON", "no JSON"),
        (Some("application/json"), r#""{\"a\":1}""#, "{\"a\":1}"),
        (Some("application/json; charset=utf-8"), "\"\"", ""),
    ] {
        let signal = site.signal("/entities/Counter/a?op=say", kind, body).await;
        signal.expect(StatusCode::ACCEPTED);
        site.until_field("/entities/Counter/a", "text", &json!(said))
            .await;
    }
    let signal = site
        .signal("/entities/Counter/a?op=say", Some("application/json"), "{")
        .await;
    signal.expect_error(StatusCode::BAD_REQUEST, "not JSON");
}

#[tokio::test]
async fn the_empty_key_is_a_dollar_sign() {
    let site = Site::new().await;
    site.signal("/entities/Counter/$?op=add", None, "1")
        .await
        .expect(StatusCode::ACCEPTED);
    site.until_field("/entities/Counter/$", "value", &json!(1))
        .await;
    let state: Option<Value> = site
        .client()
        .read_entity_state(EntityId::new("Counter", ""))
        .await
        .unwrap();
    assert_eq!(state.unwrap()["value"], 1);
}

#[tokio::test]
async fn an_entity_is_deleted() {
    let site = Site::new().await;
    site.signal("/entities/Counter/a?op=add", None, "1")
        .await
        .expect(StatusCode::ACCEPTED);
    site.until_field("/entities/Counter/a", "value", &json!(1))
        .await;
    site.delete("/entities/Counter/a")
        .await
        .expect(StatusCode::ACCEPTED);
    eventually("it is gone", async || {
        let answer = site.get("/entities/Counter/a").await;
        (answer.status == StatusCode::NOT_FOUND).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_no_entity_can_do_is_refused() {
    let site = Site::new().await;
    for path in [
        "/entities/Conter/a?op=add",
        "/entities/Counter/a?op=ad",
        "/entities/Counter/a",
    ] {
        let answer = site.signal(path, None, "1").await;
        answer.expect_error(StatusCode::NOT_FOUND, "");
    }
    let answer = site.delete("/entities/Conter/a").await;
    answer.expect_error(StatusCode::NOT_FOUND, "\"conter\" is not registered");
    for path in ["/entities/Counter/a%40b?op=add", "/entities/a%40b/c?op=add"] {
        let answer = site.signal(path, None, "1").await;
        answer.expect_error(StatusCode::BAD_REQUEST, "'@'");
        site.get(path)
            .await
            .expect_error(StatusCode::BAD_REQUEST, "'@'");
    }
}

#[tokio::test]
async fn entities_are_listed() {
    let site = Site::new().await;
    for key in ["a", "b", "c"] {
        let path = format!("/entities/Counter/{key}");
        site.signal(&format!("{path}?op=add"), None, "3")
            .await
            .expect(StatusCode::ACCEPTED);
        site.until_field(&path, "value", &json!(3)).await;
    }
    for path in [
        "/entities",
        "/entities/",
        "/entities/Counter",
        "/entities/counter/",
    ] {
        let listed = site.get(path).await.expect(StatusCode::OK).json();
        let listed = listed.as_array().unwrap();
        assert_eq!(listed.len(), 3, "{path}");
        assert_eq!(
            listed[0]["entityId"],
            json!({ "name": "counter", "key": "a" })
        );
        let time = listed[0]["lastOperationTime"].as_str().unwrap();
        assert_eq!(time.len(), "2019-12-18T21:45:44.6326361Z".len(), "{time}");
        assert_eq!(listed[0].get("state"), None);
    }
    let states = site.get("/entities?fetchState=True").await.json();
    assert_eq!(states[2]["state"]["value"], 3);
    assert_eq!(site.get("/entities/Other").await.json(), json!([]));
    let count = async |query: &str| {
        let listed = site
            .get(&format!("/entities?{query}"))
            .await
            .expect(StatusCode::OK)
            .json();
        listed.as_array().unwrap().len()
    };
    assert_eq!(count("lastOperationTimeFrom=2000-01-01").await, 3);
    assert_eq!(count("lastOperationTimeFrom=9000-01-01").await, 0);
    assert_eq!(count("lastOperationTimeTo=2000-01-01").await, 0);

    let first = site.get("/entities?top=2").await;
    assert_eq!(first.json().as_array().unwrap().len(), 2);
    let token = first.header("x-ms-continuation-token").unwrap();
    let next = site.request(Method::GET, "/entities?top=2");
    let next = Answer::of(next.header("x-ms-continuation-token", token)).await;
    assert_eq!(next.json()[0]["entityId"]["key"], "c");
    assert_eq!(next.header("x-ms-continuation-token"), None);
    site.get("/entities?top=0")
        .await
        .expect_error(StatusCode::BAD_REQUEST, "top");
    let damaged = site
        .request(Method::GET, "/entities")
        .header("x-ms-continuation-token", "x");
    Answer::of(damaged)
        .await
        .expect_error(StatusCode::BAD_REQUEST, "continuation token");
}
