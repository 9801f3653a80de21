//! Orchestrations that clients hold, end and delete while they run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use durable_runtime::client::{
    ClientError, InstanceQuery, OnExisting, OrchestrationRun, OrchestrationStatus, RuntimeStatus,
};
use durable_runtime::prelude::*;
use durable_runtime::simulation::{Timekeeper, Witness};
use futures_util::TryStreamExt as _;

use super::generator::Generator;
use super::interpreter::{Carried, interpret};
use super::program::{Model, Step};
use super::scenario::is_passing;

/// What is done to an instance, and how it goes on.
#[derive(Debug)]
pub(super) struct Fate {
    /// What it runs until it is ended.
    pub(super) first: Life,
    /// What is started under its id afterwards.
    pub(super) second: Life,
    /// When it is held.
    suspended_after: Option<Duration>,
    /// How long after that it goes on; if it does not, it is ended as it is.
    resumed_after: Option<Duration>,
    /// When it is ended.
    terminated_after: Duration,
    /// Whether its descendants are to end with it.
    recursive: bool,
    /// Whether it is deleted before it is started again.
    purged: bool,
    /// Whether the other one is started in its place, whether it has ended or not.
    replaced: bool,
}

/// A program, and what comes of it if it is left alone.
#[derive(Debug)]
pub(super) struct Life {
    steps: Vec<Step>,
    wanted: Vec<i64>,
    /// Whether it waits for what nobody raises.
    never_ends: bool,
}

impl Life {
    fn new(steps: Vec<Step>) -> Self {
        let mut model = Model::default();
        let wanted = model.run(&steps);
        Self {
            steps,
            wanted,
            never_ends: !model.events.is_empty(),
        }
    }
}

impl Fate {
    /// Of those that `generator` can think of.
    pub(super) fn new(generator: &mut Generator, seed: u64) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed.rotate_left(17));
        let mut soon = |millis: u64| Duration::from_millis(rng.u64(..millis));
        let (suspended, resumed, terminated) = (soon(20_000), soon(10_000), soon(40_000));
        let mut second = generator.expendable_program();
        second.retain(|step| !waits(step));
        Self {
            first: Life::new(generator.expendable_program()),
            second: Life::new(second),
            suspended_after: rng.bool().then_some(suspended),
            resumed_after: rng.bool().then_some(resumed),
            terminated_after: terminated,
            recursive: rng.bool(),
            purged: rng.bool(),
            replaced: rng.u32(..3) == 0,
        }
    }
}

/// Whether there is an event in it that a client would have to raise.
fn waits(step: &Step) -> bool {
    match step {
        Step::Wait(_) => true,
        Step::Sub(steps) | Step::All(steps) => steps.iter().any(waits),
        _ => false,
    }
}

/// Whoever does that to an instance.
#[derive(Debug, Clone)]
pub(super) struct Victim {
    pub(super) id: String,
    pub(super) client: DurableClient,
    pub(super) time: Timekeeper,
    pub(super) witness: Witness,
    /// Whether it is to stay as it is, or need not go on any more.
    pub(super) may_stay: Arc<AtomicBool>,
    /// Whether all is done.
    pub(super) is_over: Arc<AtomicBool>,
}

/// What clients know of what they have asked for.
#[derive(Debug, Default)]
struct Asked {
    /// The reasons given that may yet become effective, or may have.
    reasons: Vec<String>,
    /// Whether a start may yet become effective.
    uncertain_start: bool,
    /// Whether all is answered for.
    uncertain_end: bool,
}

type Run = OrchestrationRun<Vec<i64>>;

/// How an instance has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Returned(Vec<i64>),
    Terminated(String),
}

impl Victim {
    pub(super) async fn live(self, fate: Fate) {
        let mut asked = Asked::default();
        let on_existing = Some(OnExisting::Ignore);
        let Some(run) = self.start(&fate.first, 1, on_existing, &mut asked).await else {
            return;
        };
        self.hold(&fate).await;
        self.time.sleep(fate.terminated_after).await;
        if fate.replaced {
            self.may_stay.store(false, Ordering::Relaxed);
            self.is_there().await;
            let on_existing = Some(OnExisting::Restart);
            return self.start_again(&fate, on_existing, &mut asked).await;
        }
        self.terminate(&fate, &mut asked).await;
        self.may_stay.store(false, Ordering::Relaxed);
        let Some(end) = self.end(&run, &fate.first, &asked).await else {
            return;
        };
        let is_terminated = matches!(end, End::Terminated(_));
        let have_all_ended = !is_terminated || fate.recursive && !asked.uncertain_end;
        if have_all_ended {
            self.expect_no_descendants("run", |one| !one.runtime_status.has_ended())
                .await;
        }
        self.time.sleep(Duration::from_secs(30)).await;
        if self.end(&run, &fate.first, &asked).await.as_ref() != Some(&end) {
            self.complain(format_args!(
                "has ended as {end:?}, and then in another way"
            ));
        }
        if asked.uncertain_start {
            // It might come while another one is expected.
            return;
        }
        if fate.purged && !self.purge(have_all_ended).await {
            return;
        }
        let on_existing = fate.purged.then_some(OnExisting::Error);
        self.start_again(&fate, on_existing, &mut asked).await;
    }

    /// What was asked for before may still hold it.
    pub(super) async fn resume_until_over(self) {
        while !self.is_over.load(Ordering::Relaxed) {
            self.time.sleep(Duration::from_secs(7)).await;
            if let Ok(Some(status)) = self.client.get_status(self.id.as_str()).await
                && status.runtime_status == RuntimeStatus::Suspended
                && !self.may_stay.load(Ordering::Relaxed)
            {
                let _ = self.client.resume(self.id.as_str(), "go on").await;
            }
        }
    }

    /// `None` if an attempt of which nothing was known has come through, or might: one more could replace what
    /// that has started, in the same commit, and its activities would run with nothing to be seen of them.
    async fn start(
        &self,
        life: &Life,
        number: u32,
        on_existing: Option<OnExisting>,
        asked: &mut Asked,
    ) -> Option<Run> {
        let mut attempts = 0;
        loop {
            let carried = Carried {
                // Whatever it sends is told apart from what is sent by any other one.
                root: format!("{}#{number}.{attempts}", self.id),
                steps: life.steps.clone(),
                ..Carried::default()
            };
            let start = self.client.start_new::<interpret>(carried);
            let mut start = start.instance_id(self.id.as_str());
            if let Some(on_existing) = on_existing {
                start = start.on_existing(on_existing);
            }
            match start.await {
                Ok(run) => return Some(run),
                Err(ClientError::AlreadyExists { .. }) if attempts > 0 => return None,
                Err(error) if on_existing.is_none() && is_passing(&error) => return None,
                Err(error) => self.retry(&error).await,
            }
            attempts += 1;
            asked.uncertain_start = true;
        }
    }

    /// Holds it, and may let it go on.
    async fn hold(&self, fate: &Fate) {
        let Some(after) = fate.suspended_after else {
            return;
        };
        let may_stay = fate.resumed_after.is_none();
        self.may_stay.store(may_stay, Ordering::Relaxed);
        self.time.sleep(after).await;
        // Whether it has ended before is open, as is whether this comes at all.
        let _ = self.client.suspend(self.id.as_str(), "wait").await;
        if let Some(after) = fate.resumed_after {
            self.time.sleep(after).await;
            let _ = self.client.resume(self.id.as_str(), "go on").await;
        }
    }

    async fn terminate(&self, fate: &Fate, asked: &mut Asked) {
        for attempt in 1.. {
            let reason = format!("{} is not wanted ({attempt})", self.id);
            asked.reasons.push(reason.clone());
            let terminate = self.client.terminate(self.id.as_str(), reason);
            let told = if fate.recursive {
                terminate.recursive().await
            } else {
                terminate.await
            };
            match told {
                Ok(()) => return,
                Err(ClientError::NotRunning { .. }) => {
                    if attempt == 1 {
                        asked.reasons.clear();
                    }
                    return;
                }
                Err(error) => self.retry(&error).await,
            }
            asked.uncertain_end = true;
        }
    }

    /// Waits for the commit with which it begins. If it were replaced in the same one, its activities would run
    /// with nothing to be seen of them.
    async fn is_there(&self) {
        while !matches!(self.client.get_status(self.id.as_str()).await, Ok(Some(_))) {
            self.time.sleep(Duration::from_millis(300)).await;
        }
    }

    /// How it ends, if that is as it should be.
    async fn end(&self, run: &Run, life: &Life, asked: &Asked) -> Option<End> {
        let end = loop {
            match run.output().await {
                Ok(output) => break End::Returned(output),
                Err(ClientError::Terminated(reason)) => break End::Terminated(reason),
                Err(error @ ClientError::Failed(_)) => {
                    self.complain(format_args!("has ended in another way: {error}"));
                    return None;
                }
                Err(error) => self.retry(&error).await,
            }
        };
        let is_right = match &end {
            End::Returned(output) => *output == life.wanted && !life.never_ends,
            End::Terminated(reason) => asked.reasons.contains(reason),
        };
        if !is_right {
            let Life {
                wanted, never_ends, ..
            } = life;
            self.complain(format_args!(
                "has ended as {end:?} in place of {wanted:?} (waits for ever: {never_ends}), or for {:?}",
                asked.reasons
            ));
        }
        is_right.then_some(end)
    }

    /// Returns whether it is certain that no other one is deleted instead, later.
    async fn purge(&self, have_all_ended: bool) -> bool {
        let mut attempts = 0;
        loop {
            match self.client.purge(self.id.as_str()).await {
                Ok(()) => break,
                Err(ClientError::InstanceNotFound { .. }) if attempts > 0 => break,
                Err(ClientError::InstanceNotFound { .. }) => {
                    self.complain(format_args!("was there, and is not to be purged"));
                    break;
                }
                Err(error) => self.retry(&error).await,
            }
            attempts += 1;
        }
        // It waits in the inbox where there is no owner.
        loop {
            match self.client.get_status(self.id.as_str()).await {
                Ok(None) => break,
                Ok(Some(_)) => {}
                Err(error) => self.retry(&error).await,
            }
            self.time.sleep(Duration::from_millis(500)).await;
        }
        if have_all_ended {
            self.expect_no_descendants("are left", |_| true).await;
        }
        self.time.sleep(Duration::from_secs(30)).await;
        if let Ok(Some(status)) = self.client.get_status(self.id.as_str()).await {
            let status = status.runtime_status;
            self.complain(format_args!("was purged, and is {status}"));
        }
        attempts == 0
    }

    async fn start_again(&self, fate: &Fate, on_existing: Option<OnExisting>, asked: &mut Asked) {
        if !asked.uncertain_end {
            // It was carried out before, so it has nothing to do with this one.
            asked.reasons.clear();
        }
        let Some(run) = self.start(&fate.second, 2, on_existing, asked).await else {
            return;
        };
        let end = self.end(&run, &fate.second, asked).await;
        // The last attempt of several may be carried out after all is done.
        if end.is_none() || asked.uncertain_start || asked.uncertain_end {
            return;
        }
        self.time.sleep(Duration::from_secs(30)).await;
        if self.end(&run, &fate.second, asked).await != end {
            self.complain(format_args!(
                "was started again and has ended as {end:?}, and then in another way"
            ));
        }
    }

    /// Of those that descend from it, in the end none is as `is_wrong` says.
    async fn expect_no_descendants(
        &self,
        what: &str,
        is_wrong: impl Fn(&OrchestrationStatus) -> bool,
    ) {
        let mut wrong = Vec::new();
        for _ in 0..120 {
            if let Ok(found) = self.descendants().await {
                let found = found.into_iter().filter(&is_wrong);
                wrong = found.map(|one| one.instance_id).collect();
                if wrong.is_empty() {
                    return;
                }
            }
            self.time.sleep(Duration::from_secs(2)).await;
        }
        self.complain(format_args!("is gone, and descendants {what}: {wrong:?}"));
    }

    async fn descendants(&self) -> Result<Vec<OrchestrationStatus>, ClientError> {
        let all = self.client.list_instances(InstanceQuery::new()).stream();
        let mut others: Vec<_> = all.try_collect().await?;
        let (mut found, mut parents) = (Vec::new(), vec![self.id.clone()]);
        while let Some(parent) = parents.pop() {
            let is_child = |one: &mut OrchestrationStatus| one.parent.as_ref() == Some(&parent);
            for child in others.extract_if(.., is_child) {
                parents.push(child.instance_id.clone());
                found.push(child);
            }
        }
        Ok(found)
    }

    async fn retry(&self, error: &ClientError) {
        if !is_passing(error) {
            self.complain(format_args!("has a client that was told: {error}"));
        }
        self.time.sleep(Duration::from_millis(300)).await;
    }

    fn complain(&self, what: std::fmt::Arguments<'_>) {
        self.witness.complain(format!("{} {what}", self.id));
    }
}
