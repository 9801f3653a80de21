//! What a host promises: rules 32, 45 and 46, ownership of partitions among processes, start-up
//! errors, bounded memory, and what becomes of more than a host can do.

mod disk;
mod fixture;
mod hold_ups;
mod host_json;
mod memory;
mod overload;
mod poison;
#[path = "../process/mod.rs"]
mod process;
mod remote;
mod shutdown;
#[path = "../process/signal.rs"]
mod signal;
mod start_up;
mod steps;
mod takeover;
mod threads;
