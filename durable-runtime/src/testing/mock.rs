//! Activities that a test plays.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::dice::Dice;
use crate::context::{activity_input, encode_output};
use crate::model::{Error, Failure, IntoFailure, Payload, Result};
use crate::partition::ActivityWork;

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
    state: Arc<Mutex<MockState>>,
    input: PhantomData<fn() -> I>,
}

/// Makes the outcome of the input.
type Play = Box<dyn FnMut(&ActivityWork) -> Result<Payload, Failure> + Send>;

pub(super) struct MockState {
    /// Taken out while it runs.
    play: Option<Play>,
    fail_first: u32,
    failure: Option<Failure>,
    delay: (Duration, Duration),
    inputs: Vec<Payload>,
}

impl<I: DeserializeOwned + 'static> ActivityMock<I> {
    pub(super) fn new<O: Serialize>(
        name: &'static str,
        mut play: impl FnMut(I) -> Result<O> + Send + 'static,
    ) -> Self {
        let play: Play = Box::new(move |work| {
            let output = play(activity_input(name, &work.instance, &work.input)?)
                .map_err(|error| error.into_failure(None))?;
            encode_output("activity", name, &output)
        });
        let state = MockState {
            play: Some(play),
            fail_first: 0,
            failure: None,
            delay: (Duration::ZERO, Duration::ZERO),
            inputs: Vec::new(),
        };
        Self {
            name,
            state: Arc::new(Mutex::new(state)),
            input: PhantomData,
        }
    }

    /// Has the next `times` calls fail with `error`, before the closure is asked.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    pub fn fail_first(self, times: u32, error: impl Into<String>) -> Self {
        let mut state = self.lock();
        state.fail_first = times;
        state.failure = Some(Error::msg(error.into()).into_failure(None));
        drop(state);
        self
    }

    /// Has each call take `delay` of virtual time.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    pub fn delay(self, delay: Duration) -> Self {
        self.lock().delay = (delay, delay);
        self
    }

    /// Has each call take a time from `shortest` to `longest`, which the seed decides.
    #[expect(clippy::return_self_not_must_use, reason = "it is the same mock")]
    pub fn delay_between(self, shortest: Duration, longest: Duration) -> Self {
        self.lock().delay = (shortest, longest.max(shortest));
        self
    }

    /// How often it was called, retries and runs after a crash included.
    pub fn calls(&self) -> usize {
        self.lock().inputs.len()
    }

    /// What it was called with, in order. What does not fit the type is left out.
    pub fn inputs(&self) -> Vec<I> {
        let inputs = self.lock().inputs.clone();
        let decoded = inputs.iter().map(Payload::decode);
        decoded.filter_map(std::result::Result::ok).collect()
    }

    /// Checks how often it was called.
    ///
    /// # Panics
    ///
    /// If that is another number: with what it was called with.
    #[track_caller]
    pub fn expect_calls(&self, count: usize) {
        let inputs = self.lock().inputs.clone();
        let calls: Vec<_> = inputs
            .iter()
            .map(|input| format!("\n  {}({})", self.name, input.as_json()))
            .collect();
        assert!(
            inputs.len() == count,
            "activity {:?} was to be called {count} times and was called {} times:{}",
            self.name,
            inputs.len(),
            calls.concat()
        );
    }

    fn lock(&self) -> MutexGuard<'_, MockState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I> Clone for ActivityMock<I> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            state: Arc::clone(&self.state),
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

/// The mocks of a host, by the name of the activity. Of one name the last counts.
#[derive(Default)]
pub(super) struct Mocks(Mutex<BTreeMap<&'static str, Arc<Mutex<MockState>>>>);

impl Mocks {
    pub(super) fn add<I>(&self, mock: &ActivityMock<I>) {
        let mut mocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mocks.insert(mock.name, Arc::clone(&mock.state));
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Mutex<MockState>>> {
        let mocks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mocks.get(name).cloned()
    }
}

impl fmt::Debug for Mocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mocks")
    }
}

/// Notes a call; gives how long it is to take.
pub(super) fn note_call(mock: &Mutex<MockState>, input: &Payload, dice: &mut Dice) -> Duration {
    let mut state = mock.lock().unwrap_or_else(PoisonError::into_inner);
    state.inputs.push(input.clone());
    let (shortest, longest) = state.delay;
    let millis = u64::try_from(longest.saturating_sub(shortest).as_millis()).unwrap_or(u64::MAX);
    shortest + Duration::from_millis(dice.below(millis.saturating_add(1)))
}

/// Plays a call.
pub(super) fn play(mock: &Mutex<MockState>, work: &ActivityWork) -> Result<Payload, Failure> {
    let lock = || mock.lock().unwrap_or_else(PoisonError::into_inner);
    let mut state = lock();
    if state.fail_first > 0 {
        state.fail_first -= 1;
        if let Some(failure) = &state.failure {
            return Err(failure.clone());
        }
    }
    let Some(mut play) = state.play.take() else {
        let message = "the closure of a mock is called while it runs";
        return Err(Failure::new(Failure::PANIC, message).non_retriable());
    };
    // Not locked while the closure runs: it may look at its own mock.
    drop(state);
    let outcome = catch_unwind(AssertUnwindSafe(|| play(work)));
    lock().play = Some(play);
    outcome.unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)))
}
