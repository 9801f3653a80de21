//! The functions that carry out programs.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use durable_runtime::simulation::{Timekeeper, Witness};
use durable_runtime::{BoxedTask, prelude::*};
use serde::{Deserialize, Serialize};

use super::program::{Deposit, Later, Step, Task, Transfer};

/// What activities have to know of the run. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Workshop {
    state: Arc<Mutex<Tools>>,
}

#[derive(Debug, Default)]
struct Tools {
    /// The calls of each task, in the order in which they came first.
    calls: BTreeMap<String, Vec<String>>,
    /// How often programs were mended, by instance of the root.
    mended: BTreeMap<String, u32>,
}

impl Workshop {
    /// Lets a program go on that has failed.
    pub fn mend(&self, root: &str) {
        *self.lock().mended.entry(root.to_owned()).or_default() += 1;
    }

    fn is_broken(&self, root: &str, task: &Task) -> bool {
        self.lock().mended.get(root).copied().unwrap_or_default() < task.breaks
    }

    /// Counted from 1; the same for one call, however often it is run.
    fn number_of_call(&self, task: &Task, key: String) -> usize {
        let mut tools = self.lock();
        let calls = tools.calls.entry(task.name.clone()).or_default();
        if let Some(place) = calls.iter().position(|known| *known == key) {
            return place + 1;
        }
        calls.push(key);
        calls.len()
    }

    fn lock(&self) -> MutexGuard<'_, Tools> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a program carries from one execution to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Carried {
    /// The instance that the run began with.
    pub root: String,
    /// What is still to be done.
    pub steps: Vec<Step>,
    /// What there is so far.
    pub results: Vec<i64>,
    /// How many deposits the instance has sent to each account.
    pub sent: BTreeMap<usize, u64>,
    /// How many deposits it has sent that come later.
    pub delayed: u64,
}

#[activity]
async fn work(
    call: ActivityContext,
    State(witness): State<Witness>,
    State(time): State<Timekeeper>,
    State(workshop): State<Workshop>,
    (root, task): (String, Task),
) -> Result<i64> {
    witness.ran(&call);
    let number = workshop.number_of_call(&task, call.idempotency_key());
    if task.millis > 0 {
        time.sleep(Duration::from_millis(task.millis)).await;
    }
    if workshop.is_broken(&root, &task) {
        return Err(Error::non_retriable(Error::msg("broken")));
    }
    if number <= task.failures as usize {
        return Err(Error::msg("fails at first"));
    }
    Ok(task.value)
}

/// A balance, and who has added to it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Account {
    /// The sum.
    pub balance: i64,
    /// How many deposits of each sender have come.
    pub came: BTreeMap<String, u64>,
    /// How many deposits were sent on to each account.
    pub relayed: BTreeMap<String, u64>,
    /// How many deposits it has sent on that come later.
    pub relayed_later: u64,
    /// The deposits of each sender that were to come later, and came.
    pub came_later: BTreeMap<String, BTreeSet<u64>>,
    /// What clients have sent, and how often it came.
    pub marks: BTreeMap<u64, u64>,
    /// Deposits that did not come in order, once, and not too early.
    pub disorder: Vec<String>,
}

/// A deposit as it is sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sent {
    /// The instance.
    pub by: String,
    /// Counted from 1, for this receiver.
    pub number: u64,
    /// How much.
    pub amount: i64,
}

/// What is sent with a time before which it must not come.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Delayed<T> {
    /// What.
    pub what: T,
    /// The time.
    pub not_before: DateTime<Utc>,
}

#[entity]
impl Account {
    fn add(&mut self, sent: Sent) {
        self.take_note(&sent);
        self.balance += sent.amount;
    }

    fn relay(&mut self, ctx: EntityContext, (sent, to): (Sent, String)) {
        self.take_note(&sent);
        let number = self.relayed.entry(to.clone()).or_default();
        *number += 1;
        let relayed = Sent {
            by: ctx.entity_id().to_string(),
            number: *number,
            amount: sent.amount,
        };
        ctx.signal::<Self>(to).add(relayed);
    }

    fn relay_later(&mut self, ctx: EntityContext, time: State<Timekeeper>, to_come: ToRelay) {
        let ToRelay { sent, to, millis } = to_come;
        self.take_note(&sent);
        self.relayed_later += 1;
        let not_before = time.now() + Duration::from_millis(millis);
        let relayed = Sent {
            by: ctx.entity_id().to_string(),
            number: self.relayed_later,
            amount: sent.amount,
        };
        let what = Delayed {
            what: relayed,
            not_before,
        };
        ctx.signal::<Self>(to).at(not_before).add_later(what);
    }

    fn add_later(&mut self, time: State<Timekeeper>, delayed: Delayed<Sent>) {
        let sent = self.on_time(&time, delayed);
        let came = self.came_later.entry(sent.by.clone()).or_default();
        if !came.insert(sent.number) {
            let Sent { by, number, .. } = sent;
            let disorder = format!("the later deposit {number} of {by} comes again");
            self.disorder.push(disorder);
        }
        self.balance += sent.amount;
    }

    fn mark(&mut self, time: State<Timekeeper>, number: Delayed<u64>) {
        let number = self.on_time(&time, number);
        *self.marks.entry(number).or_default() += 1;
    }

    fn balance(&self) -> i64 {
        self.balance
    }

    fn set_balance(&mut self, balance: i64) {
        self.balance = balance;
    }
}

impl Account {
    fn take_note(&mut self, sent: &Sent) {
        let came = self.came.entry(sent.by.clone()).or_default();
        if sent.number != *came + 1 {
            // Noted, not told: what a host does that has lost the partition counts for nothing.
            let Sent { by, number, .. } = sent;
            let disorder = format!("deposit {number} of {by} comes after {came} of them");
            self.disorder.push(disorder);
        }
        *came = sent.number;
    }

    fn on_time<T: fmt::Debug>(&mut self, time: &Timekeeper, delayed: Delayed<T>) -> T {
        let Delayed { what, not_before } = delayed;
        if time.now() < not_before {
            let early = not_before - time.now();
            let disorder = format!("{what:?} comes {early} before its time");
            self.disorder.push(disorder);
        }
        what
    }
}

/// A deposit to be sent on, to come later.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ToRelay {
    /// As it is sent.
    pub sent: Sent,
    /// The key of the account that is to have it.
    pub to: String,
    /// How much later, in milliseconds.
    pub millis: u64,
}

#[orchestrator]
pub(super) async fn interpret(ctx: OrchestrationContext, carried: Carried) -> Result<Vec<i64>> {
    let Carried {
        root,
        steps,
        mut results,
        sent,
        delayed,
    } = carried;
    let progress = Progress {
        ctx: ctx.clone(),
        root,
        sent: Rc::new(RefCell::new(sent)),
        delayed: Rc::new(Cell::new(delayed)),
    };
    let mut steps = steps.into_iter();
    while let Some(step) = steps.next() {
        if step == Step::Again {
            let next = Carried {
                root: progress.root.clone(),
                steps: steps.collect(),
                results,
                sent: progress.sent.borrow().clone(),
                delayed: progress.delayed.get(),
            };
            return ctx.continue_as_new(next);
        }
        results.append(&mut carry_out(progress.clone(), step).await?);
    }
    Ok(results)
}

/// Sends itself one event after the other, and needs nobody for that, not even storage. Returns 0.
#[orchestrator]
pub(super) async fn talk_to_oneself(ctx: OrchestrationContext, mut left: u32) -> Result<u32> {
    const OF_ONE_EXECUTION: u32 = 16;
    for _ in 0..OF_ONE_EXECUTION.min(left) {
        ctx.send_event(ctx.instance_id(), "word", left);
        let heard = ctx.wait_for_external_event::<u32>("word").await?;
        if heard != left {
            return Ok(left);
        }
        left -= 1;
    }
    if left == 0 {
        return Ok(0);
    }
    ctx.continue_as_new(left)
}

#[derive(Debug, Clone)]
struct Progress {
    ctx: OrchestrationContext,
    root: String,
    sent: Rc<RefCell<BTreeMap<usize, u64>>>,
    delayed: Rc<Cell<u64>>,
}

impl Progress {
    /// The next deposit for an account.
    fn next(&self, deposit: Deposit) -> Sent {
        let mut sent = self.sent.borrow_mut();
        let number = sent.entry(deposit.account).or_default();
        *number += 1;
        Sent {
            by: self.sender(),
            number: *number,
            amount: deposit.amount,
        }
    }

    /// The next deposit that comes later.
    fn next_delayed(&self, amount: i64) -> Sent {
        self.delayed.set(self.delayed.get() + 1);
        Sent {
            by: self.sender(),
            number: self.delayed.get(),
            amount,
        }
    }

    /// Another one when an instance is started again, which has another root.
    fn sender(&self) -> String {
        format!("{} of {}", self.ctx.instance_id(), self.root)
    }
}

#[deterministic]
async fn carry_out(progress: Progress, step: Step) -> Result<Vec<i64>> {
    let ctx = &progress.ctx;
    let task = |task: Task| (progress.root.clone(), task);
    Ok(match step {
        Step::Work(what) => {
            let attempts = what.failures + 1;
            let retry = RetryPolicy::new(attempts, Duration::from_millis(700));
            let done = ctx.call_activity::<work>(task(what)).retry(retry);
            vec![done.await?]
        }
        Step::Caught(what) => {
            let what = Task {
                failures: u32::MAX,
                breaks: 0,
                ..what
            };
            match ctx.call_activity::<work>(task(what)).await {
                Ok(value) => vec![value],
                Err(_) => vec![-1],
            }
        }
        Step::Sleep(millis) => {
            ctx.sleep(Duration::from_millis(millis)).await;
            Vec::new()
        }
        Step::Wait(event) => vec![ctx.wait_for_external_event::<i64>(&event.name).await?],
        Step::WaitInVain(millis) => {
            let event = ctx.wait_for_external_event::<i64>("never");
            let came = event.timeout(Duration::from_millis(millis)).await?;
            vec![came.unwrap_or(-2)]
        }
        Step::Sub(steps) => {
            let carried = Carried {
                root: progress.root.clone(),
                steps,
                ..Carried::default()
            };
            ctx.call_sub_orchestrator::<interpret>(carried).await?
        }
        Step::Call(deposit) => {
            let sent = progress.next(deposit);
            ctx.entity::<Account>(account(deposit.account))
                .add(sent)
                .await?;
            Vec::new()
        }
        Step::Signal(deposit) => {
            let sent = progress.next(deposit);
            ctx.signal::<Account>(account(deposit.account)).add(sent);
            Vec::new()
        }
        Step::Relay(via, deposit) => {
            let sent = progress.next(Deposit {
                account: via,
                amount: deposit.amount,
            });
            let via = ctx.signal::<Account>(account(via));
            via.relay((sent, account(deposit.account)));
            Vec::new()
        }
        Step::Later(later) => {
            send_later(&progress, later);
            Vec::new()
        }
        Step::Transfer(transfer) => move_amount(&progress, transfer).await?,
        Step::All(steps) => {
            let all = steps.into_iter().map(|step| {
                let done: BoxedTask<'static, Result<Vec<i64>>> =
                    Box::pin(carry_out(progress.clone(), step));
                done
            });
            when_all(all).await?.concat()
        }
        Step::Race(what, millis) => {
            let runners: Vec<BoxedTask<'_, Result<i64>>> = vec![
                Box::pin(async { Ok(ctx.call_activity::<work>(task(what)).await?) }),
                Box::pin(async {
                    ctx.sleep(Duration::from_millis(millis)).await;
                    Ok(0)
                }),
            ];
            let (_, first, _) = when_any(runners).await;
            first?;
            vec![-3]
        }
        Step::Again => Vec::new(),
    })
}

#[deterministic]
fn send_later(progress: &Progress, later: Later) {
    let ctx = &progress.ctx;
    let Later {
        via,
        deposit,
        millis,
    } = later;
    let to = account(deposit.account);
    if let Some(via) = via {
        let sent = progress.next(Deposit {
            account: via,
            amount: deposit.amount,
        });
        let to_relay = ToRelay { sent, to, millis };
        ctx.signal::<Account>(account(via)).relay_later(to_relay);
    } else {
        let not_before = ctx.current_utc_datetime() + Duration::from_millis(millis);
        let delayed = Delayed {
            what: progress.next_delayed(deposit.amount),
            not_before,
        };
        ctx.signal::<Account>(to).at(not_before).add_later(delayed);
    }
}

#[deterministic]
async fn move_amount(progress: &Progress, transfer: Transfer) -> Result<Vec<i64>> {
    let ctx = &progress.ctx;
    let (from, to) = (account(transfer.from), account(transfer.to));
    let both = [Account::id(from.as_str()), Account::id(to.as_str())];
    let guard = ctx.lock(both).await?;
    let first = (progress.root.clone(), transfer.first);
    ctx.call_activity::<work>(first).await?;
    let of_first = guard.entity::<Account>(from.as_str()).balance().await?;
    let of_second = guard.entity::<Account>(to.as_str()).balance().await?;
    let what = (progress.root.clone(), transfer.task);
    ctx.call_activity::<work>(what).await?;
    // Whoever changes a balance in between is undone, and the sums are not right.
    let amount = transfer.amount;
    guard
        .entity::<Account>(from.as_str())
        .set_balance(of_first - amount)
        .await?;
    guard
        .entity::<Account>(to.as_str())
        .set_balance(of_second + amount)
        .await?;
    Ok(Vec::new())
}

/// The key of an account.
pub fn account(number: usize) -> String {
    format!("account-{number}")
}
