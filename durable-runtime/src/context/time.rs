//! Durable timers.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};

use super::core::Core;
use crate::model::TaskId;

/// The time `duration` after `time`; far beyond all calendars, the last one there is.
pub(crate) fn after(time: DateTime<Utc>, duration: Duration) -> DateTime<Utc> {
    chrono::Duration::from_std(duration)
        .ok()
        .and_then(|duration| time.checked_add_signed(duration))
        .unwrap_or(LAST_TIME)
        .min(LAST_TIME)
}

/// The last time that a timer can have: the end of the year 9999.
const LAST_TIME: DateTime<Utc> = match DateTime::from_timestamp(253_402_300_799, 0) {
    Some(time) => time,
    None => DateTime::<Utc>::MAX_UTC,
};

/// The first time from `time` on that storage can keep, which is a whole microsecond: a part of one
/// that was lost there would let the timer fire early.
pub(crate) fn to_stored_precision(time: DateTime<Utc>) -> DateTime<Utc> {
    let whole = time.trunc_subsecs(6);
    if whole == time {
        time
    } else {
        let next = whole.checked_add_signed(chrono::Duration::microseconds(1));
        next.unwrap_or(whole)
    }
}

/// A durable timer: a task of `()` that survives restarts. Dropping it cancels it.
///
/// It takes its number when it is made and is scheduled when it is first polled, or with
/// [`start`](Self::start). A time in the past fires at once; one after the year 9999 counts as its
/// end.
#[derive(Debug)]
#[must_use = "the timer runs only when it is awaited or started [unawaited]"]
pub struct Timer {
    core: Rc<Core>,
    id: TaskId,
    fire_at: DateTime<Utc>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    New,
    Running,
    Done,
}

impl Timer {
    pub(crate) fn new(core: &Rc<Core>, fire_at: DateTime<Utc>) -> Self {
        Self {
            core: Rc::clone(core),
            id: core.next_task_id(),
            fire_at: to_stored_precision(fire_at).min(LAST_TIME),
            stage: Stage::New,
        }
    }

    /// When it is due.
    pub fn fire_at(&self) -> DateTime<Utc> {
        self.fire_at
    }

    /// Schedules the timer now and gives the task, to be awaited later.
    pub fn start(mut self) -> Self {
        self.schedule();
        self
    }

    fn schedule(&mut self) {
        if self.stage == Stage::New {
            self.core.schedule_timer(self.id, self.fire_at);
            self.stage = Stage::Running;
        }
    }

    pub(crate) fn cancel(&mut self) {
        if self.stage == Stage::Running {
            self.core.cancel_timer(self.id);
        }
        self.stage = Stage::Done;
    }

    pub(crate) fn poll_fired(&mut self) -> Poll<()> {
        self.schedule();
        if self.stage == Stage::Done || self.core.poll_outcome(self.id).is_some() {
            self.stage = Stage::Done;
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Future for Timer {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        self.poll_fired()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.cancel();
    }
}
