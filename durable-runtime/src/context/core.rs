//! What an orchestrator's durable tasks and the engine share: results that have arrived, buffered
//! events, and what the code has done in the current episode.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use chrono::{DateTime, Utc};
use rustc_hash::FxHashMap;

use super::events::{Delivered, EventQueues};
use super::patches::Patches;
use super::poll::{self, Waiter};
use super::section::Section;
use super::time::to_stored_precision;
use crate::model::{EntityId, EventKind, ExecutionId, Failure, InstanceId, Payload, TaskId};

/// What an execution is, for the user's code to ask.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) instance: InstanceId,
    pub(crate) execution: ExecutionId,
    pub(crate) name: String,
    pub(crate) version: Option<String>,
    pub(crate) parent: Option<InstanceId>,
    /// The longest payload that a call may carry, in bytes.
    pub(crate) max_payload_bytes: usize,
}

/// Shared by the context, the tasks made from it and the engine, all on one thread.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) identity: Identity,
    now: Cell<DateTime<Utc>>,
    replaying: Cell<bool>,
    /// Set while the future is dropped: what its tasks do then is no action of the code.
    closing: Cell<bool>,
    /// Set when a task was given its outcome while the code ran, so that it must be polled again.
    poll_again: Cell<bool>,
    next_task: Cell<u64>,
    next_guid: Cell<u64>,
    state: RefCell<CoreState>,
}

#[derive(Debug, Default)]
struct CoreState {
    slots: FxHashMap<TaskId, Slot>,
    events: EventQueues,
    actions: Vec<EventKind>,
    cancelled_timers: Vec<TaskId>,
    custom_status: Option<Payload>,
    continue_as_new: Option<ContinueAsNewRequest>,
    section: Option<Section>,
    patches: Patches,
    /// The first activity that the code called as a function.
    direct_call: Option<&'static str>,
}

impl CoreState {
    /// Gives `event` to the first of those who have a later one of its name and have not seen it,
    /// that one to the next, and so on. Returns the one that is left over.
    fn move_up(&mut self, mut event: Delivered) -> Delivered {
        let given = self
            .slots
            .values_mut()
            .filter_map(|slot| match slot.outcome.as_deref_mut() {
                Some(Outcome::Event(given)) if given.follows(&event) => Some(given),
                _ => None,
            });
        let mut given: Vec<_> = given.collect();
        given.sort_unstable_by_key(|given| given.order());
        for later in given {
            std::mem::swap(later, &mut event);
        }
        event
    }
}

/// A task that has been scheduled and not been dropped.
#[derive(Debug, Default)]
struct Slot {
    /// In a box, because most of the time there is none.
    outcome: Option<Box<Outcome>>,
    waiter: Option<Waiter>,
}

/// How a task ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    TimerFired,
    /// All entities of a critical section are locked.
    Locked,
    Returned(Result<Payload, Failure>),
    Event(Delivered),
}

/// What `continue_as_new` asked for.
#[derive(Debug)]
pub(crate) struct ContinueAsNewRequest {
    pub(crate) input: Payload,
    pub(crate) version: Option<String>,
    pub(crate) discard_events: bool,
}

/// What the code did in one episode.
#[derive(Debug, Default)]
pub(crate) struct EpisodeActions {
    /// Events of the kinds that [`EventKind::is_action`] tells, in order.
    pub(crate) actions: Vec<EventKind>,
    pub(crate) cancelled_timers: Vec<TaskId>,
    pub(crate) custom_status: Option<Payload>,
}

impl Core {
    pub(crate) fn new(identity: Identity, now: DateTime<Utc>) -> Rc<Self> {
        Rc::new(Self {
            identity,
            now: Cell::new(now),
            replaying: Cell::new(false),
            closing: Cell::new(false),
            poll_again: Cell::new(false),
            next_task: Cell::new(0),
            next_guid: Cell::new(0),
            state: RefCell::default(),
        })
    }

    // For the engine.

    /// Sets the orchestration's clock, which never goes back, for the next episode.
    pub(crate) fn begin_episode(&self, now: DateTime<Utc>, replaying: bool) {
        self.now.set(self.now.get().max(now));
        self.replaying.set(replaying);
    }

    /// The next episode is replayed, and did `actions` when it ran.
    pub(crate) fn expect<'a>(&self, actions: impl Iterator<Item = &'a EventKind>) {
        self.state.borrow_mut().patches.begin_replay(actions);
    }

    /// Whether the code may repeat `action` or not, as it likes.
    pub(crate) fn is_optional(&self, action: &EventKind) -> bool {
        self.state.borrow().patches.is_optional(action)
    }

    /// Takes what the code has done since the last call.
    pub(crate) fn take_actions(&self) -> EpisodeActions {
        let mut state = self.state.borrow_mut();
        EpisodeActions {
            actions: std::mem::take(&mut state.actions),
            cancelled_timers: std::mem::take(&mut state.cancelled_timers),
            custom_status: state.custom_status.take(),
        }
    }

    pub(crate) fn take_continue_as_new(&self) -> Option<ContinueAsNewRequest> {
        self.state.borrow_mut().continue_as_new.take()
    }

    pub(crate) fn take_direct_call(&self) -> Option<&'static str> {
        self.state.borrow_mut().direct_call.take()
    }

    /// The events that arrived and were not consumed, in order.
    pub(crate) fn unprocessed_events(&self) -> Vec<(String, Payload)> {
        let mut state = self.state.borrow_mut();
        let CoreState { slots, events, .. } = &mut *state;
        let delivered = slots.values_mut().filter_map(|slot| {
            match slot.outcome.take().map(|outcome| *outcome) {
                Some(Outcome::Event(event)) => Some(event),
                _ => None,
            }
        });
        events.drain(delivered)
    }

    /// Whether a task was given its outcome since the last call, while the code ran.
    pub(crate) fn take_poll_again(&self) -> bool {
        self.poll_again.take()
    }

    /// From now on the dropping of tasks has no effect.
    pub(crate) fn close(&self) {
        self.closing.set(true);
    }

    /// Hands a task its outcome. One that the code has dropped ignores it.
    pub(crate) fn complete(&self, id: TaskId, outcome: Outcome) {
        let waiter = {
            let mut state = self.state.borrow_mut();
            if let Some(section) = &mut state.section {
                section.answered(id);
            }
            let Some(slot) = state.slots.get_mut(&id) else {
                return;
            };
            slot.outcome = Some(Box::new(outcome));
            slot.waiter.take()
        };
        if let Some(waiter) = waiter {
            waiter.notify();
        }
    }

    /// Delivers an external event to the first that waits for it, or keeps it.
    pub(crate) fn raise_event(&self, name: &str, data: Payload) {
        let event = self.state.borrow_mut().events.arrive(name, data);
        self.deliver(event);
    }

    fn deliver(&self, event: Delivered) {
        let waiting = {
            let CoreState { slots, events, .. } = &mut *self.state.borrow_mut();
            events.next_waiter(event.key(), |id| slots.contains_key(&id))
        };
        match waiting {
            Some(id) => self.complete(id, Outcome::Event(event)),
            None => self.state.borrow_mut().events.keep(event),
        }
    }

    // For the context and its tasks.

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.now.get()
    }

    pub(crate) fn is_replaying(&self) -> bool {
        self.replaying.get()
    }

    pub(crate) fn next_task_id(&self) -> TaskId {
        let id = self.next_task.get();
        self.next_task.set(id + 1);
        TaskId(id)
    }

    pub(crate) fn next_guid_number(&self) -> u64 {
        let number = self.next_guid.get();
        self.next_guid.set(number + 1);
        number
    }

    /// Records an action that is to be answered under `id`.
    pub(crate) fn schedule(&self, id: TaskId, action: EventKind) {
        let mut state = self.state.borrow_mut();
        state.actions.push(action);
        state.slots.insert(id, Slot::default());
    }

    pub(crate) fn schedule_timer(&self, id: TaskId, fire_at: DateTime<Utc>) {
        let fire_at = to_stored_precision(fire_at);
        self.schedule(id, EventKind::TimerCreated { id, fire_at });
    }

    /// Records an action that has no answer.
    pub(crate) fn emit(&self, action: EventKind) {
        self.state.borrow_mut().actions.push(action);
    }

    /// Begins to wait for an event: takes the oldest that is kept, or joins the queue.
    pub(crate) fn await_event(&self, id: TaskId, name: &str) {
        let mut state = self.state.borrow_mut();
        let kept = state.events.take_kept(name);
        if kept.is_none() {
            state.events.wait(name, id);
        }
        let slot = Slot {
            outcome: kept.map(Outcome::Event).map(Box::new),
            waiter: None,
        };
        state.slots.insert(id, slot);
    }

    /// Takes the outcome of a task; if there is none yet, remembers who polled.
    pub(crate) fn poll_outcome(&self, id: TaskId) -> Option<Outcome> {
        let mut state = self.state.borrow_mut();
        let slot = state.slots.get_mut(&id)?;
        if let Some(outcome) = slot.outcome.take() {
            state.slots.remove(&id);
            Some(*outcome)
        } else {
            slot.waiter = poll::current_waiter();
            poll::set_blocked();
            None
        }
    }

    /// The code has dropped a task that it had scheduled.
    pub(crate) fn abandon(&self, id: TaskId) {
        if self.closing.get() {
            return;
        }
        let slot = self.state.borrow_mut().slots.remove(&id);
        if let Some(Outcome::Event(event)) =
            slot.and_then(|slot| slot.outcome).map(|outcome| *outcome)
        {
            // It was never seen: the next that waits gets it, ahead of later ones.
            let last = self.state.borrow_mut().move_up(event);
            self.deliver(last);
            self.poll_again.set(true);
        }
    }

    pub(crate) fn cancel_timer(&self, id: TaskId) {
        if self.closing.get() {
            return;
        }
        let mut state = self.state.borrow_mut();
        if state.slots.remove(&id).is_some() {
            state.cancelled_timers.push(id);
        }
    }

    /// Asks for a critical section over `entities`, which are in order.
    pub(crate) fn request_lock(
        &self,
        id: TaskId,
        entities: &Rc<[EntityId]>,
    ) -> Result<(), Failure> {
        if let Some(section) = &self.state.borrow().section {
            return Err(section.nested());
        }
        self.schedule(
            id,
            EventKind::LockRequested {
                id,
                entities: entities.to_vec(),
            },
        );
        let section = Section::requested(id, Rc::clone(entities));
        self.state.borrow_mut().section = Some(section);
        Ok(())
    }

    /// From now on the rules of the section that `id` asked for count.
    pub(crate) fn enter_section(&self, id: TaskId) {
        let mut state = self.state.borrow_mut();
        if let Some(section) = state.section.as_mut().filter(|section| section.id == id) {
            section.enter();
        }
    }

    /// The section that `id` asked for has ended, or does not come.
    pub(crate) fn forget_section(&self, id: TaskId) {
        self.state
            .borrow_mut()
            .section
            .take_if(|section| section.id == id);
    }

    /// The code has dropped the guard of a section, or the request for it.
    pub(crate) fn release_lock(&self, id: TaskId) {
        if self.closing.get() {
            return;
        }
        self.forget_section(id);
        let mut state = self.state.borrow_mut();
        state.slots.remove(&id);
        state.actions.push(EventKind::LockReleased { id });
    }

    /// Notes the call `id` of `entity`, if a critical section allows it.
    pub(crate) fn note_entity_call(&self, entity: &EntityId, id: TaskId) -> Result<(), Failure> {
        match &mut self.state.borrow_mut().section {
            Some(section) => section.call(entity, id),
            None => Ok(()),
        }
    }

    /// Whether a critical section allows what `check` asks it for.
    pub(super) fn check_section(
        &self,
        check: impl FnOnce(&Section) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.state.borrow().section.as_ref().map_or(Ok(()), check)
    }

    /// Whether the code is to do what is new with `patch`.
    pub(crate) fn is_patched(&self, patch: &str) -> bool {
        let state = &mut *self.state.borrow_mut();
        let (answer, mark) = state.patches.ask(patch, self.replaying.get());
        state.actions.extend(mark);
        answer
    }

    /// The code does what is new with `patch` in any case.
    pub(crate) fn deprecate_patch(&self, patch: &str) {
        let state = &mut *self.state.borrow_mut();
        let mark = state.patches.deprecate(patch, self.replaying.get());
        state.actions.extend(mark);
    }

    pub(crate) fn set_custom_status(&self, status: Payload) {
        self.state.borrow_mut().custom_status = Some(status);
    }

    pub(crate) fn request_continue_as_new(&self, input: Payload) {
        self.state.borrow_mut().continue_as_new = Some(ContinueAsNewRequest {
            input,
            version: None,
            discard_events: false,
        });
    }

    /// Changes the request made last; `false` if there is none.
    pub(crate) fn change_continue_as_new(
        &self,
        change: impl FnOnce(&mut ContinueAsNewRequest),
    ) -> bool {
        let mut state = self.state.borrow_mut();
        state.continue_as_new.as_mut().map(change).is_some()
    }

    /// Ends the orchestration because its code has called the function of `activity` as such. Code
    /// that catches the unwinding does not get away with it: the engine asks afterwards.
    pub(crate) fn refuse_direct_call(&self, activity: &'static str) -> ! {
        self.state.borrow_mut().direct_call.get_or_insert(activity);
        let message = format!("the activity `{activity}` was called as a function");
        Self::abort(Failure::new(Failure::NON_DETERMINISTIC, message))
    }

    /// Ends the orchestration with `failure` from a place that cannot return an error. The engine
    /// catches the unwinding; no panic message is printed.
    pub(crate) fn abort(failure: Failure) -> ! {
        std::panic::resume_unwind(Box::new(failure))
    }
}
