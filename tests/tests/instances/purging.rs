//! Deleting instances.

use durable_runtime::client::{ClientError, InstanceQuery, RuntimeStatus};

use crate::functions::{careless_parent, collect, fails, grandparent, greet, parent};
use crate::support::{Site, status, until_gone, until_no_message_waits, until_status};

everywhere!(
    one_instance,
    one_that_has_not_ended_is_refused,
    an_id_is_free_again,
    children_go_too,
    children_that_run_stay,
    who_has_the_id_of_a_child_stays,
    by_filter,
    by_filter_only_what_has_ended,
    more_than_a_page,
);

// Rule 10: it is gone, with its history.
async fn one_instance(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for id in ["one", "two"] {
        let run = client.start_new::<greet>("Ann").instance_id(id).await;
        run.unwrap().output().await.unwrap();
    }
    client.purge("one").await.unwrap();
    assert_eq!(client.get_status("one").with_history().await.unwrap(), None);
    assert!(matches!(
        client.purge("one").await,
        Err(ClientError::InstanceNotFound { .. })
    ));
    assert!(client.get_status("two").await.unwrap().is_some());
}

// Rule 10: only an instance that has ended.
async fn one_that_has_not_ended_is_refused(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(1_usize).await.unwrap();
    until_status(&client, run.id(), RuntimeStatus::Running).await;
    for status in [RuntimeStatus::Running, RuntimeStatus::Suspended] {
        match client.purge(run.id()).await {
            Err(ClientError::NotRunning {
                status: named,
                needs,
                ..
            }) => {
                assert_eq!(named, status);
                assert!(needs.contains("ended"), "{needs}");
            }
            other => panic!("{other:?}"),
        }
        client.suspend(run.id(), "wait").await.unwrap();
    }
    client.resume(run.id(), "go").await.unwrap();
    run.raise_event("item", 1).await.unwrap();
    assert_eq!(run.output().await.unwrap(), [1]);
}

async fn an_id_is_free_again(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for round in 0..3 {
        let run = client.start_new::<greet>("Ann").instance_id("one").await;
        run.unwrap().output().await.unwrap();
        client.purge("one").await.unwrap();
        let run = client.start_new::<collect>(1_usize).instance_id("one");
        let run = run.await.unwrap();
        run.raise_event("item", round).await.unwrap();
        assert_eq!(run.output().await.unwrap(), [round]);
    }
}

// Rule 10: children of a purged parent go with it, and theirs.
async fn children_go_too(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<grandparent>(vec![]).instance_id("one");
    run.await.unwrap().output().await.unwrap();
    client.purge("one").await.unwrap();
    for id in ["one", "one-child", "one-child-child"] {
        until_gone(&client, id).await;
    }
}

// Rule 10: what has not ended is not purged, with whomever it came.
async fn children_that_run_stay(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    let run = client.start_new::<parent>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    site.bench.called("a", 1).await;
    run.terminate("enough").await.unwrap();
    client.purge("one").await.unwrap();
    until_gone(&client, "one").await;
    // The child is told as well, and stays if it has not ended by then.
    until_no_message_waits(&site).await;
    site.bench.let_go("a");
    let child = client.wait_for_completion("one-child", std::time::Duration::from_secs(10));
    let child = child.await.unwrap();
    assert_eq!(child.runtime_status, RuntimeStatus::Completed);
}

// Rule 10: an instance that was started by somebody else under the id that a child once had is no
// child.
async fn who_has_the_id_of_a_child_stays(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<careless_parent>(()).instance_id("one");
    run.await.unwrap().output().await.unwrap();
    until_status(&client, "one-child", RuntimeStatus::Completed).await;
    client.purge("one-child").await.unwrap();
    let stranger = client.start_new::<greet>("Bob").instance_id("one-child");
    stranger.await.unwrap().output().await.unwrap();
    client.purge("one").await.unwrap();
    // What was sent to the stranger because of the purge comes before this.
    let sent_after = client.suspend("one-child", "").await;
    assert!(matches!(sent_after, Err(ClientError::NotRunning { .. })));
    assert_eq!(status(&client, "one-child").await.parent, None);
}

// Rule 10: by filter, with the count.
async fn by_filter(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for id in ["a-1", "a-2", "b-1"] {
        let run = client.start_new::<greet>("Ann").instance_id(id).await;
        run.unwrap().output().await.unwrap();
    }
    let failed = client.start_new::<fails>("no").instance_id("a-3").await;
    assert!(failed.unwrap().output().await.is_err());
    let query = || InstanceQuery::new().id_prefix("a-");
    let completed = query().status(RuntimeStatus::Completed);
    assert_eq!(client.purge_instances(completed.clone()).await.unwrap(), 2);
    assert_eq!(client.purge_instances(completed).await.unwrap(), 0);
    assert_eq!(client.purge_instances(query()).await.unwrap(), 1);
    let left = client.list_instances(InstanceQuery::new()).await.unwrap();
    assert_eq!(left.instances.len(), 1);
    assert_eq!(left.instances[0].instance_id, "b-1");
}

// Rule 10: a filter does not reach what has not ended.
async fn by_filter_only_what_has_ended(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<collect>(1_usize).await.unwrap();
    let ended = client.start_new::<greet>("Ann").await.unwrap();
    ended.output().await.unwrap();
    let running = InstanceQuery::new().status(RuntimeStatus::Running);
    assert_eq!(client.purge_instances(running).await.unwrap(), 0);
    let all = InstanceQuery::new();
    assert_eq!(client.purge_instances(all).await.unwrap(), 1);
    run.raise_event("item", 1).await.unwrap();
    assert_eq!(run.output().await.unwrap(), [1]);
}

// Rule 10: the count is of all pages, and of children that match as well as their parents.
async fn more_than_a_page(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let mut runs = Vec::new();
    for _ in 0..10 {
        runs.push(client.start_new::<parent>(vec![]).await.unwrap());
    }
    for run in &runs {
        run.output().await.unwrap();
    }
    let all = InstanceQuery::new().page_size(3);
    assert_eq!(client.purge_instances(all).await.unwrap(), 20);
    let left = client.list_instances(InstanceQuery::new()).await.unwrap();
    assert!(left.instances.is_empty());
}
