//! Damage to a `SQLite` file is found, named, and kept to where it is.

use std::fs;

use durable_runtime::model::PartitionId;
use durable_runtime::storage::{HubOptions, Sqlite, StorageError, StorageProvider};

use crate::files::{Directory, one};
use crate::fixture::{
    LONG, Owner, entity, entity_id, event, hub_name, id, id_in, page, put, record, row, upsert,
    waiting, worker,
};

fn filled(directory: &Directory) {
    let owner = Owner::new(directory.hub(), "worker");
    let mut delta = owner.delta(PartitionId(0));
    for n in 0..200 {
        let events = format!("[\"{}\"]", "x".repeat(500));
        delta.change(upsert(
            &record(&id_in(0, &format!("i{n}"))),
            [row(0, &events)],
        ));
    }
    owner.commit(delta);
    owner.hub.release(&owner.worker).unwrap();
}

#[test]
fn a_truncated_file_is_corrupt() {
    let directory = Directory::new();
    filled(&directory);
    let length = fs::metadata(&directory.path).unwrap().len();
    let file = fs::OpenOptions::new()
        .write(true)
        .open(&directory.path)
        .unwrap();
    file.set_len(length / 2 / 4096 * 4096).unwrap();
    drop(file);
    let error = Sqlite::open(&directory.path)
        .and_then(|sqlite| open_and_read(&sqlite))
        .unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
    assert!(error.to_string().contains("app.db"), "{error}");
}

#[test]
fn junk_in_the_schema_is_corrupt() {
    let directory = Directory::new();
    filled(&directory);
    directory.overwrite(100, &[0xAB; 8000]);
    let error = directory.refused();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
}

#[test]
fn junk_at_the_beginning_is_not_a_database() {
    let directory = Directory::new();
    filled(&directory);
    directory.overwrite(0, &[0xAB; 64]);
    let error = directory.refused();
    assert!(matches!(error, StorageError::NotOurs { .. }), "{error}");
}

#[test]
fn junk_in_the_pages_is_corrupt_and_no_panic() {
    let directory = Directory::new();
    filled(&directory);
    let length = fs::metadata(&directory.path).unwrap().len();
    let pages = length / 4096;
    directory.overwrite(
        4096 * 2,
        &vec![0xAB; usize::try_from(4096 * (pages - 2)).unwrap()],
    );
    let error = Sqlite::open(&directory.path)
        .and_then(|sqlite| open_and_read(&sqlite))
        .unwrap_err();
    assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
}

/// Everything that a host does first.
fn open_and_read(sqlite: &Sqlite) -> Result<(), StorageError> {
    let hub = sqlite.open_hub(&hub_name("hub"), &HubOptions::default())?;
    hub.acquire(&worker("w"), LONG, 9)?;
    hub.due_instances(PartitionId(0))?;
    hub.inbox(&[PartitionId(0)])?;
    for row in hub.list(&page(1000))? {
        hub.load(&[row.record.id])?;
    }
    Ok(())
}

#[test]
fn a_record_that_cannot_be_read_is_named_and_alone() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    owner.store([record(&id("good")), record(&id("bad"))]);
    let by_hand = directory.by_hand();
    for damage in [
        "tags = '{'",
        "tags = '[1]'",
        "status = 'Sleeping'",
        "execution = x'00'",
        "output = 'no json'",
        "created = 9223372036854775807",
    ] {
        let sql = format!("UPDATE instances SET {damage} WHERE id = 'bad'");
        by_hand.execute(&sql, []).unwrap();
        let error = owner.hub.load(&[id("bad")]).unwrap_err();
        assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
        let column = damage.split(' ').next().unwrap();
        let text = error.to_string();
        assert!(text.contains("\"bad\"") && text.contains(column), "{text}");
        assert!(owner.hub.summary(&id("bad"), false).is_err());
        assert!(owner.record(&id("good")).is_some());
        by_hand
            .execute(
                "UPDATE instances SET (tags, status, execution, output, created) =
                    (SELECT tags, status, execution, output, created FROM instances
                     WHERE id = 'good')
                 WHERE id = 'bad'",
                [],
            )
            .unwrap();
    }
    assert_eq!(owner.record(&id("bad")), Some(record(&id("bad"))));
}

/// Only who asks for the damaged entity is refused, and is told which it is and what of it.
#[test]
fn an_entity_that_cannot_be_read_is_named_and_alone() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let [good, bad] = ["good", "bad"].map(|key| entity_id("counter", key));
    owner.change(put(&entity(&good)));
    let by_hand = directory.by_hand();
    for damage in [
        "state = 'no json'",
        "queue = '{'",
        "queue = '[{}]'",
        "last_operation = 9223372036854775807",
    ] {
        owner.change(put(&entity(&bad)));
        let sql = format!("UPDATE entities SET {damage} WHERE id = '@counter@bad'");
        assert_eq!(by_hand.execute(&sql, []).unwrap(), 1);
        let ids = [good.clone(), bad.clone()];
        let error = owner.hub.entities(&ids).unwrap_err();
        assert!(matches!(error, StorageError::Corrupt { .. }), "{error}");
        let column = damage.split(' ').next().unwrap();
        let text = error.to_string();
        assert!(
            text.contains("entity \"@counter@bad\"") && text.contains(column),
            "{text}"
        );
        let found = owner.hub.entities(&ids[..1]).unwrap();
        assert_eq!(found, [Some(entity(&good))]);
    }
    // What wrote it wrong may write it right.
    owner.change(put(&entity(&bad)));
    let found = owner.hub.entities(std::slice::from_ref(&bad)).unwrap();
    assert_eq!(found, [Some(entity(&bad))]);
}

/// Invariant 7 of the design: no input loses another instance's work.
#[test]
fn a_message_that_cannot_be_read_does_not_hold_up_others() {
    let directory = Directory::new();
    let owner = Owner::new(directory.hub(), "worker");
    let to = id_in(0, "to");
    let events = ["1", "2", "3"].map(|name| event(&to, name));
    owner.hub.enqueue(&events).unwrap();
    let by_hand = directory.by_hand();
    let damage =
        "UPDATE inbox SET message = '{\"to\":\"x\",\"command\":\"Dance\"}' WHERE number = 2";
    assert_eq!(by_hand.execute(damage, []).unwrap(), 1);
    assert_eq!(waiting(&*owner.hub, &to), ["1", "3"]);
    // It is still there for whoever can read it.
    assert_eq!(one::<i64>(&by_hand, "SELECT count(*) FROM inbox"), 3);
}
