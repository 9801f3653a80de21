//! Starting instances again.

use durable_runtime::client::{ClientError, RuntimeStatus};
use serde_json::json;

use crate::functions::{collect, fails, versioned};
use crate::support::{Site, status};

everywhere!(
    under_the_same_id,
    under_a_new_id,
    a_running_one_only_under_a_new_id,
    version_and_tags_stay,
    a_failed_one_begins_anew,
);

// Rule 9: same name and input, under the same id.
async fn under_the_same_id(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<collect>(1_usize).instance_id("one");
    let first = first.await.unwrap();
    first.raise_event("item", 1).await.unwrap();
    first.output().await.unwrap();
    let again = client.restart("one").await.unwrap();
    assert_eq!(again.id(), "one");
    again.raise_event("item", 2).await.unwrap();
    assert_eq!(again.output().await.unwrap(), json!([2]));
    let status = status(&client, "one").await;
    assert_eq!(status.name, "collect");
    assert_eq!(status.input, Some(json!(1)));
}

// Rule 9: or under a new one; the old instance stays.
async fn under_a_new_id(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<collect>(1_usize).instance_id("one");
    let first = first.await.unwrap();
    first.raise_event("item", 1).await.unwrap();
    first.output().await.unwrap();
    let again = client.restart("one").with_new_instance_id().await.unwrap();
    assert_ne!(again.id(), "one");
    again.raise_event("item", 2).await.unwrap();
    assert_eq!(again.output().await.unwrap(), json!([2]));
    assert_eq!(status(&client, "one").await.output, Some(json!([1])));
}

// Rule 9: the same id only when it has ended.
async fn a_running_one_only_under_a_new_id(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<collect>(1_usize).instance_id("one");
    let first = first.await.unwrap();
    assert!(matches!(
        client.restart("one").await,
        Err(ClientError::AlreadyExists { .. })
    ));
    let again = client.restart("one").with_new_instance_id().await.unwrap();
    again.raise_event("item", 2).await.unwrap();
    assert_eq!(again.output().await.unwrap(), json!([2]));
    first.raise_event("item", 1).await.unwrap();
    assert_eq!(first.output().await.unwrap(), [1]);
}

// Rule 22: a restart stays on the version.
async fn version_and_tags_stay(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let first = client.start_new::<versioned>(()).version("1.0");
    let first = first.tag("team", "blue").await.unwrap();
    first.output().await.unwrap();
    let again = client.restart(first.id()).await.unwrap();
    assert_eq!(again.output().await.unwrap(), json!("one, 1.0"));
    assert_eq!(again.status().await.unwrap().tags["team"], "blue");
}

// Rule 9: whatever the way in which it ended.
async fn a_failed_one_begins_anew(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<fails>("no").instance_id("one").await;
    assert!(run.unwrap().output().await.is_err());
    let before = status(&client, "one").await;
    let again = client.restart("one").await.unwrap();
    assert!(matches!(again.output().await, Err(ClientError::Failed(_))));
    let after = status(&client, "one").await;
    assert_eq!(after.runtime_status, RuntimeStatus::Failed);
    assert!(after.created_time > before.created_time);
}
