//! Histories: as a timeline for people, as a record for programs.

use durable_runtime::model::HistoryEvent;
use serde_json::Value;

use crate::support::{PATIENCE, Site};

/// A site with an instance that has done everything, and nobody who runs it.
async fn site() -> Site {
    let site = Site::new();
    let host = site.host().await;
    let client = host.client();
    let start = client
        .start_new_by_name("everything", ())
        .instance_id("all");
    start.await.unwrap();
    client.wait_for_completion("all", PATIENCE).await.unwrap();
    host.shutdown().await.unwrap();
    site
}

/// The line that has the text.
fn line<'a>(timeline: &'a str, text: &str) -> &'a str {
    let found = timeline.lines().find(|line| line.contains(text));
    found.unwrap_or_else(|| panic!("{text:?} is not in\n{timeline}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_and_their_ends_are_one_line() {
    let site = site().await;
    let timeline = site.durable(&["get-history", "--id", "all"]).ok();
    let title = timeline.lines().next().unwrap();
    assert!(
        title.contains("all") && title.contains("Completed"),
        "{title}"
    );
    let child = line(&timeline, "sub-orchestration hello");
    assert!(
        child.contains("ok") && child.contains("\"child\""),
        "{child}"
    );
    assert!(child.contains("→ \"Hello child!\""), "{child}");
    assert!(line(&timeline, "call @counter@visits add").contains("ok"));
    line(&timeline, "signal @counter@visits add");
    assert!(line(&timeline, "timer for").contains("fired"));
    let failed = line(&timeline, "activity greet");
    assert!(failed.contains("there is nobody to greet"), "{failed}");
    assert!(line(&timeline, "completed").contains("true"));
    assert!(!timeline.contains("the-child"), "{timeline}");

    let without = [
        "get-history",
        "all",
        "--show-input=false",
        "--show-output=false",
    ];
    let timeline = site.durable(&without).ok();
    assert!(!timeline.contains("child\""), "{timeline}");
}

#[tokio::test(flavor = "multi_thread")]
async fn children_are_indented() {
    let site = site().await;
    let timeline = site.durable(&["get-history", "all", "--recursive"]).ok();
    let mut lines = timeline.lines();
    lines.find(|line| line.contains("sub-orchestration hello"));
    let child = lines.next().unwrap();
    assert!(
        child.starts_with("    the-child  hello  Completed"),
        "{timeline}"
    );
    let greeting = lines.find(|line| line.contains("activity greet")).unwrap();
    assert!(greeting.starts_with("        "), "{timeline}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_is_what_storage_holds() {
    let site = site().await;
    let status = site.client().get_status("all").with_history_output();
    let status = status.await.unwrap().unwrap();
    let record = site
        .durable(&["get-history", "all", "--output", "json"])
        .json();
    assert_eq!(record["instanceId"], "all");
    assert_eq!(record["name"], "everything");
    assert_eq!(record["runtimeStatus"], "Completed");
    assert_eq!(record["version"], Value::Null);
    let text = record["history"].to_string();
    let events: Vec<HistoryEvent> = serde_json::from_str(&text).unwrap();
    assert_eq!(Some(events), status.history);
    site.durable(&["get-history", "all", "--output", "json", "--recursive"])
        .fails(2, &["--recursive"]);
}
