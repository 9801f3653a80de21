//! Critical sections over entities: rules 38 and 39, clause by clause.

#[path = "../entities/bench.rs"]
mod bench;
mod cleaning;
#[path = "../hosts/mod.rs"]
mod hosts;
mod order;
mod release;
mod rewind;
mod support;
mod takeover;
mod violations;
