//! Queues and schedules.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};

use crate::clock::Clock;
use crate::model::{Payload, QueueName, WorkerId};
use crate::storage::{
    QueueMessage, Schedule, ScheduleClaim, ScheduleTurn, Settled, Settlement, TakeMessages,
    TakenMessages,
};

/// What a hub knows of its triggers.
#[derive(Debug, Default)]
pub(super) struct Triggers {
    /// By number.
    messages: BTreeMap<u64, StoredMessage>,
    pushed: u64,
    schedules: BTreeMap<String, StoredSchedule>,
    pub(super) clock: Clock,
}

#[derive(Debug)]
struct StoredMessage {
    queue: QueueName,
    message: QueueMessage,
    owner: Option<WorkerId>,
    /// `None` is never.
    visible: Option<Instant>,
}

#[derive(Debug)]
struct StoredSchedule {
    cron: String,
    schedule: Schedule,
    claim: Option<Claim>,
}

#[derive(Debug)]
struct Claim {
    worker: WorkerId,
    due: DateTime<Utc>,
    /// `None` is never.
    expires: Option<Instant>,
}

impl StoredMessage {
    fn is_visible(&self, now: Instant) -> bool {
        self.visible.is_some_and(|visible| visible <= now)
    }

    fn visible_in(&self, now: Instant) -> Duration {
        rest(self.visible, now)
    }

    fn free(&mut self, visible: Option<Instant>) {
        self.owner = None;
        self.visible = visible;
    }
}

fn rest(until: Option<Instant>, now: Instant) -> Duration {
    until.map_or(Duration::MAX, |until| until.saturating_duration_since(now))
}

impl Triggers {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            clock,
            ..Self::default()
        }
    }

    pub(super) fn push(&mut self, queue: &QueueName, messages: &[Payload]) {
        for body in messages {
            self.pushed += 1;
            let message = QueueMessage {
                number: self.pushed,
                body: body.clone(),
                enqueued: self.clock.now(),
                attempt: 0,
                error: None,
            };
            let stored = StoredMessage {
                queue: queue.clone(),
                message,
                owner: None,
                visible: Some(self.clock.instant()),
            };
            self.messages.insert(self.pushed, stored);
        }
    }

    pub(super) fn take(&mut self, request: &TakeMessages<'_>) -> TakenMessages {
        let now = self.clock.instant();
        let at_most = if request.in_order { 1 } else { request.at_most };
        let mut taken = TakenMessages::default();
        let of_queue = self.messages.values_mut();
        for stored in of_queue.filter(|stored| stored.queue == *request.queue) {
            if stored.is_visible(now) {
                stored.owner = Some(request.worker.clone());
                stored.visible = now.checked_add(request.lease);
                stored.message.attempt += 1;
                taken.messages.push(stored.message.clone());
            } else {
                let wait = stored.visible_in(now);
                taken.more_in = Some(taken.more_in.map_or(wait, |known| known.min(wait)));
            }
            if request.in_order || taken.messages.len() >= at_most {
                break;
            }
        }
        if !taken.messages.is_empty() {
            taken.more_in = None;
        }
        taken
    }

    pub(super) fn settle(&mut self, worker: &WorkerId, settlement: &Settlement) -> bool {
        let now = self.clock.instant();
        let Some(stored) = self.messages.get_mut(&settlement.number) else {
            return false;
        };
        if stored.owner.as_ref() != Some(worker) || stored.message.attempt != settlement.attempt {
            return false;
        }
        match &settlement.settled {
            Settled::Done => {
                self.messages.remove(&settlement.number);
            }
            Settled::Again { delay, error } => {
                stored.free(now.checked_add(*delay));
                stored.message.error = Some(error.clone());
            }
            Settled::Returned => {
                stored.free(Some(now));
                stored.message.attempt -= 1;
            }
            Settled::Moved { to, error } => {
                stored.free(Some(now));
                stored.queue = to.clone();
                stored.message.attempt = 0;
                stored.message.error = Some(error.clone());
            }
        }
        true
    }

    pub(super) fn queue(&self, queue: &QueueName) -> impl Iterator<Item = &QueueMessage> {
        self.messages
            .values()
            .filter(move |stored| stored.queue == *queue)
            .map(|stored| &stored.message)
    }

    pub(super) fn move_all(&mut self, from: &QueueName, to: &QueueName) -> u64 {
        let now = self.clock.instant();
        let mut moved = 0;
        for stored in self.messages.values_mut() {
            if stored.queue == *from && (stored.owner.is_none() || stored.is_visible(now)) {
                stored.free(Some(now));
                stored.queue = to.clone();
                stored.message.attempt = 0;
                stored.message.error = None;
                moved += 1;
            }
        }
        moved
    }

    pub(super) fn open_schedule(&mut self, name: &str, cron: &str, now: DateTime<Utc>) -> Schedule {
        let since = now.trunc_subsecs(6);
        let stored = self
            .schedules
            .entry(name.to_owned())
            .or_insert_with(|| StoredSchedule {
                cron: cron.to_owned(),
                schedule: Schedule { since, last: None },
                claim: None,
            });
        if stored.cron != cron {
            cron.clone_into(&mut stored.cron);
            stored.schedule.since = since;
        }
        stored.schedule
    }

    pub(super) fn take_schedule(
        &mut self,
        claim: &ScheduleClaim<'_>,
        lease: Duration,
    ) -> ScheduleTurn {
        let now = self.clock.instant();
        let Some(stored) = self.schedules.get_mut(claim.name) else {
            return ScheduleTurn::Gone;
        };
        if let Some(last) = stored.schedule.last.filter(|last| *last >= claim.due) {
            return ScheduleTurn::Done { last };
        }
        if let Some(held) = &stored.claim
            && held.worker != *claim.worker
            && held.expires.is_none_or(|expires| expires > now)
        {
            let lease = rest(held.expires, now);
            return ScheduleTurn::Busy { lease };
        }
        stored.claim = Some(Claim {
            worker: claim.worker.clone(),
            due: claim.due,
            expires: now.checked_add(lease),
        });
        ScheduleTurn::Taken {
            last: stored.schedule.last,
        }
    }

    pub(super) fn settle_schedule(&mut self, claim: &ScheduleClaim<'_>, done: bool) -> bool {
        let Some(stored) = self.schedules.get_mut(claim.name) else {
            return false;
        };
        let is_held = stored
            .claim
            .as_ref()
            .is_some_and(|held| held.worker == *claim.worker && held.due == claim.due);
        if is_held {
            stored.claim = None;
            if done {
                stored.schedule.last = Some(claim.due);
            }
        }
        is_held
    }

    /// The worker is gone: what it had is given to whoever asks.
    pub(super) fn abandon(&mut self, worker: &WorkerId) {
        let now = self.clock.instant();
        for stored in self.messages.values_mut() {
            if stored.owner.as_ref() == Some(worker) {
                stored.free(Some(now));
            }
        }
        for stored in self.schedules.values_mut() {
            stored.claim.take_if(|claim| claim.worker == *worker);
        }
    }

    pub(super) fn renew(&mut self, worker: &WorkerId, lease: Duration) {
        let until = self.clock.instant().checked_add(lease);
        for stored in self.messages.values_mut() {
            if stored.owner.as_ref() == Some(worker) {
                stored.visible = until;
            }
        }
        for stored in self.schedules.values_mut() {
            if let Some(claim) = &mut stored.claim
                && claim.worker == *worker
            {
                claim.expires = until;
            }
        }
    }
}
