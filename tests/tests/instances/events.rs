//! Raising events.

use durable_runtime::client::{ClientError, RuntimeStatus};
use durable_runtime::testing::TestHost;

use crate::functions::{collect, fails, generations, greet};
use crate::support::{Bench, DAY, Site};

in_virtual_time!(to_one_that_is_pending);

everywhere!(
    to_nobody,
    to_one_that_has_ended,
    many_at_once_arrive_once_each,
    to_one_that_continues_as_new,
);

// Rule 25: to an unknown instance.
async fn to_nobody(site: Site) {
    let host = site.host().await;
    let raised = host.client().raise_event("nobody", "item", 1).await;
    match raised {
        Err(ClientError::InstanceNotFound { id }) => assert_eq!(id, "nobody"),
        other => panic!("{other:?}"),
    }
    // The event does not wait for an instance to come.
    let run = host.client().start_new::<collect>(1_usize);
    let run = run.instance_id("nobody").await.unwrap();
    run.raise_event("item", 2).await.unwrap();
    assert_eq!(run.output().await.unwrap(), [2]);
}

// Rule 25: to one that has ended, in whatever way.
async fn to_one_that_has_ended(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let completed = client.start_new::<greet>("Ann").await.unwrap();
    completed.output().await.unwrap();
    let failed = client.start_new::<fails>("no").await.unwrap();
    failed.output().await.unwrap_err();
    let terminated = client.start_new::<collect>(1_usize).await.unwrap();
    terminated.terminate("enough").await.unwrap();
    for (id, status) in [
        (completed.id(), RuntimeStatus::Completed),
        (failed.id(), RuntimeStatus::Failed),
        (terminated.id(), RuntimeStatus::Terminated),
    ] {
        match client.raise_event(id, "item", 1).await {
            Err(ClientError::NotRunning { status: named, .. }) => assert_eq!(named, status),
            other => panic!("{other:?}"),
        }
    }
}

// Rule 24: an event that comes before the first step is kept, and does not bring it forward.
async fn to_one_that_is_pending(host: TestHost, _: Bench) {
    let run = host.start::<collect>(2_usize);
    let run = run.start_at(host.now() + 30 * DAY).await.unwrap();
    for item in [1, 2] {
        host.sleep(DAY).await;
        run.raise_event("ITEM", item).await.unwrap();
    }
    assert_eq!(run.output().await.unwrap(), [1, 2]);
    assert_eq!(host.elapsed(), 30 * DAY);
}

// Rule 24: none is lost and none comes twice.
async fn many_at_once_arrive_once_each(site: Site) {
    let host = site.host().await;
    let run = host.client().start_new::<collect>(50_usize).await.unwrap();
    let raises = (0..50).map(|item| run.raise_event("item", item));
    futures_util::future::try_join_all(raises).await.unwrap();
    let mut items = run.output().await.unwrap();
    items.sort_unstable();
    assert_eq!(items, (0..50).collect::<Vec<i64>>());
}

// Rule 19: events that are not consumed go over to the next generation.
async fn to_one_that_continues_as_new(site: Site) {
    let host = site.host().await;
    let run = host.client().start_new::<generations>(0_u32).await.unwrap();
    let raises = (0..3).map(|_| run.raise_event("next", ()));
    futures_util::future::try_join_all(raises).await.unwrap();
    assert_eq!(run.output().await.unwrap(), 3);
}
