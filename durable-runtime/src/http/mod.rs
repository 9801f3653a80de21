//! HTTP: the management API, the routes of client functions, and the calls of orchestrations.

use axum::Router;

use crate::client::DurableClient;

mod functions;

/// The management API below `/runtime/webhooks/durabletask`, to be merged into an axum app.
pub fn router(_client: &DurableClient) -> Router {
    Router::new()
}
