//! A client function that is run by the clock.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_core::future::BoxFuture;
use futures_util::FutureExt;

use super::desk::Desk;
use super::schedule::Cron;
use crate::model::{Failure, TimerInfo};
use crate::registry::client_function::Call;
use crate::storage::{HubStorage, Schedule, ScheduleClaim, ScheduleTurn, StorageError};

/// The clock of the machine may be set, so nobody sleeps for longer without a look at it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// A run that begins later than this is late.
const LATE: TimeDelta = TimeDelta::seconds(10);

pub(super) struct Timer {
    pub(super) desk: Arc<Desk>,
    pub(super) cron: Cron,
    pub(super) call: Call,
    #[expect(clippy::type_complexity, reason = "it is that of the trigger")]
    pub(super) run:
        fn(&Call, &TimerInfo) -> Result<BoxFuture<'static, Result<(), Failure>>, Failure>,
}

/// What is known of a schedule, as far as this host has heard.
struct Known {
    schedule: Schedule,
    /// The due time that was slept for.
    awaited: Option<DateTime<Utc>>,
}

impl Known {
    /// Due times up to this one are done with.
    fn base(&self) -> DateTime<Utc> {
        let Schedule { since, last } = self.schedule;
        last.map_or(since, |last| last.max(since))
    }
}

impl Timer {
    pub(super) async fn run(self) {
        let (name, cron) = (self.call.name, self.cron.text);
        let clock = self.desk.clock;
        let opened = self.desk.insist("opening a schedule", move |_, storage| {
            storage.open_schedule(name, cron, clock.now())
        });
        let Some(schedule) = opened.await else {
            return;
        };
        let mut known = Known {
            schedule,
            awaited: None,
        };
        while !self.desk.stops.begin.is_cancelled() {
            let now = clock.now();
            let Some(first) = self.cron.next(known.base()) else {
                tracing::info!(function = name, "the schedule has come to its end");
                return;
            };
            if first > now {
                known.awaited = Some(first);
                self.sleep_until(first).await;
                continue;
            }
            let due = self.cron.latest(now).map_or(first, |due| due.max(first));
            match self.turn(due).await {
                Ok(ScheduleTurn::Taken { last }) => {
                    known.schedule.last = last;
                    if !self.carry_out(due, &known).await {
                        return;
                    }
                    known.schedule.last = Some(due);
                }
                Ok(ScheduleTurn::Done { last }) => known.schedule.last = Some(last),
                Ok(ScheduleTurn::Busy { lease }) => {
                    // Another worker has it. This one stands by for the next due time.
                    let next = self.cron.next(due);
                    known.awaited = next;
                    let wait = next.map_or(lease, |next| clock.until(next).min(lease));
                    self.sleep(wait).await;
                }
                Ok(ScheduleTurn::Gone) => {
                    tracing::error!(function = name, "the task hub was deleted: its timer stops");
                    return;
                }
                Err(error) => {
                    tracing::warn!(function = name, %error, "a timer cannot fire; trying again");
                    self.sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn turn(&self, due: DateTime<Utc>) -> Result<ScheduleTurn, StorageError> {
        let name = self.call.name;
        let asked = self
            .desk
            .ask(move |desk, storage| storage.take_schedule(&claim(desk, name, due), desk.lease));
        asked.await
    }

    /// Runs the function, and says so. Returns whether the host goes on.
    async fn carry_out(&self, due: DateTime<Utc>, known: &Known) -> bool {
        let held = self.desk.hold();
        let name = self.call.name;
        let info = self.info(due, known);
        let running = AssertUnwindSafe(async { (self.run)(&self.call, &info)?.await });
        let ended = tokio::select! {
            biased;
            ended = running.catch_unwind() => Some(ended),
            () = self.desk.stops.running.cancelled() => None,
        };
        let is_done = ended.is_some();
        if let Some(ended) = ended {
            let ended = ended.unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)));
            if let Err(failure) = ended {
                tracing::error!(function = name, scheduled = %due, %failure, "a timer function has failed");
            }
        }
        let settle = move |desk: &Desk, storage: &dyn HubStorage| {
            storage.settle_schedule(&claim(desk, name, due), is_done)
        };
        let settled = if is_done {
            self.desk
                .insist("noting that a timer has fired", settle)
                .await
        } else {
            // The host is ending: once, for the lease runs out by itself.
            self.desk.ask(settle).await.ok()
        };
        if settled == Some(false) && is_done {
            tracing::warn!(
                function = name,
                scheduled = %due,
                "the lease of a timer ran out while its function was running: it may be run again"
            );
        }
        drop(held);
        is_done && settled.is_some()
    }

    fn info(&self, due: DateTime<Utc>, known: &Known) -> TimerInfo {
        let now = self.desk.clock.now();
        let is_first = self.cron.next(known.base()) == Some(due);
        let is_past_due = !is_first || known.awaited != Some(due) || now - due > LATE;
        TimerInfo {
            scheduled: due,
            is_past_due,
            next: self.cron.next(now.max(due)),
            last: known.schedule.last,
        }
    }

    async fn sleep_until(&self, time: DateTime<Utc>) {
        self.sleep(self.desk.clock.until(time)).await;
    }

    async fn sleep(&self, duration: Duration) {
        let clock = self.desk.clock;
        let duration = if clock.is_virtual() {
            duration
        } else {
            duration.min(LONGEST_SLEEP)
        };
        let slept = async {
            match clock.instant().checked_add(duration) {
                Some(at) => clock.sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = slept => {}
            () = self.desk.stops.begin.cancelled() => {}
        }
    }
}

fn claim<'a>(desk: &'a Desk, name: &'a str, due: DateTime<Utc>) -> ScheduleClaim<'a> {
    ScheduleClaim {
        name,
        worker: &desk.worker,
        due,
    }
}
