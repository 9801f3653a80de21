//! The threads that run partitions, and a spare one.
//!
//! While a host runs one activity after the other, changing threads takes longer than they do. So an activity
//! that is alone, and of a kind that does not keep its thread ([`Conduct`](super::conduct::Conduct)), begins on
//! the partition thread that asked for it, if that has nothing else to do: it is polled once, within the async
//! runtime, and goes on there if that was not its end.
//!
//! It may keep the thread after all. So the thread leaves what it works with where the spare thread finds it: that
//! looks from time to time, and goes on with it if the activity has not returned. Once it has, its thread is the spare.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::runtime::Handle;

/// An activity, with all that is to be done when it has ended.
pub(super) type Job = BoxFuture<'static, ()>;

/// See [`Crew::patience`].
const PATIENCE: Duration = Duration::from_millis(10);

/// What a thread works with, and another one can go on with.
pub(super) trait Work: Send + 'static {
    /// What stays with its thread.
    type Bound: Send;

    /// Takes out what another thread could neither use nor drop.
    fn unbind(&mut self) -> Self::Bound;
}

/// What the threads share.
pub(super) struct Crew<W: Work> {
    state: Mutex<State<W>>,
    /// For the spare thread.
    news: Condvar,
    /// For a thread whose worker is handed over.
    handed_over: Condvar,
    /// For whoever waits for the last worker to end.
    end: Condvar,
    runtime: Handle,
    /// How long a worker waits for an activity to give its thread back, at least. At most it is twice as long.
    patience: Duration,
}

struct State<W: Work> {
    /// How many have not ended.
    workers: usize,
    /// Whether one of them has ended by a panic.
    has_panicked: bool,
    /// That of a thread which an activity has.
    left: Option<W>,
    /// How often one was left.
    turn: u64,
    spare: Spare,
    /// Whether the spare thread is about to go on with a worker.
    is_handed_over: bool,
    /// What belongs to a thread whose worker has gone on without it.
    bound: Option<W::Bound>,
}

/// What the spare thread does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spare {
    /// There is none.
    Away,
    /// It has to be woken when a worker is left.
    Asleep,
    /// It looks by itself.
    Watching,
}

impl<W: Work> fmt::Debug for Crew<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Crew")
            .field("workers", &state.workers)
            .field("spare", &state.spare)
            .finish_non_exhaustive()
    }
}

impl<W: Work> Crew<W> {
    pub(super) fn new(runtime: Handle) -> Self {
        Self {
            state: Mutex::new(State {
                workers: 0,
                has_panicked: false,
                left: None,
                turn: 0,
                spare: Spare::Away,
                is_handed_over: false,
                bound: None,
            }),
            news: Condvar::new(),
            handed_over: Condvar::new(),
            end: Condvar::new(),
            runtime,
            patience: PATIENCE,
        }
    }

    /// A worker is there as long as this is.
    pub(super) fn join(self: &Arc<Self>) -> Membership<W> {
        self.lock().workers += 1;
        Membership(Arc::clone(self))
    }

    /// Waits until the last worker has ended, and for no activity. Returns whether none has panicked.
    pub(super) fn wait_for_end(&self) -> bool {
        let state = self.lock();
        let ended = self.end.wait_while(state, |state| state.workers > 0);
        !ended.unwrap_or_else(PoisonError::into_inner).has_panicked
    }

    /// Begins the job in this thread. Gives the worker back, or what of it belongs to this thread if another
    /// one has gone on with it; then this one is to [`stand_by`](Self::stand_by). If there is no spare thread, the
    /// runtime begins the job.
    pub(super) fn begin(&self, worker: W, mut job: Job) -> Result<W, Option<W::Bound>> {
        let mut state = self.lock();
        if state.left.is_some() || state.spare == Spare::Away {
            drop(state);
            self.runtime.spawn(job);
            return Ok(worker);
        }
        state.left = Some(worker);
        state.turn += 1;
        let is_asleep = state.spare == Spare::Asleep;
        state.spare = Spare::Watching;
        drop(state);
        if is_asleep {
            self.news.notify_one();
        }
        let polled = catch_unwind(AssertUnwindSafe(|| self.poll(&mut job)));
        let state = self.lock();
        let state = self
            .handed_over
            .wait_while(state, |state| state.is_handed_over);
        let mut state = state.unwrap_or_else(PoisonError::into_inner);
        // It cannot be that of another thread: there is no spare until this one is.
        let worker = state.left.take().ok_or_else(|| state.bound.take());
        drop(state);
        match polled {
            Ok(Poll::Ready(())) => {}
            Ok(Poll::Pending) => drop(self.runtime.spawn(job)),
            Err(panic) => resume_unwind(panic),
        }
        worker
    }

    fn poll(&self, job: &mut Job) -> Poll<()> {
        // Not merely entered: what code must not do in an async runtime, it must not do here either.
        self.runtime
            .block_on(poll_fn(|context| Poll::Ready(job.as_mut().poll(context))))
    }

    /// Is the spare thread until there is a worker to go on with; `None` when all have ended.
    pub(super) fn stand_by(&self) -> Option<W> {
        let mut state = self.lock();
        state.spare = Spare::Asleep;
        while state.workers > 0 {
            if state.spare == Spare::Asleep {
                state = self
                    .news
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let turn = state.turn;
            let waited = self
                .news
                .wait_timeout_while(state, self.patience, |state| state.workers > 0);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            if state.turn != turn {
                continue;
            }
            if let Some(mut worker) = state.left.take() {
                state.spare = Spare::Away;
                state.is_handed_over = true;
                drop(state);
                let bound = worker.unbind();
                let mut state = self.lock();
                state.bound = Some(bound);
                state.is_handed_over = false;
                drop(state);
                self.handed_over.notify_one();
                return Some(worker);
            }
            // Nothing has happened for a while.
            state.spare = Spare::Asleep;
        }
        state.spare = Spare::Away;
        None
    }

    fn lock(&self) -> MutexGuard<'_, State<W>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that a worker has ended when it is dropped.
#[derive(Debug)]
pub(super) struct Membership<W: Work>(Arc<Crew<W>>);

impl<W: Work> Drop for Membership<W> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.workers -= 1;
        state.has_panicked |= std::thread::panicking();
        let was_last = state.workers == 0;
        drop(state);
        if was_last {
            self.0.news.notify_one();
            self.0.end.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread::{JoinHandle, ThreadId};

    use tokio::runtime::{Builder, Runtime};

    use super::*;
    use crate::clock;

    const LONG: Duration = Duration::from_secs(30);
    /// Long enough for a busy machine.
    const PATIENCE: Duration = Duration::from_millis(200);

    /// What belongs to the thread that has made it.
    #[derive(Debug)]
    struct Bound(ThreadId);

    impl Bound {
        fn new() -> Self {
            Self(std::thread::current().id())
        }
    }

    impl Drop for Bound {
        fn drop(&mut self) {
            assert_eq!(self.0, std::thread::current().id());
        }
    }

    struct Worker {
        bound: Option<Bound>,
        _membership: Membership<Worker>,
    }

    impl Work for Worker {
        type Bound = Option<Bound>;

        fn unbind(&mut self) -> Option<Bound> {
            self.bound.take()
        }
    }

    fn runtime() -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    }

    fn crew(runtime: &Runtime) -> Arc<Crew<Worker>> {
        Arc::new(Crew {
            patience: PATIENCE,
            ..Crew::new(runtime.handle().clone())
        })
    }

    fn worker(crew: &Arc<Crew<Worker>>) -> Worker {
        Worker {
            bound: Some(Bound::new()),
            _membership: crew.join(),
        }
    }

    /// A spare thread, which gives what it has come by.
    fn spare(crew: &Arc<Crew<Worker>>) -> JoinHandle<Option<Worker>> {
        let of_thread = Arc::clone(crew);
        let thread = std::thread::spawn(move || of_thread.stand_by());
        while crew.lock().spare == Spare::Away {
            std::thread::yield_now();
        }
        thread
    }

    fn job(code: impl Future<Output = ()> + Send + 'static) -> Job {
        Box::pin(code)
    }

    /// One that says in which thread it is, and again after it has waited.
    fn waits() -> (Job, Receiver<ThreadId>) {
        let (sender, threads) = channel();
        let code = async move {
            sender.send(std::thread::current().id()).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            sender.send(std::thread::current().id()).unwrap();
        };
        (job(code), threads)
    }

    /// One that blocks its thread until it is told to go on.
    fn blocks() -> (Job, Sender<()>) {
        let (sender, receiver) = channel();
        (job(async move { receiver.recv().unwrap() }), sender)
    }

    #[test]
    fn a_job_begins_in_the_thread_and_goes_on_in_the_runtime() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let worker = worker(&crew);
        let spare = spare(&crew);
        let here = std::thread::current().id();
        let (job, threads) = waits();
        let worker = crew.begin(worker, job).ok().unwrap();
        assert_eq!(threads.recv_timeout(LONG).unwrap(), here);
        assert_ne!(threads.recv_timeout(LONG).unwrap(), here);
        drop(worker);
        assert!(spare.join().unwrap().is_none());
    }

    #[test]
    fn without_a_spare_thread_a_job_is_left_to_the_runtime() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let (job, threads) = waits();
        let worker = crew.begin(worker(&crew), job).ok().unwrap();
        let here = std::thread::current().id();
        assert_ne!(threads.recv_timeout(LONG).unwrap(), here);
        drop(worker);
    }

    #[test]
    fn the_spare_thread_goes_on_with_a_worker_whose_thread_is_kept() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let (kept, goes) = blocks();
        let (of_thread, worker) = (Arc::clone(&crew), worker(&crew));
        // It is to be dropped where it was made.
        let here = std::thread::current().id();
        let spare = spare(&crew);
        let freed = std::thread::spawn(move || {
            let worker = spare.join().unwrap().unwrap();
            assert!(worker.bound.is_none());
            // There is no spare thread now.
            let (other, threads) = waits();
            let worker = of_thread.begin(worker, other).ok().unwrap();
            assert_ne!(
                threads.recv_timeout(LONG).unwrap(),
                std::thread::current().id()
            );
            goes.send(()).unwrap();
            worker
        });
        let bound = crew.begin(worker, kept).err().unwrap();
        assert_eq!(bound.flatten().unwrap().0, here);
        let worker = freed.join().unwrap();
        // From now on this thread is the spare.
        let (of_thread, (kept, goes)) = (Arc::clone(&crew), blocks());
        let other = std::thread::spawn(move || {
            while of_thread.lock().spare == Spare::Away {
                std::thread::yield_now();
            }
            of_thread.begin(worker, kept).is_err()
        });
        let worker = crew.stand_by().unwrap();
        goes.send(()).unwrap();
        assert!(other.join().unwrap());
        drop(worker);
        assert!(crew.wait_for_end());
    }

    #[test]
    fn a_worker_stays_where_jobs_give_the_thread_back() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let mut worker = worker(&crew);
        let spare = spare(&crew);
        let began = clock::instant();
        while clock::since(began) < PATIENCE * 3 {
            worker = crew.begin(worker, job(async {})).ok().unwrap();
        }
        assert!(worker.bound.is_some());
        drop(worker);
        assert!(spare.join().unwrap().is_none());
    }

    #[test]
    fn the_spare_thread_sleeps_when_nothing_happens() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let worker = worker(&crew);
        let spare = spare(&crew);
        let worker = crew.begin(worker, job(async {})).ok().unwrap();
        while crew.lock().spare != Spare::Asleep {
            std::thread::sleep(PATIENCE);
        }
        drop(worker);
        assert!(spare.join().unwrap().is_none());
    }

    // Otherwise code that is wrong would work on a host with little to do, and nowhere else.
    #[test]
    fn a_job_is_within_the_runtime() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let worker = worker(&crew);
        let spare = spare(&crew);
        let (sender, receiver) = channel();
        let code = async move {
            let spawned = tokio::spawn(async { 7 });
            let other = Handle::current();
            let nested = catch_unwind(move || other.block_on(async {}));
            let blocking = tokio::task::block_in_place(|| 8);
            let seen = (spawned.await.unwrap(), nested.is_err(), blocking);
            sender.send(seen).unwrap();
        };
        // What the panic prints may take so long that the spare thread goes on with the worker.
        drop(crew.begin(worker, job(code)));
        assert_eq!(receiver.recv_timeout(LONG).unwrap(), (7, true, 8));
        // Outside of a job it is not.
        assert!(Handle::try_current().is_err());
        drop(spare.join().unwrap());
    }

    #[test]
    fn a_worker_that_panics_has_ended_and_is_noticed() {
        let runtime = runtime();
        let crew = crew(&runtime);
        let worker = worker(&crew);
        let spare = spare(&crew);
        // Without a message, which takes its time.
        let code = async { resume_unwind(Box::new("as planned")) };
        let panicking = AssertUnwindSafe(|| crew.begin(worker, job(code)));
        assert!(catch_unwind(panicking).is_err());
        assert!(!crew.wait_for_end());
        assert!(spare.join().unwrap().is_none());
    }
}
