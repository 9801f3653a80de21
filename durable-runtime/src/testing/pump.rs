//! Runs the simulation as a task of the test's runtime, on the thread of the test: live orchestrators
//! never leave it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::desk::Desk;
use super::simulation::Simulation;
use super::time::VirtualTime;

thread_local! {
    /// The simulations of this thread.
    static SIMULATIONS: RefCell<BTreeMap<u64, Simulation>> = const { RefCell::new(BTreeMap::new()) };
}

/// A simulation of this thread. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Pump {
    number: u64,
    desk: Arc<Desk>,
    time: VirtualTime,
    limit: Duration,
}

/// How many turns all tasks of the runtime get before it is taken that what they do at this time is done.
const TURNS: usize = 8;

impl Pump {
    pub(super) fn new(simulation: Simulation, time: VirtualTime, limit: Duration) -> Self {
        let desk = Arc::clone(&simulation.desk);
        let number = SIMULATIONS.with_borrow_mut(|simulations| {
            let number = simulations.last_key_value().map_or(0, |(last, _)| last + 1);
            simulations.insert(number, simulation);
            number
        });
        Self {
            number,
            desk,
            time,
            limit,
        }
    }

    /// Runs until the host is dropped.
    pub(super) async fn run(self) {
        while !self.desk.is_closed() {
            self.gather().await;
            let now = self.time.now();
            let Some(next) = self.with(|simulation| match simulation.turn(now) {
                Ok(_) if simulation.is_restless() => Err(simulation.standstill(self.limit)),
                Ok(next) => Ok(next),
                Err(error) => Err(error.to_string()),
            }) else {
                return;
            };
            let next = match next {
                Ok(next) => next,
                // What is in the partitions goes with this, and whoever waits for its answer is told.
                Err(why) => return self.desk.close(why),
            };
            if self.desk.waiting() > 0 {
                continue;
            }
            if self.time.elapsed() >= self.limit {
                if let Some(why) = self.with(|simulation| simulation.standstill(self.limit)) {
                    self.desk.stand_still(why);
                }
                self.desk.news().await;
                continue;
            }
            tokio::select! {
                () = self.desk.news() => {}
                () = self.time.sleep_until(next, self.limit) => {}
            }
        }
    }

    /// Lets all other tasks come as far as they can at this time.
    async fn gather(&self) {
        let mut waiting = self.desk.waiting();
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let now_waiting = self.desk.waiting();
            if now_waiting == waiting {
                return;
            }
            waiting = now_waiting;
        }
    }

    /// `None` if the simulation is gone.
    fn with<T>(&self, call: impl FnOnce(&mut Simulation) -> T) -> Option<T> {
        SIMULATIONS.with_borrow_mut(|simulations| simulations.get_mut(&self.number).map(call))
    }
}

impl Drop for Pump {
    fn drop(&mut self) {
        // Dropped after the borrow has ended: what it holds may be code of the test.
        let gone = SIMULATIONS.try_with(|simulations| {
            let mut simulations = simulations.try_borrow_mut().ok()?;
            simulations.remove(&self.number)
        });
        drop(gone);
    }
}
