//! Tests of orchestrations.

mod replay;

pub(crate) use replay::{Asked, Worker};
pub use replay::{
    Divergence, DivergingInstance, Ending, Replay, ReplayAnswer, ReplayError, ReplayReport,
    ReplayRequest, UnreplayedInstance, replay, replay_hub, replay_recorded,
};
