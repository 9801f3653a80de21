//! Rewinding failed instances.

use std::time::Duration;

use durable_runtime::client::{ClientError, OrchestrationRun};
use durable_runtime::model::EventKind;
use durable_runtime::testing::TestHost;

use crate::functions::{
    between_events, catches, chain, collect, fails, fails_early, fan_out, greet, parent, retried,
    with_a_timer, working_generations,
};
use crate::support::{Bench, DAY, HOUR, Site, history, until_recorded};

in_virtual_time!(retries_and_timers_are_kept, a_timer_under_way_still_fires);

everywhere!(
    what_failed_is_run_again,
    the_others_of_a_fan_out_are_not_run_again,
    several_times,
    a_failure_that_was_caught_stays,
    an_activity_that_goes_on_is_not_run_again,
    a_result_that_came_after_the_failure_counts,
    code_that_fails_by_itself_runs_again,
    only_failed_instances,
    after_a_restart_of_the_host,
    of_two_rewinds_at_once_one_wins,
    events_that_were_not_consumed_are_kept,
    in_a_later_generation,
    two_failures_at_once,
);

/// Waits for the failure.
pub(crate) async fn fail<T: serde::de::DeserializeOwned>(run: &OrchestrationRun<T>) {
    assert!(matches!(run.output().await, Err(ClientError::Failed(_))));
}

// Rule 8: the failed activity is run again, the one before it is not; there is a new execution id.
async fn what_failed_is_run_again(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("b");
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = client.start_new::<chain>(keys).await.unwrap();
    fail(&run).await;
    site.bench.mend("b");
    client.rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a", "b"]);
    assert_eq!((site.bench.calls("a"), site.bench.calls("b")), (1, 2));
    let events = history(&client, run.id()).await;
    let EventKind::ExecutionStarted(started) = &events[0].kind else {
        panic!("{:?}", events[0]);
    };
    let rewound = events.iter().find_map(|event| match &event.kind {
        EventKind::ExecutionRewound { execution, reason } => Some((*execution, reason.clone())),
        _ => None,
    });
    let (execution, reason) = rewound.unwrap();
    assert_ne!(execution, started.execution);
    assert_eq!(reason, "mended");
}

// Rule 8: successful activities are not run again.
async fn the_others_of_a_fan_out_are_not_run_again(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("b");
    let keys = ["a", "b", "c"].map(str::to_owned).to_vec();
    let run = client.start_new::<fan_out>(keys).await.unwrap();
    fail(&run).await;
    site.bench.mend("b");
    client.rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a", "b", "c"]);
    let calls = ["a", "b", "c"].map(|key| site.bench.calls(key));
    assert_eq!(calls, [1, 2, 1]);
}

// Rule 8: works with timers, which are not waited for again; of a call that was retried the last attempt is
// made again.
async fn retries_and_timers_are_kept(host: TestHost, bench: Bench) {
    bench.break_("a");
    let run = host.start::<retried>("a").await.unwrap();
    fail(&run).await;
    assert_eq!(bench.calls("a"), 2);
    assert_eq!(host.elapsed(), 10 * DAY + HOUR);
    host.sleep(DAY).await;
    bench.mend("a");
    host.client().rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), "a-before, a");
    assert_eq!((bench.calls("a-before"), bench.calls("a")), (1, 3));
    assert_eq!(host.elapsed(), 21 * DAY + HOUR);
}

// Rule 8: a timer that was under way at the failure is under way again, and due when it was.
async fn a_timer_under_way_still_fires(host: TestHost, bench: Bench) {
    for (rewound_after, ends_after) in [(3, 10), (11, 11)] {
        let began = host.elapsed();
        bench.break_("quick");
        let run = host.start::<with_a_timer>(()).await.unwrap();
        fail(&run).await;
        assert_eq!(host.elapsed(), began);
        bench.mend("quick");
        host.sleep(rewound_after * DAY).await;
        host.client().rewind(run.id(), "mended").await.unwrap();
        assert_eq!(run.output().await.unwrap(), "quick");
        assert_eq!(host.elapsed(), began + ends_after * DAY);
    }
}

// Rule 8: any number of times.
async fn several_times(site: Site) {
    let host = site.host().await;
    let client = host.client();
    for key in ["a", "b", "c"] {
        site.bench.break_(key);
    }
    let keys = ["a", "b", "c"].map(str::to_owned).to_vec();
    let run = client.start_new::<chain>(keys).await.unwrap();
    fail(&run).await;
    for key in ["a", "b", "c"] {
        client.rewind(run.id(), "still broken").await.unwrap();
        fail(&run).await;
        site.bench.mend(key);
        client.rewind(run.id(), "mended").await.unwrap();
        if key != "c" {
            fail(&run).await;
        }
    }
    assert_eq!(run.output().await.unwrap(), ["a", "b", "c"]);
    let calls = ["a", "b", "c"].map(|key| site.bench.calls(key));
    assert_eq!(calls, [3, 3, 3]);
}

// Rule 8: only the last failure is undone, not one that the code has dealt with.
async fn a_failure_that_was_caught_stays(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("soft");
    site.bench.break_("hard");
    let run = client.start_new::<catches>(()).await.unwrap();
    fail(&run).await;
    site.bench.mend("soft");
    site.bench.mend("hard");
    client.rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), "soft failed, hard worked");
    assert_eq!((site.bench.calls("soft"), site.bench.calls("hard")), (1, 2));
}

// Rule 8: what was under way when the orchestration failed, and still is, is not run twice.
async fn an_activity_that_goes_on_is_not_run_again(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("slow");
    site.bench.break_("quick");
    let run = client.start_new::<fails_early>(()).await.unwrap();
    fail(&run).await;
    site.bench.called("slow", 1).await;
    site.bench.mend("quick");
    client.rewind(run.id(), "mended").await.unwrap();
    site.bench.called("quick", 2).await;
    site.bench.let_go("slow");
    assert_eq!(run.output().await.unwrap(), "quick, slow");
    assert_eq!(site.bench.calls("slow"), 1);
}

// Rule 8: nor is what succeeded after the orchestration had failed.
async fn a_result_that_came_after_the_failure_counts(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("slow");
    site.bench.break_("quick");
    let run = client.start_new::<fails_early>(()).await.unwrap();
    fail(&run).await;
    site.bench.let_go("slow");
    until_recorded(&client, run.id(), "TaskCompleted", 1).await;
    site.bench.mend("quick");
    client.rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), "quick, slow");
    assert_eq!(site.bench.calls("slow"), 1);
}

// Rule 8: without a failed task it is the code that runs again.
async fn code_that_fails_by_itself_runs_again(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let run = client.start_new::<fails>("no luck").await.unwrap();
    for _ in 0..3 {
        match run.output().await {
            Err(ClientError::Failed(failure)) => assert_eq!(failure.message(), "no luck"),
            other => panic!("{other:?}"),
        }
        client.rewind(run.id(), "try again").await.unwrap();
    }
    fail(&run).await;
}

// Rule 8: failed instances only.
async fn only_failed_instances(site: Site) {
    let host = site.host().await;
    let client = host.client();
    let running = client.start_new::<collect>(1_usize).await.unwrap();
    let completed = client.start_new::<greet>("Ann").await.unwrap();
    completed.output().await.unwrap();
    let terminated = client.start_new::<collect>(1_usize).await.unwrap();
    terminated.terminate("enough").await.unwrap();
    for id in [running.id(), completed.id(), terminated.id()] {
        match client.rewind(id, "why not").await {
            Err(ClientError::NotRunning { needs, .. }) => {
                assert!(needs.contains("failed"), "{needs}");
            }
            other => panic!("{other:?}"),
        }
    }
}

// Rule 8: also by another host than the one that saw the failure.
async fn after_a_restart_of_the_host(site: Site) {
    let host = site.host().await;
    site.bench.break_("b");
    let keys = vec!["a".to_owned(), "b".to_owned()];
    let run = host.client().start_new::<parent>(keys).instance_id("one");
    fail(&run.await.unwrap()).await;
    host.shutdown().await.unwrap();
    let host = site.host().await;
    let client = host.client();
    site.bench.mend("b");
    client.rewind("one", "mended").await.unwrap();
    let ended = client.wait_for_completion("one", Duration::from_secs(10));
    let ended = ended.await.unwrap();
    assert_eq!(ended.output_as::<Vec<String>>().unwrap(), ["a", "b"]);
    assert_eq!((site.bench.calls("a"), site.bench.calls("b")), (1, 2));
}

// Rule 8: one that is running again is not rewound once more.
async fn of_two_rewinds_at_once_one_wins(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("a");
    let run = client.start_new::<chain>(vec!["a".to_owned()]).await;
    let run = run.unwrap();
    fail(&run).await;
    site.bench.mend("a");
    site.bench.hold("a");
    let rewinds = (0..4).map(|_| client.rewind(run.id(), "mended"));
    let rewinds = futures_util::future::join_all(rewinds).await;
    let won = rewinds.iter().filter(|rewind| rewind.is_ok()).count();
    assert_eq!(won, 1, "{rewinds:?}");
    site.bench.let_go("a");
    assert_eq!(run.output().await.unwrap(), ["a"]);
    assert_eq!(site.bench.calls("a"), 2);
}

// Rule 8: what the code had been given it has again, and what waited for it still does.
async fn events_that_were_not_consumed_are_kept(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.hold("a");
    site.bench.break_("a");
    let run = client.start_new::<between_events>("a").await.unwrap();
    for item in [1, 2] {
        run.raise_event("item", item).await.unwrap();
    }
    site.bench.called("a", 1).await;
    site.bench.let_go("a");
    fail(&run).await;
    site.bench.mend("a");
    client.rewind(run.id(), "mended").await.unwrap();
    run.raise_event("item", 3).await.unwrap();
    assert_eq!(run.output().await.unwrap(), [1, 2, 3]);
}

// Rule 8: of an instance that has continued as new the last generation is rewound.
async fn in_a_later_generation(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("2");
    let run = client.start_new::<working_generations>(0_u32).await;
    let run = run.unwrap();
    fail(&run).await;
    site.bench.mend("2");
    client.rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), 4);
    let calls = ["0", "1", "2", "3"].map(|key| site.bench.calls(key));
    assert_eq!(calls, [1, 1, 2, 1]);
}

// Rule 8: all of several failures are undone.
async fn two_failures_at_once(site: Site) {
    let host = site.host().await;
    let client = host.client();
    site.bench.break_("a");
    site.bench.break_("c");
    let keys = ["a", "b", "c"].map(str::to_owned).to_vec();
    let run = client.start_new::<fan_out>(keys).await.unwrap();
    fail(&run).await;
    site.bench.mend("a");
    client.rewind(run.id(), "mended in part").await.unwrap();
    fail(&run).await;
    site.bench.mend("c");
    client.rewind(run.id(), "mended").await.unwrap();
    assert_eq!(run.output().await.unwrap(), ["a", "b", "c"]);
    let calls = ["a", "b", "c"].map(|key| site.bench.calls(key));
    assert_eq!(calls, [2, 1, 3]);
}
