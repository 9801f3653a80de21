//! The management API in an app of one's own.

use axum::Router;
use axum::routing::get;
use durable_runtime::client::DurableClient;
use durable_runtime::http::{HttpOptions, router, router_with};
use durable_runtime::model::TaskHubName;
use durable_runtime::prelude::DurableHost;
use durable_runtime::storage::{Memory, StorageProvider};
use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{Answer, BASE, HUB, PATIENCE};

/// Serves `app` and gives its origin.
async fn served(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    origin
}

async fn host() -> DurableHost {
    DurableHost::builder()
        .task_hub(HUB)
        .storage(Memory::new())
        .start()
        .await
        .unwrap()
}

#[tokio::test]
async fn it_is_merged_into_an_app() {
    let host = host().await;
    let own = Router::new().route("/", get(async || "my own"));
    let origin = served(own.merge(router(&host.client()))).await;
    let http = Client::new();
    assert_eq!(Answer::of(http.get(&origin)).await.text, "my own");
    let start = http
        .post(format!("{origin}{BASE}/orchestrators/echo/a?timeout=30"))
        .body("[1]");
    assert_eq!(
        Answer::of(start).await.expect(StatusCode::OK).json(),
        json!([1])
    );
    let nothing = Answer::of(http.get(format!("{origin}{BASE}/nothing"))).await;
    nothing.expect_error(StatusCode::NOT_FOUND, "nothing at this path");
    // What is not below its base is the app's.
    let other = Answer::of(http.get(format!("{origin}/runtime/webhooks/other"))).await;
    assert_eq!(other.expect(StatusCode::NOT_FOUND).text, "");
    host.shutdown().await.unwrap();
}

/// URLs lead to where the API is.
#[tokio::test]
async fn it_is_nested_in_an_app() {
    let host = host().await;
    let origin = served(Router::new().nest("/admin", router(&host.client()))).await;
    let http = Client::new();
    let start = http.post(format!("{origin}/admin{BASE}/orchestrators/wait/a"));
    let started = Answer::of(start).await.expect(StatusCode::ACCEPTED).json();
    let url = started["statusQueryGetUri"].as_str().unwrap();
    assert!(
        url.starts_with(&format!("{origin}/admin{BASE}/instances/a?")),
        "{url}"
    );
    let status = Answer::of(http.get(url)).await.expect(StatusCode::ACCEPTED);
    assert_eq!(status.header("location"), Some(url));
    host.shutdown().await.unwrap();
}

/// Who is let in is for the app to say, pages of other sites included.
#[tokio::test]
async fn the_app_says_who_may_use_it() {
    let host = host().await;
    let origin = served(router(&host.client())).await;
    let start = Client::new().post(format!("{origin}{BASE}/orchestrators/nothing"));
    let start = start.header("origin", "https://spa.example");
    Answer::of(start).await.expect(StatusCode::ACCEPTED);
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn it_can_have_a_key() {
    let host = host().await;
    let options = HttpOptions {
        system_key: Some("the key of the app".to_owned()),
        ..HttpOptions::default()
    };
    let origin = served(router_with(&host.client(), &options)).await;
    let url = format!("{origin}{BASE}/instances");
    let without = Answer::of(Client::new().get(&url)).await;
    without.expect_error(StatusCode::UNAUTHORIZED, "system key");
    let with = Client::new().get(format!("{url}?code=the%20key%20of%20the%20app"));
    Answer::of(with).await.expect(StatusCode::OK);
    host.shutdown().await.unwrap();
}

/// An app without a host: what it starts runs when there is one.
#[tokio::test]
async fn it_needs_no_host_in_its_process() {
    let memory = Memory::new();
    let client = DurableClient::connect(memory.clone(), HUB).unwrap();
    let origin = served(router(&client)).await;
    let http = Client::new();
    let start = http
        .post(format!("{origin}{BASE}/orchestrators/echo/a"))
        .body("5");
    Answer::of(start).await.expect(StatusCode::ACCEPTED);
    let host = DurableHost::builder()
        .task_hub(HUB)
        .storage(memory)
        .start()
        .await
        .unwrap();
    host.client()
        .wait_for_completion("a", PATIENCE)
        .await
        .unwrap();
    let status = Answer::of(http.get(format!("{origin}{BASE}/instances/a"))).await;
    assert_eq!(status.expect(StatusCode::OK).json()["output"], 5);
    host.shutdown().await.unwrap();
}

/// Rule 46: storage that cannot be used for now is no success, and worth another try.
#[tokio::test]
async fn storage_that_is_gone_is_said_to_be() {
    let memory = Memory::new();
    let client = DurableClient::connect(memory.clone(), HUB).unwrap();
    let origin = served(router(&client)).await;
    memory.delete_hub(&TaskHubName::new(HUB).unwrap()).unwrap();
    let start = Client::new().post(format!("{origin}{BASE}/orchestrators/echo/a"));
    let answer = Answer::of(start).await;
    let answer = answer.expect_error(StatusCode::SERVICE_UNAVAILABLE, "has been deleted");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

/// A handler of one's own answers with URLs of the request that it was sent.
#[tokio::test]
async fn a_handler_answers_for_its_request() {
    let host = host().await;
    let client = host.client();
    let handler = async move |request: axum::extract::Request| {
        let (parts, _) = request.into_parts();
        client.for_request(&parts).create_check_status_response("a")
    };
    let origin = served(Router::new().route("/start", get(handler))).await;
    let answer = Answer::of(Client::new().get(format!("{origin}/start"))).await;
    let location = format!("{origin}{BASE}/instances/a?taskHub={HUB}&connection=Storage");
    assert_eq!(
        answer.expect(StatusCode::ACCEPTED).header("location"),
        Some(location.as_str())
    );
    host.shutdown().await.unwrap();
}
