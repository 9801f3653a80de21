//! Testing orchestrations: a host in memory, on the thread of the test, in virtual time.
//!
//! ```standalone_crate
//! use std::time::Duration;
//!
//! use durable_runtime::prelude::*;
//! use durable_runtime::testing::TestHost;
//!
//! const DAY: Duration = Duration::from_secs(86_400);
//!
//! #[activity]
//! async fn charge(cents: u64) -> Result<String> {
//!     Err(Error::msg(format!("no test charges {cents} cents")))
//! }
//!
//! #[orchestrator]
//! async fn subscribe(ctx: OrchestrationContext, cents: u64) -> Result<String> {
//!     ctx.sleep(90 * DAY).await;
//!     let approval = ctx.wait_for_external_event::<bool>("approval");
//!     if approval.timeout(7 * DAY).await? != Some(true) {
//!         return Ok("not approved".to_owned());
//!     }
//!     let policy = RetryPolicy::new(3, Duration::from_secs(3_600));
//!     Ok(ctx.call_activity::<charge>(cents).retry(policy).await?)
//! }
//!
//! # durable_runtime::testing::run_with(TestHost::builder(), who_approves_is_charged);
//! # /*
//! #[durable_runtime::test]
//! # */
//! async fn who_approves_is_charged(host: TestHost) {
//!     let charge = host
//!         .mock_activity::<charge>(|cents| Ok(format!("{cents} charged")))
//!         .fail_first(2, "the bank is closed");
//!     let run = host.start::<subscribe>(500_u64).await.unwrap();
//!     host.raise_event_after(93 * DAY, run.id(), "approval", true);
//!     assert_eq!(run.output().await.unwrap(), "500 charged");
//!     charge.expect_calls(3);
//!     assert_eq!(host.elapsed(), 93 * DAY + Duration::from_secs(2 * 3_600));
//! }
//! ```
//!
//! A [`TestHost`] runs what a host in production runs: the same partitions, the same history, the same client.
//! What it lacks are threads, a storage that lasts, and a clock of its own:
//!
//! * **Time** is that of the async runtime, whose clock stands still while anything can run, and jumps to the next
//!   thing that is due when nothing can: a timer, a retry, a delayed signal, a `tokio::time::sleep` of an activity
//!   or of the test itself. It is exact to the millisecond.
//! * **Order** is always the same. With a [seed](TestHostBuilder::seed), that decides what comes first of all that
//!   happens at one virtual time: see [`run_many_seeds`].
//! * **Every episode is replayed** after it ran, so an orchestrator that is not deterministic fails its first test.
//! * **Crashes**, after a commit of choice or after every one: see [`TestHostBuilder::crash_at_every_commit`].
//!
//! Activities run on the thread of the test, plain `fn`s too. Those that wait for anything else than virtual time
//! (a socket, another thread) are to be [mocked](TestHost::mock_activity): meanwhile time would jump. Entities run
//! as they are, unless they are [mocked](TestHost::mock_entity) too. Client functions are called by the test, as the
//! functions that they are; their schedules and queues run them, in virtual time, where the test
//! [asks for that](TestHostBuilder::trigger). An orchestrator that calls `tokio::spawn` gets away with it here, and
//! fails in production.
//!
//! Beside it there are replays of recorded histories on the code of this program ([`replay()`], [`replay_hub`]);
//! their guide is `docs/replay.md` in the repository.

#[cfg(feature = "testing")]
mod builder;
#[cfg(feature = "testing")]
mod desk;
#[cfg(feature = "testing")]
pub(crate) mod dice;
#[cfg(feature = "testing")]
mod entity_mock;
#[cfg(feature = "testing")]
mod error;
#[cfg(feature = "testing")]
mod history;
#[cfg(feature = "testing")]
mod host;
#[cfg(feature = "testing")]
mod mock;
#[cfg(feature = "testing")]
mod played;
#[cfg(feature = "testing")]
mod pump;
mod replay;
#[cfg(feature = "testing")]
mod runner;
#[cfg(feature = "testing")]
mod seeds;
#[cfg(feature = "testing")]
mod simulation;
#[cfg(feature = "testing")]
mod time;
#[cfg(feature = "testing")]
mod triggers;

#[cfg(feature = "testing")]
pub use builder::TestHostBuilder;
#[cfg(feature = "testing")]
pub use entity_mock::EntityMock;
#[cfg(feature = "testing")]
pub use error::TestHostError;
#[cfg(feature = "testing")]
pub use history::History;
#[cfg(feature = "testing")]
pub use host::TestHost;
#[cfg(feature = "testing")]
pub use mock::ActivityMock;
#[cfg(feature = "simulation")]
pub(crate) use replay::replay_stored;
pub(crate) use replay::{Asked, Worker};
pub use replay::{
    Divergence, DivergingInstance, Ending, Replay, ReplayAnswer, ReplayError, ReplayReport,
    ReplayRequest, UnreplayedInstance, replay, replay_hub, replay_recorded,
};
#[cfg(feature = "testing")]
pub use seeds::{run_many_seeds, run_seed, run_with, try_many_seeds};
#[cfg(feature = "testing")]
pub(crate) use time::{VirtualTime, sleep_until};
