//! What user code touches: the contexts of orchestrators and activities, and durable tasks.

mod activity;
mod call;
mod combinators;
pub(crate) mod core;
mod event;
mod events;
mod orchestration;
pub(crate) mod poll;
mod task;
mod time;

pub use activity::{ActivityContext, ActivityInvocation, State};
pub(crate) use activity::{CallInfo, States, decode_input, encode_output};
pub use call::{ActivityCall, SubOrchestratorCall};
pub use combinators::{
    TaskOutput, WhenAll, WhenAllSettled, WhenAny, when_all, when_all_settled, when_any,
};
pub use event::{EventWait, EventWaitTimeout};
pub(crate) use orchestration::is_continued_as_new;
pub use orchestration::{ContinueAsNew, OrchestrationContext};
pub use task::{BoxedTask, Deterministic, DurableTask};
pub use time::Timer;
