//! Calls over HTTP: a request, and the further ones that its answer asks for.

use std::fmt;
use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::call::ActivityCall;
use super::core::Core;
use super::time::{Timer, after};
use crate::model::http::{
    DurableHttpRequest, DurableHttpResponse, HTTP_ACTIVITY, HttpAnswer, HttpRetryOptions,
};
use crate::model::{Failure, TaskFailed, TaskId};

/// How long passes between two requests of a poll when nobody says anything else.
const POLL_INTERVAL: Duration = Duration::from_secs(30);
/// How long passes at least, whatever the server says: each request makes the history longer.
const SHORTEST_WAIT: Duration = Duration::from_millis(100);

/// A call over HTTP: a durable task of the [`DurableHttpResponse`]. Made by
/// [`call_http`](crate::OrchestrationContext::call_http).
///
/// The call takes its number when it is made and is scheduled when it is first polled (or with
/// [`start`](Self::start)). Dropping it abandons it: a request that is under way is not taken back, its
/// answer is ignored, and there is no further one.
#[must_use = "the request is sent only when the task is awaited or started [unawaited]"]
pub struct HttpCall {
    core: Rc<Core>,
    /// The request that is under way, or comes next.
    request: DurableHttpRequest,
    stage: Stage,
    /// Whether the request asks how far a job is.
    polling: bool,
    attempt: u32,
    first_attempt: Option<DateTime<Utc>>,
    limit: Option<Timer>,
}

enum Stage {
    New(TaskId),
    /// In a box, because the other stages are small.
    Sent(Box<ActivityCall<HttpAnswer>>),
    Waiting(Timer),
    Done,
}

type Output = Result<DurableHttpResponse, TaskFailed>;

impl HttpCall {
    pub(crate) fn new(core: &Rc<Core>, request: DurableHttpRequest) -> Self {
        Self {
            core: Rc::clone(core),
            request,
            stage: Stage::New(core.next_task_id()),
            polling: false,
            attempt: 0,
            first_attempt: None,
            limit: None,
        }
    }

    /// As [`DurableHttpRequest::retry`]. Of a call that was started, this counts for what comes after
    /// the request that is under way.
    pub fn retry(mut self, options: impl Into<HttpRetryOptions>) -> Self {
        self.request = self.request.retry(options);
        self
    }

    /// As [`DurableHttpRequest::timeout`]. The time of a call that was started counts from now.
    pub fn timeout(mut self, duration: Duration) -> Self {
        self.request = self.request.timeout(duration);
        self.limit = None;
        if !matches!(self.stage, Stage::New(_) | Stage::Done) {
            self.begin_limit();
        }
        self
    }

    /// Sends the request now and gives the task, to be awaited later.
    pub fn start(mut self) -> Self {
        if let Stage::New(id) = self.stage {
            self.send(id);
        }
        self
    }

    fn send(&mut self, id: TaskId) {
        let mut call = ActivityCall::numbered(&self.core, id, HTTP_ACTIVITY, &self.request);
        if let Err(failure) = self.request.check() {
            call.refuse(failure);
        }
        self.attempt += 1;
        self.first_attempt.get_or_insert(self.core.now());
        let call = call.start();
        if !call.is_refused() {
            self.begin_limit();
        }
        self.stage = Stage::Sent(Box::new(call));
    }

    fn begin_limit(&mut self) {
        if let (None, Some(duration)) = (&self.limit, self.request.time_limit()) {
            let fire_at = after(self.core.now(), duration);
            self.limit = Some(Timer::new(&self.core, fire_at).start());
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Output> {
        loop {
            match &mut self.stage {
                Stage::New(id) => {
                    let id = *id;
                    self.send(id);
                }
                Stage::Sent(call) => match Pin::new(call).poll(context) {
                    Poll::Ready(result) => {
                        if let ControlFlow::Break(output) = self.answered(result) {
                            self.end();
                            return Poll::Ready(output);
                        }
                    }
                    Poll::Pending => return self.poll_limit(),
                },
                Stage::Waiting(timer) => match timer.poll_fired() {
                    Poll::Ready(()) => self.stage = Stage::New(self.core.next_task_id()),
                    Poll::Pending => return self.poll_limit(),
                },
                Stage::Done => {
                    let message = "a durable task was polled after it had ended";
                    let failure = Failure::new(Failure::PANIC, message);
                    return Poll::Ready(Err(TaskFailed::new(HTTP_ACTIVITY, failure)));
                }
            }
        }
    }

    /// Goes on to the next request, if there is to be one.
    fn answered(&mut self, result: Result<HttpAnswer, TaskFailed>) -> ControlFlow<Output> {
        match result {
            Ok(answer) if self.is_to_be_polled(&answer.response) => self.poll_later(&answer),
            Ok(answer) => {
                let options = self.request.retry_options();
                if options.is_some_and(|options| options.wants(answer.response.status_code))
                    && self.try_again(answer.wait().unwrap_or_default())
                {
                    return ControlFlow::Continue(());
                }
                ControlFlow::Break(Ok(answer.response))
            }
            Err(failed) if !failed.is_non_retriable() && self.try_again(Duration::ZERO) => {
                ControlFlow::Continue(())
            }
            Err(failed) => ControlFlow::Break(Err(failed)),
        }
    }

    fn is_to_be_polled(&self, response: &DurableHttpResponse) -> bool {
        // While it is polled a server need not say again where.
        self.request.polls()
            && response.status_code == 202
            && (self.polling || response.header("location").is_some())
    }

    fn poll_later(&mut self, answer: &HttpAnswer) -> ControlFlow<Output> {
        if let Some(location) = answer.response.header("location") {
            match self.request.poll(&answer.response.url, location) {
                Ok(request) => self.request = request,
                Err(failure) => {
                    return ControlFlow::Break(Err(TaskFailed::new(HTTP_ACTIVITY, failure)));
                }
            }
        }
        self.polling = true;
        self.attempt = 0;
        self.first_attempt = None;
        self.wait(answer.wait().unwrap_or(POLL_INTERVAL).max(SHORTEST_WAIT));
        ControlFlow::Continue(())
    }

    /// Waits for the next attempt; `false` if there is to be no other.
    fn try_again(&mut self, least: Duration) -> bool {
        let Some(options) = self.request.retry_options() else {
            return false;
        };
        let now = self.core.now();
        let elapsed = (now - self.first_attempt.unwrap_or(now))
            .to_std()
            .unwrap_or_default();
        let policy = options.policy();
        let Some(delay) = policy.delay_of_at_least(least, self.attempt, elapsed) else {
            return false;
        };
        if delay.is_zero() {
            self.stage = Stage::New(self.core.next_task_id());
        } else {
            self.wait(delay);
        }
        true
    }

    fn wait(&mut self, duration: Duration) {
        let fire_at = after(self.core.now(), duration);
        self.stage = Stage::Waiting(Timer::new(&self.core, fire_at));
    }

    fn poll_limit(&mut self) -> Poll<Output> {
        let Some(Poll::Ready(())) = self.limit.as_mut().map(Timer::poll_fired) else {
            return Poll::Pending;
        };
        self.end();
        let duration = self.request.time_limit().unwrap_or_default();
        let failure = Failure::new(Failure::TIMEOUT, format!("not done within {duration:?}"));
        Poll::Ready(Err(TaskFailed::new(HTTP_ACTIVITY, failure)))
    }

    /// Gives up whatever is still under way.
    fn end(&mut self) {
        self.stage = Stage::Done;
        self.limit = None;
    }
}

impl Future for HttpCall {
    type Output = Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        HttpCall::poll(&mut self, context)
    }
}

impl fmt::Debug for HttpCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match &self.stage {
            Stage::New(_) => "new",
            Stage::Sent(_) => "sent",
            Stage::Waiting(_) => "waiting",
            Stage::Done => "done",
        };
        f.debug_struct("HttpCall")
            .field("attempt", &self.attempt)
            .field("stage", &stage)
            .finish_non_exhaustive()
    }
}
