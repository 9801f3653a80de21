//! Reading and listing entities.

use chrono::Utc;
use durable_runtime::client::{ClientError, EntityQuery};
use futures_util::TryStreamExt;

use crate::bench::{Bench, within};
use crate::support::{Counter, Notes};

async fn fill(bench: &Bench) {
    let counters = (0..25).map(|n| bench.client.signal::<Counter>(format!("{n:02}")).add(n));
    for sent in futures_util::future::join_all(counters).await {
        sent.unwrap();
    }
    within(bench.client.signal::<Notes>("a").add("b".to_owned()))
        .await
        .unwrap();
}

// Entities are listed by name, page by page.
#[tokio::test]
async fn entities_are_listed_page_by_page() {
    let bench = Bench::start().await;
    fill(&bench).await;
    let query = || EntityQuery::new().name("COUNTER").page_size(10);
    let mut keys = Vec::new();
    let mut token = None;
    loop {
        let page = match token.take() {
            None => within(bench.client.list_entities(query())).await.unwrap(),
            Some(token) => {
                let query = query().continuation_token(token);
                within(bench.client.list_entities(query)).await.unwrap()
            }
        };
        assert!(page.entities.len() <= 10);
        for entity in &page.entities {
            let value = entity.state.as_ref().unwrap()["value"].as_i64();
            assert_eq!(value, entity.id.key().parse().ok());
            keys.push(entity.id.key().to_owned());
        }
        match page.continuation_token {
            Some(next) => token = Some(next),
            None => break,
        }
    }
    let wanted: Vec<_> = (0..25).map(|n| format!("{n:02}")).collect();
    assert_eq!(keys, wanted);
}

// By the time of their last operation, and without their states.
#[tokio::test]
async fn entities_are_filtered_by_their_last_operation() {
    let bench = Bench::start().await;
    fill(&bench).await;
    let before = Utc::now();
    within(bench.client.signal::<Notes>("late").add("c".to_owned()))
        .await
        .unwrap();
    let query = EntityQuery::new()
        .last_operation_from(before)
        .without_state();
    let found: Vec<_> = within(bench.client.list_entities(query).stream().try_collect())
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].id, Notes::id("late"));
    assert_eq!(found[0].state, None);
    let query = EntityQuery::new().last_operation_to(before);
    let found: Vec<_> = within(bench.client.list_entities(query).stream().try_collect())
        .await
        .unwrap();
    assert_eq!(found.len(), 26);
}

#[tokio::test]
async fn a_damaged_token_is_an_error() {
    let bench = Bench::start().await;
    let query = EntityQuery::new().continuation_token("AAAA");
    let refused = within(bench.client.list_entities(query)).await;
    assert!(matches!(
        refused,
        Err(ClientError::InvalidContinuationToken)
    ));
}

// A state that does not fit is an error that names the entity.
#[tokio::test]
async fn a_state_of_another_type_is_an_error() {
    let bench = Bench::start().await;
    fill(&bench).await;
    let read = within(bench.client.read_entity_state::<Notes>(Counter::id("01"))).await;
    let message = read.unwrap_err().to_string();
    assert!(message.contains("@counter@01"), "{message}");
    assert!(message.contains("texts"), "{message}");
}
