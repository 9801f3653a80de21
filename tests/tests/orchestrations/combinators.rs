//! Waiting for several tasks.

use std::cell::RefCell;
use std::rc::Rc;

use durable_runtime::model::EventKind;
use durable_runtime::prelude::*;
use durable_runtime::testing::TestHost;
use durable_runtime::{TaskFailed, when_all_settled};

use crate::support::{Bench, count, counted, double, fails_first, gated, millis, within};
use crate::virtual_time::{DAY, calm_and_crashing};

async fn open_in_order(bench: &Bench, keys: &[&str]) {
    for key in keys {
        bench.probe.called(key, 1).await;
        bench.probe.open(key);
    }
}

#[orchestrator]
async fn all_gates(ctx: OrchestrationContext, keys: Vec<String>) -> Result<Vec<String>> {
    Ok(when_all(keys.into_iter().map(|key| ctx.call_activity::<gated>(key))).await?)
}

// `when_all`: the outputs in the order of the tasks, whatever the order in which they end.
#[tokio::test]
async fn when_all_keeps_the_order() {
    let bench = Bench::start().await;
    let keys = ["a", "b", "c"].map(str::to_owned).to_vec();
    let run = bench.begin_run::<all_gates>(keys.clone()).await;
    open_in_order(&bench, &["c", "a", "b"]).await;
    assert_eq!(within(run.output()).await.unwrap(), keys);
    assert!(bench.output::<all_gates>(Vec::new()).await.is_empty());
}

/// Ends, or fails, after so many days.
#[activity]
async fn takes_days((key, days): (String, u32)) -> Result<String> {
    tokio::time::sleep(days * DAY).await;
    if key == "good" {
        return Ok(key);
    }
    Err(Error::msg(key))
}

#[orchestrator]
async fn all_with_failures(ctx: OrchestrationContext) -> Result<String> {
    let calls = [("first", 2), ("good", 3), ("second", 1)];
    let calls = calls.map(|(key, days)| ctx.call_activity::<takes_days>((key.to_owned(), days)));
    let failed = when_all(calls).await.unwrap_err();
    Ok(failed.message().to_owned())
}

// `when_all`: waits for all, then the first failure by position is the error.
#[durable_runtime::test]
async fn when_all_gives_the_first_failure_by_position(host: TestHost) {
    let failed = host.run::<all_with_failures>(()).await.unwrap();
    assert_eq!(failed, "first");
    assert_eq!(host.elapsed(), 3 * DAY, "it has waited for all");
}

#[orchestrator]
async fn settles(ctx: OrchestrationContext) -> Result<Vec<std::result::Result<u32, String>>> {
    let calls = [0, 1, 0].map(|times| {
        let input = (format!("settles {times} {}", ctx.new_guid()), times);
        ctx.call_activity::<fails_first>(input)
    });
    let settled: Vec<std::result::Result<u32, TaskFailed>> = when_all_settled(calls).await;
    let text = |failed: TaskFailed| failed.message().to_owned();
    Ok(settled.into_iter().map(|one| one.map_err(text)).collect())
}

// `when_all_settled`: every outcome, in order.
#[tokio::test]
async fn when_all_settled_gives_every_outcome() {
    let bench = Bench::start().await;
    let settled = bench.output::<settles>(()).await;
    assert_eq!(settled, [Ok(1), Err("attempt 1".to_owned()), Ok(1)]);
}

#[orchestrator]
async fn any_until_empty(ctx: OrchestrationContext) -> Result<Vec<(usize, String)>> {
    let keys = ["a", "b", "c", "d"];
    let mut tasks: Vec<_> = keys.map(|key| ctx.call_activity::<gated>(key)).into();
    let mut ended = Vec::new();
    while !tasks.is_empty() {
        let (index, output, rest) = when_any(tasks).await;
        ended.push((index, output?));
        ctx.set_custom_status(ended.len())?;
        tasks = rest;
    }
    Ok(ended)
}

// `when_any`: index, output and the rest in order, which can be waited for again.
#[tokio::test]
async fn when_any_leaves_the_rest_in_order() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<any_until_empty>(()).await;
    for (count, key) in (1..).zip(["c", "a", "d"]) {
        bench.probe.called(key, 1).await;
        bench.probe.open(key);
        bench.reached(run.id(), count).await;
    }
    bench.probe.open("b");
    let ended = within(run.output()).await.unwrap();
    let expected = [(2, "c"), (0, "a"), (1, "d"), (0, "b")];
    let expected = expected.map(|(index, key)| (index, key.to_owned()));
    assert_eq!(ended, expected);
    for key in ["a", "b", "c", "d"] {
        assert_eq!(bench.probe.calls(key), 1);
    }
}

#[orchestrator]
async fn any_of_ended(ctx: OrchestrationContext) -> Result<Vec<usize>> {
    let tasks = ["x", "y", "z"].map(|key| ctx.call_activity::<counted>(key).start());
    let after = ctx.wait_for_external_event::<()>("go").await;
    after?;
    let mut tasks = Vec::from(tasks);
    let mut order = Vec::new();
    while !tasks.is_empty() {
        let (index, _, rest) = when_any(tasks).await;
        order.push(index);
        tasks = rest;
    }
    Ok(order)
}

// `when_any`: of tasks that have ended the first in order is taken.
#[tokio::test]
async fn when_any_takes_the_first_of_those_that_have_ended() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<any_of_ended>(()).await;
    let all_done = |kind: &EventKind| matches!(kind, EventKind::TaskCompleted { .. });
    let wait = async {
        while count(&bench.history(run.id()).await, all_done) < 3 {
            tokio::task::yield_now().await;
        }
    };
    within(wait).await;
    bench.raise(run.id(), "go", ()).await;
    assert_eq!(within(run.output()).await.unwrap(), [0, 0, 0]);
}

#[orchestrator]
async fn any_of_nothing(_ctx: OrchestrationContext) -> Result<()> {
    let tasks: Vec<durable_runtime::Timer> = Vec::new();
    let (_, (), _) = when_any(tasks).await;
    Ok(())
}

// `when_any` of nothing fails the orchestration instead of hanging.
#[tokio::test]
async fn when_any_of_nothing_fails() {
    let bench = Bench::start().await;
    let failure = bench.failure::<any_of_nothing>(()).await;
    assert!(failure.message().contains("no tasks"), "{failure}");
}

#[orchestrator]
async fn joins(ctx: OrchestrationContext) -> Result<(i64, u32, Option<u8>)> {
    let waits = ctx.wait_for_external_event::<u8>("never");
    let (number, slow, none, ()) = join!(
        ctx.call_activity::<double>(4),
        ctx.call_activity::<counted>("joined"),
        waits.timeout(5 * DAY),
        ctx.sleep(DAY),
    );
    Ok((number?, slow?, none?))
}

// `join!`: tasks of several types, run at the same time, as a tuple.
#[test]
fn join_gives_a_tuple() {
    calm_and_crashing(async |host, _| {
        host.mock_activity::<counted>(|_| Ok(1)).delay(DAY);
        let output = host.run::<joins>(()).await.unwrap();
        assert_eq!(output, (8, 1, None));
        // Not 7: none waits for the one before.
        assert_eq!(host.elapsed(), 5 * DAY);
    });
}

#[orchestrator]
async fn selects_biased(ctx: OrchestrationContext) -> Result<(u8, u32)> {
    ctx.set_custom_status("selecting")?;
    let lower = ctx.wait_for_external_event::<()>("lower");
    let upper = ctx.wait_for_external_event::<()>("upper");
    let chosen = select! {
        upper = upper => { upper?; 1 }
        lower = lower => { lower?; 2 }
    };
    Ok((chosen, ctx.call_activity::<counted>("selected").await?))
}

// `select!`: of tasks that end at the same time the upper one is taken.
#[tokio::test]
async fn select_prefers_the_upper_branch() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<selects_biased>(()).await;
    bench.reached(run.id(), "selecting").await;
    within(bench.client.suspend(run.id(), "hold"))
        .await
        .unwrap();
    bench.raise(run.id(), "lower", ()).await;
    bench.raise(run.id(), "upper", ()).await;
    within(bench.client.resume(run.id(), "go")).await.unwrap();
    assert_eq!(within(run.output()).await.unwrap(), (1, 1));
}

#[orchestrator]
async fn select_cancels_the_losers(ctx: OrchestrationContext) -> Result<u8> {
    let number = select! {
        () = ctx.sleep(30 * DAY) => 0,
        number = ctx.wait_for_external_event::<u8>("n") => number?,
        _ = ctx.wait_for_external_event::<u8>("m") => 0,
    };
    let m: u8 = ctx.wait_for_external_event("m").await?;
    Ok(number + m)
}

// Rule 16: the losers of a `select!` are dropped: the timer is cancelled, the waiter has left.
#[test]
fn select_drops_the_losers() {
    calm_and_crashing(async |host, _| {
        let run = host.start::<select_cancels_the_losers>(()).await.unwrap();
        host.raise_event_after(29 * DAY, run.id(), "n", 1);
        host.raise_event_after(40 * DAY, run.id(), "m", 2);
        assert_eq!(run.output().await.unwrap(), 3);
        assert_eq!(host.elapsed(), 40 * DAY);
        let history = host.history(run.id()).unwrap();
        let fired = |kind: &EventKind| matches!(kind, EventKind::TimerFired { .. });
        assert_eq!(count(history.events(), fired), 0, "{history}");
    });
}

#[orchestrator]
async fn selects_again_and_again(ctx: OrchestrationContext) -> Result<(Vec<u8>, String)> {
    let mut slow = ctx.call_activity::<gated>("slow loser");
    let mut numbers = Vec::new();
    let text = loop {
        select! {
            text = &mut slow => break text?,
            number = ctx.wait_for_external_event::<u8>("n") => numbers.push(number?),
        }
        ctx.set_custom_status(numbers.len())?;
    };
    Ok((numbers, text))
}

// `select!`: a loser given by `&mut` stays usable, and is not called again.
#[tokio::test]
async fn a_loser_given_by_reference_stays_usable() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<selects_again_and_again>(()).await;
    for number in 1..=3 {
        bench.raise(run.id(), "n", number).await;
        bench.reached(run.id(), number).await;
    }
    open_in_order(&bench, &["slow loser"]).await;
    let (numbers, text) = within(run.output()).await.unwrap();
    assert_eq!((numbers, text.as_str()), (vec![1, 2, 3], "slow loser"));
    assert_eq!(bench.probe.calls("slow loser"), 1);
}

#[orchestrator]
async fn nests(ctx: OrchestrationContext) -> Result<Vec<String>> {
    let log = Rc::new(RefCell::new(Vec::new()));
    let branch = |name: &'static str| {
        let (ctx, log) = (ctx.clone(), Rc::clone(&log));
        Box::pin(async move {
            for step in 0..2 {
                let key = format!("{name}{step}");
                let key = ctx.call_activity::<gated>(key).await?;
                log.borrow_mut().push(key);
            }
            Ok::<_, TaskFailed>(())
        })
    };
    let all = when_all([branch("a"), branch("b"), branch("c")]);
    let (all, ()) = join!(all, ctx.sleep(millis(1)));
    all?;
    Ok(log.take())
}

// Combinators hold any durable future: each branch goes on as soon as its own task has ended.
#[tokio::test]
async fn branches_go_on_by_themselves() {
    let bench = Bench::start().await;
    let run = bench.begin_run::<nests>(()).await;
    let order = ["b0", "b1", "c0", "a0", "a1", "c1"];
    for (done, key) in order.iter().enumerate() {
        bench.probe.called(key, 1).await;
        bench.probe.open(key);
        let wait = async {
            let completed = |kind: &EventKind| matches!(kind, EventKind::TaskCompleted { .. });
            while count(&bench.history(run.id()).await, completed) <= done {
                tokio::task::yield_now().await;
            }
        };
        within(wait).await;
    }
    assert_eq!(within(run.output()).await.unwrap(), order);
}

#[orchestrator]
async fn fans_out(ctx: OrchestrationContext, width: i64) -> Result<i64> {
    let calls = (0..width).map(|number| ctx.call_activity::<double>(number));
    Ok(when_all(calls).await?.into_iter().sum())
}

// `when_all` over very many tasks takes time in proportion.
#[tokio::test]
async fn a_wide_fan_out_ends() {
    let bench = Bench::start().await;
    let output = bench.output::<fans_out>(2_000).await;
    assert_eq!(output, 2_000 * 1_999);
}
