//! Sends a request, and reads its answer.

use std::error::Error as StdError;
use std::sync::Arc;

use futures_core::future::BoxFuture;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response, Url, header, redirect};

use super::HttpCallOptions;
use super::fence::{Fence, FencedResolver, LinkLocal, LinkLocalRefused};
use super::retry_after::answered;
use super::token::{AccessToken, Found, TokenSources, Tokens};
use crate::clock;
use crate::context::{ActivityInvocation, encode_output};
use crate::model::http::{
    DurableHttpRequest, DurableHttpResponse, HTTP_ACTIVITY, HttpAnswer, TokenReference, shown,
};
use crate::model::{Failure, Payload, PayloadTooLarge};
use crate::registry::code::AsyncActivityCode;
use crate::registry::{
    ActivityFunction, ActivityRun, Function, Registration, SourceLocation, StateKey,
};

/// The activity that the HTTP calls of orchestrations are.
pub(crate) const HTTP_CALLS: Registration = Registration {
    name: HTTP_ACTIVITY,
    location: SourceLocation::here(module_path!()),
    function: Function::Activity(ActivityFunction {
        states: &[StateKey::of::<HttpSender>],
        run: ActivityRun::Async(&SendRequest),
    }),
};

struct SendRequest;

impl AsyncActivityCode for SendRequest {
    fn run(
        &'static self,
        call: ActivityInvocation,
    ) -> BoxFuture<'static, Result<Payload, Failure>> {
        Box::pin(async move {
            let request = call.input()?;
            let sender = call.state::<HttpSender>()?;
            let context = call.context();
            tokio::select! {
                answer = sender.send(request) => encode_output("activity", HTTP_ACTIVITY, &answer?),
                () = context.cancelled() => {
                    Err(Failure::new(Failure::TERMINATED, "the orchestration was terminated"))
                }
            }
        })
    }
}

/// What a host sends requests with.
#[derive(Debug)]
pub(crate) struct HttpSender {
    client: Client,
    fence: Fence,
    tokens: Tokens,
    options: HttpCallOptions,
    max_body_bytes: usize,
}

/// As many as browsers follow, about.
const MAX_REDIRECTS: usize = 10;

impl HttpSender {
    /// # Errors
    ///
    /// What is wrong with the options.
    pub(crate) fn new(
        options: &HttpCallOptions,
        sources: &TokenSources,
        max_body_bytes: usize,
    ) -> Result<Self, String> {
        let link_local = if options.allow_link_local {
            LinkLocal::Allowed
        } else {
            LinkLocal::Refused
        };
        let fence = Fence::new(options.allowed_hosts.as_deref(), link_local)?;
        if options.request_timeout.is_zero() {
            return Err("`HttpCallOptions::request_timeout` must not be zero".to_owned());
        }
        let client = Client::builder()
            .dns_resolver(Arc::new(FencedResolver(link_local)))
            // Each place that a redirect leads to is checked first.
            .redirect(redirect::Policy::none())
            .user_agent(concat!("durable-runtime/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("HTTP calls cannot be sent: {error}"))?;
        Ok(Self {
            client,
            fence,
            tokens: Tokens::new(sources.clone(), options.managed_identity.clone()),
            options: options.clone(),
            max_body_bytes,
        })
    }

    /// One attempt: the answer to the request, after redirects.
    async fn send(&self, request: DurableHttpRequest) -> Result<HttpAnswer, Failure> {
        request.check()?;
        let limit = self.options.request_timeout;
        let limit = request.time_limit().map_or(limit, |own| own.min(limit));
        let target = request.target()?;
        let answer = tokio::time::timeout(limit, self.follow(request)).await;
        answer.unwrap_or_else(|_| {
            let (method, url) = target;
            let message = format!("{method} {}: no whole answer within {limit:?}", shown(&url));
            Err(Failure::new(Failure::TIMEOUT, message))
        })
    }

    async fn follow(&self, mut request: DurableHttpRequest) -> Result<HttpAnswer, Failure> {
        for _ in 0..=MAX_REDIRECTS {
            let response = self.exchange(&request).await?;
            let status = response.status().as_u16();
            let location = text(response.headers().get(header::LOCATION));
            match location {
                Some(location) if matches!(status, 301 | 302 | 303 | 307 | 308) => {
                    request = request.redirected(status, response.url().as_str(), &location)?;
                }
                _ => return self.read(response).await,
            }
        }
        let (method, url) = request.target()?;
        let message = format!(
            "{method} {}: more than {MAX_REDIRECTS} redirects",
            shown(&url)
        );
        Err(Failure::new(Failure::HTTP, message).non_retriable())
    }

    async fn exchange(&self, request: &DurableHttpRequest) -> Result<Response, Failure> {
        let Some(reference) = request.token_reference() else {
            return self.transmit(request, None).await;
        };
        // Nobody is asked for a token that is not to be used.
        self.fence.check(&request.target()?.1)?;
        match self.tokens.get(reference).await? {
            Found::Fresh(token) => self.transmit(request, Some(&token)).await,
            Found::Kept(token) => {
                let response = self.transmit(request, Some(&token)).await?;
                if response.status().as_u16() == 401 {
                    self.transmit_anew(request, reference, &token).await
                } else {
                    Ok(response)
                }
            }
        }
    }

    /// A token that was good may have been revoked since.
    async fn transmit_anew(
        &self,
        request: &DurableHttpRequest,
        reference: &TokenReference,
        old: &AccessToken,
    ) -> Result<Response, Failure> {
        self.tokens.forget(reference, old).await;
        let (Found::Fresh(token) | Found::Kept(token)) = self.tokens.get(reference).await?;
        self.transmit(request, Some(&token)).await
    }

    async fn transmit(
        &self,
        request: &DurableHttpRequest,
        token: Option<&AccessToken>,
    ) -> Result<Response, Failure> {
        let (method, url) = request.target()?;
        self.fence.check(&url)?;
        let mut sent = self.client.request(method.clone(), url.clone());
        for (name, value) in request.header_values() {
            if token.is_none() || name != AUTHORIZATION {
                sent = sent.header(name, value);
            }
        }
        if let Some(token) = token {
            sent = sent.bearer_auth(token.secret());
        }
        if let Some(body) = request.body() {
            sent = sent.body(body);
        }
        sent.send()
            .await
            .map_err(|error| no_answer(&format!("{method} {}", shown(&url)), error))
    }

    async fn read(&self, mut response: Response) -> Result<HttpAnswer, Failure> {
        let status = response.status().as_u16();
        let url = response.url().clone();
        let body = self.read_body(&mut response, &url).await?;
        let mut answer = DurableHttpResponse::new(status, body);
        for (name, value) in response.headers() {
            let value = text(Some(value)).unwrap_or_default();
            answer.headers.append(name.as_str(), value);
        }
        url.as_str().clone_into(&mut answer.url);
        Ok(answered(answer, clock::now(), self.options.poll_interval))
    }

    /// The body, of which no more is read than may be stored.
    async fn read_body(&self, response: &mut Response, url: &Url) -> Result<Vec<u8>, Failure> {
        let limit = self.max_body_bytes;
        let mut body = Vec::new();
        loop {
            let chunk = response.chunk().await.map_err(|error| {
                no_answer(&format!("the answer of {} breaks off", shown(url)), error)
            })?;
            let Some(chunk) = chunk else {
                return Ok(body);
            };
            body.extend_from_slice(&chunk);
            if body.len() > limit {
                let size = body.len();
                let error = PayloadTooLarge { size, limit };
                let message = format!("the answer of {} cannot be stored: {error}", shown(url));
                return Err(Failure::new(Failure::PAYLOAD_TOO_LARGE, message).non_retriable());
            }
        }
    }
}

/// A header's value; bytes that are no ASCII are taken for ISO 8859-1, as HTTP did.
fn text(value: Option<&header::HeaderValue>) -> Option<String> {
    Some(value?.as_bytes().iter().copied().map(char::from).collect())
}

/// The failure of a request that got no answer. The error's own text may hold the query of the URL.
fn no_answer(what: &str, error: reqwest::Error) -> Failure {
    let is_connect = error.is_connect();
    let error = error.without_url();
    if causes(&error).any(<dyn StdError>::is::<LinkLocalRefused>) {
        let message = format!("{what}: {LinkLocalRefused}");
        return Failure::new(Failure::HTTP, message).non_retriable();
    }
    let cause = causes(&error).last().map(ToString::to_string);
    let cause = cause.unwrap_or_default();
    let cause = if is_connect {
        format!("no connection: {cause}")
    } else {
        cause
    };
    Failure::new(Failure::HTTP, format!("{what}: {cause}"))
}

/// The error, what caused it, and so on.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

#[cfg(test)]
mod tests {
    use reqwest::dns::{Name, Resolve, Resolving};

    use super::*;

    /// A name server that knows one address for all names: one that is refused.
    struct LinkLocalOnly;

    impl Resolve for LinkLocalOnly {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(async { Err(LinkLocalRefused.into()) })
        }
    }

    #[tokio::test]
    async fn a_name_that_is_refused_by_its_address_is_not_tried_again() {
        let client = Client::builder().dns_resolver(Arc::new(LinkLocalOnly));
        let client = client.no_proxy().build().unwrap();
        let sent = client.get("http://metadata.example/?code=hush").send();
        let failure = no_answer("GET http://metadata.example/", sent.await.unwrap_err());
        assert!(failure.message().contains("allow_link_local"), "{failure}");
        assert!(!failure.message().contains("hush"), "{failure}");
        assert!(failure.is_non_retriable());
    }
}
