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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::routing::get;
    use serde_json::Value;
    use tower::Service;

    use super::*;

    /// What is answered to a request for `path` of routes that do not behave.
    async fn answer(path: &str) -> (StatusCode, bool, Value) {
        let options = HttpOptions {
            request_timeout: Duration::from_millis(20),
            ..HttpOptions::default()
        };
        let routes = Router::new()
            .route("/slow", get(std::future::pending::<()>))
            .route("/panics", get(async || -> () { panic!("as expected") }))
            .route("/fine", get(async || "\"fine\""));
        let request = Request::get(path).body(Body::empty()).unwrap();
        let response = apply(routes, &options).call(request).await.unwrap();
        let has_retry_after = response.headers().contains_key("retry-after");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (
            status,
            has_retry_after,
            serde_json::from_slice(&body).unwrap(),
        )
    }

    #[tokio::test]
    async fn what_takes_too_long_is_given_up() {
        let (status, has_retry_after, body) = answer("/slow").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(has_retry_after);
        assert!(body["error"].as_str().unwrap().contains("20ms"), "{body}");
        assert_eq!(answer("/fine").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let (status, _, body) = answer("/panics").await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(
            body["error"].as_str().unwrap().contains("panicked"),
            "{body}"
        );
    }
}
