//! What the HTTP calls of orchestrations may do.

use std::time::Duration;

use super::ManagedIdentityEndpoint;

/// The settings of the HTTP calls that a host sends for its orchestrations:
///
/// ```
/// use durable_runtime::http::HttpCallOptions;
/// use durable_runtime::prelude::*;
///
/// let builder = DurableHost::builder().http_calls(HttpCallOptions {
///     allowed_hosts: Some(vec!["api.example.com".to_owned(), "*.example.org".to_owned()]),
///     ..HttpCallOptions::default()
/// });
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCallOptions {
    /// The hosts that requests may go to, redirects and polling included: names, addresses, and
    /// `*.example.org` for all names below `example.org` (and not that itself). Default: `None`, which
    /// is any.
    pub allowed_hosts: Option<Vec<String>>,
    /// Whether requests may go to link-local addresses (`169.254.0.0/16`, `fe80::/10`), where machines of
    /// cloud providers find their own credentials. Names that resolve to one are refused too; a proxy
    /// that is set in the environment resolves names by itself. Managed identity does not need it.
    /// Default: `false`.
    pub allow_link_local: bool,
    /// How long one attempt of a request may take, with redirects and the whole body. Default: 100
    /// seconds.
    pub request_timeout: Duration,
    /// How long a poll waits between two requests when the server does not say. Default: 30 seconds.
    pub poll_interval: Duration,
    /// Where tokens of the managed identity come from. Default: what the environment says.
    pub managed_identity: ManagedIdentityEndpoint,
}

impl Default for HttpCallOptions {
    fn default() -> Self {
        Self {
            allowed_hosts: None,
            allow_link_local: false,
            request_timeout: Duration::from_secs(100),
            poll_interval: Duration::from_secs(30),
            managed_identity: ManagedIdentityEndpoint::Detect,
        }
    }
}
