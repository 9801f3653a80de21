//! A task hub in a file, which one program after the other is deployed to.

use std::future::IntoFuture;
use std::time::Duration;

use durable_runtime::Failure;
use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::host::{DurableHostBuilder, HostOptions};
use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;
use tempfile::TempDir;

/// Fails the test if it takes so long that it hangs.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future.into_future())
        .await
        .expect("it hangs")
}

/// What outlives the programs.
#[derive(Debug)]
pub(crate) struct Hub(TempDir);

impl Hub {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// Starts a program with the functions that `register` adds.
    pub(crate) async fn deploy(
        &self,
        register: impl FnOnce(DurableHostBuilder) -> DurableHostBuilder,
    ) -> Program {
        let options = HostOptions {
            partition_count: 1,
            ..HostOptions::default()
        };
        let storage = Sqlite::open(self.0.path().join("hub.db")).unwrap();
        let builder = DurableHost::builder().storage(storage).options(options);
        let host = within(register(builder.without_discovery()).start()).await;
        let host = host.unwrap();
        Program {
            client: host.client(),
            host,
        }
    }
}

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) client: DurableClient,
    host: DurableHost,
}

impl Program {
    pub(crate) async fn stop(self) {
        within(self.host.shutdown()).await.unwrap();
    }

    /// Starts an instance, which need not be of a function that this program has a type for.
    pub(crate) async fn begin(&self, name: &str, id: &str, input: serde_json::Value) {
        let start = self.client.start_new_by_name(name, input);
        within(start.instance_id(id)).await.unwrap();
    }

    /// Waits until the instance has set its custom status.
    pub(crate) async fn reached(&self, id: &str, custom_status: &str) {
        within(async {
            loop {
                let status = self.client.get_status(id).await.unwrap().unwrap();
                if status.custom_status.is_some_and(|set| set == custom_status) {
                    return;
                }
                assert!(!status.runtime_status.has_ended(), "{:?}", status.failure);
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
        .await;
    }

    pub(crate) async fn raise(&self, id: &str, event: &str) {
        within(self.client.raise_event(id, event, ()))
            .await
            .unwrap();
    }

    /// Raises an event for an instance that cannot be brought back by this program: it fails, and whoever
    /// raised the event is told.
    pub(crate) async fn raise_in_vain(&self, id: &str, event: &str) -> Failure {
        let refused = within(self.client.raise_event(id, event, ())).await;
        assert!(
            matches!(refused, Err(ClientError::NotRunning { .. })),
            "{refused:?}"
        );
        self.failure(id).await
    }

    /// Waits for the output.
    pub(crate) async fn output(&self, id: &str) -> serde_json::Value {
        let ended = self.client.wait_for_completion(id, Duration::from_secs(20));
        let status = ended.await.unwrap();
        assert_eq!(
            status.runtime_status,
            RuntimeStatus::Completed,
            "{:?}",
            status.failure
        );
        status.output.unwrap()
    }

    /// Waits for the failure.
    pub(crate) async fn failure(&self, id: &str) -> Failure {
        let ended = self.client.wait_for_completion(id, Duration::from_secs(20));
        let status = ended.await.unwrap();
        assert_eq!(status.runtime_status, RuntimeStatus::Failed, "{status:?}");
        status.failure.unwrap()
    }

    /// How many calls of activities the history has.
    pub(crate) async fn calls(&self, id: &str) -> usize {
        let status = self.client.get_status(id).with_history().await.unwrap();
        let events = status.and_then(|status| status.history).unwrap();
        let is_call = |kind: &EventKind| matches!(kind, EventKind::TaskScheduled { .. });
        events.iter().filter(|event| is_call(&event.kind)).count()
    }
}

/// Checks that `message` says all of this.
#[track_caller]
pub(crate) fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
}

/// Checks that a client was told all of this about a value that does not fit.
#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(read: Result<T, ClientError>, parts: &[&str]) {
    let error = read.unwrap_err();
    assert!(
        matches!(error, ClientError::Serialization { .. }),
        "{error:?}"
    );
    says(&error.to_string(), parts);
}
