//! Waiting for the end of an instance.

use std::time::{Duration, Instant};

use durable_runtime::client::RuntimeStatus;

use super::Session;
use crate::exit::{CliError, Code};

/// How often a host is asked.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

impl Session {
    /// Waits until the instance has ended, prints its status, and fails unless it has completed.
    pub(super) async fn wait(&mut self, id: &str, limit: Duration) -> Result<(), CliError> {
        let began = Instant::now();
        let mut was_there = false;
        loop {
            match self.hub.status(id, true).await? {
                Some(instance) if instance.has_ended() => {
                    self.print_status(&instance)?;
                    self.output.flush()?;
                    return match instance.status() {
                        Some(RuntimeStatus::Completed) => Ok(()),
                        _ => Err(CliError::new(
                            Code::Failed,
                            format!("instance {id:?} is {}", instance.runtime_status),
                        )),
                    };
                }
                Some(_) => was_there = true,
                // A start that a host has not taken up yet shows nothing.
                None if was_there => {
                    return Err(CliError::new(
                        Code::NotFound,
                        format!("instance {id:?} was purged while it was waited for"),
                    ));
                }
                None => {}
            }
            let Some(left) = limit.checked_sub(began.elapsed()) else {
                let reason = format!("instance {id:?} has not ended within {limit:?}; it goes on");
                return Err(CliError::new(Code::Timeout, reason));
            };
            tokio::time::sleep(LOOK_AGAIN.min(left)).await;
        }
    }
}
