//! What a host answers over HTTP, and what that means.

use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::exit::{CliError, Code};

/// How much is shown of an answer that nobody understands.
const SHOWN: usize = 200;

#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
    /// Where the next page begins.
    pub(super) token: Option<String>,
    /// Who answers.
    pub(super) origin: String,
}

/// The body of an error. Hosts of other makes have only the second or the third.
#[derive(Debug, Deserialize)]
struct ErrorBody {
    error: Option<String>,
    #[serde(rename = "ExceptionMessage")]
    exception: Option<String>,
    #[serde(rename = "Message", alias = "message")]
    message: Option<String>,
}

impl Answer {
    /// The answer, if it says that all is well.
    pub(super) fn accepted(self) -> Result<Self, CliError> {
        let code = match self.status {
            status if status.is_success() => return Ok(self),
            // From somebody else it says nothing of instances.
            StatusCode::NOT_FOUND if self.is_of_management_api() => Code::NotFound,
            StatusCode::GONE | StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => {
                Code::NotPossible
            }
            StatusCode::BAD_REQUEST => Code::Usage,
            StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::REQUEST_TIMEOUT => Code::Timeout,
            _ => Code::Failed,
        };
        let error = self.error(code);
        Err(match self.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                error.hint("give the system key of the host with --code or DURABLE_CODE")
            }
            _ => error,
        })
    }

    /// The answer, or `None` if it says that there is no such thing.
    pub(super) fn found(self) -> Result<Option<Self>, CliError> {
        match self.status {
            // Others than the management API answer so with a page for people.
            StatusCode::NOT_FOUND if self.is_of_management_api() => Ok(None),
            _ => self.accepted().map(Some),
        }
    }

    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, CliError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let text = String::from_utf8_lossy(&self.body);
            let text: String = text.chars().take(SHOWN).collect();
            CliError::new(
                Code::Failed,
                format!(
                    "what answers at {} is not the management API of Durable Functions ({error}): \
                     {text}",
                    self.origin
                ),
            )
        })
    }

    /// What an answer says that is not what was asked for.
    pub(super) fn error(&self, code: Code) -> CliError {
        if let Some(text) = self.explanation() {
            return CliError::new(code, text);
        }
        let status = self.status;
        let error = CliError::new(code, format!("{} answers {status}", self.origin));
        match status {
            StatusCode::NOT_FOUND if !self.is_of_management_api() => error.hint(
                "there seems to be no management API: give the URL of a host that serves HTTP",
            ),
            status if status.is_redirection() => {
                error.hint("it is somewhere else: give the URL of the host itself")
            }
            _ => error,
        }
    }

    fn explanation(&self) -> Option<String> {
        let body: ErrorBody = serde_json::from_slice(&self.body).ok()?;
        body.error.or(body.exception).or(body.message)
    }

    fn is_of_management_api(&self) -> bool {
        self.body.is_empty() || self.explanation().is_some()
    }
}
