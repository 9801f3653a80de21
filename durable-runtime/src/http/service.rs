//! Answers the requests of the management API.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{OriginalUri, Request, State};
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::body::Content;
use super::error::HttpError;
use super::management::CONNECTION;
use super::openapi;
use super::origin::Origin;
use super::query::Query;
use super::routes::{self, Operation};
use super::{BASE, HttpOptions, key};
use crate::client::{DurableClient, WebAddress};

/// Who is let in where no key is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Visitors {
    /// Everyone: the app that this is mounted in has let them in.
    All,
    /// Everyone but the pages of other sites.
    OfThisSite,
}

/// A hub that is not the host's own, which some client function is bound to.
#[derive(Debug, Clone)]
pub(crate) struct OtherHub {
    /// By which name its storage was given to the host.
    pub(crate) connection: &'static str,
    pub(crate) client: DurableClient,
}

/// What a host that serves the management API adds to it. One in an app has none of it.
#[derive(Debug, Default)]
pub(crate) struct OfHost {
    pub(crate) others: Vec<OtherHub>,
    /// Whoever waits is to be answered now.
    pub(crate) ending: CancellationToken,
}

/// What all requests share.
struct Api {
    client: DurableClient,
    host: OfHost,
    system_key: Option<Arc<str>>,
    visitors: Visitors,
    options: HttpOptions,
}

/// A request that may be answered.
pub(super) struct Call {
    /// Makes URLs with the origin of the request.
    pub(super) client: DurableClient,
    pub(super) query: Query,
    pub(super) headers: HeaderMap,
    /// Its own URL, with its origin.
    pub(super) url: String,
    /// How long it may wait for something and still be answered in time.
    pub(super) patience: Duration,
    pub(super) ending: CancellationToken,
    body: axum::body::Body,
    max_body_bytes: usize,
}

impl Call {
    /// Reads the body.
    pub(super) async fn content(&mut self) -> Result<Content, HttpError> {
        let body = std::mem::take(&mut self.body);
        Content::read(body, &self.headers, self.max_body_bytes, self.patience).await
    }
}

/// The routes, without limits.
pub(super) fn router(
    client: &DurableClient,
    host: OfHost,
    options: &HttpOptions,
    visitors: Visitors,
) -> Router {
    let api = Arc::new(Api {
        client: client.clone(),
        host,
        visitors,
        system_key: options.system_key.as_deref().map(Arc::from),
        options: options.clone(),
    });
    let mut router = Router::new();
    // Its documentation spells it in both ways.
    for base in [BASE, "/runtime/webhooks/durableTask"] {
        router = router
            .route(base, any(serve))
            .route(&format!("{base}/"), any(serve))
            .route(&format!("{base}/{{*path}}"), any(serve));
    }
    router.with_state(api)
}

/// Whether a path asks whether the host works.
pub(super) fn is_health(path: &str) -> bool {
    below_base(path)
        .is_some_and(|rest| matches!(routes::find(&Method::GET, rest), Ok((Operation::Health, _))))
}

async fn serve(State(api): State<Arc<Api>>, request: Request) -> Response {
    answer(&api, request)
        .await
        .unwrap_or_else(HttpError::into_response)
}

async fn answer(api: &Api, request: Request) -> Result<Response, HttpError> {
    let (parts, body) = request.into_parts();
    let rest = below_base(parts.uri.path()).unwrap_or_default();
    let found = routes::find(&parts.method, rest);
    let query = Query::of(&parts.uri);
    let trust = api.options.trust_forwarded_headers;
    let origin = Origin::of_request(&parts.uri, &parts.headers, trust);
    if !matches!(found, Ok((Operation::Health, _))) {
        match &api.system_key {
            Some(system_key) => key::check(system_key, &query, &parts.headers)?,
            None if api.visitors == Visitors::All => {}
            None => refuse_other_sites(&parts.method, &parts.headers, origin.as_ref())?,
        }
    }
    let (operation, captures) = found?;
    let (client, connection) = find_hub(api, &query)?;
    // Where this router is nested in another one, the path begins with that one's.
    let full = parts
        .extensions
        .get()
        .map_or(&parts.uri, |OriginalUri(uri)| uri);
    let address = address(api, connection, full, origin);
    let path_and_query = full.path_and_query().map_or("/", |full| full.as_str());
    let call = Call {
        url: format!("{}{path_and_query}", address.origin),
        client: client.clone().with_address(address),
        query,
        headers: parts.headers,
        // Less than the request may take, so that what is waited for in vain is not taken for it.
        patience: api.options.request_timeout.mul_f64(0.9),
        ending: api.host.ending.clone(),
        body,
        max_body_bytes: api.options.max_body_bytes,
    };
    run(call, operation, captures).await
}

async fn run(
    call: Call,
    operation: Operation,
    captures: Vec<String>,
) -> Result<Response, HttpError> {
    let mut captures = captures.into_iter();
    let first = captures.next();
    let second = captures.next();
    let id = first.clone().unwrap_or_default();
    match operation {
        Operation::Start => call.start(&id, second).await,
        Operation::Restart => call.restart(&id).await,
        Operation::GetStatus => call.status(id).await,
        Operation::ListInstances => call.list_instances().await,
        Operation::PurgeInstance => call.purge(&id).await,
        Operation::PurgeInstances => call.purge_instances().await,
        Operation::RaiseEvent => call.raise_event(&id, second.unwrap_or_default()).await,
        Operation::Terminate | Operation::Suspend | Operation::Resume | Operation::Rewind => {
            call.steer(&id, operation).await
        }
        Operation::ListEntities => call.list_entities(first).await,
        Operation::GetEntity => call.entity(&id, second).await,
        Operation::SignalEntity => call.signal(&id, second).await,
        Operation::DeleteEntity => call.delete_entity(&id, second).await,
        Operation::OpenApi => Ok(Json(openapi::document()).into_response()),
        Operation::Health => call.health().await,
    }
}

impl Call {
    /// Whether storage answers, has the hub, and some host runs what is in it.
    async fn health(self) -> Result<Response, HttpError> {
        let task_hub = self.client.task_hub();
        let is_hosted = self.client.is_hosted().await;
        if !is_hosted.map_err(|error| HttpError::unavailable(error.to_string()))? {
            return Err(HttpError::unavailable(format!(
                "no host runs the task hub {task_hub:?}, or it has been deleted"
            )));
        }
        let health = json!({ "status": "Healthy", "taskHub": task_hub });
        Ok(Json(health).into_response())
    }
}

/// What follows the base, which has any case.
fn below_base(path: &str) -> Option<&str> {
    let (base, rest) = path.split_at_checked(BASE.len())?;
    base.eq_ignore_ascii_case(BASE).then_some(rest)
}

/// Where no key is asked for, a page of another site that somebody looks at in a browser could steer
/// instances through it. Browsers say so.
fn refuse_other_sites(
    method: &Method,
    headers: &HeaderMap,
    origin: Option<&Origin>,
) -> Result<(), HttpError> {
    let Some(site) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let site = site.to_str().unwrap_or_default();
    if method.is_safe() || origin.is_some_and(|origin| origin.has_authority_of(site)) {
        return Ok(());
    }
    Err(HttpError::new(
        StatusCode::FORBIDDEN,
        "a page of another site may not do this: set a system key, and give it",
    ))
}

/// The hub that a request means, and the name of its connection. Whoever means one that is not here must
/// not act on another.
fn find_hub<'a>(api: &'a Api, query: &Query) -> Result<(&'a DurableClient, &'a str), HttpError> {
    let own = api.client.task_hub();
    let hub = query.text("taskHub").unwrap_or(own);
    let connection = query.text("connection").unwrap_or(CONNECTION);
    let is_own = |name: &str| {
        name.eq_ignore_ascii_case(CONNECTION) || name.eq_ignore_ascii_case("AzureWebJobsStorage")
    };
    if hub.eq_ignore_ascii_case(own) && is_own(connection) {
        return Ok((&api.client, CONNECTION));
    }
    let other = api.host.others.iter().find(|other| {
        let is_there = other.connection.eq_ignore_ascii_case(connection)
            || is_own(other.connection) && is_own(connection);
        is_there && other.client.task_hub().eq_ignore_ascii_case(hub)
    });
    if let Some(other) = other {
        return Ok((&other.client, other.connection));
    }
    let short = |name: &str| name.chars().take(100).collect::<String>();
    let mut connections = api.host.others.iter().map(|other| other.connection);
    let is_known =
        is_own(connection) || connections.any(|known| known.eq_ignore_ascii_case(connection));
    Err(HttpError::not_found(if is_known {
        format!(
            "there is no task hub {:?} here: this is {own:?}, which is also what requests without \
             `taskHub` mean",
            short(hub)
        )
    } else {
        format!(
            "there is no connection {:?} here: use {CONNECTION:?}, or leave `connection` out",
            short(connection)
        )
    }))
}

/// What URLs in the answer begin with.
fn address(api: &Api, connection: &str, full: &Uri, origin: Option<Origin>) -> WebAddress {
    let published = api.client.address();
    let origin = origin.map(|origin| origin.to_string().into());
    let origin = origin.or_else(|| published.map(|address| Arc::clone(&address.origin)));
    let path = full.path();
    let base = path
        .to_ascii_lowercase()
        .find(BASE)
        .map(|at| at + BASE.len());
    WebAddress {
        origin: origin.unwrap_or_else(|| Arc::from("http://localhost:7071")),
        base: base.and_then(|end| path.get(..end)).unwrap_or(BASE).into(),
        connection: connection.into(),
        system_key: api.system_key.clone(),
        trust_forwarded_headers: api.options.trust_forwarded_headers,
    }
}
