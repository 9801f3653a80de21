//! What a request is told instead of what it asked for.

use axum::http::header::{ALLOW, CONNECTION, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::client::ClientError;

/// What to wait, in seconds, before trying again what could not be done for now.
const TRY_AGAIN_AFTER: HeaderValue = HeaderValue::from_static("1");

/// An answer that is an error. Its body is JSON: `error` and `ExceptionMessage` say what is wrong in
/// particular, `Message` what is wrong in general, as clients of Durable Functions look for the one or
/// the other.
#[derive(Debug)]
pub(super) struct HttpError {
    status: StatusCode,
    message: String,
    allow: Option<String>,
}

impl HttpError {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            allow: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn unavailable(message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
    }

    /// A value that has no JSON form; none that is stored is like that.
    #[expect(clippy::needless_pass_by_value, reason = "given to `map_err`")]
    pub(super) fn unwritable(error: serde_json::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }

    pub(super) fn method_not_allowed(allow: String) -> Self {
        let message = format!("this path is for other methods: use {allow}");
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, message)
        }
    }
}

/// Answers for a path at which a host has nothing.
pub(super) async fn nothing_here() -> HttpError {
    HttpError::not_found("there is nothing at this path")
}

/// Answers for a path at which a host has something for other methods, which the router adds.
pub(super) async fn wrong_method() -> HttpError {
    HttpError::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this path is for other methods: use one that `allow` names",
    )
}

impl From<ClientError> for HttpError {
    fn from(error: ClientError) -> Self {
        let status = match &error {
            ClientError::InstanceNotFound { .. } | ClientError::UnknownEntity { .. } => {
                StatusCode::NOT_FOUND
            }
            ClientError::InvalidInstanceId(_)
            | ClientError::InvalidEntityId(_)
            | ClientError::UnknownOrchestrator { .. }
            | ClientError::InvalidContinuationToken => StatusCode::BAD_REQUEST,
            ClientError::AlreadyExists { .. } => StatusCode::CONFLICT,
            ClientError::NotRunning { status, .. } if status.has_ended() => StatusCode::GONE,
            ClientError::NotRunning { .. } => StatusCode::PRECONDITION_FAILED,
            ClientError::PayloadTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            ClientError::Busy { .. } => StatusCode::SERVICE_UNAVAILABLE,
            ClientError::Storage(error) if error.is_transient() => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        let general = match self.status {
            StatusCode::BAD_REQUEST => "One or more of the arguments submitted is incorrect",
            StatusCode::INTERNAL_SERVER_ERROR => {
                "Something went wrong while processing your request"
            }
            status => status.canonical_reason().unwrap_or("Error"),
        };
        let body = json!({
            "error": self.message,
            "Message": general,
            "ExceptionMessage": self.message,
        });
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, TRY_AGAIN_AFTER);
        }
        // What is left of the body is not read.
        if matches!(
            self.status,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT
        ) {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(allow) = self.allow.and_then(|allow| allow.try_into().ok()) {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::{InstanceId, PayloadTooLarge, RuntimeStatus};
    use crate::storage::StorageError;

    // Rule 42: what went wrong decides the code.
    #[test]
    fn every_error_has_its_code() {
        let id = || "a".to_owned();
        let not_running = |status| ClientError::NotRunning {
            id: id(),
            status,
            action: "purging".to_owned(),
            needs: "has ended".to_owned(),
        };
        let message = || "message".to_owned();
        let unavailable = StorageError::Unavailable { message: message() };
        let corrupt = StorageError::Corrupt {
            place: id(),
            message: message(),
        };
        let status = RuntimeStatus::Running;
        let too_large = PayloadTooLarge { size: 2, limit: 1 };
        for (error, code) in [
            (ClientError::InstanceNotFound { id: id() }, 404),
            (ClientError::UnknownEntity { message: message() }, 404),
            (InstanceId::new("@").unwrap_err().into(), 400),
            (ClientError::UnknownOrchestrator { message: message() }, 400),
            (ClientError::InvalidContinuationToken, 400),
            (ClientError::AlreadyExists { id: id(), status }, 409),
            (not_running(RuntimeStatus::Failed), 410),
            (not_running(RuntimeStatus::Suspended), 412),
            (too_large.into(), 413),
            (ClientError::Busy { message: message() }, 503),
            (unavailable.into(), 503),
            (corrupt.into(), 500),
            (
                ClientError::Timeout {
                    id: id(),
                    waited: Duration::ZERO,
                },
                500,
            ),
        ] {
            let text = error.to_string();
            let response = HttpError::from(error).into_response();
            assert_eq!(response.status().as_u16(), code, "{text}");
            let is_for_later = response.headers().contains_key(RETRY_AFTER);
            assert_eq!(is_for_later, code == 503, "{text}");
        }
    }
}
