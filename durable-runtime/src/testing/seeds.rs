//! Running one test in many orders.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::{TestHost, TestHostBuilder};

/// Runs `test` with a host for each seed from 0 to `count`, each in an async runtime of its own. Gives what
/// the runs returned, in the order of their seeds, so that it can be looked at which outcomes there are.
///
/// # Panics
///
/// If a run panics: with the panic of the first that does, after its seed was printed to standard error.
///
/// ```standalone_crate
/// use std::collections::BTreeSet;
/// use std::time::Duration;
///
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::run_many_seeds;
///
/// #[orchestrator]
/// async fn wait(ctx: OrchestrationContext) -> Result<String> {
///     let event = ctx.wait_for_external_event::<String>("news");
///     Ok(event.timeout(Duration::from_secs(60)).await?.unwrap_or_default())
/// }
///
/// let outcomes = run_many_seeds(50, |host| async move {
///     let run = host.start::<wait>(()).await.unwrap();
///     // Just when the time is up.
///     host.raise_event_after(Duration::from_secs(60), run.id(), "news", "good");
///     run.output().await.unwrap()
/// });
/// let outcomes: BTreeSet<_> = outcomes.iter().map(String::as_str).collect();
/// assert_eq!(outcomes, BTreeSet::from(["", "good"]));
/// ```
pub fn run_many_seeds<F, T>(count: u64, test: impl Fn(TestHost) -> F) -> Vec<T>
where
    F: Future<Output = T>,
{
    (0..count).map(|seed| run_seed(seed, &test)).collect()
}

/// As [`run_many_seeds`], for a test that returns a `Result`: an error fails it, as a panic does. Gives what the
/// runs returned.
///
/// # Panics
///
/// If a run panics or returns an error, after its seed was printed to standard error.
///
/// ```
/// use durable_runtime::testing::try_many_seeds;
///
/// let ids = try_many_seeds(10, async |host| {
///     host.client().enqueue("orders", 1).await?;
///     Ok::<_, durable_runtime::client::ClientError>(host.seed())
/// });
/// assert_eq!(ids, Vec::from_iter(0..10));
/// ```
pub fn try_many_seeds<F, T, E>(count: u64, test: impl Fn(TestHost) -> F) -> Vec<T>
where
    F: Future<Output = Result<T, E>>,
    E: fmt::Debug,
{
    run_many_seeds(count, |host| {
        let running = test(host);
        async {
            match running.await {
                Ok(returned) => returned,
                Err(error) => panic!("the test returned an error: {error:?}"),
            }
        }
    })
}

/// Runs `test` with a host for `seed`, as [`run_many_seeds`] did when it printed that.
///
/// # Panics
///
/// As `test`; inside of an async runtime.
pub fn run_seed<F, T>(seed: u64, test: impl Fn(TestHost) -> F) -> T
where
    F: Future<Output = T>,
{
    let run = || run_with(TestHost::builder().seed(seed), &test);
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        eprintln!("seed {seed} has failed; `run_seed({seed}, ..)` runs it again");
        resume_unwind(panic)
    })
}

/// Runs `test` with a host as configured, in an async runtime of its own. For what `#[durable_runtime::test]`
/// cannot say.
///
/// # Panics
///
/// As `test`; inside of an async runtime; if the host cannot be [built](TestHostBuilder::build).
pub fn run_with<F, T>(host: TestHostBuilder, test: impl FnOnce(TestHost) -> F) -> T
where
    F: Future<Output = T>,
{
    assert!(
        tokio::runtime::Handle::try_current().is_err(),
        "a test with a host has an async runtime of its own: call this in a plain `#[test]`"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => panic!("the async runtime of a test does not start: {error}"),
    };
    runtime.block_on(async {
        match host.build() {
            Ok(host) => test(host).await,
            Err(error) => panic!("{error}"),
        }
    })
}
