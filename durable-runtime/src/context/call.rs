//! Calls of activities, sub-orchestrations and entities, with their retries and time limits.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::core::{Core, Outcome};
use super::section::Section;
use super::time::after;
use crate::model::{
    EntityId, EventKind, Failure, InstanceId, Payload, RetryAttempt, RetryPolicy, TaskFailed,
    TaskId,
};

/// A call of an activity: a durable task of its output.
///
/// The call takes its number when it is made and is scheduled when it is first polled (or with
/// [`start`](Self::start)). Dropping it abandons it: the activity runs to its end, its result is
/// ignored.
#[must_use = "the activity is called only when the task is awaited or started [unawaited]"]
pub struct ActivityCall<T> {
    call: Call,
    output: PhantomData<fn() -> T>,
}

/// A call of another orchestrator: a durable task of its output.
///
/// The call takes its number when it is made and is scheduled when it is first polled (or with
/// [`start`](Self::start)). Dropping it abandons it: the sub-orchestration goes on by itself, its
/// result is ignored.
#[must_use = "the orchestrator is called only when the task is awaited or started [unawaited]"]
pub struct SubOrchestratorCall<T> {
    call: Call,
    output: PhantomData<fn() -> T>,
}

/// A call of an operation of an entity: a durable task of its output.
///
/// The call takes its number when it is made and is scheduled when it is first polled (or with
/// [`start`](Self::start)). Dropping it abandons it: the operation is carried out, its result is
/// ignored.
#[must_use = "the operation is called only when the task is awaited or started; to send it one way, \
              use `signal` [unawaited]"]
pub struct EntityCall<T> {
    call: Call,
    output: PhantomData<fn() -> T>,
}

macro_rules! call_methods {
    ($name:ident) => {
        impl<T> $name<T> {
            /// Tries again as `policy` says when the call fails. Failures that are marked as not
            /// retriable, unknown names and inputs that do not fit are never tried again.
            pub fn retry(mut self, policy: RetryPolicy) -> Self {
                self.call.policy = Some(policy);
                self
            }

            /// Tries again when the call fails and `decide` returns `true`; together with
            /// [`retry`](Self::retry) both must agree. Without a policy it is tried again at once,
            /// as often as `decide` wants.
            ///
            /// `decide` runs as part of the orchestrator and must be deterministic.
            pub fn retry_if(
                mut self,
                decide: impl FnMut(RetryAttempt<'_>) -> bool + 'static,
            ) -> Self {
                self.call.decide = Some(Box::new(decide));
                self
            }

            /// Fails with [`is_timeout`](TaskFailed::is_timeout) when the call, retries included,
            /// takes longer than `duration`. What was called is not interrupted, its result is
            /// ignored.
            pub fn timeout(mut self, duration: Duration) -> Self {
                self.call.limit_to(duration);
                self
            }

            /// Schedules the call now and gives the task, to be awaited later.
            pub fn start(mut self) -> Self {
                self.call.schedule_first();
                self
            }
        }

        impl<T: DeserializeOwned> Future for $name<T> {
            type Output = Result<T, TaskFailed>;

            fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
                self.call.poll().map(|result| self.call.decode(&result?))
            }
        }

        impl<T> fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("name", &self.call.name)
                    .field("stage", &self.call.stage)
                    .finish_non_exhaustive()
            }
        }
    };
}

call_methods!(ActivityCall);
call_methods!(SubOrchestratorCall);
call_methods!(EntityCall);

impl<T> ActivityCall<T> {
    pub(crate) fn new(core: &Rc<Core>, name: &str, input: &(impl Serialize + ?Sized)) -> Self {
        Self::numbered(core, core.next_task_id(), name, input)
    }

    /// A call that took its number before its input was known.
    pub(super) fn numbered(
        core: &Rc<Core>,
        id: TaskId,
        name: &str,
        input: &(impl Serialize + ?Sized),
    ) -> Self {
        Self {
            call: Call::numbered(core, id, name, input, Target::Activity),
            output: PhantomData,
        }
    }

    /// The call cannot be made: it fails when it is awaited.
    #[cfg(feature = "http")]
    pub(super) fn refuse(&mut self, failure: Failure) {
        self.call.input = Err(failure);
    }

    #[cfg(feature = "http")]
    pub(super) fn is_refused(&self) -> bool {
        self.call.input.is_err()
    }
}

impl<T> SubOrchestratorCall<T> {
    pub(crate) fn new(core: &Rc<Core>, name: &str, input: &(impl Serialize + ?Sized)) -> Self {
        let target = Target::SubOrchestration {
            instance: None,
            version: None,
        };
        Self {
            call: Call::new(core, name, input, target),
            output: PhantomData,
        }
    }

    /// Runs the orchestrator under this instance id; without it, under one that is derived from the
    /// caller and the call. The call fails if the id is not valid, is the caller's own, or is that
    /// of an instance that has not ended.
    pub fn instance_id(mut self, id: impl Into<String>) -> Self {
        if let Target::SubOrchestration { instance, .. } = &mut self.call.target {
            *instance = Some(id.into());
        }
        self
    }

    /// Runs this version of the orchestrator; without it, the
    /// [default](crate::host::HostOptions::default_version) of the host that starts it, else the highest
    /// that is registered. The version of the caller has no part in it.
    pub fn version(mut self, wanted: impl Into<String>) -> Self {
        if let Target::SubOrchestration { version, .. } = &mut self.call.target {
            *version = Some(wanted.into());
        }
        self
    }
}

impl<T> EntityCall<T> {
    pub(crate) fn new(
        core: &Rc<Core>,
        entity: EntityId,
        operation: &str,
        input: &impl Serialize,
    ) -> Self {
        let checked = entity.instance();
        let mut call = Call::new(core, operation, input, Target::Entity(entity));
        if let Err(error) = checked {
            call.input = Err(Failure::from_error(&error).non_retriable());
        }
        Self {
            call,
            output: PhantomData,
        }
    }
}

type Decide = Box<dyn FnMut(RetryAttempt<'_>) -> bool>;

/// A call without its output type.
struct Call {
    core: Rc<Core>,
    name: String,
    target: Target,
    input: Result<Payload, Failure>,
    stage: Stage,
    attempt: u32,
    first_attempt: Option<DateTime<Utc>>,
    policy: Option<RetryPolicy>,
    decide: Option<Decide>,
    limit: Option<Limit>,
}

enum Target {
    Activity,
    SubOrchestration {
        instance: Option<String>,
        version: Option<String>,
    },
    Entity(EntityId),
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    New(TaskId),
    Running(TaskId),
    Backoff(TaskId),
    Done,
}

struct Limit {
    duration: Duration,
    timer: TaskId,
    scheduled: bool,
}

impl Call {
    fn new(core: &Rc<Core>, name: &str, input: &(impl Serialize + ?Sized), target: Target) -> Self {
        Self::numbered(core, core.next_task_id(), name, input, target)
    }

    fn numbered(
        core: &Rc<Core>,
        id: TaskId,
        name: &str,
        input: &(impl Serialize + ?Sized),
        target: Target,
    ) -> Self {
        let input = Payload::encode(input)
            .map_err(|error| {
                Failure::new(
                    Failure::SERIALIZATION,
                    format!("the input of {name:?} cannot be serialized: {error}"),
                )
            })
            .and_then(|input| {
                let limit = core.identity.max_payload_bytes;
                input.check_size(limit).map_err(|error| {
                    Failure::new(
                        Failure::PAYLOAD_TOO_LARGE,
                        format!("the input of {name:?} cannot be passed: {error}"),
                    )
                })?;
                Ok(input)
            });
        Self {
            core: Rc::clone(core),
            name: name.to_owned(),
            target,
            input: input.map_err(Failure::non_retriable),
            stage: Stage::New(id),
            attempt: 0,
            first_attempt: None,
            policy: None,
            decide: None,
            limit: None,
        }
    }

    fn schedule_first(&mut self) {
        if let (Stage::New(id), Ok(_)) = (self.stage, &self.input) {
            match self.schedule(id) {
                Ok(()) => self.stage = Stage::Running(id),
                // A call that cannot be made fails when it is awaited.
                Err(failure) => self.input = Err(failure),
            }
        }
    }

    /// Emits the action of one attempt.
    fn schedule(&mut self, id: TaskId) -> Result<(), Failure> {
        let input = self.input.clone()?;
        match &self.target {
            Target::Activity => {}
            Target::SubOrchestration { .. } => {
                self.core.check_section(Section::check_sub_orchestration)?;
            }
            Target::Entity(entity) => self.core.note_entity_call(entity, id)?,
        }
        let action = match &self.target {
            Target::Activity => EventKind::TaskScheduled {
                id,
                name: self.name.clone(),
                input,
            },
            Target::SubOrchestration { instance, version } => EventKind::SubOrchestrationCreated {
                id,
                instance: self.child_id(instance.as_deref(), id)?,
                name: self.name.clone(),
                version: version.clone(),
                input,
            },
            Target::Entity(entity) => EventKind::EntityCalled {
                id,
                entity: entity.clone(),
                operation: self.name.clone(),
                input,
            },
        };
        self.core.schedule(id, action);
        self.attempt += 1;
        let now = self.core.now();
        self.first_attempt.get_or_insert(now);
        if let Some(limit) = &mut self.limit
            && !limit.scheduled
        {
            limit.scheduled = true;
            self.core
                .schedule_timer(limit.timer, after(now, limit.duration));
        }
        Ok(())
    }

    fn limit_to(&mut self, duration: Duration) {
        self.drop_limit();
        let timer = self.core.next_task_id();
        // A call that was started is under way.
        let scheduled = !matches!(self.stage, Stage::New(_) | Stage::Done);
        if scheduled {
            let fire_at = after(self.core.now(), duration);
            self.core.schedule_timer(timer, fire_at);
        }
        self.limit = Some(Limit {
            duration,
            timer,
            scheduled,
        });
    }

    fn drop_limit(&mut self) {
        if let Some(limit) = self.limit.take()
            && limit.scheduled
        {
            self.core.cancel_timer(limit.timer);
        }
    }

    fn child_id(&self, wanted: Option<&str>, task: TaskId) -> Result<InstanceId, Failure> {
        let identity = &self.core.identity;
        let Some(wanted) = wanted else {
            let id = format!("{}:{:04x}", identity.execution, task.0);
            return Ok(InstanceId::trusted(id));
        };
        let refused = |message| Failure::new(Failure::INSTANCE_ID, message).non_retriable();
        let id = InstanceId::new(wanted).map_err(|error| refused(error.to_string()))?;
        if id == identity.instance {
            return Err(refused(format!(
                "a sub-orchestration cannot have the id of its parent, {id:?}: give it another one"
            )));
        }
        Ok(id)
    }

    fn poll(&mut self) -> Poll<Result<Payload, TaskFailed>> {
        loop {
            match self.stage {
                Stage::New(id) => match self.schedule(id) {
                    Ok(()) => self.stage = Stage::Running(id),
                    Err(failure) => return Poll::Ready(Err(self.fail(failure))),
                },
                Stage::Running(id) => match self.core.poll_outcome(id) {
                    Some(Outcome::Returned(Ok(output))) => {
                        self.end();
                        return Poll::Ready(Ok(output));
                    }
                    Some(Outcome::Returned(Err(failure))) => {
                        let failed = TaskFailed::new(self.name.clone(), failure);
                        if !self.try_again(&failed) {
                            self.end();
                            return Poll::Ready(Err(failed));
                        }
                    }
                    _ => return self.poll_limit(),
                },
                Stage::Backoff(timer) => match self.core.poll_outcome(timer) {
                    Some(_) => self.stage = Stage::New(self.core.next_task_id()),
                    None => return self.poll_limit(),
                },
                Stage::Done => {
                    let message = "a durable task was polled after it had ended";
                    let failure = Failure::new(Failure::PANIC, message);
                    return Poll::Ready(Err(self.fail(failure)));
                }
            }
        }
    }

    /// Sets the stage that follows a failed attempt; `false` if there is to be no other.
    fn try_again(&mut self, failed: &TaskFailed) -> bool {
        if failed.is_non_retriable() || (self.policy.is_none() && self.decide.is_none()) {
            return false;
        }
        let now = self.core.now();
        let elapsed = (now - self.first_attempt.unwrap_or(now))
            .to_std()
            .unwrap_or_default();
        let delay = match &self.policy {
            Some(policy) => policy.delay_after(self.attempt, elapsed),
            None => Some(Duration::ZERO),
        };
        let Some(delay) = delay else {
            return false;
        };
        if let Some(decide) = &mut self.decide
            && !decide(RetryAttempt {
                number: self.attempt,
                last_failure: failed,
                elapsed,
            })
        {
            return false;
        }
        let id = self.core.next_task_id();
        self.stage = if delay.is_zero() {
            Stage::New(id)
        } else {
            self.core.schedule_timer(id, after(now, delay));
            Stage::Backoff(id)
        };
        true
    }

    fn poll_limit(&mut self) -> Poll<Result<Payload, TaskFailed>> {
        let expired = match &self.limit {
            Some(limit) if limit.scheduled => self.core.poll_outcome(limit.timer).is_some(),
            _ => false,
        };
        if !expired {
            return Poll::Pending;
        }
        let duration = self.limit.take().map(|limit| limit.duration);
        let failure = Failure::new(
            Failure::TIMEOUT,
            format!("not done within {:?}", duration.unwrap_or_default()),
        );
        Poll::Ready(Err(self.fail(failure)))
    }

    fn fail(&mut self, failure: Failure) -> TaskFailed {
        self.end();
        TaskFailed::new(self.name.clone(), failure)
    }

    fn decode<T: DeserializeOwned>(&self, output: &Payload) -> Result<T, TaskFailed> {
        let read = output.read(&format_args!(
            "the output of {self} in the history of instance {:?}",
            self.core.identity.instance.as_str()
        ));
        read.map_err(|misfit| TaskFailed::new(self.name.clone(), misfit.into()))
    }

    /// Gives up whatever is still under way.
    fn end(&mut self) {
        match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::Running(id) => self.core.abandon(id),
            Stage::Backoff(timer) => self.core.cancel_timer(timer),
            Stage::New(_) | Stage::Done => {}
        }
        self.drop_limit();
    }
}

/// What was called.
impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.target {
            Target::Activity => write!(f, "activity {name:?}"),
            Target::SubOrchestration { .. } => write!(f, "sub-orchestration {name:?}"),
            Target::Entity(entity) => write!(f, "operation {name:?} of entity \"{entity}\""),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.end();
    }
}
