//! What has happened, line by line.

use std::fmt;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHasher;

use crate::clock;

/// Where those who take part say what they do.
#[derive(Debug)]
pub(super) struct Trace {
    /// Whether it is printed.
    printed: bool,
    lines: AtomicU64,
    digest: AtomicU64,
}

impl Trace {
    pub(super) fn new(printed: bool) -> Self {
        Self {
            printed,
            lines: AtomicU64::new(0),
            digest: AtomicU64::new(0),
        }
    }

    pub(super) fn say(&self, who: &str, what: fmt::Arguments<'_>) {
        let time = clock::simulated::passed().unwrap_or_default();
        let line = format!("{:>10.6} {who}: {what}", time.as_secs_f64());
        let mut hasher = FxHasher::default();
        hasher.write_u64(self.digest());
        hasher.write(line.as_bytes());
        self.digest.store(hasher.finish(), Ordering::Relaxed);
        self.lines.fetch_add(1, Ordering::Relaxed);
        if self.printed {
            println!("{line}");
        }
    }

    /// A number that two runs have in common if they were the same, step by step.
    pub(super) fn digest(&self) -> u64 {
        self.digest.load(Ordering::Relaxed)
    }
}
