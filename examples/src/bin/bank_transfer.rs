//! A critical section: each transfer locks two accounts, so that nobody sees one of them changed and
//! the other not, however many transfers want the same accounts at the same time.
//!
//! Kill it in the middle and start it again: the transfers that were under way go on with their locks,
//! those that were not begin, and the sum of all accounts is what it always was.

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

const ACCOUNTS: u32 = 10;
const TRANSFERS: u32 = 200;
const OPENING_BALANCE: i64 = 100;

#[derive(Debug, Serialize, Deserialize)]
struct Account {
    balance: i64,
}

#[entity(init = open)]
impl Account {
    fn balance(&self) -> i64 {
        self.balance
    }

    fn deposit(&mut self, amount: i64) {
        self.balance += amount;
    }

    fn withdraw(&mut self, amount: i64) {
        self.balance -= amount;
    }
}

fn open(_: &EntityId) -> Account {
    Account {
        balance: OPENING_BALANCE,
    }
}

/// Returns whether there was enough money.
#[orchestrator]
async fn transfer(
    ctx: OrchestrationContext,
    (from, to, amount): (String, String, i64),
) -> Result<bool> {
    // In whichever order they are named, accounts are locked in one order: two transfers never wait
    // for each other.
    let guard = ctx
        .lock([Account::id(from.as_str()), Account::id(to.as_str())])
        .await?;
    let payer = guard.entity::<Account>(from);
    if payer.balance().await? < amount {
        return Ok(false);
    }
    payer.withdraw(amount).await?;
    guard.entity::<Account>(to).deposit(amount).await?;
    Ok(true)
}

async fn run_transfer(client: &DurableClient, number: u32) -> Result<bool> {
    let account = |number: u32| format!("account-{}", number % ACCOUNTS);
    let from = account(number * 7);
    let to = account(number * 7 + 1 + number % (ACCOUNTS - 1));
    let amount = i64::from(number % 90);
    // One that an earlier run has begun is joined.
    let run = client
        .start_new::<transfer>((from, to, amount))
        .instance_id(format!("transfer-{number}"))
        .on_existing(OnExisting::Ignore)
        .await?;
    Ok(run.output().await?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("BankTransfer")
        .start()
        .await?;
    let client = host.client();
    let outcomes: Vec<_> = stream::iter(0..TRANSFERS)
        .map(|number| run_transfer(&client, number))
        .buffer_unordered(50)
        .try_collect()
        .await?;
    let made = outcomes.iter().filter(|made| **made).count();
    println!("{made} of {TRANSFERS} transfers were made, the others had no cover");
    let mut sum = 0;
    for number in 0..ACCOUNTS {
        let key = format!("account-{number}");
        let account: Option<Account> = client.read_entity_state(Account::id(key.as_str())).await?;
        let balance = account.map_or(OPENING_BALANCE, |account| account.balance);
        println!("{key}: {balance:>4}");
        sum += balance;
    }
    host.shutdown().await?;
    println!("the sum is {sum}");
    Ok(())
}
