//! What a seed decides.

use std::collections::BTreeSet;
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;
use std::sync::{Arc, Mutex};

use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, run_many_seeds, run_seed, try_many_seeds};

use crate::support::{SECOND, charge, double};

#[orchestrator]
async fn race(ctx: OrchestrationContext) -> Result<String> {
    let mut work = ctx.call_activity::<charge>(1_u64).start();
    let mut news = ctx.wait_for_external_event::<String>("news");
    let mut timer = ctx.sleep(10 * SECOND);
    Ok(select! {
        done = &mut work => done?,
        event = &mut news => event?,
        () = &mut timer => "timer".to_owned(),
    })
}

// Rules 24 and 27: of what comes at one time, any may be first, and nothing else comes of it.
#[test]
fn every_order_of_a_race_is_found_and_no_other_outcome() {
    let outcomes = run_many_seeds(1_000, async |host| {
        host.mock_activity::<charge>(|_| Ok("activity".to_owned()))
            .delay(10 * SECOND);
        let run = host.start::<race>(()).await.unwrap();
        host.raise_event_after(10 * SECOND, run.id(), "news", "event");
        run.output().await.unwrap()
    });
    let outcomes: BTreeSet<_> = outcomes.iter().map(String::as_str).collect();
    assert_eq!(outcomes, BTreeSet::from(["activity", "event", "timer"]));
}

#[orchestrator]
async fn earlier_wins(ctx: OrchestrationContext) -> Result<String> {
    let mut work = ctx.call_activity::<charge>(1_u64).start();
    let mut timer = ctx.sleep(10 * SECOND);
    Ok(select! {
        () = &mut timer => "timer".to_owned(),
        done = &mut work => done?,
    })
}

// A seed decides only what is open: a millisecond earlier is earlier.
#[test]
fn what_comes_earlier_is_earlier_with_every_seed() {
    let outcomes = run_many_seeds(200, async |host| {
        let almost = std::time::Duration::from_millis(9_999);
        host.mock_activity::<charge>(|_| Ok("activity".to_owned()))
            .delay(almost);
        host.run::<earlier_wins>(()).await.unwrap()
    });
    assert!(outcomes.iter().all(|outcome| outcome == "activity"));
}

/// Takes for granted that the first that was started is the first that ends.
#[orchestrator]
async fn first_of_two(ctx: OrchestrationContext) -> Result<u64> {
    let tasks = [1_u64, 2].map(|number| ctx.call_activity::<double>(number).start());
    let (_, first, _) = when_any(tasks).await;
    Ok(first?)
}

#[test]
fn a_dependence_on_an_order_is_found_with_its_seed() {
    let seeds = Arc::new(Mutex::new(Vec::new()));
    let ran = Arc::clone(&seeds);
    let found = catch_unwind(move || {
        run_many_seeds(1_000, async |host| {
            ran.lock().unwrap().push(host.seed());
            let first = host.run::<first_of_two>(()).await.unwrap();
            assert_eq!(first, 2, "the second was first");
        })
    });
    found.unwrap_err();
    let failing = *seeds.lock().unwrap().last().unwrap();
    for _ in 0..3 {
        let again = run_seed(failing, async |host| {
            host.run::<first_of_two>(()).await.unwrap()
        });
        assert_eq!(again, 4);
    }
    assert!(failing > 0 || seeds.lock().unwrap().len() == 1);
}

/// Fails; run by the test below.
#[durable_runtime::test(seeds = 1000)]
#[ignore = "fails on purpose"]
async fn planted(host: TestHost) {
    assert_eq!(host.run::<first_of_two>(()).await.unwrap(), 2);
}

/// Fails; run by the test below.
#[durable_runtime::test(seeds = 1000)]
#[ignore = "fails on purpose"]
async fn planted_as_a_result(host: TestHost) -> Result<()> {
    match host.run::<first_of_two>(()).await? {
        2 => Ok(()),
        other => Err(Error::msg(format!("the first was {other}"))),
    }
}

#[durable_runtime::test(seeds = 10)]
async fn a_test_with_seeds_may_return_a_result(host: TestHost) -> Result<()> {
    assert_eq!(host.run::<double_twice>(1_u64).await?, 4);
    Ok(())
}

#[orchestrator]
async fn double_twice(ctx: OrchestrationContext, number: u64) -> Result<u64> {
    let doubled = ctx.call_activity::<double>(number).await?;
    Ok(ctx.call_activity::<double>(doubled).await?)
}

#[test]
fn an_error_is_a_failure_of_its_seed() {
    let ran = Mutex::new(Vec::new());
    let failed = catch_unwind(AssertUnwindSafe(|| {
        try_many_seeds(1_000, async |host| {
            ran.lock().unwrap().push(host.seed());
            match host.run::<first_of_two>(()).await? {
                2 => Ok(()),
                other => Err(Error::msg(format!("the first was {other}"))),
            }
        })
    }));
    let failed = failed.unwrap_err();
    let message = failed.downcast_ref::<String>().unwrap();
    assert!(message.contains("the first was 4"), "{message}");
    let ran = ran.into_inner().unwrap();
    let last = usize::try_from(*ran.last().unwrap()).unwrap();
    assert_eq!(ran.len(), last + 1);
}

#[test]
fn the_seed_of_a_failure_is_printed() {
    let seed = (0..1_000_u64)
        .find(|seed| {
            run_seed(*seed, async |host| {
                host.run::<first_of_two>(()).await.unwrap()
            }) != 2
        })
        .unwrap();
    let expected = format!("seed {seed} has failed; `run_seed({seed}, ..)` runs it again");
    for (test, error) in [
        ("orders::planted", "left: 4"),
        ("orders::planted_as_a_result", "the first was 4"),
    ] {
        let output = Command::new(env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--nocapture"])
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stderr).unwrap();
        assert!(printed.contains(&expected), "{printed}");
        assert!(printed.contains(error), "{printed}");
        assert!(!output.status.success());
    }
}

// Everything is the same again: ids, times, order.
#[test]
fn a_seed_gives_the_same_run_each_time() {
    let run = |seed| {
        run_seed(seed, async |host| {
            host.mock_activity::<charge>(|_| Ok("activity".to_owned()))
                .delay_between(SECOND, 20 * SECOND);
            let run = host.start::<race>(()).await.unwrap();
            host.raise_event_after(10 * SECOND, run.id(), "news", "event");
            run.output().await.unwrap();
            host.sleep(60 * SECOND).await;
            let history = host.history(run.id()).unwrap();
            (run.id().to_owned(), history.events().to_vec())
        })
    };
    for seed in 0..20 {
        assert_eq!(run(seed), run(seed));
    }
    assert_ne!(run(1), run(2));
}
