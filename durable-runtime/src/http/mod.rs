//! HTTP: the management API, the routes of client functions, and the calls of orchestrations.
//!
//! A host serves it where [`DurableHostBuilder::http`](crate::host::DurableHostBuilder::http) says;
//! [`router`] mounts the management API in any axum app.
//!
//! A request that comes while the host has too much to do is answered with 503 and a header
//! `Retry-After`, in seconds: nothing of it was done where there are too many requests
//! ([`HttpOptions::max_concurrent_requests`]), or a start, an event or a signal too many for the host
//! ([`HostOptions::max_pending_requests`](crate::host::HostOptions::max_pending_requests),
//! [`HostOptions::max_waiting_activities`](crate::host::HostOptions::max_waiting_activities)). Statuses
//! can be read meanwhile, and instances be steered. The body is JSON, as that of every error.

mod body;
mod call;
mod entities;
mod error;
mod functions;
mod history;
mod impatient;
mod instances;
mod key;
mod limits;
mod management;
mod openapi;
mod options;
mod orchestrators;
mod origin;
mod page;
mod query;
mod routes;
mod server;
mod service;
mod status;
mod table;

use axum::Router;

#[cfg(feature = "testing")]
pub(crate) use call::answered;
pub use call::{
    AccessToken, BoxFuture, ClientCredentials, DurableHttpRequest, DurableHttpResponse,
    HttpCallOptions, HttpHeaders, HttpRetryOptions, ManagedIdentityEndpoint,
    ManagedIdentityTokenSource, RegisteredTokenSource, TokenReference, TokenSource,
    UnexpectedStatus,
};
pub(crate) use call::{HTTP_CALLS, HttpSender, TokenSources};
pub use functions::RouteClash;
#[doc(hidden)]
pub use functions::{HeadExtractor, HttpTrigger, LastExtractor, part, respond, rest, split};
pub(crate) use functions::{HttpFunction, routes};
pub(crate) use key::generate as generate_key;
pub(crate) use management::CONNECTION;
pub use management::HttpManagementPayload;
pub use options::HttpOptions;
pub(crate) use server::{HttpServer, ListenError, Listener};
pub(crate) use service::{OfHost, OtherHub};

use self::service::Visitors;
use crate::client::DurableClient;

/// What all paths of the management API begin with.
pub(crate) const BASE: &str = "/runtime/webhooks/durabletask";

/// The management API below `/runtime/webhooks/durabletask`, to be merged into or nested in an axum
/// app. It asks for no key: who may use it is for the app to say, or for
/// [`router_with`].
///
/// ```
/// use durable_runtime::client::DurableClient;
///
/// fn app(client: &DurableClient) -> axum::Router {
///     axum::Router::new().merge(durable_runtime::http::router(client))
/// }
/// ```
pub fn router(client: &DurableClient) -> Router {
    router_with(client, &HttpOptions::default())
}

/// The management API with other [`HttpOptions`] than the default ones: with a key, for instance.
pub fn router_with(client: &DurableClient, options: &HttpOptions) -> Router {
    let management = service::router(client, OfHost::default(), options, Visitors::All);
    limits::apply(management, options)
}

/// All that a host serves: the management API, also of the hubs that client functions are bound to, and
/// the routes of those functions.
pub(crate) fn app(
    client: &DurableClient,
    host: OfHost,
    functions: Router,
    options: &HttpOptions,
) -> Router {
    let management = service::router(client, host, options, Visitors::OfThisSite);
    with_functions(management, functions, options)
}

/// What a host serves, to whoever asks.
#[cfg(feature = "testing")]
pub(crate) fn app_of_test(client: &DurableClient, functions: Router) -> Router {
    let options = HttpOptions::default();
    let management = service::router(client, OfHost::default(), &options, Visitors::All);
    with_functions(management, functions, &options)
}

fn with_functions(management: Router, functions: Router, options: &HttpOptions) -> Router {
    let all = management
        .merge(functions)
        .fallback(error::nothing_here)
        .method_not_allowed_fallback(error::wrong_method);
    limits::apply(all, options)
}
