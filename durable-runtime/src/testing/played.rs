//! What a test plays in place of code, whatever the code is of, and the calls it got.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::dice::Dice;
use super::time;
use crate::model::{Error, Failure, IntoFailure, Payload};

/// Something that is played. Beside its input it is given a `C`. Clones are one and the same.
pub(super) struct Played<C>(Arc<Mutex<State<C>>>);

/// Makes the outcome of the input.
pub(super) type Closure<C> = Box<dyn FnMut(&C, &Payload) -> Result<Payload, Failure> + Send>;

struct State<C> {
    part: Part<C>,
    fail_first: u32,
    failure: Option<Failure>,
    delay: (Duration, Duration),
    calls: Vec<Call>,
}

enum Part<C> {
    /// Nobody has said what to do: calls fail with this.
    None(Failure),
    Closure(Closure<C>),
    /// The closure is running.
    Taken,
}

struct Call {
    /// Whom it was for, as it is shown.
    callee: String,
    input: Payload,
}

impl<C> Played<C> {
    /// Calls fail with `unplayed` until it is [played](Self::play).
    pub(super) fn new(unplayed: Failure) -> Self {
        Self(Arc::new(Mutex::new(State {
            part: Part::None(unplayed),
            fail_first: 0,
            failure: None,
            delay: (Duration::ZERO, Duration::ZERO),
            calls: Vec::new(),
        })))
    }

    pub(super) fn play(&self, closure: Closure<C>) {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.part, Part::Closure(closure));
        // What it holds is of the test, and may look at this when it is dropped.
        drop(state);
        drop(before);
    }

    /// Whether there is a closure; if not, why calls fail.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match &self.lock().part {
            Part::None(unplayed) => Err(unplayed.clone()),
            Part::Closure(_) | Part::Taken => Ok(()),
        }
    }

    pub(super) fn fail_first(&self, times: u32, error: String) {
        let mut state = self.lock();
        state.fail_first = times;
        state.failure = Some(Error::msg(error).into_failure(None));
    }

    pub(super) fn delay_between(&self, shortest: Duration, longest: Duration) {
        self.lock().delay = (shortest, longest.max(shortest));
    }

    pub(super) fn calls(&self) -> usize {
        self.lock().calls.len()
    }

    /// What does not fit the type is left out.
    pub(super) fn inputs<I: DeserializeOwned>(&self) -> Vec<I> {
        let state = self.lock();
        let inputs: Vec<_> = state.calls.iter().map(|call| call.input.clone()).collect();
        drop(state);
        let decoded = inputs.iter().map(Payload::decode);
        decoded.filter_map(std::result::Result::ok).collect()
    }

    /// # Panics
    ///
    /// If `what` was called another number of times: with what it was called with.
    #[track_caller]
    pub(super) fn expect_calls(&self, what: &str, count: usize) {
        let state = self.lock();
        let found = state.calls.len();
        let calls = state.calls.iter();
        let calls: Vec<_> = calls
            .map(|call| format!("\n  {}({})", call.callee, call.input.as_json()))
            .collect();
        drop(state);
        assert!(
            found == count,
            "{what} was to be called {count} times and was called {found} times:{}",
            calls.concat()
        );
    }

    /// Notes a call; gives how long it is to take.
    pub(super) fn note(&self, callee: String, input: &Payload, dice: &mut Dice) -> Duration {
        let mut state = self.lock();
        state.calls.push(Call {
            callee,
            input: input.clone(),
        });
        let (shortest, longest) = state.delay;
        let millis = longest.saturating_sub(shortest).as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX);
        shortest + Duration::from_millis(dice.below(millis.saturating_add(1)))
    }

    /// Carries out a call that was noted.
    pub(super) async fn carry_out(
        &self,
        delay: Duration,
        context: &C,
        input: &Payload,
    ) -> Result<Payload, Failure> {
        if !delay.is_zero() {
            time::sleep(delay).await;
        }
        self.outcome(context, input)
    }

    fn outcome(&self, context: &C, input: &Payload) -> Result<Payload, Failure> {
        let mut state = self.lock();
        if state.fail_first > 0 {
            state.fail_first -= 1;
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
        }
        let mut closure = match std::mem::replace(&mut state.part, Part::Taken) {
            Part::Closure(closure) => closure,
            Part::None(unplayed) => {
                state.part = Part::None(unplayed.clone());
                return Err(unplayed);
            }
            Part::Taken => {
                let message = "the closure of a mock is called while it runs";
                return Err(Failure::new(Failure::PANIC, message).non_retriable());
            }
        };
        // Not locked while the closure runs: it may look at its own mock, and put another in its place.
        drop(state);
        let outcome = catch_unwind(AssertUnwindSafe(|| closure(context, input)));
        let mut state = self.lock();
        if matches!(state.part, Part::Taken) {
            state.part = Part::Closure(closure);
        }
        drop(state);
        outcome.unwrap_or_else(|panic| Err(Failure::from_panic(&*panic)))
    }

    fn lock(&self) -> MutexGuard<'_, State<C>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> Clone for Played<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}
