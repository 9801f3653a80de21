//! Entities that a test plays.

use std::collections::BTreeSet;
use std::time::Duration;

use durable_runtime::client::ClientError;
use durable_runtime::prelude::*;
use durable_runtime::testing::{TestHost, run_many_seeds, run_with};
use serde::{Deserialize, Serialize};

use crate::support::SECOND;

#[derive(Default, Serialize, Deserialize)]
struct Purse {
    balance: i64,
}

#[entity]
impl Purse {
    fn add(&mut self, amount: i64) -> i64 {
        self.balance += amount;
        self.balance
    }

    fn balance(&self) -> i64 {
        self.balance
    }
}

#[entity]
trait Ledger {
    fn close(&mut self, reason: String) -> Result<bool>;
}

#[entity]
impl Ledger for Purse {
    fn close(&mut self, reason: String) -> Result<bool> {
        Err(Error::msg(format!("not closed: {reason}")))
    }
}

/// Has a `delete` of its own, and reaches into the world.
#[derive(Default, Serialize, Deserialize)]
struct Archive;

#[entity]
impl Archive {
    fn keep(&mut self, ctx: EntityContext, amount: i64) -> Result<()> {
        ctx.signal::<Purse>("a").add(amount);
        Ok(())
    }

    fn delete(&mut self) -> Result<()> {
        Err(Error::msg("an archive is kept"))
    }
}

#[entity]
async fn note(ctx: EntityContext) -> Result<()> {
    ctx.return_value("of the code");
    Ok(())
}

#[orchestrator]
async fn deposit(ctx: OrchestrationContext, amount: i64) -> Result<(i64, i64)> {
    ctx.signal::<Purse>("a").add(amount);
    let account = ctx.entity::<Purse>("a");
    Ok((account.add(amount).await?, account.balance().await?))
}

fn message(error: ClientError) -> String {
    match error {
        ClientError::Failed(failure) => failure.to_string(),
        other => panic!("{other}"),
    }
}

#[durable_runtime::test]
async fn operations_are_played_for_calls_and_signals(host: TestHost) {
    let account = host
        .mock_entity::<Purse>()
        .on("add", |amount: i64| Ok(amount * 100))
        .on("Balance", |()| Ok(5_i64));
    assert_eq!(host.run::<deposit>(7).await.unwrap(), (700, 5));
    host.client().signal::<Purse>("b").add(8).await.unwrap();
    host.sleep(SECOND).await;
    account.expect_calls("add", 3);
    assert_eq!(account.inputs::<i64>("ADD"), [7, 7, 8]);
    assert_eq!((account.calls("balance"), account.calls("delete")), (1, 0));
    // Nothing was stored, for nothing was given.
    let stored: Option<Purse> = host
        .client()
        .read_entity_state(Purse::id("a"))
        .await
        .unwrap();
    assert!(stored.is_none());
}

#[durable_runtime::test]
#[should_panic(
    expected = "operation \"add\" of entity \"Purse\" was to be called 1 times and was called 2 times:\n  \
                @purse@a add(7)\n  @purse@a add(7)"
)]
async fn operations_that_were_not_expected_are_shown(host: TestHost) {
    let account = host
        .mock_entity::<Purse>()
        .on("add", |amount: i64| Ok(amount))
        .on("balance", |()| Ok(5_i64));
    host.run::<deposit>(7).await.unwrap();
    account.expect_calls("add", 1);
}

#[orchestrator]
async fn deposit_patiently(ctx: OrchestrationContext, amount: i64) -> Result<i64> {
    let policy = RetryPolicy::new(3, 60 * SECOND);
    Ok(ctx.entity::<Purse>("a").add(amount).retry(policy).await?)
}

// Rule 28, with an entity.
#[durable_runtime::test]
async fn operations_fail_first_and_take_their_time(host: TestHost) {
    let account = host
        .mock_entity::<Purse>()
        .on("add", |amount: i64| Ok(amount))
        .fail_first("add", 2, "the bank is closed")
        .delay("add", SECOND);
    assert_eq!(host.run::<deposit_patiently>(3).await.unwrap(), 3);
    account.expect_calls("add", 3);
    assert_eq!(host.elapsed(), 123 * SECOND);
    let _ = account.fail_first("add", 3, "the bank is gone");
    let failed = message(host.run::<deposit_patiently>(3).await.unwrap_err());
    assert!(failed.contains("the bank is gone"), "{failed}");
}

// Rule 29: what nobody plays is not retried.
#[durable_runtime::test]
async fn an_operation_that_is_not_played_says_what_to_write(host: TestHost) {
    let account = host.mock_entity::<Purse>();
    let failed = message(host.run::<deposit_patiently>(3).await.unwrap_err());
    let wanted = "a test plays entity \"Purse\" and not its operation \"add\": write `.on(\"add\", |input| ..)`";
    assert!(failed.contains(wanted), "{failed}");
    account.expect_calls("add", 1);
    // A client hears it at once, for how a signal ends nobody is told.
    let refused = host.client().signal::<Purse>("a").add(1).await;
    let refused = refused.unwrap_err();
    assert!(
        matches!(refused, ClientError::UnknownEntity { .. })
            && refused.to_string().contains(wanted),
        "{refused}"
    );
}

#[durable_runtime::test]
#[should_panic(expected = "has no operation \"balanc\"; did you mean \"balance\"?")]
async fn an_operation_that_the_code_has_not_is_refused_at_once(host: TestHost) {
    host.mock_entity::<Purse>().on("balanc", |()| Ok(0));
}

#[orchestrator]
async fn close(ctx: OrchestrationContext) -> Result<bool> {
    let ledger = ctx.entity_as::<dyn Ledger>(Purse::id("a"));
    Ok(ledger.close("moved".to_owned()).await?)
}

#[orchestrator]
async fn ask(ctx: OrchestrationContext, (name, operation): (String, String)) -> Result<String> {
    let id = EntityId::new(name, "k");
    Ok(ctx.call_entity::<String>(id, &operation, 1).await?)
}

#[durable_runtime::test]
async fn entities_are_played_by_interface_as_functions_and_by_name(host: TestHost) {
    host.mock_entity::<Purse>()
        .on("close", |reason: String| Ok(reason == "moved"));
    assert!(host.run::<close>(()).await.unwrap());

    let ask = async |name: &str, operation: &str| {
        host.run::<ask>((name.to_owned(), operation.to_owned()))
            .await
            .map_err(message)
    };
    assert_eq!(ask("note", "read").await.unwrap(), "of the code");
    host.mock_entity_by_name(note::NAME)
        .on("read", |_: u8| Ok("of the test"));
    assert_eq!(ask("Note", "Read").await.unwrap(), "of the test");

    let unknown = ask("Elsewhere", "read").await.unwrap_err();
    assert!(unknown.contains("is not registered"), "{unknown}");
    let elsewhere = host
        .mock_entity_by_name("elsewhere")
        .on("read", |_: u8| Ok("from afar"));
    assert_eq!(ask("Elsewhere", "read").await.unwrap(), "from afar");
    elsewhere.expect_calls("read", 1);
}

// The state of the code is in memory when the test takes over.
#[durable_runtime::test]
async fn one_entity_of_a_kind_is_played_and_what_is_stored_stays(host: TestHost) {
    assert_eq!(host.run::<deposit>(7).await.unwrap(), (14, 14));
    let all = host.mock_entity::<Purse>();
    let of_a = host
        .mock_entity_id(&Purse::id("a"))
        .on("add", |_: i64| Ok(0_i64))
        .on("balance", |()| Ok(0_i64));
    assert_eq!(host.run::<deposit>(7).await.unwrap(), (0, 0));
    of_a.expect_calls("add", 2);
    all.expect_calls("add", 0);
    let stored = async || {
        let stored = host.client().read_entity_state(Purse::id("a")).await;
        let stored: Option<Purse> = stored.unwrap();
        stored.map(|account| account.balance)
    };
    assert_eq!(stored().await, Some(14));
    host.client()
        .signal_entity(Purse::id("a"), "delete", ())
        .await
        .unwrap();
    host.sleep(SECOND).await;
    assert_eq!(stored().await, None);
    of_a.expect_calls("delete", 1);
}

#[durable_runtime::test]
async fn a_delete_of_its_own_is_to_be_played(host: TestHost) {
    let archive = host.mock_entity::<Archive>();
    let delete = async || {
        let id = Archive::id("k");
        host.client().signal_entity(id, "delete", ()).await
    };
    delete().await.unwrap_err();
    let _ = archive.clone().on("delete", |()| Ok(()));
    delete().await.unwrap();
    host.sleep(SECOND).await;
    archive.expect_calls("delete", 1);
}

#[orchestrator]
async fn keep(ctx: OrchestrationContext, amount: i64) -> Result<String> {
    let id = Archive::id("k");
    Ok(ctx.call_entity::<String>(id, "keep", amount).await?)
}

// Rule 34: what is sent goes out only if the operation succeeds.
#[durable_runtime::test]
async fn a_closure_with_a_context_sends_signals_and_has_a_state(host: TestHost) {
    let account = host.mock_entity::<Purse>().on("add", |_: i64| Ok(0));
    let _ = host
        .mock_entity::<Archive>()
        .on_with_context("keep", |ctx, amount: i64| {
            ctx.signal::<Purse>("a").add(amount);
            let kept = ctx.state::<i64>()?.unwrap_or(0) + amount;
            ctx.set_state(kept);
            if amount < 0 {
                return Err(Error::non_retriable("nothing is taken out"));
            }
            Ok(format!("{} has {kept}", ctx.entity_id().key()))
        });
    assert_eq!(host.run::<keep>(3).await.unwrap(), "k has 3");
    host.run::<keep>(-1).await.unwrap_err();
    assert_eq!(host.run::<keep>(4).await.unwrap(), "k has 7");
    host.sleep(SECOND).await;
    assert_eq!(account.inputs::<i64>("add"), [3, 4]);
    let id = Archive::id("k");
    let state: Option<i64> = host.client().read_entity_state(id).await.unwrap();
    assert_eq!(state, Some(7));
}

#[durable_runtime::test]
async fn signals_of_entities_reach_a_mock(host: TestHost) {
    let account = host.mock_entity::<Purse>().on("add", |_: i64| Ok(0));
    host.client().signal::<Archive>("k").keep(9).await.unwrap();
    host.sleep(SECOND).await;
    assert_eq!(account.inputs::<i64>("add"), [9]);
}

#[orchestrator]
async fn pass_on(ctx: OrchestrationContext, amount: i64) -> Result<i64> {
    let guard = ctx.lock([Purse::id("a"), Purse::id("b")]).await?;
    let before = guard.entity::<Purse>("a").balance().await?;
    guard.entity::<Purse>("a").add(-amount).await?;
    guard.entity::<Purse>("b").add(amount).await?;
    let after = guard.entity::<Purse>("a").balance().await?;
    Ok(before - after)
}

#[orchestrator]
async fn pass_all_on(ctx: OrchestrationContext) -> Result<Vec<i64>> {
    let all = (1..=3_i64).map(|amount| ctx.call_sub_orchestrator::<pass_on>(amount));
    Ok(when_all(all).await?)
}

/// Plays accounts that have no code, with a balance for each.
fn play_accounts(host: &TestHost) {
    let _ = host
        .mock_entity::<Purse>()
        .on_with_context("add", |ctx, amount: i64| {
            let balance = ctx.state::<i64>()?.unwrap_or(0) + amount;
            ctx.set_state(balance);
            Ok(balance)
        })
        .on_with_context("balance", |ctx, ()| Ok(ctx.state::<i64>()?.unwrap_or(0)))
        .delay_between("add", Duration::ZERO, SECOND);
}

// Rules 33 and 38: one at a time, in order, and nobody comes in between, also over crashes.
#[test]
fn locks_hold_around_what_is_played() {
    let run = async |host: TestHost| {
        play_accounts(&host);
        host.run::<pass_all_on>(()).await.unwrap()
    };
    let outcomes = run_many_seeds(20, run);
    let outcomes: BTreeSet<_> = outcomes.into_iter().collect();
    assert_eq!(outcomes, BTreeSet::from([vec![1, 2, 3]]));
    for seed in 0..5 {
        let host = TestHost::builder().seed(seed).crash_at_every_commit();
        assert_eq!(run_with(host, run), [1, 2, 3], "seed {seed}");
    }
}

#[durable_runtime::test]
async fn what_stands_in_history_is_as_with_the_code(host: TestHost) {
    let recorded = async || {
        let run = host.start::<deposit>(7).await.unwrap();
        run.output().await.unwrap();
        host.history(run.id()).unwrap().to_string()
    };
    let with_code = recorded().await;
    let mut balance = 0;
    let _ = host
        .mock_entity::<Purse>()
        .on("add", move |amount: i64| {
            balance += amount;
            Ok(balance)
        })
        .on("balance", |()| Ok(14));
    assert_eq!(recorded().await, with_code);
}

#[derive(Default, Serialize, Deserialize)]
struct Kettle {
    boiled: i64,
}

#[entity]
impl Kettle {
    async fn boil(&mut self, times: i64) -> i64 {
        tokio::time::sleep(60 * SECOND).await;
        self.boiled += times;
        self.boiled
    }
}

#[orchestrator]
async fn boil_twice(ctx: OrchestrationContext) -> Result<(i64, i64)> {
    let kettle = ctx.entity::<Kettle>("k");
    Ok((kettle.boil(1).await?, kettle.boil(1).await?))
}

// The code ends what it has begun, and what it leaves is there for the mock.
#[durable_runtime::test]
async fn a_mock_takes_over_after_an_operation_that_is_under_way(host: TestHost) {
    let run = host.start::<boil_twice>(()).await.unwrap();
    host.sleep(30 * SECOND).await;
    let kettle = host
        .mock_entity::<Kettle>()
        .on_with_context("boil", |ctx, times: i64| {
            let left = ctx.state::<Kettle>()?.unwrap_or_default();
            Ok(left.boiled + times * 100)
        });
    assert_eq!(run.output().await.unwrap(), (1, 101));
    kettle.expect_calls("boil", 1);
    assert_eq!(host.elapsed(), 60 * SECOND);
}

// Rule 26 has it so for events; the error names what does not fit.
#[durable_runtime::test]
async fn what_does_not_fit_fails_the_call_and_so_does_a_panic(host: TestHost) {
    let purse = host.mock_entity::<Purse>().on("add", |_: i64| Ok("text"));
    let failed = async || message(host.run::<deposit_patiently>(1).await.unwrap_err());
    let output = failed().await;
    assert!(
        output.contains("does not fit") && output.contains("`i64`"),
        "{output}"
    );
    let purse = purse.on("add", |_: String| Ok(1));
    let input = failed().await;
    assert!(
        input.contains("the input of operation \"add\"") && input.contains("String"),
        "{input}"
    );
    let purse = purse.on("add", |_: i64| -> Result<i64> { panic!("no purse") });
    let panicked = failed().await;
    assert!(panicked.contains("no purse"), "{panicked}");
    assert!(purse.calls("add") >= 3);
}

// A closure may look at its own mock, and put another one in its place.
#[durable_runtime::test]
async fn a_closure_may_change_its_own_mock(host: TestHost) {
    let purse = host.mock_entity::<Purse>().on("add", |_: i64| Ok(0));
    let own = purse.clone();
    let _ = purse.on("balance", move |()| {
        let own = own.clone().on("balance", |()| Ok(9_i64));
        Ok(i64::try_from(own.calls("balance")).unwrap())
    });
    assert_eq!(host.run::<deposit>(1).await.unwrap(), (0, 1));
    assert_eq!(host.run::<deposit>(1).await.unwrap(), (0, 9));
}
