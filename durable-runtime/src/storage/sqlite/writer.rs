//! The connection that writes, and what is remembered beside it.

use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rustc_hash::{FxBuildHasher, FxHashMap};

use super::turnstile::Turnstile;
use crate::model::{Epoch, InstanceId};

/// The connection that writes, and what goes with it.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) turnstile: Turnstile,
    pub(super) keys: Keys,
}

/// A lock that lets nobody wait for long: whoever has just had it gets it again only after those who
/// were waiting. With a plain mutex a thread that commits without a pause would keep all others
/// from it, and leases would run out.
#[derive(Debug)]
pub(super) struct FairLock<T> {
    turn: Mutex<()>,
    content: Mutex<T>,
}

impl<T> FairLock<T> {
    pub(super) fn new(content: T) -> Self {
        Self {
            turn: Mutex::new(()),
            content: Mutex::new(content),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        // What a panic left half done was rolled back with its transaction.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is known of the rows of instances by hub, so that a commit need not look them up.
#[derive(Debug, Default)]
pub(super) struct Keys {
    by_hub: FxHashMap<i64, HubKeys>,
}

impl Keys {
    pub(super) fn of(&mut self, hub: i64) -> &mut HubKeys {
        self.by_hub.entry(hub).or_default()
    }

    pub(super) fn forget(&mut self, hub: i64) {
        self.by_hub.remove(&hub);
    }
}

/// What is known of a hub's rows. Bounded: what was not used while as many others were is dropped.
///
/// Instances are told apart by a hash, so that no id is kept in memory for this. If two share one,
/// the statement that writes the row, which compares the id, finds that out.
#[derive(Debug, Default)]
pub(super) struct HubKeys {
    recent: FxHashMap<u64, Known>,
    earlier: FxHashMap<u64, Known>,
}

/// The row of an instance as its last commit left it. Valid only under the epoch of that: only the
/// partition's owner changes it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) key: i64,
    pub(super) epoch: Epoch,
    pub(super) indexed: Indexed,
}

/// The columns that have indexes, which an update had better not touch without need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Indexed {
    pub(super) created: i64,
    pub(super) due: Option<i64>,
    pub(super) parent: Option<InstanceId>,
}

impl HubKeys {
    /// At most twice as many are remembered.
    const GENERATION: usize = 1 << 16;

    pub(super) fn get(&mut self, id: &InstanceId, epoch: Epoch) -> Option<&mut Known> {
        let hash = hash(id);
        if !self.recent.contains_key(&hash) {
            let known = self.earlier.remove(&hash)?;
            self.put(hash, known);
        }
        self.recent
            .get_mut(&hash)
            .filter(|known| known.epoch == epoch)
    }

    pub(super) fn insert(&mut self, id: &InstanceId, known: Known) {
        self.put(hash(id), known);
    }

    pub(super) fn remove(&mut self, id: &InstanceId) {
        let hash = hash(id);
        self.recent.remove(&hash);
        self.earlier.remove(&hash);
    }

    fn put(&mut self, hash: u64, known: Known) {
        if self.recent.len() >= Self::GENERATION {
            self.earlier = std::mem::take(&mut self.recent);
        }
        self.earlier.remove(&hash);
        self.recent.insert(hash, known);
    }
}

fn hash(id: &InstanceId) -> u64 {
    FxBuildHasher.hash_one(id)
}
