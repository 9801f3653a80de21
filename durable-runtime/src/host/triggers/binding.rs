//! Which hub the client of each function is of, and what keeps functions from being run together.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::client::DurableClient;
use crate::context::States;
use crate::host::HostError;
use crate::model::TaskHubName;
use crate::registry::client_function::{Call, ClientFunction, Trigger};
use crate::registry::{Registration, Registry, SourceLocation};
use crate::storage::{HubOptions, StorageProvider};

/// The storages that the host was given beside its own, by name.
pub(in crate::host) type Connections = BTreeMap<String, Arc<dyn StorageProvider>>;

/// A client function with what it is called with.
#[derive(Debug, Clone)]
pub(super) struct Bound {
    pub(super) location: SourceLocation,
    pub(super) trigger: Trigger,
    /// Where the hub of its client is, if it is not the host's own.
    #[cfg(feature = "http")]
    pub(super) elsewhere: Option<Elsewhere>,
    pub(super) call: Call,
}

/// The storage of a hub that is not the host's own: the host's, or a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elsewhere {
    pub(super) connection: Option<&'static str>,
}

/// All client functions of a host.
#[derive(Debug, Clone)]
pub(crate) struct BoundFunctions(pub(super) Vec<Bound>);

impl BoundFunctions {
    /// Those that `is_wanted` tells, with one client for all, whatever hub they are bound to.
    ///
    /// # Errors
    ///
    /// [`HostError::QueueClash`].
    #[cfg(feature = "testing")]
    pub(crate) fn of_client(
        registry: &Registry,
        client: &DurableClient,
        states: &Arc<States>,
        is_wanted: impl Fn(&str, &Trigger) -> bool,
    ) -> Result<Self, HostError> {
        let functions = || {
            let functions = registry.client_functions();
            functions
                .filter(|(registration, function)| is_wanted(registration.name, &function.trigger))
        };
        check_queues(functions())?;
        let bound = functions().map(|(registration, function)| Bound {
            location: registration.location,
            trigger: function.trigger,
            #[cfg(feature = "http")]
            elsewhere: None,
            call: Call {
                name: registration.name,
                client: client.clone(),
                states: Arc::clone(states),
            },
        });
        Ok(Self(bound.collect()))
    }

    /// Their clients, by the names of the functions.
    pub(in crate::host) fn clients(&self) -> BTreeMap<&'static str, DurableClient> {
        let calls = self.0.iter().map(|bound| &bound.call);
        calls.map(|call| (call.name, call.client.clone())).collect()
    }

    /// The hubs that are not the host's own.
    #[cfg(feature = "http")]
    pub(in crate::host) fn other_hubs(&self) -> Vec<crate::http::OtherHub> {
        let others = self.0.iter().filter_map(|bound| {
            Some(crate::http::OtherHub {
                connection: bound
                    .elsewhere?
                    .connection
                    .unwrap_or(crate::http::CONNECTION),
                client: bound.call.client.clone(),
            })
        });
        others.collect()
    }

    /// The routes of those that answer requests.
    ///
    /// # Errors
    ///
    /// [`HostError::RouteClash`].
    #[cfg(feature = "http")]
    pub(crate) fn router(&self) -> Result<axum::Router, HostError> {
        use crate::http::HttpFunction;

        let functions: Vec<_> = self
            .0
            .iter()
            .filter_map(|bound| match bound.trigger {
                Trigger::Http(trigger) => Some(HttpFunction {
                    trigger,
                    location: bound.location,
                    call: bound.call.clone(),
                }),
                _ => None,
            })
            .collect();
        Ok(crate::http::routes(&functions)?)
    }
}

/// What functions are bound with.
pub(in crate::host) struct Binder<'a> {
    /// The client of the host's own hub.
    pub(in crate::host) client: &'a DurableClient,
    pub(in crate::host) hub: &'a TaskHubName,
    pub(in crate::host) provider: &'a Arc<dyn StorageProvider>,
    pub(in crate::host) connections: &'a Connections,
    pub(in crate::host) options: &'a HubOptions,
    pub(in crate::host) max_payload_bytes: usize,
    pub(in crate::host) states: &'a Arc<States>,
}

impl fmt::Debug for Binder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binder")
            .field("hub", self.hub)
            .field("connections", self.connections)
            .finish_non_exhaustive()
    }
}

impl Binder<'_> {
    /// All client functions, bound.
    ///
    /// # Errors
    ///
    /// [`HostError::UnknownConnection`], [`HostError::QueueClash`], and what storage says of a hub that is
    /// not the host's own.
    pub(in crate::host) fn bind(&self, registry: &Registry) -> Result<BoundFunctions, HostError> {
        check_queues(registry.client_functions())?;
        let mut bound = Vec::new();
        for (registration, function) in registry.client_functions() {
            let elsewhere = self.elsewhere(function);
            let client = match elsewhere {
                Some(elsewhere) => self.other_client(registration, function, elsewhere)?,
                None => self.client.clone(),
            };
            let client = if matches!(function.trigger, Trigger::Timer(_) | Trigger::Queue(_)) {
                client.waiting_for_room()
            } else {
                client
            };
            bound.push(Bound {
                location: registration.location,
                trigger: function.trigger,
                #[cfg(feature = "http")]
                elsewhere,
                call: Call {
                    name: registration.name,
                    client,
                    states: Arc::clone(self.states),
                },
            });
        }
        Ok(BoundFunctions(bound))
    }

    fn elsewhere(&self, function: &ClientFunction) -> Option<Elsewhere> {
        let own = self.hub.as_str();
        let is_own = function
            .task_hub
            .is_none_or(|name| name.eq_ignore_ascii_case(own));
        let connection = function.connection;
        (!is_own || connection.is_some()).then_some(Elsewhere { connection })
    }

    fn other_client(
        &self,
        registration: &Registration,
        function: &ClientFunction,
        elsewhere: Elsewhere,
    ) -> Result<DurableClient, HostError> {
        let provider = match elsewhere.connection {
            None => self.provider,
            Some(name) => {
                self.connections
                    .get(name)
                    .ok_or_else(|| HostError::UnknownConnection {
                        function: place(registration),
                        connection: name.to_owned(),
                        known: known(self.connections),
                    })?
            }
        };
        let hub = match function.task_hub {
            None => self.hub.clone(),
            Some(name) => TaskHubName::new(name).map_err(HostError::InvalidTaskHub)?,
        };
        let storage = provider.open_hub(&hub, self.options)?;
        Ok(DurableClient::new(
            hub,
            storage,
            None,
            self.max_payload_bytes,
        ))
    }
}

/// Each queue has one function that takes its messages.
fn check_queues<'a>(
    functions: impl Iterator<Item = (&'a Registration, &'a ClientFunction)>,
) -> Result<(), HostError> {
    let mut queues: BTreeMap<&str, &Registration> = BTreeMap::new();
    for (registration, function) in functions {
        if let Trigger::Queue(trigger) = function.trigger
            && let Some(first) = queues.insert(trigger.queue, registration)
        {
            return Err(HostError::QueueClash {
                queue: trigger.queue.to_owned(),
                first: place(first),
                second: place(registration),
            });
        }
    }
    Ok(())
}

fn place(registration: &Registration) -> String {
    format!("{:?} at {}", registration.name, registration.location)
}

fn known(connections: &Connections) -> String {
    if connections.is_empty() {
        return "it was given none".to_owned();
    }
    let names: Vec<_> = connections.keys().map(|name| format!("{name:?}")).collect();
    format!("it was given {}", names.join(", "))
}
