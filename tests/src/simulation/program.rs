//! What orchestrations are given to do, and what comes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The number of entities that programs work on.
pub const ACCOUNTS: usize = 3;

/// A step of a program. What it adds to the results is the same in every order of things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Calls an activity. Adds what that gives.
    Work(Task),
    /// Calls an activity that fails in any case, and goes on. Adds -1.
    Caught(Task),
    /// Waits for so many milliseconds. Adds nothing.
    Sleep(u64),
    /// Waits for an event that a client raises. Adds its value.
    Wait(Event),
    /// Waits for an event that never comes, for so many milliseconds. Adds -2.
    WaitInVain(u64),
    /// Runs a program as a sub-orchestration. Adds what that gives.
    Sub(Vec<Step>),
    /// Has an entity add something to its balance, and waits for that. Adds nothing.
    Call(Deposit),
    /// Tells an entity to add something to its balance. Adds nothing.
    Signal(Deposit),
    /// Tells an entity to tell another one to add something to its balance. Adds nothing.
    Relay(usize, Deposit),
    /// Tells an entity to add something to its balance, but later. Adds nothing.
    Later(Later),
    /// Moves something from one entity to another in a critical section. Adds nothing.
    Transfer(Transfer),
    /// Does all of these at once. Adds what they add, in their order.
    All(Vec<Step>),
    /// Does this while a timer of so many milliseconds runs, and goes on with what comes first. Adds -3.
    Race(Task, u64),
    /// Continues as new with the steps that come after. Adds nothing. Never in a step of another.
    Again,
}

/// A call of an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Names it among all of the run.
    pub name: String,
    /// What it gives.
    pub value: i64,
    /// How long it takes, in milliseconds.
    pub millis: u64,
    /// How many of its calls fail before one succeeds; the program retries.
    pub failures: u32,
    /// How often its program has to be mended before it succeeds. The program does not retry.
    pub breaks: u32,
}

/// An event that a client raises.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Names it among all of the run.
    pub name: String,
    /// What it carries.
    pub value: i64,
    /// How long after the start of the run it is raised, in milliseconds.
    pub millis: u64,
}

/// Something to be added to a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    /// The number of the entity.
    pub account: usize,
    /// How much.
    pub amount: i64,
}

/// Something to be added later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Later {
    /// The number of another entity that sends it on, if there is one.
    pub via: Option<usize>,
    /// What.
    pub deposit: Deposit,
    /// How long it takes at least, in milliseconds, from when it is sent, or sent on.
    pub millis: u64,
}

/// Something to be moved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// The number of the entity that it is taken from.
    pub from: usize,
    /// The number of the other.
    pub to: usize,
    /// How much.
    pub amount: i64,
    /// What is done before the balances are looked at. If its program has to be mended, the section is left
    /// and entered again.
    pub first: Task,
    /// What is done between looking at the balances and changing them.
    pub task: Task,
}

/// What comes of programs if nothing goes wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// The balances of the entities.
    pub balances: BTreeMap<usize, i64>,
    /// The events that clients are to raise.
    pub events: Vec<Event>,
    /// How often programs have to be mended.
    pub breaks: u32,
}

impl Model {
    /// Runs a program, and gives what it returns.
    pub fn run(&mut self, steps: &[Step]) -> Vec<i64> {
        steps.iter().flat_map(|step| self.step(step)).collect()
    }

    fn step(&mut self, step: &Step) -> Vec<i64> {
        match step {
            Step::Work(task) => {
                self.breaks = self.breaks.max(task.breaks);
                vec![task.value]
            }
            Step::Caught(_) => vec![-1],
            Step::WaitInVain(_) => vec![-2],
            Step::Race(..) => vec![-3],
            Step::Sleep(_) | Step::Again => Vec::new(),
            Step::Wait(event) => {
                self.events.push(event.clone());
                vec![event.value]
            }
            Step::Sub(steps) | Step::All(steps) => self.run(steps),
            Step::Call(deposit)
            | Step::Signal(deposit)
            | Step::Relay(_, deposit)
            | Step::Later(Later { deposit, .. }) => {
                *self.balances.entry(deposit.account).or_default() += deposit.amount;
                Vec::new()
            }
            Step::Transfer(transfer) => {
                self.breaks = self.breaks.max(transfer.first.breaks);
                *self.balances.entry(transfer.from).or_default() -= transfer.amount;
                *self.balances.entry(transfer.to).or_default() += transfer.amount;
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_adds_up() {
        let deposit = |amount| Deposit { account: 1, amount };
        let mut model = Model::default();
        let results = model.run(&[
            Step::WaitInVain(5),
            Step::Signal(deposit(3)),
            Step::Again,
            Step::Sub(vec![Step::Call(deposit(4)), Step::WaitInVain(1)]),
            Step::Later(Later {
                via: Some(0),
                deposit: deposit(5),
                millis: 1,
            }),
        ]);
        assert_eq!(results, [-2, -2]);
        assert_eq!(model.balances, BTreeMap::from([(1, 12)]));
    }
}
