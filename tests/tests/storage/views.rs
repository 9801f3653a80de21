//! What people see who open the file with another program.

use durable_runtime::model::{Due, EventKind, HistoryEvent, Payload, QueueName, TaskId};
use durable_runtime::storage::TakeMessages;

use crate::files::{Directory, one};
use crate::fixture::{
    LONG, Owner, append, entity, entity_id, id, put, record, replace, row, signal, time, upsert,
    worker,
};

#[test]
fn people_can_read_status_and_history() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let event = |micros, kind| HistoryEvent::new(time(micros), kind);
    let scheduled = EventKind::TaskScheduled {
        id: TaskId(0),
        name: "greet".into(),
        input: Payload::encode(&"you").unwrap(),
    };
    let rows = [
        vec![
            event(5, EventKind::OrchestratorStarted),
            event(1_000_006, scheduled),
        ],
        vec![event(7, EventKind::TimerFired { id: TaskId(1) })],
    ]
    .map(|events| Payload::encode(&events).unwrap().as_json().to_owned());
    let record = record(&id("a"));
    owner.change(upsert(
        &record,
        [row(0, &rows[0]), row(1, &rows[1]), row(2, "no json")],
    ));
    owner.change(upsert(
        &crate::fixture::record(&id("b")),
        [row(0, &rows[1])],
    ));

    let by_hand = directory.by_hand();
    let read = |sql: &str, columns: usize| -> Vec<Vec<Option<String>>> {
        let mut statement = by_hand.prepare(sql).unwrap();
        statement
            .query_map([], |row| (0..columns).map(|n| row.get(n)).collect())
            .unwrap()
            .collect::<Result<_, _>>()
            .unwrap()
    };
    let events = read(
        "SELECT hub, instance, CAST(position AS TEXT), time, kind, body FROM history_events
         WHERE instance = 'a' ORDER BY position",
        6,
    );
    let line = |columns: [&str; 6]| -> Vec<_> {
        columns
            .map(|text| (!text.is_empty()).then(|| text.to_owned()))
            .into()
    };
    assert_eq!(
        events,
        [
            line([
                "hub",
                "a",
                "0",
                "2023-11-14 22:13:20.000005",
                "OrchestratorStarted",
                ""
            ]),
            line([
                "hub",
                "a",
                "1",
                "2023-11-14 22:13:21.000006",
                "TaskScheduled",
                r#"{"id":0,"name":"greet","input":"you"}"#
            ]),
            line([
                "hub",
                "a",
                "2",
                "2023-11-14 22:13:20.000007",
                "TimerFired",
                r#"{"id":1}"#
            ]),
        ]
    );
    let status = read(
        "SELECT hub, instance, orchestrator, status, created, due FROM instance_status
         WHERE instance = 'b'",
        6,
    );
    let expected = [
        "hub",
        "b",
        "orchestrator",
        "Running",
        "2023-11-14 22:13:20.000000",
        "",
    ];
    assert_eq!(status, [line(expected)]);
}

/// Of steps that change no row, and of more of them than `episodes` has numbers for.
#[test]
fn people_can_read_steps_wherever_they_are_stored() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let events = |micros| {
        let event = HistoryEvent::new(time(micros), EventKind::OrchestratorStarted);
        Payload::encode(&[event]).unwrap().as_json().to_owned()
    };
    for name in ["a", "b"] {
        owner.change(upsert(&record(&id(name)), [row(0, &events(1))]));
    }
    owner.change(append(&id("a"), time(2), [row(1, &events(2))]));
    owner.change(append(&id("a"), time(3), [row(1 << 20, &events(3))]));
    owner.change(append(&id("b"), time(4), [row(1, &events(4))]));
    let by_hand = directory.by_hand();
    let read = |sql: &str| -> String { one(&by_hand, sql) };
    let times = "SELECT group_concat(position || substr(time, 20), ' ') FROM
        (SELECT position, time FROM history_events WHERE instance = 'a' ORDER BY position)";
    assert_eq!(read(times), "0.000001 1.000002 2.000003");
    let updated = "SELECT group_concat(substr(updated, 21), ' ') FROM
        (SELECT updated FROM instance_status ORDER BY instance)";
    assert_eq!(read(updated), "000003 000004");
    // By its keys, not by looking through the tables.
    for view in ["history_events", "instance_status"] {
        let plan = format!("EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE instance = 'a'");
        let mut statement = by_hand.prepare(&plan).unwrap();
        let steps = statement.query_map([], |row| row.get(3)).unwrap();
        let steps: Vec<String> = steps.collect::<Result<_, _>>().unwrap();
        let scans = |step: &String| {
            let mut words = step.split(' ');
            let tables = ["instances", "episodes", "other_history"];
            words.next() == Some("SCAN") && words.next().is_some_and(|word| tables.contains(&word))
        };
        assert!(!steps.iter().any(scans), "{steps:?}");
        assert!(steps.iter().any(|step| step.starts_with("SEARCH episodes")));
    }
}

/// A key comes again.
#[test]
fn an_instance_that_was_deleted_by_hand_takes_its_history_with_it() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    owner.change(upsert(&record(&id("a")), [row(0, "a"), row(1, "a")]));
    owner.change(append(&id("a"), time(3), [row(1 << 20, "a")]));
    let by_hand = directory.by_hand();
    assert_eq!(by_hand.execute("DELETE FROM instances", []).unwrap(), 1);
    for table in ["episodes", "other_history"] {
        let rows: i64 = one(&by_hand, &format!("SELECT count(*) FROM {table}"));
        assert_eq!(rows, 0, "{table}");
    }
    owner.change(append(&id("a"), time(4), [row(2, "a")]));
    owner.change(upsert(&record(&id("b")), [row(0, "b")]));
    assert_eq!(owner.history(&id("b")), [(0, "b".to_owned())]);
}

/// Rule 32: what is damaged harms nobody else.
#[test]
fn a_key_that_is_too_large_does_not_lead_to_the_history_of_others() {
    const EVENT: &str = "[[1,\"OrchestratorStarted\"]]";
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    for name in ["a", "b"] {
        owner.change(upsert(&record(&id(name)), [row(0, EVENT)]));
    }
    let by_hand = directory.by_hand();
    let key: i64 = one(&by_hand, "SELECT key FROM instances WHERE id = 'a'");
    let damaged = by_hand.execute(
        "UPDATE instances SET key = ?1 + (1 << 44) WHERE id = 'b'",
        [key],
    );
    assert_eq!(damaged.unwrap(), 1);
    drop(owner);
    let reopened = Owner::new(directory.hub(), "worker");
    reopened.change(append(&id("a"), time(9), [row(1, EVENT)]));
    assert!(reopened.history(&id("b")).is_empty());
    let shown = |name| -> i64 {
        let sql = format!("SELECT count(*) FROM history_events WHERE instance = '{name}'");
        one(&by_hand, &sql)
    };
    assert_eq!((shown("a"), shown("b")), (2, 0));
    assert_eq!(reopened.record(&id("b")).unwrap().updated, time(1));
    reopened.change(append(&id("b"), time(2), [row(1, "b")]));
    reopened.change(replace(&record(&id("b")), [row(0, "again")]));
    assert_eq!(reopened.history(&id("b")), [(0, "again".to_owned())]);
    assert_eq!(
        by_hand
            .execute("DELETE FROM instances WHERE id = 'b'", [])
            .unwrap(),
        1
    );
    assert_eq!(reopened.history(&id("a")).len(), 2);
    // The largest that has a place there.
    let largest = "UPDATE instances SET key = (1 << 43) - 1 WHERE id = 'a'";
    assert_eq!(by_hand.execute(largest, []).unwrap(), 1);
    drop(reopened);
    let reopened = Owner::new(directory.hub(), "worker");
    reopened.change(append(&id("a"), time(3), [row(2, "a")]));
    assert_eq!(reopened.history(&id("a")), [(2, "a".to_owned())]);
}

/// Rule 32: an instance whose time cannot be read is there all the same.
#[test]
fn the_time_of_a_step_that_is_damaged_is_ignored() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let mut early = record(&id("a"));
    early.updated = chrono::DateTime::from_timestamp_micros(-5).unwrap();
    owner.change(upsert(&early, [row(0, "a")]));
    assert_eq!(owner.record(&id("a")), Some(early.clone()));
    owner.change(append(&id("a"), time(1), [row(1, "a")]));
    assert_eq!(owner.record(&id("a")).unwrap().updated, time(1));
    let damaged = "UPDATE episodes SET updated = 9223372036854775807 WHERE updated IS NOT NULL";
    assert_eq!(directory.by_hand().execute(damaged, []).unwrap(), 1);
    assert_eq!(owner.record(&id("a")), Some(early));
}

/// The view `entity_states`.
#[test]
fn people_can_read_the_states_of_entities() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let mut waits = entity(&entity_id("counter", "waits"));
    waits.due = Some(Due::At(time(1_000_006)));
    waits.queue = vec![signal("add")];
    let mut gone = entity(&entity_id("counter", "gone"));
    gone.state = None;
    gone.due = Some(Due::Now);
    owner.change(put(&waits));
    owner.change(put(&gone));
    let by_hand = directory.by_hand();
    let line = |entity: &str| -> String {
        let sql = "concat_ws('|', hub, entity, ifnull(state, '-'), last_operation, due, ifnull(queue, '-'))";
        one(
            &by_hand,
            &format!("SELECT {sql} FROM entity_states WHERE entity = '{entity}'"),
        )
    };
    assert_eq!(
        line("@counter@waits"),
        "hub|@counter@waits|1|2023-11-14 22:13:20.000000|2023-11-14 22:13:21.000006\
         |[{\"name\":\"add\",\"input\":null}]"
    );
    assert_eq!(
        line("@counter@gone"),
        "hub|@counter@gone|-|2023-11-14 22:13:20.000000|now|-"
    );
}

/// The view `queues`.
#[test]
fn people_can_read_what_is_in_queues() {
    let directory = Directory::new();
    let hub = directory.hub();
    let queue = QueueName::new("orders").unwrap();
    let bodies = [1, 2].map(|body| Payload::encode(&body).unwrap());
    hub.push_messages(&queue, &bodies).unwrap();
    let take = TakeMessages {
        queue: &queue,
        worker: &worker("one"),
        lease: LONG,
        at_most: 1,
        in_order: false,
    };
    hub.take_messages(&take).unwrap();
    let text: String = one(
        &directory.by_hand(),
        "SELECT group_concat(concat_ws('|', hub, queue, attempts, ifnull(owner, '-'), body), ' ')
         FROM queues WHERE enqueued LIKE '20__-%'",
    );
    assert_eq!(text, "hub|orders|1|one|1 hub|orders|0|-|2");
}

/// What somebody has put there by hand is given like any other message, as a text.
#[test]
fn a_message_that_is_no_json_is_a_text() {
    let directory = Directory::new();
    let hub = directory.hub();
    let queue = QueueName::new("orders").unwrap();
    hub.push_messages(&queue, &[Payload::null()]).unwrap();
    let by_hand = directory.by_hand();
    by_hand
        .execute("UPDATE queue_messages SET body = '{no json'", [])
        .unwrap();
    let found = hub.peek_messages(&queue, 1).unwrap();
    assert_eq!(found[0].body.decode::<String>().unwrap(), "{no json");
}
