//! Queries for many instances.

use std::collections::BTreeSet;

use durable_runtime::client::{
    ClientError, DurableClient, InstanceQuery, OrchestrationStatus, RuntimeStatus,
};
use durable_runtime::model::Tags;
use futures_util::TryStreamExt;
use serde_json::json;

use crate::functions::{collect, fails, greet};
use crate::support::{Site, now, status};

everywhere!(
    by_status,
    by_name_and_tags,
    by_id_prefix,
    by_time_of_creation,
    pages_are_in_order_and_whole,
    pages_while_instances_come_and_go,
    a_stream_reads_all_pages,
    a_damaged_token_is_an_error,
    with_and_without_input,
);

async fn ids(client: &DurableClient, query: InstanceQuery) -> Vec<String> {
    let page = client.list_instances(query).await.unwrap();
    page.instances
        .into_iter()
        .map(|instance| instance.instance_id)
        .collect()
}

async fn greeted(client: &DurableClient, id: &str) -> OrchestrationStatus {
    let run = client.start_new::<greet>(id).instance_id(id).await;
    run.unwrap().output().await.unwrap();
    status(client, id).await
}

// Rule 11: one or several statuses.
async fn by_status(site: Site) {
    let host = site.host().await;
    let client = host.client();
    greeted(&client, "completed").await;
    let failed = client.start_new::<fails>("no").instance_id("failed").await;
    assert!(failed.unwrap().output().await.is_err());
    let running = client.start_new::<collect>(1_usize).instance_id("held");
    running.await.unwrap();
    client.suspend("held", "wait").await.unwrap();
    let query = InstanceQuery::new;
    let failed = query().status(RuntimeStatus::Failed);
    assert_eq!(ids(&client, failed).await, ["failed"]);
    let held = query().status(RuntimeStatus::Suspended);
    assert_eq!(ids(&client, held).await, ["held"]);
    let ended = query().statuses([RuntimeStatus::Failed, RuntimeStatus::Completed]);
    assert_eq!(ids(&client, ended).await, ["completed", "failed"]);
    let nothing = query().status(RuntimeStatus::Terminated);
    assert!(ids(&client, nothing).await.is_empty());
    assert_eq!(ids(&client, query()).await.len(), 3);
}

// Rule 11: all tags that are named must be there.
async fn by_name_and_tags(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for (id, team, size) in [("a", "blue", "1"), ("b", "blue", "2"), ("c", "red", "1")] {
        let start = client.start_new::<greet>("Ann").instance_id(id);
        let run = start.tag("team", team).tag("size", size).await.unwrap();
        run.output().await.unwrap();
    }
    let other = client.start_new::<fails>("no").instance_id("d");
    assert!(
        other
            .tag("team", "blue")
            .await
            .unwrap()
            .output()
            .await
            .is_err()
    );
    let query = InstanceQuery::new;
    assert_eq!(ids(&client, query().name("fails")).await, ["d"]);
    assert_eq!(ids(&client, query().name("greet")).await, ["a", "b", "c"]);
    assert!(ids(&client, query().name("GREET")).await.is_empty());
    let blue = query().tag("team", "blue");
    assert_eq!(ids(&client, blue.clone()).await, ["a", "b", "d"]);
    assert_eq!(ids(&client, blue.tag("size", "1")).await, ["a"]);
    let tags = Tags::from([("team".to_owned(), "red".to_owned())]);
    assert_eq!(ids(&client, query().tags(tags)).await, ["c"]);
    assert!(ids(&client, query().tag("team", "bl")).await.is_empty());
}

// Rule 11: a prefix is taken literally.
async fn by_id_prefix(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for id in ["a_1", "ab1", "A_1", "a%1", "a_", "ä1", "a*1", "a"] {
        greeted(&client, id).await;
    }
    for (prefix, found) in [
        ("a_", &["a_1", "a_"][..]),
        ("a%", &["a%1"]),
        ("a*", &["a*1"]),
        ("ä", &["ä1"]),
        ("A", &["A_1"]),
        ("x", &[]),
    ] {
        let query = InstanceQuery::new().id_prefix(prefix);
        assert_eq!(ids(&client, query).await, found, "{prefix}");
    }
    let all = InstanceQuery::new().id_prefix("");
    assert_eq!(ids(&client, all).await.len(), 8);
}

// Rule 11: both ends of the time are included.
async fn by_time_of_creation(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let before = now();
    let mut created = Vec::new();
    for id in ["a", "b", "c"] {
        created.push(greeted(&client, id).await.created_time);
    }
    assert!(created.is_sorted());
    let query = InstanceQuery::new;
    let from = query().created_from(created[1]);
    assert_eq!(ids(&client, from.clone()).await, ["b", "c"]);
    assert_eq!(ids(&client, from.created_to(created[1])).await, ["b"]);
    let to = query().created_to(created[1]);
    assert_eq!(ids(&client, to).await, ["a", "b"]);
    let earlier = query().created_to(before - chrono::Duration::seconds(1));
    assert!(ids(&client, earlier).await.is_empty());
    let since = query().created_from(before - chrono::Duration::seconds(1));
    assert_eq!(ids(&client, since).await.len(), 3);
}

// Rule 11: by time of creation, then by id; nothing is left out or comes twice.
async fn pages_are_in_order_and_whole(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let starts = (0..25).map(|number| {
        let start = client.start_new::<greet>("Ann");
        start.instance_id(format!("one-{number}")).into_future()
    });
    futures_util::future::try_join_all(starts).await.unwrap();
    for size in [1, 7, 25, 100] {
        let mut found = Vec::new();
        let mut query = InstanceQuery::new().page_size(size);
        loop {
            let page = client.list_instances(query).await.unwrap();
            // None is empty, not even the last.
            assert!((1..=size).contains(&page.instances.len()));
            found.extend(page.instances);
            match page.continuation_token {
                Some(token) => {
                    query = InstanceQuery::new()
                        .page_size(size)
                        .continuation_token(token);
                }
                None => break,
            }
        }
        let keys: Vec<_> = found
            .iter()
            .map(|status| (status.created_time, status.instance_id.clone()))
            .collect();
        assert!(keys.is_sorted());
        let ids: BTreeSet<_> = keys.into_iter().map(|(_, id)| id).collect();
        assert_eq!((ids.len(), found.len()), (25, 25));
    }
}

// Rule 11: pages do not shift when instances that were listed go, or others come.
async fn pages_while_instances_come_and_go(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for number in 0..9 {
        greeted(&client, &format!("old-{number}")).await;
    }
    let query = InstanceQuery::new().page_size(3);
    let first = client.list_instances(query.clone()).await.unwrap();
    let token = first.continuation_token.unwrap();
    // The last of the page is where the next one begins.
    for gone in ["old-0", "old-2", "old-4"] {
        client.purge(gone).await.unwrap();
    }
    greeted(&client, "new").await;
    let rest = query.page_size(100).continuation_token(token);
    let rest = ids(&client, rest).await;
    assert_eq!(rest, ["old-3", "old-5", "old-6", "old-7", "old-8", "new"]);
}

async fn a_stream_reads_all_pages(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for number in 0..7 {
        greeted(&client, &format!("one-{number}")).await;
    }
    greeted(&client, "two").await;
    let query = InstanceQuery::new().id_prefix("one-").page_size(3);
    let all: Vec<_> = client
        .list_instances(query)
        .stream()
        .map_ok(|status| status.instance_id)
        .try_collect()
        .await
        .unwrap();
    let wanted: Vec<_> = (0..7).map(|number| format!("one-{number}")).collect();
    assert_eq!(all, wanted);
    let damaged = InstanceQuery::new().continuation_token("damaged");
    let damaged: Result<Vec<_>, _> = client.list_instances(damaged).stream().try_collect().await;
    assert!(matches!(
        damaged,
        Err(ClientError::InvalidContinuationToken)
    ));
}

// Rule 11: an error, not an empty page.
async fn a_damaged_token_is_an_error(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for id in ["a", "b"] {
        greeted(&client, id).await;
    }
    let page = client.list_instances(InstanceQuery::new().page_size(1));
    let token = page.await.unwrap().continuation_token.unwrap();
    assert!(!token.contains('a') || token.len() > 8, "it is opaque");
    for damaged in [
        String::new(),
        token[1..].to_owned(),
        format!("{token}A"),
        token.to_lowercase(),
        "ä".to_owned(),
    ] {
        let query = InstanceQuery::new().continuation_token(&damaged);
        assert!(
            matches!(
                client.list_instances(query).await,
                Err(ClientError::InvalidContinuationToken)
            ),
            "{damaged}"
        );
    }
    let query = InstanceQuery::new().continuation_token(token);
    assert_eq!(ids(&client, query).await, ["b"]);
}

async fn with_and_without_input(site: Site) {
    let host = site.host().await;
    let client = host.client();
    greeted(&client, "a").await;
    let page = client.list_instances(InstanceQuery::new()).await.unwrap();
    assert_eq!(page.instances, [status(&client, "a").await]);
    assert_eq!(page.instances[0].input, Some(json!("a")));
    let bare = InstanceQuery::new().without_input();
    let page = client.list_instances(bare).await.unwrap();
    assert_eq!(page.instances[0].input, None);
}
