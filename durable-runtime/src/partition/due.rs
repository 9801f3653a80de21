//! Which instances have to be looked after at which time.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::model::InstanceId;

/// At most one time for each instance, the earliest first.
#[derive(Debug, Default)]
pub(crate) struct DueQueue(BTreeSet<(DateTime<Utc>, InstanceId)>);

impl DueQueue {
    pub(crate) fn insert(&mut self, time: DateTime<Utc>, id: InstanceId) {
        self.0.insert((time, id));
    }

    pub(crate) fn remove(&mut self, time: DateTime<Utc>, id: &InstanceId) {
        self.0.remove(&(time, id.clone()));
    }

    pub(crate) fn next(&self) -> Option<DateTime<Utc>> {
        self.0.first().map(|(time, _)| *time)
    }

    /// Takes the first that is due at `now`.
    pub(crate) fn pop(&mut self, now: DateTime<Utc>) -> Option<InstanceId> {
        if self.next()? > now {
            return None;
        }
        self.0.pop_first().map(|(_, id)| id)
    }
}
