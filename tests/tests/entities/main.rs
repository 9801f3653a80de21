//! What entities can be relied on for, rule by rule, over the public face.

mod batches;
mod bench;
mod calls;
mod failures;
#[path = "../hosts/mod.rs"]
mod hosts;
mod outside;
mod signals;
mod support;
