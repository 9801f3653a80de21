//! Critical sections outlive the host.

use crate::bench::{Bench, LONG, within};
use crate::support::holds;

// A holder goes on where it was, inside of its section.
#[tokio::test]
async fn locks_outlive_the_host() {
    let bench = Bench::start().await;
    let keys = ["a", "b"].map(str::to_owned).to_vec();
    bench.begin::<holds>("holder", keys.clone()).await;
    bench.until_status("holder", "inside").await;
    bench.note("a", "kept").await;
    // This one waits at the first of them, in the inbox.
    bench.begin::<holds>("second", keys).await;
    let bench = bench.restart().await;
    let holder = |key: &str| (key.to_owned(), "holder".to_owned());
    assert_eq!(bench.locks(), [holder("a"), holder("b")]);
    bench.note("b", "after").await;
    bench.go("holder").await;
    bench.until_status("holder", "outside").await;
    bench.until_status("second", "inside").await;
    let bench = bench.restart().await;
    bench.go("second").await;
    for id in ["holder", "second"] {
        within(bench.client.wait_for_completion(id, LONG))
            .await
            .unwrap();
    }
    bench.until_unlocked().await;
    let a = ["locked", "released", "kept", "locked", "released"];
    bench.until_texts("a", &a).await;
    assert_eq!(bench.texts("b").await.len(), 5);
}
