//! The entities of a partition: what arrives for them, their batches, and what follows from these.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::FutureExt;
use rustc_hash::FxHashMap;
use uuid::Uuid;

use super::cache::Slot;
use super::entity::{EntityInstance, EntityRun, EntityWork, Waiting, WaitingOperation};
use super::{Effect, Origin, Partition, Query, Request};
use crate::context::{EntityEffects, EntityStart};
use crate::engine::{self, EntityBatch, EntityBatchDone, OperationOutcome};
use crate::model::{
    Command, EntityId, EntityOperation, EventKind, ExecutionId, Failure, InstanceDelta, InstanceId,
    Rejection, Reply, RuntimeStatus, StartOrchestration, Tags,
};

/// The entities that are in memory.
#[derive(Debug, Default)]
pub(super) struct Entities {
    slots: FxHashMap<InstanceId, EntitySlot>,
    /// Uses, the oldest first; of one entity only the last counts.
    used: VecDeque<(InstanceId, u64)>,
    stamp: u64,
}

#[derive(Debug)]
enum EntitySlot {
    /// It is being read from storage; these wait for it.
    Loading(Vec<Waiting>),
    Present(Box<EntityInstance>),
}

impl Partition {
    /// Sends an operation to an entity, durably and exactly once.
    pub(super) fn send_to_entity(&mut self, entity: &EntityId, operation: EntityOperation) {
        match entity.instance() {
            Ok(to) => self.send(to, Command::Entity(Box::new(operation))),
            // The contexts have refused those.
            Err(error) => tracing::warn!(%error, "operation dropped"),
        }
    }

    pub(super) fn entity_request(&mut self, request: Request) {
        let Request { to, command, from } = request;
        if let Command::Entity(operation) = &command
            && is_of_client(&from)
            && let Err(failure) = self.known_operation(&to, &operation.name)
        {
            let message = failure.message().to_owned();
            self.answer(from, Err(Rejection::UnknownEntity { message }));
            return;
        }
        let waiting = match Waiting::of(command, from) {
            Ok(waiting) => waiting,
            Err(from) => {
                self.answer(from, Err(Rejection::InstanceNotFound { id: to }));
                return;
            }
        };
        match self.entities.slots.get_mut(&to) {
            Some(EntitySlot::Loading(loading)) => loading.push(waiting),
            Some(EntitySlot::Present(instance)) => {
                instance.waiting.push_back(waiting);
                self.make_entity_runnable(&to);
            }
            None => self.load_entity(to, vec![waiting]),
        }
    }

    /// Whether an entity has an operation: a client that asks for another is told so at once.
    fn known_operation(&self, id: &InstanceId, operation: &str) -> Result<(), Failure> {
        let entity = EntityId::of_instance(id).unwrap_or_else(|| EntityId::new("", ""));
        let entities = self.config.registry.entities();
        entities.check_operation(&entity, operation)
    }

    fn load_entity(&mut self, id: InstanceId, waiting: Vec<Waiting>) {
        self.queries.push(Query::Entity(id.clone()));
        self.entities.slots.insert(id, EntitySlot::Loading(waiting));
    }

    pub(super) fn entity_loaded(
        &mut self,
        id: InstanceId,
        stored: Result<Option<crate::model::EntityRecord>, String>,
    ) {
        let arrived = match self.entities.slots.remove(&id) {
            Some(EntitySlot::Loading(arrived)) => arrived,
            Some(other) => {
                self.entities.slots.insert(id, other);
                return;
            }
            None => Vec::new(),
        };
        let Some(entity) = EntityId::of_instance(&id) else {
            return;
        };
        let mut instance = match stored {
            Ok(Some(record)) => EntityInstance::from_record(record, entity),
            Ok(None) => EntityInstance::new(id.clone(), entity, self.now),
            Err(problem) => {
                self.refuse_operations(arrived, &problem);
                return;
            }
        };
        instance.waiting.extend(arrived);
        self.entities
            .slots
            .insert(id.clone(), EntitySlot::Present(Box::new(instance)));
        self.make_entity_runnable(&id);
    }

    /// What is asked of an entity whose row cannot be read fails; the row is kept.
    fn refuse_operations(&mut self, arrived: Vec<Waiting>, problem: &str) {
        for waiting in arrived {
            let failure = super::cache::corrupt(problem);
            match waiting {
                Waiting::Operation(waiting) => self.outcome(
                    waiting,
                    OperationOutcome {
                        result: Err(failure),
                        effects: EntityEffects::default(),
                    },
                ),
                Waiting::Lock(lock, from) => self.refuse_lock(*lock, failure, from),
                Waiting::Release(_, from) => self.answer(from, Ok(Reply::Done)),
            }
        }
    }

    /// Something of the entity is due, or a new owner takes it up.
    pub(super) fn entity_due(&mut self, id: &InstanceId) {
        match self.entities.slots.get_mut(id) {
            Some(EntitySlot::Present(instance)) => {
                instance.queued_due = None;
                self.make_entity_runnable(id);
            }
            Some(EntitySlot::Loading(_)) => {}
            None => self.load_entity(id.clone(), Vec::new()),
        }
    }

    fn make_entity_runnable(&mut self, id: &InstanceId) {
        if let Some(EntitySlot::Present(instance)) = self.entities.slots.get_mut(id)
            && !instance.runnable
        {
            instance.runnable = true;
            self.runnable.push_back(id.clone());
        }
    }

    /// Carries out what an entity has to do.
    pub(super) fn run_entity(&mut self, id: &InstanceId) {
        let Some(EntitySlot::Present(mut instance)) = self.entities.slots.remove(id) else {
            return;
        };
        instance.runnable = false;
        self.release_entity(&mut instance);
        self.keep_waiting(&mut instance);
        if !instance.is_busy() {
            self.next_batch(&mut instance);
        }
        self.put_back(instance);
    }

    fn put_back(&mut self, mut instance: Box<EntityInstance>) {
        let next = instance.next_time();
        if instance.queued_due != next {
            if let Some(time) = instance.queued_due.take() {
                self.due.remove(time, &instance.id);
            }
            if let Some(time) = next {
                self.due.insert(time, instance.id.clone());
                instance.queued_due = next;
            }
        }
        self.entities.stamp += 1;
        instance.stamp = self.entities.stamp;
        instance.last_used = self.now;
        let id = instance.id.clone();
        self.entities.used.push_back((id.clone(), instance.stamp));
        self.entities
            .slots
            .insert(id, EntitySlot::Present(instance));
    }

    /// Writes what cannot be carried out now into the entity's row, where somebody is to hear that it is
    /// safe or it would have to be read again and again. What came from another partition stays in the
    /// inbox until it is carried out.
    fn keep_waiting(&mut self, instance: &mut EntityInstance) {
        let mut kept = Vec::new();
        let is_busy = instance.is_busy();
        for waiting in &mut instance.waiting {
            let is_ready = waiting.is_ready(self.now, instance.lock.as_ref());
            let Waiting::Operation(waiting) = waiting else {
                continue;
            };
            let is_kept = waiting
                .from
                .as_ref()
                .is_some_and(|from| is_of_client(from) || waiting.operation.at.is_some());
            if is_kept && (is_busy || !is_ready) {
                kept.extend(waiting.from.take());
            }
        }
        if kept.is_empty() {
            return;
        }
        self.record_entity(instance);
        for from in kept {
            self.answer(from, Ok(Reply::Done));
        }
    }

    fn next_batch(&mut self, instance: &mut EntityInstance) {
        let limit = self.config.max_entity_batch;
        let now = self.now;
        let mut taken = Vec::new();
        let mut left = VecDeque::new();
        let mut is_cut = false;
        for waiting in std::mem::take(&mut instance.waiting) {
            let is_next = !is_cut && waiting.is_ready(now, instance.lock.as_ref());
            match waiting {
                Waiting::Operation(waiting) if is_next && taken.len() < limit => {
                    taken.push(waiting);
                }
                Waiting::Lock(lock, from) if is_next && taken.is_empty() => {
                    self.lock_entity(instance, *lock, from);
                    // The others are seen to in another turn.
                    is_cut = true;
                }
                other => {
                    // Nothing goes before a request whose turn comes next.
                    is_cut |= is_next;
                    left.push_back(other);
                }
            }
        }
        instance.waiting = left;
        if !instance.waiting.is_empty() && (is_cut || instance.has_ready(now)) {
            instance.runnable = true;
            self.runnable.push_back(instance.id.clone());
        }
        if taken.is_empty() {
            if is_cut {
                self.record_entity(instance);
            }
            return;
        }
        let registry = Arc::clone(&self.config.registry);
        let registered = match registry.entities().get(&instance.entity) {
            Ok(registered) => registered,
            Err(failure) => {
                self.refuse_batch(instance, taken, &failure);
                return;
            }
        };
        let operations: Vec<_> = taken
            .iter()
            .map(|waiting| waiting.operation.clone())
            .collect();
        let needs_runtime = engine::needs_runtime(registered, &operations);
        let batch = self.batch(instance, operations);
        if needs_runtime {
            instance.under_way = taken;
            self.effects.push(Effect::RunEntity(EntityWork {
                id: instance.id.clone(),
                batch,
            }));
            return;
        }
        if let Some(done) = engine::run_batch(registered, batch).now_or_never() {
            self.batch_done(instance, taken, done);
        }
    }

    fn batch(
        &mut self,
        instance: &mut EntityInstance,
        operations: Vec<EntityOperation>,
    ) -> EntityBatch {
        // No other batch, of any entity and any owner, has the same numbers.
        self.next_message += 1;
        let name = format!("{}:{}", self.config.id, self.next_message);
        EntityBatch {
            entity: instance.entity.clone(),
            saved: instance.saved.clone(),
            state: instance.state.take(),
            operations,
            seed: Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()),
            max_payload_bytes: self.config.max_payload_bytes,
            states: Arc::clone(&self.config.states),
        }
    }

    /// This worker does not have the entity.
    fn refuse_batch(
        &mut self,
        instance: &mut EntityInstance,
        taken: Vec<WaitingOperation>,
        failure: &Failure,
    ) {
        let was_stored = taken.iter().any(|waiting| waiting.from.is_none());
        for waiting in taken {
            self.outcome(
                waiting,
                OperationOutcome {
                    result: Err(failure.clone()),
                    effects: EntityEffects::default(),
                },
            );
        }
        if was_stored {
            self.record_entity(instance);
        }
    }

    pub(super) fn entity_ran(&mut self, id: &InstanceId, done: EntityRun) {
        let Some(EntitySlot::Present(mut instance)) = self.entities.slots.remove(id) else {
            return;
        };
        let taken = std::mem::take(&mut instance.under_way);
        self.batch_done(&mut instance, taken, done.0);
        let has_more = !instance.waiting.is_empty();
        self.put_back(instance);
        if has_more {
            self.make_entity_runnable(id);
        }
    }

    fn batch_done(
        &mut self,
        instance: &mut EntityInstance,
        taken: Vec<WaitingOperation>,
        done: EntityBatchDone,
    ) {
        instance.saved = done.saved;
        instance.state = done.state;
        instance.last_operation = self.now;
        for (waiting, outcome) in taken.into_iter().zip(done.outcomes) {
            self.outcome(waiting, outcome);
        }
        self.record_entity(instance);
    }

    /// Tells whoever waits for an operation how it ended, and does what it asked for.
    fn outcome(&mut self, waiting: WaitingOperation, outcome: OperationOutcome) {
        let WaitingOperation { operation, from } = waiting;
        let OperationOutcome { result, effects } = outcome;
        for (entity, signal) in effects.signals {
            self.send_to_entity(&entity, signal);
        }
        for start in effects.starts {
            self.start_from_entity(start);
        }
        match operation.caller {
            Some(caller) => {
                let command = Command::EntityAnswered {
                    execution: caller.execution,
                    task: caller.task,
                    outcome: result,
                };
                self.send(caller.instance, command);
            }
            None => {
                if let Err(failure) = result {
                    tracing::warn!(operation = %operation.name, %failure, "a signal failed");
                }
            }
        }
        if let Some(from) = from {
            self.answer(from, Ok(Reply::Done));
        }
    }

    fn start_from_entity(&mut self, start: EntityStart) {
        let EntityStart {
            instance,
            name,
            input,
        } = start;
        let id = InstanceId::trusted(instance.as_str());
        let execution = Uuid::new_v5(&Uuid::NAMESPACE_OID, instance.as_bytes());
        let start = StartOrchestration {
            name,
            version: None,
            input,
            execution: ExecutionId(execution),
            parent: None,
            start_at: None,
            tags: Tags::new(),
            on_existing: None,
            has_new_id: false,
        };
        self.send(id, Command::Start(Box::new(start)));
    }

    /// Writes the row of an entity into the open delta.
    pub(super) fn record_entity(&mut self, instance: &mut EntityInstance) {
        let record = instance.record();
        let is_stored = record.is_some();
        let change = match record {
            Some(record) => InstanceDelta::Entity {
                record: Box::new(record),
            },
            None if instance.is_stored => InstanceDelta::Delete {
                id: instance.id.clone(),
            },
            None => return,
        };
        instance.is_stored = is_stored;
        self.delta.change(change);
        instance.changed_in = self.sequence + 1;
    }

    /// An entity has answered a call of an orchestration.
    pub(super) fn entity_answered(&mut self, request: Request) {
        let Command::EntityAnswered {
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
        // One that has failed may be rewound, and then waits for the answer again.
        let is_over = instance.has_ended() && instance.record.status != RuntimeStatus::Failed;
        if instance.state.lineage != execution || is_over {
            self.answer(request.from, Ok(Reply::Done));
            return;
        }
        instance.answers.push((request.from, Ok(Reply::Done)));
        let event = match outcome {
            Ok(result) => EventKind::EntityCompleted { id: task, result },
            Err(failure) => EventKind::EntityFailed { id: task, failure },
        };
        self.arrived(&request.to, event);
    }

    /// Lets go of the entities that have not been used for long, and of those above the limit.
    pub(super) fn evict_idle_entities(&mut self) {
        let idle =
            chrono::Duration::from_std(self.config.idle_timeout).unwrap_or(chrono::Duration::MAX);
        // One that is busy gets another turn, but only one in each call.
        for _ in 0..self.entities.used.len() {
            let Some((id, stamp)) = self.entities.used.front() else {
                return;
            };
            let at_rest = match self.entities.slots.get(id) {
                Some(EntitySlot::Present(instance)) if instance.stamp == *stamp => {
                    let over = self.entities.slots.len() > self.config.max_cached_instances;
                    if !over && self.now - instance.last_used < idle {
                        break;
                    }
                    Some(instance.is_at_rest(self.committed))
                }
                _ => None,
            };
            if let Some((id, stamp)) = self.entities.used.pop_front() {
                match at_rest {
                    Some(true) => {
                        self.forget_entity(&id);
                    }
                    Some(false) => self.entities.used.push_back((id, stamp)),
                    None => {}
                }
            }
        }
        if self.entities.used.len() > 2 * self.entities.slots.len() + 1024 {
            let slots = &self.entities.slots;
            self.entities.used.retain(|(id, stamp)| {
                matches!(
                    slots.get(id),
                    Some(EntitySlot::Present(instance)) if instance.stamp == *stamp
                )
            });
        }
    }

    /// The next time at which something of it is due stays in the due queue: by that it is loaded.
    fn forget_entity(&mut self, id: &InstanceId) {
        self.entities.slots.remove(id);
    }
}

/// Whether a client waits to hear that its request is safe.
fn is_of_client(from: &Origin) -> bool {
    match from {
        Origin::Local(_) => true,
        Origin::Inbox { request, .. } => request.is_some(),
    }
}
