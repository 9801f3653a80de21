//! A host over memory, and the entities that the tests share.

use std::future::{Future, IntoFuture};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use durable_runtime::Orchestrator;
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

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
    storage: Memory,
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
        let builder = DurableHost::builder()
            .storage(storage.clone())
            .state(Greeting("hello".to_owned(), AtomicBool::new(false)))
            .options(options.clone());
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

    pub(crate) async fn state<T: DeserializeOwned>(&self, id: EntityId) -> Option<T> {
        within(self.client.read_entity_state(id)).await.unwrap()
    }

    /// Waits until the state of an entity is as wanted.
    pub(crate) async fn until<T: DeserializeOwned>(
        &self,
        id: EntityId,
        is_wanted: impl Fn(Option<&T>) -> bool,
    ) -> Option<T> {
        until(async || {
            let state = self.state::<T>(id.clone()).await;
            is_wanted(state.as_ref()).then_some(state)
        })
        .await
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

/// What the hosts of the tests inject.
#[derive(Debug)]
pub(crate) struct Greeting(pub(crate) String, pub(crate) AtomicBool);

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    pub(crate) value: i64,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }

    fn get(&self) -> i64 {
        self.value
    }

    async fn add_slowly(&mut self, amount: i64) -> Result<i64> {
        tokio::time::sleep(Duration::from_millis(5)).await;
        self.value += amount;
        Ok(self.value)
    }

    fn withdraw(&mut self, amount: i64) -> Result<i64, Overdrawn> {
        self.value -= amount;
        if self.value < 0 {
            return Err(Overdrawn { by: -self.value });
        }
        Ok(self.value)
    }

    fn panics(&mut self) {
        self.value += 1_000;
        panic!("of no use");
    }

    fn greet(&self, greeting: State<Greeting>, name: String) -> String {
        format!("{} {name}", greeting.0.0)
    }

    fn forget(&mut self, ctx: EntityContext) {
        ctx.delete_state();
    }

    fn is_new(&self, ctx: EntityContext) -> bool {
        ctx.is_newly_constructed()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[error("overdrawn by {by}")]
pub(crate) struct Overdrawn {
    pub(crate) by: i64,
}

/// Notes what it is told, in order.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Notes {
    pub(crate) texts: Vec<String>,
}

#[entity]
impl Notes {
    fn add(&mut self, text: String) {
        self.texts.push(text);
    }

    /// Tells others, and then fails if it is to.
    fn forward(&mut self, ctx: EntityContext, (to, fails): (String, bool)) -> Result<()> {
        self.texts.push(format!("to {to}"));
        ctx.signal::<Notes>(to.as_str())
            .add(format!("from {}", ctx.entity_id()));
        ctx.start_new::<crate::signals::notes_its_start>(to);
        if fails {
            return Err(Error::msg("changed its mind"));
        }
        Ok(())
    }
}
