//! Critical sections over entities: rule 38, clause by clause.

mod order;
mod release;
mod rewind;
mod support;
mod takeover;
mod violations;
