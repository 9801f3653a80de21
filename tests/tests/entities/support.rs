//! A host over memory, and the entities that the tests share.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use durable_runtime::host::DurableHostBuilder;
use durable_runtime::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bench::{Bench, until, within};

impl Bench {
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

/// A host for a test.
pub(crate) fn builder() -> DurableHostBuilder {
    DurableHost::builder().state(Greeting("hello".to_owned(), AtomicBool::new(false)))
}

/// What the hosts of the tests inject.
#[derive(Debug)]
pub(crate) struct Greeting(pub(crate) String, pub(crate) AtomicBool);

/// How long a slow addition takes.
pub(crate) const ADDS_IN: Duration = Duration::from_millis(5);

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
        tokio::time::sleep(ADDS_IN).await;
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
