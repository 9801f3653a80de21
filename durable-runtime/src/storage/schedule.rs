//! The schedules of timer functions, as storage has them.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::model::WorkerId;

/// What is remembered of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Due times up to this one have nothing to be made up for.
    pub since: DateTime<Utc>,
    /// The last due time that was carried out.
    pub last: Option<DateTime<Utc>>,
}

/// A due time that a worker wants to carry out.
#[derive(Debug, Clone, Copy)]
pub struct ScheduleClaim<'a> {
    /// The function.
    pub name: &'a str,
    /// The worker.
    pub worker: &'a WorkerId,
    /// The due time.
    pub due: DateTime<Utc>,
}

/// Whose turn it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScheduleTurn {
    /// The one who asked.
    Taken {
        /// The last due time that was carried out.
        last: Option<DateTime<Utc>>,
    },
    /// Somebody else's, who holds it for as long as this if nothing is heard of it.
    Busy {
        /// The rest of the lease.
        lease: Duration,
    },
    /// Nobody's: this due time, or a later one, has been carried out.
    Done {
        /// That one.
        last: DateTime<Utc>,
    },
    /// Nobody's: the schedule has been deleted.
    Gone,
}
