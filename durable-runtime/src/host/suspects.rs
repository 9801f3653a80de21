//! Activities that may have taken their process down, at the last attempt that they have.
//!
//! Whatever was running when a process ended is suspected, the guilty and the innocent alike. So that
//! the innocent are not given up with the guilty, the last attempts run one at a time: each of them
//! that ends well is cleared, and only the one that takes the process down again is counted.

use std::collections::VecDeque;

use crate::model::{ExecutionId, PartitionId, TaskId};
use crate::partition::{ActivityWork, Confirmation};

/// Names a call of an activity.
pub(crate) type CallKey = (ExecutionId, TaskId);

/// The last attempts of a host.
#[derive(Debug)]
pub(crate) struct Suspects {
    /// Which attempt is the last.
    max_attempts: u32,
    current: Option<Suspect>,
    waiting: VecDeque<ActivityWork>,
}

#[derive(Debug)]
struct Suspect {
    key: CallKey,
    partition: PartitionId,
    /// Whether it runs; until then it can be lost with its partition.
    runs: bool,
}

impl Suspects {
    pub(crate) fn new(max_attempts: u32) -> Self {
        Self {
            max_attempts,
            current: None,
            waiting: VecDeque::new(),
        }
    }

    /// Gives `work` back if it may go on now, and keeps it until its turn otherwise.
    pub(crate) fn admit(
        &mut self,
        work: ActivityWork,
        partition: PartitionId,
    ) -> Option<ActivityWork> {
        if work.confirmation == Confirmation::Given {
            let key = (work.lineage, work.task);
            if let Some(current) = self.current.as_mut().filter(|current| current.key == key) {
                current.runs = true;
            }
            return Some(work);
        }
        if work.confirmation == Confirmation::NotNeeded || work.attempt < self.max_attempts {
            return Some(work);
        }
        if self.current.is_some() {
            self.waiting.push_back(work);
            return None;
        }
        self.current = Some(Suspect {
            key: (work.lineage, work.task),
            partition,
            runs: false,
        });
        Some(work)
    }

    /// A call has ended or is not wanted. Gives the suspect whose turn it is then.
    pub(crate) fn ended(&mut self, key: CallKey) -> Option<ActivityWork> {
        self.next_if(|current| current.key == key)
    }

    /// A partition is lost, and with it what does not run yet.
    pub(crate) fn lost(&mut self, partition: PartitionId) -> Option<ActivityWork> {
        self.next_if(|current| current.partition == partition && !current.runs)
    }

    /// Takes out those who wait and whom `is_unwanted` tells.
    pub(crate) fn take_unwanted(
        &mut self,
        is_unwanted: impl Fn(&ActivityWork) -> bool,
    ) -> VecDeque<ActivityWork> {
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (unwanted, wanted) = waiting.partition(is_unwanted);
        self.waiting = wanted;
        unwanted
    }

    fn next_if(&mut self, is_over: impl Fn(&Suspect) -> bool) -> Option<ActivityWork> {
        if !self.current.as_ref().is_some_and(is_over) {
            return None;
        }
        self.current = None;
        self.waiting.pop_front()
    }
}
