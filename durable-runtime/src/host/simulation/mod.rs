//! Several hosts with one task hub, in one thread: what each does when, and what goes wrong, is decided by a
//! seed.
//!
//! A [`Cluster`] runs what hosts run: their partition threads, committers, keepers of leases, loaders and
//! executors, each one round at a time, and their clients. What is not theirs is the order in which they have
//! their turns, the clock, and a storage that fails. For the tests of this project.

mod cluster;
mod faults;
mod hub;
mod link;
mod process;
mod time;
mod trace;
mod witness;

pub use cluster::{Cluster, ClusterOptions, Inject, Outcome};
pub use faults::Faults;
pub use time::Timekeeper;
pub use witness::Witness;
