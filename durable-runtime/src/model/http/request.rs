//! A request that an orchestration sends.

use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde::{Deserialize, Serialize};

use super::content::{to_bytes, to_text};
use super::{HttpHeaders, HttpRetryOptions, TokenReference};
use crate::model::Failure;

/// A request for [`call_http`](crate::OrchestrationContext::call_http).
///
/// It stands in history as it is, headers, content and the query of the URL included: what is secret
/// belongs into a [`token_source`](Self::token_source).
///
/// ```
/// use durable_runtime::http::DurableHttpRequest;
/// use durable_runtime::prelude::*;
///
/// #[orchestrator]
/// async fn restart_machine(ctx: OrchestrationContext, machine: String) -> Result<u16> {
///     let url = format!("https://machines.example.com/{machine}/restart");
///     let request = DurableHttpRequest::new("POST", url)
///         .header("accept", "application/json")
///         .token_source("machines");
///     // Comes back when the machine has restarted: a 202 is polled until then.
///     let response = ctx.call_http(request).await?;
///     Ok(response.status_code)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DurableHttpRequest {
    method: String,
    uri: String,
    #[serde(default, skip_serializing_if = "HttpHeaders::is_empty")]
    headers: HttpHeaders,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_base64: bool,
    #[serde(default = "yes", rename = "asynchronousPatternEnabled")]
    asynchronous_pattern: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token_source: Option<TokenReference>,
    #[serde(
        default,
        rename = "retryOptions",
        skip_serializing_if = "Option::is_none"
    )]
    retry: Option<HttpRetryOptions>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timeout: Option<Duration>,
    /// Why a content that was to be JSON is none.
    #[serde(skip)]
    not_json: Option<String>,
}

fn yes() -> bool {
    true
}

impl DurableHttpRequest {
    /// A request with the method `method` to the absolute URL `url`, `http` or `https`. One that is
    /// not valid makes the call fail, before anything is sent.
    pub fn new(method: impl AsRef<str>, url: impl AsRef<str>) -> Self {
        Self {
            method: method.as_ref().to_owned(),
            uri: url.as_ref().to_owned(),
            headers: HttpHeaders::default(),
            content: None,
            is_base64: false,
            asynchronous_pattern: true,
            token_source: None,
            retry: None,
            timeout: None,
            not_json: None,
        }
    }

    /// A `GET` request.
    pub fn get(url: impl AsRef<str>) -> Self {
        Self::new("GET", url)
    }

    /// A `POST` request.
    pub fn post(url: impl AsRef<str>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header. `Content-Length` and `Transfer-Encoding` are left to the sender. Where a redirect
    /// or a poll leads to another server (another scheme, host or port), the headers that hold secrets
    /// by their name are left out: `Authorization`, `Proxy-Authorization`, `Cookie`, and those of keys,
    /// such as `X-Api-Key` and `X-Functions-Key`. The latter goes to no poll at all: it is the key of
    /// the function that was called.
    #[must_use]
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        self.headers.append(name.as_ref(), value.as_ref());
        self
    }

    /// The body: text or bytes.
    #[must_use]
    pub fn content(mut self, content: impl AsRef<[u8]>) -> Self {
        let (content, is_base64) = to_text(content.as_ref().to_vec());
        self.content = Some(content);
        self.is_base64 = is_base64;
        self.not_json = None;
        self
    }

    /// The body as JSON, with the `Content-Type` `application/json` if there is none yet. A value that
    /// cannot be serialized makes the call fail, before anything is sent.
    #[must_use]
    pub fn json(self, value: impl Serialize) -> Self {
        let encoded = serde_json::to_vec(&value);
        let mut request = self.content(encoded.as_deref().unwrap_or_default());
        request.not_json = encoded.err().map(|error| error.to_string());
        if !request.headers.contains("content-type") {
            request.headers.insert("content-type", "application/json");
        }
        request
    }

    /// Sends a bearer token of this source as `Authorization`: the name of one that the host was given
    /// ([`DurableHostBuilder::token_source`](crate::host::DurableHostBuilder::token_source)), or a
    /// [`ManagedIdentityTokenSource`](super::ManagedIdentityTokenSource). The token is fetched when
    /// the request is sent, and stands in no history and no log.
    #[must_use]
    pub fn token_source(mut self, source: impl Into<TokenReference>) -> Self {
        self.token_source = Some(source.into());
        self
    }

    /// Sends again when there is no answer or one of an error: [`HttpRetryOptions`] or a
    /// [`RetryPolicy`](crate::RetryPolicy). Each request of a poll has its own attempts.
    #[must_use]
    pub fn retry(mut self, options: impl Into<HttpRetryOptions>) -> Self {
        self.retry = Some(options.into());
        self
    }

    /// The call fails with [`is_timeout`](crate::TaskFailed::is_timeout) when it takes longer than
    /// `timeout`, with all retries and polling. One attempt also has the limit of the host's
    /// [`HttpCallOptions::request_timeout`](crate::http::HttpCallOptions::request_timeout).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether a 202 with a `Location` is polled there, with `GET`, until the answer is another one.
    /// Default: `true`. Between two requests a durable timer waits for as long as `Retry-After` says,
    /// or [`HttpCallOptions::poll_interval`](crate::http::HttpCallOptions::poll_interval).
    #[must_use]
    pub fn asynchronous_pattern(mut self, enabled: bool) -> Self {
        self.asynchronous_pattern = enabled;
        self
    }

    /// The method, such as `POST`.
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The URL that it is sent to.
    pub fn url(&self) -> &str {
        &self.uri
    }

    pub(crate) fn polls(&self) -> bool {
        self.asynchronous_pattern
    }

    pub(crate) fn retry_options(&self) -> Option<&HttpRetryOptions> {
        self.retry.as_ref()
    }

    pub(crate) fn time_limit(&self) -> Option<Duration> {
        self.timeout
    }

    pub(crate) fn token_reference(&self) -> Option<&TokenReference> {
        self.token_source.as_ref()
    }

    pub(crate) fn body(&self) -> Option<Vec<u8>> {
        let content = self.content.as_deref()?;
        Some(to_bytes(content, self.is_base64))
    }

    pub(crate) fn header_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let ours = ["content-length", "transfer-encoding"];
        self.headers
            .iter()
            .filter(move |(name, _)| !ours.contains(name))
    }

    /// The method and the URL, once they are known to be valid.
    pub(crate) fn target(&self) -> Result<(Method, Url), Failure> {
        let method = Method::from_bytes(self.method.as_bytes())
            .ok()
            .filter(|method| *method != Method::CONNECT)
            .ok_or_else(|| refused(format!("{:?} is no HTTP method for a call", self.method)))?;
        let url = Url::parse(&self.uri).map_err(|error| {
            refused(format!(
                "{:?} is no absolute URL: {error}",
                without_query(&self.uri)
            ))
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme();
            return Err(refused(format!(
                "an HTTP call is made to an `http` or `https` URL, not to one with `{scheme}`"
            )));
        }
        Ok((method, url))
    }

    /// Whether the request can be sent at all.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        self.target()?;
        if let Some(error) = &self.not_json {
            return Err(refused(format!("the content is no JSON: {error}")));
        }
        for (name, value) in self.headers.iter() {
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| refused(format!("{name:?} is no name of a header")))?;
            // The value may be a secret that has a line break at its end.
            HeaderValue::from_str(value)
                .map_err(|_| refused(format!("the value of header {name:?} is not valid")))?;
        }
        Ok(())
    }

    /// The request that asks how far a job has come, after an answer from `url` that says so.
    pub(crate) fn poll(&self, url: &str, location: &str) -> Result<Self, Failure> {
        let mut request = self.moved(url, location)?;
        request.become_get();
        // The key of a function is for that function, and not for what tells the status.
        request.headers.remove("x-functions-key");
        Ok(request)
    }

    /// The request that follows a redirect: `status` is one from 301 to 308.
    pub(crate) fn redirected(
        &self,
        status: u16,
        url: &str,
        location: &str,
    ) -> Result<Self, Failure> {
        let mut request = self.moved(url, location)?;
        // As browsers do it: only 307 and 308 keep the method.
        let becomes_get = match status {
            301 | 302 => self.method == "POST",
            303 => self.method != "HEAD",
            _ => false,
        };
        if becomes_get {
            request.become_get();
        }
        Ok(request)
    }

    fn become_get(&mut self) {
        "GET".clone_into(&mut self.method);
        self.content = None;
        for name in CONTENT {
            self.headers.remove(name);
        }
    }

    /// The request to another place. What is secret goes only to the server that it was meant for.
    fn moved(&self, url: &str, location: &str) -> Result<Self, Failure> {
        let target = Url::parse(url).and_then(|url| Ok((url.join(location)?, url)));
        let (target, url) = target.map_err(|error| {
            let location = without_query(location);
            refused(format!(
                "the `Location` of the answer, {location:?}, leads nowhere: {error}"
            ))
        })?;
        if url.scheme() == "https" && target.scheme() != "https" {
            return Err(refused(format!(
                "{} sends on to {}, which is not encrypted",
                shown(&url),
                shown(&target)
            )));
        }
        let mut request = self.clone();
        if target.origin() != url.origin() {
            request.token_source = None;
            for name in SECRETS {
                request.headers.remove(name);
            }
        }
        request.headers.remove("host");
        target.as_str().clone_into(&mut request.uri);
        Ok(request)
    }
}

/// What describes a body.
const CONTENT: [&str; 5] = [
    "content-encoding",
    "content-language",
    "content-location",
    "content-type",
    "expect",
];

/// What a server is to prove or to know a client by.
const SECRETS: [&str; 8] = [
    "api-key",
    "authorization",
    "cookie",
    "ocp-apim-subscription-key",
    "proxy-authorization",
    "x-api-key",
    "x-auth-token",
    "x-functions-key",
];

fn refused(message: String) -> Failure {
    Failure::new(Failure::HTTP, message).non_retriable()
}

/// A URL as it may stand in messages: without what may be secret.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // It fails only where there is no host, and then there is none of this.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}

fn without_query(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(request: &DurableHttpRequest) -> String {
        let failure = request.check().unwrap_err();
        assert!(failure.is_non_retriable());
        assert_eq!(failure.error_type(), Failure::HTTP);
        failure.message().to_owned()
    }

    #[test]
    fn what_cannot_be_sent_says_why() {
        let get = DurableHttpRequest::get;
        let cases = [
            (get("/orders"), "no absolute URL"),
            (get("ftp://example.com/"), "not to one with `ftp`"),
            (get("http://"), "no absolute URL"),
            (
                DurableHttpRequest::new("G ET", "http://a/"),
                "no HTTP method",
            ),
            (
                DurableHttpRequest::new("CONNECT", "http://a/"),
                "no HTTP method",
            ),
            (get("http://a/").header("x y", "1"), "\"x y\" is no name"),
            (get("http://a/").header("x", "a\nb"), "header \"x\""),
            (
                get("http://a/").json(std::collections::BTreeMap::from([((1, 2), 3)])),
                "no JSON",
            ),
        ];
        for (request, expected) in cases {
            let message = message(&request);
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn messages_hold_no_query_and_no_credentials() {
        let message = message(&DurableHttpRequest::get("no-url?code=hush"));
        assert!(!message.contains("hush"), "{message}");
        let url = Url::parse("https://me:hush@example.com:8443/a?code=hush#hush").unwrap();
        assert_eq!(shown(&url), "https://example.com:8443/a");
    }

    #[test]
    fn it_stands_in_json_as_in_other_implementations() {
        let request = DurableHttpRequest::new("PUT", "https://example.com/a")
            .header("Accept", "text/plain")
            .json([1])
            .token_source("crm")
            .retry(HttpRetryOptions::new(2, Duration::from_secs(1)))
            .timeout(Duration::from_secs(60));
        request.check().unwrap();
        let json = serde_json::to_value(&request).unwrap();
        assert_eq!(json["method"], "PUT");
        assert_eq!(json["uri"], "https://example.com/a");
        assert_eq!(json["headers"]["accept"], "text/plain");
        assert_eq!(json["headers"]["content-type"], "application/json");
        assert_eq!(json["content"], "[1]");
        assert_eq!(json["tokenSource"]["name"], "crm");
        assert_eq!(json["asynchronousPatternEnabled"], true);
        assert_eq!(json["retryOptions"]["maxAttempts"], 2);
        let read: DurableHttpRequest = serde_json::from_value(json).unwrap();
        assert_eq!(read, request);
        let short: DurableHttpRequest =
            serde_json::from_str(r#"{"method": "GET", "uri": "http://a/"}"#).unwrap();
        assert_eq!(short, DurableHttpRequest::get("http://a/"));
    }

    // Rule 44: a 202 is polled at its `Location`, which may be relative.
    #[test]
    fn a_poll_is_a_get_of_the_location() {
        let request = DurableHttpRequest::post("http://a/jobs/?x=1")
            .header("x-functions-key", "k")
            .header("authorization", "Bearer mine")
            .token_source("crm")
            .json(1);
        let poll = request.poll("http://a/jobs/?x=1", "7/status").unwrap();
        assert_eq!(
            poll,
            DurableHttpRequest::get("http://a/jobs/7/status")
                .header("authorization", "Bearer mine")
                .token_source("crm")
        );
        assert!(request.poll("http://a/", "http://[").is_err());
    }

    #[test]
    fn secrets_do_not_go_to_another_server() {
        let request = DurableHttpRequest::get("https://a/")
            .header("Authorization", "Bearer mine")
            .header("Cookie", "session=1")
            .header("Host", "inner.a")
            .header("Accept", "text/plain")
            .token_source("crm");
        for other in ["https://b/", "https://a:8443/", "//b/x"] {
            let moved = request.redirected(307, "https://a/", other).unwrap();
            assert_eq!(moved.token_source, None, "{other}");
            let left: Vec<_> = moved.headers.iter().collect();
            assert_eq!(left, [("accept", "text/plain")], "{other}");
        }
        let unencrypted = request.redirected(307, "https://a/", "http://a/");
        let message = unencrypted.unwrap_err().to_string();
        assert!(message.contains("not encrypted"), "{message}");
    }

    #[test]
    fn a_redirect_keeps_the_method_where_it_must() {
        let method = |method, status| {
            let request = DurableHttpRequest::new(method, "http://a/").content("x");
            let moved = request.redirected(status, "http://a/", "/b").unwrap();
            assert_eq!(moved.content.is_some(), moved.method == method);
            moved.method
        };
        assert_eq!(method("POST", 301), "GET");
        assert_eq!(method("POST", 302), "GET");
        assert_eq!(method("PUT", 302), "PUT");
        assert_eq!(method("PUT", 303), "GET");
        assert_eq!(method("POST", 307), "POST");
        assert_eq!(method("DELETE", 308), "DELETE");
    }
}
