//! Hosts that crash and start again.

use durable_runtime::Failure;
use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, run_with};

use crate::support::{DAY, SECOND, approval, buy, calculate, charge, double};

#[orchestrator]
async fn parent(ctx: OrchestrationContext) -> Result<u64> {
    let sums = (1..=5_u64).map(|number| ctx.call_activity::<double>(number));
    let sum: u64 = when_all(sums).await?.into_iter().sum();
    ctx.sleep(DAY).await;
    Ok(sum + ctx.call_sub_orchestrator::<calculate>(5_u64).await?)
}

/// How often a crash had an activity run again.
fn restarts(host: &TestHost, id: &str) -> usize {
    let lines = host.history(id).unwrap().lines();
    lines.iter().filter(|line| *line == "TaskRestarted").count()
}

// Rule 23: the same output as without crashes.
#[test]
fn a_crash_after_any_commit_changes_nothing() {
    run_with(TestHost::builder().crash_after_commit(1), async |host| {
        let run = host.start::<parent>(()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 41);
        assert_eq!(restarts(&host, run.id()), 5);
    });
    for number in 2..=20 {
        run_with(
            TestHost::builder().crash_after_commit(number),
            async |host| {
                assert_eq!(host.run::<parent>(()).await.unwrap(), 41, "commit {number}");
                assert_eq!(host.elapsed(), DAY, "commit {number}");
            },
        );
    }
}

// Rules 23 and 27.
#[test]
fn crashes_after_every_commit_change_nothing() {
    run_with(TestHost::builder().crash_at_every_commit(), async |host| {
        let run = host.start::<parent>(()).await.unwrap();
        assert_eq!(run.output().await.unwrap(), 41);
        assert!(restarts(&host, run.id()) >= 5);
        assert_eq!(host.elapsed(), DAY);
        let charge = host
            .mock_activity::<charge>(|_| Ok("paid".to_owned()))
            .fail_first(2, "closed");
        assert_eq!(host.run::<buy>(1_u64).await.unwrap(), "paid");
        assert!(charge.calls() >= 3);
        let run = host.start::<approval>(()).await.unwrap();
        host.raise_event_after(DAY, run.id(), "approval", true);
        assert_eq!(run.output().await.unwrap(), Some(true));
    });
}

#[derive(Default, serde::Serialize, serde::Deserialize)]
struct Account {
    balance: i64,
}

#[entity]
impl Account {
    fn add(&mut self, amount: i64) -> i64 {
        self.balance += amount;
        self.balance
    }

    async fn get(&self) -> i64 {
        self.balance
    }
}

#[orchestrator]
async fn transfer(ctx: OrchestrationContext, amount: i64) -> Result<()> {
    let guard = ctx.lock([Account::id("a"), Account::id("b")]).await?;
    let there = guard.entity::<Account>("a").get().await?;
    guard.entity::<Account>("a").add(-amount).await?;
    guard.entity::<Account>("b").add(amount).await?;
    let left = guard.entity::<Account>("a").get().await?;
    if there - left != amount {
        return Err(Error::msg(format!("{there} - {amount} = {left}")));
    }
    Ok(())
}

#[orchestrator]
async fn transfers(ctx: OrchestrationContext) -> Result<(i64, i64)> {
    let all = (1..=4_i64).map(|amount| ctx.call_sub_orchestrator::<transfer>(amount));
    when_all(all).await?;
    let (a, b) = join!(
        ctx.entity::<Account>("a").get(),
        ctx.entity::<Account>("b").get()
    );
    Ok((a?, b?))
}

// Rules 23, 33 and 38, in many orders: what is locked is not disturbed, and nothing is done twice.
#[test]
fn critical_sections_hold_in_every_order_and_over_crashes() {
    for seed in 0..50 {
        let calm = TestHost::builder().seed(seed);
        let crashing = TestHost::builder().seed(seed).crash_at_every_commit();
        for host in [calm, crashing] {
            run_with(host, async |host| {
                let ran = host.run::<transfers>(()).await;
                assert_eq!(ran.unwrap(), (-10, 10), "seed {seed}");
            });
        }
    }
}

// Invariant: an activity runs at least once, and its result is taken once.
#[durable_runtime::test]
async fn what_was_under_way_in_a_crash_runs_again(host: TestHost) {
    let charge = host
        .mock_activity::<charge>(|_| Ok("paid".to_owned()))
        .delay(60 * SECOND);
    let run = host.start::<buy>(1_u64).await.unwrap();
    host.sleep(30 * SECOND).await;
    assert_eq!(charge.calls(), 1);
    host.crash().await;
    assert_eq!(run.output().await.unwrap(), "paid");
    charge.expect_calls(2);
    assert_eq!(host.elapsed(), 90 * SECOND);
    host.history(run.id()).unwrap().expect(&[
        "ExecutionStarted buy(1)",
        "TaskScheduled charge(1)",
        "TaskRestarted",
        "TaskCompleted \"paid\"",
        "ExecutionCompleted \"paid\"",
    ]);
}

/// Tells the type of the error.
#[orchestrator]
async fn charge_once(ctx: OrchestrationContext, cents: u64) -> Result<String> {
    Ok(match ctx.call_activity::<charge>(cents).await {
        Ok(charged) => charged,
        Err(failed) => failed.error_type().to_owned(),
    })
}

// Rule 32.
#[durable_runtime::test]
async fn an_activity_that_is_under_way_in_ten_crashes_is_poison(host: TestHost) {
    let charge = host
        .mock_activity::<charge>(|_| Ok("paid".to_owned()))
        .delay(60 * SECOND);
    let run = host.start::<charge_once>(1_u64).await.unwrap();
    for crashes in 1..=10 {
        host.sleep(SECOND).await;
        assert_eq!(charge.calls(), crashes);
        host.crash().await;
    }
    assert_eq!(run.output().await.unwrap(), Failure::POISON);
    charge.expect_calls(10);
    assert_eq!(host.elapsed(), 10 * SECOND);
}

/// Fewer are fine, and how many is for the test to say.
#[test]
fn an_activity_survives_fewer_crashes() {
    for (limit, is_poison) in [(3, true), (4, false)] {
        let host = TestHost::builder().max_activity_attempts(limit);
        run_with(host, async |host| {
            host.mock_activity::<charge>(|_| Ok("paid".to_owned()))
                .delay(60 * SECOND);
            let run = host.start::<charge_once>(1_u64).await.unwrap();
            for _ in 0..3 {
                host.sleep(SECOND).await;
                host.crash().await;
            }
            let expected = if is_poison { Failure::POISON } else { "paid" };
            assert_eq!(run.output().await.unwrap(), expected, "limit {limit}");
        });
    }
}

#[activity]
async fn innocent() -> Result<String> {
    tokio::time::sleep(3_600 * SECOND).await;
    Ok("innocent".to_owned())
}

#[orchestrator]
async fn innocent_once(ctx: OrchestrationContext) -> Result<String> {
    Ok(ctx.call_activity::<innocent>(()).await?)
}

// Rule 32: what only ran beside it is not given up with it.
#[durable_runtime::test]
async fn only_the_activity_that_takes_the_process_down_is_poison(host: TestHost) {
    let guilty = host
        .mock_activity::<charge>(|_| Ok("paid".to_owned()))
        .delay(2 * SECOND);
    let beside = host.start::<innocent_once>(()).await.unwrap();
    let run = host.start::<charge_once>(1_u64).await.unwrap();
    let (crashing, begun) = (host.clone(), guilty.clone());
    tokio::spawn(async move {
        let mut seen = 0;
        loop {
            crashing.sleep(SECOND).await;
            if begun.calls() > seen {
                seen = begun.calls();
                crashing.crash().await;
            }
        }
    });
    assert_eq!(run.output().await.unwrap(), Failure::POISON);
    assert_eq!(beside.output().await.unwrap(), "innocent");
    guilty.expect_calls(10);
    assert_eq!(restarts(&host, beside.id()), 9);
}

// Not deterministic, in a way that no check of the source sees.
#[orchestrator]
async fn forgetful(ctx: OrchestrationContext) -> Result<u64> {
    let number = if ctx.is_replaying() { 2_u64 } else { 1 };
    Ok(ctx.call_activity::<double>(number).await?)
}

#[durable_runtime::test]
async fn every_episode_is_replayed(host: TestHost) {
    let error = host.run::<forgetful>(()).await.unwrap_err();
    let ClientError::Failed(failure) = error else {
        panic!("{error}");
    };
    assert_eq!(
        failure.error_type(),
        durable_runtime::Failure::NON_DETERMINISTIC
    );
}

#[test]
fn the_replay_can_be_left_out() {
    run_with(TestHost::builder().without_replay_check(), async |host| {
        assert_eq!(host.run::<forgetful>(()).await.unwrap(), 2);
    });
}
