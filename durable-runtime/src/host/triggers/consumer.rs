//! A client function that is run for the messages of a queue.

use std::fmt::Display;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_core::future::BoxFuture;
use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::Bound;
use super::desk::{Desk, Held};
use super::news::{News, QueueNews};
use crate::clock::Clock;
use crate::host::HostOptions;
use crate::model::{Failure, Payload, QueueName};
use crate::registry::client_function::{Call, QueueTrigger};
use crate::storage::{
    QueueMessage, Settled, Settlement, StorageError, TakeMessages, TakenMessages,
};

/// How soon a consumer looks again when something in the hub has changed, which most often is no message
/// for it.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// How soon it looks again when storage has failed.
const AFTER_FAILURE: Duration = Duration::from_secs(1);
/// The longest time before a message is given again.
const LONGEST_DELAY: Duration = Duration::from_secs(300);

pub(super) struct Consumer {
    desk: Arc<Desk>,
    queue: QueueName,
    news: Arc<QueueNews>,
    concurrency: usize,
    delivery: Delivery,
    /// The messages that are being worked on.
    running: JoinSet<Ended>,
    /// When to look for messages next, if nothing is heard.
    look_at: Option<Instant>,
    looked: Instant,
    /// Until then it does not look, whatever it hears: storage has failed.
    rests_until: Instant,
}

/// What has become of a message that was worked on.
struct Ended {
    settlement: Settlement,
    held: Held,
}

/// How a message is delivered to the function.
#[derive(Clone)]
struct Delivery {
    queue: QueueName,
    call: Call,
    #[expect(clippy::type_complexity, reason = "it is that of the trigger")]
    run: fn(&Call, &Payload) -> Result<BoxFuture<'static, Result<(), Failure>>, Failure>,
    max_attempts: u32,
    first_delay: Duration,
}

impl Consumer {
    pub(super) fn new(
        desk: &Arc<Desk>,
        bound: &Bound,
        trigger: &QueueTrigger,
        (news, options): (&News, &HostOptions),
    ) -> Self {
        let queue = QueueName::trusted(trigger.queue);
        let concurrency = trigger
            .concurrency
            .and_then(|concurrency| usize::try_from(concurrency).ok())
            .unwrap_or(options.queue_concurrency);
        let now = desk.clock.instant();
        Self {
            desk: Arc::clone(desk),
            news: news.queue(&queue),
            concurrency,
            delivery: Delivery {
                queue: queue.clone(),
                call: bound.call.clone(),
                run: trigger.run,
                max_attempts: options.max_queue_attempts,
                first_delay: options.queue_retry_delay,
            },
            queue,
            running: JoinSet::new(),
            look_at: Some(now),
            looked: now,
            rests_until: now,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            let is_ending = self.desk.stops.begin.is_cancelled();
            if is_ending && self.running.is_empty() {
                return;
            }
            let is_due = self
                .next_look()
                .is_some_and(|at| at <= self.desk.clock.instant());
            if is_due && !is_ending && self.room() > 0 {
                self.look().await;
                continue;
            }
            self.wait(is_ending).await;
        }
    }

    fn next_look(&self) -> Option<Instant> {
        self.look_at.map(|at| at.max(self.rests_until))
    }

    fn room(&self) -> usize {
        self.concurrency.saturating_sub(self.running.len())
    }

    /// Waits until there is something to do.
    async fn wait(&mut self, is_ending: bool) {
        let wants_more = !is_ending && self.room() > 0;
        let until = self.next_look();
        let clock = self.desk.clock;
        tokio::select! {
            biased;
            Some(ended) = self.running.join_next() => {
                // One that was cut off with the runtime has nothing to say.
                let mut all: Vec<_> = ended.into_iter().collect();
                while let Some(ended) = self.running.try_join_next() {
                    all.extend(ended);
                }
                self.settle(all).await;
                self.look_at = Some(self.desk.clock.instant());
            }
            () = self.desk.stops.begin.cancelled(), if !is_ending => {}
            () = self.news.pushed.notified(), if wants_more => {
                self.look_at = Some(self.desk.clock.instant());
            }
            () = self.news.changed.notified(), if wants_more => {
                let at = self.looked + LOOK_AGAIN;
                self.look_at = Some(self.look_at.map_or(at, |known| known.min(at)));
            }
            () = sleep_until(clock, until), if wants_more && until.is_some() => {}
        }
    }

    /// Takes what is there.
    async fn look(&mut self) {
        let clock = self.desk.clock;
        self.looked = clock.instant();
        match self.take().await {
            Ok(TakenMessages { messages, more_in }) => {
                // Behind these there may be more.
                let next = if messages.is_empty() {
                    more_in
                } else {
                    Some(Duration::ZERO)
                };
                self.look_at = next.and_then(|next| clock.instant().checked_add(next));
                for message in messages {
                    let held = self.desk.hold();
                    let delivery = self.delivery.clone().run(Arc::clone(&self.desk), message);
                    self.running.spawn(async move {
                        Ended {
                            settlement: delivery.await,
                            held,
                        }
                    });
                }
            }
            Err(error) => {
                tracing::warn!(queue = %self.queue, %error, "a queue cannot be read; trying again");
                self.rests_until = clock.instant() + AFTER_FAILURE;
                self.look_at = Some(self.rests_until);
            }
        }
    }

    async fn take(&self) -> Result<TakenMessages, StorageError> {
        let (queue, at_most, in_order) = (self.queue.clone(), self.room(), self.concurrency == 1);
        let asked = self.desk.ask(move |desk, storage| {
            storage.take_messages(&TakeMessages {
                queue: &queue,
                worker: &desk.worker,
                lease: desk.lease,
                at_most,
                in_order,
            })
        });
        asked.await
    }

    async fn settle(&self, ended: Vec<Ended>) {
        if ended.is_empty() {
            return;
        }
        let ended = ended
            .into_iter()
            .map(|ended| (ended.settlement, ended.held));
        let (settlements, held): (Vec<_>, Vec<_>) = ended.unzip();
        let numbers: Vec<_> = settlements
            .iter()
            .map(|settlement| settlement.number)
            .collect();
        let settled = self
            .desk
            .insist("settling messages of a queue", move |desk, storage| {
                storage.settle_messages(&desk.worker, &settlements)
            });
        for (number, is_ours) in numbers.into_iter().zip(settled.await.unwrap_or_default()) {
            if !is_ours {
                tracing::warn!(
                    queue = %self.queue,
                    message = number,
                    "the lease of a message ran out while its function was running: it is delivered again"
                );
            }
        }
        drop(held);
    }
}

async fn sleep_until(clock: Clock, at: Option<Instant>) {
    if let Some(at) = at {
        clock.sleep_until(at).await;
    }
}

impl Delivery {
    /// Has the function work on a message, and judges the outcome.
    async fn run(self, desk: Arc<Desk>, message: QueueMessage) -> Settlement {
        let QueueMessage {
            number,
            body,
            attempt,
            error,
            ..
        } = message;
        let settled = if attempt > self.max_attempts {
            let crashed = format!("the process ended in the middle of attempt {}", attempt - 1);
            self.poison(number, error.unwrap_or(crashed))
        } else {
            let running = AssertUnwindSafe(async { (self.run)(&self.call, &body)?.await });
            tokio::select! {
                biased;
                ended = running.catch_unwind() => {
                    let ended = ended.unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)));
                    self.judge(number, attempt, ended)
                }
                () = desk.stops.running.cancelled() => Settled::Returned,
            }
        };
        Settlement {
            number,
            attempt,
            settled,
        }
    }

    fn judge(&self, number: u64, attempt: u32, ended: Result<(), Failure>) -> Settled {
        let Err(failure) = ended else {
            return Settled::Done;
        };
        if failure.is_non_retriable() || attempt >= self.max_attempts {
            return self.poison(number, &failure);
        }
        let delay = self.delay(attempt);
        tracing::warn!(
            function = self.call.name,
            queue = %self.queue,
            message = number,
            attempt,
            %failure,
            ?delay,
            "a message was not dealt with; it is delivered again"
        );
        Settled::Again {
            delay,
            error: failure.to_string(),
        }
    }

    fn poison(&self, number: u64, error: impl Display) -> Settled {
        let to = self.queue.poison();
        tracing::error!(
            function = self.call.name,
            queue = %self.queue,
            message = number,
            %error,
            moved_to = %to,
            "a message cannot be dealt with"
        );
        Settled::Moved {
            to,
            error: error.to_string(),
        }
    }

    /// The time before the attempt after this one: each twice as long as the one before.
    fn delay(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt - 1).unwrap_or(u32::MAX);
        self.first_delay.saturating_mul(factor).min(LONGEST_DELAY)
    }
}
