//! Commands in the inbox of their receiver: from clients of other processes than the owner's, or for want of an owner.

use std::time::Duration;

use super::ClientError;
use crate::clock;
use crate::model::{Command, Envelope, InstanceId, OnExisting, Reply, RequestId, RuntimeStatus};
use crate::storage::{HubStorage, InstanceSummary, StorageError, Watch};

/// How long a client of another process waits for the owner's answer before it looks whether there
/// is still an owner.
pub(super) const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// How long it waits in all.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);
/// How many messages may wait for the owner of a partition before clients of other processes can add no
/// more payloads: whoever becomes the owner reads them all into memory.
const MAX_INBOX: usize = 10_000;

/// A command in the inbox of its receiver.
#[derive(Debug)]
pub(super) struct Queued {
    to: InstanceId,
    request: RequestId,
    /// Whether it was checked, because there was no owner, before it was queued.
    was_checked: bool,
    /// Whether of two such commands only the first is carried out.
    claims_id: bool,
    /// What is answered if there is no owner to do so.
    accepted: Reply,
}

/// Puts a command into the inbox, where its owner finds it. Without an owner it is checked against what
/// is in storage; it is carried out as soon as there is an owner.
pub(super) fn enqueue(
    storage: &dyn HubStorage,
    to: &InstanceId,
    command: Command,
    request: RequestId,
) -> Result<Queued, ClientError> {
    let partition = to.partition(storage.partition_count());
    let was_checked = !storage.is_owned(partition)?;
    if was_checked {
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
        was_checked,
        claims_id,
        accepted,
    })
}

impl Queued {
    /// Waits for the answer of the owner, if there is one.
    pub(super) fn wait(
        &self,
        storage: &dyn HubStorage,
        watch: &mut dyn Watch,
    ) -> Result<Reply, ClientError> {
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
    pub(super) fn look(&self, storage: &dyn HubStorage) -> Result<Option<Reply>, ClientError> {
        if let Some(reply) = storage.take_reply(self.request)? {
            return Ok(Some(reply?));
        }
        if storage.is_owned(self.to.partition(storage.partition_count()))? {
            return Ok(None);
        }
        if self.was_checked && !self.claims_id {
            return Ok(Some(self.accepted));
        }
        let Some(own) = self.place(storage)? else {
            // An owner has carried it out, and its answer is about to be seen.
            return Ok(None);
        };
        if self.claims_id && own.before.iter().any(|earlier| is_start(&earlier.command)) {
            return Err(ClientError::AlreadyExists {
                id: self.to.to_string(),
                status: RuntimeStatus::Pending,
            });
        }
        if self.was_checked {
            return Ok(Some(self.accepted));
        }
        // The owner has gone without an answer. What stays queued is told to have been refused only if that is
        // certain: it is still to come itself, and before all that could make a difference, after the instance
        // was looked at.
        let found = storage.summary(&self.to, false)?;
        if !own.is_decided(found.is_some()) {
            return Ok(Some(self.accepted));
        }
        let Some(refused) = refusal_for_good(&self.to, &own.command, found.as_ref()) else {
            return Ok(Some(self.accepted));
        };
        match self.place(storage)? {
            Some(own) if own.is_decided(found.is_some()) => Err(refused),
            _ => Ok(None),
        }
    }

    /// Where it is in the queue, if it is.
    fn place(&self, storage: &dyn HubStorage) -> Result<Option<Place>, StorageError> {
        let mut before = queued_for(storage, &self.to)?;
        let own = |envelope: &Envelope| envelope.request == Some(self.request);
        let Some(place) = before.iter().position(own) else {
            return Ok(None);
        };
        before.truncate(place + 1);
        let command = before.pop().map(|own| own.command);
        Ok(command.map(|command| Place { command, before }))
    }

    pub(super) fn unanswered(&self) -> ClientError {
        ClientError::Busy {
            message: format!(
                "the owner of {:?} has not answered within {PATIENCE:?}",
                self.to
            ),
        }
    }
}

/// A command that is queued, and what is queued before it for the same instance.
struct Place {
    command: Command,
    before: Vec<Envelope>,
}

impl Place {
    /// Whether nothing before it changes what becomes of it. Where the instance does not exist, only what creates
    /// it does.
    fn is_decided(&self, exists: bool) -> bool {
        let creates = |earlier: &Envelope| {
            is_start(&earlier.command)
                || matches!(earlier.command, Command::Rewind { start: Some(_), .. })
        };
        self.before.is_empty() || !exists && !self.before.iter().any(creates)
    }
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
    let queued = queued_for(storage, id)?.into_iter();
    Ok(queued.map(|envelope| envelope.command).collect())
}

/// As [`queued`], with who waits for an answer.
fn queued_for(storage: &dyn HubStorage, id: &InstanceId) -> Result<Vec<Envelope>, StorageError> {
    let partition = id.partition(storage.partition_count());
    let inbox = storage.inbox(&[partition])?.into_iter();
    let envelopes = inbox.map(|message| message.envelope);
    Ok(envelopes.filter(|envelope| envelope.to == *id).collect())
}

/// Whether the next owner will carry the command out, as far as can be told before it is queued.
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
            Some((action, needs)) => Err(not_running(id, status, action, needs)),
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

/// Why the next owner will not carry out a command that it comes to first, if that is certain: whatever has not
/// ended may go on before.
fn refusal_for_good(
    to: &InstanceId,
    command: &Command,
    found: Option<&InstanceSummary>,
) -> Option<ClientError> {
    let id = to.to_string();
    let status = found.map(|found| found.record.status);
    match (command, status) {
        (Command::Start(start), Some(status)) if status.has_ended() => (start.on_existing
            == Some(OnExisting::Error))
        .then_some(ClientError::AlreadyExists { id, status }),
        (Command::Start(_) | Command::Entity(_) | Command::UnlockEntity(_), _) => None,
        (_, None) => Some(ClientError::InstanceNotFound { id }),
        (command, Some(status)) if status.has_ended() => {
            let (action, needs) = refusal(command, status)?;
            Some(not_running(id, status, action, needs))
        }
        _ => None,
    }
}

fn not_running(id: String, status: RuntimeStatus, action: &str, needs: &str) -> ClientError {
    ClientError::NotRunning {
        id,
        status,
        action: action.to_owned(),
        needs: needs.to_owned(),
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
        | Command::LockAnswered(_)
        | Command::PurgeChild { .. } => return None,
    };
    (!is_fine).then_some((action, needs))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use uuid::Uuid;

    use super::*;
    use crate::model::{Delta, PartitionId, Payload, StartOrchestration, TaskHubName, WorkerId};
    use crate::storage::{HubOptions, Lease, Memory, StorageProvider};

    fn storage() -> Arc<dyn HubStorage> {
        let hub = TaskHubName::new("hub").unwrap();
        let options = HubOptions { partition_count: 1 };
        Memory::new().open_hub(&hub, &options).unwrap()
    }

    fn worker() -> WorkerId {
        WorkerId("worker".to_owned())
    }

    fn own(storage: &dyn HubStorage) -> Lease {
        storage.acquire(&worker(), PATIENCE, 1).unwrap().remove(0)
    }

    fn id() -> InstanceId {
        InstanceId::new("any").unwrap()
    }

    fn event() -> Command {
        Command::RaiseEvent {
            name: "any".to_owned(),
            data: Payload::null(),
        }
    }

    fn start() -> Command {
        Command::Start(Box::new(StartOrchestration::plain("any")))
    }

    fn ask(storage: &dyn HubStorage, command: Command) -> Queued {
        let queued = enqueue(storage, &id(), command, RequestId(Uuid::new_v4())).unwrap();
        assert!(queued.look(storage).unwrap().is_none(), "there is an owner");
        queued
    }

    // Rule 25. Else an event that is dropped by the next owner counts as raised.
    #[test]
    fn a_command_whose_owner_has_gone_is_refused_if_the_next_one_is_to_refuse_it() {
        let storage = storage();
        own(&*storage);
        let too_early = [ask(&*storage, event()), ask(&*storage, event())];
        let starts = ask(&*storage, start());
        let starts_too = ask(&*storage, start());
        let in_time = ask(&*storage, event());
        // It may have ended until then.
        let purges = ask(&*storage, Command::Purge);
        storage.release(&worker()).unwrap();

        for too_early in too_early {
            let refused = too_early.look(&*storage).unwrap_err();
            assert!(matches!(refused, ClientError::InstanceNotFound { .. }));
        }
        let accepted = starts.look(&*storage).unwrap();
        assert!(matches!(accepted, Some(Reply::Started)));
        let refused = starts_too.look(&*storage).unwrap_err();
        assert!(matches!(refused, ClientError::AlreadyExists { .. }));
        for accepted in [in_time, purges] {
            let accepted = accepted.look(&*storage).unwrap();
            assert!(matches!(accepted, Some(Reply::Done)));
        }
    }

    #[test]
    fn a_command_that_was_carried_out_waits_for_its_answer() {
        let storage = storage();
        let lease = own(&*storage);
        let raised = ask(&*storage, event());
        let mut delta = Delta::new(lease.partition, lease.epoch);
        delta.consume(storage.inbox(&[PartitionId(0)]).unwrap()[0].id);
        storage.commit(&[delta]).unwrap();
        storage.release(&worker()).unwrap();
        assert!(raised.look(&*storage).unwrap().is_none());
    }
}
