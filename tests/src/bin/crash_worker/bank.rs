//! Accounts between which money is moved, and orders that come through a queue.

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

use crate::load::SEED;
use crate::work::{Outcome, ordered, step};

/// How many accounts there are, for all instances.
const ACCOUNTS: u64 = 4;
/// How often one [`transfers()`] moves money.
const TRANSFERS: u64 = 3;
/// The queue of orders.
pub(crate) const ORDERS: &str = "orders";

/// Where money is. That of all accounts adds up to nothing, unless some is lost or doubled.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Account {
    balance: i64,
    postings: u64,
}

#[entity]
impl Account {
    fn post(&mut self, amount: i64) {
        self.balance += amount;
        self.postings += 1;
    }
}

/// Moves money between accounts that others want to lock as well, with an activity in the middle.
#[orchestrator]
pub(crate) async fn transfers(ctx: OrchestrationContext, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let begin = ctx.instance_id().bytes().map(u64::from).sum::<u64>();
    for round in begin..begin + TRANSFERS {
        let [from, to] = [round, round + 1].map(|number| (number % ACCOUNTS).to_string());
        let guard = ctx
            .lock([Account::id(from.as_str()), Account::id(to.as_str())])
            .await?;
        guard.entity::<Account>(from.as_str()).post(-5).await?;
        outcome.add(ctx.call_activity::<step>(outcome.value + seed).await?);
        guard.entity::<Account>(to.as_str()).post(5).await?;
    }
    Ok(outcome)
}

/// An order may be delivered more than once, and starts one instance.
#[durable_client(queue("orders"))]
async fn on_order(client: DurableClient, id: String) -> Result<()> {
    let start = client.start_new::<ordered>(SEED).instance_id(id);
    start.on_existing(OnExisting::Ignore).await?;
    Ok(())
}
