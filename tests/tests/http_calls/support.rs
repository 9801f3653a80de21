//! A host that makes HTTP calls, and what the tests ask it.

use std::future::IntoFuture;
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::Failure;
use durable_runtime::client::{ClientError, OrchestrationRun};
use durable_runtime::host::{DurableHostBuilder, HostOptions};
use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse, HttpCallOptions};
use durable_runtime::model::{EventKind, HistoryEvent};
use durable_runtime::prelude::*;
use durable_runtime::storage::{Memory, StorageProvider};

/// Fails the test if it takes so long that it hangs.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(60), future.into_future())
        .await
        .expect("it hangs")
}

/// Waits until `attempt` gives something.
pub(crate) async fn eventually<T>(mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    within(async {
        loop {
            look.tick().await;
            if let Some(found) = attempt().await {
                return found;
            }
        }
    })
    .await
}

/// Makes the call that it is given.
#[orchestrator]
pub(crate) async fn call(
    ctx: OrchestrationContext,
    request: DurableHttpRequest,
) -> Result<DurableHttpResponse> {
    Ok(ctx.call_http(request).await?)
}

/// Polls that need not wait for the default interval.
pub(crate) fn quick() -> HttpCallOptions {
    HttpCallOptions {
        poll_interval: Duration::ZERO,
        ..HttpCallOptions::default()
    }
}

pub(crate) fn builder(storage: impl StorageProvider) -> DurableHostBuilder {
    DurableHost::builder()
        .storage(storage)
        .http_calls(quick())
        .options(HostOptions {
            replay_check: true,
            shutdown_grace: Duration::from_millis(20),
            ..HostOptions::default()
        })
}

/// A host over memory.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) host: DurableHost,
    pub(crate) client: DurableClient,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::of(builder(Memory::new())).await
    }

    pub(crate) async fn of(builder: DurableHostBuilder) -> Self {
        let host = within(builder.start()).await.expect("the host starts");
        Self {
            client: host.client(),
            host,
        }
    }

    pub(crate) async fn begin(
        &self,
        request: DurableHttpRequest,
    ) -> OrchestrationRun<DurableHttpResponse> {
        within(self.client.start_new::<call>(request))
            .await
            .unwrap()
    }

    /// The answer to a request.
    pub(crate) async fn response(&self, request: DurableHttpRequest) -> DurableHttpResponse {
        within(self.begin(request).await.output()).await.unwrap()
    }

    /// Why there is no answer: of the call, not of the orchestration that made it.
    pub(crate) async fn failure(&self, request: DurableHttpRequest) -> Failure {
        match within(self.begin(request).await.output()).await {
            Err(ClientError::Failed(failure)) => failure.inner().expect("of the call").clone(),
            other => panic!("it has not failed: {other:?}"),
        }
    }

    pub(crate) async fn history(&self, id: &str) -> Vec<HistoryEvent> {
        let query = self.client.get_status(id).with_history_output();
        let status = within(query).await.expect("a status").expect("is there");
        status.history.expect("was asked for")
    }

    /// The timer that an orchestration waits for: when it was made, and when it is due.
    pub(crate) async fn timer(&self, id: &str) -> (DateTime<Utc>, DateTime<Utc>) {
        eventually(async || {
            let status = self.client.get_status(id).with_history().await.unwrap();
            let history = status.and_then(|status| status.history)?;
            let last = history.last()?;
            match last.kind {
                EventKind::TimerCreated { fire_at, .. } => Some((last.timestamp, fire_at)),
                _ => None,
            }
        })
        .await
    }
}
