//! What events carry.

use durable_runtime::client::RuntimeStatus;
use durable_runtime::model::Payload;
use durable_runtime::testing::{TestHost, run_with};

use crate::functions::{Decision, echo, order};

/// The payload of an event. Text that is not JSON never becomes one. A payload stays as it is, and the wait
/// for it gets what fits its type, or fails; and others go on in any case.
///
/// # Panics
///
/// If that does not hold.
pub fn event_payload(bytes: &[u8]) {
    let text = crate::text(bytes);
    let Ok(payload) = Payload::from_json(text.clone().into_owned()) else {
        return;
    };
    assert_eq!(payload.as_json(), text.trim(), "it is not looked into");
    let written = serde_json::to_string(&payload).expect("a payload can be written");
    let read: Payload = serde_json::from_str(&written).expect("and read again");
    assert_eq!(read, payload);
    let decision = payload.decode::<Decision>();
    run_with(TestHost::builder(), async move |host| {
        let run = host.start::<order>("tea".to_owned()).await;
        let run = run.expect("a start is accepted");
        let raised = run.raise_event("decision", &payload).await;
        raised.expect("the orchestration waits");
        let other = host.run::<echo>(7).await.expect("another goes on");
        assert_eq!(other, 7);
        let status = host.client().wait_for_completion(run.id(), PATIENCE).await;
        let status = status.expect("it ends");
        let expected = match &decision {
            Ok(_) => RuntimeStatus::Completed,
            Err(_) => RuntimeStatus::Failed,
        };
        assert_eq!(status.runtime_status, expected, "{status:?}");
        if let Some(failure) = status.failure {
            assert!(failure.to_string().contains("decision"), "{failure}");
        }
    });
}

/// In virtual time.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);
