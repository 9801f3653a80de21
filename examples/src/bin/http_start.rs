//! The async HTTP API pattern: a request starts work that takes longer than anyone waits for an answer. The
//! answer comes at once, 202 with the URLs by which the work is watched and steered, and the status says
//! when it is done.
//!
//! ```sh
//! cargo run -p examples --bin http_start
//! curl -i -X POST http://127.0.0.1:7071/orchestrators/resize_photos -d '["sea.jpg", "dunes.jpg"]'
//! curl -i <the Location of the answer>                         # 202 until it is done, then 200
//! curl -i -X POST <the terminatePostUri, with a reason in it>  # or stop it
//! curl -X POST 'http://127.0.0.1:7071/orchestrators/resize_photos?wait=30' -d '["sea.jpg"]'
//! ```
//!
//! Kill it while it works, and start it again: the URLs go on to work, and the status says 202 until the
//! last photo is done, each of which takes a second.

use std::time::Duration;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;
use serde::Deserialize;
use serde_json::Value;

#[activity]
async fn resize(photo: String) -> Result<String> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(format!("small-{photo}"))
}

#[orchestrator]
async fn resize_photos(ctx: OrchestrationContext, photos: Vec<String>) -> Result<Vec<String>> {
    let mut small = Vec::new();
    for photo in photos {
        small.push(ctx.call_activity::<resize>(photo).await?);
        ctx.set_custom_status(format!("{} done", small.len()))?;
    }
    Ok(small)
}

#[derive(Deserialize)]
struct Wait {
    /// For how many seconds to wait for the outcome.
    wait: Option<u64>,
}

/// Starts any orchestrator, with the body as its input.
#[durable_client(http(post, "/orchestrators/{name}"))]
async fn http_start(
    client: DurableClient,
    Path(name): Path<String>,
    Query(Wait { wait }): Query<Wait>,
    body: String,
) -> Result<Response, Refused> {
    let input: Value = match body.as_str() {
        "" => Value::Null,
        text => serde_json::from_str(text).map_err(|error| Refused::Input(error.to_string()))?,
    };
    let run = client.start_new_by_name(name, input).await?;
    let Some(seconds) = wait else {
        return Ok(client.create_check_status_response(run.id()));
    };
    let (wait, interval) = (Duration::from_secs(seconds.min(60)), Duration::from_secs(1));
    let answer = client
        .wait_for_completion_or_create_check_status_response(run.id(), wait, interval)
        .await?;
    Ok(answer)
}

/// Why nothing was started.
enum Refused {
    Input(String),
    Client(ClientError),
}

impl From<ClientError> for Refused {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::Input(message) => (StatusCode::BAD_REQUEST, message),
            Self::Client(error @ ClientError::UnknownOrchestrator { .. }) => {
                (StatusCode::NOT_FOUND, error.to_string())
            }
            Self::Client(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
        }
        .into_response()
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let host = DurableHost::builder()
        .task_hub("HttpStart")
        .http(address.as_deref().unwrap_or("127.0.0.1:7071"))
        .start()
        .await?;
    if let Some(address) = host.http_address() {
        println!("listening on http://{address}");
    }
    host.run_until_signal().await?;
    Ok(())
}
