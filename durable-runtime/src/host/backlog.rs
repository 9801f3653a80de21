//! What has been taken on and is not done yet, so that no more is taken on than memory holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::HostOptions;
use crate::model::Command;

/// What a host keeps in memory for others: requests of clients until their answer is durable, and
/// activities until there is room for them to run. Whoever asks for more is told to come again.
///
/// The figures are read and changed one by one, so that a few requests may slip in beside one another
/// at the very limit.
#[derive(Debug)]
pub(super) struct Backlog {
    most_requests: usize,
    most_activities: usize,
    /// Of the payloads of requests, and as many of activities.
    most_bytes: usize,
    requests: Amount,
    activities: Amount,
}

#[derive(Debug, Default)]
struct Amount {
    count: AtomicUsize,
    bytes: AtomicUsize,
}

/// More than there may be.
#[derive(Debug)]
struct TooMuch {
    count: usize,
    bytes: usize,
    /// The option that says so.
    limit: &'static str,
}

impl TooMuch {
    fn of(&self, what: &str) -> String {
        let Self {
            count,
            bytes,
            limit,
        } = self;
        format!(
            "there are {count}, with {bytes} bytes, of {what}, as many as `HostOptions::{limit}` allows"
        )
    }
}

/// A request that was admitted, until this is dropped.
#[derive(Debug)]
pub(super) struct Admitted {
    backlog: Arc<Backlog>,
    bytes: usize,
}

impl Backlog {
    pub(super) fn new(options: &HostOptions) -> Self {
        Self {
            most_requests: options.max_pending_requests,
            most_activities: options.max_waiting_activities,
            most_bytes: options.max_pending_bytes,
            requests: Amount::default(),
            activities: Amount::default(),
        }
    }

    /// Admits a request; an error says what there is too much of. However large it is, one alone is
    /// admitted. What steers instances always is: that is how an operator ends an overload. Only starts
    /// have to wait for activities: what is running may need the rest in order to end.
    pub(super) fn admit(self: &Arc<Self>, command: &Command) -> Result<Admitted, String> {
        if matches!(command, Command::Start(_)) {
            let most = (self.most_activities, "max_waiting_activities");
            let waiting = self.activities.or_too_much(most, self.most_bytes);
            waiting.map_err(|much| much.of("activities that wait for their turn"))?;
        }
        let payload = command.payload();
        if payload.is_some() {
            let most = (self.most_requests, "max_pending_requests");
            let pending = self.requests.or_too_much(most, self.most_bytes);
            pending.map_err(|much| much.of("requests that are not durable yet"))?;
        }
        let bytes = payload.map_or(0, |payload| payload.as_json().len());
        self.requests.add(bytes);
        Ok(Admitted {
            backlog: Arc::clone(self),
            bytes,
        })
    }

    /// An activity with an input of so many bytes waits.
    pub(super) fn activity_waits(&self, bytes: usize) {
        self.activities.add(bytes);
    }

    /// It waits no longer.
    pub(super) fn activity_goes(&self, bytes: usize) {
        self.activities.subtract(bytes);
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.backlog.requests.subtract(self.bytes);
    }
}

impl Amount {
    /// An error that says how much there is, if that is too much. `most` comes with the name of its option.
    fn or_too_much(
        &self,
        (most, option): (usize, &'static str),
        most_bytes: usize,
    ) -> Result<(), TooMuch> {
        let count = self.count.load(Ordering::Relaxed);
        let bytes = self.bytes.load(Ordering::Relaxed);
        let limit = if count >= most {
            option
        } else if bytes >= most_bytes {
            "max_pending_bytes"
        } else {
            return Ok(());
        };
        Err(TooMuch {
            count,
            bytes,
            limit,
        })
    }

    fn add(&self, bytes: usize) {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn subtract(&self, bytes: usize) {
        self.count.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Payload;

    fn backlog(options: &HostOptions) -> Arc<Backlog> {
        Arc::new(Backlog::new(options))
    }

    fn event(bytes: usize) -> Command {
        Command::RaiseEvent {
            name: "any".to_owned(),
            // With its quotes.
            data: Payload::encode(&"x".repeat(bytes - 2)).unwrap(),
        }
    }

    fn start() -> Command {
        let start = serde_json::json!({ "Start": {
            "name": "any", "input": null, "execution": "0".repeat(32),
        }});
        serde_json::from_str(&start.to_string()).unwrap()
    }

    #[test]
    fn what_is_answered_makes_room() {
        let backlog = backlog(&HostOptions {
            max_pending_requests: 2,
            ..HostOptions::default()
        });
        let first = backlog.admit(&event(2)).unwrap();
        let second = backlog.admit(&event(2)).unwrap();
        let refused = backlog.admit(&event(2)).unwrap_err();
        let expected = "there are 2, with 4 bytes, of requests that are not durable yet, as many as \
                        `HostOptions::max_pending_requests` allows";
        assert_eq!(refused, expected);
        drop(first);
        let third = backlog.admit(&event(2)).unwrap();
        assert!(backlog.admit(&event(2)).is_err());
        // An operator is heard.
        backlog.admit(&Command::Purge).unwrap();
        drop((second, third));
        assert_eq!(backlog.requests.count.load(Ordering::Relaxed), 0);
        assert_eq!(backlog.requests.bytes.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn bytes_count_and_a_large_request_alone_is_admitted() {
        let backlog = backlog(&HostOptions {
            max_pending_bytes: 100,
            ..HostOptions::default()
        });
        let large = backlog.admit(&event(1_000)).unwrap();
        let refused = backlog.admit(&event(2)).unwrap_err();
        assert!(refused.contains("1000 bytes"), "{refused}");
        assert!(refused.contains("max_pending_bytes"), "{refused}");
        drop(large);
        backlog.admit(&event(2)).unwrap();
        backlog.activity_waits(100);
        assert!(backlog.admit(&start()).is_err());
        backlog.activity_goes(100);
        backlog.admit(&start()).unwrap();
    }

    #[test]
    fn activities_that_wait_keep_starts_out_and_nothing_else() {
        let backlog = backlog(&HostOptions {
            max_waiting_activities: 1,
            ..HostOptions::default()
        });
        backlog.admit(&start()).unwrap();
        backlog.activity_waits(0);
        let refused = backlog.admit(&start()).unwrap_err();
        assert!(refused.contains("activities that wait"), "{refused}");
        assert!(refused.contains("max_waiting_activities"), "{refused}");
        backlog.admit(&event(2)).unwrap();
        backlog.activity_goes(0);
        backlog.admit(&start()).unwrap();
    }
}
