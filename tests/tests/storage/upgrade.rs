//! A `SQLite` file that an earlier version of the runtime wrote is brought up to date where it is.

use chrono::Duration;
use durable_runtime::model::{Due, RuntimeStatus};
use rusqlite::Connection;

use crate::files::{Directory, one};
use crate::fixture::{
    Owner, PARTITIONS, entity, entity_id, event, id, put, row, time, upsert, waiting,
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
    drop(owner);

    let owner = Owner::new(directory.hub(), "next");
    assert_eq!(owner.record(&id("a")), Some(record));
    assert_eq!(owner.history(&id("a")).len(), 2);
    assert_eq!(waiting(&*owner.hub, &id("a")).len(), 2);
    let found = owner.hub.entities(std::slice::from_ref(&of)).unwrap();
    assert_eq!(found, [Some(entity(&of))]);
    let text: String = one(&directory.by_hand(), "PRAGMA integrity_check");
    assert_eq!(text, "ok");
}

/// There is one schema, whichever way it came about; and of several processes that open the file at
/// once one brings it up to date.
#[test]
fn a_file_of_version_1_becomes_like_a_new_one() {
    let (old, new) = (version_1(), Directory::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| drop(old.hub()));
        }
    });
    drop(new.hub());
    let (old, new) = (old.by_hand(), new.by_hand());
    assert_eq!(schema(&old), schema(&new));
    for pragma in ["user_version", "application_id"] {
        let sql = format!("PRAGMA {pragma}");
        assert_eq!(one::<i64>(&old, &sql), one::<i64>(&new, &sql), "{pragma}");
    }
}
