//! Rewinding failed instances.

use rustc_hash::FxHashSet;

use super::cache::Slot;
use super::check::KeptHistory;
use super::commands::not_running;
use super::episode::start_of_child;
use super::instance::Instance;
use super::{Job, Partition, Request};
use crate::engine::{self, ExecutionState};
use crate::model::{
    Command, EventKind, Failure, HistoryEvent, HistoryRow, InstanceDelta, InstanceId, Rejection,
    Reply, RuntimeStatus, StartOrchestration, TaskId,
};

impl Partition {
    /// Rewinds an instance because its parent is rewound: it answers to the parent in any case.
    pub(super) fn rewind_child(&mut self, request: Request) {
        let Command::Rewind {
            start: Some(start), ..
        } = &request.command
        else {
            return;
        };
        let start = StartOrchestration::clone(start);
        let Some(Slot::Present(instance)) = self.slots.get(&request.to) else {
            let command = Command::Start(Box::new(start));
            self.command(Request { command, ..request });
            return;
        };
        let is_child = instance.state.parent == start.parent;
        let outcome = match instance.record.status {
            RuntimeStatus::Failed if is_child => {
                self.rewind(request);
                return;
            }
            // Not the child of the call: it was refused because of this one, and is again.
            _ if !is_child => {
                let command = Command::Start(Box::new(start));
                self.command(Request { command, ..request });
                return;
            }
            RuntimeStatus::Completed => instance.record.output.clone().map(Ok),
            RuntimeStatus::Terminated => Some(Err(Failure::new(
                Failure::TERMINATED,
                "the orchestration was terminated",
            ))),
            _ => None,
        };
        if let (Some(outcome), Some(parent)) = (outcome, start.parent) {
            let command = Command::SubOrchestrationEnded {
                execution: parent.execution,
                task: parent.task,
                outcome,
            };
            self.send(parent.instance, command);
        }
        self.answer(request.from, Ok(Reply::Done));
    }

    pub(super) fn rewind(&mut self, request: Request) {
        let id = request.to.clone();
        let Some(mut instance) = self.take(&id) else {
            return;
        };
        if instance.record.status != RuntimeStatus::Failed {
            let rejection = not_running(&instance, "rewinding", "has failed");
            self.answer(request.from, Err(rejection));
        } else if instance.history.is_none() {
            self.after_commit(&mut instance, &id, Job::Request(request));
            if instance.after_commit.is_empty() {
                return;
            }
        } else {
            self.rewind_loaded(&mut instance, request);
        }
        self.slots.insert(id, Slot::Present(instance));
    }

    /// Does `job` when the instance has been read back from storage, which is when all that is
    /// known here is durable.
    fn after_commit(&mut self, instance: &mut Instance, id: &InstanceId, job: Job) {
        if instance.is_at_rest(self.committed) {
            self.load(id.clone(), vec![job]);
        } else {
            instance.after_commit.push(job);
        }
    }

    fn rewind_loaded(&mut self, instance: &mut Instance, request: Request) {
        let Command::Rewind { reason, .. } = request.command else {
            return;
        };
        let history = instance.history.take().unwrap_or_default();
        if self.begin(instance).is_none() {
            let (name, version) = (&instance.record.name, &instance.record.version);
            let found = self.config.registry.orchestrator(name, version.as_deref());
            let message = match found {
                Err(no_code) => no_code.into_failure().message().to_owned(),
                Ok(_) => "what is stored of the instance cannot be read".to_owned(),
            };
            let rejection = Rejection::UnknownOrchestrator { message };
            self.answer(request.from, Err(rejection));
            return;
        }
        let execution = instance.record.execution.successor();
        let marker = HistoryEvent::new(self.now, EventKind::ExecutionRewound { execution, reason });
        let rewound = engine::rewind(&history, marker, |candidate| {
            self.begin(instance)
                .is_some_and(|mut live| engine::replay(&mut live, candidate).is_ok())
        });
        let Ok(state) = ExecutionState::from_history(&rewound.history) else {
            return;
        };
        instance.state = state;
        let record = instance.record.edit();
        record.execution = execution;
        record.status = RuntimeStatus::Running;
        record.output = None;
        self.rewrite(instance, &rewound.history);
        if self.config.replay_check {
            instance.kept = KeptHistory::loaded(rewound.history.clone());
        }
        instance.answers.push((request.from, Ok(Reply::Done)));
        self.restart_children(instance, &rewound.history, &rewound.again);
        instance.history = Some(rewound.history);
        self.replay(instance);
        if !instance.has_ended() {
            self.request_locks_again(instance);
        }
        self.dispatch_open(instance);
        self.make_runnable(instance);
        self.record(instance, Vec::new());
    }

    /// Replaces the whole history. The input stays in a row of its own, the first.
    fn rewrite(&mut self, instance: &mut Instance, history: &[HistoryEvent]) {
        let (first, rest) = history.split_at(history.len().min(1));
        let append = [first, rest]
            .into_iter()
            .zip(0..)
            .map(|(events, sequence)| HistoryRow {
                sequence,
                events: engine::encode_history(events),
            })
            .collect();
        instance.next_row = 2;
        instance.record.touch(self.now);
        instance.record.take_change();
        self.delta.change(InstanceDelta::Upsert {
            record: Box::new(instance.record.clone()),
            reset_history: true,
            append,
        });
        self.changed(&instance.record.id);
        instance.changed_in = self.sequence + 1;
    }

    fn restart_children(
        &mut self,
        instance: &Instance,
        history: &[HistoryEvent],
        again: &FxHashSet<TaskId>,
    ) {
        for event in history {
            if let EventKind::SubOrchestrationCreated {
                id,
                instance: child,
                ..
            } = &event.kind
                && again.contains(id)
                && instance.state.children.contains_key(id)
            {
                let start = start_of_child(instance, *id, &event.kind).map(Box::new);
                let reason = format!("its parent {} was rewound", instance.record.id);
                self.send(child.clone(), Command::Rewind { reason, start });
            }
        }
    }
}
