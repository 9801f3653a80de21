//! Where whatever reaches the partitions arrives: what clients ask for, and what activities return.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};
use uuid::Uuid;

use super::dice::Dice;
use crate::client::{LocalHost, NotTaken};
use crate::host::triggers::News;
use crate::host::watchers::Watchers;
use crate::model::{Command, InstanceId, InstanceRecord, PartitionId, QueueName, Rejection, Reply};
use crate::partition::{Input, Responder};

/// What tasks of the async runtime share with the simulation.
#[derive(Debug)]
pub(super) struct Desk {
    partition_count: u32,
    pub(super) watchers: Watchers,
    /// For the consumers of queues.
    queues: Arc<News>,
    news: Notify,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    arrived: VecDeque<Arrived>,
    crash: Option<oneshot::Sender<()>>,
    closed: bool,
    standstill: Option<String>,
    dice: Dice,
}

/// An input, and whom it is for.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) partition: PartitionId,
    /// The life of the process that it belongs to, if it does not outlast a crash.
    pub(super) life: Option<u64>,
    pub(super) input: Input,
}

impl Desk {
    pub(super) fn new(partition_count: u32, queues: Arc<News>, seed: u64) -> Self {
        Self {
            partition_count,
            watchers: Watchers::default(),
            queues,
            news: Notify::new(),
            state: Mutex::new(State {
                arrived: VecDeque::new(),
                crash: None,
                closed: false,
                standstill: None,
                dice: Dice::new(seed),
            }),
        }
    }

    pub(super) fn partition_of(&self, id: &InstanceId) -> PartitionId {
        id.partition(self.partition_count)
    }

    pub(super) fn arrive(&self, arrived: Arrived) {
        let mut state = self.lock();
        if state.closed {
            // Whoever waits for an answer is told that there will be none.
            return;
        }
        state.standstill = None;
        state.arrived.push_back(arrived);
        drop(state);
        self.news.notify_one();
    }

    pub(super) fn take_arrived(&self) -> VecDeque<Arrived> {
        std::mem::take(&mut self.lock().arrived)
    }

    pub(super) fn waiting(&self) -> usize {
        self.lock().arrived.len()
    }

    /// Completes when something has arrived since the last time.
    pub(super) async fn news(&self) {
        self.news.notified().await;
    }

    /// Has the host crash; the receiver is told when it has started again.
    pub(super) fn crash(&self) -> oneshot::Receiver<()> {
        let (sender, receiver) = oneshot::channel();
        let mut state = self.lock();
        if !state.closed {
            state.crash = Some(sender);
        }
        drop(state);
        self.news.notify_one();
        receiver
    }

    pub(super) fn take_crash(&self) -> Option<oneshot::Sender<()>> {
        self.lock().crash.take()
    }

    /// The host is done for: whoever waits is told why, and nothing is taken any more.
    pub(super) fn close(&self, why: String) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.closed, true) {
            return;
        }
        state.standstill = Some(why);
        state.crash = None;
        let unheard = std::mem::take(&mut state.arrived);
        drop(state);
        drop(unheard);
        self.watchers.recheck_all();
        self.news.notify_one();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Nothing will happen any more by itself: whoever waits is told why.
    pub(super) fn stand_still(&self, why: String) {
        self.lock().standstill = Some(why);
        self.watchers.recheck_all();
    }

    pub(super) fn with_dice<T>(&self, use_them: impl FnOnce(&mut Dice) -> T) -> T {
        use_them(&mut self.lock().dice)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LocalHost for Desk {
    fn request(
        &self,
        to: &InstanceId,
        command: Command,
    ) -> Result<oneshot::Receiver<Result<Reply, Rejection>>, NotTaken> {
        let (answer, receiver) = oneshot::channel();
        self.arrive(Arrived {
            partition: self.partition_of(to),
            life: None,
            input: Input::Request {
                to: to.clone(),
                command,
                responder: Responder(Box::new(move |result| {
                    // Whoever has stopped waiting does not want it.
                    let _ = answer.send(result);
                })),
            },
        });
        Ok(receiver)
    }

    fn subscribe(&self, id: &InstanceId) -> Option<oneshot::Receiver<Arc<InstanceRecord>>> {
        Some(self.watchers.subscribe(id))
    }

    fn unsubscribe(&self, id: &InstanceId) {
        self.watchers.unsubscribe(id);
    }

    fn pushed(&self, queue: &QueueName) {
        self.queues.pushed(queue);
    }

    fn new_id(&self) -> Uuid {
        self.with_dice(Dice::id)
    }

    fn reads_in_place(&self) -> bool {
        true
    }

    fn standstill(&self) -> Option<String> {
        self.lock().standstill.clone()
    }
}
