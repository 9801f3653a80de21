//! Locks whose holders are gone.

use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use crate::bench::{until, within};
use crate::support::{Log, holds, log};

// Rule 39: a lock whose holder no longer runs is released, and what has no state then is removed; one
// whose holder runs stays.
#[tokio::test]
async fn a_lock_whose_holder_is_gone_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("locks.db");
    let start = async || {
        let builder = DurableHost::builder().storage(Sqlite::open(&file).unwrap());
        within(builder.start()).await.unwrap()
    };
    let host = start().await;
    let client = host.client();
    for (holder, keys) in [("lost", ["a", "b"]), ("running", ["c", "d"])] {
        let start = client.start_new::<holds>(keys.map(str::to_owned));
        within(start.instance_id(holder)).await.unwrap();
        until(async || {
            let status = client.get_status(holder).await.unwrap()?;
            status.custom_status.map(drop)
        })
        .await;
    }
    within(host.shutdown()).await.unwrap();
    // As if somebody had taken the orchestration out by hand.
    let database = rusqlite::Connection::open(&file).unwrap();
    let removed = "DELETE FROM instances WHERE id = 'lost'";
    assert_eq!(database.execute(removed, []).unwrap(), 1);
    let emptied = "UPDATE entities SET state = NULL WHERE id = '@log@b'";
    assert_eq!(database.execute(emptied, []).unwrap(), 1);
    drop(database);

    let host = start().await;
    let client = host.client();
    let cleaned = within(client.clean_entity_storage()).await.unwrap();
    assert_eq!(cleaned.orphaned_locks_released, 2);
    assert_eq!(cleaned.empty_entities_removed, 1);
    within(client.signal::<Log>("a").add("free".to_owned()))
        .await
        .unwrap();
    let texts = within(client.read_entity_state::<Vec<String>>(log("a"))).await;
    assert_eq!(texts.unwrap().unwrap(), ["locked", "free"]);
    within(client.signal::<Log>("c").add("waits".to_owned()))
        .await
        .unwrap();
    let texts = within(client.read_entity_state::<Vec<String>>(log("c"))).await;
    assert_eq!(texts.unwrap().unwrap(), ["locked"]);
    let again = within(client.clean_entity_storage()).await.unwrap();
    assert_eq!(again.orphaned_locks_released, 0);
    within(host.shutdown()).await.unwrap();
    let database = rusqlite::Connection::open(&file).unwrap();
    let count = "SELECT count(*) FROM entities WHERE id = '@log@b'";
    let left: u32 = database.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(left, 0);
}
