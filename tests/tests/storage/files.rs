//! What only a `SQLite` file has: strangers, a full disk, and other processes.

use std::fs;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use durable_runtime::model::{PartitionId, Reply, RequestId};
use durable_runtime::storage::{HubStorage, Sqlite, StorageError};
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use crate::fixture::{
    LONG, Owner, PARTITIONS, event, eventually, id, id_in, message, open, page, record, request,
    row, upsert, waiting, worker,
};

/// A directory with a place for a database.
pub(crate) struct Directory {
    pub(crate) path: PathBuf,
    directory: TempDir,
}

impl Directory {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().unwrap();
        Self {
            path: directory.path().join("app.db"),
            directory,
        }
    }

    pub(crate) fn open(&self) -> Sqlite {
        Sqlite::open(&self.path).unwrap()
    }

    pub(crate) fn hub(&self) -> Arc<dyn HubStorage> {
        open(&self.open(), "hub")
    }

    pub(crate) fn refused(&self) -> StorageError {
        Sqlite::open(&self.path).unwrap_err()
    }

    /// The file as the `sqlite3` command has it.
    pub(crate) fn by_hand(&self) -> Connection {
        Connection::open(&self.path).unwrap()
    }

    pub(crate) fn overwrite(&self, from: u64, bytes: &[u8]) {
        let mut file = fs::OpenOptions::new().write(true).open(&self.path).unwrap();
        file.seek(SeekFrom::Start(from)).unwrap();
        file.write_all(bytes).unwrap();
    }
}

pub(crate) fn one<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> T {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Whoever looks after the files of others leaves none behind.
#[test]
fn a_file_that_should_exist_is_not_created() {
    let directory = Directory::new();
    let open = || Sqlite::options().existing().open(&directory.path);
    let error = open().unwrap_err();
    assert!(matches!(error, StorageError::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("app.db"), "{error}");
    assert!(!directory.path.exists());

    fs::write(&directory.path, "").unwrap();
    let error = open().unwrap_err();
    assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
    assert_eq!(fs::read(&directory.path).unwrap(), b"");

    drop(directory.hub());
    let hubs = durable_runtime::storage::StorageProvider::hubs(&open().unwrap());
    assert_eq!(hubs.unwrap(), ["hub"]);
}

#[test]
fn what_was_committed_survives_the_process() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    owner.change(upsert(&record(&id("a")), [row(0, "[]")]));
    drop(owner);
    assert!(
        !directory.directory.path().join("app.db-wal").exists(),
        "closed in good order, the log is in the database"
    );
    let owner = Owner::new(directory.hub(), "worker");
    assert_eq!(owner.record(&id("a")), Some(record(&id("a"))));
    assert_eq!(owner.history(&id("a")).len(), 1);
}

/// As `VACUUM INTO` makes one of another.
#[test]
fn a_file_that_was_never_in_wal_mode_is_opened() {
    let directory = Directory::new();
    drop(directory.hub());
    let by_hand = directory.by_hand();
    let left_wal = by_hand.pragma_update(None, "journal_mode", "DELETE");
    left_wal.unwrap();
    drop(by_hand);
    let owner = Owner::new(directory.hub(), "worker");
    owner.change(upsert(&record(&id("a")), [row(0, "[]")]));
    drop(owner);
    let owner = Owner::new(directory.hub(), "worker");
    assert_eq!(owner.record(&id("a")), Some(record(&id("a"))));
}

/// A commit is on the disk when it returns, in the log if not in the database: a copy of the files
/// made at that moment, as a crash leaves them, has it.
#[test]
fn a_crash_after_a_commit_loses_nothing() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    owner.change(upsert(&record(&id("a")), [row(0, "[]")]));
    let crashed = Directory::new();
    for suffix in ["", "-wal"] {
        let [from, to] = [&directory, &crashed]
            .map(|directory| PathBuf::from(format!("{}{suffix}", directory.path.display())));
        fs::copy(from, to).unwrap();
    }
    let next = Owner::new(crashed.hub(), "next");
    assert_eq!(next.record(&id("a")), Some(record(&id("a"))));
    assert_eq!(
        next.leases.len(),
        owner.leases.len(),
        "the lock is not in the copy"
    );
}

/// Rule 45: kill -9 at any instant loses no acknowledged work; the next process takes over at once.
#[test]
fn a_killed_process_loses_nothing_and_is_followed_at_once() {
    // The process that is killed runs this test as well.
    if let Some(path) = std::env::var_os(DATABASE) {
        commit_until_killed(&path);
    }
    let directory = Directory::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .arg("files::a_killed_process_loses_nothing_and_is_followed_at_once")
        .args(["--exact", "--nocapture", "--quiet"])
        .env(DATABASE, &directory.path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Open until the end: it is to die of nothing but the kill.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let acknowledged = lines.find(|line| line.as_ref().unwrap() == "committed 200");
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(acknowledged.is_some(), "it ended by itself");

    let next = Owner::new(directory.hub(), "next");
    assert_eq!(next.leases.len(), PARTITIONS as usize);
    assert!(next.leases.iter().all(|lease| !lease.clean));
    let lengths = [0, 1].map(|partition| next.history(&id_in(partition, "x")).len());
    assert!(lengths[0] >= 200, "{lengths:?}");
    assert_eq!(lengths[0], lengths[1], "a commit is there as a whole");
}

/// Where the process that is killed finds its database.
const DATABASE: &str = "STORAGE_TEST_DATABASE";

fn commit_until_killed(path: &std::ffi::OsStr) {
    let owner = Owner::new(open(&Sqlite::open(path).unwrap(), "hub"), "killed");
    for n in 0.. {
        let deltas: Vec<_> = [0, 1]
            .map(|partition| {
                let mut delta = owner.delta(PartitionId(partition));
                let record = record(&id_in(partition, "x"));
                delta.change(upsert(&record, [row(n, "[]")]));
                delta
            })
            .into();
        owner.hub.commit(&deltas).unwrap();
        println!("committed {}", n + 1);
    }
}

#[test]
fn the_file_is_set_up_for_durable_commits() {
    let directory = Directory::new();
    let _hub = directory.hub();
    let connection = directory.by_hand();
    assert_eq!(one::<String>(&connection, "PRAGMA journal_mode"), "wal");
    assert_eq!(one::<i64>(&connection, "PRAGMA page_size"), 4096);
    assert_eq!(one::<i64>(&connection, "PRAGMA user_version"), 5);
    assert_eq!(
        one::<i64>(&connection, "PRAGMA application_id"),
        0x4475_7262
    );
    assert_eq!(one::<String>(&connection, "PRAGMA integrity_check"), "ok");
}

#[test]
fn a_text_file_is_not_ours() {
    let directory = Directory::new();
    let text = "to whom it may concern\n".repeat(1000);
    for text in ["x", &text] {
        fs::write(&directory.path, text).unwrap();
        let error = directory.refused();
        assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
        assert!(error.to_string().contains("app.db"), "{error}");
        assert_eq!(fs::read_to_string(&directory.path).unwrap(), text);
    }
}

#[test]
fn a_database_of_another_program_is_not_ours() {
    let directory = Directory::new();
    let stranger = directory.by_hand();
    stranger.execute_batch("CREATE TABLE t (x)").unwrap();
    drop(stranger);
    let before = fs::read(&directory.path).unwrap();
    let error = directory.refused();
    assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
    assert_eq!(fs::read(&directory.path).unwrap(), before, "left as it was");

    let directory = Directory::new();
    let stranger = directory.by_hand();
    stranger.pragma_update(None, "application_id", 42).unwrap();
    drop(stranger);
    let error = directory.refused();
    assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
}

#[test]
fn an_empty_file_becomes_a_hub() {
    let directory = Directory::new();
    fs::write(&directory.path, "").unwrap();
    let _hub = directory.hub();
}

#[test]
fn a_newer_schema_is_refused_and_left_alone() {
    let directory = Directory::new();
    drop(directory.hub());
    let by_hand = directory.by_hand();
    by_hand.pragma_update(None, "user_version", 7).unwrap();
    drop(by_hand);
    match directory.refused() {
        StorageError::NewerSchema { found, known, .. } => assert_eq!((found, known), (7, 5)),
        other => panic!("{other}"),
    }
    let version: i64 = one(&directory.by_hand(), "PRAGMA user_version");
    assert_eq!(version, 7);
}

#[test]
fn a_place_that_cannot_be_is_named() {
    let directory = Directory::new();
    let missing = directory.directory.path().join("missing").join("app.db");
    let error = Sqlite::open(&missing).unwrap_err();
    assert!(error.is_transient(), "{error}");
    assert!(
        error.to_string().contains("missing does not exist"),
        "{error}"
    );
    let error = Sqlite::open(directory.directory.path()).unwrap_err();
    assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
}

/// Rule 46: what does not fit is refused, leaves nothing behind, and can be repeated later.
#[test]
fn a_full_disk_refuses_commits_until_there_is_room() {
    let directory = Directory::new();
    let sqlite = directory.open();
    let owner = Owner::new(open(&sqlite, "hub"), "worker");
    owner.store([record(&id_in(0, "small"))]);
    sqlite.set_max_bytes(400 << 10).unwrap();

    let to = id_in(1, "to");
    let mut delta = owner.delta(PartitionId(0));
    delta.outgoing = vec![message(0, 1, event(&to, "go"))];
    delta.replies = vec![(request(), Ok(Reply::Done))];
    let large = format!("[\"{}\"]", "x".repeat(600 << 10));
    delta.change(upsert(&record(&id_in(0, "large")), [row(0, &large)]));
    for _ in 0..3 {
        let error = owner.hub.commit(std::slice::from_ref(&delta)).unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert!(error.to_string().contains("free space"), "{error}");
        for hub in [&owner.hub, &directory.hub()] {
            assert_eq!(hub.list(&page(9)).unwrap().len(), 1);
            assert!(waiting(&**hub, &to).is_empty());
            assert_eq!(hub.take_reply(delta.replies[0].0).unwrap(), None);
        }
    }
    // What needs no room goes on.
    owner.store([record(&id_in(0, "small"))]);
    assert_eq!(owner.hub.renew(&owner.worker, LONG).unwrap().len(), 4);

    sqlite.set_max_bytes(u64::MAX).unwrap();
    owner.commit(delta.clone());
    assert_eq!(owner.history(&id_in(0, "large"))[0].1, large);
    assert_eq!(waiting(&*owner.hub, &to), ["go"]);
    assert_eq!(
        one::<String>(&directory.by_hand(), "PRAGMA integrity_check"),
        "ok"
    );
}

#[test]
fn the_size_can_be_bounded_from_the_beginning() {
    let directory = Directory::new();
    let sqlite = Sqlite::options()
        .max_bytes(300 << 10)
        .open(&directory.path)
        .unwrap();
    let owner = Owner::new(open(&sqlite, "hub"), "worker");
    let events = "x".repeat(50 << 10);
    let mut delta = owner.delta_of(&id("a"));
    let refused = (0..20).find_map(|n| {
        delta.change(upsert(&record(&id("a")), [row(n, &events)]));
        owner.hub.commit(std::slice::from_ref(&delta)).err()
    });
    assert!(refused.unwrap().is_transient());
    assert!(fs::metadata(&directory.path).unwrap().len() <= 300 << 10);
}

/// A process that has the file to itself for a moment only makes others wait.
#[test]
fn a_lock_held_by_another_process_is_waited_for() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let by_hand = directory.by_hand();
    by_hand.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let commit = scope.spawn(|| owner.store([record(&id("a"))]));
        let watched = owner
            .hub
            .watch()
            .unwrap()
            .wait(std::time::Duration::from_millis(60));
        assert!(!watched && !commit.is_finished());
        by_hand.execute_batch("ROLLBACK").unwrap();
        commit.join().unwrap();
    });
    assert!(owner.record(&id("a")).is_some());
}

/// Lest the leases of the others run out.
#[test]
fn a_process_that_commits_without_a_pause_lets_others_in() {
    let directory = Directory::new();
    let busy = Owner::new(directory.hub(), "worker");
    let elsewhere = directory.hub();
    let mut deltas = [busy.delta_of(&id("a"))];
    for n in 0..300 {
        deltas[0].change(upsert(&record(&id("a")), [row(n, "[]")]));
    }
    let (commits, done) = (AtomicU64::new(0), AtomicBool::new(false));
    let waits: Vec<u64> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                busy.hub.commit(&deltas).unwrap();
                commits.fetch_add(1, Ordering::Relaxed);
            }
        });
        let waits = (0..31)
            .map(|_| {
                let before = commits.load(Ordering::Relaxed);
                elsewhere.enqueue(&[event(&id("a"), "go")]).unwrap();
                commits.load(Ordering::Relaxed) - before
            })
            .collect();
        done.store(true, Ordering::Relaxed);
        waits
    });
    // A few, and more on a machine that is busy with other things; hundreds if the gaps between
    // commits had to be hit by chance.
    let most = waits.iter().max().copied();
    assert!(most < Some(100), "commits meanwhile: {waits:?}");
}

/// An owner that holds the lock and lives keeps its partitions; the lock of one hub says nothing
/// about another.
#[test]
fn the_lock_is_of_one_hub() {
    let directory = Directory::new();
    let one = Owner::new(open(&directory.open(), "one"), "worker");
    let two = Owner::new(open(&directory.open(), "two"), "worker");
    let next = open(&directory.open(), "one");
    assert!(next.acquire(&worker("next"), LONG, 9).unwrap().is_empty());
    drop(two);
    assert!(next.acquire(&worker("next"), LONG, 9).unwrap().is_empty());
    let two = open(&directory.open(), "two");
    assert_eq!(two.acquire(&worker("next"), LONG, 9).unwrap().len(), 4);
    drop(one);
    assert_eq!(next.acquire(&worker("next"), LONG, 9).unwrap().len(), 4);
}

/// An owner that came second has no lock, so nobody can tell that it is gone; once the first has
/// left, its next renewal gets the lock.
#[test]
fn the_lock_is_taken_over_by_a_renewal() {
    let directory = Directory::new();
    let first = directory.hub();
    first.acquire(&worker("first"), LONG, 2).unwrap();
    let second = directory.hub();
    second.acquire(&worker("second"), LONG, 2).unwrap();
    first.release(&worker("first")).unwrap();
    assert_eq!(second.renew(&worker("second"), LONG).unwrap().len(), 2);
    let third = directory.hub();
    assert_eq!(third.acquire(&worker("third"), LONG, 9).unwrap().len(), 2);
    drop(second);
    // The second held the lock, so its end is known to whoever gets it next.
    third.renew(&worker("third"), LONG).unwrap();
    assert_eq!(third.acquire(&worker("third"), LONG, 9).unwrap().len(), 2);
}

/// Replies that nobody takes do not pile up.
#[test]
fn old_replies_are_removed() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let reply = |request| {
        let mut delta = owner.delta(PartitionId(0));
        delta.replies = vec![(request, Ok(Reply::Done))];
        owner.commit(delta);
    };
    let (old, young) = (request(), request());
    reply(old);
    let by_hand = directory.by_hand();
    by_hand
        .execute("UPDATE replies SET at = at - 7200", [])
        .unwrap();
    reply(young);
    // One of many requests has the sweep done, this one among them.
    reply(RequestId(Uuid::nil()));
    assert_eq!(owner.hub.take_reply(old).unwrap(), None);
    assert!(owner.hub.take_reply(young).unwrap().is_some());
}

/// Under constant load the log starts over again and again.
#[test]
fn the_log_does_not_grow_without_bound() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let events = "x".repeat(1 << 20);
    // Five times what is moved at once, and more than the log is ever to be.
    for n in 0..160 {
        owner.change(upsert(&record(&id("a")), [row(n % 20, &events)]));
    }
    let length = fs::metadata(log_of(&directory.path)).unwrap().len();
    assert!(length < 120 << 20, "{length}");
}

/// Room is made in the log's file ahead of commits, and a log with such room behind it is read as one
/// without: the process may be killed at any time.
#[test]
fn the_room_behind_the_log_means_nothing() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    owner.change(upsert(&record(&id("a")), [row(0, "[]")]));
    let log = log_of(&directory.path);
    let has_room = || fs::read(&log).unwrap().ends_with(&[0; 16 << 10]);
    eventually("room in the log's file", || has_room().then_some(()));
    let length = fs::metadata(&log).unwrap().len();
    owner.change(upsert(&record(&id("b")), [row(0, "[]")]));
    assert!(
        has_room(),
        "it was written into the room, of {length} bytes"
    );

    let crashed = Directory::new();
    fs::copy(&directory.path, &crashed.path).unwrap();
    fs::copy(&log, log_of(&crashed.path)).unwrap();
    let next = Owner::new(crashed.hub(), "next");
    for key in ["a", "b"] {
        assert_eq!(next.record(&id(key)), Some(record(&id(key))));
    }
    next.change(upsert(&record(&id("c")), [row(0, "[]")]));
    assert_eq!(next.record(&id("c")), Some(record(&id("c"))));
}

fn log_of(path: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", path.display()))
}
