//! Tests of behaviour live in `tests/tests`; what must compile, and what must not, in `tests/compile`.

pub mod simulation;
