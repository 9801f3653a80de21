//! When a failed call is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::TaskFailed;

/// How often and after which delays a failed call is tried again.
///
/// ```
/// use std::time::Duration;
/// use durable_runtime::RetryPolicy;
///
/// // Up to 5 attempts, the first included; 1 s, 2 s, 4 s, then at most 5 s between them.
/// let policy = RetryPolicy::new(5, Duration::from_secs(1))
///     .backoff(2.0)
///     .max_interval(Duration::from_secs(5));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RetryPolicy {
    max_attempts: u32,
    first_interval: Duration,
    #[serde(rename = "backoffCoefficient")]
    coefficient: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_interval: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
}

impl RetryPolicy {
    /// At most `max_attempts` attempts (the first included; at least one is made), with
    /// `first_interval` between the first and the second, and between all further ones unless
    /// [`backoff`](Self::backoff) says otherwise.
    pub fn new(max_attempts: u32, first_interval: Duration) -> Self {
        Self {
            max_attempts: max_attempts.max(1),
            first_interval,
            coefficient: 1.0,
            max_interval: None,
            timeout: None,
        }
    }

    /// Multiplies the delay by `coefficient` after each attempt. Values that are not finite or
    /// below zero count as 1.
    #[must_use]
    pub fn backoff(mut self, coefficient: f64) -> Self {
        self.coefficient = if coefficient.is_finite() && coefficient >= 0.0 {
            coefficient
        } else {
            1.0
        };
        self
    }

    /// Never waits longer than `max_interval` between two attempts.
    #[must_use]
    pub fn max_interval(mut self, max_interval: Duration) -> Self {
        self.max_interval = Some(max_interval);
        self
    }

    /// Makes no further attempt that would begin later than `timeout` after the first one.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The delay before the attempt after attempt number `attempt` (counted from 1) failed,
    /// `elapsed` after the first attempt began; `None` when there is to be no further one.
    pub(crate) fn delay_after(&self, attempt: u32, elapsed: Duration) -> Option<Duration> {
        self.delay_of_at_least(Duration::ZERO, attempt, elapsed)
    }

    /// As [`delay_after`](Self::delay_after), where `least` is to pass whatever the policy says.
    pub(crate) fn delay_of_at_least(
        &self,
        least: Duration,
        attempt: u32,
        elapsed: Duration,
    ) -> Option<Duration> {
        if attempt >= self.max_attempts {
            return None;
        }
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.first_interval.as_secs_f64() * self.coefficient.powi(exponent);
        let delay = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let delay = delay.min(self.max_interval.unwrap_or(Duration::MAX));
        let delay = delay.max(least);
        match self.timeout {
            Some(timeout) if elapsed.saturating_add(delay) > timeout => None,
            _ => Some(delay),
        }
    }
}

/// What a `retry_if` handler decides on: the attempt that just failed.
#[derive(Debug)]
pub struct RetryAttempt<'a> {
    pub(crate) number: u32,
    pub(crate) last_failure: &'a TaskFailed,
    pub(crate) elapsed: Duration,
}

impl RetryAttempt<'_> {
    /// The number of the attempt that failed, counted from 1.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How it failed.
    pub fn last_failure(&self) -> &TaskFailed {
        self.last_failure
    }

    /// The time since the first attempt began, by the orchestration's clock.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    // Rule 28: attempts include the first; delay n = first × coefficient^(n−1), at most the maximum.
    #[test]
    fn delays_grow_up_to_the_maximum() {
        let policy = RetryPolicy::new(5, SECOND)
            .backoff(2.0)
            .max_interval(3 * SECOND);
        let delays: Vec<_> = (1..=5)
            .map(|attempt| policy.delay_after(attempt, Duration::ZERO))
            .collect();
        let seconds = |n| Some(n * SECOND);
        assert_eq!(
            delays,
            [seconds(1), seconds(2), seconds(3), seconds(3), None]
        );
    }

    // Rule 28: the retry timeout counts from the first attempt.
    #[test]
    fn no_attempt_begins_after_the_timeout() {
        let policy = RetryPolicy::new(100, SECOND).timeout(10 * SECOND);
        assert_eq!(policy.delay_after(3, 9 * SECOND), Some(SECOND));
        assert_eq!(policy.delay_after(3, 10 * SECOND), None);
    }

    #[test]
    fn extreme_numbers_do_not_overflow() {
        let policy = RetryPolicy::new(u32::MAX, Duration::MAX).backoff(1e300);
        assert_eq!(
            policy.delay_after(u32::MAX - 1, Duration::ZERO),
            Some(Duration::MAX)
        );
    }
}
