//! What keeps a server from doing more than it can: bounds on the number and duration of requests.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use tokio::sync::Semaphore;

use super::error::HttpError;
use super::{HttpOptions, service};

#[derive(Debug)]
struct Limits {
    requests: Semaphore,
    request_timeout: Duration,
}

/// Puts the limits of `options` on all routes of `router`, together.
pub(super) fn apply(router: Router, options: &HttpOptions) -> Router {
    let limits = Arc::new(Limits {
        requests: Semaphore::new(options.max_concurrent_requests.min(Semaphore::MAX_PERMITS)),
        request_timeout: options.request_timeout,
    });
    router
        .layer(DefaultBodyLimit::max(options.max_body_bytes))
        .layer(from_fn_with_state(limits, limited))
}

async fn limited(State(limits): State<Arc<Limits>>, request: Request, next: Next) -> Response {
    // Whether the host works is also asked while it is busy.
    let permit = limits.requests.try_acquire();
    if permit.is_err() && !service::is_health(request.uri().path()) {
        return HttpError::unavailable("too many requests at the same time: try again")
            .into_response();
    }
    let method = request.method().clone();
    // Without the query, in which the key may stand.
    let path = request.uri().path().to_owned();
    let answer = AssertUnwindSafe(next.run(request)).catch_unwind();
    let response = match tokio::time::timeout(limits.request_timeout, answer).await {
        Ok(Ok(response)) => response,
        Ok(Err(_)) => HttpError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the function that answers this request has panicked",
        )
        .into_response(),
        Err(_) => {
            let message = format!(
                "the request took longer than {:?}: what it asked for may go on",
                limits.request_timeout
            );
            HttpError::unavailable(message).into_response()
        }
    };
    tracing::debug!(%method, path, status = response.status().as_u16(), "answered a request");
    response
}
