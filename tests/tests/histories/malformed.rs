//! What is no recorded history.

use durable_runtime::testing::{ReplayError, replay_recorded};

use crate::support::order;

/// The place and the text of the refusal.
#[track_caller]
fn refused(json: &str) -> (usize, usize, String) {
    match replay_recorded(json) {
        Err(ReplayError::NotRecorded {
            line,
            column,
            message,
        }) => {
            let error = ReplayError::NotRecorded {
                line,
                column,
                message,
            };
            (line, column, error.to_string())
        }
        other => panic!("{other:?}: {json}"),
    }
}

#[test]
fn what_is_no_history_is_refused_with_its_place() {
    let good = order("order_as_recorded");
    let cases = [
        (String::new(), 1, "EOF while parsing"),
        ("{".to_owned(), 1, "EOF while parsing"),
        ("null".to_owned(), 1, "an object that holds a history"),
        ("[]".to_owned(), 1, "an object that holds a history"),
        ("{}".to_owned(), 1, "there is no \"instanceId\""),
        (
            good.replace("history", "histories"),
            1,
            "there is no \"history\"",
        ),
        (good.replace("order-1", "@order#1"), 1, "must not"),
        (
            good.replace("Running", "Walking"),
            5,
            "unknown variant `Walking`",
        ),
        (
            good.replace("TaskScheduled", "TaskDreamt"),
            9,
            "unknown variant `TaskDreamt`",
        ),
        (good.replace("\"id\":0,", ""), 9, "missing field `id`"),
        (
            good.replace("\"id\":1", "\"id\":\"1\""),
            12,
            "invalid type: string \"1\"",
        ),
        (
            good.replace("[1795286492000002", "[\"noon\""),
            10,
            "invalid type: string \"noon\"",
        ),
        (
            good.replace("[1795286492000002", "[9223372036854775807"),
            11,
            "timestamp out of range",
        ),
        (
            good.replace("[1795286492000002,{", "[{"),
            10,
            "invalid type: map",
        ),
        (
            good.replace("  ]\n}\n", "  ]\n}\n]"),
            15,
            "trailing characters",
        ),
        (
            good.replace("ExecutionStarted", "EventRaised"),
            7,
            "missing field",
        ),
        (
            good.replacen("\"order_as_recorded\"", "\"another\"", 1),
            1,
            "are not those of the event",
        ),
        (
            good.replace("null,", "\"3.0\","),
            1,
            "are not those of the event",
        ),
    ];
    for (json, wanted, part) in cases {
        let (line, column, text) = refused(&json);
        assert!(text.contains(part), "{part}: {text}\n{json}");
        assert_eq!(line, wanted, "{text}\n{json}");
        assert!(
            text.starts_with(&format!("line {line}, column {column}: ")),
            "{text}"
        );
        assert!(
            text.contains("`durable get-history ID --output json`"),
            "{text}"
        );
    }
}

#[test]
fn an_empty_history_is_refused() {
    let (.., text) = refused(r#"{"instanceId":"1","name":"n","history":[]}"#);
    assert!(
        text.contains("does not begin with the event \"ExecutionStarted\""),
        "{text}"
    );
}

#[test]
fn what_a_host_tells_over_http_is_refused_with_the_way_out() {
    let (.., text) =
        refused(r#"{"instanceId":"1","name":"n","historyEvents":[{"EventType":"x"}]}"#);
    assert!(
        text.contains("read it from storage, with --storage"),
        "{text}"
    );
}

/// Histories that no host has written are replayed like any other, and harm nobody.
#[test]
fn events_that_make_no_sense_are_no_panic() {
    let good = order("order_as_recorded");
    for (from, to) in [
        (
            "\"TaskCompleted\":{\"id\":0",
            "\"TaskCompleted\":{\"id\":4294967295",
        ),
        ("\"result\":7", "\"result\":{\"no\":\"number\"}"),
        ("\"input\":\"tea\"}}]", "\"input\":[1]}}]"),
        (
            "[1795286492000003,\"OrchestratorStarted\"]",
            "[-1,\"OrchestratorStarted\"]",
        ),
        ("\"OrchestratorStarted\"]", "{\"TimerFired\":{\"id\":9}}]"),
    ] {
        let json = good.replace(from, to);
        assert_ne!(json, good, "{from}");
        let result = replay_recorded(&json);
        let is_told = matches!(result, Ok(_) | Err(ReplayError::Diverges(_)));
        assert!(is_told, "{result:?}");
    }
}
