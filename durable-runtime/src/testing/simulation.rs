//! The host of a test: real partitions over a real hub in memory, run one step after the other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::desk::{Arrived, Desk};
use super::dice::Dice;
use super::runner::Runner;
use super::triggers::{MAX_RUNS, Triggers};
use crate::engine;
use crate::model::{Delta, InboxMessage, PartitionId, TaskHubName, WorkerId};
use crate::partition::{Confirmation, Effect, Input, Output, Partition, PartitionConfig, Query};
use crate::storage::{
    HubOptions, HubStorage, InstanceFilter, InstancePageRequest, Memory, StorageError,
    StorageProvider,
};

/// After which commits the host crashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Crashes {
    #[default]
    Never,
    /// Counted from 1.
    After(u64),
    Always,
}

/// What runs in a test.
#[derive(Debug)]
pub(super) struct Simulation {
    pub(super) desk: Arc<Desk>,
    pub(super) memory: Memory,
    pub(super) hub: TaskHubName,
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) template: PartitionConfig,
    pub(super) runner: Runner,
    pub(super) triggers: Triggers,
    pub(super) crashes: Crashes,
    /// Decides orders; without, everything goes in the order in which it arrives.
    pub(super) dice: Option<Dice>,
    pub(super) partitions: BTreeMap<PartitionId, Partition>,
    /// Messages between partitions, which are in storage.
    pub(super) mail: VecDeque<InboxMessage>,
    pub(super) commits: u64,
    pub(super) rounds: Rounds,
}

/// How much has happened at one time.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    at: DateTime<Utc>,
    count: u64,
}

/// With so many rounds at one time it is taken that there will never be another time.
const MAX_ROUNDS: u64 = 50_000;

/// What comes next.
#[derive(Debug)]
enum Next {
    Arrived(Arrived),
    Message(InboxMessage),
    /// Something of the partition is due.
    Time(PartitionId),
}

/// So much before the time at which something is due stands the clock of a partition that is reached by
/// something else first.
const JUST_BEFORE: TimeDelta = TimeDelta::microseconds(1);

impl Simulation {
    /// Acquires all partitions, as a host that starts.
    pub(super) fn take_up(&mut self, now: DateTime<Utc>) -> Result<(), StorageError> {
        let worker = WorkerId(format!("test-host-{}", self.runner.life()));
        for lease in self.storage.acquire(&worker, Duration::MAX, usize::MAX)? {
            let mut config = self.template.clone();
            config.id = lease.partition;
            config.epoch = lease.epoch;
            config.clean = lease.clean;
            let due = self.storage.due_instances(lease.partition)?;
            let inbox = self.storage.inbox(&[lease.partition])?;
            let partition = Partition::new(config, now, due, inbox);
            self.partitions.insert(lease.partition, partition);
        }
        Ok(())
    }

    /// All that was in memory is lost; what a client has asked for and the host has not heard yet is not.
    pub(super) fn crash(&mut self, now: DateTime<Utc>) -> Result<(), StorageError> {
        self.partitions.clear();
        self.mail.clear();
        self.runner.crash();
        // Whoever had the hub open is known to be gone when that is dropped.
        let again = self.memory.open_hub(&self.hub, &HubOptions::default())?;
        self.storage = again;
        self.desk.watchers.recheck_all();
        self.take_up(now)
    }

    fn crash_triggers(&mut self) {
        self.triggers.crash();
        if let Err(error) = self.triggers.start(self.runner.life() + 1) {
            // They were all fine when the host was built.
            tracing::error!(%error, "client functions of a test are not run any more");
        }
    }

    /// Carries out all that can be at this time. Gives when the next thing is due.
    pub(super) fn turn(
        &mut self,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StorageError> {
        if let Some(done) = self.desk.take_crash() {
            self.crash_triggers();
            self.crash(now)?;
            let _ = done.send(());
        }
        let mut arrived = self.desk.take_arrived();
        self.settle(now)?;
        while let Some(next) = self.choose(&mut arrived, now) {
            self.take(next, now);
            // What comes at one time may be seen together or one after the other.
            let more = self.dice.as_mut().is_none_or(Dice::coin);
            if !(more && self.has_more(&arrived, now)) {
                self.settle(now)?;
            }
        }
        Ok(self.next_due())
    }

    pub(super) fn next_due(&self) -> Option<DateTime<Utc>> {
        let partitions = self.partitions.values();
        partitions.filter_map(Partition::next_due).min()
    }

    fn has_more(&self, arrived: &VecDeque<Arrived>, now: DateTime<Utc>) -> bool {
        !arrived.is_empty() || !self.mail.is_empty() || self.due(now).next().is_some()
    }

    /// The partitions in which something is due.
    fn due(&self, now: DateTime<Utc>) -> impl Iterator<Item = PartitionId> {
        let partitions = self.partitions.iter();
        let due = partitions
            .filter(move |(_, partition)| partition.next_due().is_some_and(|due| due <= now));
        due.map(|(id, _)| *id)
    }

    fn choose(&mut self, arrived: &mut VecDeque<Arrived>, now: DateTime<Utc>) -> Option<Next> {
        let due: Vec<_> = self.due(now).collect();
        // Messages of one pair stay in order, so only the first of each can come.
        let mut pairs = Vec::new();
        let mut heads = Vec::new();
        for (place, message) in self.mail.iter().enumerate() {
            let pair = (message.id.origin, message.partition);
            if !pairs.contains(&pair) {
                pairs.push(pair);
                heads.push(place);
            }
        }
        let count = due.len() + heads.len() + arrived.len();
        if count == 0 {
            return None;
        }
        let place = self.dice.as_mut().map_or(0, |dice| dice.place(count));
        if let Some(id) = due.get(place) {
            return Some(Next::Time(*id));
        }
        let place = place - due.len();
        if let Some(head) = heads.get(place) {
            return self.mail.remove(*head).map(Next::Message);
        }
        arrived.remove(place - heads.len()).map(Next::Arrived)
    }

    fn take(&mut self, next: Next, now: DateTime<Utc>) {
        let (id, input) = match next {
            Next::Time(id) => {
                if let Some(partition) = self.partitions.get_mut(&id) {
                    partition.advance(now);
                }
                return;
            }
            Next::Message(message) => (message.partition, Input::Message(message)),
            Next::Arrived(arrived) => {
                if arrived.life.is_some_and(|life| life != self.runner.life()) {
                    return;
                }
                if let Input::ActivityEnded { lineage, task, .. } = &arrived.input {
                    self.runner.ended((*lineage, *task));
                }
                (arrived.partition, arrived.input)
            }
        };
        if let Some(partition) = self.partitions.get_mut(&id) {
            // What is due and was not chosen has not come yet, so for the partition it is earlier.
            let due = partition.next_due().filter(|due| *due <= now);
            partition.set_time(due.map_or(now, |due| due - JUST_BEFORE));
            partition.handle(input);
        }
    }

    /// Runs everything that has something to do, and commits, until nothing has.
    fn settle(&mut self, now: DateTime<Utc>) -> Result<(), StorageError> {
        if self.rounds.at != now {
            self.rounds = Rounds { at: now, count: 0 };
        }
        while !self.is_restless() {
            self.rounds.count += 1;
            let mut idle = true;
            for partition in self.partitions.values_mut() {
                loop {
                    let queries = partition.take_queries();
                    if queries.is_empty() {
                        break;
                    }
                    for query in queries {
                        let answer = look_up(&*self.storage, query)?;
                        partition.handle(answer);
                    }
                }
                // No more than one turn each, for some never come to rest.
                for _ in 0..partition.waiting_for_a_turn() {
                    partition.step();
                    idle = false;
                }
            }
            idle &= !self.commit(now)?;
            if idle {
                break;
            }
        }
        Ok(())
    }

    /// Whether time stands still because something never waits for it.
    pub(super) fn is_restless(&self) -> bool {
        self.rounds.count >= MAX_ROUNDS
    }

    /// Commits what the partitions have to hand over and releases the effects; `false` if there is nothing.
    fn commit(&mut self, now: DateTime<Utc>) -> Result<bool, StorageError> {
        let outputs: Vec<_> = self
            .partitions
            .iter_mut()
            .filter_map(|(id, partition)| Some((*id, partition.take_output()?)))
            .collect();
        if outputs.is_empty() {
            return Ok(false);
        }
        let deltas: Vec<Delta> = outputs
            .iter()
            .map(|(_, output)| output.delta.clone())
            .filter(|delta| !delta.is_empty())
            .collect();
        let mut crashes = false;
        if !deltas.is_empty() {
            self.storage.commit(&deltas)?;
            self.commits += 1;
            crashes = match self.crashes {
                Crashes::Never => false,
                Crashes::After(number) => number == self.commits,
                // One that only notes that an activity is tried again is no progress: a host that
                // crashed after each of those would never come to the activity.
                Crashes::Always => !outputs.iter().any(|(_, output)| confirms(output)),
            };
        }
        for (id, output) in outputs {
            self.release(id, output, crashes);
        }
        if crashes {
            // After every commit none of them would ever come to its end.
            if self.crashes != Crashes::Always {
                self.crash_triggers();
            }
            self.crash(now)?;
        }
        Ok(true)
    }

    /// Does what waited for the commit. In a crash only what clients hear, for they are other processes.
    fn release(&mut self, id: PartitionId, output: Output, crashes: bool) {
        if let Some(partition) = self.partitions.get_mut(&id) {
            partition.handle(Input::Committed {
                sequence: output.sequence,
            });
        }
        for message in output.delta.outgoing {
            if message.to != id {
                self.mail.push_back(InboxMessage {
                    partition: message.to,
                    id: message.id,
                    envelope: message.envelope,
                });
            }
        }
        for effect in output.effects {
            match effect {
                Effect::Reply(responder, result) => (responder.0)(result),
                Effect::Ended(record) => self.desk.watchers.ended(&record),
                _ if crashes => {}
                Effect::RunActivity(work) => self.runner.run_activity(work),
                Effect::RunEntity(work) => self.runner.run_entity(id, work),
                Effect::CancelActivities(instance) => self.runner.cancel(&instance),
                Effect::SkipActivity { lineage, task } => self.runner.ended((lineage, task)),
            }
        }
    }

    /// Why nothing happens any more.
    pub(super) fn standstill(&self, limit: Duration) -> String {
        let request = InstancePageRequest {
            filter: InstanceFilter::default(),
            after: None,
            size: 1_000,
            with_input: false,
        };
        let listed = self.storage.list(&request).unwrap_or_default();
        let waiting = listed
            .into_iter()
            .filter(|found| !found.record.status.has_ended());
        let lines: Vec<_> = waiting
            .map(|found| {
                let record = found.record;
                let last = self.last_event(&record.id);
                format!(
                    "\n  {} ({}, {}): last in its history is {last}",
                    record.id, record.name, record.status
                )
            })
            .collect();
        let why = if self.is_restless() {
            "virtual time does not go on in the test host, for something runs on and on without a timer"
                .to_owned()
        } else {
            let days = limit.as_secs() / 86_400;
            format!(
                "nothing will happen any more in the test host, within {days} days of virtual time; what \
                 has not ended may wait for an event that nobody raises"
            )
        };
        let worn_out = if self.triggers.are_worn_out() {
            format!(
                "; client functions were run {MAX_RUNS} times and are not triggered any more (set                  `time_limit(..)` to give up earlier)"
            )
        } else {
            String::new()
        };
        format!("{why}{worn_out}. Not ended:{}", lines.concat())
    }

    fn last_event(&self, id: &crate::model::InstanceId) -> String {
        let loaded = self.storage.load(std::slice::from_ref(id));
        let stored = loaded.ok().and_then(|found| found.into_iter().next()?);
        let events = stored.and_then(|stored| engine::decode_history(&stored.history).ok());
        let last = events.and_then(|events| events.last().map(super::history::describe));
        last.unwrap_or_else(|| "nothing".to_owned())
    }
}

fn confirms(output: &Output) -> bool {
    output.effects.iter().any(
        |effect| matches!(effect, Effect::RunActivity(work) if work.confirmation == Confirmation::Given),
    )
}

fn look_up(storage: &dyn HubStorage, query: Query) -> Result<Input, StorageError> {
    Ok(match query {
        Query::Instance(id) => {
            let found = storage.load(std::slice::from_ref(&id))?;
            let stored = Ok(found.into_iter().next().flatten());
            Input::Loaded { id, stored }
        }
        Query::Entity(id) => {
            let found = storage.entities(std::slice::from_ref(&id))?;
            let stored = Ok(found.into_iter().next().flatten());
            Input::EntityLoaded { id, stored }
        }
        Query::Children(id) => {
            let children = storage.children(&id)?;
            Input::Children { id, children }
        }
    })
}
