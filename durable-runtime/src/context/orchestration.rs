//! The context of an orchestrator.

use std::rc::Rc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::call::{ActivityCall, EntityCall, SubOrchestratorCall};
use super::core::Core;
use super::event::EventWait;
use super::lock::LockEntities;
use super::poll;
use super::signals::{CallTarget, OrchestrationSignals, SignalTarget};
use super::time::{Timer, after};
#[cfg(feature = "http")]
use crate::model::http::DurableHttpRequest;
use crate::model::{
    EntityId, Error, EventKind, Failure, InstanceId, Payload, PayloadTooLarge, Result, TaskFailed,
};
use crate::registry::{Activity, Entity, EntityInterface, Orchestrator};

/// What an orchestrator does everything through. Cheap to clone.
///
/// Every durable call is recorded in the history of the instance. When the code runs again after a
/// crash, calls that are in the history return what they returned then.
#[derive(Debug, Clone)]
pub struct OrchestrationContext {
    core: Rc<Core>,
}

impl OrchestrationContext {
    pub(crate) fn new(core: Rc<Core>) -> Self {
        Self { core }
    }

    /// The id of the instance.
    pub fn instance_id(&self) -> &str {
        self.core.identity.instance.as_str()
    }

    /// The name of the orchestrator.
    pub fn name(&self) -> &str {
        &self.core.identity.name
    }

    /// The version that the instance runs, where one was declared.
    pub fn version(&self) -> Option<&str> {
        self.core.identity.version.as_deref()
    }

    /// The instance that called this one, where one did.
    pub fn parent_instance_id(&self) -> Option<&str> {
        self.core.identity.parent.as_ref().map(InstanceId::as_str)
    }

    /// Whether the code repeats what is in the history already. For side effects that are not to be
    /// repeated, such as logging; `tracing` events are dropped during replay by themselves.
    pub fn is_replaying(&self) -> bool {
        self.core.is_replaying()
    }

    /// The time: the same on every replay, constant between two waits, never going back.
    pub fn current_utc_datetime(&self) -> DateTime<Utc> {
        self.core.now()
    }

    /// A new UUID, the same on every replay.
    ///
    /// Version 5 of `{instance id}_{time}_{counter}`, as in the other implementations of Durable
    /// Functions, with the time in ISO 8601 with seven decimals.
    pub fn new_guid(&self) -> Uuid {
        const NAMESPACE: Uuid = Uuid::from_u128(0x9e95_2958_5e33_4daf_827f_2fa1_2937_b875);
        let time = self.core.now();
        let name = format!(
            "{}_{}.{:07}Z_{}",
            self.instance_id(),
            time.format("%Y-%m-%dT%H:%M:%S"),
            time.timestamp_subsec_nanos() / 100,
            self.core.next_guid_number()
        );
        Uuid::new_v5(&NAMESPACE, name.as_bytes())
    }

    /// Calls the activity `A`.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// #[activity]
    /// async fn say_hello(city: String) -> Result<String> {
    ///     Ok(format!("Hello {city}!"))
    /// }
    ///
    /// #[orchestrator]
    /// async fn hello(ctx: OrchestrationContext) -> Result<String> {
    ///     Ok(ctx.call_activity::<say_hello>("Tokyo").await?)
    /// }
    /// ```
    pub fn call_activity<A: Activity>(
        &self,
        input: impl Into<A::Input>,
    ) -> ActivityCall<A::Output> {
        ActivityCall::new(&self.core, A::NAME, &input.into())
    }

    /// Calls the activity that is registered as `name`, whose input and output are not checked by
    /// the compiler.
    pub fn call_activity_by_name<O: DeserializeOwned>(
        &self,
        name: &str,
        input: impl Serialize,
    ) -> ActivityCall<O> {
        ActivityCall::new(&self.core, name, &input)
    }

    /// Calls the orchestrator `S`, as an instance of its own.
    pub fn call_sub_orchestrator<S: Orchestrator>(
        &self,
        input: impl Into<S::Input>,
    ) -> SubOrchestratorCall<S::Output> {
        SubOrchestratorCall::new(&self.core, S::NAME, &input.into())
    }

    /// Calls the orchestrator that is registered as `name`, whose input and output are not checked
    /// by the compiler.
    pub fn call_sub_orchestrator_by_name<O: DeserializeOwned>(
        &self,
        name: &str,
        input: impl Serialize,
    ) -> SubOrchestratorCall<O> {
        SubOrchestratorCall::new(&self.core, name, &input)
    }

    /// Calls the entity `key` of the kind `E`: a method of what it gives calls an operation.
    pub fn entity<E: Entity>(&self, key: impl Into<String>) -> E::Calls {
        CallTarget::new(&self.core, EntityId::new(E::NAME, key)).into()
    }

    /// Calls an entity through an interface that it has.
    pub fn entity_as<I: EntityInterface + ?Sized>(&self, id: EntityId) -> I::Calls {
        CallTarget::new(&self.core, id).into()
    }

    /// Calls the operation `operation` of an entity, whose input and output are not checked by the
    /// compiler.
    pub fn call_entity<O: DeserializeOwned>(
        &self,
        id: EntityId,
        operation: &str,
        input: impl Serialize,
    ) -> EntityCall<O> {
        EntityCall::new(&self.core, id, operation, &input)
    }

    /// Signals the entity `key` of the kind `E`, one way: a method of what it gives sends an operation,
    /// of which nobody hears whether it works.
    pub fn signal<E: Entity>(&self, key: impl Into<String>) -> E::Signals<OrchestrationSignals> {
        OrchestrationSignals::new(&self.core, EntityId::new(E::NAME, key)).into()
    }

    /// Signals an entity through an interface that it has.
    pub fn signal_as<I: EntityInterface + ?Sized>(
        &self,
        id: EntityId,
    ) -> I::Signals<OrchestrationSignals> {
        OrchestrationSignals::new(&self.core, id).into()
    }

    /// Signals the operation `operation` of an entity, of which the compiler checks nothing.
    ///
    /// # Panics
    ///
    /// Fails the orchestration if `id` is not valid, the entity is locked by this orchestration, or
    /// `input` cannot be serialized or is over the payload limit.
    pub fn signal_entity(&self, id: EntityId, operation: &str, input: impl Serialize) {
        OrchestrationSignals::new(&self.core, id).send(operation, &input);
    }

    /// Locks entities: a task of the guard that holds them until it is dropped.
    ///
    /// All are locked when the guard is there. Operations that they were asked for before run first,
    /// those of others wait until they are released. Entities are locked in one order, whatever the
    /// order they are named in, so that no two orchestrations wait for each other; one that is named
    /// twice is locked once.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// #[orchestrator]
    /// async fn transfer(ctx: OrchestrationContext, amount: i64) -> Result<()> {
    ///     let [from, to] = ["a", "b"].map(|key| EntityId::new("Account", key));
    ///     let accounts = ctx.lock([from.clone(), to.clone()]).await?;
    ///     let balance: i64 = accounts.call_entity(from.clone(), "get", ()).await?;
    ///     if balance >= amount {
    ///         accounts.call_entity::<()>(from, "add", -amount).await?;
    ///         accounts.call_entity::<()>(to, "add", amount).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// The task fails if no entity is named, if an id is not valid, if there is no such kind of entity,
    /// and if this orchestration has a section already or has asked for one. What is allowed inside
    /// of the section is with [`LockGuard`](crate::LockGuard).
    pub fn lock(&self, entities: impl IntoIterator<Item = EntityId>) -> LockEntities {
        LockEntities::new(&self.core, entities)
    }

    /// A timer that is due at `fire_at`.
    pub fn create_timer(&self, fire_at: DateTime<Utc>) -> Timer {
        Timer::new(&self.core, fire_at)
    }

    /// A timer that is due `duration` from now.
    pub fn sleep(&self, duration: Duration) -> Timer {
        Timer::new(&self.core, after(self.core.now(), duration))
    }

    /// Waits for the external event `name`, whose case does not matter.
    pub fn wait_for_external_event<T: DeserializeOwned>(&self, name: &str) -> EventWait<T> {
        EventWait::new(&self.core, name)
    }

    /// Sends an HTTP request: a task of the answer, whatever its status code.
    ///
    /// Request and answer stand in history, as a call of the activity `BuiltIn::HttpActivity`, and the
    /// limits of activities hold for it: the request is sent at least once, so one that must not be
    /// repeated after a crash wants a key by which the server can tell.
    ///
    /// Redirects are followed within one attempt, up to ten, but never from `https` to `http`; after a
    /// 301 or 302 a `POST` becomes a `GET`, after a 303 everything but `HEAD` does, and 307 and 308
    /// repeat the request. Secrets stay with the server that they were meant for (see
    /// [`header`](crate::http::DurableHttpRequest::header)). A 202 with a `Location` is polled there by durable timers until the answer is another one
    /// (see [`asynchronous_pattern`](crate::http::DurableHttpRequest::asynchronous_pattern)), so a job of
    /// days costs nothing while it runs.
    ///
    /// The task fails if the request is not valid or the host does not allow it
    /// ([`HttpCallOptions`](crate::http::HttpCallOptions)), and if there is no answer: no connection, a
    /// body that breaks off or is over the payload limit, no token, or
    /// [too slow](crate::TaskFailed::is_timeout).
    ///
    /// ```
    /// use durable_runtime::http::DurableHttpRequest;
    /// use durable_runtime::prelude::*;
    ///
    /// #[orchestrator]
    /// async fn stock(ctx: OrchestrationContext, item: u32) -> Result<u32> {
    ///     let url = format!("https://stock.example.com/items/{item}");
    ///     let response = ctx.call_http(DurableHttpRequest::get(url)).await?;
    ///     Ok(response.error_for_status()?.json()?)
    /// }
    /// ```
    #[cfg(feature = "http")]
    pub fn call_http(&self, request: DurableHttpRequest) -> super::HttpCall {
        super::HttpCall::new(&self.core, request)
    }

    /// Sends an event to another orchestration, one way: nothing happens if that does not exist or
    /// has ended.
    ///
    /// # Panics
    ///
    /// Fails the orchestration if `instance_id` is not valid or `data` cannot be serialized or is
    /// over the payload limit.
    pub fn send_event(&self, instance_id: impl AsRef<str>, name: &str, data: impl Serialize) {
        let instance = InstanceId::new(instance_id)
            .unwrap_or_else(|error| Core::abort(Failure::from_error(&error)));
        let data = self
            .encode(&data)
            .unwrap_or_else(|error| Core::abort(error.failure().clone()));
        let id = self.core.next_task_id();
        self.core.emit(EventKind::EventSent {
            id,
            instance,
            name: name.to_owned(),
            data,
        });
    }

    /// Sets what status queries show as the custom status.
    ///
    /// # Errors
    ///
    /// If `value` cannot be serialized or its JSON has more than 16 KiB in UTF-16; the status is as
    /// it was.
    pub fn set_custom_status(&self, value: impl Serialize) -> Result<()> {
        const LIMIT: usize = 16 * 1024;
        let status = Payload::encode(&value)?;
        let size = status.as_json().encode_utf16().count() * 2;
        if size > LIMIT {
            return Err(Error::msg(format!(
                "custom status of {size} bytes (as UTF-16 JSON) is over the limit of {LIMIT} bytes"
            )));
        }
        self.core.set_custom_status(status);
        Ok(())
    }

    /// Whether to do what is new with the change `id` of the code: `true` for instances that start, or
    /// reach this line first, with the changed code; `false` for those that passed this line without it, as
    /// their history says.
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # #[activity]
    /// # async fn charge(order: String) -> Result<()> { Ok(()) }
    /// # #[activity]
    /// # async fn check_credit(order: String) -> Result<()> { Ok(()) }
    /// #[orchestrator]
    /// async fn pay(ctx: OrchestrationContext, order: String) -> Result<()> {
    ///     if ctx.patched("check-credit-first") {
    ///         ctx.call_activity::<check_credit>(order.clone()).await?;
    ///     }
    ///     Ok(ctx.call_activity::<charge>(order).await?)
    /// }
    /// ```
    ///
    /// A `true` is marked in the history, so the answer is the same on every replay; and it is the same for
    /// the same id until the execution ends, wherever it is asked. The next execution after
    /// [`continue_as_new`](Self::continue_as_new) begins afresh. An id stands for one change: take another
    /// one for the next.
    ///
    /// While histories have the mark, code without the call does not repeat them. When no instance is
    /// left that passed the line without the change, the call gives way to
    /// [`deprecate_patch`](Self::deprecate_patch).
    #[must_use]
    pub fn patched(&self, id: &str) -> bool {
        self.core.is_patched(id)
    }

    /// Stands in the place of [`patched`](Self::patched), or before it, when no instance is left that does
    /// what is old: the marks of the change `id` need not be repeated from here on.
    ///
    /// Instances that begin with this code are marked in a way that neither code with `patched` nor code
    /// without the change's id minds, so both can run beside it. When all instances have ended that
    /// began before, this call can go as well.
    pub fn deprecate_patch(&self, id: &str) {
        self.core.deprecate_patch(id);
    }

    /// Ends this execution and begins the next one of the same instance with `input` and an empty
    /// history. Return what it returns:
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # use std::time::Duration;
    /// #[orchestrator]
    /// async fn heartbeat(ctx: OrchestrationContext, beats: u64) -> Result<()> {
    ///     ctx.sleep(Duration::from_secs(60)).await;
    ///     return ctx.continue_as_new(beats + 1);
    /// }
    /// ```
    ///
    /// The error type of the orchestrator must be made from [`TaskFailed`] and keep it as its source or
    /// in its message, as [`Error`] and `#[from]` do: by that the runtime knows what is returned.
    ///
    /// Activities that were started and not awaited run on, but are not run again if the process ends
    /// before they have.
    ///
    /// Events that were not consumed are there in the next execution, unless
    /// [`discard_unprocessed_events`](ContinueAsNew::discard_unprocessed_events) is added. The last
    /// call wins.
    ///
    /// # Errors
    ///
    /// Always returns `Err`, of a kind that the runtime recognises; if `input` cannot be serialized
    /// or is over the payload limit, one that fails the orchestration.
    pub fn continue_as_new<T, E: From<TaskFailed>>(&self, input: impl Serialize) -> Result<T, E> {
        let failure = match self.encode(&input) {
            Ok(input) => {
                self.core.request_continue_as_new(input);
                Failure::new(CONTINUED_AS_NEW, CONTINUED_AS_NEW)
            }
            Err(error) => error.failure().clone(),
        };
        Err(TaskFailed::new("continue_as_new", failure).into())
    }

    fn encode(&self, value: &impl Serialize) -> Result<Payload> {
        let payload = Payload::encode(value)?;
        payload
            .check_size(self.core.identity.max_payload_bytes)
            .map_err(|error: PayloadTooLarge| Error::from(error))?;
        Ok(payload)
    }
}

const CONTINUED_AS_NEW: &str = "the orchestration continues as new";

/// Whether `failure` is what `continue_as_new` returned, as such or wrapped in the user's errors.
pub(crate) fn is_continued_as_new(failure: &Failure) -> bool {
    let mut links = std::iter::successors(Some(failure), |failure| failure.inner());
    links.any(|link| {
        link.error_type() == CONTINUED_AS_NEW || link.message().contains(CONTINUED_AS_NEW)
    })
}

/// Options of [`continue_as_new`](OrchestrationContext::continue_as_new), added to what it returns:
///
/// ```
/// # use durable_runtime::prelude::*;
/// #[orchestrator]
/// async fn newest_only(ctx: OrchestrationContext) -> Result<()> {
///     let _: String = ctx.wait_for_external_event("changed").await?;
///     return ctx.continue_as_new(()).discard_unprocessed_events();
/// }
/// ```
pub trait ContinueAsNew: Sized {
    /// Events that were not consumed are dropped instead of carried over.
    ///
    /// # Panics
    ///
    /// If the orchestration has not called `continue_as_new`.
    #[must_use]
    fn discard_unprocessed_events(self) -> Self;

    /// The next execution runs this version of the orchestrator; without it, the same as this one.
    ///
    /// # Panics
    ///
    /// If the orchestration has not called `continue_as_new`.
    #[must_use]
    fn with_version(self, version: impl Into<String>) -> Self;
}

impl<T, E> ContinueAsNew for Result<T, E> {
    fn discard_unprocessed_events(self) -> Self {
        change_request("discard_unprocessed_events", |request| {
            request.discard_events = true;
        });
        self
    }

    fn with_version(self, version: impl Into<String>) -> Self {
        let version = version.into();
        change_request("with_version", |request| request.version = Some(version));
        self
    }
}

fn change_request(method: &str, change: impl FnOnce(&mut super::core::ContinueAsNewRequest)) {
    let changed = poll::current_core().is_some_and(|core| core.change_continue_as_new(change));
    assert!(
        changed,
        "`{method}` applies to what `ctx.continue_as_new(..)` returns, which was not called"
    );
}
