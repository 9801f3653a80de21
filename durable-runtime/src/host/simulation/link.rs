//! What clients use of a host that may be gone.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::faults::Fate;
use super::time::Timekeeper;
use crate::client::{LocalHost, NotTaken};
use crate::host::local::LocalLink;
use crate::model::{Command, InstanceId, InstanceRecord, QueueName, Rejection, Reply};
use crate::testing::dice::Dice;

/// The host of a process, as the clients see it that go on after its crash: as long as there is none, they
/// are clients of another process.
#[derive(Debug)]
pub(super) struct Line {
    host: Mutex<Option<LocalLink>>,
    fate: Arc<Fate>,
    time: Timekeeper,
}

impl Line {
    pub(super) fn new(fate: &Arc<Fate>, time: &Timekeeper) -> Self {
        Self {
            host: Mutex::default(),
            fate: Arc::clone(fate),
            time: time.clone(),
        }
    }

    pub(super) fn connect(&self, host: Option<LocalLink>) {
        let gone = std::mem::replace(&mut *self.lock(), host);
        drop(gone);
    }

    fn lock(&self) -> MutexGuard<'_, Option<LocalLink>> {
        self.host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalHost for Line {
    fn request(
        &self,
        to: &InstanceId,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Reply, Rejection>>, NotTaken> {
        match &*self.lock() {
            Some(host) => host.request(to, command),
            None => Err(NotTaken::NotOwned(Box::new(command))),
        }
    }

    fn subscribe(&self, id: &InstanceId) -> Option<oneshot::Receiver<Arc<InstanceRecord>>> {
        self.lock().as_ref()?.subscribe(id)
    }

    fn unsubscribe(&self, id: &InstanceId) {
        if let Some(host) = &*self.lock() {
            host.unsubscribe(id);
        }
    }

    fn pushed(&self, queue: &QueueName) {
        if let Some(host) = &*self.lock() {
            host.pushed(queue);
        }
    }

    fn new_id(&self) -> Uuid {
        self.fate.with_dice(Dice::id)
    }

    fn reads_in_place(&self) -> bool {
        true
    }

    fn pause(&self, duration: Duration) -> Option<BoxFuture<'static, ()>> {
        let time = self.time.clone();
        Some(Box::pin(async move { time.sleep(duration).await }))
    }
}
