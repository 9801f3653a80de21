//! How HTTP is served.

use std::fmt;
use std::time::Duration;

/// The settings of HTTP. Each has a default that is right for most programs:
///
/// ```
/// use durable_runtime::http::HttpOptions;
///
/// let options = HttpOptions {
///     max_concurrent_requests: 100,
///     ..HttpOptions::default()
/// };
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// The key that requests to the management API must have, in the query parameter `code` or the
    /// header `x-functions-key`; at least 16 characters. Default: none, which means that a host which
    /// listens on a loopback address asks for none, and one that listens on another address makes a
    /// key and stores it with the task hub. [`router_with`](super::router_with) asks for a key only if
    /// one is given here.
    pub system_key: Option<String>,
    /// The longest body of a request, in bytes; a longer one is answered with 413. Default: 4 MiB.
    pub max_body_bytes: usize,
    /// The longest head of a request, in bytes, and at least 8 KiB; a longer one is answered with
    /// 431. Only for a host that listens. Default: 32 KiB.
    pub max_header_bytes: usize,
    /// How long the head of a request may take to arrive, which is also how long a connection may be
    /// idle, and how long a client may take nothing of its answer. Only for a host that listens.
    /// Default: 30 seconds.
    pub header_timeout: Duration,
    /// How long a request may take in all: one whose body does not arrive in time is answered with
    /// 408, any other one with 503. Default: 100 seconds.
    pub request_timeout: Duration,
    /// How many requests are dealt with at the same time; more are answered with 503. Default: 1,000.
    pub max_concurrent_requests: usize,
    /// How many connections are open at the same time; more wait to be accepted. Only for a host that
    /// listens. Default: 4,096.
    pub max_connections: usize,
    /// Whether URLs in answers have the origin that `X-Forwarded-Proto`, `X-Forwarded-Host` and
    /// `X-Forwarded-Port` name. Right only behind a proxy that sets these headers itself. Default:
    /// `false`.
    pub trust_forwarded_headers: bool,
    /// The origin of URLs that are made outside of a request, such as `https://orders.example.com`.
    /// Default: the address that the host listens on.
    pub public_origin: Option<String>,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            system_key: None,
            max_body_bytes: 4 * 1024 * 1024,
            max_header_bytes: 32 * 1024,
            header_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(100),
            max_concurrent_requests: 1_000,
            max_connections: 4_096,
            trust_forwarded_headers: false,
            public_origin: None,
        }
    }
}

impl HttpOptions {
    /// The field that makes no sense, and what it must be.
    pub(crate) fn check(&self) -> Result<(), (&'static str, &'static str)> {
        if (self.system_key.as_ref()).is_some_and(|key| key.len() < 16) {
            return Err(("system_key", "must have at least 16 characters"));
        }
        if self.max_body_bytes == 0 {
            return Err(("max_body_bytes", "must be at least 1"));
        }
        if self.max_header_bytes < 8 * 1024 {
            return Err(("max_header_bytes", "must be at least 8192"));
        }
        if self.header_timeout.is_zero() {
            return Err(("header_timeout", "must be longer than zero"));
        }
        if self.request_timeout.is_zero() {
            return Err(("request_timeout", "must be longer than zero"));
        }
        if self.max_concurrent_requests == 0 {
            return Err(("max_concurrent_requests", "must be at least 1"));
        }
        if self.max_connections == 0 {
            return Err(("max_connections", "must be at least 1"));
        }
        let is_origin = |origin: &String| super::origin::Origin::parse(origin).is_some();
        if !self.public_origin.as_ref().is_none_or(is_origin) {
            return Err((
                "public_origin",
                "must be a scheme and a host, such as \"https://orders.example.com\"",
            ));
        }
        Ok(())
    }
}

/// Without the key.
impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOptions")
            .field("system_key", &self.system_key.as_ref().map(|_| "(secret)"))
            .field("max_body_bytes", &self.max_body_bytes)
            .field("max_header_bytes", &self.max_header_bytes)
            .field("header_timeout", &self.header_timeout)
            .field("request_timeout", &self.request_timeout)
            .field("max_concurrent_requests", &self.max_concurrent_requests)
            .field("max_connections", &self.max_connections)
            .field("trust_forwarded_headers", &self.trust_forwarded_headers)
            .field("public_origin", &self.public_origin)
            .finish()
    }
}
