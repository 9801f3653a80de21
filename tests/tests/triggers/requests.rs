//! HTTP triggers, over real sockets.

use std::net::SocketAddr;

use axum::extract::{Path, Query};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::{Extension, Json, Router};
use durable_runtime::host::HostError;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::host;

#[derive(Debug, Serialize, Deserialize)]
struct Order {
    item: String,
}

#[derive(Deserialize)]
struct Options {
    express: bool,
}

struct Shop {
    name: &'static str,
}

#[orchestrator(name = "requests.ship")]
async fn ship(_ctx: OrchestrationContext, order: Order) -> Result<String> {
    Ok(format!("shipped {}", order.item))
}

#[durable_client(http(post, "/orders/{id}"))]
async fn place_order(
    State(shop): State<Shop>,
    Path(id): Path<String>,
    client: DurableClient,
    Query(options): Query<Options>,
    headers: HeaderMap,
    Json(order): Json<Order>,
) -> impl IntoResponse {
    let run = client.start_new::<ship>(order).instance_id(&*id).await;
    let output = match run {
        Ok(run) => run.output().await,
        Err(error) => Err(error),
    };
    match output {
        Ok(output) => Ok(Json(json!({
            "id": id,
            "output": output,
            "shop": shop.name,
            "express": options.express,
            "agent": headers.get("user-agent").is_some(),
        }))),
        Err(error) => Err((StatusCode::BAD_REQUEST, error.to_string())),
    }
}

#[durable_client(http(get, "/orders/{id}"))]
async fn look_up(client: DurableClient, Path(id): Path<String>) -> Result<Json<Value>, StatusCode> {
    let status = client.get_status(id).await;
    let status = status.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let status = status.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(json!({ "status": status.runtime_status.to_string() })))
}

#[durable_client(http(any, "/files/{*rest}"))]
async fn files(
    _client: DurableClient,
    method: axum::http::Method,
    Path(rest): Path<String>,
) -> String {
    format!("{method} {rest}")
}

#[durable_client(http(get, "/panic"))]
async fn panics(_client: DurableClient) {
    panic!("not for others to see")
}

#[durable_client(http(delete, "/orders/{number}"))]
async fn under_another_name(_client: DurableClient) {}

#[durable_client(http(get, "/orders/{id}"))]
async fn the_same(_client: DurableClient) {}

async fn serve(app: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

async fn text(response: reqwest::Response) -> (u16, String) {
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test]
async fn requests_reach_their_functions() {
    let host = host(Memory::new())
        .state(Shop { name: "corner" })
        .register::<ship>()
        .register::<place_order>()
        .register::<look_up>()
        .register::<files>()
        .register::<panics>();
    let host = host.start().await.unwrap();
    let address = serve(host.http_functions()).await;
    let http = reqwest::Client::builder()
        .user_agent("test")
        .build()
        .unwrap();
    let post = |body: &'static str| {
        http.post(format!("http://{address}/orders/7?express=true"))
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let (status, body) = text(post(r#"{"item":"tea"}"#).await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    let expected = json!({
        "id": "7", "output": "shipped tea", "shop": "corner", "express": true, "agent": true,
    });
    assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
    // What the extractors refuse does not reach the function.
    for (body, expected) in [("{", 400), ("{}", 422)] {
        assert_eq!(text(post(body).await.unwrap()).await.0, expected, "{body}");
    }
    let get = |path: &str| http.get(format!("http://{address}{path}")).send();
    let (status, body) = text(get("/orders/7").await.unwrap()).await;
    assert_eq!((status, body.as_str()), (200, r#"{"status":"Completed"}"#));
    assert_eq!(text(get("/orders/8").await.unwrap()).await.0, 404);
    let (status, body) = text(get("/files/a/b").await.unwrap()).await;
    assert_eq!((status, body.as_str()), (200, "GET a/b"));
    let put = http.put(format!("http://{address}/files/a")).send().await;
    assert_eq!(text(put.unwrap()).await, (200, "PUT a".to_owned()));
    let patch = http
        .patch(format!("http://{address}/orders/7"))
        .send()
        .await;
    assert_eq!(text(patch.unwrap()).await.0, 405);
    let (status, body) = text(get("/panic").await.unwrap()).await;
    assert_eq!(status, 500);
    assert!(!body.contains("not for others"), "{body}");
    // The server goes on.
    assert_eq!(text(get("/files/c").await.unwrap()).await.0, 200);
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn routes_that_clash_are_named() {
    let clashes = [
        host(Memory::new())
            .register::<look_up>()
            .register::<the_same>(),
        host(Memory::new())
            .register::<look_up>()
            .register::<under_another_name>(),
    ];
    for (builder, second) in clashes.into_iter().zip(["the_same", "under_another_name"]) {
        let error = builder.start().await.unwrap_err();
        assert!(matches!(error, HostError::RouteClash(_)), "{error}");
        let text = error.to_string();
        for part in ["\"look_up\" at", second, "/orders/{"] {
            assert!(text.contains(part), "{text} lacks {part}");
        }
        assert_eq!(text.matches("requests.rs:").count(), 2, "{text}");
    }
}

#[durable_client(http(post, "/start/{id}"))]
async fn start(client: DurableClient, Path(id): Path<String>) -> impl IntoResponse {
    let order = Order {
        item: "tea".to_owned(),
    };
    match client.start_new::<ship>(order).instance_id(id).await {
        Ok(run) => Ok(client.create_check_status_response(run.id())),
        Err(error) => Err((StatusCode::BAD_REQUEST, error.to_string())),
    }
}

#[durable_client(http(any, "/{*rest}"))]
async fn anything(_client: DurableClient, Path(rest): Path<String>) -> String {
    rest
}

/// A host serves its functions beside the management API, whose URLs have the origin of the request. A
/// function for all paths leaves it alone.
#[tokio::test]
async fn a_host_serves_functions_and_the_management_api() {
    let host = host(Memory::new())
        .http("127.0.0.1:0")
        .register::<ship>()
        .register::<start>()
        .register::<anything>();
    let host = host.start().await.unwrap();
    let address = host.http_address().unwrap();
    let http = reqwest::Client::new();
    let started = http.post(format!("http://{address}/start/7")).send().await;
    let started = started.unwrap();
    assert_eq!(started.status(), 202);
    let location = started.headers()["location"].to_str().unwrap().to_owned();
    let instance = format!("http://{address}/runtime/webhooks/durabletask/instances/7?");
    assert!(location.starts_with(&instance), "{location}");
    let run = host.client();
    run.wait_for_completion("7", crate::process::PATIENCE)
        .await
        .unwrap();
    let (status, body) = text(http.get(&location).send().await.unwrap()).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("shipped tea"), "{body}");
    let other = http.get(format!("http://{address}/any/path")).send().await;
    assert_eq!(text(other.unwrap()).await, (200, "any/path".to_owned()));
    host.shutdown().await.unwrap();
}

/// In an app of one's own a client is an extractor too.
#[tokio::test]
async fn a_client_is_an_extractor_of_any_app() {
    async fn hub(client: DurableClient) -> String {
        client.task_hub().to_owned()
    }
    let client = DurableClient::connect(Memory::new(), "Mine").unwrap();
    let app = Router::new().route("/", axum::routing::get(hub));
    let without = serve(app.clone()).await;
    let with = serve(app.layer(Extension(client))).await;
    let get = async |address| text(reqwest::get(format!("http://{address}/")).await.unwrap()).await;
    assert_eq!(get(with).await, (200, "Mine".to_owned()));
    let (status, body) = get(without).await;
    assert_eq!(status, 500);
    assert!(body.contains("Extension(client)"), "{body}");
}

#[durable_client(http(post, "/elsewhere"), task_hub = "Other", connection = "archive")]
async fn ship_elsewhere(client: DurableClient) -> axum::response::Response {
    let order = Order {
        item: "a book".to_owned(),
    };
    match client.start_new::<ship>(order).await {
        Ok(run) => client.create_check_status_response(run.id()),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

// Rule 42: the URLs of a function that is bound to another hub lead to that hub.
#[tokio::test]
async fn the_urls_of_another_hub_are_served() {
    let archive = Memory::new();
    let other = host(archive.clone()).task_hub("Other").register::<ship>();
    let other = other.start().await.unwrap();
    let host = host(Memory::new())
        .connection("archive", archive)
        .register::<ship_elsewhere>()
        .http("127.0.0.1:0");
    let host = host.start().await.unwrap();
    let url = format!("http://{}/elsewhere", host.http_address().unwrap());
    let started = reqwest::Client::new().post(url).send().await.unwrap();
    assert_eq!(started.status(), reqwest::StatusCode::ACCEPTED);
    let started: Value = started.json().await.unwrap();
    let status_url = started["statusQueryGetUri"].as_str().unwrap();
    assert!(status_url.ends_with("?taskHub=Other&connection=archive"));
    let id = started["id"].as_str().unwrap();
    let client = other.client();
    let ended = client.wait_for_completion(id, crate::process::PATIENCE);
    ended.await.unwrap();
    let status: Value = reqwest::get(status_url)
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(status["output"], "shipped a book", "{status}");
    // The host's own hub does not have it, and others are not there.
    let own = status_url.replace("taskHub=Other&connection=archive", "taskHub=crash");
    let unknown = status_url.replace("archive", "attic");
    for url in [own, unknown] {
        let answer = reqwest::get(&url).await.unwrap();
        assert_eq!(answer.status(), reqwest::StatusCode::NOT_FOUND, "{url}");
    }
    host.shutdown().await.unwrap();
    other.shutdown().await.unwrap();
}
