//! Testing orchestrations: a host in memory, in virtual time; and replays of recorded histories on the code
//! of this program.
//!
//! Guides: `docs/testing.md` and `docs/replay.md` in the repository.

#[cfg(feature = "testing")]
mod builder;
#[cfg(feature = "testing")]
mod desk;
#[cfg(feature = "testing")]
mod dice;
#[cfg(feature = "testing")]
mod error;
#[cfg(feature = "testing")]
mod history;
#[cfg(feature = "testing")]
mod host;
#[cfg(feature = "testing")]
mod mock;
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
pub use builder::TestHostBuilder;
#[cfg(feature = "testing")]
pub use error::TestHostError;
#[cfg(feature = "testing")]
pub use history::History;
#[cfg(feature = "testing")]
pub use host::TestHost;
#[cfg(feature = "testing")]
pub use mock::ActivityMock;
pub(crate) use replay::{Asked, Worker};
pub use replay::{
    Divergence, DivergingInstance, Ending, Replay, ReplayAnswer, ReplayError, ReplayReport,
    ReplayRequest, UnreplayedInstance, replay, replay_hub, replay_recorded,
};
#[cfg(feature = "testing")]
pub use seeds::{run_many_seeds, run_seed, run_with};
