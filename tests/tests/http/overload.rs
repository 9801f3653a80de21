//! A host that has more to do than it can.

use durable_runtime::client::RuntimeStatus;
use durable_runtime::host::HostOptions;
use durable_runtime::http::HttpOptions;
use durable_runtime::prelude::*;
use reqwest::StatusCode;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::support::{Site, builder, eventually};

/// What the activities of this test wait for.
static DOOR: Semaphore = Semaphore::const_new(0);

#[activity]
async fn pass_the_door(number: u32) -> Result<u32> {
    DOOR.acquire().await?.forget();
    Ok(number)
}

#[orchestrator]
async fn through_the_door(ctx: OrchestrationContext, number: u32) -> Result<u32> {
    Ok(ctx.call_activity::<pass_the_door>(number).await?)
}

// Rules 42 and 46: the answer says when to try again, in the header and in words, and what was accepted
// is done.
#[tokio::test]
async fn a_start_too_many_is_told_when_to_come_again() {
    let options = HostOptions {
        max_concurrent_activities: 1,
        max_waiting_activities: 2,
        ..HostOptions::default()
    };
    let builder = builder("127.0.0.1:0", HttpOptions::default()).options(options);
    let site = Site::of(builder).await;
    let start = async |number: u32| {
        let path = format!("/orchestrators/through_the_door/run-{number}");
        site.post_json(&path, &number.to_string()).await
    };
    for number in 0..3 {
        start(number).await.expect(StatusCode::ACCEPTED);
    }
    let refused = start(3).await;
    assert_eq!(refused.header("retry-after"), Some("1"));
    refused.expect_error(StatusCode::SERVICE_UNAVAILABLE, "try again");
    site.get("/instances/run-3")
        .await
        .expect(StatusCode::NOT_FOUND);

    for number in 0..3 {
        let status = site.get(&format!("/instances/run-{number}")).await;
        let status = status.expect(StatusCode::ACCEPTED).json();
        assert_eq!(status["runtimeStatus"], "Running");
    }
    DOOR.add_permits(100);
    for number in 0..3 {
        let id = format!("run-{number}");
        site.until(&id, RuntimeStatus::Completed).await;
        let status = site.get(&format!("/instances/{id}")).await;
        assert_eq!(
            status.expect(StatusCode::OK).json()["output"],
            json!(number)
        );
    }
    let again = async || {
        let answer = start(3).await;
        (answer.status == StatusCode::ACCEPTED).then_some(())
    };
    eventually("the start is accepted", again).await;
    site.until("run-3", RuntimeStatus::Completed).await;
}
