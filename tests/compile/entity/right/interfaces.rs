//! An interface that two entities have, one of them with another one.
#![deny(missing_docs, warnings)]

use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

/// Keeps money.
#[entity]
pub trait Ledger {
    /// Adds an amount.
    fn add(&mut self, amount: i64);
    /// Documented.
    fn balance(&self) -> i64;
    /// Documented.
    ///
    /// # Errors
    ///
    /// None.
    fn audit(
        &mut self,
        ctx: EntityContext,
        auditor: State<String>,
        depth: u8,
    ) -> Result<Vec<String>>;
    /// Documented.
    ///
    /// # Errors
    ///
    /// None.
    async fn close(&mut self, ctx: EntityContext) -> Result<()>;
    /// Documented.
    async fn settle(&mut self) -> i64;
}

#[durable_runtime::entity(crate = durable_runtime)]
trait Named: std::fmt::Debug {
    fn rename(&mut self, name: String);
    #[cfg(any())]
    fn absent(&self, _: Missing);
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Counter {
    value: i64,
    name: String,
}

#[entity]
impl Counter {
    fn reset(&mut self) {
        self.value = 0;
    }
}

#[entity]
impl Ledger for Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }

    fn balance(&self) -> i64 {
        self.value
    }

    fn audit(
        &mut self,
        _: EntityContext,
        State(auditor): State<String>,
        depth: u8,
    ) -> Result<Vec<String>> {
        Ok(vec![auditor.as_ref().clone(); usize::from(depth)])
    }

    async fn close(&mut self, ctx: EntityContext) -> Result<()> {
        std::future::ready(()).await;
        ctx.signal_as::<dyn Named>(ctx.entity_id().clone())
            .rename("closed".to_owned());
        Ok(())
    }

    async fn settle(&mut self) -> i64 {
        self.value
    }
}

#[entity(crate = "::durable_runtime")]
impl Named for Counter {
    fn rename(&mut self, name: String) {
        self.name = name;
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Account(i64);

#[entity]
impl Account {}

#[entity]
impl Ledger for Account {
    fn add(&mut self, amount: i64) {
        self.0 += amount;
    }

    fn balance(&self) -> i64 {
        self.0
    }

    fn audit(&mut self, _: EntityContext, _: State<String>, _: u8) -> Result<Vec<String>> {
        Ok(vec![])
    }

    async fn close(&mut self, _: EntityContext) -> Result<()> {
        Ok(())
    }

    async fn settle(&mut self) -> i64 {
        0
    }
}

#[orchestrator]
async fn transfer(ctx: OrchestrationContext) -> Result<Vec<String>> {
    ctx.signal_as::<dyn Ledger>(Counter::id("a")).add(-1);
    ctx.signal_as::<dyn Ledger>(EntityId::new("Account", "b"))
        .at(ctx.current_utc_datetime())
        .add(1);
    let account = ctx.entity_as::<dyn Ledger>(Account::id("b"));
    let balance: i64 = account.balance().await?;
    account.add(balance).await?;
    account.close().await?;
    ctx.entity_as::<dyn Named>(Counter::id("a"))
        .rename("a".to_owned())
        .await?;
    ctx.entity::<Counter>("a").reset().await?;
    Ok(account.audit(1).await?)
}

fn main() {
    let mut account = Account(0);
    Ledger::add(&mut account, 1);
    account.add(1);
    assert_eq!(account.balance(), 2);
    let _: Option<Box<dyn Ledger>> = None;
}
