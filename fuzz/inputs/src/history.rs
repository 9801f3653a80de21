//! Histories as they are recorded, and replayed.

use durable_runtime::model::HistoryEvent;
use durable_runtime::testing::{ReplayError, replay_recorded};

/// The JSON of a history, to be replayed on the orchestrators that hosts of fuzzing have. It is
/// refused with a reason, or the code goes through it, each time in the same way; the events that are in it
/// can be written and are the same when they are read again.
///
/// # Panics
///
/// If that does not hold.
pub fn history(bytes: &[u8]) {
    let text = crate::text(bytes);
    let replayed = replay_recorded(&text);
    let again = replay_recorded(&text);
    assert_eq!(format!("{replayed:?}"), format!("{again:?}"), "{text}");
    match replayed {
        Ok(_) => {}
        Err(ReplayError::NotRecorded {
            line,
            column,
            message,
        }) => {
            assert!(!message.is_empty(), "{line}, {column}: {text}");
            // The end of a text that ends with a line break is in a line of its own.
            let last = text.split('\n').count();
            assert!(line <= last, "line {line} of {last}: {text}");
        }
        Err(error) => assert!(!error.to_string().is_empty(), "{text}"),
    }
    if let Ok(events) = serde_json::from_str::<Vec<HistoryEvent>>(&text) {
        let written = serde_json::to_string(&events).expect("what was read can be written");
        let again: Vec<HistoryEvent> =
            serde_json::from_str(&written).expect("what was written can be read");
        assert_eq!(again, events, "{text}");
    }
}

/// A history whose events are well formed and come in any order, as `steps` reads it from the bytes. For it
/// holds what does for every [`history`].
///
/// # Panics
///
/// If that does not hold.
pub fn history_steps(bytes: &[u8]) {
    if let Some(recording) = crate::steps::recording(bytes) {
        history(&recording);
    }
}
