//! The management API in an axum app of one's own, beside routes of that app. The app says who may use
//! it: here, whoever has the token.
//!
//! ```sh
//! cargo run -p examples --bin embed_in_axum
//! curl -i -X POST http://127.0.0.1:3000/orders/42 -d 'two books'
//! curl -H 'authorization: Bearer letmein' <the statusQueryGetUri of the answer>
//! curl -H 'authorization: Bearer letmein' -X POST <the sendEventPostUri, with `paid` in it>
//! ```
//!
//! Kill it and start it again: orders that wait to be paid go on waiting.

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use durable_runtime::http;
use durable_runtime::prelude::*;
use tokio::net::TcpListener;

#[activity]
async fn ship(order: String) -> Result<String> {
    Ok(format!("{order} has been shipped"))
}

/// Ships an order as soon as it is paid.
#[orchestrator]
async fn fulfil(ctx: OrchestrationContext, order: String) -> Result<String> {
    ctx.set_custom_status("waiting for the money")?;
    ctx.wait_for_external_event::<()>("paid").await?;
    ctx.set_custom_status("shipping")?;
    Ok(ctx.call_activity::<ship>(order).await?)
}

/// Answers at once, with the URLs by which the order can be watched and steered.
async fn place_order(
    State(client): State<DurableClient>,
    Path(id): Path<String>,
    request: Parts,
    order: String,
) -> Response {
    let start = client
        .start_new::<fulfil>(order)
        .instance_id(format!("order-{id}"));
    match start.await {
        Ok(run) => client
            .for_request(&request)
            .create_check_status_response(run.id()),
        Err(error) => (StatusCode::CONFLICT, error.to_string()).into_response(),
    }
}

/// What the app asks for before it lets anyone at the management API.
async fn with_token(request: Request, next: Next) -> Response {
    let token = request.headers().get(AUTHORIZATION);
    if token.is_some_and(|token| token == "Bearer letmein") {
        next.run(request).await
    } else {
        (StatusCode::UNAUTHORIZED, "this needs the token\n").into_response()
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1);
    let host = DurableHost::builder()
        .task_hub("EmbedInAxum")
        .start()
        .await?;
    let management = http::router(&host.client()).layer(from_fn(with_token));
    let app = Router::new()
        .route("/", get(async || "POST an order to /orders/{id}\n"))
        .route("/orders/{id}", post(place_order))
        .with_state(host.client())
        .merge(management);
    let listener = TcpListener::bind(address.as_deref().unwrap_or("127.0.0.1:3000")).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        ended = host.run_until_signal() => ended?,
    }
    Ok(())
}
