//! What `#[durable_client]` accepts.
#![deny(warnings, clippy::pedantic)]
use std::collections::HashMap;

use axum::Json;
use axum::extract::{Path, Query, Request};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use durable_runtime::client::ClientError;
use durable_runtime::host::HostError;
use durable_runtime::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Order {
    id: String,
}

struct Shop;

/// Documented as any function is.
///
/// # Errors
///
/// Those of the client.
#[durable_client]
pub async fn plain(client: &DurableClient, queue: &str) -> Result<u64, ClientError> {
    client.queue_length(queue).await
}

#[durable_client(task_hub = "Other", connection = "archive", name = "Named")]
async fn bound(client: DurableClient) {
    drop(client);
}

#[durable_client(timer("0 */5 9-17 * JAN-MAR MON-FRI"))]
async fn timer(_: DurableClient) {}

#[durable_client(timer("0 0 2 * * *"), name = "Nightly")]
pub(crate) async fn timer_with_info(
    info: TimerInfo,
    State(_shop): State<Shop>,
    mut client: DurableClient,
) -> Result<(), ClientError> {
    client = client.clone();
    let id = info.scheduled.format("cleanup-%Y-%m-%d").to_string();
    client
        .start_new_by_name("clean_up", ())
        .instance_id(id)
        .await?;
    Ok(())
}

#[durable_client(queue("orders"))]
async fn message(client: DurableClient, Order { id }: Order) -> Result<()> {
    client.purge(id).await?;
    Ok(())
}

#[durable_client(queue("Some.Other_queue-1", concurrency = 1,))]
async fn tuple(
    (from, to): (String, u32),
    shop: State<Shop>,
    client: durable_runtime::client::DurableClient,
) -> Result<String, std::fmt::Error> {
    drop((from, to, shop, client));
    Ok("what is returned is of no interest".to_owned())
}

#[durable_client(http(get, "/"))]
async fn nothing(_client: DurableClient) {}

#[durable_client(http(post, "/orders/{id}"), task_hub = "Orders")]
async fn extractors(
    headers: HeaderMap,
    Path(id): Path<String>,
    client: DurableClient,
    Query(query): Query<HashMap<String, String>>,
    State(_shop): State<Shop>,
    Json(order): Json<Order>,
) -> Result<impl IntoResponse, StatusCode> {
    drop((headers, id, client, query));
    Ok((StatusCode::CREATED, order.id))
}

#[durable_client(http(any, "/files/{*rest}"))]
async fn raw(client: DurableClient, request: Request) -> Response {
    drop((client, request));
    StatusCode::NO_CONTENT.into_response()
}

#[durable_client(http(delete, "/orders/{id}"))]
async fn client_last(Path(_id): Path<u32>, _client: DurableClient) -> Json<u32> {
    Json(7)
}

#[allow(clippy::unused_async, reason = "it is written so")]
#[durable_client(http(options, "/orders"))]
async fn optional(_client: DurableClient, body: Option<Json<Order>>) -> String {
    body.map(|Json(order)| order.id).unwrap_or_default()
}

fn main() {
    let _ = async || -> Result<(), HostError> {
        let host = DurableHost::builder().register::<message>();
        let host = host.start().await?;
        bound(host.client()).await;
        Ok(())
    };
}
