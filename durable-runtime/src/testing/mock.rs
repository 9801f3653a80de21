//! Activities that a test plays.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entity_mock::PlayedEntity;
use super::played::Played;
use crate::context::{activity_input, encode_output};
use crate::model::{EntityId, Failure, InstanceId, IntoFailure, Result};
use crate::registry::Stage;

/// What a test has given an activity to do in place of its function, and the calls it got. Made by
/// [`TestHost::mock_activity`](super::TestHost::mock_activity). Clones are one and the same.
///
/// ```standalone_crate
/// use std::time::Duration;
///
/// use durable_runtime::prelude::*;
/// use durable_runtime::testing::TestHost;
///
/// #[activity]
/// async fn charge(cents: u32) -> Result<String> {
///     Err(Error::msg(format!("no test charges {cents} cents")))
/// }
///
/// #[orchestrator]
/// async fn buy(ctx: OrchestrationContext, cents: u32) -> Result<String> {
///     let policy = RetryPolicy::new(3, Duration::from_secs(60));
///     Ok(ctx.call_activity::<charge>(cents).retry(policy).await?)
/// }
///
/// # durable_runtime::testing::run_with(TestHost::builder(), a_charge_is_tried_three_times);
/// # /*
/// #[durable_runtime::test]
/// # */
/// async fn a_charge_is_tried_three_times(host: TestHost) {
///     let charge = host
///         .mock_activity::<charge>(|cents| Ok(format!("{cents} charged")))
///         .fail_first(2, "the bank is closed");
///     assert_eq!(host.run::<buy>(500_u32).await.unwrap(), "500 charged");
///     charge.expect_calls(3);
///     assert_eq!(charge.inputs(), [500, 500, 500]);
///     assert_eq!(host.elapsed(), Duration::from_secs(120));
/// }
/// ```
pub struct ActivityMock<I> {
    name: &'static str,
    played: Played<InstanceId>,
    input: PhantomData<fn() -> I>,
}

impl<I: DeserializeOwned + 'static> ActivityMock<I> {
    pub(super) fn new<O: Serialize>(
        name: &'static str,
        mut play: impl FnMut(I) -> Result<O> + Send + 'static,
    ) -> Self {
        // Nobody has this before it is played.
        let played = Played::new(Failure::new(Failure::NOT_REGISTERED, "not played"));
        played.play(Box::new(move |instance: &InstanceId, input| {
            let output = play(activity_input(name, instance, input)?)
                .map_err(|error| error.into_failure(None))?;
            encode_output("activity", name, &output)
        }));
        Self {
            name,
            played,
            input: PhantomData,
        }
    }

    /// Has the next `times` calls fail with `error`, before the closure is asked.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    pub fn fail_first(self, times: u32, error: impl Into<String>) -> Self {
        self.played.fail_first(times, error.into());
        self
    }

    /// Has each call take `delay` of virtual time.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    pub fn delay(self, delay: Duration) -> Self {
        self.delay_between(delay, delay)
    }

    /// Has each call take a time from `shortest` to `longest`, which the seed decides.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    pub fn delay_between(self, shortest: Duration, longest: Duration) -> Self {
        self.played.delay_between(shortest, longest);
        self
    }

    /// How often it was called, retries and runs after a crash included.
    pub fn calls(&self) -> usize {
        self.played.calls()
    }

    /// What it was called with, in order. What does not fit the type is left out.
    pub fn inputs(&self) -> Vec<I> {
        self.played.inputs()
    }

    /// Checks how often it was called.
    ///
    /// # Panics
    ///
    /// If that is another number: with what it was called with.
    #[track_caller]
    pub fn expect_calls(&self, count: usize) {
        let what = format!("activity {:?}", self.name);
        self.played.expect_calls(&what, count);
    }
}

impl<I> Clone for ActivityMock<I> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            played: self.played.clone(),
            input: PhantomData,
        }
    }
}

impl<I> fmt::Debug for ActivityMock<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActivityMock")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// The mocks of a host. Of one name the last counts.
#[derive(Default)]
pub(super) struct Mocks(Mutex<ByName>);

#[derive(Default)]
struct ByName {
    activities: BTreeMap<&'static str, Played<InstanceId>>,
    /// By name in lower case and, if it is one entity only, its key.
    entities: BTreeMap<(String, Option<String>), Arc<PlayedEntity>>,
}

impl Mocks {
    pub(super) fn add<I>(&self, mock: &ActivityMock<I>) {
        let earlier = self
            .lock()
            .activities
            .insert(mock.name, mock.played.clone());
        // Not while this is locked: what it holds is of the test.
        drop(earlier);
    }

    pub(super) fn add_entity(&self, name: &str, key: Option<&str>, entity: &Arc<PlayedEntity>) {
        let key = (name.to_lowercase(), key.map(str::to_owned));
        let earlier = self.lock().entities.insert(key, Arc::clone(entity));
        drop(earlier);
    }

    pub(super) fn find(&self, name: &str) -> Option<Played<InstanceId>> {
        self.lock().activities.get(name).cloned()
    }

    /// What plays an entity: a mock of it alone, else one of all of its name.
    pub(super) fn find_entity(&self, id: &EntityId) -> Option<Arc<PlayedEntity>> {
        let mocks = self.lock();
        let name = id.name().to_lowercase();
        let own = mocks
            .entities
            .get(&(name.clone(), Some(id.key().to_owned())));
        own.or_else(|| mocks.entities.get(&(name, None))).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, ByName> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage for Mocks {
    fn plays(&self, id: &EntityId) -> bool {
        self.find_entity(id).is_some()
    }

    fn check(&self, id: &EntityId, operation: &str) -> Result<(), Failure> {
        match self.find_entity(id) {
            Some(entity) => entity.operation(operation).check(),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Mocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mocks")
    }
}
