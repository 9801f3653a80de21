//! A host over memory, and what the activities of the tests tell the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::future::IntoFuture;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::Orchestrator;
use durable_runtime::client::{ClientError, OrchestrationRun, OrchestrationStatus};
use durable_runtime::host::HostOptions;
use durable_runtime::model::{EventKind, HistoryEvent};
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, StorageProvider};
use serde_json::Value;
use tokio::sync::watch;

/// Longer than anything in a test takes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Fails the test if it takes so long that it hangs.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future.into_future())
        .await
        .expect("it hangs")
}

pub(crate) fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Shared by the activities and the test.
#[derive(Debug, Clone)]
pub(crate) struct Probe(Arc<watch::Sender<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    calls: BTreeMap<String, u32>,
    open: BTreeSet<String>,
}

impl Probe {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Seen::default())))
    }

    /// Counts a call, and gives its number.
    pub(crate) fn call(&self, key: &str) -> u32 {
        let mut number = 0;
        self.0.send_modify(|seen| {
            let count = seen.calls.entry(key.to_owned()).or_default();
            *count += 1;
            number = *count;
        });
        number
    }

    pub(crate) fn calls(&self, key: &str) -> u32 {
        self.0.borrow().calls.get(key).copied().unwrap_or_default()
    }

    /// Waits until there were `count` calls.
    pub(crate) async fn called(&self, key: &str, count: u32) {
        let enough = |seen: &Seen| seen.calls.get(key).is_some_and(|calls| *calls >= count);
        self.until(enough).await;
    }

    /// Lets those who wait at the gate `key` pass, and all later ones.
    pub(crate) fn open(&self, key: &str) {
        self.0.send_modify(|seen| {
            seen.open.insert(key.to_owned());
        });
    }

    /// Waits at the gate `key`.
    pub(crate) async fn pass(&self, key: &str) {
        self.until(|seen| seen.open.contains(key)).await;
    }

    async fn until(&self, condition: impl FnMut(&Seen) -> bool) {
        let mut seen = self.0.subscribe();
        within(seen.wait_for(condition))
            .await
            .expect("never closed");
    }
}

/// A host with what a test needs of it.
#[derive(Debug)]
pub(crate) struct Bench<S = Memory> {
    pub(crate) host: DurableHost,
    pub(crate) client: DurableClient,
    pub(crate) probe: Probe,
    storage: S,
    options: HostOptions,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        let options = HostOptions {
            // What still waits at a gate when a host stops is run again by the next.
            shutdown_grace: millis(20),
            ..HostOptions::default()
        };
        Self::with(options).await
    }

    pub(crate) async fn with(options: HostOptions) -> Self {
        Self::on(Memory::new(), options).await
    }

    /// With the options as they are: for code that is to be caught by something else than the replay
    /// check, if at all, or that counts how often it runs.
    pub(crate) async fn unchecked(options: HostOptions) -> Self {
        Self::begin(Memory::new(), options, Probe::new()).await
    }
}

impl<S: StorageProvider + Clone> Bench<S> {
    pub(crate) async fn on(storage: S, options: HostOptions) -> Self {
        let options = HostOptions {
            replay_check: true,
            ..options
        };
        Self::begin(storage, options, Probe::new()).await
    }

    async fn begin(storage: S, options: HostOptions, probe: Probe) -> Self {
        let host = DurableHost::builder()
            .storage(storage.clone())
            .state(probe.clone())
            .options(options.clone());
        let host = within(host.start()).await.expect("the host starts");
        Self {
            client: host.client(),
            host,
            probe,
            storage,
            options,
        }
    }

    /// Stops the host in good order and starts another on the same storage.
    pub(crate) async fn restart(self) -> Self {
        let down = self.stop().await;
        down.start().await
    }

    /// Drops the host, as a crash would, and starts another on the same storage.
    pub(crate) async fn crash(self) -> Self {
        let Self {
            host,
            storage,
            options,
            probe,
            ..
        } = self;
        drop(host);
        Self::begin(storage, options, probe).await
    }

    pub(crate) async fn stop(self) -> Stopped<S> {
        within(self.host.shutdown()).await.expect("a clean end");
        Stopped {
            storage: self.storage,
            options: self.options,
            probe: self.probe,
        }
    }

    pub(crate) async fn begin_run<O: Orchestrator>(
        &self,
        input: impl Into<O::Input>,
    ) -> OrchestrationRun<O::Output> {
        let start = self.client.start_new::<O>(input);
        within(start).await.expect("it is started")
    }

    /// Runs an orchestrator to its end.
    pub(crate) async fn run<O: Orchestrator>(
        &self,
        input: impl Into<O::Input>,
    ) -> Result<O::Output, ClientError> {
        within(self.begin_run::<O>(input).await.output()).await
    }

    /// Runs an orchestrator that is to succeed.
    pub(crate) async fn output<O: Orchestrator>(&self, input: impl Into<O::Input>) -> O::Output {
        match self.run::<O>(input).await {
            Ok(output) => output,
            Err(error) => panic!("{} has not succeeded: {error}", O::NAME),
        }
    }

    /// Runs an orchestrator that is to fail.
    pub(crate) async fn failure<O: Orchestrator>(
        &self,
        input: impl Into<O::Input>,
    ) -> durable_runtime::Failure {
        failure_of(self.run::<O>(input).await)
    }

    pub(crate) async fn status(&self, id: &str) -> OrchestrationStatus {
        let status = within(self.client.get_status(id)).await.expect("a status");
        status.expect("the instance is there")
    }

    pub(crate) async fn history(&self, id: &str) -> Vec<HistoryEvent> {
        let query = self.client.get_status(id).with_history_output();
        let status = within(query).await.expect("a status").expect("is there");
        status.history.expect("was asked for")
    }

    /// Waits until the custom status is `wanted`, which shows how far an orchestrator has come.
    pub(crate) async fn reached(&self, id: &str, wanted: impl Into<Value>) {
        let wanted = wanted.into();
        self.until(id, |status| status.custom_status.as_ref() == Some(&wanted))
            .await;
    }

    /// Waits until the status of an instance is as wanted.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&OrchestrationStatus) -> bool) {
        let look = async {
            loop {
                let status = self.client.get_status(id).await.expect("a status");
                if status.as_ref().is_some_and(&wanted) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        within(look).await;
    }

    pub(crate) async fn raise(&self, id: &str, name: &str, data: impl Into<Value>) {
        let raised = self.client.raise_event(id, name, data.into());
        within(raised).await.expect("the event is taken");
    }
}

/// What is left of a [`Bench`] whose host has ended.
#[derive(Debug)]
pub(crate) struct Stopped<S> {
    storage: S,
    options: HostOptions,
    probe: Probe,
}

impl<S: StorageProvider + Clone> Stopped<S> {
    pub(crate) async fn start(self) -> Bench<S> {
        Bench::begin(self.storage, self.options, self.probe).await
    }
}

pub(crate) fn failure_of<T>(result: Result<T, ClientError>) -> durable_runtime::Failure {
    match result {
        Ok(_) => panic!("it has not failed"),
        Err(ClientError::Failed(failure)) => failure,
        Err(error) => panic!("it has not failed, but {error}"),
    }
}

/// Waits until `time` is past.
pub(crate) async fn past(time: DateTime<Utc>) {
    let wait = async {
        while wall_clock() <= time {
            tokio::task::yield_now().await;
        }
    };
    within(wait).await;
}

pub(crate) fn wall_clock() -> DateTime<Utc> {
    Utc::now()
}

/// How many events of a history are of the kind.
pub(crate) fn count(history: &[HistoryEvent], kind: impl Fn(&EventKind) -> bool) -> usize {
    history.iter().filter(|event| kind(&event.kind)).count()
}

/// Counts the call, and returns its input once the test opens the gate of that name.
#[activity]
pub(crate) async fn gated(State(probe): State<Probe>, key: String) -> Result<String> {
    probe.call(&key);
    probe.pass(&key).await;
    Ok(key)
}

/// Counts the call, and returns its number.
#[activity]
pub(crate) async fn counted(State(probe): State<Probe>, key: String) -> Result<u32> {
    Ok(probe.call(&key))
}

/// Counts the call, and fails the first `times` ones.
#[activity]
pub(crate) async fn fails_first(
    State(probe): State<Probe>,
    key: String,
    times: u32,
) -> Result<u32> {
    let number = probe.call(&key);
    if number <= times {
        Err(Error::msg(format!("attempt {number}")))
    } else {
        Ok(number)
    }
}

#[activity]
pub(crate) async fn double(number: i64) -> Result<i64> {
    Ok(number * 2)
}
