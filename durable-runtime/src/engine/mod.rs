//! Pure: one episode of an orchestration, one batch of an entity, replay, and what a history adds up to. No I/O, no clock.

mod check;
mod entity;
mod live;
mod nondeterminism;
mod replay;
mod rewind;
mod state;

pub(crate) use check::check;
pub(crate) use entity::{EntityBatch, EntityBatchDone, OperationOutcome, needs_runtime, run_batch};
pub(crate) use live::{Completion, Episode, LiveExecution};
pub(crate) use nondeterminism::{NonDeterminism, call_number};
pub(crate) use replay::replay;
pub(crate) use rewind::{rewind, without_refused_step};
pub(crate) use state::{ExecutionState, LockStage, OpenActivity, OpenLock};

use crate::model::{HistoryEvent, HistoryRow};

/// Reads rows of history.
pub(crate) fn decode_history(rows: &[HistoryRow]) -> Result<Vec<HistoryEvent>, String> {
    let mut events = Vec::new();
    for row in rows {
        let mut decoded: Vec<HistoryEvent> = serde_json::from_str(&row.events)
            .map_err(|error| format!("history row {}: {error}", row.sequence))?;
        events.append(&mut decoded);
    }
    Ok(events)
}

/// Writes one row of history.
pub(crate) fn encode_history(events: &[HistoryEvent]) -> String {
    // The types of an event have no value without a JSON form.
    serde_json::to_string(events).unwrap_or_else(|_| "[]".to_owned())
}
