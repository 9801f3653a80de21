//! A provider that keeps task hubs in the memory of this process: for tests, and for work that may
//! be lost when the process ends.

mod hub;
mod state;
mod triggers;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use self::hub::MemoryHub;
use self::state::HubState;
use super::{HubOptions, HubStorage, StorageError, StorageProvider, Watch};
use crate::clock::{self, Clock};
use crate::model::TaskHubName;

/// Task hubs in the memory of this process. Clones share them, so that several hosts of one process
/// can work on one hub; they live as long as one of the clones.
///
/// ```
/// use durable_runtime::model::TaskHubName;
/// use durable_runtime::storage::{HubOptions, Memory, StorageProvider};
///
/// let memory = Memory::new();
/// let hub = memory.open_hub(&TaskHubName::new("orders")?, &HubOptions::default())?;
/// assert_eq!(hub.partition_count(), 16);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// By name in lower case.
    hubs: Arc<Mutex<BTreeMap<String, Arc<SharedHub>>>>,
    /// That of its queues.
    clock: Clock,
}

impl Memory {
    /// No hubs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// No hubs yet, and queues whose delays are those of `clock`.
    #[cfg(feature = "testing")]
    pub(crate) fn with_clock(clock: Clock) -> Self {
        Self {
            clock,
            ..Self::default()
        }
    }

    fn shared(&self) -> MutexGuard<'_, BTreeMap<String, Arc<SharedHub>>> {
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StorageProvider for Memory {
    fn open_hub(
        &self,
        name: &TaskHubName,
        options: &HubOptions,
    ) -> Result<Arc<dyn HubStorage>, StorageError> {
        let hub = self
            .shared()
            .entry(name.as_str().to_ascii_lowercase())
            .or_insert_with(|| {
                let partitions = options.partition_count.max(1);
                Arc::new(SharedHub::new(name, partitions, self.clock))
            })
            .clone();
        Ok(Arc::new(MemoryHub::new(hub)))
    }

    fn find_hub(&self, name: &TaskHubName) -> Result<Option<Arc<dyn HubStorage>>, StorageError> {
        let hubs = self.shared();
        let found = hubs.get(&name.as_str().to_ascii_lowercase()).cloned();
        Ok(found.map(|hub| Arc::new(MemoryHub::new(hub)) as Arc<dyn HubStorage>))
    }

    fn hubs(&self) -> Result<Vec<String>, StorageError> {
        let hubs = self.shared();
        Ok(hubs.values().map(|hub| hub.name.to_string()).collect())
    }

    fn delete_hub(&self, name: &TaskHubName) -> Result<bool, StorageError> {
        let Some(hub) = self.shared().remove(&name.as_str().to_ascii_lowercase()) else {
            return Ok(false);
        };
        hub.change(HubState::clear);
        Ok(true)
    }
}

/// A hub as all that opened it share it.
#[derive(Debug)]
struct SharedHub {
    /// As it was given at its creation.
    name: TaskHubName,
    partition_count: u32,
    state: Mutex<HubState>,
    changed: Condvar,
}

impl SharedHub {
    fn new(name: &TaskHubName, partition_count: u32, clock: Clock) -> Self {
        Self {
            name: name.clone(),
            partition_count,
            state: Mutex::new(HubState::new(partition_count, clock)),
            changed: Condvar::new(),
        }
    }

    /// For reading. A panic of another thread leaves the state whole: every change checks first and
    /// then writes without anything that can fail.
    fn state(&self) -> MutexGuard<'_, HubState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For writing: whoever watches is told.
    fn change<T>(&self, change: impl FnOnce(&mut HubState) -> T) -> T {
        let mut state = self.state();
        let result = change(&mut state);
        state.version += 1;
        drop(state);
        self.changed.notify_all();
        result
    }
}

/// Compares the hub's version with the one last seen.
#[derive(Debug)]
struct MemoryWatch {
    hub: Arc<SharedHub>,
    seen: u64,
}

impl Watch for MemoryWatch {
    fn wait(&mut self, timeout: Duration) -> bool {
        let until = clock::instant().checked_add(timeout);
        let mut state = self.hub.state();
        loop {
            if state.version != self.seen {
                self.seen = state.version;
                return true;
            }
            // Without an end in sight, the time that remains is as long as the timeout.
            let rest = until.map_or(timeout, |until| {
                until.saturating_duration_since(clock::instant())
            });
            if rest.is_zero() {
                return false;
            }
            state = self
                .hub
                .changed
                .wait_timeout(state, rest)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}
