//! What user code touches: the contexts of orchestrators and activities, and durable tasks.

mod activity;
mod call;
mod combinators;
pub(crate) mod core;
mod entity;
mod event;
mod events;
#[cfg(feature = "http")]
mod http;
mod lock;
mod orchestration;
mod patches;
pub(crate) mod poll;
mod refused;
mod section;
mod signals;
mod task;
mod time;

#[cfg(feature = "testing")]
pub(crate) use activity::activity_input;
pub use activity::{ActivityContext, ActivityInvocation, State};
pub(crate) use activity::{CallInfo, States, decode_input, encode_output};
pub use call::{ActivityCall, EntityCall, SubOrchestratorCall};
pub use combinators::{
    TaskOutput, WhenAll, WhenAllSettled, WhenAny, when_all, when_all_settled, when_any,
};
pub use entity::{EntityContext, EntitySignals, OperationInvocation};
pub(crate) use entity::{EntityEffects, EntityStart, OperationCall};
pub use event::{EventWait, EventWaitTimeout};
#[cfg(feature = "http")]
pub use http::HttpCall;
pub use lock::{LockEntities, LockGuard};
pub(crate) use orchestration::is_continued_as_new;
pub use orchestration::{ContinueAsNew, OrchestrationContext};
pub(crate) use signals::sealed;
pub use signals::{CallTarget, OrchestrationSignals, SignalTarget};
pub use task::{BoxedTask, Deterministic, DurableTask};
pub use time::Timer;
