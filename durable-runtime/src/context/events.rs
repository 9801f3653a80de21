//! External events of one execution: those that wait to be awaited, and those who wait for them.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::model::{Payload, TaskId};

/// Event queues by name. Names are compared without regard to case.
#[derive(Debug, Default)]
pub(crate) struct EventQueues {
    queues: FxHashMap<String, Queue>,
    arrived: u64,
}

#[derive(Debug, Default)]
struct Queue {
    kept: VecDeque<Delivered>,
    /// In the order in which they began to wait. One that was dropped is skipped when its turn
    /// comes.
    waiting: VecDeque<TaskId>,
}

/// An event on its way to the code.
#[derive(Debug)]
pub(crate) struct Delivered {
    key: String,
    order: u64,
    name: String,
    pub(crate) data: Payload,
}

impl Delivered {
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// Its place in the order of arrival.
    pub(crate) fn order(&self) -> u64 {
        self.order
    }

    /// Whether it has the name of `other` and arrived later.
    pub(crate) fn follows(&self, other: &Self) -> bool {
        self.order > other.order && self.key == other.key
    }
}

impl EventQueues {
    /// Gives an event its place in the order of arrival.
    pub(crate) fn arrive(&mut self, name: &str, data: Payload) -> Delivered {
        self.arrived += 1;
        Delivered {
            key: name.to_lowercase(),
            order: self.arrived,
            name: name.to_owned(),
            data,
        }
    }

    /// Takes the first of those who wait for `key` and are still there.
    pub(crate) fn next_waiter(
        &mut self,
        key: &str,
        is_there: impl Fn(TaskId) -> bool,
    ) -> Option<TaskId> {
        let queue = self.queues.get_mut(key)?;
        std::iter::from_fn(|| queue.waiting.pop_front()).find(|id| is_there(*id))
    }

    /// Keeps an event that nobody waits for, in the order of arrival.
    pub(crate) fn keep(&mut self, event: Delivered) {
        let kept = &mut self.queues.entry(event.key.clone()).or_default().kept;
        let at = kept.partition_point(|other| other.order < event.order);
        kept.insert(at, event);
    }

    pub(crate) fn take_kept(&mut self, name: &str) -> Option<Delivered> {
        self.queues.get_mut(&name.to_lowercase())?.kept.pop_front()
    }

    pub(crate) fn wait(&mut self, name: &str, id: TaskId) {
        let queue = self.queues.entry(name.to_lowercase()).or_default();
        queue.waiting.push_back(id);
    }

    /// Takes all events that are kept, and those `delivered` but not seen, in order of arrival.
    pub(crate) fn drain(
        &mut self,
        delivered: impl Iterator<Item = Delivered>,
    ) -> Vec<(String, Payload)> {
        let kept = self
            .queues
            .values_mut()
            .flat_map(|queue| queue.kept.drain(..));
        let mut events: Vec<_> = kept.chain(delivered).collect();
        events.sort_by_key(|event| event.order);
        events
            .into_iter()
            .map(|event| (event.name, event.data))
            .collect()
    }
}
