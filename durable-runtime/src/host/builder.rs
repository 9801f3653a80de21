//! Configuring and starting a host.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use uuid::Uuid;

use super::activities::Executor;
use super::backlog::Backlog;
use super::busy::Busy;
use super::host_json::HostJson;
use super::keeper::Keeper;
use super::local::LocalLink;
use super::router::Router;
use super::threads::Shared;
use super::triggers::{Binder, BoundFunctions, Connections, News, Setting, Triggers};
use super::{DurableHost, HostError, HostOptions};
use crate::client::DurableClient;
use crate::context::States;
#[cfg(feature = "http")]
use crate::http::{HTTP_CALLS, HttpCallOptions, HttpSender, TokenSource, TokenSources};
use crate::model::{Epoch, PartitionId, TaskHubName, WorkerId};
use crate::partition::PartitionConfig;
#[cfg(feature = "http")]
use crate::registry::client_function::Trigger;
use crate::registry::{Function, Register, Registration, Registry, StateKey};
use crate::storage::{HubOptions, HubStorage, Sqlite, StorageProvider};
use crate::testing;

/// Builds a [`DurableHost`].
///
/// ```
/// # use durable_runtime::prelude::*;
/// # use durable_runtime::storage::Sqlite;
/// # struct PaymentService;
/// # impl PaymentService { fn new() -> Self { Self } }
/// # async fn example() -> Result<()> {
/// let host = DurableHost::builder()
///     .task_hub("Orders")
///     .storage(Sqlite::open("app.db")?)
///     .state(PaymentService::new())
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the host runs only when it is started"]
pub struct DurableHostBuilder {
    task_hub: String,
    storage: Option<Arc<dyn StorageProvider>>,
    connections: Connections,
    states: States,
    registrations: Vec<Registration>,
    discover: bool,
    options: HostOptions,
    /// What start-up is to fail with.
    refused: Option<HostError>,
    #[cfg(feature = "http")]
    http_calls: HttpCallOptions,
    #[cfg(feature = "http")]
    token_sources: TokenSources,
    #[cfg(feature = "http")]
    pub(super) http: super::http::Setup,
}

impl DurableHostBuilder {
    pub(super) fn new() -> Self {
        Self {
            task_hub: "DurableHub".to_owned(),
            storage: None,
            connections: Connections::new(),
            states: States::default(),
            registrations: Vec::new(),
            discover: true,
            options: HostOptions::default(),
            refused: None,
            #[cfg(feature = "http")]
            http_calls: HttpCallOptions::default(),
            #[cfg(feature = "http")]
            token_sources: TokenSources::default(),
            #[cfg(feature = "http")]
            http: super::http::Setup::default(),
        }
    }

    /// The task hub to run: 1 to 45 ASCII letters, digits, `-` and `_`, starting with a letter.
    /// Default: `DurableHub`.
    pub fn task_hub(mut self, name: impl Into<String>) -> Self {
        self.task_hub = name.into();
        self
    }

    /// Where the task hub is kept. Default: the `SQLite` file `<task hub>.db` in the working
    /// directory.
    pub fn storage(mut self, storage: impl StorageProvider) -> Self {
        self.storage = Some(Arc::new(storage));
        self
    }

    /// Another storage, for client functions with `connection = "name"`. Of one name the last counts.
    pub fn connection(mut self, name: impl Into<String>, storage: impl StorageProvider) -> Self {
        self.connections.insert(name.into(), Arc::new(storage));
        self
    }

    /// A value for all functions that take a [`State<T>`](crate::State). Of one type the last counts.
    pub fn state<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        self.states.insert(value);
        self
    }

    /// Adds a function by hand. All functions with an attribute such as `#[activity]` that are linked
    /// into the program are found without.
    pub fn register<F: Register>(mut self) -> Self {
        self.registrations.push(F::REGISTRATION);
        self
    }

    /// Leaves out the functions that were not added with [`register`](Self::register).
    pub fn without_discovery(mut self) -> Self {
        self.discover = false;
        self
    }

    /// Settings; each has a default.
    pub fn options(mut self, options: HostOptions) -> Self {
        self.options = options;
        self
    }

    /// Takes the settings of Durable Functions 2.x from the section `extensions.durableTask` of the file
    /// `path`, a `host.json`, which is read now:
    ///
    /// | property | sets |
    /// | --- | --- |
    /// | `hubName` | [`task_hub`](Self::task_hub); `%NAME%` in it stands for a variable of the environment |
    /// | `maxConcurrentActivityFunctions` | [`max_concurrent_activities`](HostOptions::max_concurrent_activities) |
    /// | `maxConcurrentOrchestratorFunctions` | [`max_concurrent_orchestrations`](HostOptions::max_concurrent_orchestrations) |
    /// | `maxEntityOperationBatchSize` | [`max_entity_operation_batch_size`](HostOptions::max_entity_operation_batch_size) |
    /// | `extendedSessionIdleTimeoutInSeconds`, where `extendedSessionsEnabled` is `true` | [`idle_timeout`](HostOptions::idle_timeout) |
    /// | `storageProvider.partitionCount` | [`partition_count`](HostOptions::partition_count) |
    /// | `defaultVersion` | [`default_version`](HostOptions::default_version); and where the next is not set, [`version_match`](HostOptions::version_match) to `CurrentOrOlder`, as documented |
    /// | `versionMatchStrategy` | [`version_match`](HostOptions::version_match) |
    /// | `versionFailureStrategy` | [`on_mismatch`](HostOptions::on_mismatch) |
    /// | `httpSettings.defaultAsyncRequestSleepTimeMilliseconds` | how long [polls](crate::OrchestrationContext) over HTTP wait by default |
    ///
    /// Of two calls that set the same thing the later one counts, so [`options`](Self::options) after this
    /// replaces what the file says of them, and this after `options` replaces only what the file has.
    /// Names of properties have no case. One that is not known is a warning in the log, with the
    /// nearest that is; those that are known and have no effect here, such as the names of
    /// connections, are one line in the log. Other sections are for others.
    ///
    /// A file that cannot be read, that is not JSON, or in which a property has the wrong type or
    /// names a variable that is not set, makes [`start`](Self::start) fail with
    /// [`HostError::HostJson`].
    pub fn host_json(mut self, path: impl AsRef<Path>) -> Self {
        match HostJson::read(path.as_ref()) {
            Ok(settings) => {
                settings.apply(&mut self.options);
                #[cfg(feature = "http")]
                if let Some(interval) = settings.poll_interval {
                    self.http_calls.poll_interval = interval;
                }
                if let Some(name) = settings.hub_name {
                    self.task_hub = name;
                }
            }
            Err(error) => {
                self.refused.get_or_insert(error);
            }
        }
        self
    }

    /// What the HTTP calls of orchestrations may do.
    #[cfg(feature = "http")]
    pub fn http_calls(mut self, options: HttpCallOptions) -> Self {
        self.http_calls = options;
        self
    }

    /// Where requests get their tokens that name `name` as their
    /// [`token_source`](crate::http::DurableHttpRequest::token_source). Of one name the last counts. A
    /// request that names a source which its host does not have fails before anything is sent.
    #[cfg(feature = "http")]
    pub fn token_source(mut self, name: impl Into<String>, source: impl TokenSource) -> Self {
        self.token_sources.insert(name.into(), source);
        self
    }

    /// Starts the host: opens the task hub, creating it if it does not exist, takes its partitions
    /// and goes on with what is in them. To be called inside a tokio runtime, on which activities
    /// run.
    ///
    /// # Errors
    ///
    /// [`HostError`]: a `host.json` that cannot be used, names that clash, states that are missing, settings that make no sense, storage
    /// that cannot be used.
    pub async fn start(self) -> Result<DurableHost, HostError> {
        let runtime = Handle::try_current().map_err(|_| HostError::NoRuntime)?;
        // There is no other way to ask, and the end of the host is too late to be told.
        catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO)))
            .map_err(|_| HostError::NoTimers)?;
        let on = runtime.clone();
        let started = runtime.spawn_blocking(move || self.start_blocking(&on));
        started.await.map_err(|error| HostError::System {
            action: "starting the host",
            message: error.to_string(),
        })?
    }

    fn start_blocking(mut self, runtime: &Handle) -> Result<DurableHost, HostError> {
        if let Some(asked) = testing::Asked::by_environment() {
            let built_in = self.add_built_in();
            asked.answer(testing::Worker {
                registry: built_in.and_then(|()| self.registry()),
                storage: self.storage,
                task_hub: self.task_hub,
                max_payload_bytes: self.options.max_payload_bytes,
            });
        }
        if let Some(error) = self.refused.take() {
            return Err(error);
        }
        self.options.check()?;
        self.add_built_in()?;
        let hub = TaskHubName::new(&self.task_hub).map_err(HostError::InvalidTaskHub)?;
        let registry = Arc::new(self.registry()?);
        // Before anything is taken from other hosts.
        #[cfg(feature = "http")]
        let listener = self.http.listen()?;
        let provider = match &self.storage {
            Some(storage) => Arc::clone(storage),
            None => Arc::new(Sqlite::open(PathBuf::from(format!("{hub}.db")))?),
        };
        let hub_options = HubOptions {
            partition_count: self.options.partition_count,
        };
        let storage = provider.open_hub(&hub, &hub_options)?;
        let place = Place {
            hub,
            provider,
            storage,
        };
        #[cfg(feature = "http")]
        {
            let setup = self.http.clone();
            let mut host = self.launch(&place, &registry, runtime)?;
            if let Some(listener) = listener {
                let served = super::http::Served {
                    client: &host.client,
                    others: std::mem::take(&mut host.other_hubs),
                    functions: host.http_functions.clone(),
                    storage: &*place.storage,
                };
                host.http = setup.serve(listener, served, runtime)?;
            } else {
                warn_of_unserved(&registry);
            }
            Ok(host)
        }
        #[cfg(not(feature = "http"))]
        self.launch(&place, &registry, runtime)
    }

    /// Adds the functions that the runtime has of its own.
    #[cfg(feature = "http")]
    fn add_built_in(&mut self) -> Result<(), HostError> {
        let limit = self.options.max_payload_bytes;
        let sender = HttpSender::new(&self.http_calls, &self.token_sources, limit);
        self.states
            .insert(sender.map_err(HostError::InvalidHttpCalls)?);
        self.registrations.push(HTTP_CALLS);
        Ok(())
    }

    #[cfg(not(feature = "http"))]
    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "there is none"
    )]
    fn add_built_in(&mut self) -> Result<(), HostError> {
        Ok(())
    }

    /// All functions, after checking that they can be run.
    fn registry(&self) -> Result<Registry, HostError> {
        let mut registry = Registry::with_versions(self.options.version_rules());
        for registration in Registry::discovered() {
            // What an entity has by its interfaces goes with it, however it was registered.
            let is_part = matches!(registration.function, Function::EntityOperations(_));
            if self.discover || is_part {
                registry.add(registration)?;
            }
        }
        for registration in &self.registrations {
            registry.add(*registration)?;
        }
        let activities = registry.activities();
        let activities = activities.map(|(registration, activity)| (registration, activity.states));
        let clients = registry.client_functions();
        let clients = clients.map(|(registration, function)| (registration, function.states));
        let all = activities
            .chain(registry.entities().states())
            .chain(clients);
        for (registration, states) in all {
            check_states(registration, states, &self.states)?;
        }
        Ok(registry)
    }

    fn launch(
        self,
        place: &Place,
        registry: &Arc<Registry>,
        runtime: &Handle,
    ) -> Result<DurableHost, HostError> {
        let (options, storage) = (&self.options, &place.storage);
        let partition_count = storage.partition_count();
        let threads = options.max_concurrent_orchestrations;
        let threads = threads.min(usize::try_from(partition_count).unwrap_or(threads));
        let (router, inputs) = Router::new(threads, partition_count);
        let shared = Shared {
            storage: Arc::clone(storage),
            router: Arc::new(router),
            state: Arc::default(),
            watchers: Arc::default(),
            handover: Arc::default(),
            news: Arc::new(News::of(registry)),
        };
        let number = Uuid::new_v4().simple();
        let worker = WorkerId(format!("{}-{number}", std::process::id()));
        let states = Arc::new(self.states.clone());
        let executor = Executor::new(
            Arc::clone(registry),
            Arc::clone(&states),
            Arc::clone(&shared.router),
            runtime.clone(),
            options,
        );
        let client = self.client(place, &shared, executor.backlog());
        let functions = self.bind(place, registry, &client, &states)?;
        #[cfg(feature = "http")]
        let http_functions = functions.router()?;
        let triggers = Triggers::new(
            &functions,
            &Setting {
                storage,
                worker: &worker,
                state: &shared.state,
                news: &shared.news,
                options,
            },
        )?;
        let busy: Vec<_> = inputs.iter().map(|_| Arc::new(Busy::default())).collect();
        let keeper = Keeper {
            worker: worker.clone(),
            storage: Arc::clone(storage),
            router: Arc::clone(&shared.router),
            handover: Arc::clone(&shared.handover),
            state: Arc::clone(&shared.state),
            lease_duration: options.lease_duration,
            news: Arc::clone(&shared.news),
            busy: busy.clone(),
            template: self.template(registry, &states, partition_count),
            to_take_up: Vec::new(),
        };
        let threads = shared.spawn_all(inputs, busy, &executor, runtime, keeper)?;
        triggers.start(runtime);
        Ok(DurableHost {
            client,
            worker,
            storage: Arc::clone(storage),
            router: shared.router,
            executor,
            handover: shared.handover,
            state: shared.state,
            triggers,
            clients: functions.clients(),
            #[cfg(feature = "http")]
            other_hubs: functions.other_hubs(),
            #[cfg(feature = "http")]
            http_functions,
            threads: Mutex::new(Some(threads)),
            #[cfg(feature = "http")]
            http: super::http::Serving::default(),
            grace: options.shutdown_grace,
        })
    }

    /// The client of the host.
    fn client(&self, place: &Place, shared: &Shared, backlog: Arc<Backlog>) -> DurableClient {
        let local = LocalLink {
            router: Arc::clone(&shared.router),
            watchers: Arc::clone(&shared.watchers),
            news: Arc::clone(&shared.news),
            backlog,
        };
        DurableClient::new(
            place.hub.clone(),
            Arc::clone(&place.storage),
            Some(Arc::new(local)),
            self.options.max_payload_bytes,
        )
    }

    fn bind(
        &self,
        place: &Place,
        registry: &Registry,
        client: &DurableClient,
        states: &Arc<States>,
    ) -> Result<BoundFunctions, HostError> {
        let binder = Binder {
            client,
            hub: &place.hub,
            provider: &place.provider,
            connections: &self.connections,
            options: &HubOptions {
                partition_count: self.options.partition_count,
            },
            max_payload_bytes: self.options.max_payload_bytes,
            states,
        };
        binder.bind(registry)
    }

    fn template(
        &self,
        registry: &Arc<Registry>,
        states: &Arc<States>,
        partition_count: u32,
    ) -> PartitionConfig {
        let options = &self.options;
        let count = usize::try_from(partition_count).unwrap_or(1);
        PartitionConfig {
            id: PartitionId(0),
            epoch: Epoch(0),
            clean: true,
            partition_count,
            registry: Arc::clone(registry),
            max_payload_bytes: options.max_payload_bytes,
            max_cached_instances: options.max_cached_instances.div_ceil(count),
            idle_timeout: options.idle_timeout,
            max_activity_attempts: options.max_activity_attempts,
            replay_check: options.replay_check,
            max_entity_batch: options.max_entity_operation_batch_size,
            states: Arc::clone(states),
        }
    }
}

/// Names the client functions that wait for requests, where the host serves no HTTP.
#[cfg(feature = "http")]
fn warn_of_unserved(registry: &Registry) {
    let functions = registry.client_functions();
    let waiting: Vec<_> = functions
        .filter(|(_, function)| matches!(function.trigger, Trigger::Http(_)))
        .map(|(registration, _)| registration.name)
        .collect();
    if !waiting.is_empty() {
        tracing::warn!(
            functions = ?waiting,
            "client functions wait for requests, and the host serves no HTTP: add `.http(..)` to its \
             builder, or serve `host.http_functions()` in an app of your own"
        );
    }
}

/// Where the task hub is.
#[derive(Debug)]
struct Place {
    hub: TaskHubName,
    provider: Arc<dyn StorageProvider>,
    storage: Arc<dyn HubStorage>,
}

/// Looks whether a function gets all the states that it wants.
///
/// # Errors
///
/// [`HostError::MissingState`].
pub(crate) fn check_states(
    registration: &Registration,
    wanted: &[fn() -> StateKey],
    given: &States,
) -> Result<(), HostError> {
    for key in wanted {
        let key = key();
        if !given.contains(key) {
            return Err(HostError::MissingState {
                function: registration.name.to_owned(),
                place: registration.location.to_string(),
                state: key.name.to_owned(),
            });
        }
    }
    Ok(())
}
