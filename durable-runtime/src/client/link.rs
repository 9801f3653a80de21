//! The ways from a client to an instance: straight to its owner in this process, or through the
//! inbox in storage.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_core::future::BoxFuture;
use tokio::sync::oneshot::{self, error::TryRecvError};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::sleep;
use uuid::Uuid;

use super::ClientError;
use super::queued::{self, LOOK_AGAIN, PATIENCE};
use super::readers::Readers;
use crate::clock;
use crate::model::{
    Command, ExecutionId, InstanceId, InstanceRecord, QueueName, Rejection, Reply, RequestId,
};
use crate::storage::{HubStorage, StorageError};

/// What a client uses of the host in its process.
pub(crate) trait LocalHost: fmt::Debug + Send + Sync {
    /// Puts a command to the owner of the instance. The answer does not come if the host stops first.
    fn request(
        &self,
        to: &InstanceId,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Reply, Rejection>>, NotTaken>;

    /// Tells when the instance has ended, if this host owns it. Look whether it has ended after
    /// this; look again if the sender is dropped.
    fn subscribe(&self, id: &InstanceId) -> Option<oneshot::Receiver<Arc<InstanceRecord>>>;

    /// Nobody waits at the end of a receiver that was dropped.
    fn unsubscribe(&self, id: &InstanceId);

    /// There are new messages in a queue.
    fn pushed(&self, queue: &QueueName);

    /// An id that nothing else has.
    fn new_id(&self) -> Uuid {
        Uuid::new_v4()
    }

    /// Whether storage is read where it is asked for, because that never blocks.
    fn reads_in_place(&self) -> bool {
        false
    }

    /// What a client awaits, for about so long, where it would otherwise block a thread until the hub changes;
    /// `None` where it is to do that. Some where [storage is read in place](Self::reads_in_place).
    fn pause(&self, _: Duration) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// Why nothing will happen any more unless a client asks for something, if that is so.
    fn standstill(&self) -> Option<String> {
        None
    }
}

/// Why a host does not take a command; nothing of it was done.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// The host does not own the instance: here is the command again.
    NotOwned(Box<Command>),
    /// The host has too much to do already, and `message` says of what.
    Busy {
        command: Box<Command>,
        message: String,
    },
}

/// What a client does while the host has too much to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum WhenBusy {
    /// It says so to whoever asked.
    #[default]
    Refuse,
    /// It waits until the host takes the command.
    Wait,
}

/// Somebody who waits to be told that an instance has ended. One that is dropped waits no longer.
#[derive(Debug)]
pub(super) struct Subscription {
    local: Arc<dyn LocalHost>,
    id: InstanceId,
    ended: Option<oneshot::Receiver<Arc<InstanceRecord>>>,
}

impl Subscription {
    /// The record of the instance when it has ended; `None` means: look in storage.
    pub(super) async fn ended(mut self) -> Option<Arc<InstanceRecord>> {
        let record = self.ended.as_mut()?.await.ok();
        self.ended = None;
        record
    }

    /// Whether an execution other than `execution` has ended.
    pub(super) fn is_of_other_than(&mut self, execution: ExecutionId) -> bool {
        let Some(ended) = &mut self.ended else {
            return false;
        };
        let record = match ended.try_recv() {
            Ok(record) => record,
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Closed) => {
                // The host has lost the partition: whoever waits is to look in storage. A receiver that
                // has said so once must not be asked again.
                self.ended = None;
                return false;
            }
        };
        let is_other = record.execution != execution;
        let (again, ended) = oneshot::channel();
        // What was taken out is put back; the other end is here.
        let _ = again.send(record);
        self.ended = Some(ended);
        is_other
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if self.ended.take().is_some() {
            self.local.unsubscribe(&self.id);
        }
    }
}

/// How to reach the instances of a hub.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) local: Option<Arc<dyn LocalHost>>,
    pub(super) readers: Readers,
}

/// What a client is told of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) reply: Reply,
    /// Whether the host of this process has carried it out, and has told of all that came of it. What went
    /// through the inbox may still wait there.
    pub(super) by_host: bool,
}

/// How often a client that waits for room in its host asks for it.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(20);

impl Link {
    /// Has the host of this process tell when the instance has ended, if it is the owner.
    pub(super) fn subscribe(&self, id: &InstanceId) -> Option<Subscription> {
        let local = self.local.as_ref()?;
        Some(Subscription {
            ended: Some(local.subscribe(id)?),
            local: Arc::clone(local),
            id: id.clone(),
        })
    }

    /// An id that nothing else has.
    pub(super) fn new_id(&self) -> Uuid {
        self.local
            .as_ref()
            .map_or_else(Uuid::new_v4, |local| local.new_id())
    }

    /// Why nothing will happen any more by itself, if that is so.
    pub(super) fn standstill(&self) -> Option<String> {
        self.local.as_ref()?.standstill()
    }

    /// Tells the host of this process of new messages in a queue.
    pub(super) fn pushed(&self, queue: &QueueName) {
        if let Some(local) = &self.local {
            local.pushed(queue);
        }
    }

    /// Has storage asked by a thread that may wait for it, but by no means for anything else.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn HubStorage) -> Result<T, StorageError> + Send + 'static,
    ) -> Result<T, ClientError> {
        if self
            .local
            .as_ref()
            .is_some_and(|local| local.reads_in_place())
        {
            return Ok(call(&*self.storage)?);
        }
        let storage = Arc::clone(&self.storage);
        let read = self.readers.spawn(move || call(&*storage))?.await;
        Ok(read.map_err(|error| interrupted(&error))??)
    }

    /// Has a command carried out.
    pub(super) async fn request(
        &self,
        to: &InstanceId,
        command: Command,
        when_busy: WhenBusy,
    ) -> Result<Answer, ClientError> {
        let mut command = command;
        while let Some(local) = &self.local {
            match local.request(to, command) {
                Ok(answer) => {
                    let answer = answer.await.map_err(|_| ClientError::Busy {
                        message: format!("the host stopped before it answered for {to:?}"),
                    })?;
                    return Ok(Answer {
                        reply: answer?,
                        by_host: true,
                    });
                }
                Err(NotTaken::NotOwned(again)) => {
                    command = *again;
                    break;
                }
                Err(NotTaken::Busy {
                    command: again,
                    message,
                }) => {
                    if when_busy == WhenBusy::Refuse {
                        return Err(ClientError::Busy { message });
                    }
                    command = *again;
                    sleep(LOOK_FOR_ROOM).await;
                }
            }
        }
        let reply = self.request_through_inbox(to.clone(), command).await?;
        Ok(Answer {
            reply,
            by_host: false,
        })
    }

    async fn request_through_inbox(
        &self,
        to: InstanceId,
        command: Command,
    ) -> Result<Reply, ClientError> {
        let request = RequestId(self.new_id());
        let Some(local) = self
            .local
            .as_ref()
            .filter(|local| local.pause(Duration::ZERO).is_some())
        else {
            let through_inbox = move |storage: &dyn HubStorage| {
                let mut watch = storage.watch()?;
                queued::enqueue(storage, &to, command, request)
                    .and_then(|queued| queued.wait(storage, &mut *watch))
            };
            return self.wait(through_inbox).await;
        };
        let queued = queued::enqueue(&*self.storage, &to, command, request)?;
        let began = clock::instant();
        while clock::since(began) < PATIENCE {
            if let Some(reply) = queued.look(&*self.storage)? {
                return Ok(reply);
            }
            if let Some(pause) = local.pause(LOOK_AGAIN) {
                pause.await;
            }
        }
        Err(queued.unanswered())
    }

    /// Waits until the hub has changed, or for so long.
    pub(super) async fn changed(&self, within: Duration) -> Result<(), ClientError> {
        let local = self.local.as_ref();
        if let Some(pause) = local.and_then(|local| local.pause(within)) {
            pause.await;
            return Ok(());
        }
        let wait = move |storage: &dyn HubStorage| {
            storage.watch()?.wait(within);
            Ok(())
        };
        self.wait(wait).await
    }

    /// Has a thread of the pool for blocking work wait for what others do.
    async fn wait<T: Send + 'static>(
        &self,
        call: impl FnOnce(&dyn HubStorage) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let storage = Arc::clone(&self.storage);
        let waited = spawn_blocking(move || call(&*storage)).await;
        waited.map_err(|error| interrupted(&error))?
    }
}

fn interrupted(error: &JoinError) -> ClientError {
    ClientError::Busy {
        message: error.to_string(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::client::DurableClient;
    use crate::model::TaskHubName;
    use crate::storage::{HubOptions, Memory, StorageProvider};

    /// Owns nothing, and counts those who wait.
    #[derive(Debug, Default)]
    pub(in crate::client) struct Idle {
        waiting: AtomicUsize,
        pub(in crate::client) senders: std::sync::Mutex<Vec<oneshot::Sender<Arc<InstanceRecord>>>>,
    }

    impl LocalHost for Idle {
        fn request(
            &self,
            _: &InstanceId,
            command: Command,
        ) -> Result<oneshot::Receiver<Result<Reply, Rejection>>, NotTaken> {
            Err(NotTaken::NotOwned(Box::new(command)))
        }

        fn subscribe(&self, _: &InstanceId) -> Option<oneshot::Receiver<Arc<InstanceRecord>>> {
            let (sender, receiver) = oneshot::channel();
            self.waiting.fetch_add(1, Ordering::Relaxed);
            self.senders.lock().unwrap().push(sender);
            Some(receiver)
        }

        fn unsubscribe(&self, _: &InstanceId) {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
        }

        fn pushed(&self, _: &QueueName) {}
    }

    // Else a host remembers for good every id that somebody has waited for in vain.
    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind() {
        const SOON: Duration = Duration::from_millis(20);
        let hub = TaskHubName::new("hub").unwrap();
        let storage = Memory::new()
            .open_hub(&hub, &HubOptions::default())
            .unwrap();
        let local = Arc::new(Idle::default());
        let link: Arc<dyn LocalHost> = Arc::clone(&local) as _;
        let client = DurableClient::new(hub, storage, Some(link), 1_024);
        let waiting = || local.waiting.load(Ordering::Relaxed);

        let unknown = client.wait_for_completion("unknown", SOON).await;
        assert!(matches!(unknown, Err(ClientError::InstanceNotFound { .. })));
        assert_eq!(waiting(), 0);

        let run = client.start_new_by_name("any", ()).await.unwrap();
        assert!(matches!(
            run.wait(SOON).await,
            Err(ClientError::Timeout { .. })
        ));
        assert_eq!(waiting(), 1, "that of the run");
        assert!(tokio::time::timeout(SOON, run.output()).await.is_err());
        assert_eq!(waiting(), 0);
    }

    // Else the wait for the output of a new instance panics.
    #[tokio::test]
    async fn a_host_that_loses_the_partition_during_a_start_has_the_client_look_in_storage() {
        let local = Arc::new(Idle::default());
        let id = InstanceId::new("any").unwrap();
        let link = Link {
            storage: Memory::new()
                .open_hub(&TaskHubName::new("hub").unwrap(), &HubOptions::default())
                .unwrap(),
            local: Some(Arc::clone(&local) as _),
            readers: Readers::default(),
        };
        let mut subscription = link.subscribe(&id).unwrap();
        local.senders.lock().unwrap().clear();
        assert!(!subscription.is_of_other_than(ExecutionId(Uuid::nil())));
        assert!(subscription.ended().await.is_none());
    }
}
