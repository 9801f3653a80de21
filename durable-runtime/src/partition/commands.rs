//! What clients and other instances ask of an instance.

use chrono::{DateTime, Utc};

use super::cache::Slot;
use super::instance::Instance;
use super::{Effect, Job, Origin, Partition, Query, Request};
use crate::model::{
    Command, EventKind, ExecutionStarted, Failure, InstanceDelta, InstanceId, InstanceRecord,
    OnExisting, Payload, Rejection, Reply, RuntimeStatus, StartOrchestration,
};

impl Partition {
    /// Carries a command out; its instance has been loaded if it exists.
    pub(super) fn command(&mut self, request: Request) {
        if let Some(waiting) = self.waiting_for_children.get_mut(&request.to) {
            // Ahead of those it could be carried out on another execution than was meant, or they could.
            waiting.push(request);
            return;
        }
        let exists = match self.slots.get_mut(&request.to) {
            Some(Slot::Present(instance)) if !instance.after_commit.is_empty() => {
                instance.after_commit.push(Job::Request(request));
                return;
            }
            Some(Slot::Present(_)) => true,
            _ => false,
        };
        match request.command {
            Command::Start(start) => self.start(request.to, *start, request.from),
            Command::Rewind { start: Some(_), .. } => self.rewind_child(request),
            Command::LockAnswered(_) => self.lock_answered(request),
            Command::SubOrchestrationEnded { .. } | Command::EntityAnswered { .. } if !exists => {
                self.answer(request.from, Ok(Reply::Done));
            }
            _ if !exists => {
                let rejection = Rejection::InstanceNotFound { id: request.to };
                self.answer(request.from, Err(rejection));
            }
            Command::RaiseEvent { name, data } => {
                let event = EventKind::EventRaised { name, data };
                self.deliver(&request.to, event, request.from);
            }
            Command::SubOrchestrationEnded { .. } => self.child_ended(request),
            Command::EntityAnswered { .. } => self.entity_answered(request),
            // Those go to entities only.
            Command::Entity(_) | Command::LockEntity(_) | Command::UnlockEntity(_) => {
                self.answer(request.from, Ok(Reply::Done));
            }
            Command::Suspend { reason } => self.suspend(&request.to, reason, request.from),
            Command::Resume { reason } => self.resume_suspended(&request.to, reason, request.from),
            Command::Rewind { .. } => self.rewind(request),
            Command::Terminate { reason, recursive } => {
                if recursive {
                    self.with_children(Request {
                        command: Command::Terminate { reason, recursive },
                        ..request
                    });
                } else {
                    self.terminate(&request.to, reason, request.from);
                }
            }
            Command::Purge => self.with_children(Request {
                command: Command::Purge,
                ..request
            }),
            Command::PurgeChild { parent } => {
                let request = Request {
                    command: Command::Purge,
                    ..request
                };
                if self.is_child_of(&request.to, &parent) {
                    self.with_children(request);
                } else {
                    self.answer(request.from, Ok(Reply::Done));
                }
            }
        }
    }

    fn start(&mut self, id: InstanceId, start: StartOrchestration, from: Origin) {
        let found = self
            .config
            .registry
            .version_of_start(&start.name, start.version.as_deref());
        let version = match found {
            Ok(version) => version,
            Err(failure) => {
                let rejection = Rejection::UnknownOrchestrator {
                    message: failure.message().to_owned(),
                };
                let exists = matches!(self.slots.get(&id), Some(Slot::Present(_)));
                if !exists
                    && matches!(
                        from,
                        Origin::Inbox {
                            request: Some(_),
                            ..
                        }
                    )
                {
                    self.create_failed(id, start, failure, (from, Err(rejection)));
                } else {
                    self.refuse_start(&start, failure, rejection, from);
                }
                return;
            }
        };
        if let Some(Slot::Present(existing)) = self.slots.get(&id) {
            let status = existing.record.status;
            let refused = match start.on_existing {
                None => !status.has_ended(),
                Some(OnExisting::Error) => true,
                Some(OnExisting::Restart) => false,
                Some(OnExisting::Ignore) => {
                    self.answer(from, Ok(Reply::Existing));
                    return;
                }
            };
            if refused {
                let rejection = Rejection::AlreadyExists { id, status };
                let failure = Failure::new(Failure::INSTANCE_ID, rejection.to_string());
                self.refuse_start(&start, failure.non_retriable(), rejection, from);
                return;
            }
            if !status.has_ended() {
                self.terminate_instance(&id, "replaced by a new start".to_owned());
            }
        }
        self.create(id, start, version, from);
    }

    /// Keeps a start that was accepted while nobody could say that its orchestrator is unknown, as a
    /// failed instance: it can be rewound when there is the code.
    fn create_failed(
        &mut self,
        id: InstanceId,
        start: StartOrchestration,
        failure: Failure,
        answer: (Origin, Result<Reply, Rejection>),
    ) {
        tracing::error!(instance = %id, %failure, "an accepted start cannot be carried out");
        let version = start.version.clone();
        let mut instance = Box::new(new_instance(&id, start, version, self.now));
        instance.answers.push(answer);
        self.fail(&mut instance, failure);
        self.record(&mut instance, Vec::new());
        self.slots.insert(id, Slot::Present(instance));
    }

    fn create(
        &mut self,
        id: InstanceId,
        start: StartOrchestration,
        version: Option<String>,
        from: Origin,
    ) {
        let mut instance = Box::new(new_instance(&id, start, version, self.now));
        instance.answers.push((from, Ok(Reply::Started)));
        self.make_runnable(&mut instance);
        self.replace(id, Slot::Present(instance));
    }

    /// Puts something else in the place of an instance that has ended, which takes over what waited
    /// for that.
    fn replace(&mut self, id: InstanceId, slot: Slot) {
        let Some(Slot::Present(replaced)) = self.slots.insert(id, slot) else {
            return;
        };
        for (from, result) in replaced.answers {
            self.answer(from, result);
        }
        for job in replaced.after_commit {
            if let Job::Request(request) = job {
                self.command(request);
            }
        }
    }

    fn refuse_start(
        &mut self,
        start: &StartOrchestration,
        failure: Failure,
        rejection: Rejection,
        from: Origin,
    ) {
        if let Some(parent) = &start.parent {
            let command = Command::SubOrchestrationEnded {
                execution: parent.execution,
                task: parent.task,
                outcome: Err(failure),
            };
            self.send(parent.instance.clone(), command);
        }
        self.answer(from, Err(rejection));
    }

    /// Gives an event to an instance, and answers when it is recorded.
    fn deliver(&mut self, id: &InstanceId, event: EventKind, from: Origin) {
        let Some(Slot::Present(instance)) = self.slots.get_mut(id) else {
            return;
        };
        if instance.has_ended() {
            let rejection = not_running(instance, "raising an event", "has not ended");
            self.answer(from, Err(rejection));
            return;
        }
        instance.answers.push((from, Ok(Reply::Done)));
        self.arrived(id, event);
    }

    fn child_ended(&mut self, request: Request) {
        let Command::SubOrchestrationEnded {
            execution,
            task,
            outcome,
        } = request.command
        else {
            return;
        };
        let Some(Slot::Present(instance)) = self.slots.get_mut(&request.to) else {
            return;
        };
        let awaited =
            instance.state.lineage == execution && instance.state.children.contains_key(&task);
        if !awaited || instance.has_ended() && instance.record.status != RuntimeStatus::Failed {
            self.answer(request.from, Ok(Reply::Done));
            return;
        }
        instance.answers.push((request.from, Ok(Reply::Done)));
        let event = match outcome {
            Ok(result) => EventKind::SubOrchestrationCompleted { id: task, result },
            Err(failure) => EventKind::SubOrchestrationFailed { id: task, failure },
        };
        self.arrived(&request.to, event);
    }

    fn suspend(&mut self, id: &InstanceId, reason: String, from: Origin) {
        self.change(id, from, "suspending", |instance, now| {
            if instance.record.status != RuntimeStatus::Suspended {
                let record = instance.record.edit();
                record.status = RuntimeStatus::Suspended;
                record.output = Payload::encode(&reason).ok();
                instance.arrive(now, EventKind::ExecutionSuspended { reason });
            }
        });
    }

    fn resume_suspended(&mut self, id: &InstanceId, reason: String, from: Origin) {
        self.change(id, from, "resuming", |instance, now| {
            if instance.record.status == RuntimeStatus::Suspended {
                let waits = instance
                    .state
                    .start_at
                    .is_some_and(|start_at| start_at > now);
                let record = instance.record.edit();
                record.status = if waits && !instance.state.has_run {
                    RuntimeStatus::Pending
                } else {
                    RuntimeStatus::Running
                };
                record.output = None;
                instance.arrive(now, EventKind::ExecutionResumed { reason });
            }
        });
    }

    /// Changes an instance that has not ended, records that and answers.
    fn change(
        &mut self,
        id: &InstanceId,
        from: Origin,
        action: &str,
        change: impl FnOnce(&mut Instance, DateTime<Utc>),
    ) {
        let Some(mut instance) = self.take(id) else {
            return;
        };
        if instance.has_ended() {
            let rejection = not_running(&instance, action, "has not ended");
            self.answer(from, Err(rejection));
        } else {
            change(&mut instance, self.now);
            instance.answers.push((from, Ok(Reply::Done)));
            self.record(&mut instance, Vec::new());
            self.make_runnable(&mut instance);
        }
        self.slots.insert(id.clone(), Slot::Present(instance));
    }

    fn terminate(&mut self, id: &InstanceId, reason: String, from: Origin) {
        if let Some(Slot::Present(instance)) = self.slots.get(id)
            && instance.has_ended()
        {
            let rejection = not_running(instance, "terminating", "has not ended");
            self.answer(from, Err(rejection));
            return;
        }
        self.terminate_instance(id, reason);
        self.answer(from, Ok(Reply::Done));
    }

    fn is_child_of(&self, id: &InstanceId, parent: &InstanceId) -> bool {
        matches!(self.slots.get(id), Some(Slot::Present(instance)) if instance.record.parent.as_ref() == Some(parent))
    }

    fn has_ended(&self, id: &InstanceId) -> bool {
        matches!(self.slots.get(id), Some(Slot::Present(instance)) if instance.has_ended())
    }

    fn terminate_instance(&mut self, id: &InstanceId, reason: String) {
        let Some(mut instance) = self.take(id) else {
            return;
        };
        let failure = Failure::new(
            Failure::TERMINATED,
            format!("the orchestration was terminated: {reason}"),
        );
        let output = Payload::encode(&reason).ok();
        instance.arrive(self.now, EventKind::ExecutionTerminated { reason });
        self.end(&mut instance, RuntimeStatus::Terminated, Err(failure));
        instance.record.edit().output = output;
        self.record(&mut instance, Vec::new());
        self.effects.push(Effect::CancelActivities(id.clone()));
        self.slots.insert(id.clone(), Slot::Present(instance));
        self.wake(id);
    }

    /// Has the children of an instance looked up, for a command that concerns them as well.
    fn with_children(&mut self, request: Request) {
        let id = request.to.clone();
        self.queries.push(Query::Children(id.clone()));
        self.waiting_for_children.insert(id, vec![request]);
    }

    pub(super) fn children_found(&mut self, id: &InstanceId, children: &[InstanceId]) {
        let requests = self.waiting_for_children.remove(id).unwrap_or_default();
        for request in requests {
            let mut children = children.to_vec();
            match self.slots.get(id) {
                Some(Slot::Present(instance)) => {
                    // Those of this execution may be too young to be in storage. Of an instance that has
                    // ended the id of a child may be somebody else's by now: only a purge says whose child
                    // it means.
                    if !instance.has_ended() || matches!(request.command, Command::Purge) {
                        children.extend(instance.state.children.values().cloned());
                    }
                    children.sort_unstable();
                    children.dedup();
                }
                Some(Slot::Deleted { .. }) => {
                    self.command(request);
                    continue;
                }
                // It was let go in the meantime.
                Some(Slot::Loading(_)) | None => {
                    self.job(id.clone(), Job::Request(request));
                    continue;
                }
            }
            match request.command {
                Command::Purge => self.purge(id, &children, request.from),
                Command::Terminate {
                    reason,
                    recursive: true,
                } => {
                    // For an operator an instance that has ended is an error and no more. One that
                    // its parent ends may have children that outlived it.
                    let by_parent = matches!(request.from, Origin::Inbox { request: None, .. });
                    if !by_parent && self.has_ended(id) {
                        children.clear();
                    }
                    for child in children {
                        let command = Command::Terminate {
                            reason: reason.clone(),
                            recursive: true,
                        };
                        self.send(child, command);
                    }
                    self.terminate(id, reason, request.from);
                }
                command => self.command(Request { command, ..request }),
            }
        }
    }

    fn purge(&mut self, id: &InstanceId, children: &[InstanceId], from: Origin) {
        match self.slots.get(id) {
            Some(Slot::Present(instance)) if !instance.has_ended() => {
                let rejection = not_running(instance, "purging", "has ended");
                self.answer(from, Err(rejection));
            }
            Some(Slot::Present(_)) => {
                for child in children {
                    let parent = id.clone();
                    self.send(child.clone(), Command::PurgeChild { parent });
                }
                let changed_in = self.sequence + 1;
                self.delta.change(InstanceDelta::Delete { id: id.clone() });
                self.changed(id);
                self.answer(from, Ok(Reply::Done));
                self.replace(id.clone(), Slot::Deleted { changed_in });
            }
            _ => {
                let rejection = Rejection::InstanceNotFound { id: id.clone() };
                self.answer(from, Err(rejection));
            }
        }
    }
}

fn new_instance(
    id: &InstanceId,
    start: StartOrchestration,
    version: Option<String>,
    now: DateTime<Utc>,
) -> Instance {
    let record = InstanceRecord {
        id: id.clone(),
        execution: start.execution,
        name: start.name.clone(),
        version: version.clone(),
        status: RuntimeStatus::Pending,
        created: now,
        updated: now,
        due: None,
        custom_status: None,
        output: None,
        parent: start.parent.as_ref().map(|parent| parent.instance.clone()),
        tags: start.tags.clone(),
    };
    let started = ExecutionStarted {
        execution: start.execution,
        name: start.name,
        version,
        input: start.input,
        parent: start.parent,
        start_at: start.start_at,
        tags: start.tags,
    };
    Instance::started(record, started, now)
}

/// The rejection of a command that the instance's status does not allow.
pub(super) fn not_running(instance: &Instance, action: &str, needs: &str) -> Rejection {
    Rejection::NotRunning {
        id: instance.record.id.clone(),
        status: instance.record.status,
        action: action.to_owned(),
        needs: needs.to_owned(),
    }
}

#[cfg(test)]
mod tests;
