//! Serving HTTP beside everything else that a host does.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

use super::{DurableHost, DurableHostBuilder, HostError};
use crate::client::{DurableClient, WebAddress};
use crate::http::{self, HttpOptions, HttpServer, ListenError, Listener, OfHost, OtherHub};
use crate::storage::HubStorage;

/// The setting of the hub that holds its key.
const SYSTEM_KEY: &str = "http_system_key";

impl DurableHostBuilder {
    /// Serves HTTP at `address`: a host and a port, such as `127.0.0.1:7071`; port 0 takes one that is
    /// free. Below `/runtime/webhooks/durabletask` there is the management API; everywhere else are the client
    /// functions with an HTTP trigger, which need no key.
    ///
    /// At a loopback address, which only this machine reaches, requests to it need no key. At any other
    /// one they do: the key of [`http_options`](Self::http_options), or one that is made when the first
    /// host needs it and stored with the task hub; see [`DurableHost::http_system_key`].
    ///
    /// ```
    /// # use durable_runtime::prelude::*;
    /// # use durable_runtime::storage::Memory;
    /// # #[tokio::main]
    /// # async fn main() -> Result<()> {
    /// let host = DurableHost::builder()
    ///     .storage(Memory::new())
    ///     .http("127.0.0.1:0")
    ///     .start()
    ///     .await?;
    /// println!("serving at {:?}", host.http_address());
    /// # Ok(())
    /// # }
    /// ```
    pub fn http(mut self, address: impl Into<String>) -> Self {
        self.http.address = Some(address.into());
        self
    }

    /// Settings of HTTP; each has a default.
    pub fn http_options(mut self, options: HttpOptions) -> Self {
        self.http.options = options;
        self
    }
}

impl DurableHost {
    /// The address that HTTP is served at; `None` if it is not.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.address
    }

    /// The key that requests to the management API need; `None` if they need none. It is a secret:
    /// whoever has it can steer all orchestrations.
    pub fn http_system_key(&self) -> Option<&str> {
        self.http.system_key.as_deref()
    }
}

/// How HTTP is to be served.
#[derive(Debug, Clone, Default)]
pub(super) struct Setup {
    address: Option<String>,
    options: HttpOptions,
}

/// What is served.
pub(super) struct Served<'a> {
    pub(super) client: &'a DurableClient,
    /// The other hubs that client functions are bound to.
    pub(super) others: Vec<OtherHub>,
    /// The routes of client functions.
    pub(super) functions: Router,
    pub(super) storage: &'a dyn HubStorage,
}

impl Setup {
    /// Takes the address, so that a host that cannot have it does not start.
    pub(super) fn listen(&self) -> Result<Option<Listener>, HostError> {
        let Some(address) = &self.address else {
            return Ok(None);
        };
        let invalid = |(field, rule)| HostError::InvalidOption { field, rule };
        self.options.check().map_err(invalid)?;
        let listener = Listener::bind(address).map_err(|error| {
            let address = address.clone();
            match error {
                ListenError::NoAddress(message) => {
                    HostError::InvalidHttpAddress { address, message }
                }
                ListenError::Refused(error) => HostError::HttpAddressInUse {
                    address,
                    message: error.to_string(),
                },
            }
        })?;
        Ok(Some(listener))
    }

    pub(super) fn serve(
        mut self,
        listener: Listener,
        served: Served<'_>,
        runtime: &Handle,
    ) -> Result<Serving, HostError> {
        let Served {
            client,
            others,
            functions,
            storage,
        } = served;
        let options = &mut self.options;
        if options.system_key.is_none() && !listener.is_loopback() {
            let key = storage.setting(SYSTEM_KEY, &http::generate_key())?;
            tracing::info!(
                "the management API needs the system key of the task hub, which is stored with it"
            );
            options.system_key = Some(key);
        }
        let origin = match &options.public_origin {
            Some(origin) => origin.trim_end_matches('/').to_owned(),
            None => format!("http://{}", reachable(listener.address())),
        };
        let system_key: Option<Arc<str>> = options.system_key.as_deref().map(Arc::from);
        let address = |connection: &str| WebAddress {
            origin: origin.as_str().into(),
            base: http::BASE.into(),
            connection: connection.into(),
            system_key: system_key.clone(),
            trust_forwarded_headers: options.trust_forwarded_headers,
        };
        client.publish_address(address(http::CONNECTION));
        for other in &others {
            other.client.publish_address(address(other.connection));
        }
        let ending = CancellationToken::new();
        let of_host = OfHost {
            others,
            ending: ending.clone(),
        };
        let app = http::app(client, of_host, functions, options);
        let running = listener
            .serve(app, options, runtime)
            .map_err(|error| HostError::System {
                action: "serving HTTP",
                message: error.to_string(),
            })?;
        let address = running.address();
        tracing::info!(%address, "serving HTTP");
        Ok(Serving {
            address: Some(address),
            system_key,
            ending,
            server: Mutex::new(Some(running)),
        })
    }
}

/// An address by which this machine reaches itself, for one that means all that it has.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let is_v4 = address.is_ipv4();
        address.set_ip(if is_v4 {
            std::net::Ipv4Addr::LOCALHOST.into()
        } else {
            std::net::Ipv6Addr::LOCALHOST.into()
        });
    }
    address
}

/// HTTP as it is served, if it is.
#[derive(Default)]
pub(super) struct Serving {
    address: Option<SocketAddr>,
    system_key: Option<Arc<str>>,
    /// Tells requests that wait for something to come to an end.
    ending: CancellationToken,
    server: Mutex<Option<HttpServer>>,
}

impl Serving {
    /// Accepts nothing any more, and gives requests that are under way so much time.
    pub(super) async fn stop(&self, grace: Duration) {
        let Some(server) = self.server().take() else {
            return;
        };
        self.ending.cancel();
        if tokio::time::timeout(grace, server.stop()).await.is_err() {
            tracing::warn!("HTTP requests were still under way; they get no answer");
        }
    }

    fn server(&self) -> MutexGuard<'_, Option<HttpServer>> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Without the key.
impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
