//! What stands in the rows of a `SQLite` file.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use durable_runtime::client::{ClientError, DurableClient, RuntimeStatus};
use durable_runtime::host::{DurableHost, HostOptions};
use durable_runtime::storage::Sqlite;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::json;
use tempfile::TempDir;

use crate::functions::{Tally, echo, everything, wait};
use crate::steps::{self, Steps, pick};

const HUB: &str = "inputs";
/// Longer than anything takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A column, the type of what is in it, and which of its rows are the ones to be damaged.
struct Column {
    table: &'static str,
    name: &'static str,
    kind: Kind,
    rows: &'static str,
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Bytes,
}

const OF_INSTANCE: &str = "id = 'damaged'";
const OF_HISTORY: &str = "key >> 20 = (SELECT key FROM instances WHERE id = 'damaged')";
const LAST_OF_HISTORY: &str = "key = (SELECT max(key) FROM episodes
    WHERE key >> 20 = (SELECT key FROM instances WHERE id = 'damaged'))";
const OF_ENTITY: &str = "id LIKE '@tally@%'";
const FIRST_MESSAGE: &str = "number = (SELECT min(number) FROM inbox)";

const COLUMNS: [Column; 20] = [
    Column::new("episodes", "events", Kind::Text, OF_HISTORY),
    Column::new("episodes", "key", Kind::Number, LAST_OF_HISTORY),
    Column::new("episodes", "updated", Kind::Number, LAST_OF_HISTORY),
    Column::new("inbox", "message", Kind::Text, FIRST_MESSAGE),
    Column::new("instances", "execution", Kind::Bytes, OF_INSTANCE),
    Column::new("instances", "name", Kind::Text, OF_INSTANCE),
    Column::new("instances", "version", Kind::Text, OF_INSTANCE),
    Column::new("instances", "status", Kind::Text, OF_INSTANCE),
    Column::new("instances", "created", Kind::Number, OF_INSTANCE),
    Column::new("instances", "updated", Kind::Number, OF_INSTANCE),
    Column::new("instances", "due", Kind::Number, OF_INSTANCE),
    Column::new("instances", "custom_status", Kind::Text, OF_INSTANCE),
    Column::new("instances", "output", Kind::Text, OF_INSTANCE),
    Column::new("instances", "parent", Kind::Text, OF_INSTANCE),
    Column::new("instances", "tags", Kind::Text, OF_INSTANCE),
    Column::new("entities", "last_operation", Kind::Number, OF_ENTITY),
    Column::new("entities", "due", Kind::Number, OF_ENTITY),
    Column::new("entities", "lock", Kind::Text, OF_ENTITY),
    Column::new("entities", "state", Kind::Text, OF_ENTITY),
    Column::new("entities", "queue", Kind::Text, OF_ENTITY),
];

impl Column {
    const fn new(table: &'static str, name: &'static str, kind: Kind, rows: &'static str) -> Self {
        Self {
            table,
            name,
            kind,
            rows,
        }
    }
}

/// What is written over the rows of one instance, one entity or one message. The first byte says over which:
/// up to 127 over a column, with the others as they are; up to 191 over an instance, which gets the history that
/// `steps` reads from them; and else over a message, which is a well-formed one. A host takes the hub up; what
/// is damaged is answered for, in whatever way; and everything else in the same partition goes on.
///
/// # Panics
///
/// If that does not hold.
pub fn stored_row(bytes: &[u8]) {
    let Some((first, value)) = bytes.split_first() else {
        return;
    };
    let directory = TempDir::new().expect("there is room for a file");
    let path = directory.path().join("hub.db");
    std::fs::write(&path, sound()).expect("there is room for a file");
    let database = Connection::open(&path).expect("the file can be opened");
    let what = match *first {
        0..128 => damage(
            &database,
            &COLUMNS[usize::from(*first) % COLUMNS.len()],
            value,
        ),
        128..192 => replace_history(&database, *first, value),
        192.. => replace_message(&database, value),
    };
    drop(database);
    let Some(what) = what else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("an async runtime can be had");
    let goes_on = async { tokio::time::timeout(PATIENCE, goes_on(&path, &what)).await };
    let in_time = runtime.block_on(goes_on).is_ok();
    assert!(in_time, "{what}: the host does not go on");
}

/// Writes over the rows, and says what; `None` where the table does not take that.
fn damage(database: &Connection, column: &Column, bytes: &[u8]) -> Option<String> {
    let value = match column.kind {
        Kind::Text => Value::Text(crate::text(bytes).into_owned()),
        Kind::Bytes => Value::Blob(bytes.to_vec()),
        Kind::Number => {
            let mut number = [0; 8];
            for (to, from) in number.iter_mut().zip(bytes) {
                *to = *from;
            }
            Value::Integer(i64::from_le_bytes(number))
        }
    };
    let Column {
        table, name, rows, ..
    } = column;
    let update = format!("UPDATE {table} SET {name} = ?1 WHERE {rows}");
    let updated = database.execute(&update, [value]);
    assert_ne!(updated.as_ref().ok(), Some(&0), "{table} has no such row");
    let what = format!("{table}.{name} = {:?}", crate::text(bytes));
    updated.is_ok().then_some(what)
}

/// Gives the instance another history, status and due time; the history in one row, or each event in its own.
fn replace_history(database: &Connection, first: u8, bytes: &[u8]) -> Option<String> {
    let (second, steps) = bytes.split_first()?;
    let Steps {
        orchestrator,
        history,
    } = steps::read(steps)?;
    let status = pick(&RuntimeStatus::ALL, first / 2);
    let due = pick(&[Some(0), None, Some(1), Some(i64::MAX)], *second);
    let rows = if first.is_multiple_of(2) {
        vec![json!(history)]
    } else {
        history.iter().map(|event| json!([event])).collect()
    };
    let update = format!(
        "UPDATE instances SET name = ?1, status = ?2, due = ?3, execution = ?4 WHERE {OF_INSTANCE}"
    );
    let execution = steps::EXECUTION.to_be_bytes();
    let updated = database.execute(
        &update,
        params![orchestrator, status.as_str(), due, execution],
    );
    assert_eq!(updated, Ok(1), "there is the instance");
    let deleted = database.execute(&format!("DELETE FROM episodes WHERE {OF_HISTORY}"), []);
    deleted.expect("the table is there");
    let number = pick(&[0, -1, i64::MAX], second / 4);
    let into = match number {
        0 => "episodes SELECT key << 20 | ?1, NULL, ?2",
        // There is no place for these there.
        _ => "other_history SELECT key, ?1, ?2",
    };
    let insert = format!("INSERT INTO {into} FROM instances WHERE {OF_INSTANCE}");
    for (sequence, events) in (0..).zip(&rows) {
        let sequence = number.wrapping_add(sequence);
        let inserted = database.execute(&insert, params![sequence, events.to_string()]);
        assert_eq!(inserted, Ok(1), "there is the instance");
    }
    Some(format!("{status}, due {due:?}, from {number}: {rows:?}"))
}

/// Puts another message in the place of the first one.
fn replace_message(database: &Connection, bytes: &[u8]) -> Option<String> {
    let message = message(bytes)?.to_string();
    let update = format!("UPDATE inbox SET message = ?1 WHERE {FIRST_MESSAGE}");
    let updated = database.execute(&update, [&message]);
    assert_eq!(updated, Ok(1), "there is a message");
    Some(message)
}

/// A message that no client or instance need ever have sent, to the instance or the entity: the first byte says
/// what it is, the second says for which call, and the third which of several things it has.
fn message(bytes: &[u8]) -> Option<serde_json::Value> {
    let &[kind, task, which] = bytes.first_chunk()?;
    let execution = format!("{:032x}", pick(&[steps::EXECUTION, 0], which / 8));
    let task = pick(&[0, 1, 2, 3, 4, u64::MAX], task);
    let holder = json!({"instance": "damaged", "execution": execution, "task": task});
    let section = json!({"holder": holder, "run": execution});
    let entities = ["@tally@all", "@tally@b"];
    let entities = pick(&[&entities[..], &entities[..1], &[]], which);
    let outcome = if which.is_multiple_of(2) {
        json!({"Ok": steps::result(which / 2)})
    } else {
        json!({"Err": {"errorType": "Error", "message": "no"}})
    };
    let answer = json!({"execution": execution, "task": task, "outcome": outcome});
    let start = json!({"name": "everything", "input": null, "execution": execution,
        "start_at": pick(&[None, Some(i64::MAX), Some(0)], which), "parent": holder});
    let lock = json!({"section": section, "entities": entities, "position": task});
    let lock_outcome = if which.is_multiple_of(2) {
        json!({"Ok": null})
    } else {
        outcome
    };
    let locked = json!({"section": section, "entities": entities, "outcome": lock_outcome});
    let operation = json!({"name": pick(&["add", "name", "other"], which), "input": 1,
        "caller": holder, "at": pick(&[None, Some(i64::MAX), Some(0)], which)});
    let commands = [
        json!({"Start": start}),
        json!({"RaiseEvent": {"name": "decision", "data": steps::result(which)}}),
        json!({"SubOrchestrationEnded": answer}),
        json!({"EntityAnswered": answer}),
        json!({"Entity": operation}),
        json!({"LockEntity": lock}),
        json!({"UnlockEntity": section}),
        json!({"LockAnswered": locked}),
        json!({"Terminate": {"reason": "enough", "recursive": true}}),
        json!({"Suspend": {"reason": "enough"}}),
        json!({"Resume": {"reason": "enough"}}),
        json!({"Rewind": {"reason": "again", "start": start}}),
        json!("Purge"),
        json!({"PurgeChild": {"parent": "damaged"}}),
    ];
    let to = pick(&["damaged", "@tally@all"], kind / 128);
    let command = pick(&commands, kind % 128);
    Some(json!({"to": to, "command": command}))
}

async fn goes_on(path: &Path, what: &str) {
    let host = host(path).await;
    let client = host.client();
    // Whatever comes of it, there is an answer.
    let answers = [
        client.get_status("damaged").await.err(),
        client.raise_event("damaged", "decision", 1).await.err(),
        client.suspend("damaged", "to look at").await.err(),
        client
            .terminate("damaged", "not wanted")
            .recursive()
            .await
            .err(),
        client.purge("damaged").await.err(),
        client.signal::<Tally>("all").add(1).await.err(),
    ];
    for error in answers.into_iter().flatten() {
        let is_busy = matches!(error, ClientError::Busy { .. });
        assert!(!is_busy && !error.to_string().is_empty(), "{what}: {error}");
    }
    // What came before the damage and after it is as it would be.
    let waits = client.raise_event("waits", "go", 7).await;
    waits.unwrap_or_else(|error| panic!("{what}: {error}"));
    let expected = [("waits", json!(7)), ("queued", json!("queued"))];
    for (id, output) in expected {
        let status = client.wait_for_completion(id, PATIENCE).await;
        let status = status.unwrap_or_else(|error| panic!("{what}: {id}: {error}"));
        assert_eq!(status.output, Some(output), "{what}: {id}");
    }
    let run = client.start_new::<echo>("new").await;
    let run = run.unwrap_or_else(|error| panic!("{what}: {error}"));
    let output = run.output().await;
    assert_eq!(output.ok(), Some(json!("new")), "{what}");
    let shut_down = host.shutdown().await;
    shut_down.unwrap_or_else(|error| panic!("{what}: {error}"));
}

async fn host(path: &Path) -> DurableHost {
    let storage = Sqlite::open(path).expect("the file can be opened");
    DurableHost::builder()
        .task_hub(HUB)
        .storage(storage)
        .options(HostOptions {
            partition_count: 1,
            ..HostOptions::default()
        })
        .start()
        .await
        .expect("the host starts")
}

/// A file in which nothing is damaged: an instance that has done a bit of everything and waits, an entity
/// that knows something, and two messages that no host has taken up.
fn sound() -> &'static [u8] {
    static SOUND: OnceLock<Vec<u8>> = OnceLock::new();
    SOUND.get_or_init(|| {
        let directory = TempDir::new().expect("there is room for a file");
        let path = directory.path().join("hub.db");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build();
        let runtime = runtime.expect("an async runtime can be had");
        runtime.block_on(make(&path));
        drop(runtime);
        // What is in the log comes into the file.
        let database = Connection::open(&path).expect("the file can be opened");
        let moved = database.pragma_update(None, "journal_mode", "DELETE");
        moved.expect("nobody else has it open");
        drop(database);
        std::fs::read(&path).expect("the file is there")
    })
}

async fn make(path: &Path) {
    let host = host(path).await;
    let client = host.client();
    let damaged = client.start_new::<everything>(()).instance_id("damaged");
    damaged.tag("of", "inputs").await.expect("it is accepted");
    let waits = client.start_new::<wait>(()).instance_id("waits");
    waits.await.expect("it is accepted");
    client
        .signal::<Tally>("all")
        .name("Ann".to_owned())
        .await
        .expect("it is accepted");
    loop {
        let status = client.get_status("damaged").with_history().await;
        let status = status.ok().flatten().expect("it is there");
        assert_eq!(status.runtime_status, RuntimeStatus::Running, "{status:?}");
        let history = status.history.expect("it was asked for");
        if json!(history).to_string().contains("EntityCompleted") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    host.shutdown().await.expect("nothing is damaged yet");
    let storage = Sqlite::open(path).expect("the file can be opened");
    let client = DurableClient::connect(storage, HUB).expect("the hub is there");
    client
        .raise_event("damaged", "any", "first")
        .await
        .expect("it is noted");
    let queued = client.start_new::<echo>("queued").instance_id("queued");
    queued.await.expect("it is noted");
}
