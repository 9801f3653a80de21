//! What orchestrators can rely on, rule by rule, over the public face.

mod activities;
mod calls;
mod children;
mod clock;
mod combinators;
mod direct_calls;
mod equivalence;
mod events;
mod failures;
mod generations;
#[path = "../hosts/mod.rs"]
mod hosts;
mod nondeterminism;
mod patches;
mod refused;
mod replay_check;
mod retries;
mod status;
mod support;
mod timers;
mod tracing_events;
mod versions;
mod virtual_time;
