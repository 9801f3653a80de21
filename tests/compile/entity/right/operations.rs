//! Every shape of an operation.
#![deny(missing_docs, warnings, non_camel_case_types)]

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// A service of the host.
#[derive(Debug)]
pub struct Rates(i64);

/// What was added.
#[derive(Debug, Serialize, Deserialize)]
pub struct Amount {
    value: i64,
}

/// Why nothing was added.
#[derive(Debug, Serialize, Deserialize, thiserror::Error)]
#[error("too much")]
pub struct TooMuch;

#[derive(Serialize, Deserialize)]
struct Private;

/// Counts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Counter {
    value: i64,
}

#[entity]
impl Counter {
    /// Not an operation.
    pub const LIMIT: i64 = 100;

    /// Not an operation either.
    pub fn starting_at(value: i64) -> Self {
        Self { value }
    }

    /// Adds.
    ///
    /// And does more.
    pub fn add(&mut self, amount: i64) {
        self.value += amount;
    }

    fn get(&self) -> i64 {
        self.value
    }

    fn twice(&self) -> Option<Self> {
        Some(Self::starting_at(self.value * 2))
    }

    fn add_all(&mut self, (a, Amount { value }): (i64, Amount)) -> Result<i64, TooMuch> {
        self.value += a + value;
        if self.value > Self::LIMIT {
            Err(TooMuch)
        } else {
            Ok(self.value)
        }
    }

    fn with_context(&mut self, ctx: EntityContext) -> Result<bool> {
        ctx.signal::<Counter>("other").add(1);
        ctx.signal::<Counter>("other").at(chrono::Utc::now()).get();
        ctx.signal_entity(Counter::id("k"), "add", 1);
        Ok(ctx.is_newly_constructed())
    }

    fn with_states(
        &mut self,
        ctx: EntityContext,
        State(rates): State<Rates>,
        _: State<String>,
        amount: i64,
    ) {
        self.value += rates.0 * amount;
        ctx.delete_state();
    }

    fn r#type(&self, r#match: String, _: EntityContext) -> String {
        r#match
    }

    async fn reset(&mut self, ctx: EntityContext) -> Result<()> {
        std::future::ready(()).await;
        self.value = 0;
        ctx.start_new::<orchestration>(());
        Ok(())
    }

    async fn value(&self, _: u8) -> i64 {
        std::future::ready(self.value).await
    }

    async fn nothing(&self) {}

    #[cfg(any())]
    fn absent(&self, _: Missing) {}

    #[cfg(not(any()))]
    fn present(&self) -> durable_runtime::Result<Vec<Self>> {
        Ok(vec![])
    }

    fn of_a_private_type(&mut self, private: Private) -> Private {
        private
    }

    fn delete(&mut self) {}
}

#[derive(Serialize, Deserialize)]
struct Account {
    owner: String,
}

#[entity(name = "bank-account", init = Account::first, crate = durable_runtime)]
impl Account {
    fn first(id: &EntityId) -> Self {
        Self {
            owner: id.key().to_owned(),
        }
    }

    fn owner(&self) -> String {
        self.owner.clone()
    }
}

#[orchestrator]
async fn orchestration(ctx: OrchestrationContext) -> Result<i64> {
    ctx.signal::<Counter>("k").add(1);
    ctx.signal::<Counter>("k")
        .at(ctx.current_utc_datetime())
        .add_all((1, Amount { value: 1 }));
    let counter = ctx.entity::<Counter>("k");
    let _: Option<Counter> = counter.twice().await?;
    let _: bool = counter.with_context().await?;
    counter.with_states(1).await?;
    counter.reset().await?;
    counter.nothing().await?;
    counter.present().await?;
    let _: String = counter.r#type("a".to_owned()).await?;
    let _: String = ctx
        .entity::<Account>("a")
        .owner()
        .retry(RetryPolicy::new(3, std::time::Duration::ZERO))
        .await?;
    match counter.add_all((1, Amount { value: 2 })).await {
        Err(failed) if failed.is::<TooMuch>() => {}
        other => drop(other?),
    }
    ctx.call_entity::<()>(Counter::id("k"), "delete", ())
        .await?;
    let both = join!(ctx.entity::<Counter>("k").get(), counter.value(1));
    Ok(ctx.entity::<Counter>("k").get().await? + both.0?)
}

macro_rules! entity_of {
    ($name:ident, $ty:ty) => {
        #[derive(Default, Serialize, Deserialize)]
        struct $name($ty);

        #[entity]
        impl $name {
            fn set(&mut self, value: $ty) -> $ty {
                std::mem::replace(&mut self.0, value)
            }
        }
    };
}

entity_of!(Flag, Option<bool>);

fn main() {
    #[derive(Default, Serialize, Deserialize)]
    struct Local;

    #[entity]
    impl Local {
        async fn ping(&self) -> Option<u8> {
            None
        }
    }

    assert_eq!(Local::id("a"), EntityId::new("local", "a"));
    assert_eq!(Flag::id("a"), EntityId::new("FLAG", "a"));
    Flag(None).set(None);
    let mut counter = Counter::starting_at(1);
    counter.add(1);
    assert_eq!(counter.get(), 2);
    assert_eq!(Counter::id("K").to_string(), "@counter@K");
    assert_eq!(Account::id("a").to_string(), "@bank-account@a");
}
