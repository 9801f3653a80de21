//! A thread of the host's own for the activity beside which no other one runs.
//!
//! What is given to the async runtime from outside wakes one of its threads by way of its poller, and that one
//! wakes another to look for more work. While a host runs one activity after the other, this takes longer
//! than they do. So an activity that is alone begins here: it is polled once, within the runtime, and goes on
//! there if that was not its end. One that blocks its thread keeps only this one from the others, which go to
//! the runtime meanwhile, as all do that are not alone.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::future::BoxFuture;
use tokio::runtime::{Handle, RuntimeFlavor};

/// An activity, with all that is to be done when it has ended.
pub(super) type Job = BoxFuture<'static, ()>;

/// The way to the thread.
#[derive(Debug, Default)]
pub(super) struct Lane {
    slot: Mutex<Slot>,
    news: Condvar,
}

#[derive(Default)]
struct Slot {
    /// Whether the thread waits for a job.
    is_free: bool,
    job: Option<Job>,
    is_closed: bool,
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot")
            .field("is_free", &self.is_free)
            .field("is_closed", &self.is_closed)
            .finish_non_exhaustive()
    }
}

impl Lane {
    /// Whether activities of `runtime` may begin on a thread that is not its own. Those of a runtime with
    /// a single thread stay there: they may count on running one at a time, and a clock that is paused
    /// goes on when that thread has nothing to do.
    pub(super) fn suits(runtime: &Handle) -> bool {
        runtime.runtime_flavor() == RuntimeFlavor::MultiThread
    }

    /// Begins the job at once if the thread is free, and gives it back otherwise.
    pub(super) fn begin(&self, job: Job) -> Result<(), Job> {
        let mut slot = self.lock();
        if !slot.is_free {
            return Err(job);
        }
        slot.is_free = false;
        slot.job = Some(job);
        drop(slot);
        self.news.notify_one();
        Ok(())
    }

    /// The thread: runs until the lane is closed.
    pub(super) fn run(&self, runtime: &Handle) {
        while let Some(mut job) = self.wait() {
            // Not merely entered: what code must not do in an async runtime, it must not do here either.
            let has_ended = runtime.block_on(poll_fn(|context| {
                Poll::Ready(job.as_mut().poll(context).is_ready())
            }));
            if !has_ended {
                runtime.spawn(job);
            }
        }
    }

    /// Lets the thread end with what it has.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.news.notify_one();
    }

    fn wait(&self) -> Option<Job> {
        let mut slot = self.lock();
        slot.is_free = !slot.is_closed;
        let is_idle = |slot: &mut Slot| slot.job.is_none() && !slot.is_closed;
        let mut slot = self
            .news
            .wait_while(slot, is_idle)
            .unwrap_or_else(PoisonError::into_inner);
        slot.is_free = false;
        slot.job.take()
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;
    use std::thread::JoinHandle;
    use std::time::Duration;

    use tokio::runtime::{Builder, Runtime};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn runtime() -> Runtime {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    }

    /// A lane whose thread waits for a job.
    fn lane(runtime: &Runtime) -> (Arc<Lane>, JoinHandle<()>) {
        let lane = Arc::new(Lane::default());
        let (of_thread, handle) = (Arc::clone(&lane), runtime.handle().clone());
        let thread = std::thread::spawn(move || of_thread.run(&handle));
        while !lane.lock().is_free {
            std::thread::yield_now();
        }
        (lane, thread)
    }

    fn begin(lane: &Lane, job: impl Future<Output = ()> + Send + 'static) -> bool {
        lane.begin(Box::pin(job)).is_ok()
    }

    #[test]
    fn a_job_that_waits_goes_on_in_the_runtime() {
        let runtime = runtime();
        let (lane, thread) = lane(&runtime);
        let (sender, threads) = channel();
        assert!(begin(&lane, async move {
            sender.send(std::thread::current().id()).unwrap();
            tokio::time::sleep(Duration::from_millis(1)).await;
            sender.send(std::thread::current().id()).unwrap();
        }));
        let of_lane = thread.thread().id();
        assert_eq!(threads.recv_timeout(PATIENCE).unwrap(), of_lane);
        assert_ne!(threads.recv_timeout(PATIENCE).unwrap(), of_lane);
    }

    #[test]
    fn a_job_that_blocks_keeps_nobody_else() {
        let runtime = runtime();
        let (lane, thread) = lane(&runtime);
        let (sender, receiver) = channel();
        assert!(begin(&lane, async move { receiver.recv().unwrap() }));
        assert!(!begin(&lane, async {}));
        // What it has begun is not given up.
        lane.close();
        sender.send(()).unwrap();
        thread.join().unwrap();
        assert!(!begin(&lane, async {}));
    }

    #[test]
    fn a_job_that_was_taken_is_done_before_the_thread_ends() {
        let runtime = runtime();
        for _ in 0..100 {
            let (lane, thread) = lane(&runtime);
            let (sender, receiver) = channel();
            assert!(begin(&lane, async move { sender.send(()).unwrap() }));
            lane.close();
            thread.join().unwrap();
            receiver.try_recv().unwrap();
        }
    }

    // Otherwise code that is wrong would work on a host with little to do, and nowhere else.
    #[test]
    fn a_job_is_within_the_runtime() {
        let runtime = runtime();
        let (lane, _thread) = lane(&runtime);
        let (sender, receiver) = channel();
        assert!(begin(&lane, async move {
            let spawned = tokio::spawn(async { 7 });
            let other = Handle::current();
            let nested = std::panic::catch_unwind(move || other.block_on(async {}));
            let blocking = tokio::task::block_in_place(|| 8);
            let seen = (spawned.await.unwrap(), nested.is_err(), blocking);
            sender.send(seen).unwrap();
        }));
        assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), (7, true, 8));
    }
}
