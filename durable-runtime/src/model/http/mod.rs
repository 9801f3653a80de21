//! HTTP requests of orchestrations, and what came back: data, as it stands in history.

mod content;
mod headers;
mod request;
mod response;
mod retry;
mod token;

pub use headers::HttpHeaders;
pub use request::DurableHttpRequest;
pub(crate) use request::shown;
pub(crate) use response::HttpAnswer;
pub use response::{DurableHttpResponse, UnexpectedStatus};
pub use retry::HttpRetryOptions;
pub use token::{ManagedIdentityTokenSource, RegisteredTokenSource, TokenReference};

/// The name under which requests stand in history, among the activities.
pub(crate) const HTTP_ACTIVITY: &str = "BuiltIn::HttpActivity";
