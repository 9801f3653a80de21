//! Runs activities on the async runtime, a bounded number at a time, and the operations of entities that
//! are async.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use rustc_hash::FxHashMap;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::HostOptions;
use super::backlog::Backlog;
use super::conduct::Conduct;
use super::crew::Job;
use super::hold_ups::HoldUps;
use super::router::Router;
use super::suspects::{CallKey, Suspects};
use crate::context::{ActivityContext, ActivityInvocation, CallInfo, States};
use crate::engine;
use crate::model::{Epoch, Failure, InstanceId, PartitionId, Payload};
use crate::partition::{ActivityWork, Confirmation, EntityRun, EntityWork, Input};
use crate::registry::{ActivityRun, Registry};

/// The activities of a host. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Executor {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    registry: Arc<Registry>,
    states: Arc<States>,
    router: Arc<Router>,
    runtime: Handle,
    limit: usize,
    load: Mutex<Load>,
    idle: Notify,
    hold_ups: HoldUps,
    conduct: Conduct,
    lends: bool,
}

#[derive(Debug)]
struct Load {
    running: usize,
    queue: Queue,
    cancellations: FxHashMap<InstanceId, Cancellation>,
    /// How many of those that run are still to be confirmed, by the partition that is to do it.
    unconfirmed: FxHashMap<PartitionId, usize>,
    suspects: Suspects,
    stopped: bool,
}

impl Load {
    fn new(options: &HostOptions) -> Self {
        Self {
            running: 0,
            queue: Queue {
                waiting: VecDeque::new(),
                backlog: Arc::new(Backlog::new(options)),
            },
            cancellations: FxHashMap::default(),
            unconfirmed: FxHashMap::default(),
            suspects: Suspects::new(options.max_activity_attempts),
            stopped: false,
        }
    }

    /// An activity of the partition is not to be waited for any more; `false` if none was.
    fn settle(&mut self, partition: PartitionId) -> bool {
        match self.unconfirmed.get_mut(&partition) {
            Some(number) if *number > 0 => {
                *number -= 1;
                true
            }
            _ => false,
        }
    }
}

/// Those that wait for room, as the backlog counts them.
#[derive(Debug)]
struct Queue {
    waiting: VecDeque<ActivityWork>,
    backlog: Arc<Backlog>,
}

impl Queue {
    fn push(&mut self, work: ActivityWork) {
        self.backlog.activity_waits(work.input.as_json().len());
        self.waiting.push_back(work);
    }

    fn pop(&mut self) -> Option<ActivityWork> {
        let work = self.waiting.pop_front()?;
        self.backlog.activity_goes(work.input.as_json().len());
        Some(work)
    }

    fn take_unwanted(
        &mut self,
        is_unwanted: impl Fn(&ActivityWork) -> bool,
    ) -> VecDeque<ActivityWork> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (unwanted, wanted): (VecDeque<_>, _) = waiting.partition(is_unwanted);
        self.waiting = wanted;
        for work in &unwanted {
            self.backlog.activity_goes(work.input.as_json().len());
        }
        unwanted
    }
}

/// Tells the running activities of one instance that nobody wants their results.
#[derive(Debug, Default)]
struct Cancellation {
    token: CancellationToken,
    running: usize,
}

impl Executor {
    pub(super) fn new(
        registry: Arc<Registry>,
        states: Arc<States>,
        router: Arc<Router>,
        runtime: Handle,
        options: &HostOptions,
    ) -> Self {
        let shared = Shared {
            conduct: Conduct::of(&registry),
            lends: runtime.runtime_flavor() == RuntimeFlavor::MultiThread,
            registry,
            states,
            router,
            runtime,
            limit: options.max_concurrent_activities,
            load: Mutex::new(Load::new(options)),
            idle: Notify::new(),
            hold_ups: HoldUps::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Whether activities may begin on a thread that is not the runtime's own. Those of a runtime with a
    /// single thread stay there: they may count on running one at a time, and a clock that is paused goes on
    /// when that thread has nothing to do.
    pub(super) fn lends_activities(&self) -> bool {
        self.shared.lends
    }

    /// Where the host counts what waits for it.
    pub(super) fn backlog(&self) -> Arc<Backlog> {
        Arc::clone(&self.lock().queue.backlog)
    }

    /// Runs an activity now, or when there is room.
    pub(super) fn submit(&self, work: ActivityWork) {
        if let Some(job) = self.admit(work) {
            self.spawn(job);
        }
    }

    /// As [`submit`](Self::submit), but gives the activity back if it is to run now, and alone, and has given its
    /// thread back soon as a rule. The caller begins it on a thread of its own, or [`spawn`](Self::spawn)s it.
    pub(super) fn admit(&self, work: ActivityWork) -> Option<Job> {
        let partition = self.shared.router.partition_of(&work.instance);
        let mut load = self.lock();
        let work = load.suspects.admit(work, partition)?;
        if work.confirmation == Confirmation::Given && load.settle(partition) {
            // It has kept its place while the confirmation was on its way.
            if load.stopped {
                load.running -= 1;
                self.shared.idle.notify_waiters();
                return None;
            }
        } else if load.stopped || load.running >= self.shared.limit {
            load.queue.push(work);
            return None;
        } else {
            load.running += 1;
        }
        drop(load);
        self.begin(work)
    }

    /// Runs what [`admit`](Self::admit) has given back on the async runtime.
    pub(super) fn spawn(&self, job: Job) {
        self.shared.runtime.spawn(job);
    }

    /// An activity of the partition that was about to be confirmed is not wanted any more.
    pub(super) fn skip(&self, partition: PartitionId, key: CallKey) {
        let waited = self.lock().settle(partition);
        if waited {
            self.next();
        }
        self.clear(key);
    }

    /// The partition has gone, and with it the confirmations that were on their way and what waits for room:
    /// its new owner has them all anew.
    pub(super) fn skip_all(&self, partition: PartitionId) {
        let mut load = self.lock();
        let is_unwanted =
            |work: &ActivityWork| self.shared.router.partition_of(&work.instance) == partition;
        load.queue.take_unwanted(is_unwanted);
        load.suspects.take_unwanted(is_unwanted);
        let waited = load.unconfirmed.remove(&partition);
        drop(load);
        for _ in 0..waited.unwrap_or(0) {
            self.next();
        }
        let mut load = self.lock();
        let next = load.suspects.lost(partition);
        drop(load);
        if let Some(suspect) = next {
            self.submit(suspect);
        }
    }

    /// The call is over: if it was suspected, the next suspect has its turn.
    fn clear(&self, key: CallKey) {
        let next = self.lock().suspects.ended(key);
        if let Some(suspect) = next {
            self.submit(suspect);
        }
    }

    /// Tells the activities of an instance that their results are not wanted.
    pub(super) fn cancel(&self, instance: &InstanceId) {
        let mut load = self.lock();
        let is_unwanted = |work: &ActivityWork| work.instance == *instance;
        let mut unwanted = load.queue.take_unwanted(is_unwanted);
        unwanted.append(&mut load.suspects.take_unwanted(is_unwanted));
        // Taken out, so that those of an execution that replaces this one get a token of their own.
        if let Some(cancellation) = load.cancellations.remove(instance) {
            cancellation.token.cancel();
        }
        drop(load);
        for work in unwanted {
            let failure = Failure::new(Failure::TERMINATED, "the orchestration was terminated");
            let key = (work.lineage, work.task);
            self.report(work, Err(failure));
            self.clear(key);
        }
    }

    /// Begins no more activities.
    pub(super) fn stop(&self) {
        self.lock().stopped = true;
    }

    /// Completes when no activity is running.
    pub(super) async fn idle(&self) {
        loop {
            let idle = self.shared.idle.notified();
            if self.lock().running == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Runs a batch of an entity of `partition`, as that is owned under `epoch`.
    pub(super) fn run_entity(&self, partition: PartitionId, epoch: Epoch, work: EntityWork) {
        self.lock().running += 1;
        let executor = self.clone();
        self.shared.runtime.spawn(async move {
            let EntityWork { id, batch } = work;
            let shared = &executor.shared;
            let registered = shared.registry.entities().get(&batch.entity);
            // The partition has found it in the same registry.
            if let Ok(registered) = registered {
                let done = EntityRun(engine::run_batch(registered, batch).await);
                let input = Input::EntityRan { id, done };
                // If the partition has moved, its new owner runs the operations again.
                shared.router.send_to(partition, epoch, input);
            }
            executor.next();
        });
    }

    /// Gives back what the caller may begin.
    fn begin(&self, work: ActivityWork) -> Option<Job> {
        if work.confirmation == Confirmation::Wanted {
            let partition = self.shared.router.partition_of(&work.instance);
            let key = (work.lineage, work.task);
            *self.lock().unconfirmed.entry(partition).or_default() += 1;
            let input = Input::ActivityStarting { work };
            if self.shared.router.send(partition, input).is_err() {
                self.skip(partition, key);
            }
            return None;
        }
        let executor = self.clone();
        // Before the task runs: a termination may come first, and is not to be missed.
        let (token, is_alone) = self.started(&work.instance);
        let is_trusted = self.shared.lends && self.shared.conduct.is_trusted(&work.name);
        let may_be_given_back = is_alone && is_trusted;
        let job: Job = Box::pin(async move {
            let shared = &executor.shared;
            let code = run(
                &shared.registry,
                &shared.states,
                &work,
                token.clone(),
                Blocking::OnThePool,
            );
            let outcome = shared.hold_ups.watch(&work, &shared.conduct, code).await;
            if may_be_given_back && outcome.is_err() {
                // What fails outside of the runtime may do so because that is shutting down. Then this never
                // comes back, and the next host runs the activity again.
                tokio::task::yield_now().await;
            }
            executor.ended(&work.instance, &token);
            let key = (work.lineage, work.task);
            executor.report(work, outcome);
            executor.next();
            executor.clear(key);
        });
        if may_be_given_back {
            return Some(job);
        }
        self.spawn(job);
        None
    }

    fn report(&self, work: ActivityWork, outcome: Result<Payload, Failure>) {
        let partition = self.shared.router.partition_of(&work.instance);
        let input = Input::ActivityEnded {
            instance: work.instance,
            lineage: work.lineage,
            task: work.task,
            outcome,
        };
        // If the partition has moved, its new owner runs the activity again.
        let _ = self.shared.router.send(partition, input);
    }

    /// How the activity is told that nobody wants its result, and whether no other one runs.
    fn started(&self, instance: &InstanceId) -> (CancellationToken, bool) {
        let mut load = self.lock();
        let is_alone = load.running == 1;
        let cancellation = load.cancellations.entry(instance.clone()).or_default();
        cancellation.running += 1;
        (cancellation.token.clone(), is_alone)
    }

    fn ended(&self, instance: &InstanceId, token: &CancellationToken) {
        let mut load = self.lock();
        if token.is_cancelled() {
            return;
        }
        if let Some(cancellation) = load.cancellations.get_mut(instance) {
            cancellation.running -= 1;
            if cancellation.running == 0 {
                load.cancellations.remove(instance);
            }
        }
    }

    /// Gives the place of an activity that has ended to the next.
    fn next(&self) {
        let mut load = self.lock();
        let next = if load.stopped { None } else { load.queue.pop() };
        if let Some(work) = next {
            drop(load);
            if let Some(job) = self.begin(work) {
                self.spawn(job);
            }
        } else {
            load.running -= 1;
            if load.running == 0 {
                self.shared.idle.notify_waiters();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Load> {
        self.shared
            .load
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a plain `fn` runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blocking {
    OnThePool,
    #[cfg_attr(
        not(feature = "testing"),
        expect(dead_code, reason = "only a test host has it so")
    )]
    InPlace,
}

/// Runs the function that an activity is.
pub(crate) async fn run(
    registry: &Registry,
    states: &Arc<States>,
    work: &ActivityWork,
    cancelled: CancellationToken,
    blocking: Blocking,
) -> Result<Payload, Failure> {
    let function = registry.activity(&work.name)?;
    let context = ActivityContext::new(CallInfo {
        name: work.name.clone(),
        instance: work.instance.clone(),
        execution: work.lineage,
        task: work.task,
        attempt: work.attempt,
        cancelled,
    });
    let invocation = ActivityInvocation::new(context, work.input.clone(), Arc::clone(states));
    match (function.run, blocking) {
        (ActivityRun::Async(code), _) => AssertUnwindSafe(async { code.run(invocation).await })
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| Err(Failure::from_panic(&*panic))),
        (ActivityRun::Blocking(code), Blocking::OnThePool) => {
            let joined = tokio::task::spawn_blocking(move || code.run(&invocation)).await;
            joined.unwrap_or_else(|error| {
                Err(match error.try_into_panic() {
                    Ok(panic) => Failure::from_panic(&*panic),
                    Err(error) => Failure::new(Failure::PANIC, error.to_string()),
                })
            })
        }
        (ActivityRun::Blocking(code), Blocking::InPlace) => {
            catch_unwind(AssertUnwindSafe(|| code.run(&invocation)))
                .unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::router::tests::acquired;
    use crate::model::{ExecutionId, TaskId};

    const PARTITION: PartitionId = PartitionId(0);

    fn work(task: TaskId) -> ActivityWork {
        ActivityWork {
            instance: InstanceId::new("any").unwrap(),
            lineage: ExecutionId(uuid::Uuid::nil()),
            task,
            name: "any".to_owned(),
            input: Payload::encode(&7).unwrap(),
            attempt: 1,
            confirmation: Confirmation::NotNeeded,
        }
    }

    // Its next owner, which may be this host, has them all anew. A host that loses its partitions because it
    // has too much to do would have twice as much each time.
    #[test]
    fn what_waits_goes_with_its_partition() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let (router, _inputs) = Router::new(1, 1);
        router.own(acquired(PARTITION));
        let no_room = HostOptions {
            max_concurrent_activities: 0,
            ..HostOptions::default()
        };
        let executor = Executor::new(
            Arc::default(),
            Arc::default(),
            Arc::new(router),
            runtime.handle().clone(),
            &no_room,
        );
        for _ in 0..3 {
            executor.submit(work(TaskId(0)));
            executor.submit(work(TaskId(1)));
            assert_eq!(executor.lock().queue.waiting.len(), 2);
            executor.skip_all(PARTITION);
        }
        assert_eq!(executor.lock().queue.waiting.len(), 0);
    }
}
