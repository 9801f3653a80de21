//! What entities can be relied on for, rule by rule, over the public face.

mod batches;
mod bench;
mod calls;
mod failures;
mod outside;
mod signals;
mod support;
