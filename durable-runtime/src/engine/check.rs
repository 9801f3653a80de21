//! Running an execution again right after one of its steps, to see whether it does the same.
//!
//! The code is the same as a moment ago, so more is compared than in a [replay](super::replay): what
//! calls were given, when timers are due, which timers were cancelled, the custom status, and the
//! end. A payload is compared as the value that it holds: a hash map has its keys in another order
//! each time, and no reader of JSON minds.

use super::live::{Completion, Episode, LiveExecution};
use super::nondeterminism::{Difference, FoundBy, beginning, describe, describe_wholly, ending};
use super::replay::{Recorded, both_sides, episodes, first_difference, is_same_call, repeat};
use crate::model::{EventKind, Failure, HistoryEvent, Payload};

/// Runs `again`, which has just begun, through `history`, whose last step is the one that has just
/// run and did what `ran` says. The first `of_others` steps were loaded, and may have been taken by
/// other code: of those only the calls are compared.
///
/// # Errors
///
/// [`Failure::NON_DETERMINISTIC`] if the code did anything else than before.
pub(crate) fn check(
    again: &mut LiveExecution,
    history: &[HistoryEvent],
    of_others: usize,
    ran: &Episode,
) -> Result<(), Failure> {
    let (episodes, _) = episodes(history);
    let last = episodes.len().saturating_sub(1);
    for (index, recorded) in episodes.into_iter().enumerate() {
        let (recorded, episode) = repeat(again, recorded);
        let expected = (index == last).then_some(ran);
        let difference = if is_refused(&episode) {
            // It did nothing; why that is says more.
            None
        } else if index < of_others {
            compare_calls(&recorded, &episode)
        } else {
            compare_actions(&recorded, &episode)
        };
        let difference = difference.or_else(|| compare_end(expected, &episode));
        if let Some((history, code)) = difference {
            let difference = Difference {
                history,
                code,
                found_by: FoundBy::Check,
                misfit: None,
            };
            return Err(again.difference(difference).failure());
        }
    }
    Ok(())
}

/// The sides of a difference: what the history has, and what the code did.
type Sides = Option<(String, String)>;

fn compare_calls(recorded: &Recorded<'_>, episode: &Episode) -> Sides {
    let done = &episode.actions.actions;
    let at = first_difference(&recorded.actions, done, is_same_call)?;
    let recorded = recorded.actions.get(at).copied();
    Some(both_sides(recorded, done.get(at), describe))
}

fn compare_actions(recorded: &Recorded<'_>, episode: &Episode) -> Sides {
    let done = &episode.actions.actions;
    let at = first_difference(&recorded.actions, done, is_same_action)?;
    let recorded = recorded.actions.get(at).copied();
    Some(both_sides(recorded, done.get(at), describe_wholly))
}

fn is_refused(episode: &Episode) -> bool {
    matches!(episode.completion, Some(Completion::NonDeterministic(_)))
}

/// Compares how a step ended. Of one that is not the last it is known that the code went on waiting.
fn compare_end(ran: Option<&Episode>, again: &Episode) -> Sides {
    let ended = ran.and_then(|ran| ran.completion.as_ref());
    if !is_same_end(ended, again.completion.as_ref()) {
        return Some((that(ended), ending(again.completion.as_ref())));
    }
    let (ran, again) = (&ran?.actions, &again.actions);
    if ran.cancelled_timers != again.cancelled_timers {
        let list = |episode: &[crate::model::TaskId]| {
            let ids: Vec<_> = episode.iter().map(|id| format!("#{id}")).collect();
            match ids.as_slice() {
                [] => "no timer".to_owned(),
                ids => format!("the timers {}", ids.join(", ")),
            }
        };
        let history = format!("that the code cancelled {}", list(&ran.cancelled_timers));
        return Some((
            history,
            format!("cancelled {}", list(&again.cancelled_timers)),
        ));
    }
    // One that is set only while the code does not repeat itself is a side effect, as logging is.
    let (Some(status), Some(other)) = (&ran.custom_status, &again.custom_status) else {
        return again
            .custom_status
            .as_ref()
            .map(|status| status_sides(None, status));
    };
    (!is_same_payload(status, other)).then(|| status_sides(Some(status), other))
}

fn status_sides(ran: Option<&Payload>, again: &Payload) -> (String, String) {
    let history = match ran {
        Some(status) => format!("the custom status {}", beginning(status)),
        None => "no custom status of this step".to_owned(),
    };
    let code = format!("set the custom status {}", beginning(again));
    (history, code)
}

fn that(ended: Option<&Completion>) -> String {
    format!("that the code {}", ending(ended))
}

fn is_same_action(one: &EventKind, other: &EventKind) -> bool {
    let is_same_data = match (one, other) {
        (
            EventKind::TaskScheduled { input: one, .. },
            EventKind::TaskScheduled { input: other, .. },
        )
        | (EventKind::EventSent { data: one, .. }, EventKind::EventSent { data: other, .. }) => {
            is_same_payload(one, other)
        }
        (
            EventKind::SubOrchestrationCreated {
                version: one_version,
                input: one,
                ..
            },
            EventKind::SubOrchestrationCreated {
                version: other_version,
                input: other,
                ..
            },
        ) => one_version == other_version && is_same_payload(one, other),
        _ => one == other,
    };
    let is_same_receiver = match (one, other) {
        (
            EventKind::EventSent { instance: one, .. },
            EventKind::EventSent {
                instance: other, ..
            },
        ) => one == other,
        _ => true,
    };
    is_same_data && is_same_receiver && is_same_call(one, other)
}

fn is_same_payload(one: &Payload, other: &Payload) -> bool {
    one == other || one.to_value() == other.to_value()
}

fn is_same_end(one: Option<&Completion>, other: Option<&Completion>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(Completion::Completed(one)), Some(Completion::Completed(other))) => {
            is_same_payload(one, other)
        }
        (Some(Completion::Failed(one)), Some(Completion::Failed(other))) => {
            is_same_failure(one, other)
        }
        (
            Some(Completion::ContinuedAsNew {
                request: one,
                events: one_events,
            }),
            Some(Completion::ContinuedAsNew {
                request: other,
                events: other_events,
            }),
        ) => {
            one.version == other.version
                && one.discard_events == other.discard_events
                && is_same_payload(&one.input, &other.input)
                && one_events == other_events
        }
        _ => false,
    }
}

fn is_same_failure(one: &Failure, other: &Failure) -> bool {
    // As JSON, because the serialized errors in them are payloads.
    one == other
        || matches!(
            (Payload::encode(one), Payload::encode(other)),
            (Ok(one), Ok(other)) if is_same_payload(&one, &other)
        )
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::context::OrchestrationContext;
    use crate::context::core::Identity;
    use crate::model::{ExecutionId, InstanceId, Payload, TaskFailed, TaskId};
    use crate::registry::OrchestratorFunction;
    use crate::registry::code::{Output, WithoutInput};

    type Returned = Result<(), TaskFailed>;

    fn begin(function: OrchestratorFunction) -> LiveExecution {
        let identity = Identity {
            instance: InstanceId::new("instance").unwrap(),
            execution: ExecutionId(uuid::Uuid::nil()),
            name: "test".to_owned(),
            version: None,
            parent: None,
            max_payload_bytes: 1_000,
        };
        LiveExecution::begin(function, identity, Payload::null(), DateTime::UNIX_EPOCH)
    }

    async fn calls(ctx: OrchestrationContext, inputs: &[&str]) -> Returned {
        for input in inputs {
            let call = ctx.call_activity_by_name::<()>("call", input);
            call.await?;
        }
        Ok(())
    }

    /// A history in which two calls were made, of which the first has returned.
    fn history() -> Vec<HistoryEvent> {
        let called = |id, input| EventKind::TaskScheduled {
            id: TaskId(id),
            name: "call".to_owned(),
            input: Payload::encode(input).unwrap(),
        };
        let returned = EventKind::TaskCompleted {
            id: TaskId(0),
            result: Payload::null(),
        };
        let events = [
            EventKind::OrchestratorStarted,
            called(0, "one"),
            returned,
            EventKind::OrchestratorStarted,
            called(1, "two"),
        ];
        let at = DateTime::UNIX_EPOCH;
        events.map(|event| HistoryEvent::new(at, event)).into()
    }

    fn waiting() -> Episode {
        Episode {
            actions: crate::context::core::EpisodeActions::default(),
            completion: None,
        }
    }

    const fn function(code: &'static WithoutInput<Returned>) -> OrchestratorFunction {
        OrchestratorFunction {
            version: None,
            code,
        }
    }

    const SAME: OrchestratorFunction = function(&WithoutInput {
        function: &|ctx: OrchestrationContext| calls(ctx, &["one", "two"]),
        output: Output::<Returned>::OF,
        details: |_| None,
    });
    const OTHER_INPUT: OrchestratorFunction = function(&WithoutInput {
        function: &|ctx: OrchestrationContext| calls(ctx, &["1", "two"]),
        output: Output::<Returned>::OF,
        details: |_| None,
    });

    /// Steps of this process are compared whole, those that were loaded as far as any replay does.
    #[test]
    fn steps_of_others_are_compared_less_strictly() {
        let history = history();
        assert!(check(&mut begin(SAME), &history, 0, &waiting()).is_ok());
        let failure = check(&mut begin(OTHER_INPUT), &history, 0, &waiting()).unwrap_err();
        let wanted = "at step 1: the history has call #0 of activity \"call\" with \"one\", the code \
                      made call #0 of activity \"call\" with \"1\".";
        assert!(failure.message().contains(wanted), "{failure}");
        assert!(check(&mut begin(OTHER_INPUT), &history, 1, &waiting()).is_ok());
    }

    /// What the code is refused for in the check is what the check reports.
    #[test]
    fn a_refusal_in_the_check_is_told() {
        let stuck = function(&WithoutInput {
            function: &|_: OrchestrationContext| std::future::pending::<Returned>(),
            output: Output::<Returned>::OF,
            details: |_| None,
        });
        let failure = check(&mut begin(stuck), &history(), 2, &waiting()).unwrap_err();
        let message = failure.message();
        assert!(
            message.contains("while no durable task is pending"),
            "{message}"
        );
        assert!(message.contains("`HostOptions::replay_check`"), "{message}");
        assert!(message.ends_with("[replay]"), "{message}");
    }

    #[test]
    fn payloads_are_compared_as_values() {
        let json = |text: &str| Payload::from_json(text.to_owned()).unwrap();
        assert!(is_same_payload(
            &json(r#"{"a":1,"b":2}"#),
            &json(r#"{"b":2,"a":1}"#)
        ));
        assert!(!is_same_payload(&json("[1,2]"), &json("[2,1]")));
    }
}
