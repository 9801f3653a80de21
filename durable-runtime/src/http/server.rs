//! Listens for requests.

use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};
use tower::Service;

use super::HttpOptions;
use super::impatient::Impatient;

/// How long the server waits when the system cannot accept a connection, as it has too many files open
/// for instance.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// A place at which nobody else listens, and where nobody is answered yet.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: StdListener,
    address: SocketAddr,
}

/// Why nobody can listen at an address.
#[derive(Debug)]
pub(crate) enum ListenError {
    /// It is not an address.
    NoAddress(String),
    /// The system refuses.
    Refused(io::Error),
}

impl Listener {
    /// Takes the address `text`, such as `127.0.0.1:7071` or `localhost:0`.
    pub(crate) fn bind(text: &str) -> Result<Self, ListenError> {
        let addresses = text.to_socket_addrs();
        let addresses = addresses.map_err(|error| ListenError::NoAddress(error.to_string()))?;
        let addresses: Vec<_> = addresses.collect();
        let listener = StdListener::bind(&addresses[..]).map_err(ListenError::Refused)?;
        listener
            .set_nonblocking(true)
            .map_err(ListenError::Refused)?;
        let address = listener.local_addr().map_err(ListenError::Refused)?;
        Ok(Self { listener, address })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Whether only this machine can send requests.
    pub(crate) fn is_loopback(&self) -> bool {
        self.address.ip().to_canonical().is_loopback()
    }

    /// Answers requests with `app`.
    pub(crate) fn serve(
        self,
        app: Router,
        options: &HttpOptions,
        runtime: &Handle,
    ) -> io::Result<HttpServer> {
        let _entered = runtime.enter();
        let listener = TcpListener::from_std(self.listener)?;
        let mut builder = http1::Builder::new();
        builder
            .timer(TokioTimer::new())
            .header_read_timeout(options.header_timeout)
            .max_buf_size(options.max_header_bytes);
        let (stop, stopped) = watch::channel(());
        let acceptor = Acceptor {
            listener,
            app,
            builder,
            patience: options.header_timeout,
            places: Arc::new(Semaphore::new(
                options.max_connections.min(Semaphore::MAX_PERMITS),
            )),
            stopped,
        };
        Ok(HttpServer {
            address: self.address,
            stop,
            accepting: Some(runtime.spawn(acceptor.run())),
        })
    }
}

/// A server that runs. One that is dropped stops at once.
pub(crate) struct HttpServer {
    address: SocketAddr,
    stop: watch::Sender<()>,
    accepting: Option<JoinHandle<()>>,
}

impl HttpServer {
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no more connections, and ends when the requests that are under way have been answered.
    /// What takes longer ends without an answer when this is dropped.
    pub(crate) async fn stop(mut self) {
        // Nobody hears it if the server has ended by itself.
        let _ = self.stop.send(());
        if let Some(accepting) = &mut self.accepting {
            // It has panicked, if at all, and is over in any case.
            let _ = accepting.await;
        }
        self.accepting = None;
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

struct Acceptor {
    listener: TcpListener,
    app: Router,
    builder: http1::Builder,
    patience: Duration,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<()>,
}

impl Acceptor {
    async fn run(mut self) {
        // Dropped with this, it ends all of them.
        let mut connections = JoinSet::new();
        loop {
            let place = Arc::clone(&self.places).acquire_owned();
            let accepted = async {
                let place = place.await;
                (place, self.listener.accept().await)
            };
            let (place, accepted) = tokio::select! {
                _ = self.stopped.changed() => break,
                Some(_) = connections.join_next() => continue,
                accepted = accepted => accepted,
            };
            match accepted {
                Ok((stream, _)) => {
                    // Without it, small answers to clients that send several requests at once are
                    // held back. One that is gone already has none.
                    let _ = stream.set_nodelay(true);
                    let connection = Connection {
                        stream: Impatient::new(stream, self.patience),
                        app: self.app.clone(),
                        builder: self.builder.clone(),
                        stopped: self.stopped.clone(),
                    };
                    connections.spawn(async move {
                        connection.run().await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
        }
        drop(self.listener);
        while connections.join_next().await.is_some() {}
    }
}

struct Connection {
    stream: Impatient,
    app: Router,
    builder: http1::Builder,
    stopped: watch::Receiver<()>,
}

impl Connection {
    async fn run(mut self) {
        let service = TowerToHyperService::new(Answering(self.app));
        let connection = self
            .builder
            .serve_connection(TokioIo::new(self.stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = &mut connection => ended,
            _ = self.stopped.changed() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection has ended in error");
        }
    }
}

/// The app, which takes any body, as a service that takes those of connections.
#[derive(Clone)]
struct Answering(Router);

impl Service<hyper::Request<Incoming>> for Answering {
    type Response = Response;
    type Error = Infallible;
    type Future = axum::routing::future::RouteFuture<Infallible>;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), Infallible>> {
        <Router as Service<Request>>::poll_ready(&mut self.0, context)
    }

    fn call(&mut self, request: hyper::Request<Incoming>) -> Self::Future {
        self.0.call(request.map(Body::new))
    }
}
