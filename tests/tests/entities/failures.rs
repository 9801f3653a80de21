//! Operations that fail, and what they leave.

use std::sync::atomic::AtomicBool;

use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use crate::bench::{Bench, within};
use crate::support::{Counter, Greeting};

// Rule 34: of a batch, what fails is undone and the others stand.
#[tokio::test]
async fn a_failed_operation_undoes_itself_only() {
    let bench = Bench::start().await;
    let counter = bench.client.signal::<Counter>("a");
    let mut sent = Vec::new();
    for number in 0..300 {
        sent.push(match number % 3 {
            0 => counter.add(1),
            1 => counter.withdraw(1_000),
            _ => counter.panics(),
        });
    }
    for sent in futures_util::future::join_all(sent).await {
        sent.unwrap();
    }
    let state: Counter = bench.state(Counter::id("a")).await.unwrap();
    assert_eq!(state.value, 100);
}

// Rule 34: a first operation that fails leaves no entity.
#[tokio::test]
async fn a_first_operation_that_fails_leaves_no_entity() {
    let bench = Bench::start().await;
    within(bench.client.signal::<Counter>("a").withdraw(1))
        .await
        .unwrap();
    assert!(bench.state::<Counter>(Counter::id("a")).await.is_none());
}

// What is not there is refused as well, with what is near.
#[tokio::test]
async fn a_client_is_told_that_an_operation_is_not_there() {
    let bench = Bench::start().await;
    for (name, operation, near) in [
        ("Countr", "add", "did you mean \"Counter\"?"),
        ("Counter", "ad", "did you mean \"add\"?"),
    ] {
        let id = EntityId::new(name, "a");
        let refused = within(bench.client.signal_entity(id, operation, 1)).await;
        let refused = refused.unwrap_err();
        assert!(matches!(refused, ClientError::UnknownEntity { .. }));
        assert!(refused.to_string().contains(near), "{refused}");
    }
}

// A state that was stored by other code is kept, and what is asked of it fails.
#[tokio::test]
async fn a_state_that_does_not_fit_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("entities.db");
    let start = async || {
        let builder = DurableHost::builder()
            .storage(Sqlite::open(&file).unwrap())
            .state(Greeting(String::new(), AtomicBool::new(false)));
        within(builder.start()).await.unwrap()
    };
    let host = start().await;
    within(host.client().signal::<Counter>("a").add(1))
        .await
        .unwrap();
    within(host.shutdown()).await.unwrap();
    // As if its type had been another one.
    let database = rusqlite::Connection::open(&file).unwrap();
    let other = r#"{"value":"much"}"#;
    let changed = database
        .execute("UPDATE entities SET state = ?1", [other])
        .unwrap();
    assert_eq!(changed, 1);
    drop(database);

    let host = start().await;
    let client = host.client();
    let run = within(client.start_new::<adds_one>("a")).await.unwrap();
    let (is_final, message) = within(run.output()).await.unwrap();
    assert!(is_final);
    assert!(message.contains("@counter@a"), "{message}");
    assert!(
        message.contains("string \"much\", expected i64"),
        "{message}"
    );
    let read = client.read_entity_state::<serde_json::Value>(Counter::id("a"));
    assert_eq!(within(read).await.unwrap().unwrap()["value"], "much");
    within(host.shutdown()).await.unwrap();
}

#[orchestrator]
async fn adds_one(ctx: OrchestrationContext, key: String) -> Result<(bool, String)> {
    let failed = ctx.entity::<Counter>(key).add(1).await.unwrap_err();
    Ok((failed.is_non_retriable(), failed.message().to_owned()))
}

// A key that breaks a rule is refused before anything is sent.
#[tokio::test]
async fn a_bad_key_is_refused() {
    let bench = Bench::start().await;
    let refused = within(bench.client.signal::<Counter>("a@b").add(1)).await;
    let message = refused.unwrap_err().to_string();
    assert!(message.contains("'@'"), "{message}");
    let read = within(
        bench
            .client
            .read_entity_state::<Counter>(Counter::id("a\u{7}")),
    )
    .await;
    assert!(read.unwrap_err().to_string().contains("control"));
}
