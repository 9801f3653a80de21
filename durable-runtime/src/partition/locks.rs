//! Critical sections over entities: how they are asked for, granted and released.
//!
//! A request goes from one entity to the next, in the order of their ids. Each takes it when it comes to
//! it among what it was asked for before, and is locked from then on. The last one answers the
//! orchestration, which is held responsible for the release only by that answer: one that reaches an
//! execution that does not wait for it (it has ended, was rewound, or has given the request up) is a
//! release at once.

use super::cache::Slot;
use super::entity::EntityInstance;
use super::instance::Instance;
use super::{Origin, Partition, Request};
use crate::engine::{LockStage, OpenLock};
use crate::model::{
    Command, EntityCaller, EntityId, EntityLock, EntityLockAnswer, EntitySection, EventKind,
    Failure, InstanceId, Reply, TaskId,
};

impl Partition {
    /// Asks the entities of an open section, one after the other, to be locked.
    pub(super) fn request_lock(&mut self, instance: &Instance, task: TaskId) {
        if let Some(open) = instance.state.locks.get(&task) {
            self.pass_lock_on(EntityLock {
                section: section(instance, task),
                entities: open.entities.clone(),
                position: 0,
            });
        }
    }

    /// Asks for all sections again that an execution had when it failed, or was waiting for.
    pub(super) fn request_locks_again(&mut self, instance: &Instance) {
        let tasks: Vec<_> = instance.state.locks.keys().copied().collect();
        for task in tasks {
            self.request_lock(instance, task);
        }
    }

    /// Releases a section whose guard was dropped. If it is still being asked for, it is released
    /// when the answer comes.
    pub(super) fn release_lock(&mut self, instance: &mut Instance, task: TaskId) {
        if let Some(OpenLock {
            entities,
            stage: LockStage::Held,
        }) = instance.state.locks.remove(&task)
        {
            self.unlock(&section(instance, task), &entities);
        }
    }

    /// Releases what an execution holds when it ends.
    pub(super) fn release_locks(&mut self, instance: &mut Instance) {
        while let Some((task, _)) = instance.state.locks.first_key_value() {
            self.release_lock(instance, *task);
        }
    }

    /// The entities that an instance has asked for are locked, or cannot be.
    pub(super) fn lock_answered(&mut self, request: Request) {
        let Request { to, command, from } = request;
        let Command::LockAnswered(answer) = command else {
            return;
        };
        let EntityLockAnswer {
            section,
            entities,
            outcome,
        } = *answer;
        let task = section.holder.task;
        let stage = match self.slots.get(&to) {
            Some(Slot::Present(instance))
                if instance.record.execution == section.run && !instance.has_ended() =>
            {
                instance.state.locks.get(&task).map(|open| open.stage)
            }
            _ => None,
        };
        match (stage, outcome) {
            (Some(LockStage::Held), _) | (None, Err(_)) => self.answer(from, Ok(Reply::Done)),
            (None, Ok(())) => {
                self.unlock(&section, &entities);
                self.answer(from, Ok(Reply::Done));
            }
            (Some(_), Ok(())) => self.lock_event(&to, EventKind::LockGranted { id: task }, from),
            (Some(LockStage::Requested), Err(failure)) => {
                self.lock_event(&to, EventKind::LockFailed { id: task, failure }, from);
            }
            (Some(LockStage::Lost), Err(failure)) => self.fail_without_lock(&to, failure, from),
        }
    }

    fn lock_event(&mut self, id: &InstanceId, event: EventKind, from: Origin) {
        if let Some(Slot::Present(instance)) = self.slots.get_mut(id) {
            instance.answers.push((from, Ok(Reply::Done)));
        }
        self.arrived(id, event);
    }

    /// The code of a rewound instance is inside of a section that it cannot have again.
    fn fail_without_lock(&mut self, id: &InstanceId, failure: Failure, from: Origin) {
        let Some(mut instance) = self.take(id) else {
            return;
        };
        instance.answers.push((from, Ok(Reply::Done)));
        self.fail(&mut instance, failure);
        self.record(&mut instance, Vec::new());
        self.slots.insert(id.clone(), Slot::Present(instance));
        self.wake(id);
    }

    /// Locks an entity whose turn it is, and passes the request on. The row is yet to be recorded.
    pub(super) fn lock_entity(
        &mut self,
        instance: &mut EntityInstance,
        mut lock: EntityLock,
        from: Origin,
    ) {
        let known = self.config.registry.entities().get(&instance.entity);
        if let Err(failure) = known.map(drop) {
            self.refuse_lock(lock, failure, from);
            return;
        }
        instance.lock = Some(lock.section.clone());
        // A damaged message may have any position.
        lock.position = lock.position.saturating_add(1);
        if lock.position < lock.entities.len() {
            self.pass_lock_on(lock);
        } else {
            self.answer_lock(lock, Ok(()));
        }
        self.answer(from, Ok(Reply::Done));
    }

    /// An entity cannot be locked: those before it are released.
    pub(super) fn refuse_lock(&mut self, lock: EntityLock, failure: Failure, from: Origin) {
        let locked = lock.entities.get(..lock.position).unwrap_or_default();
        self.unlock(&lock.section, locked);
        self.answer_lock(lock, Err(failure));
        self.answer(from, Ok(Reply::Done));
    }

    fn pass_lock_on(&mut self, lock: EntityLock) {
        let next = lock.entities.get(lock.position);
        // The context has refused those that have no instance.
        if let Some(Ok(to)) = next.map(EntityId::instance) {
            self.send(to, Command::LockEntity(Box::new(lock)));
        }
    }

    fn answer_lock(&mut self, lock: EntityLock, outcome: Result<(), Failure>) {
        let to = lock.section.holder.instance.clone();
        let answer = EntityLockAnswer {
            section: lock.section,
            entities: lock.entities,
            outcome,
        };
        self.send(to, Command::LockAnswered(Box::new(answer)));
    }

    fn unlock(&mut self, section: &EntitySection, entities: &[EntityId]) {
        for to in entities.iter().filter_map(|entity| entity.instance().ok()) {
            self.send(to, Command::UnlockEntity(Box::new(section.clone())));
        }
    }

    /// Carries out the releases among what has arrived for an entity, ahead of what else waits.
    pub(super) fn release_entity(&mut self, instance: &mut EntityInstance) {
        let released = instance.take_releases();
        let mut is_released = false;
        for (section, from) in released {
            is_released |= instance.lock.take_if(|lock| *lock == section).is_some();
            self.answer(from, Ok(Reply::Done));
        }
        if is_released {
            self.record_entity(instance);
        }
    }
}

fn section(instance: &Instance, task: TaskId) -> EntitySection {
    EntitySection {
        holder: EntityCaller {
            instance: instance.record.id.clone(),
            execution: instance.state.lineage,
            task,
        },
        run: instance.record.execution,
    }
}
