//! What a host counts of its work.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::model::Delta;

/// What a host has made durable since it started.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostStatistics {
    /// Commits: transactions of its storage, each with all that its partitions had done since the last.
    pub commits: u64,
    /// Instances and entities that were written in them. One that took several steps between two commits
    /// was written once.
    pub written_instances: u64,
}

/// Counts for [`HostStatistics`].
#[derive(Debug, Default)]
pub(super) struct Counters {
    commits: AtomicU64,
    written_instances: AtomicU64,
}

impl Counters {
    pub(super) fn note_commit(&self, deltas: &[Delta]) {
        let written = deltas.iter().map(|delta| delta.instances.len() as u64);
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.written_instances
            .fetch_add(written.sum(), Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> HostStatistics {
        HostStatistics {
            commits: self.commits.load(Ordering::Relaxed),
            written_instances: self.written_instances.load(Ordering::Relaxed),
        }
    }
}
