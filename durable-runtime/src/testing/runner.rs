//! Runs activities and the async operations of entities, on the runtime of the test.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use super::desk::{Arrived, Desk};
use super::mock::Mocks;
use crate::context::States;
use crate::engine;
use crate::host::activities::{self, Blocking};
use crate::host::suspects::{CallKey, Suspects};
use crate::model::{Failure, InstanceId, PartitionId, Payload};
use crate::partition::{ActivityWork, Confirmation, EntityRun, EntityWork, Input};
use crate::registry::Registry;

/// What runs outside of the partitions.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) desk: Arc<Desk>,
    pub(super) registry: Arc<Registry>,
    pub(super) states: Arc<States>,
    pub(super) mocks: Arc<Mocks>,
    /// Counts the crashes: what ran before one is not heard of.
    life: u64,
    max_activity_attempts: u32,
    /// Those that crashes interrupted so often that they run one at a time.
    suspects: Suspects,
    running: Vec<AbortHandle>,
    cancellations: FxHashMap<InstanceId, CancellationToken>,
}

impl Runner {
    pub(super) fn new(
        desk: Arc<Desk>,
        registry: Arc<Registry>,
        states: Arc<States>,
        mocks: Arc<Mocks>,
        max_activity_attempts: u32,
    ) -> Self {
        Self {
            desk,
            registry,
            states,
            mocks,
            life: 0,
            max_activity_attempts,
            suspects: Suspects::new(max_activity_attempts),
            running: Vec::new(),
            cancellations: FxHashMap::default(),
        }
    }

    pub(super) fn life(&self) -> u64 {
        self.life
    }

    /// Runs an activity, once its partition has confirmed it where that is wanted.
    pub(super) fn run_activity(&mut self, work: ActivityWork) {
        let partition = self.desk.partition_of(&work.instance);
        let life = Some(self.life);
        let Some(work) = self.suspects.admit(work, partition) else {
            return;
        };
        if work.confirmation == Confirmation::Wanted {
            self.desk.arrive(Arrived {
                partition,
                life,
                input: Input::ActivityStarting { work },
            });
            return;
        }
        let token = self.cancellations.entry(work.instance.clone()).or_default();
        let token = token.clone();
        let mock = self.mocks.find(&work.name);
        let delay = mock.as_ref().map(|mock| {
            self.desk
                .with_dice(|dice| mock.note(work.name.clone(), &work.input, dice))
        });
        let (desk, registry) = (Arc::clone(&self.desk), Arc::clone(&self.registry));
        let states = Arc::clone(&self.states);
        let task = tokio::spawn(async move {
            let outcome = match mock {
                Some(mock) => {
                    let delay = delay.unwrap_or_default();
                    mock.carry_out(delay, &work.instance, &work.input).await
                }
                None => run_function(&registry, &states, &work, token).await,
            };
            report(&desk, life, work, outcome);
        });
        self.keep(task.abort_handle());
    }

    /// The call of an activity is over: if it was suspected, the next suspect has its turn.
    pub(super) fn ended(&mut self, call: CallKey) {
        if let Some(suspect) = self.suspects.ended(call) {
            self.run_activity(suspect);
        }
    }

    pub(super) fn run_entity(&mut self, partition: PartitionId, work: EntityWork) {
        let life = Some(self.life);
        let (desk, registry) = (Arc::clone(&self.desk), Arc::clone(&self.registry));
        let task = tokio::spawn(async move {
            let EntityWork { id, batch } = work;
            // The partition has found it in the same registry.
            if let Ok(registered) = registry.entities().get(&batch.entity) {
                let done = EntityRun(engine::run_batch(registered, batch).await);
                desk.arrive(Arrived {
                    partition,
                    life,
                    input: Input::EntityRan { id, done },
                });
            }
        });
        self.keep(task.abort_handle());
    }

    /// Tells the activities of an instance that their results are not wanted.
    pub(super) fn cancel(&mut self, instance: &InstanceId) {
        if let Some(token) = self.cancellations.remove(instance) {
            token.cancel();
        }
        let is_unwanted = |work: &ActivityWork| work.instance == *instance;
        for work in self.suspects.take_unwanted(is_unwanted) {
            let failure = Failure::new(Failure::TERMINATED, "the orchestration was terminated");
            report(&self.desk, Some(self.life), work, Err(failure));
        }
    }

    /// Everything that runs is gone.
    pub(super) fn crash(&mut self) {
        self.life += 1;
        self.suspects = Suspects::new(self.max_activity_attempts);
        self.cancellations.clear();
        for running in self.running.drain(..) {
            running.abort();
        }
    }

    fn keep(&mut self, task: AbortHandle) {
        self.running.retain(|running| !running.is_finished());
        self.running.push(task);
    }
}

fn report(desk: &Desk, life: Option<u64>, work: ActivityWork, outcome: Result<Payload, Failure>) {
    desk.arrive(Arrived {
        partition: desk.partition_of(&work.instance),
        life,
        input: Input::ActivityEnded {
            instance: work.instance,
            lineage: work.lineage,
            task: work.task,
            outcome,
        },
    });
}

async fn run_function(
    registry: &Registry,
    states: &Arc<States>,
    work: &ActivityWork,
    cancelled: CancellationToken,
) -> Result<Payload, Failure> {
    #[cfg(feature = "http")]
    if work.name == crate::model::http::HTTP_ACTIVITY {
        let message = "a test host sends no requests: say what they are answered with in \
                       `host.mock_http(|request| ..)`";
        return Err(Failure::new(Failure::NOT_REGISTERED, message).non_retriable());
    }
    // On the pool it would end when the machine likes, whatever the seed.
    activities::run(registry, states, work, cancelled, Blocking::InPlace).await
}
