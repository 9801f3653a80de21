//! What an activity touches: its context, injected state, and the call that it answers.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::model::{ExecutionId, Failure, InstanceId, Payload, TaskId};
use crate::registry::StateKey;

/// What an activity can ask about its call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ActivityContext {
    call: Arc<CallInfo>,
}

/// One run of one call of an activity.
#[derive(Debug)]
pub(crate) struct CallInfo {
    pub(crate) name: String,
    pub(crate) instance: InstanceId,
    pub(crate) execution: ExecutionId,
    pub(crate) task: TaskId,
    /// Counted from 1.
    pub(crate) attempt: u32,
    pub(crate) cancelled: CancellationToken,
}

impl ActivityContext {
    pub(crate) fn new(call: CallInfo) -> Self {
        Self {
            call: Arc::new(call),
        }
    }

    /// The name of the activity.
    pub fn name(&self) -> &str {
        &self.call.name
    }

    /// The orchestration that called.
    pub fn instance_id(&self) -> &str {
        self.call.instance.as_str()
    }

    /// The number of the call within its execution, counted from 0.
    pub fn task_id(&self) -> u64 {
        self.call.task.0
    }

    /// Names this call, and no other one of any orchestration, ever: the same when the activity is
    /// run again after a crash. Pass it to whatever can tell a repetition by a key, or note it with
    /// the effect. A retry by a policy is another call.
    pub fn idempotency_key(&self) -> String {
        format!("{}-{}", self.call.execution, self.call.task)
    }

    /// How many times the call was begun, this time included: 1, unless crashes interrupted it.
    pub fn attempt(&self) -> u32 {
        self.call.attempt
    }

    /// Completes when the result is no longer wanted because the orchestration was terminated. Use
    /// it to stop early; an activity that does not is left to end by itself.
    pub async fn cancelled(&self) {
        self.call.cancelled.cancelled().await;
    }

    /// Whether the result is no longer wanted.
    pub fn is_cancelled(&self) -> bool {
        self.call.cancelled.is_cancelled()
    }
}

/// A value that the host was given with
/// [`state`](crate::host::DurableHostBuilder::state), injected into a function.
///
/// ```
/// # use durable_runtime::prelude::*;
/// struct Greeter { greeting: String }
///
/// #[activity]
/// async fn greet(State(greeter): State<Greeter>, name: String) -> Result<String> {
///     Ok(format!("{} {name}!", greeter.greeting))
/// }
/// ```
pub struct State<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&&*self.0).finish()
    }
}

/// The values that a host injects, by type.
#[derive(Clone, Default)]
pub(crate) struct States {
    values: FxHashMap<StateKey, Arc<dyn Any + Send + Sync>>,
}

impl States {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, value: T) {
        self.values.insert(StateKey::of::<T>(), Arc::new(value));
    }

    pub(crate) fn contains(&self, key: StateKey) -> bool {
        self.values.contains_key(&key)
    }

    pub(crate) fn injected<T: Send + Sync + 'static>(&self) -> Result<State<T>, Failure> {
        self.get().ok_or_else(|| {
            let message = format!(
                "the host was given no state of type {}",
                StateKey::of::<T>().name
            );
            Failure::new(Failure::NOT_REGISTERED, message).non_retriable()
        })
    }

    fn get<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        let value = Arc::clone(self.values.get(&StateKey::of::<T>())?);
        value.downcast().ok().map(State)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.values.keys().map(|key| key.name))
            .finish()
    }
}

/// One call of an activity, as its generated wrapper receives it.
#[derive(Debug)]
pub struct ActivityInvocation {
    context: ActivityContext,
    input: Payload,
    states: Arc<States>,
}

impl ActivityInvocation {
    pub(crate) fn new(context: ActivityContext, input: Payload, states: Arc<States>) -> Self {
        Self {
            context,
            input,
            states,
        }
    }

    pub(crate) fn name(&self) -> &str {
        self.context.name()
    }

    /// The context of the call.
    pub fn context(&self) -> ActivityContext {
        self.context.clone()
    }

    /// The input, read as the activity's input type.
    ///
    /// # Errors
    ///
    /// A failure that is not retried, naming the activity, the instance and what does not fit.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        activity_input(
            self.context.name(),
            &self.context.call.instance,
            &self.input,
        )
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

/// Reads the input of the activity `name`, which `instance` has called.
///
/// # Errors
///
/// As [`decode_input`].
pub(crate) fn activity_input<T: DeserializeOwned>(
    name: &str,
    instance: &InstanceId,
    input: &Payload,
) -> Result<T, Failure> {
    decode_input(
        &format_args!("activity {name:?} called by instance {instance:?}"),
        input,
    )
}

/// Reads the input of `function`, which is named with whose call it is.
///
/// # Errors
///
/// A failure that is not retried, naming the function, the type and what does not fit.
pub(crate) fn decode_input<T: DeserializeOwned>(
    function: &dyn fmt::Display,
    input: &Payload,
) -> Result<T, Failure> {
    Ok(input.read(&format_args!("the input of {function}"))?)
}

/// Writes what the function `name` returned.
///
/// # Errors
///
/// A failure that is not retried, naming the function, the type and the reason.
pub(crate) fn encode_output<T: Serialize>(
    kind: &str,
    name: &str,
    output: &T,
) -> Result<Payload, Failure> {
    Payload::encode(output).map_err(|error| {
        let given = std::any::type_name::<T>();
        Failure::new(
            Failure::SERIALIZATION,
            format!("the output of {kind} {name:?}, a `{given}`, cannot be serialized: {error}"),
        )
        .non_retriable()
    })
}
