//! Running an instance, recording what it did, and what follows from that.

use std::sync::Arc;

use super::cache::Slot;
use super::instance::{Instance, Live};
use super::{ActivityWork, Confirmation, Effect, Partition};
use crate::engine::{self, Completion, ExecutionState, OpenActivity};
use crate::model::{
    Command, EntityCaller, EntityOperation, EventKind, ExecutionId, ExecutionStarted, Failure,
    HistoryEvent, HistoryRow, InstanceDelta, InstanceId, Payload, RuntimeStatus,
    StartOrchestration, TaskId,
};

impl Partition {
    /// Lets an instance take note of the time.
    pub(super) fn wake(&mut self, id: &InstanceId) {
        let Some(mut instance) = self.take(id) else {
            return;
        };
        if !instance.has_ended() {
            if instance.state.has_run {
                for timer in instance.state.timers.due(self.now) {
                    instance.arrive(self.now, EventKind::TimerFired { id: timer });
                }
            }
            let starts = !instance.state.has_run && instance.may_run(self.now);
            if starts || !instance.arrived.is_empty() {
                self.make_runnable(&mut instance);
            }
        }
        self.queue_due(&mut instance);
        self.slots.insert(id.clone(), Slot::Present(instance));
    }

    /// Puts the instance into the due queue for its next time.
    fn queue_due(&mut self, instance: &mut Instance) {
        // A start whose time has come waits for something else than time: to be resumed, or for a
        // worker that has the code.
        let (has_run, now) = (instance.state.has_run, self.now);
        let next = instance
            .next_time()
            .filter(|time| !instance.runnable && (has_run || *time > now));
        if instance.queued_due == next {
            return;
        }
        let id = &instance.record.id;
        if let Some(time) = instance.queued_due.take() {
            self.due.remove(time, id);
        }
        if let Some(time) = next {
            self.due.insert(time, id.clone());
            instance.queued_due = next;
        }
    }

    /// Runs one instance.
    pub(super) fn run(&mut self, id: &InstanceId) {
        if id.is_entity() {
            self.run_entity(id);
            return;
        }
        let Some(mut instance) = self.take(id) else {
            return;
        };
        if !std::mem::take(&mut instance.runnable) {
            // The entry was that of an instance which this one has replaced.
            self.slots.insert(id.clone(), Slot::Present(instance));
            return;
        }
        if instance.may_run(self.now) && self.has_code(&mut instance) {
            self.episode(&mut instance);
        } else {
            self.record(&mut instance, Vec::new());
        }
        self.touch(&mut instance);
        self.queue_due(&mut instance);
        let changed_in = instance.changed_in;
        self.slots.insert(id.clone(), Slot::Present(instance));
        if changed_in <= self.committed {
            // Nothing was recorded, so no commit will tell.
            self.reload_for_jobs(id, changed_in);
        }
    }

    fn has_code(&mut self, instance: &mut Instance) -> bool {
        if instance.live.is_none() && !instance.state.has_run {
            instance.live = self.begin(instance).map(Live::new);
            if instance.live.is_some() {
                instance.input = None;
                self.live += 1;
            }
        }
        if instance.live.is_none() {
            self.without_code(instance);
        }
        instance.live.is_some()
    }

    fn episode(&mut self, instance: &mut Instance) {
        let Some(live) = &mut instance.live else {
            return;
        };
        let arrivals = instance
            .undelivered
            .iter()
            .chain(instance.arrived.iter().map(|event| &event.kind));
        let episode = live.run(self.now, false, arrivals);
        let time = live.now();
        let episode = if self.config.replay_check {
            self.checked(instance, time, episode)
        } else {
            episode
        };
        instance.undelivered.clear();
        instance.record.set_status(RuntimeStatus::Running);
        instance.state.has_run = true;
        let mut did = vec![HistoryEvent::new(time, EventKind::OrchestratorStarted)];
        for action in episode.actions.actions {
            if let EventKind::LockReleased { id } = action {
                self.release_lock(instance, id);
            }
            instance.state.apply(&action);
            self.act(instance, &action);
            did.push(HistoryEvent::new(time, action));
        }
        for timer in episode.actions.cancelled_timers {
            instance.state.timers.remove(timer);
        }
        if let Some(status) = episode.actions.custom_status {
            instance.record.edit().custom_status = Some(status);
        }
        match episode.completion {
            None => self.record(instance, did),
            Some(completion) => {
                instance.arrived.append(&mut did);
                self.complete(instance, completion);
                self.record(instance, Vec::new());
            }
        }
    }

    /// Does what an action of the code asks for.
    fn act(&mut self, instance: &mut Instance, action: &EventKind) {
        match action {
            EventKind::TaskScheduled { id, .. } => self.dispatch(instance, *id, false),
            EventKind::SubOrchestrationCreated {
                id,
                instance: child,
                ..
            } => {
                if let Some(start) = start_of_child(instance, *id, action) {
                    self.send(child.clone(), Command::Start(Box::new(start)));
                }
            }
            EventKind::EntityCalled {
                id,
                entity,
                operation,
                input,
            } => {
                let caller = EntityCaller {
                    instance: instance.record.id.clone(),
                    execution: instance.state.lineage,
                    task: *id,
                };
                let operation = EntityOperation {
                    name: operation.clone(),
                    input: input.clone(),
                    caller: Some(caller),
                    at: None,
                };
                self.send_to_entity(entity, operation);
            }
            EventKind::EntitySignaled {
                entity,
                operation,
                input,
                at,
                ..
            } => {
                let operation = EntityOperation {
                    name: operation.clone(),
                    input: input.clone(),
                    caller: None,
                    at: *at,
                };
                self.send_to_entity(entity, operation);
            }
            EventKind::LockRequested { id, .. } => self.request_lock(instance, *id),
            EventKind::EventSent {
                instance: to,
                name,
                data,
                ..
            } => {
                let command = Command::RaiseEvent {
                    name: name.clone(),
                    data: data.clone(),
                };
                self.send(to.clone(), command);
            }
            _ => {}
        }
    }

    /// Gives an activity to an executor.
    fn dispatch(&mut self, instance: &mut Instance, task: TaskId, confirm: bool) {
        let lineage = instance.state.lineage;
        let Some(OpenActivity {
            call: Some(_),
            restarts,
        }) = instance.state.activities.get(&task)
        else {
            return;
        };
        let attempt = restarts + if confirm { 2 } else { 1 };
        let id = instance.record.id.clone();
        if !self.running.insert((lineage, task)) {
            return;
        }
        let call = instance
            .state
            .activities
            .get_mut(&task)
            .and_then(|open| open.call.take());
        if let Some((name, input)) = call {
            self.effects.push(Effect::RunActivity(ActivityWork {
                instance: id,
                lineage,
                task,
                name,
                input,
                attempt,
                confirmation: if confirm {
                    Confirmation::Wanted
                } else {
                    Confirmation::NotNeeded
                },
            }));
        }
    }

    /// Gives the activities of a loaded instance to executors, if nobody has them. Those that took
    /// their process down too often fail instead.
    pub(super) fn dispatch_open(&mut self, instance: &mut Instance) {
        let confirm = !self.config.clean;
        let open: Vec<_> = instance
            .state
            .activities
            .iter()
            .map(|(task, open)| (*task, open.restarts))
            .collect();
        for (task, restarts) in open {
            let key = (instance.state.lineage, task);
            let limit = self.config.max_activity_attempts;
            if confirm && restarts + 1 >= limit && !self.running.contains(&key) {
                let failure = Failure::new(
                    Failure::POISON,
                    format!("its process ended {limit} times while it ran; it is not run again"),
                );
                let failure = failure.non_retriable();
                instance.arrive(self.now, EventKind::TaskFailed { id: task, failure });
                self.make_runnable(instance);
            } else {
                self.dispatch(instance, task, confirm);
            }
        }
    }

    /// An activity that was under way in a crash is about to be run again: that is recorded first.
    pub(super) fn activity_starting(&mut self, mut work: ActivityWork) {
        let id = work.instance.clone();
        let Some(mut instance) = self.take(&id) else {
            self.running.remove(&(work.lineage, work.task));
            self.effects.push(Effect::SkipActivity {
                lineage: work.lineage,
                task: work.task,
            });
            return;
        };
        let task = work.task;
        let wanted =
            instance.state.lineage == work.lineage && instance.state.activities.contains_key(&task);
        if wanted {
            instance.arrive(self.now, EventKind::TaskRestarted { id: task });
            self.record(&mut instance, Vec::new());
            work.confirmation = Confirmation::Given;
            self.effects.push(Effect::RunActivity(work));
        } else {
            self.running.remove(&(work.lineage, task));
            self.effects.push(Effect::SkipActivity {
                lineage: work.lineage,
                task: work.task,
            });
        }
        self.slots.insert(id, Slot::Present(instance));
    }

    pub(super) fn activity_ended(
        &mut self,
        id: &InstanceId,
        lineage: ExecutionId,
        task: TaskId,
        outcome: Result<Payload, Failure>,
    ) {
        let Some(Slot::Present(instance)) = self.slots.get_mut(id) else {
            return;
        };
        if instance.state.lineage != lineage || !instance.state.activities.contains_key(&task) {
            return;
        }
        if instance.has_ended() && instance.record.status != RuntimeStatus::Failed {
            // Nobody waits for the result any more. (A failed instance may be rewound.)
            instance.state.activities.remove(&task);
            let Some(mut instance) = self.take(id) else {
                return;
            };
            self.record(&mut instance, Vec::new());
            self.slots.insert(id.clone(), Slot::Present(instance));
            return;
        }
        let limit = self.config.max_payload_bytes;
        let outcome = outcome.and_then(|result| match result.check_size(limit) {
            Ok(()) => Ok(result),
            Err(error) => Err(Failure::new(
                Failure::PAYLOAD_TOO_LARGE,
                format!("the output of the activity cannot be stored: {error}"),
            )
            .non_retriable()),
        });
        let event = match outcome {
            Ok(result) => EventKind::TaskCompleted { id: task, result },
            Err(failure) => EventKind::TaskFailed { id: task, failure },
        };
        self.arrived(id, event);
    }

    /// Something has happened to an instance, which is to run if it may.
    pub(super) fn arrived(&mut self, id: &InstanceId, event: EventKind) {
        let Some(mut instance) = self.take(id) else {
            return;
        };
        instance.arrive(self.now, event);
        self.make_runnable(&mut instance);
        self.slots.insert(id.clone(), Slot::Present(instance));
    }

    /// Ends an execution as its code did.
    pub(super) fn complete(&mut self, instance: &mut Instance, completion: Completion) {
        match completion {
            Completion::Completed(result) => {
                let event = EventKind::ExecutionCompleted {
                    result: result.clone(),
                };
                instance.arrive(self.now, event);
                self.end(instance, RuntimeStatus::Completed, Ok(result));
            }
            Completion::Failed(failure) | Completion::NonDeterministic(failure) => {
                self.fail(instance, failure);
            }
            Completion::ContinuedAsNew { request, events } => {
                if let Some(live) = &instance.live {
                    // The counter of `new_guid` begins again, so the time must not be the same.
                    instance.not_before = live.now() + chrono::Duration::microseconds(1);
                }
                self.drop_live(instance);
                self.release_locks(instance);
                let version = request.version.filter(|version| !version.is_empty());
                let version = version.or_else(|| instance.record.version.clone());
                let execution = instance.record.execution.successor();
                let started = ExecutionStarted {
                    execution,
                    name: instance.record.name.clone(),
                    version: version.clone(),
                    input: request.input,
                    parent: instance.state.parent.clone(),
                    start_at: None,
                    tags: instance.record.tags.clone(),
                };
                let record = instance.record.edit();
                record.execution = execution;
                record.version = version;
                instance.state = ExecutionState::new(execution, started.parent.clone(), None);
                instance.input = Some(started.input.clone());
                instance.reset_history = true;
                instance.arrived.clear();
                let now = self.now;
                instance.arrive(now, EventKind::ExecutionStarted(Box::new(started)));
                for (name, data) in events {
                    instance.arrive(now, EventKind::EventRaised { name, data });
                }
                self.make_runnable(instance);
            }
        }
    }

    pub(super) fn fail(&mut self, instance: &mut Instance, failure: Failure) {
        let event = EventKind::ExecutionFailed {
            failure: failure.clone(),
        };
        instance.arrive(self.now, event);
        self.end(instance, RuntimeStatus::Failed, Err(failure));
    }

    /// Ends the instance and tells its parent.
    pub(super) fn end(
        &mut self,
        instance: &mut Instance,
        status: RuntimeStatus,
        outcome: Result<Payload, Failure>,
    ) {
        self.drop_live(instance);
        self.left_alone.remove(&instance.record);
        self.release_locks(instance);
        instance.just_ended = true;
        let record = instance.record.edit();
        record.status = status;
        record.output = match &outcome {
            Ok(output) => Some(output.clone()),
            Err(failure) => Payload::encode(failure).ok(),
        };
        instance.undelivered.clear();
        instance.input = None;
        self.answer_parent(instance, outcome);
    }

    pub(super) fn answer_parent(&mut self, instance: &Instance, outcome: Result<Payload, Failure>) {
        if let Some(parent) = &instance.state.parent {
            let command = Command::SubOrchestrationEnded {
                execution: parent.execution,
                task: parent.task,
                outcome,
            };
            self.send(parent.instance.clone(), command);
        }
    }

    pub(super) fn drop_live(&mut self, instance: &mut Instance) {
        if instance.live.take().is_some() {
            self.live -= 1;
        }
    }

    /// Writes what has arrived, and after it what the code `did`, into the open delta, with the row
    /// and the answers that depend on it.
    pub(super) fn record(&mut self, instance: &mut Instance, did: Vec<HistoryEvent>) {
        let mut events = std::mem::take(&mut instance.arrived);
        if did.is_empty() && !instance.has_ended() {
            let held = events.iter().map(|event| &event.kind);
            instance.undelivered.extend(held.cloned());
        }
        events.extend(did);
        instance.history = None;
        let mut append = Vec::new();
        if instance.reset_history {
            instance.next_row = 0;
        }
        if !events.is_empty() {
            append.push(HistoryRow {
                sequence: instance.next_row,
                events: engine::encode_history(&events),
            });
            instance.next_row += 1;
        }
        if self.config.replay_check {
            instance.keep(&append);
        }
        let answers = std::mem::take(&mut instance.answers);
        instance.record.set_due(instance.next_due());
        let reset_history = std::mem::take(&mut instance.reset_history);
        let is_row_written = instance.record.take_change() || reset_history;
        if !append.is_empty() || is_row_written {
            if !instance.has_ended() || instance.just_ended {
                instance.record.touch(self.now);
            }
            self.delta.change(if is_row_written {
                InstanceDelta::Upsert {
                    record: Box::new(instance.record.clone()),
                    reset_history,
                    append,
                }
            } else {
                InstanceDelta::Append {
                    id: instance.record.id.clone(),
                    updated: instance.record.updated,
                    append,
                }
            });
            self.changed(&instance.record.id);
            instance.changed_in = self.sequence + 1;
            if std::mem::take(&mut instance.just_ended) {
                let record = Arc::new(instance.record.clone());
                self.effects.push(Effect::Ended(record));
            }
        }
        for (origin, result) in answers {
            self.answer(origin, result);
        }
    }

    pub(super) fn changed(&mut self, id: &InstanceId) {
        self.changed.push_back((self.sequence + 1, id.clone()));
    }
}

/// The start of the sub-orchestration that `action` of `parent` calls for.
pub(super) fn start_of_child(
    parent: &Instance,
    task: TaskId,
    action: &EventKind,
) -> Option<StartOrchestration> {
    let EventKind::SubOrchestrationCreated {
        name,
        version,
        input,
        ..
    } = action
    else {
        return None;
    };
    let link = crate::model::ParentLink {
        instance: parent.record.id.clone(),
        execution: parent.state.lineage,
        task,
    };
    let seed = format!("{}:{}", parent.record.id, task);
    Some(StartOrchestration {
        name: name.clone(),
        version: version.clone(),
        input: input.clone(),
        execution: ExecutionId(uuid::Uuid::new_v5(
            &parent.record.execution.0,
            seed.as_bytes(),
        )),
        parent: Some(link),
        start_at: None,
        tags: crate::model::Tags::new(),
        on_existing: None,
        has_new_id: false,
    })
}
