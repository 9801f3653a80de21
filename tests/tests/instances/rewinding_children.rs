//! Rewinding failed instances that failed because of their children.

use std::time::Duration;

use durable_runtime::client::RuntimeStatus;
use durable_runtime::testing::TestHost;

use crate::functions::{grandparent, parent, parent_of_two, retrying_parent};
use crate::rewinding::fail;
use crate::support::{Bench, DAY, Site, event_names, status, until_gone, until_status};

in_virtual_time!(a_child_that_was_retried);

everywhere!(
    a_failed_child_is_rewound,
    a_failed_grandchild_is_rewound,
    a_purged_child_is_started_again,
    of_two_children_the_failed_one,
    a_child_that_was_rewound_by_itself_is_taken_as_it_is,
);

// Rule 8: a failed child is rewound, not recreated.
async fn a_failed_child_is_rewound(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("b");
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = client.start_new::<parent>(keys).instance_id("one").await;
    let run = run.unwrap();
    fail(&run).await;
    let before = status(&client, "one-child").await;
    assert_eq!(before.runtime_status, RuntimeStatus::Failed);
    site.bench.mend("b");
    client.rewind("one", "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a", "b"]);
    assert_eq!((site.bench.calls("a"), site.bench.calls("b")), (1, 2));
    let after = status(&client, "one-child").await;
    assert_eq!(after.runtime_status, RuntimeStatus::Completed);
    assert_eq!(after.created_time, before.created_time);
    assert_eq!(after.parent.as_deref(), Some("one"));
}

// Rule 8: over several generations of children.
async fn a_failed_grandchild_is_rewound(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("b");
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = client.start_new::<grandparent>(keys).await.unwrap();
    for calls in 1..3 {
        fail(&run).await;
        assert_eq!(site.bench.calls("b"), calls);
        if calls == 2 {
            site.bench.mend("b");
        }
        client.rewind(run.id(), "again").await.unwrap();
    }
    assert_eq!(run.output().await.unwrap(), ["a", "b"]);
    assert_eq!((site.bench.calls("a"), site.bench.calls("b")), (1, 3));
}

// Rule 8: a child of which nothing is left begins anew.
async fn a_purged_child_is_started_again(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("a");
    let run = client.start_new::<parent>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    fail(&run).await;
    client.purge("one-child").await.unwrap();
    until_gone(&client, "one-child").await;
    site.bench.mend("a");
    client.rewind("one", "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a"]);
}

// Rule 8: a child that succeeded is left alone.
async fn of_two_children_the_failed_one(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("b");
    let run = client.start_new::<parent_of_two>(()).instance_id("one");
    let run = run.await.unwrap();
    fail(&run).await;
    let before = event_names(&client, "one-a").await;
    site.bench.mend("b");
    client.rewind("one", "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), [["a"], ["b"]]);
    assert_eq!((site.bench.calls("a"), site.bench.calls("b")), (1, 2));
    assert_eq!(event_names(&client, "one-a").await, before);
    let rewound = event_names(&client, "one-b").await;
    assert!(rewound.contains(&"ExecutionRewound"), "{rewound:?}");
}

// Rule 8: the child may have been rewound before its parent is.
async fn a_child_that_was_rewound_by_itself_is_taken_as_it_is(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("a");
    let run = client.start_new::<parent>(vec!["a".to_owned()]);
    let run = run.instance_id("one").await.unwrap();
    fail(&run).await;
    site.bench.mend("a");
    client.rewind("one-child", "mended").await.unwrap();
    let child = client.wait_for_completion("one-child", Duration::from_secs(10));
    let child = child.await.unwrap();
    assert_eq!(child.runtime_status, RuntimeStatus::Completed);
    let parent = run.status().await.unwrap();
    assert_eq!(parent.runtime_status, RuntimeStatus::Failed);
    client.rewind("one", "its child is fine").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a"]);
    assert_eq!(site.bench.calls("a"), 2);
}

// Rule 8: or it is running again when its parent is rewound.
#[tokio::test]
async fn a_child_that_is_running_again_is_waited_for() {
    crate::support::run(crate::support::Setting::Memory, async |site: Site| {
        let host = site.host().await;
        let client = host.client();
        site.bench.break_("a");
        let run = client.start_new::<parent>(vec!["a".to_owned()]);
        let run = run.instance_id("one").await.unwrap();
        fail(&run).await;
        site.bench.mend("a");
        site.bench.hold("a");
        client.rewind("one-child", "mended").await.unwrap();
        site.bench.called("a", 2).await;
        client.rewind("one", "its child is fine").await.unwrap();
        until_status(&client, "one", RuntimeStatus::Running).await;
        site.bench.let_go("a");
        assert_eq!(run.output().await.unwrap(), ["a"]);
        assert_eq!(site.bench.calls("a"), 2);
    })
    .await;
}

// Rule 8: of a child that was tried several times the last attempt is rewound, and the delays are not waited
// for again.
async fn a_child_that_was_retried(host: TestHost, bench: Bench) {
    bench.break_("b");
    let run = host.start::<retrying_parent>(()).instance_id("one");
    let run = run.await.unwrap();
    fail(&run).await;
    assert_eq!((bench.calls("a"), bench.calls("b")), (2, 2));
    assert_eq!(host.elapsed(), DAY);
    bench.mend("b");
    host.client().rewind("one", "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a", "b"]);
    assert_eq!((bench.calls("a"), bench.calls("b")), (2, 3));
    assert_eq!(host.elapsed(), DAY);
    let child = status(&host.client(), "one-child").await;
    assert_eq!(child.runtime_status, RuntimeStatus::Completed);
}
