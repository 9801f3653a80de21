//! What a test plays.

use std::sync::{Arc, Mutex};

use durable_runtime::client::ClientError;
use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse};
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;

use crate::support::{buy, charge};

fn message(error: ClientError) -> String {
    match error {
        ClientError::Failed(failure) => failure.to_string(),
        other => panic!("{other}"),
    }
}

#[durable_runtime::test]
async fn a_mock_sees_the_inputs_and_its_closure_decides(host: TestHost) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let in_mock = Arc::clone(&seen);
    let charge = host.mock_activity::<charge>(move |cents| {
        in_mock.lock().unwrap().push(cents);
        if cents > 100 {
            return Err(Error::non_retriable("too much"));
        }
        Ok(format!("{cents} charged"))
    });
    assert_eq!(host.run::<buy>(100_u64).await.unwrap(), "100 charged");
    let refused = message(host.run::<buy>(101_u64).await.unwrap_err());
    assert!(refused.contains("too much"), "{refused}");
    assert_eq!(*seen.lock().unwrap(), [100, 101]);
    assert_eq!(charge.inputs(), [100, 101]);
    assert_eq!(charge.calls(), 2);
}

// Rule 18 has it so for orchestrators; a mock is code of the test.
#[durable_runtime::test]
async fn a_mock_that_panics_fails_the_call(host: TestHost) {
    let charge = host.mock_activity::<charge>(|_| panic!("oh no"));
    let failed = message(host.run::<buy>(1_u64).await.unwrap_err());
    assert!(failed.contains("oh no"), "{failed}");
    charge.expect_calls(3);
}

#[durable_runtime::test]
async fn the_last_mock_of_an_activity_counts(host: TestHost) {
    let first = host.mock_activity::<charge>(|_| Ok("first".to_owned()));
    let last = host.mock_activity::<charge>(|_| Ok("last".to_owned()));
    assert_eq!(host.run::<buy>(1_u64).await.unwrap(), "last");
    assert_eq!((first.calls(), last.calls()), (0, 1));
}

#[durable_runtime::test]
#[should_panic(
    expected = "activity \"charge\" was to be called 2 times and was called 1 times:\n  charge(7)"
)]
async fn calls_that_were_not_expected_are_shown(host: TestHost) {
    let charge = host.mock_activity::<charge>(|_| Ok(String::new()));
    host.run::<buy>(7_u64).await.unwrap();
    charge.expect_calls(2);
}

#[durable_runtime::test]
#[should_panic(expected = "- TimerFired\n+ TaskCompleted \"paid\"\n  ExecutionCompleted")]
async fn a_history_that_was_not_expected_is_shown_as_a_difference(host: TestHost) {
    host.mock_activity::<charge>(|_| Ok("paid".to_owned()));
    let run = host.start::<buy>(7_u64).await.unwrap();
    run.output().await.unwrap();
    host.history(run.id()).unwrap().expect(&[
        "ExecutionStarted buy",
        "TaskScheduled charge(7)",
        "TimerFired",
        "ExecutionCompleted",
    ]);
}

#[orchestrator]
async fn render(ctx: OrchestrationContext) -> Result<String> {
    let request = DurableHttpRequest::get("https://render.example/jobs");
    Ok(ctx.call_http(request).await?.content)
}

// Rule 44: what is answered 202 is polled by durable timer.
#[durable_runtime::test]
async fn http_is_played_and_polled_in_virtual_time(host: TestHost) {
    let mut left = 3;
    let http = host.mock_http(move |_| {
        left -= 1;
        let mut answer = DurableHttpResponse::new(if left > 0 { 202 } else { 200 }, "done");
        if left > 0 {
            answer.headers.insert("Location", "/jobs/1");
        }
        if left == 1 {
            answer.headers.insert("Retry-After", "86400");
        }
        Ok(answer)
    });
    assert_eq!(host.run::<render>(()).await.unwrap(), "done");
    http.expect_calls(3);
    assert_eq!(host.elapsed().as_secs(), 30 + 86_400);
    let urls: Vec<_> = http
        .inputs()
        .iter()
        .map(|asked| asked.url().to_owned())
        .collect();
    let of = |path| format!("https://render.example/{path}");
    assert_eq!(urls, ["jobs", "jobs/1", "jobs/1"].map(of));
}

#[durable_runtime::test]
async fn http_that_is_not_played_is_not_sent(host: TestHost) {
    let failed = message(host.run::<render>(()).await.unwrap_err());
    assert!(failed.contains("mock_http"), "{failed}");
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Tally {
    value: u64,
}

#[entity]
impl Tally {
    fn add(&mut self, amount: u64) -> u64 {
        self.value += amount;
        self.value
    }

    async fn add_later(&mut self, amount: u64) -> u64 {
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
        self.add(amount)
    }
}

#[orchestrator]
async fn count(ctx: OrchestrationContext) -> Result<u64> {
    let tally = ctx.entity::<Tally>("t");
    ctx.signal::<Tally>("t").add(1);
    tally.add(2).await?;
    Ok(tally.add_later(3).await?)
}

// Rule 35: the signal comes before the calls.
#[durable_runtime::test]
async fn entities_work_by_themselves(host: TestHost) {
    assert_eq!(host.run::<count>(()).await.unwrap(), 6);
    assert_eq!(host.elapsed().as_secs(), 60);
    host.client().signal::<Tally>("t").add(4).await.unwrap();
    host.sleep(std::time::Duration::from_secs(1)).await;
    let id = EntityId::new("Tally", "t");
    let tally: Option<Tally> = host.client().read_entity_state(id).await.unwrap();
    assert_eq!(tally.unwrap().value, 10);
}

#[activity]
async fn greet(State(greeting): State<String>, name: String) -> Result<String> {
    Ok(format!("{} {name}", *greeting))
}

#[orchestrator]
async fn welcome(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.call_activity::<greet>("Ada").await?)
}

// A state is missing only where it is used.
#[test]
fn functions_get_their_states() {
    use durable_runtime::testing::run_with;

    run_with(TestHost::builder().state("Hi".to_owned()), async |host| {
        assert_eq!(host.run::<welcome>(()).await.unwrap(), "Hi Ada");
    });
    run_with(TestHost::builder(), async |host| {
        let failed = message(host.run::<welcome>(()).await.unwrap_err());
        assert!(failed.contains("no state"), "{failed}");
    });
}
