//! Where the management API of a task hub is reached from outside.

use std::fmt;
use std::sync::Arc;

/// What the URLs of the management API begin with, and what requests to it need.
#[derive(Clone)]
pub(crate) struct WebAddress {
    /// Scheme, host and port, such as `http://127.0.0.1:7071`.
    pub(crate) origin: Arc<str>,
    /// The path that all of its paths begin with, without a slash at the end.
    pub(crate) base: Arc<str>,
    /// By which name the hub's storage is known there.
    pub(crate) connection: Arc<str>,
    pub(crate) system_key: Option<Arc<str>>,
    /// Whether a proxy may name another origin.
    pub(crate) trust_forwarded_headers: bool,
}

/// Without the key.
impl fmt::Debug for WebAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebAddress")
            .field("origin", &self.origin)
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
