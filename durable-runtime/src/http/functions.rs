//! The routes of client functions with an HTTP trigger.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, on};
use futures_core::future::BoxFuture;
use futures_util::FutureExt;

use crate::client::DurableClient;
use crate::context::{State, States};
use crate::model::Failure;
use crate::registry::SourceLocation;
use crate::registry::client_function::Call;

/// `http(post, "/orders/{id}")`
#[derive(Debug, Clone, Copy)]
pub struct HttpTrigger {
    /// As it is sent; `*` for any.
    pub method: &'static str,
    /// In the syntax of axum, which the macro has checked.
    pub path: &'static str,
    /// Answers a request, in whose extensions are the client and the states.
    pub run: fn(Request) -> BoxFuture<'static, Response>,
}

/// A client function with its route.
#[derive(Debug, Clone)]
pub(crate) struct HttpFunction {
    pub(crate) trigger: HttpTrigger,
    pub(crate) location: SourceLocation,
    pub(crate) call: Call,
}

/// Two functions that the same request would be for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "two client functions answer {method} {path}: {first} and {second}; change one of the routes, and \
     give parameters at the same place of a path the same name"
)]
pub struct RouteClash {
    method: String,
    path: String,
    first: String,
    second: String,
}

/// The router for all functions, at the root.
///
/// # Errors
///
/// [`RouteClash`], where axum would panic.
pub(crate) fn routes(functions: &[HttpFunction]) -> Result<Router, RouteClash> {
    let mut patterns = matchit::Router::new();
    let mut by_path: BTreeMap<&str, BTreeMap<&str, &HttpFunction>> = BTreeMap::new();
    for function in functions {
        let HttpTrigger { path, method, .. } = function.trigger;
        let of_path = by_path.entry(path).or_default();
        if let Some(earlier) = of_path.insert(method, function) {
            return Err(clash(earlier, function));
        }
        if of_path.len() > 1 {
            continue;
        }
        // The same segments under other names cannot be told apart, whatever the methods.
        if let Err(matchit::InsertError::Conflict { with }) = patterns.insert(path, ())
            && let Some(earlier) = by_path.get(with.as_str())
            && let Some(earlier) = earlier.values().next()
        {
            return Err(clash(earlier, function));
        }
    }
    let mut router = Router::new();
    for (path, methods) in by_path {
        let of_path = methods
            .into_values()
            .fold(MethodRouter::new(), |of_path, function| {
                of_path.merge(route(function))
            });
        router = router.route(path, of_path);
    }
    Ok(router)
}

fn clash(first: &HttpFunction, second: &HttpFunction) -> RouteClash {
    let HttpTrigger { method, path, .. } = second.trigger;
    let name =
        |function: &HttpFunction| format!("{:?} at {}", function.call.name, function.location);
    RouteClash {
        method: if method == "*" { "any" } else { method }.to_owned(),
        path: path.to_owned(),
        first: name(first),
        second: name(second),
    }
}

fn route(function: &HttpFunction) -> MethodRouter {
    let HttpFunction { trigger, call, .. } = function.clone();
    let handler = move |request: Request| answer(trigger.run, call.clone(), request);
    match trigger.method {
        "GET" => on(MethodFilter::GET, handler),
        "POST" => on(MethodFilter::POST, handler),
        "PUT" => on(MethodFilter::PUT, handler),
        "PATCH" => on(MethodFilter::PATCH, handler),
        "DELETE" => on(MethodFilter::DELETE, handler),
        "HEAD" => on(MethodFilter::HEAD, handler),
        "OPTIONS" => on(MethodFilter::OPTIONS, handler),
        // The macro knows no other.
        _ => any(handler),
    }
}

async fn answer(
    run: fn(Request) -> BoxFuture<'static, Response>,
    call: Call,
    mut request: Request,
) -> Response {
    let extensions = request.extensions_mut();
    extensions.insert(call.client);
    extensions.insert(call.states);
    let running = AssertUnwindSafe(async { run(request).await });
    running.catch_unwind().await.unwrap_or_else(|panic| {
        let failure = Failure::from_panic(&*panic);
        tracing::error!(function = call.name, %failure, "a client function has panicked");
        problem("the function has failed")
    })
}

fn problem(message: &str) -> Response {
    let body = axum::Json(serde_json::json!({ "error": message }));
    (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
}

/// The head and the body of a request.
pub fn split(request: Request) -> (Parts, Body) {
    request.into_parts()
}

/// What can be an argument of a client function before the last one: any `FromRequestParts` of axum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made from the head of a request",
    label = "not an extractor of the head",
    note = "take an extractor of axum, such as `Path<..>` or `Query<..>`; one that reads the body, such as \
            `Json<..>`, comes last"
)]
pub trait HeadExtractor: Sized {
    /// Makes it.
    fn extract(parts: &mut Parts) -> BoxFuture<'_, Result<Self, Response>>;
}

#[diagnostic::do_not_recommend]
impl<T: FromRequestParts<()>> HeadExtractor for T {
    fn extract(parts: &mut Parts) -> BoxFuture<'_, Result<Self, Response>> {
        Box::pin(async move {
            let extracted = T::from_request_parts(parts, &()).await;
            extracted.map_err(IntoResponse::into_response)
        })
    }
}

/// What can be the last argument: any `FromRequest` of axum.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not made from a request",
    label = "not an extractor",
    note = "take an extractor of axum, such as `Json<..>`, `Path<..>` or `String`"
)]
pub trait LastExtractor<M>: Sized {
    /// Makes it.
    fn extract(request: Request) -> BoxFuture<'static, Result<Self, Response>>;
}

#[diagnostic::do_not_recommend]
impl<T: FromRequest<(), M>, M> LastExtractor<M> for T {
    fn extract(request: Request) -> BoxFuture<'static, Result<Self, Response>> {
        Box::pin(async move {
            let extracted = T::from_request(request, &()).await;
            extracted.map_err(IntoResponse::into_response)
        })
    }
}

/// An argument that is made from the head of a request. This is where the compiler says that a type cannot
/// be; were it an `async fn`, it would say so three times.
pub fn part<T: HeadExtractor>(parts: &mut Parts) -> BoxFuture<'_, Result<T, Response>> {
    T::extract(parts)
}

/// As [`part`], for the last argument, which may read the body.
pub fn rest<T: LastExtractor<M>, M>(
    parts: Parts,
    body: Body,
) -> BoxFuture<'static, Result<T, Response>> {
    T::extract(Request::from_parts(parts, body))
}

/// What a function returned. This is where the compiler says that it is no answer.
pub fn respond<R: IntoResponse>(returned: R) -> Response {
    returned.into_response()
}

/// In a client function it is the function's client. In an axum app it is the one that was put there with
/// `.layer(axum::Extension(client))`. The URLs that it makes have the origin of the request.
impl<S: Send + Sync> FromRequestParts<S> for DurableClient {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let client = parts.extensions.get::<Self>();
        let client = client.map(|client| client.for_request(parts));
        client.ok_or_else(|| {
            problem(
                "there is no durable client: add `.layer(axum::Extension(client))` to the router",
            )
        })
    }
}

/// In a client function only: an axum app has states of its own.
impl<S: Send + Sync, T: Send + Sync + 'static> FromRequestParts<S> for State<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        let states = parts.extensions.get::<Arc<States>>();
        let state = states.and_then(|states| states.injected().ok());
        state.ok_or_else(|| problem("there is no such state of a durable host here"))
    }
}
