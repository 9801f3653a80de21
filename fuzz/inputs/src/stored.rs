//! What stands in the rows of a `SQLite` file.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use durable_runtime::client::{ClientError, DurableClient, RuntimeStatus};
use durable_runtime::host::{DurableHost, HostOptions};
use durable_runtime::storage::Sqlite;
use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::functions::{Tally, echo, everything, wait};

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
const OF_HISTORY: &str = "instance = (SELECT key FROM instances WHERE id = 'damaged')";
const OF_ENTITY: &str = "id LIKE '@tally@%'";
const FIRST_MESSAGE: &str = "number = (SELECT min(number) FROM inbox)";

const COLUMNS: [Column; 19] = [
    Column::new("history", "events", Kind::Text, OF_HISTORY),
    Column::new("history", "sequence", Kind::Number, OF_HISTORY),
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

/// What is written over the rows of one instance, one entity or one message: the first byte says over which
/// column, the others are what is written. A host takes the hub up; what is damaged is answered for, in
/// whatever way; and everything else in the same partition goes on.
///
/// # Panics
///
/// If that does not hold.
pub fn stored_row(bytes: &[u8]) {
    let Some((first, value)) = bytes.split_first() else {
        return;
    };
    let column = &COLUMNS[usize::from(*first) % COLUMNS.len()];
    let directory = TempDir::new().expect("there is room for a file");
    let path = directory.path().join("hub.db");
    std::fs::write(&path, sound()).expect("there is room for a file");
    if !damage(&path, column, value) {
        return;
    }
    let (table, name) = (column.table, column.name);
    let what = format!("{table}.{name} = {:?}", crate::text(value));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("an async runtime can be had");
    let goes_on = async { tokio::time::timeout(PATIENCE, goes_on(&path, &what)).await };
    let in_time = runtime.block_on(goes_on).is_ok();
    assert!(in_time, "{what}: the host does not go on");
}

/// Writes over the rows; `false` where the table does not take that.
fn damage(path: &Path, column: &Column, bytes: &[u8]) -> bool {
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
    let database = Connection::open(path).expect("the file can be opened");
    let update = format!("UPDATE {table} SET {name} = ?1 WHERE {rows}");
    let updated = database.execute(&update, [value]);
    assert_ne!(updated.as_ref().ok(), Some(&0), "{table} has no such row");
    updated.is_ok()
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
