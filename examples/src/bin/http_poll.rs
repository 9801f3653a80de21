//! A long job on a server, over HTTP: the server accepts it with a 202 and says where to ask for it, and
//! the call comes back when it is done. Between two requests there is only a durable timer, so a job
//! may take days.
//!
//! Kill it at any moment and start it again: it goes on asking for the job that it has begun. The
//! server of this example is part of the program; it keeps nothing, so that it may be killed too.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::http::{HeaderName, StatusCode, header};
use axum::routing::{get, post};
use chrono::{DateTime, TimeDelta, Utc};
use durable_runtime::client::OnExisting;
use durable_runtime::http::{DurableHttpRequest, HttpCallOptions, HttpRetryOptions};
use durable_runtime::prelude::*;

/// Where the server listens: the same after a restart.
const ADDRESS: &str = "127.0.0.1:7272";

#[orchestrator]
async fn make_report(ctx: OrchestrationContext, server: String) -> Result<String> {
    let request = DurableHttpRequest::post(format!("http://{server}/reports"))
        .json(["sales", "stock"])
        // A server that does not answer for a moment is asked again.
        .retry(HttpRetryOptions::new(5, Duration::from_millis(500)).status_codes([429, 503]));
    let response = ctx
        .call_http(request)
        .timeout(Duration::from_secs(3600))
        .await?;
    Ok(format!("{}: {}", response.status_code, response.content))
}

/// Begins a report, whose name says when it was begun.
async fn begin() -> (StatusCode, [(HeaderName, String); 2]) {
    println!("the server begins a report");
    let location = format!("/reports/{}", Utc::now().timestamp_millis());
    (
        StatusCode::ACCEPTED,
        [
            (header::LOCATION, location),
            (header::RETRY_AFTER, "1".to_owned()),
        ],
    )
}

/// Says how far a report has come, which takes three seconds.
async fn look(Path(begun): Path<i64>) -> Result<(StatusCode, &'static str), StatusCode> {
    let begun = DateTime::from_timestamp_millis(begun).ok_or(StatusCode::NOT_FOUND)?;
    let is_done = Utc::now() - begun >= TimeDelta::seconds(3);
    println!("the server is asked for the report");
    Ok(if is_done {
        (StatusCode::OK, "the report is ready")
    } else {
        (StatusCode::ACCEPTED, "not yet")
    })
}

#[tokio::main]
async fn main() -> Result<()> {
    let server = Router::new()
        .route("/reports", post(begin))
        .route("/reports/{begun}", get(look));
    let listener = tokio::net::TcpListener::bind(ADDRESS).await?;
    tokio::spawn(async { axum::serve(listener, server).await });

    let host = DurableHost::builder()
        .task_hub("HttpPoll")
        .http_calls(HttpCallOptions {
            // Orchestrations of this host reach this server, and no other.
            allowed_hosts: Some(vec!["127.0.0.1".to_owned()]),
            poll_interval: Duration::from_secs(1),
            ..HttpCallOptions::default()
        })
        .start()
        .await?;
    let client = host.client();
    // What an earlier run has finished goes. If that was killed, its orchestration is joined.
    client.purge("http-poll").await.ok();
    let run = client
        .start_new::<make_report>(ADDRESS)
        .instance_id("http-poll")
        .on_existing(OnExisting::Ignore)
        .await?;
    println!("{}", run.output().await?);
    host.shutdown().await?;
    Ok(())
}
