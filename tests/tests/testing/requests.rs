//! Requests without a socket, in virtual time.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::Path;
use axum::http::header::LOCATION;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use durable_runtime::client::ClientError;
use durable_runtime::http::router;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, run_with};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{DAY, SECOND, charge};

const BASE: &str = "/runtime/webhooks/durabletask";

/// Hands a request over; gives the status, `Location` and the body.
async fn ask(
    app: axum::Router,
    method: Method,
    path: &str,
    body: Value,
) -> (StatusCode, String, Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap();
    let answer: Response = app.oneshot(request).await.unwrap();
    let status = answer.status();
    let location = answer.headers().get(LOCATION);
    let location = location.map_or("", |location| location.to_str().unwrap());
    let location = location.to_owned();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    (status, location, body)
}

// Rule 42, of an orchestration that takes days.
#[durable_runtime::test]
async fn the_management_api_works_in_virtual_time(host: TestHost) {
    let app = || router(&host.client());
    let path = format!("{BASE}/orchestrators/approval/a-1");
    let (status, location, started) = ask(app(), Method::POST, &path, json!(null)).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{started}");
    assert_eq!(started["id"], "a-1");
    let of_instance = format!("{BASE}/instances/a-1");
    assert!(location.contains(&of_instance), "{location}");

    host.sleep(29 * DAY).await;
    let (status, _, running) = ask(app(), Method::GET, &of_instance, json!(null)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(running["runtimeStatus"], "Running");
    assert_eq!(running["createdTime"], "2024-01-01T00:00:00Z");

    let event = format!("{of_instance}/raiseEvent/approval");
    let (status, ..) = ask(app(), Method::POST, &event, json!(true)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    host.client().wait_for_completion("a-1", DAY).await.unwrap();
    let (status, _, ended) = ask(app(), Method::GET, &of_instance, json!(null)).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(ended["output"], true);
    assert_eq!(host.elapsed(), 29 * DAY);

    let (status, _, error) = ask(
        app(),
        Method::GET,
        &format!("{BASE}/instances/no"),
        json!(null),
    )
    .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(error["error"].is_string() || error.is_object(), "{error}");
}

struct Prices {
    cents: u64,
}

#[orchestrator]
async fn sell(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    ctx.sleep(30 * SECOND).await;
    Ok(ctx.call_activity::<charge>(cents).await?)
}

#[durable_client(http(post, "/sales/{id}"))]
async fn sale(
    client: DurableClient,
    State(prices): State<Prices>,
    Path(id): Path<String>,
    Json(pieces): Json<u64>,
) -> Result<Response, StatusCode> {
    let cents = pieces * prices.cents;
    match client.start_new::<sell>(cents).instance_id(&*id).await {
        Ok(run) => Ok(client.create_check_status_response(run.id())),
        Err(ClientError::AlreadyExists { .. }) => Err(StatusCode::CONFLICT),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[durable_client(http(get, "/sales/{id}"), task_hub = "Elsewhere")]
async fn outcome(client: DurableClient, Path(id): Path<String>) -> impl IntoResponse {
    match client.wait_for_completion(&*id, 60 * SECOND).await {
        Ok(ended) => (StatusCode::OK, Json(json!(ended.output))),
        Err(error) => (StatusCode::NOT_FOUND, Json(json!(error.to_string()))),
    }
}

#[test]
fn client_functions_answer_requests_without_a_socket() {
    let host = TestHost::builder().state(Prices { cents: 250 });
    run_with(host, async |host| {
        let charge = host.mock_activity::<charge>(|cents| Ok(format!("{cents} charged")));
        let (status, location, _) = ask(host.router(), Method::POST, "/sales/s-1", json!(2)).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert!(location.contains("/instances/s-1"), "{location}");
        let (status, ..) = ask(host.router(), Method::POST, "/sales/s-1", json!(2)).await;
        assert_eq!(status, StatusCode::CONFLICT);

        let (status, _, output) = ask(host.router(), Method::GET, "/sales/s-1", json!(null)).await;
        assert_eq!((status, output), (StatusCode::OK, json!("500 charged")));
        assert_eq!(host.elapsed(), 30 * SECOND);
        charge.expect_calls(1);

        let (status, ..) = ask(host.router(), Method::POST, "/sales/s-2", json!("two")).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        let (status, ..) = ask(host.router(), Method::GET, "/sales/no", json!(null)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        // The management API is there as well.
        let path = format!("{BASE}/instances/s-1");
        let (status, ..) = ask(host.router(), Method::GET, &path, json!(null)).await;
        assert_eq!(status, StatusCode::OK);
        let (status, _, error) = ask(host.router(), Method::GET, "/no", json!(null)).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(error["error"].is_string(), "{error}");
    });
}
