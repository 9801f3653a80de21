//! Compensation: money is debited from one account and credited to another; when the credit fails,
//! it is refunded.
//!
//! The accounts are in `transfer_funds.json`, where everybody begins with 100. Every step moves
//! money from one entry to another, `in transit` being one of them, so the total is 400 at any
//! moment. Kill the program whenever you like, look at the file, and start it again.
//!
//! An activity is run *at least* once: when the program is killed after the money has moved and
//! before that is recorded, it is run again. So each movement is posted under the key of its call, and
//! what is posted already is not posted twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::prelude::*;
use serde::{Deserialize, Serialize};

const IN_TRANSIT: &str = "in transit";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Transfer {
    from: String,
    to: String,
    amount: u64,
}

#[activity]
fn debit(ctx: ActivityContext, ledger: State<Ledger>, transfer: Transfer) -> Result<()> {
    ledger.post(&ctx, &transfer.from, IN_TRANSIT, transfer.amount)
}

#[activity]
fn credit(ctx: ActivityContext, ledger: State<Ledger>, transfer: Transfer) -> Result<()> {
    ledger.post(&ctx, IN_TRANSIT, &transfer.to, transfer.amount)
}

#[activity]
fn refund(ctx: ActivityContext, ledger: State<Ledger>, transfer: Transfer) -> Result<()> {
    ledger.post(&ctx, IN_TRANSIT, &transfer.from, transfer.amount)
}

#[orchestrator]
async fn transfer_funds(ctx: OrchestrationContext, transfer: Transfer) -> Result<String> {
    let Transfer { from, to, amount } = transfer.clone();
    if let Err(error) = ctx.call_activity::<debit>(transfer.clone()).await {
        return Ok(format!("{from} -> {to}, {amount}: {error}"));
    }
    if let Err(error) = ctx.call_activity::<credit>(transfer.clone()).await {
        ctx.call_activity::<refund>(transfer).await?;
        return Ok(format!("{from} -> {to}, {amount}: {error}; refunded"));
    }
    Ok(format!("{from} -> {to}, {amount}: done"))
}

/// Carries out one transfer after the other, each as an orchestration of its own.
#[orchestrator]
async fn transfer_all(ctx: OrchestrationContext, transfers: Vec<Transfer>) -> Result<Vec<String>> {
    let mut reports = Vec::new();
    for transfer in transfers {
        reports.push(
            ctx.call_sub_orchestrator::<transfer_funds>(transfer)
                .await?,
        );
    }
    Ok(reports)
}

#[tokio::main]
async fn main() -> Result<()> {
    let host = DurableHost::builder()
        .task_hub("TransferFunds")
        .state(Ledger::open("transfer_funds.json")?)
        .start()
        .await?;
    let client = host.client();
    let transfers = [
        ("alice", "bob", 30),
        ("bob", "carol", 20),
        ("carol", "nobody", 50),
        ("dave", "alice", 1_000),
        ("carol", "alice", 10),
    ];
    // If the last run of this program was killed, its orchestration is there and is joined.
    let run = client
        .start_new::<transfer_all>(transfers.map(Transfer::from))
        .instance_id("transfer-funds")
        .on_existing(OnExisting::Ignore)
        .await?;
    let reports = run.output().await;
    client.purge(run.id()).await?;
    host.shutdown().await?;
    for report in reports? {
        println!("{report}");
    }
    let balances = Book::read("transfer_funds.json")?.balances;
    for (account, balance) in &balances {
        println!("{account:>10}: {balance:>4}");
    }
    println!("{:>10}: {:>4}", "total", balances.values().sum::<u64>());
    Ok(())
}

impl From<(&str, &str, u64)> for Transfer {
    fn from((from, to, amount): (&str, &str, u64)) -> Self {
        Self {
            from: from.to_owned(),
            to: to.to_owned(),
            amount,
        }
    }
}

/// A small bank.
struct Ledger {
    file: PathBuf,
    /// Held while the file is read, changed and written.
    lock: Mutex<()>,
}

#[derive(Serialize, Deserialize)]
struct Book {
    balances: BTreeMap<String, u64>,
    posted: BTreeSet<String>,
}

impl Ledger {
    fn open(file: impl Into<PathBuf>) -> Result<Self> {
        let file = file.into();
        if !file.try_exists()? {
            let mut balances = BTreeMap::from([(IN_TRANSIT.to_owned(), 0)]);
            balances.extend(["alice", "bob", "carol", "dave"].map(|name| (name.to_owned(), 100)));
            let posted = BTreeSet::new();
            Book { balances, posted }.write(&file)?;
        }
        let lock = Mutex::new(());
        Ok(Self { file, lock })
    }

    /// Moves money, once for each call of an activity. The money and the key are written together.
    fn post(&self, call: &ActivityContext, from: &str, to: &str, amount: u64) -> Result<()> {
        let key = call.idempotency_key();
        // It takes its time, so that there is a middle in which to kill it.
        std::thread::sleep(Duration::from_millis(50));
        {
            let _held = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            let mut book = Book::read(&self.file)?;
            if book.posted.insert(key) {
                book.move_money(from, to, amount)?;
                book.write(&self.file)?;
                println!("{}: {amount} from {from} to {to}", call.name());
            } else {
                println!("{}: has been posted already", call.name());
            }
        }
        std::thread::sleep(Duration::from_millis(50));
        Ok(())
    }
}

impl Book {
    fn move_money(&mut self, from: &str, to: &str, amount: u64) -> Result<()> {
        let no_account = |name| Error::non_retriable(format!("there is no account of {name}"));
        let available = self.balances.get(from).ok_or_else(|| no_account(from))?;
        let rest = available.checked_sub(amount).ok_or_else(|| {
            Error::non_retriable(format!("{from} has only {available}, not {amount}"))
        })?;
        let target = self.balances.get_mut(to).ok_or_else(|| no_account(to))?;
        *target += amount;
        self.balances.insert(from.to_owned(), rest);
        Ok(())
    }

    fn read(file: impl Into<PathBuf>) -> io::Result<Self> {
        Ok(serde_json::from_reader(File::open(file.into())?)?)
    }

    /// The file is replaced as a whole: whoever is killed meanwhile leaves the old one or the new.
    fn write(&self, file: &PathBuf) -> io::Result<()> {
        let new = file.with_extension("new");
        let mut writer = File::create(&new)?;
        serde_json::to_writer_pretty(&mut writer, self)?;
        writer.flush()?;
        writer.sync_all()?;
        fs::rename(new, file)
    }
}
