//! Client functions: what runs them, and what they are handed.

use std::fmt;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use serde::de::DeserializeOwned;

use super::StateKey;
use crate::client::DurableClient;
use crate::context::{State, States};
use crate::model::{Failure, IntoFailure, Payload, TimerInfo};

/// A client function, with its types erased.
#[derive(Debug, Clone, Copy)]
pub struct ClientFunction {
    /// The hub that its client is of, where that is not the host's.
    pub task_hub: Option<&'static str>,
    /// The storage that this hub is in, where that is not the host's.
    pub connection: Option<&'static str>,
    /// The states it wants injected.
    pub states: &'static [fn() -> StateKey],
    /// What runs it.
    pub trigger: Trigger,
}

/// What runs a client function.
#[derive(Debug, Clone, Copy)]
pub enum Trigger {
    /// The program itself.
    None,
    /// A request.
    #[cfg(feature = "http")]
    Http(crate::http::HttpTrigger),
    /// The time.
    Timer(TimerTrigger),
    /// A message.
    Queue(QueueTrigger),
}

/// Runs a function with a timer or a queue. Fails when there is nothing to run it with.
type Run<G> = fn(&Call, &G) -> Result<BoxFuture<'static, Result<(), Failure>>, Failure>;

/// `timer("0 0 2 * * *")`
#[derive(Debug, Clone, Copy)]
pub struct TimerTrigger {
    /// Six fields, which the macro has checked.
    pub schedule: &'static str,
    /// Runs it.
    pub run: Run<TimerInfo>,
}

/// `queue("orders", concurrency = 1)`
#[derive(Debug, Clone, Copy)]
pub struct QueueTrigger {
    /// The name of the queue, which the macro has checked.
    pub queue: &'static str,
    /// How many messages a host works on at once, where the function says so.
    pub concurrency: Option<u32>,
    /// Runs it.
    pub run: Run<Payload>,
}

/// What a client function is called with, whatever its trigger. Cheap to clone.
#[derive(Clone)]
pub struct Call {
    pub(crate) name: &'static str,
    pub(crate) client: DurableClient,
    pub(crate) states: Arc<States>,
}

impl Call {
    /// The client, of the hub that the function is bound to.
    pub fn client(&self) -> DurableClient {
        self.client.clone()
    }

    /// An injected state.
    ///
    /// # Errors
    ///
    /// A failure when the host has none of the type, which its start has ruled out.
    pub fn state<T: Send + Sync + 'static>(&self) -> Result<State<T>, Failure> {
        self.states.injected()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A message, read as the type that the function takes.
///
/// # Errors
///
/// A failure that is not to be repeated, naming the function, the type and what does not fit.
pub fn message<T: DeserializeOwned>(call: &Call, body: &Payload) -> Result<T, Failure> {
    let name = call.name;
    Ok(body.read(&format_args!("the message for client function {name:?}"))?)
}

/// What a function with a timer or a queue may return.
#[diagnostic::on_unimplemented(
    message = "a function with a timer or a queue must return `()` or a `Result`, not `{Self}`",
    label = "neither `()` nor a `Result`",
    note = "return `Result<()>`, or `Result<(), E>` with any error `E`"
)]
pub trait Outcome {
    /// Whether it has done its work.
    ///
    /// # Errors
    ///
    /// Why not.
    fn into_result(self) -> Result<(), Failure>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl<T, E: IntoFailure> Outcome for Result<T, E> {
    fn into_result(self) -> Result<(), Failure> {
        self.map(drop).map_err(|error| error.into_failure(None))
    }
}

/// What a function returned. This is where the compiler says that it cannot be judged.
///
/// # Errors
///
/// Its failure.
pub fn outcome<R: Outcome>(returned: R) -> Result<(), Failure> {
    returned.into_result()
}

/// The future of a function with a timer or a queue, whose outcome is judged by `judge`.
pub fn judged<R: 'static>(
    running: BoxFuture<'static, R>,
    judge: fn(R) -> Result<(), Failure>,
) -> BoxFuture<'static, Result<(), Failure>> {
    Box::pin(async move { judge(running.await) })
}
