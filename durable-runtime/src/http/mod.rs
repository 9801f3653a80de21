//! HTTP: the management API, the routes of client functions, and the calls of orchestrations.

use axum::Router;

use crate::client::DurableClient;

mod call;
mod functions;

pub use call::{
    AccessToken, BoxFuture, ClientCredentials, DurableHttpRequest, DurableHttpResponse,
    HttpCallOptions, HttpHeaders, HttpRetryOptions, ManagedIdentityEndpoint,
    ManagedIdentityTokenSource, RegisteredTokenSource, TokenReference, TokenSource,
    UnexpectedStatus,
};
pub(crate) use call::{HTTP_CALLS, HttpSender, TokenSources};
pub use functions::RouteClash;
pub(crate) use functions::{HttpFunction, routes};
#[doc(hidden)]
pub use functions::{HttpTrigger, part, respond, rest, split};

/// The management API below `/runtime/webhooks/durabletask`, to be merged into an axum app.
pub fn router(_client: &DurableClient) -> Router {
    Router::new()
}
