//! Repeating an episode by a replay, right after it ran and before anything of it takes place.

use chrono::{DateTime, Utc};

use super::Partition;
use super::cache::{corrupt, first_input};
use super::instance::Instance;
use crate::engine::{self, Episode};
use crate::model::{EventKind, Failure, HistoryEvent, HistoryRow};

/// The history of an execution as it would be loaded. Empty while `replay_check` is off.
#[derive(Debug, Default)]
pub(super) struct KeptHistory {
    events: Vec<HistoryEvent>,
    /// How many of the steps come from storage, where other code may have written them.
    loaded_steps: usize,
}

impl KeptHistory {
    pub(super) fn loaded(events: Vec<HistoryEvent>) -> Self {
        let is_step = |event: &&HistoryEvent| event.kind == EventKind::OrchestratorStarted;
        Self {
            loaded_steps: events.iter().filter(is_step).count(),
            events,
        }
    }
}

impl Instance {
    /// Keeps what is written to the history, until the instance has ended.
    pub(super) fn keep(&mut self, rows: &[HistoryRow]) {
        if self.reset_history || self.has_ended() {
            self.kept = KeptHistory::default();
        }
        if !self.has_ended() {
            // Read back from what is written, as it would be after a restart.
            let events = engine::decode_history(rows).unwrap_or_default();
            self.kept.events.extend(events);
        }
    }
}

impl Partition {
    /// The episode that has just run, if a replay does the same; else one that has failed.
    pub(super) fn checked(
        &self,
        instance: &mut Instance,
        time: DateTime<Utc>,
        episode: Episode,
    ) -> Episode {
        if let Some(engine::Completion::NonDeterministic(_)) = episode.completion {
            return episode;
        }
        match self.check(instance, time, &episode) {
            Ok(()) => episode,
            Err(failure) => Episode::non_deterministic(failure),
        }
    }

    fn check(
        &self,
        instance: &mut Instance,
        time: DateTime<Utc>,
        episode: &Episode,
    ) -> Result<(), Failure> {
        let actions = episode.actions.actions.iter().cloned();
        let mut step = instance.arrived.clone();
        step.push(HistoryEvent::new(time, EventKind::OrchestratorStarted));
        step.extend(actions.map(|action| HistoryEvent::new(time, action)));
        let row = HistoryRow {
            sequence: instance.next_row,
            events: engine::encode_history(&step),
        };
        let step = engine::decode_history(&[row]).map_err(|problem| corrupt(&problem))?;
        let before = if instance.reset_history {
            KeptHistory::default()
        } else {
            std::mem::take(&mut instance.kept)
        };
        let recorded = before.events.len();
        let mut history = before.events;
        history.extend(step);
        let again = first_input(&history).and_then(|input| self.begin_with(instance, input));
        let result = match again {
            Some(mut again) => engine::check(&mut again, &history, before.loaded_steps, episode),
            // It has begun a moment ago, so there is a beginning.
            None => Ok(()),
        };
        history.truncate(recorded);
        instance.kept = KeptHistory {
            events: history,
            ..before
        };
        result
    }
}
