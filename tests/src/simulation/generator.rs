//! Makes programs from a seed.

use fastrand::Rng;

use super::program::{ACCOUNTS, Deposit, Event, Later, Step, Task, Transfer};

/// Makes the programs of a run.
#[derive(Debug)]
pub struct Generator {
    rng: Rng,
    names: u32,
    /// Whether the program fails until it is mended. One that does waits for no events: clients cannot raise
    /// them while it has failed.
    breaks: bool,
    /// Whether the program may be broken off anywhere, and nobody else notices: what it adds and moves is
    /// nothing.
    is_expendable: bool,
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Root,
    /// In a sub-orchestration of this depth.
    Sub(u32),
    /// Beside others.
    Beside(u32),
}

impl Place {
    fn depth(self) -> u32 {
        match self {
            Self::Root => 0,
            Self::Sub(depth) | Self::Beside(depth) => depth,
        }
    }
}

impl Generator {
    /// What it makes depends on nothing but `seed`.
    pub fn new(seed: u64) -> Self {
        Self {
            rng: Rng::with_seed(seed),
            names: 0,
            breaks: false,
            is_expendable: false,
        }
    }

    /// A program.
    pub fn program(&mut self) -> Vec<Step> {
        self.breaks = self.rng.u32(..4) == 0;
        self.is_expendable = false;
        let count = self.rng.usize(2..8);
        self.steps(count, Place::Root)
    }

    /// A program that may be broken off at any point, and leaves all balances as they were.
    pub fn expendable_program(&mut self) -> Vec<Step> {
        self.breaks = false;
        self.is_expendable = true;
        let count = self.rng.usize(2..8);
        self.steps(count, Place::Root)
    }

    fn steps(&mut self, count: usize, place: Place) -> Vec<Step> {
        (0..count).map(|_| self.step(place)).collect()
    }

    fn step(&mut self, place: Place) -> Step {
        loop {
            let step = match self.rng.u32(..16) {
                0 | 1 => Step::Work(self.task()),
                2 => Step::Caught(self.task()),
                3 => Step::Sleep(self.millis()),
                4 | 5 if place.depth() == 0 && !self.breaks => Step::Wait(self.event()),
                // Clients raise events for orchestrations that they know. Here nobody does, and what waits
                // has to be ended with the rest.
                4 if self.is_expendable => Step::Wait(self.event()),
                6 => Step::WaitInVain(self.millis()),
                7 if place.depth() < 2 => {
                    let count = self.rng.usize(1..4);
                    Step::Sub(self.steps(count, Place::Sub(place.depth() + 1)))
                }
                8 => Step::Call(self.deposit()),
                9 => Step::Signal(self.deposit()),
                // In a critical section nothing else is done, such as what stands beside.
                10 if !matches!(place, Place::Beside(_)) => Step::Transfer(self.transfer()),
                11 if !matches!(place, Place::Beside(_)) => {
                    let count = self.rng.usize(2..5);
                    Step::All(self.steps(count, Place::Beside(place.depth())))
                }
                12 => {
                    let millis = self.millis();
                    Step::Race(self.harmless_task(), millis)
                }
                13 if !matches!(place, Place::Beside(_)) => Step::Again,
                14 => {
                    let deposit = self.deposit();
                    let via = (deposit.account + self.rng.usize(1..ACCOUNTS)) % ACCOUNTS;
                    Step::Relay(via, deposit)
                }
                15 => Step::Later(self.later()),
                _ => continue,
            };
            return step;
        }
    }

    fn task(&mut self) -> Task {
        let mut task = self.harmless_task();
        match self.rng.u32(..4) {
            0 => task.failures = self.rng.u32(1..3),
            1 if self.breaks => task.breaks = self.rng.u32(1..3),
            _ => {}
        }
        task
    }

    fn harmless_task(&mut self) -> Task {
        Task {
            name: self.name("task"),
            value: self.rng.i64(..1_000),
            millis: self.millis(),
            failures: 0,
            breaks: 0,
        }
    }

    fn event(&mut self) -> Event {
        Event {
            name: self.name("event"),
            value: self.rng.i64(..1_000),
            millis: self.rng.u64(..60_000),
        }
    }

    fn deposit(&mut self) -> Deposit {
        Deposit {
            account: self.rng.usize(..ACCOUNTS),
            amount: self.amount(),
        }
    }

    fn amount(&mut self) -> i64 {
        let amount = self.rng.i64(1..100);
        if self.is_expendable { 0 } else { amount }
    }

    fn later(&mut self) -> Later {
        Later {
            via: self.rng.bool().then(|| self.rng.usize(..ACCOUNTS)),
            deposit: self.deposit(),
            millis: self.millis(),
        }
    }

    fn transfer(&mut self) -> Transfer {
        let from = self.rng.usize(..ACCOUNTS);
        Transfer {
            from,
            to: (from + self.rng.usize(1..ACCOUNTS)) % ACCOUNTS,
            amount: self.amount(),
            first: Task {
                failures: 0,
                ..self.task()
            },
            task: self.harmless_task(),
        }
    }

    /// At once, soon, or later than a lease lasts.
    fn millis(&mut self) -> u64 {
        match self.rng.u32(..6) {
            0 | 1 => 0,
            2..=4 => self.rng.u64(..2_000),
            _ => self.rng.u64(..20_000),
        }
    }

    fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{what}-{}", self.names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_the_same_programs_and_another_one_others() {
        let programs = |seed| {
            let mut generator = Generator::new(seed);
            [generator.program(), generator.program()]
        };
        assert_eq!(programs(1), programs(1));
        assert_ne!(programs(1), programs(2));
    }
}
