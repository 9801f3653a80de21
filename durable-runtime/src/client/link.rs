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
use super::readers::Readers;
use crate::clock;
use crate::model::{
    Command, Envelope, ExecutionId, InstanceId, InstanceRecord, OnExisting, QueueName, Rejection,
    Reply, RequestId, RuntimeStatus,
};
use crate::storage::{HubStorage, InstanceSummary, StorageError, Watch};

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

/// How long a client of another process waits for the owner's answer before it looks whether there
/// is still an owner.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long it waits in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often a client that waits for room in its host asks for it.
const LOOK_FOR_ROOM: Duration = Duration::from_millis(20);
/// How many messages may wait for the owner of a partition before clients of other processes can add no
/// more payloads: whoever becomes the owner reads them all into memory.
const MAX_INBOX: usize = 10_000;

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
    ) -> Result<Reply, ClientError> {
        let mut command = command;
        while let Some(local) = &self.local {
            match local.request(to, command) {
                Ok(answer) => {
                    let answer = answer.await.map_err(|_| ClientError::Busy {
                        message: format!("the host stopped before it answered for {to:?}"),
                    })?;
                    return Ok(answer?);
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
        let (to, request) = (to.clone(), RequestId(self.new_id()));
        let Some(local) = self
            .local
            .as_ref()
            .filter(|local| local.pause(Duration::ZERO).is_some())
        else {
            let through_inbox = move |storage: &dyn HubStorage| {
                let mut watch = storage.watch()?;
                enqueue(storage, &to, command, request)
                    .and_then(|queued| queued.wait(storage, &mut *watch))
            };
            return self.wait(through_inbox).await;
        };
        let queued = enqueue(&*self.storage, &to, command, request)?;
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

/// A command in the inbox of its receiver.
#[derive(Debug)]
struct Queued {
    to: InstanceId,
    request: RequestId,
    /// Whether of two such commands only the first is carried out.
    claims_id: bool,
    /// What is answered if there is no owner to do so.
    accepted: Reply,
}

/// Puts a command into the inbox, where its owner finds it. Without an owner it is checked against what
/// is in storage; it is carried out as soon as there is an owner.
fn enqueue(
    storage: &dyn HubStorage,
    to: &InstanceId,
    command: Command,
    request: RequestId,
) -> Result<Queued, ClientError> {
    let partition = to.partition(storage.partition_count());
    if !storage.is_owned(partition)? {
        check_unowned(storage, to, &command)?;
    }
    if command.payload().is_some() && storage.inbox_length(partition, MAX_INBOX)? >= MAX_INBOX {
        return Err(ClientError::Busy {
            message: format!("{MAX_INBOX} messages wait for the owner of {to:?} to take them up"),
        });
    }
    // Of two that start one id at the same moment only the first is to be told that it has.
    let claims_id = matches!(&command, Command::Start(start)
        if !matches!(start.on_existing, Some(OnExisting::Restart | OnExisting::Ignore)));
    let accepted = match command {
        Command::Start(_) => Reply::Started,
        _ => Reply::Done,
    };
    storage.enqueue(&[Envelope {
        to: to.clone(),
        command,
        request: Some(request),
    }])?;
    Ok(Queued {
        to: to.clone(),
        request,
        claims_id,
        accepted,
    })
}

impl Queued {
    /// Waits for the answer of the owner, if there is one.
    fn wait(&self, storage: &dyn HubStorage, watch: &mut dyn Watch) -> Result<Reply, ClientError> {
        let began = clock::instant();
        while clock::since(began) < PATIENCE {
            if let Some(reply) = self.look(storage)? {
                return Ok(reply);
            }
            watch.wait(LOOK_AGAIN);
        }
        Err(self.unanswered())
    }

    /// The answer, if there is one or there is no owner to give it.
    fn look(&self, storage: &dyn HubStorage) -> Result<Option<Reply>, ClientError> {
        if let Some(reply) = storage.take_reply(self.request)? {
            return Ok(Some(reply?));
        }
        if storage.is_owned(self.to.partition(storage.partition_count()))? {
            return Ok(None);
        }
        if self.claims_id && is_behind_another(storage, &self.to, self.request)? {
            return Err(ClientError::AlreadyExists {
                id: self.to.to_string(),
                status: RuntimeStatus::Pending,
            });
        }
        Ok(Some(self.accepted))
    }

    fn unanswered(&self) -> ClientError {
        ClientError::Busy {
            message: format!(
                "the owner of {:?} has not answered within {PATIENCE:?}",
                self.to
            ),
        }
    }
}

/// Whether a start of the instance that was enqueued earlier waits for an owner as well.
fn is_behind_another(
    storage: &dyn HubStorage,
    to: &InstanceId,
    request: RequestId,
) -> Result<bool, StorageError> {
    let partition = to.partition(storage.partition_count());
    let inbox = storage.inbox(&[partition])?;
    let mut starts = inbox
        .iter()
        .map(|message| &message.envelope)
        .filter(|envelope| envelope.to == *to && is_start(&envelope.command));
    Ok(starts
        .next()
        .is_some_and(|first| first.request != Some(request)))
}

/// Whether a start of `id`, or a rewind if it `exists`, waits for an owner to take it up.
pub(super) fn is_to_run(
    storage: &dyn HubStorage,
    id: &InstanceId,
    exists: bool,
) -> Result<bool, StorageError> {
    let is_rewind = |command: &Command| exists && matches!(command, Command::Rewind { .. });
    let mut queued = queued(storage, id)?.into_iter();
    Ok(queued.any(|queued| is_start(&queued) || is_rewind(&queued)))
}

fn is_start(command: &Command) -> bool {
    matches!(command, Command::Start(_))
}

/// The commands to `id` that wait for an owner to take them up.
fn queued(storage: &dyn HubStorage, id: &InstanceId) -> Result<Vec<Command>, StorageError> {
    let partition = id.partition(storage.partition_count());
    let inbox = storage.inbox(&[partition])?.into_iter();
    let to_id = inbox
        .map(|message| message.envelope)
        .filter(|to| to.to == *id);
    Ok(to_id.map(|envelope| envelope.command).collect())
}

fn check_unowned(
    storage: &dyn HubStorage,
    to: &InstanceId,
    command: &Command,
) -> Result<(), ClientError> {
    if matches!(command, Command::Entity(_) | Command::UnlockEntity(_)) {
        // An entity need not exist to be asked something.
        return Ok(());
    }
    let found = storage.summary(to, false)?;
    let is_fine = |found: &InstanceSummary| refusal(command, found.record.status).is_none();
    if !is_start(command) && found.as_ref().is_some_and(is_fine) {
        // Whatever is queued before it. Reading that for each of many commands takes long.
        return Ok(());
    }
    let queued = queued(storage, to)?;
    let is_queued = queued.iter().any(is_start);
    let status = match found {
        Some(found) if is_queued && found.record.status.has_ended() => Some(RuntimeStatus::Pending),
        Some(found) => Some(found.record.status),
        None => is_queued.then_some(RuntimeStatus::Pending),
    };
    let id = to.to_string();
    match (command, status) {
        (Command::Start(start), Some(status)) => match start.on_existing {
            None if status.has_ended() => Ok(()),
            Some(OnExisting::Restart | OnExisting::Ignore) => Ok(()),
            None | Some(OnExisting::Error) => Err(ClientError::AlreadyExists { id, status }),
        },
        (Command::Start(_), None) => Ok(()),
        (_, None) => Err(ClientError::InstanceNotFound { id }),
        // What is queued may bring the instance to where the command makes sense.
        (command, Some(_)) if queued.iter().any(|queued| may_lead_to(queued, command)) => Ok(()),
        (command, Some(status)) => match refusal(command, status) {
            None => Ok(()),
            Some((action, needs)) => Err(ClientError::NotRunning {
                id,
                status,
                action: action.to_owned(),
                needs: needs.to_owned(),
            }),
        },
    }
}

/// Whether what is queued may bring an instance to where `command` makes sense, before it is carried out.
fn may_lead_to(queued: &Command, command: &Command) -> bool {
    match command {
        Command::Purge => matches!(queued, Command::Terminate { .. }),
        // Nothing that is asked for makes an instance fail.
        Command::Rewind { .. } => false,
        _ => true,
    }
}

/// Which action an instance of `status` refuses, and what that needs; as its owner would say.
fn refusal(command: &Command, status: RuntimeStatus) -> Option<(&'static str, &'static str)> {
    let (action, needs, is_fine) = match command {
        Command::RaiseEvent { .. } => ("raising an event", "has not ended", !status.has_ended()),
        Command::Terminate { .. } => ("terminating", "has not ended", !status.has_ended()),
        Command::Suspend { .. } => ("suspending", "has not ended", !status.has_ended()),
        Command::Resume { .. } => ("resuming", "has not ended", !status.has_ended()),
        Command::Rewind { .. } => ("rewinding", "has failed", status == RuntimeStatus::Failed),
        Command::Purge => ("purging", "has ended", status.has_ended()),
        Command::Start(_)
        | Command::SubOrchestrationEnded { .. }
        | Command::Entity(_)
        | Command::EntityAnswered { .. }
        | Command::LockEntity(_)
        | Command::UnlockEntity(_)
        | Command::LockAnswered(_) => return None,
    };
    (!is_fine).then_some((action, needs))
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
        senders: std::sync::Mutex<Vec<oneshot::Sender<Arc<InstanceRecord>>>>,
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
