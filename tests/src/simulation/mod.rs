//! Generated programs on a cluster in which everything goes wrong that can, repeatable by a seed.
//!
//! A seed gives [programs](program), the orders in which the hosts of a [cluster](durable_runtime::simulation)
//! have their turns, and what goes wrong. What the programs return and what they leave in entities is compared
//! with a [model](program::Model) that knows no faults; what becomes durable is watched all along.

pub mod generator;
pub mod interpreter;
pub mod program;
pub mod scenario;
pub mod victim;
pub mod watchdog;

pub use scenario::{Options, run};
pub use watchdog::run_watched;
