//! The test host.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::task::JoinHandle;

use super::desk::Desk;
use super::entity_mock::EntityMock;
use super::mock::{ActivityMock, Mocks};
use super::time::{self, VirtualTime};
use super::{History, Replay, ReplayError, TestHostBuilder};
use crate::client::{ClientError, DurableClient, StartNew};
use crate::context::States;
use crate::engine;
use crate::model::{EntityId, InstanceId, Result as DurableResult};
use crate::registry::{Activity, Entity, Orchestrator, Registry};
use crate::storage::HubStorage;

/// A host for tests: in memory, on the thread of the test, in virtual time. See the [module](super) for what
/// it does and how.
///
/// It runs as long as a clone of it is there. Clones are one and the same.
#[derive(Clone)]
pub struct TestHost {
    inner: Arc<Inner>,
}

/// What a host has of what runs.
pub(super) struct Inner {
    pub(super) client: DurableClient,
    pub(super) storage: Arc<dyn HubStorage>,
    pub(super) desk: Arc<Desk>,
    pub(super) registry: Arc<Registry>,
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "only requests need it")
    )]
    pub(super) states: Arc<States>,
    pub(super) mocks: Arc<Mocks>,
    pub(super) time: VirtualTime,
    pub(super) seed: u64,
}

impl Drop for Inner {
    fn drop(&mut self) {
        let why = "the test has dropped its host: keep it until the end";
        self.desk.close(why.to_owned());
    }
}

impl TestHost {
    /// A host with all functions of the program and all defaults.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime of one thread, and if two functions have one name. See
    /// [`TestHostBuilder::build`] for a `Result`.
    #[expect(clippy::new_without_default, reason = "it starts something")]
    #[track_caller]
    pub fn new() -> Self {
        match Self::builder().build() {
            Ok(host) => host,
            Err(error) => panic!("{error}"),
        }
    }

    /// A host to be configured and [built](TestHostBuilder::build).
    pub fn builder() -> TestHostBuilder {
        TestHostBuilder::new()
    }

    pub(super) fn from_parts(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    /// A client that speaks to this host; all of it works as with a host in production.
    pub fn client(&self) -> DurableClient {
        self.inner.client.clone()
    }

    /// What a host serves: the management API and the routes of all client functions, without a socket. Requests
    /// are handed to it, and answered in virtual time:
    ///
    /// ```standalone_crate
    /// use axum::body::Body;
    /// use axum::extract::Path;
    /// use axum::http::{Request, StatusCode};
    /// use durable_runtime::prelude::*;
    /// use durable_runtime::testing::TestHost;
    /// use tower::ServiceExt as _;
    ///
    /// #[orchestrator]
    /// async fn ship(ctx: OrchestrationContext, order: String) -> Result<String> {
    ///     ctx.sleep(std::time::Duration::from_secs(86_400)).await;
    ///     Ok(order)
    /// }
    ///
    /// #[durable_client(http(post, "/orders/{id}"))]
    /// async fn place(client: DurableClient, Path(id): Path<String>) -> StatusCode {
    ///     match client.start_new::<ship>(&*id).instance_id(&*id).await {
    ///         Ok(_) => StatusCode::ACCEPTED,
    ///         Err(_) => StatusCode::CONFLICT,
    ///     }
    /// }
    ///
    /// # durable_runtime::testing::run_with(TestHost::builder(), an_order_is_placed_once);
    /// # /*
    /// #[durable_runtime::test]
    /// # */
    /// async fn an_order_is_placed_once(host: TestHost) {
    ///     for status in [StatusCode::ACCEPTED, StatusCode::CONFLICT] {
    ///         let request = Request::post("/orders/42").body(Body::empty()).unwrap();
    ///         let answer = host.router().oneshot(request).await.unwrap();
    ///         assert_eq!(answer.status(), status);
    ///     }
    /// }
    /// ```
    ///
    /// # Panics
    ///
    /// If two functions have one route.
    #[cfg(feature = "http")]
    #[track_caller]
    pub fn router(&self) -> axum::Router {
        use crate::host::triggers::BoundFunctions;
        use crate::registry::client_function::Trigger;

        let Inner {
            client,
            registry,
            states,
            ..
        } = &*self.inner;
        let functions = BoundFunctions::of_client(registry, client, states, |_, trigger| {
            matches!(trigger, Trigger::Http(_))
        });
        match functions.and_then(|functions| functions.router()) {
            Ok(functions) => crate::http::app_of_test(client, functions),
            Err(error) => panic!("{error}"),
        }
    }

    /// Starts an orchestration; as [`DurableClient::start_new`].
    pub fn start<O: Orchestrator>(&self, input: impl Into<O::Input>) -> StartNew<O::Output> {
        self.inner.client.start_new::<O>(input)
    }

    /// Runs an orchestration to its end and gives what it returned.
    ///
    /// # Errors
    ///
    /// As for [`OrchestrationRun::output`](crate::client::OrchestrationRun::output), and
    /// [`ClientError::Standstill`] where it would never end.
    pub async fn run<O: Orchestrator>(
        &self,
        input: impl Into<O::Input>,
    ) -> Result<O::Output, ClientError> {
        self.start::<O>(input).await?.output().await
    }

    /// Has `play` answer the calls of activity `A` from now on, in place of its function. A call takes no
    /// time, unless the mock is told so. A panic in it fails the call, as one of an activity does.
    pub fn mock_activity<A: Activity>(
        &self,
        play: impl FnMut(A::Input) -> DurableResult<A::Output> + Send + 'static,
    ) -> ActivityMock<A::Input> {
        let mock = ActivityMock::new(A::NAME, play);
        self.inner.mocks.add(&mock);
        mock
    }

    /// Has the test play all entities of the kind `E` from now on, in place of their code: say what they do with
    /// [`on`](EntityMock::on).
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # use durable_runtime::testing::TestHost;
    /// # #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// # struct Counter { value: i64 }
    /// # #[entity]
    /// # impl Counter { fn get(&self) -> i64 { self.value } }
    /// # fn example(host: TestHost) {
    /// let counter = host.mock_entity::<Counter>().on("get", |()| Ok(5_i64));
    /// # }
    /// ```
    pub fn mock_entity<E: Entity>(&self) -> EntityMock {
        self.mock_entities(E::NAME, None)
    }

    /// As [`mock_entity`](Self::mock_entity), for the one entity `id`; the others of its kind are as they were.
    /// It goes before a mock of all of them.
    pub fn mock_entity_id(&self, id: &EntityId) -> EntityMock {
        self.mock_entities(id.name(), Some(id.key()))
    }

    /// As [`mock_entity`](Self::mock_entity), for the entities that are called by `name`: those that are
    /// functions, and those of another program, of which there is no code here.
    pub fn mock_entity_by_name(&self, name: &str) -> EntityMock {
        self.mock_entities(name, None)
    }

    fn mock_entities(&self, name: &str, key: Option<&str>) -> EntityMock {
        let mock = EntityMock::new(&self.inner.registry, name);
        self.inner.mocks.add_entity(name, key, mock.entity());
        mock
    }

    /// Has `play` answer the HTTP calls of orchestrations. An answer 202 with `Location` is polled, in virtual
    /// time: every 30 seconds, or as `Retry-After` says. An answer without a URL is of that of the request.
    /// Without a mock such calls fail: a test host sends no requests.
    #[cfg(feature = "http")]
    pub fn mock_http(
        &self,
        mut play: impl FnMut(
            crate::http::DurableHttpRequest,
        ) -> DurableResult<crate::http::DurableHttpResponse>
        + Send
        + 'static,
    ) -> ActivityMock<crate::http::DurableHttpRequest> {
        let time = self.inner.time;
        let poll_interval = crate::http::HttpCallOptions::default().poll_interval;
        let play = move |request: crate::http::DurableHttpRequest| {
            let url = request.url().to_owned();
            let mut response = play(request)?;
            if response.url.is_empty() {
                response.url = url;
            }
            Ok(crate::http::answered(response, time.now(), poll_interval))
        };
        let mock = ActivityMock::new(crate::model::http::HTTP_ACTIVITY, play);
        self.inner.mocks.add(&mock);
        mock
    }

    /// Raises an event when `delay` of virtual time has passed. The task that is given ends with the answer.
    pub fn raise_event_after(
        &self,
        delay: Duration,
        id: impl Into<String>,
        name: impl Into<String>,
        data: impl Serialize + Send + 'static,
    ) -> JoinHandle<Result<(), ClientError>> {
        let (client, id, name) = (self.client(), id.into(), name.into());
        tokio::spawn(async move {
            time::sleep(delay).await;
            client.raise_event(id, name, data).await
        })
    }

    /// The virtual time.
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.time.now()
    }

    /// How much virtual time has passed since the host was built.
    pub fn elapsed(&self) -> Duration {
        self.inner.time.elapsed()
    }

    /// Lets `duration` of virtual time pass. Everything that is due earlier happens before; what is due just then
    /// may come after.
    pub async fn sleep(&self, duration: Duration) {
        time::sleep(duration).await;
    }

    /// The seed that the host was built with; 0 if with none.
    pub fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Has the host crash and start again: all that is in memory is lost, activities that were under way are
    /// run again, orchestrators are replayed from their histories. An activity that is under way in ten crashes
    /// (see [`TestHostBuilder::max_activity_attempts`]) fails with [`Failure::POISON`](crate::Failure::POISON).
    pub async fn crash(&self) {
        // A host that is done for is told nothing any more.
        let _ = self.inner.desk.crash().await;
    }

    /// Replays a recorded history on the code of `O`: what [`testing::replay`](super::replay()) does.
    ///
    /// # Errors
    ///
    /// Those of [`testing::replay`](super::replay()).
    pub fn replay<O: Orchestrator>(history_json: &str) -> Result<Replay, ReplayError> {
        super::replay::<O>(history_json)
    }

    /// What is recorded of the current execution of an instance.
    ///
    /// # Errors
    ///
    /// [`ClientError::InstanceNotFound`].
    pub fn history(&self, id: impl AsRef<str>) -> Result<History, ClientError> {
        let not_found = || ClientError::InstanceNotFound {
            id: id.as_ref().to_owned(),
        };
        let instance = InstanceId::new(id.as_ref()).map_err(|_| not_found())?;
        let found = self.inner.storage.load(&[instance])?;
        let stored = found.into_iter().next().flatten().ok_or_else(not_found)?;
        let events = engine::decode_history(&stored.history);
        let events = events.map_err(|message| ClientError::Serialization {
            what: format!("the history of {:?}", id.as_ref()),
            message,
        })?;
        Ok(History::new(events))
    }
}

impl fmt::Debug for TestHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHost")
            .field("seed", &self.inner.seed)
            .field("now", &self.now())
            .finish_non_exhaustive()
    }
}
