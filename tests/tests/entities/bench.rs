//! A host over memory for tests of entities.

use std::future::{Future, IntoFuture};
use std::time::Duration;

use durable_runtime::Orchestrator;
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::support::builder;

/// Longer than anything in a test takes.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Fails the test if it takes so long that it hangs.
pub(crate) async fn within<F: IntoFuture>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future.into_future())
        .await
        .expect("it hangs")
}

/// A host with what a test needs of it.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) host: DurableHost,
    pub(crate) client: DurableClient,
    pub(crate) storage: Memory,
    options: HostOptions,
}

impl Bench {
    pub(crate) async fn start() -> Self {
        Self::with(HostOptions::default()).await
    }

    pub(crate) async fn with(options: HostOptions) -> Self {
        let options = HostOptions {
            replay_check: true,
            ..options
        };
        Self::on(Memory::new(), options).await
    }

    async fn on(storage: Memory, options: HostOptions) -> Self {
        let builder = builder().storage(storage.clone()).options(options.clone());
        let host = within(builder.start()).await.expect("the host starts");
        Self {
            client: host.client(),
            host,
            storage,
            options,
        }
    }

    /// Another host takes over after this one has stopped.
    pub(crate) async fn restart(self) -> Self {
        within(self.host.shutdown()).await.expect("it stops");
        Self::on(self.storage, self.options).await
    }

    pub(crate) async fn output<O: Orchestrator>(&self, input: impl Into<O::Input>) -> O::Output {
        let run = within(self.client.start_new::<O>(input)).await.unwrap();
        within(run.output()).await.unwrap()
    }
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(ask: impl Fn() -> F) -> T {
    within(async {
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await
}
