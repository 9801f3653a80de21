//! What came back for a request.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::HttpHeaders;
use super::content::{to_bytes, to_text};
use crate::model::Misfit;

/// The answer to a [`DurableHttpRequest`](super::DurableHttpRequest), whatever its status code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DurableHttpResponse {
    /// The status code, such as 200.
    pub status_code: u16,
    /// The headers.
    #[serde(default)]
    pub headers: HttpHeaders,
    /// The body: the text that it is; if it is not UTF-8, in base64.
    #[serde(default)]
    pub content: String,
    /// Whether `content` is base64.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_base64: bool,
    /// The URL that gave the answer, which is another one than that of the request after redirects
    /// and polling.
    #[serde(default)]
    pub url: String,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl DurableHttpResponse {
    /// An answer without headers, for tests of what is done with one.
    pub fn new(status_code: u16, content: impl AsRef<[u8]>) -> Self {
        let (content, is_base64) = to_text(content.as_ref().to_vec());
        Self {
            status_code,
            headers: HttpHeaders::default(),
            content,
            is_base64,
            url: String::new(),
        }
    }

    /// Whether the status code is one from 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status_code)
    }

    /// The first value of the header `name`, whose case does not matter.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body.
    pub fn bytes(&self) -> Vec<u8> {
        to_bytes(&self.content, self.is_base64)
    }

    /// The body, read as JSON.
    ///
    /// # Errors
    ///
    /// Which field does not fit, or where the text is no JSON.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let bytes = self.bytes();
        serde_json::from_slice(&bytes).map_err(|error| match std::str::from_utf8(&bytes) {
            Ok(json) if error.is_data() => {
                let misfit = Misfit::find::<T>(&"the body of the answer", json, &error);
                serde::de::Error::custom(misfit)
            }
            _ => error,
        })
    }

    /// The answer, if its status code is one from 200 to 299.
    ///
    /// # Errors
    ///
    /// [`UnexpectedStatus`] for any other.
    pub fn error_for_status(self) -> Result<Self, UnexpectedStatus> {
        if self.is_success() {
            return Ok(self);
        }
        let beginning = self.content.chars().take(200).collect();
        Err(UnexpectedStatus {
            status_code: self.status_code,
            content: beginning,
        })
    }
}

/// An answer with a status code that is no success.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server answered {status_code}: {content}")]
pub struct UnexpectedStatus {
    /// The status code.
    pub status_code: u16,
    /// The first 200 characters of the body.
    pub content: String,
}

/// An answer as the sender hands it to the orchestration.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpAnswer {
    #[serde(flatten)]
    pub(crate) response: DurableHttpResponse,
    /// How long to wait before the server is asked again: what it said, else what the host's options
    /// say of an answer that is to be polled. The host that got the answer has worked it out, so that
    /// the orchestration depends on nothing but its history.
    #[serde(default, rename = "waitMs", skip_serializing_if = "Option::is_none")]
    pub(crate) wait_millis: Option<u64>,
}

impl HttpAnswer {
    pub(crate) fn wait(&self) -> Option<Duration> {
        self.wait_millis.map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_stands_flat_in_history() {
        let mut response = DurableHttpResponse::new(202, "later");
        response.headers.append("Location", "/status");
        response.url = "http://localhost/jobs".to_owned();
        let answer = HttpAnswer {
            response,
            wait_millis: Some(1500),
        };
        let json = serde_json::to_string(&answer).unwrap();
        assert_eq!(
            json,
            r#"{"statusCode":202,"headers":{"location":"/status"},"content":"later","url":"http://localhost/jobs","waitMs":1500}"#
        );
        assert_eq!(serde_json::from_str::<HttpAnswer>(&json).unwrap(), answer);
    }

    #[test]
    fn bodies_are_read_as_json_and_bytes() {
        let response = DurableHttpResponse::new(200, r#"{"id": 7}"#);
        assert_eq!(response.json::<serde_json::Value>().unwrap()["id"], 7);
        let error = response.json::<std::collections::BTreeMap<String, bool>>();
        let message = error.unwrap_err().to_string();
        assert!(message.starts_with("the body of the answer"), "{message}");
        assert!(message.contains("bool>`: at `id`: invalid"), "{message}");
        let error = DurableHttpResponse::new(200, "no").json::<String>();
        assert!(error.unwrap_err().is_syntax());
        let response = DurableHttpResponse::new(200, vec![0xff, 0xfe]);
        assert!(response.is_base64);
        assert_eq!(response.bytes(), [0xff, 0xfe]);
    }

    #[test]
    fn a_status_that_is_no_success_can_be_an_error() {
        let error = DurableHttpResponse::new(404, "no such order").error_for_status();
        assert_eq!(
            error.unwrap_err().to_string(),
            "the server answered 404: no such order"
        );
        let response = DurableHttpResponse::new(204, "");
        assert_eq!(response.clone().error_for_status(), Ok(response));
    }
}
