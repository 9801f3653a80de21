//! Tells a disk that fails for a while from a file that is damaged for good.
//!
//! When the system cannot read a page (`EIO`), `SQLite` reports the file as damaged, in the same words as
//! if the page held nonsense. Damage is for good: an instance that cannot be read is given up, and a host
//! whose commits fail stops. So it is believed only when it was seen for some time.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;

/// For how long damage is taken for a disk that may recover.
const BENEFIT_OF_DOUBT: Duration = Duration::from_secs(10);

/// After how long without a sign of damage the next one is the first again. Whoever tries again does so
/// within a second or two.
const FORGOTTEN: Duration = Duration::from_secs(30);

/// What was seen of damage.
#[derive(Debug, Default)]
pub(super) struct Suspicion {
    seen: Mutex<Option<Seen>>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    first: Instant,
    last: Instant,
}

impl Suspicion {
    /// Damage was seen: whether it may yet be the disk, and have passed when it is looked at again.
    pub(super) fn is_fresh(&self) -> bool {
        self.seen_at(clock::instant())
    }

    fn seen_at(&self, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match *seen {
            Some(seen) if now.saturating_duration_since(seen.last) < FORGOTTEN => seen.first,
            _ => now,
        };
        *seen = Some(Seen { first, last: now });
        now.saturating_duration_since(first) < BENEFIT_OF_DOUBT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_believed_when_it_lasts() {
        let suspicion = Suspicion::default();
        let begin = clock::instant();
        let after = |seconds| suspicion.seen_at(begin + Duration::from_secs(seconds));
        assert!(after(0));
        assert!(after(9));
        assert!(!after(10));
        assert!(!after(39));
        // It had passed meanwhile.
        assert!(after(69));
        assert!(after(78));
        assert!(!after(80));
    }
}
