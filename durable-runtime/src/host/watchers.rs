//! Those who wait for instances to end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

use crate::model::{InstanceId, InstanceRecord};

type Waiting = FxHashMap<InstanceId, Vec<oneshot::Sender<Arc<InstanceRecord>>>>;

/// Clients of this process that wait for instances of its partitions.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    waiting: Mutex<Waiting>,
}

impl Watchers {
    /// Receives the record of the instance when it has ended; an error means: look in storage.
    pub(crate) fn subscribe(&self, id: &InstanceId) -> oneshot::Receiver<Arc<InstanceRecord>> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.lock();
        let of_instance = waiting.entry(id.clone()).or_default();
        of_instance.retain(|sender| !sender.is_closed());
        of_instance.push(sender);
        receiver
    }

    pub(crate) fn ended(&self, record: &Arc<InstanceRecord>) {
        let of_instance = self.lock().remove(&record.id);
        // Not while this is locked: a thread that is woken may run at once, and ask for it.
        for sender in of_instance.unwrap_or_default() {
            // Whoever has stopped waiting does not want it.
            let _ = sender.send(Arc::clone(record));
        }
    }

    /// The one who asked waits no more; forgets the instance if nobody does.
    pub(crate) fn unsubscribe(&self, id: &InstanceId) {
        let mut waiting = self.lock();
        if let Some(of_instance) = waiting.get_mut(id) {
            of_instance.retain(|sender| !sender.is_closed());
            if of_instance.is_empty() {
                waiting.remove(id);
            }
        }
    }

    /// This process may not hear of the end of instances any more: all are to look for themselves.
    pub(crate) fn recheck_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
