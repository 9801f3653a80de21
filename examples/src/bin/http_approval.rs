//! Human interaction: a request for a holiday waits until somebody approves it, for three days at most. The
//! answer of a human is an external event, which a client function raises.
//!
//! ```sh
//! cargo run -p examples --bin http_approval
//! curl -i http://127.0.0.1:7071/holidays/ann --json 10
//! curl http://127.0.0.1:7071/holidays/ann                # waiting for approval
//! curl -X POST http://127.0.0.1:7071/holidays/ann/approve
//! curl http://127.0.0.1:7071/holidays/ann                # 10 days for ann: approved
//! ```
//!
//! `/holidays/ann/reject` is the other answer; the `sendEventPostUri` of the first one raises the event too:
//! `curl <that, with "approval" in it> --json true`. What the manager is sent is in `./http_approval.txt`.
//!
//! Kill it while a request waits, and start it again: it goes on to wait, and the three days are those since
//! it was made.

use std::fs::OpenOptions;
use std::io::Write;
use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;

const PATIENCE: Duration = Duration::from_secs(3 * 24 * 60 * 60);
const APPROVAL: &str = "approval";
const MAILS: &str = "http_approval.txt";

/// Sent twice it does no harm.
#[activity]
fn ask_the_manager(name: String, days: u32) -> Result<()> {
    let mut mails = OpenOptions::new().append(true).create(true).open(MAILS)?;
    mails.write_all(format!("{name} asks for {days} days\n").as_bytes())?;
    Ok(())
}

#[orchestrator]
async fn holiday(ctx: OrchestrationContext, (name, days): (String, u32)) -> Result<String> {
    ctx.call_activity::<ask_the_manager>((name.clone(), days))
        .await?;
    ctx.set_custom_status("waiting for approval")?;
    let approval = ctx
        .wait_for_external_event::<bool>(APPROVAL)
        .timeout(PATIENCE)
        .await?;
    let outcome = match approval {
        Some(true) => "approved",
        Some(false) => "rejected",
        None => "nobody has answered in time",
    };
    Ok(format!("{days} days for {name}: {outcome}"))
}

fn id(name: &str) -> String {
    format!("holiday-{name}")
}

#[durable_client(http(post, "/holidays/{name}"))]
async fn ask(
    client: DurableClient,
    Path(name): Path<String>,
    Json(days): Json<u32>,
) -> Result<Response, Refused> {
    let start = client.start_new::<holiday>((name.clone(), days));
    let run = start.instance_id(id(&name)).await?;
    Ok(client.create_check_status_response(run.id()))
}

#[durable_client(http(get, "/holidays/{name}"))]
async fn look(client: DurableClient, Path(name): Path<String>) -> Result<String, Refused> {
    let status = client.get_status(id(&name)).await?;
    let status = status.ok_or(Refused(ClientError::InstanceNotFound { id: id(&name) }))?;
    let text = status.output.or(status.custom_status).unwrap_or_default();
    Ok(text.as_str().unwrap_or("begun").to_owned())
}

#[durable_client(http(post, "/holidays/{name}/approve"))]
async fn approve(client: DurableClient, Path(name): Path<String>) -> Result<StatusCode, Refused> {
    client.raise_event(id(&name), APPROVAL, true).await?;
    Ok(StatusCode::ACCEPTED)
}

#[durable_client(http(post, "/holidays/{name}/reject"))]
async fn reject(client: DurableClient, Path(name): Path<String>) -> Result<StatusCode, Refused> {
    client.raise_event(id(&name), APPROVAL, false).await?;
    Ok(StatusCode::ACCEPTED)
}

/// What a client says instead of doing as told.
struct Refused(ClientError);

impl From<ClientError> for Refused {
    fn from(error: ClientError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0 {
            ClientError::InstanceNotFound { .. } => StatusCode::NOT_FOUND,
            ClientError::NotRunning { .. } => StatusCode::GONE,
            ClientError::AlreadyExists { .. } => StatusCode::CONFLICT,
            ClientError::InvalidInstanceId(_) => StatusCode::BAD_REQUEST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, self.0.to_string()).into_response()
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let host = DurableHost::builder()
        .task_hub("HttpApproval")
        .http(address.as_deref().unwrap_or("127.0.0.1:7071"))
        .start()
        .await?;
    if let Some(address) = host.http_address() {
        println!("listening on http://{address}");
    }
    host.run_until_signal().await?;
    Ok(())
}
