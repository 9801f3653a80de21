//! Critical sections over entities: rules 38 and 39, clause by clause.

mod cleaning;
mod order;
mod release;
mod rewind;
mod support;
mod takeover;
mod violations;
