//! Types that change while instances run: what was stored by old code is read by new code, and back.

mod errors;
mod events;
mod inputs;
mod outputs;
mod recorded;
mod states;
mod support;
