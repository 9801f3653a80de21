//! What goes wrong, and when.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::trace::Trace;
use crate::clock;
use crate::storage::StorageError;
use crate::testing::dice::Dice;

/// How often things go wrong. Each number but the last two says of how many chances one hits: with 50 it
/// happens once in 50 times, with 0 never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults {
    /// A host crashes, at a point of a commit.
    pub crash: u64,
    /// A host stands still, at a point of a commit, often for longer than it holds its leases.
    pub pause: u64,
    /// A host shuts down in good order.
    pub shutdown: u64,
    /// A call of storage fails, having done nothing.
    pub failure: u64,
    /// From now on all calls of storage fail, for some seconds.
    pub outage: u64,
    /// A step of a commit takes some seconds.
    pub slowness: u64,
    /// A commit is done and reported as failed.
    pub lost_acknowledgement: u64,
    /// A host does not come to a turn.
    pub delay: u64,
    /// A thread that may do so is kept by an activity, and another one goes on in its place.
    pub change_of_threads: u64,
    /// How many crashes, pauses and shutdowns there are at most.
    pub at_most: u64,
    /// After this nothing goes wrong any more.
    pub until: Duration,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        crash: 0,
        pause: 0,
        shutdown: 0,
        failure: 0,
        outage: 0,
        slowness: 0,
        lost_acknowledgement: 0,
        delay: 4,
        change_of_threads: 0,
        at_most: 0,
        until: Duration::ZERO,
    };
}

/// Decides for all of a cluster.
#[derive(Debug)]
pub(super) struct Fate {
    faults: Faults,
    state: Mutex<State>,
    pub(super) trace: Trace,
}

#[derive(Debug)]
struct State {
    dice: Dice,
    /// Crashes, pauses and shutdowns so far.
    disasters: u64,
    /// Storage is not to be reached before this time.
    out_until: Duration,
    /// Whether nothing goes wrong any more.
    is_spent: bool,
}

impl Fate {
    pub(super) fn new(seed: u64, faults: Faults, trace: Trace) -> Self {
        Self {
            faults,
            state: Mutex::new(State {
                dice: Dice::new(seed),
                disasters: 0,
                out_until: Duration::ZERO,
                is_spent: false,
            }),
            trace,
        }
    }

    pub(super) fn with_dice<T>(&self, roll: impl FnOnce(&mut Dice) -> T) -> T {
        roll(&mut self.lock().dice)
    }

    /// From now on nothing goes wrong.
    pub(super) fn relent(&self) {
        let mut state = self.lock();
        state.is_spent = true;
        state.out_until = Duration::ZERO;
    }

    /// Whether a host crashes now.
    pub(super) fn crashes(&self) -> bool {
        self.disaster(self.faults.crash)
    }

    /// How long a host stands still from now on.
    pub(super) fn pauses(&self) -> Option<Duration> {
        let millis = 1 + self.with_dice(|dice| dice.below(40_000));
        self.disaster(self.faults.pause)
            .then(|| Duration::from_millis(millis))
    }

    /// Whether a host shuts down now.
    pub(super) fn shuts_down(&self) -> bool {
        self.disaster(self.faults.shutdown)
    }

    /// How long a step of a commit takes.
    pub(super) fn slows(&self) -> Option<Duration> {
        let millis = 1 + self.with_dice(|dice| dice.below(15_000));
        self.hits(self.faults.slowness)
            .then(|| Duration::from_millis(millis))
    }

    pub(super) fn delays(&self) -> bool {
        hits(&mut self.lock().dice, self.faults.delay)
    }

    pub(super) fn changes_threads(&self) -> bool {
        self.hits(self.faults.change_of_threads)
    }

    pub(super) fn loses_acknowledgement(&self) -> bool {
        self.hits(self.faults.lost_acknowledgement)
    }

    /// Fails, or not.
    pub(super) fn storage(&self, who: &str, what: &str) -> Result<(), StorageError> {
        if self.hits(self.faults.outage) {
            let millis = self.with_dice(|dice| dice.below(8_000));
            let until = elapsed() + Duration::from_millis(millis);
            self.trace
                .say("storage", format_args!("is gone until {until:?}"));
            self.lock().out_until = until;
        }
        let is_out = elapsed() < self.lock().out_until;
        if !self.hits(self.faults.failure) && !is_out {
            return Ok(());
        }
        self.trace.say(who, format_args!("storage fails: {what}"));
        Err(StorageError::Unavailable {
            message: format!("simulated: {what} failed"),
        })
    }

    fn disaster(&self, chances: u64) -> bool {
        let happens = self.hits(chances);
        let mut state = self.lock();
        let happens = happens && state.disasters < self.faults.at_most;
        state.disasters += u64::from(happens);
        happens
    }

    fn hits(&self, chances: u64) -> bool {
        let mut state = self.lock();
        let is_over = state.is_spent || elapsed() >= self.faults.until;
        hits(&mut state.dice, chances) && !is_over
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn elapsed() -> Duration {
    clock::simulated::passed().unwrap_or_default()
}

fn hits(dice: &mut Dice, chances: u64) -> bool {
    // Rolled in any case, so that another rate alone does not give another run.
    let roll = dice.roll();
    chances > 0 && roll.is_multiple_of(chances)
}
