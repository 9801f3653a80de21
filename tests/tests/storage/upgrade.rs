//! A `SQLite` file that an earlier version of the runtime wrote is brought up to date where it is.

use chrono::Duration;
use durable_runtime::model::{Due, Payload, QueueName, RuntimeStatus};
use durable_runtime::storage::{Sqlite, StorageError};
use rusqlite::Connection;

use crate::files::{Directory, one};
use crate::fixture::{
    Owner, PARTITIONS, append, entity, entity_id, event, id, put, replace, row, time, upsert,
    waiting,
};

/// The schema as version 1 had it. It was published, so this file does not change.
const VERSION_1: &str =
    include_str!("../../../durable-runtime/src/storage/sqlite/migrations/0001_initial.sql");

/// A file as version 1 left it, with an orchestration that waits and a message for it.
fn version_1() -> Directory {
    let directory = Directory::new();
    let connection = directory.by_hand();
    connection.execute_batch(VERSION_1).unwrap();
    connection
        .execute_batch(
            "PRAGMA application_id = 0x44757262;
             PRAGMA user_version = 1;
             INSERT INTO hubs (key, name, partitions) VALUES (7, 'hub', 4);
             INSERT INTO leases (hub, partition, epoch, enqueued)
                 VALUES (7, 0, 5, 1), (7, 1, 5, 1), (7, 2, 5, 1), (7, 3, 5, 1);",
        )
        .unwrap();
    let partition = id("a").partition(PARTITIONS).0;
    connection
        .execute(
            "INSERT INTO instances
                 (key, hub, id, partition, execution, name, status, created, updated, due)
             VALUES (3, 7, 'a', ?1, zeroblob(16), 'orchestrator', 'Running', ?2, ?2, 0)",
            (partition, time(0).timestamp_micros()),
        )
        .unwrap();
    connection
        .execute("INSERT INTO history VALUES (3, 0, '[]')", [])
        .unwrap();
    let message = r#"{"to":"a","command":{"RaiseEvent":{"name":"go","data":null}}}"#;
    connection
        .execute(
            "INSERT INTO inbox VALUES (7, ?1, -1, 1, ?2)",
            (partition, message),
        )
        .unwrap();
    directory
}

/// What version 2 brought.
const VERSION_2: &str =
    include_str!("../../../durable-runtime/src/storage/sqlite/migrations/0002_entities.sql");

/// A file as version 2 left it, with what was in that of version 1, and an entity.
fn version_2() -> Directory {
    let directory = version_1();
    let connection = directory.by_hand();
    connection.execute_batch(VERSION_2).unwrap();
    let of = entity_id("counter", "k");
    connection
        .execute(
            "INSERT INTO entities (hub, id, partition, last_operation, state)
             VALUES (7, ?1, ?2, ?3, '1')",
            (
                of.as_str(),
                of.partition(PARTITIONS).0,
                time(0).timestamp_micros(),
            ),
        )
        .unwrap();
    connection.pragma_update(None, "user_version", 2).unwrap();
    directory
}

fn schema(connection: &Connection) -> Vec<(String, Option<String>)> {
    connection
        .prepare("SELECT name, sql FROM sqlite_schema ORDER BY name")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}

/// Rule 45: no acknowledged work is lost, and what the new version has works in the old file.
#[test]
fn a_file_of_version_1_goes_on() {
    let directory = version_1();
    let owner = Owner::new(directory.hub(), "worker");
    assert_eq!(owner.hub.partition_count(), PARTITIONS);
    assert_eq!(owner.leases.len(), PARTITIONS as usize);
    assert!(owner.leases.iter().all(|lease| lease.epoch.0 == 6));
    let mut record = owner.record(&id("a")).unwrap();
    assert_eq!(record.status, RuntimeStatus::Running);
    assert_eq!(record.created, time(0));
    assert_eq!(owner.history(&id("a")), [(0, "[]".to_owned())]);
    assert_eq!(waiting(&*owner.hub, &id("a")), ["go"]);
    let partition = id("a").partition(PARTITIONS);
    let due = owner.hub.due_instances(partition).unwrap();
    assert_eq!(due, [(id("a"), Due::Now)]);

    record.updated += Duration::seconds(1);
    owner.change(upsert(&record, [row(1, "[]")]));
    owner.hub.enqueue(&[event(&id("a"), "again")]).unwrap();
    let of = entity_id("counter", "k");
    owner.change(put(&entity(&of)));
    record.updated += Duration::seconds(1);
    owner.change(append(&id("a"), record.updated, [row(2, "[]")]));
    drop(owner);

    let owner = Owner::new(directory.hub(), "next");
    assert_eq!(owner.record(&id("a")), Some(record.clone()));
    let sequences: Vec<_> = owner.history(&id("a")).iter().map(|row| row.0).collect();
    assert_eq!(sequences, [0, 1, 2]);
    let first = owner.hub.summary(&id("a"), true).unwrap().unwrap();
    assert_eq!(first.first_row, Some(row(0, "[]")));
    assert_eq!(waiting(&*owner.hub, &id("a")).len(), 2);
    let found = owner.hub.entities(std::slice::from_ref(&of)).unwrap();
    assert_eq!(found, [Some(entity(&of))]);
    owner.change(replace(&record, [row(0, "[]")]));
    assert_eq!(owner.history(&id("a")).len(), 1);
    let text: String = one(&directory.by_hand(), "PRAGMA integrity_check");
    assert_eq!(text, "ok");
}

/// Its history would be that of the next instance: keys come again.
#[test]
fn what_is_left_of_an_instance_that_was_deleted_by_hand_goes() {
    let directory = version_1();
    let deleted = "DELETE FROM instances";
    assert_eq!(directory.by_hand().execute(deleted, []).unwrap(), 1);
    let owner = Owner::new(directory.hub(), "worker");
    owner.change(replace(&crate::fixture::record(&id("b")), [row(1, "new")]));
    assert_eq!(owner.history(&id("b")), [(1, "new".to_owned())]);
}

/// A program of version 1 that goes on with the file meanwhile is refused: it would miss what is written from
/// now on.
#[test]
fn history_is_not_where_earlier_programs_look_for_it() {
    let directory = version_1();
    let earlier = directory.by_hand();
    let mut read = earlier.prepare("SELECT events FROM history").unwrap();
    assert_eq!(read.query_map([], |_| Ok(())).unwrap().count(), 1);
    drop(directory.hub());
    let refused = read.query([]).unwrap().next().unwrap_err();
    assert!(refused.to_string().contains("no such table"), "{refused}");
}

/// Rule 45: the same, for a file that has entities.
#[test]
fn a_file_of_version_2_goes_on() {
    let directory = version_2();
    let hub = directory.hub();
    let of = entity_id("counter", "k");
    let found = hub.entities(std::slice::from_ref(&of)).unwrap();
    assert_eq!(found, [Some(entity(&of))]);
    assert_eq!(waiting(&*hub, &id("a")), ["go"]);
    let queue = QueueName::new("orders").unwrap();
    hub.push_messages(&queue, &[Payload::null()]).unwrap();
    hub.open_schedule("nightly", "0 0 2 * * *", time(0))
        .unwrap();
    drop(hub);
    assert_eq!(directory.hub().queue_length(&queue).unwrap(), 1);
    let text: String = one(&directory.by_hand(), "PRAGMA integrity_check");
    assert_eq!(text, "ok");
}

/// Whoever only looks after the file of an older program leaves it one that this can open.
#[test]
fn a_file_of_version_1_that_should_exist_as_it_is_stays_as_it_is() {
    let directory = version_1();
    let before = schema(&directory.by_hand());
    let opened = Sqlite::options().existing().open(&directory.path);
    let error = opened.unwrap_err();
    assert!(matches!(error, StorageError::OlderSchema { .. }), "{error}");
    assert_eq!(schema(&directory.by_hand()), before);
    drop(directory.hub());
    Sqlite::options().existing().open(&directory.path).unwrap();
}

/// There is one schema, whichever way it came about; and of several processes that open the file at
/// once one brings it up to date.
#[test]
fn an_old_file_becomes_like_a_new_one() {
    for old in [version_1(), version_2()] {
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| drop(old.hub()));
            }
        });
        let new = Directory::new();
        drop(new.hub());
        let (old, new) = (old.by_hand(), new.by_hand());
        assert_eq!(schema(&old), schema(&new));
        for pragma in ["user_version", "application_id"] {
            let sql = format!("PRAGMA {pragma}");
            assert_eq!(one::<i64>(&old, &sql), one::<i64>(&new, &sql), "{pragma}");
        }
    }
}
