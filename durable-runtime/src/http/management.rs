//! The URLs by which an instance is watched and steered, and the answers that hold them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{LOCATION, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use super::BASE;
use super::origin::Origin;
use super::status::{FailureCode, StatusBody};
use crate::client::{ClientError, DurableClient, RuntimeStatus, WebAddress};

/// Where clients expect a host, as long as none says where it is.
const USUAL_ORIGIN: &str = "http://localhost:7071";
/// The storage of the host's own hub, by the name that the documentation uses.
pub(crate) const CONNECTION: &str = "Storage";
/// All but what never has to be encoded.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// When to look for the first time, in seconds.
const LOOK_AFTER: HeaderValue = HeaderValue::from_static("10");

/// The URLs by which an instance is watched and steered. `{eventName}` and `{text}` in them are to be
/// replaced. In JSON the fields have the names of Durable Functions, such as `statusQueryGetUri`.
///
/// Where the management API needs a key, the URLs hold it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct HttpManagementPayload {
    /// The id of the instance.
    pub id: String,
    /// GET: the status.
    pub status_query_get_uri: String,
    /// POST: raises the event `{eventName}`.
    pub send_event_post_uri: String,
    /// POST: terminates the instance for the reason `{text}`.
    pub terminate_post_uri: String,
    /// POST: rewinds the failed instance.
    pub rewind_post_uri: String,
    /// DELETE: purges the ended instance.
    pub purge_history_delete_uri: String,
    /// POST: starts the orchestrator again with the same input.
    pub restart_post_uri: String,
    /// POST: suspends the instance.
    pub suspend_post_uri: String,
    /// POST: resumes the instance.
    pub resume_post_uri: String,
}

impl DurableClient {
    /// This client, for whoever sent `request`: the URLs that it makes have the origin that the
    /// request was sent to. Clients that are extracted from a request are like that already.
    #[must_use]
    pub fn for_request(&self, request: &Parts) -> Self {
        let mut address = self.address().cloned().unwrap_or_else(unknown_address);
        let trust = address.trust_forwarded_headers;
        if let Some(origin) = Origin::of_request(&request.uri, &request.headers, trust) {
            address.origin = origin.to_string().into();
        }
        self.clone().with_address(address)
    }

    /// The URLs by which the instance `id` is watched and steered. They have the origin of the request
    /// that the client was made for, or else the address that the host listens on.
    pub fn create_http_management_payload(&self, id: impl Into<String>) -> HttpManagementPayload {
        let id = id.into();
        let fallback;
        let address = if let Some(address) = self.address() {
            address
        } else {
            fallback = unknown_address();
            &fallback
        };
        let instance = utf8_percent_encode(&id, ENCODED);
        let instance = format!("{}{}/instances/{instance}", address.origin, address.base);
        let connection = utf8_percent_encode(&address.connection, ENCODED);
        let mut hub = format!("taskHub={}&connection={connection}", self.task_hub());
        if let Some(key) = &address.system_key {
            hub.push_str("&code=");
            hub.extend(utf8_percent_encode(key, ENCODED));
        }
        HttpManagementPayload {
            status_query_get_uri: format!("{instance}?{hub}"),
            send_event_post_uri: format!("{instance}/raiseEvent/{{eventName}}?{hub}"),
            terminate_post_uri: format!("{instance}/terminate?reason={{text}}&{hub}"),
            rewind_post_uri: format!("{instance}/rewind?reason={{text}}&{hub}"),
            purge_history_delete_uri: format!("{instance}?{hub}"),
            restart_post_uri: format!("{instance}/restart?{hub}"),
            suspend_post_uri: format!("{instance}/suspend?reason={{text}}&{hub}"),
            resume_post_uri: format!("{instance}/resume?reason={{text}}&{hub}"),
            id,
        }
    }

    /// The answer to a request that has started the instance `id`: 202 with the
    /// [management URLs](Self::create_http_management_payload) as its body, the one of the status in
    /// `Location`, and 10 seconds in `Retry-After`.
    pub fn create_check_status_response(&self, id: impl Into<String>) -> Response {
        let payload = self.create_http_management_payload(id);
        let location = location(&payload.status_query_get_uri);
        (
            StatusCode::ACCEPTED,
            [(RETRY_AFTER, LOOK_AFTER)],
            location,
            axum::Json(payload),
        )
            .into_response()
    }

    /// The answer to a request that wants the outcome of the instance `id` if that does not take longer
    /// than `timeout`: 200 with the output if the instance has completed; 200 with its status if it has
    /// failed or was terminated; and otherwise the answer of
    /// [`create_check_status_response`](Self::create_check_status_response). The end of an instance is
    /// noticed at once, so `interval`, the time between two looks, has no effect.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`]; [`ClientError::Storage`].
    pub async fn wait_for_completion_or_create_check_status_response(
        &self,
        id: impl Into<String>,
        timeout: Duration,
        interval: Duration,
    ) -> Result<Response, ClientError> {
        let _ = interval;
        self.outcome_or_check_status(id.into(), timeout, FailureCode::Ok)
            .await
    }

    pub(super) async fn outcome_or_check_status(
        &self,
        id: String,
        timeout: Duration,
        failure_code: FailureCode,
    ) -> Result<Response, ClientError> {
        let status = match self.wait_for_completion(&id, timeout).await {
            Ok(status) => status,
            Err(ClientError::Timeout { .. }) => return Ok(self.create_check_status_response(id)),
            Err(error) => return Err(error),
        };
        if status.runtime_status == RuntimeStatus::Completed {
            return Ok(axum::Json(status.output).into_response());
        }
        let code = failure_code.of(status.runtime_status);
        Ok((code, axum::Json(StatusBody::new(status, None))).into_response())
    }
}

/// A URL is a header, unless somebody has put something into it that is none.
pub(super) fn location(url: &str) -> Option<[(HeaderName, HeaderValue); 1]> {
    let url = HeaderValue::from_str(url).ok()?;
    Some([(LOCATION, url)])
}

fn unknown_address() -> WebAddress {
    WebAddress {
        origin: Arc::from(USUAL_ORIGIN),
        base: Arc::from(BASE),
        connection: Arc::from(CONNECTION),
        system_key: None,
        trust_forwarded_headers: false,
    }
}
