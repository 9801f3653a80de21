//! When a request is sent again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::RetryPolicy;

/// How often, after which delays and after which answers a request is sent again.
///
/// A request that gets no answer (no connection, a broken body, too slow) counts as failed, and so
/// does one whose answer has one of the [`status_codes`](Self::status_codes). Where such an answer has
/// a `Retry-After`, the delay is at least that long. Once all attempts are used up, the last answer is
/// what the call gives, or the last failure.
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::http::{DurableHttpRequest, HttpRetryOptions};
///
/// let request = DurableHttpRequest::get("https://example.com/stock").retry(
///     HttpRetryOptions::new(5, Duration::from_secs(1))
///         .backoff(2.0)
///         .status_codes([429, 503]),
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpRetryOptions {
    #[serde(flatten)]
    policy: RetryPolicy,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    status_codes_to_retry: Vec<u16>,
}

impl HttpRetryOptions {
    /// At most `max_attempts` attempts (the first included), `first_interval` after one another.
    pub fn new(max_attempts: u32, first_interval: Duration) -> Self {
        RetryPolicy::new(max_attempts, first_interval).into()
    }

    /// Multiplies the delay by `coefficient` after each attempt.
    #[must_use]
    pub fn backoff(mut self, coefficient: f64) -> Self {
        self.policy = self.policy.backoff(coefficient);
        self
    }

    /// Never waits longer than `max_interval` between two attempts, unless the server says so.
    #[must_use]
    pub fn max_interval(mut self, max_interval: Duration) -> Self {
        self.policy = self.policy.max_interval(max_interval);
        self
    }

    /// Makes no further attempt that would begin later than `timeout` after the first one.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.policy = self.policy.timeout(timeout);
        self
    }

    /// Sends again after an answer with one of these status codes. Default: all from 400 to 599.
    #[must_use]
    pub fn status_codes(mut self, codes: impl IntoIterator<Item = u16>) -> Self {
        self.status_codes_to_retry = codes.into_iter().collect();
        self
    }

    pub(crate) fn wants(&self, status_code: u16) -> bool {
        if self.status_codes_to_retry.is_empty() {
            (400..600).contains(&status_code)
        } else {
            self.status_codes_to_retry.contains(&status_code)
        }
    }

    pub(crate) fn policy(&self) -> &RetryPolicy {
        &self.policy
    }
}

impl From<RetryPolicy> for HttpRetryOptions {
    fn from(policy: RetryPolicy) -> Self {
        Self {
            policy,
            status_codes_to_retry: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_status_codes_all_errors_are_retried() {
        let options = HttpRetryOptions::new(3, Duration::ZERO);
        assert!(options.wants(404) && options.wants(503));
        assert!(!options.wants(302) && !options.wants(200) && !options.wants(600));
        let options = options.status_codes([202]);
        assert!(options.wants(202) && !options.wants(503));
    }

    #[test]
    fn they_stand_in_json() {
        let options = HttpRetryOptions::new(3, Duration::from_millis(1500))
            .backoff(2.0)
            .max_interval(Duration::MAX)
            .timeout(Duration::from_secs(60))
            .status_codes([429]);
        let json = serde_json::to_string(&options).unwrap();
        assert_eq!(
            serde_json::from_str::<HttpRetryOptions>(&json).unwrap(),
            options
        );
    }
}
