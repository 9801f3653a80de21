//! A host that serves HTTP, and the functions that it runs.

use std::time::Duration;

use durable_runtime::client::{DurableClient, RuntimeStatus};
use durable_runtime::host::{DurableHostBuilder, HostOptions};
use durable_runtime::http::HttpOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How long a test may take before it counts as stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
pub(crate) const HUB: &str = "HttpHub";
pub(crate) const BASE: &str = "/runtime/webhooks/durabletask";

#[activity]
async fn greet(name: String) -> Result<String> {
    if name == "nobody" {
        return Err(Error::non_retriable("there is nobody to greet"));
    }
    Ok(format!("Hello {name}!"))
}

/// Greets whom it is given.
#[orchestrator]
async fn hello(ctx: OrchestrationContext, name: String) -> Result<String> {
    Ok(ctx.call_activity::<greet>(name).await?)
}

/// Takes nothing.
#[orchestrator]
async fn nothing(_ctx: OrchestrationContext) -> Result<u32> {
    Ok(7)
}

/// Returns what it is given.
#[orchestrator]
async fn echo(_ctx: OrchestrationContext, input: Value) -> Result<Value> {
    Ok(input)
}

/// Takes nothing, in a version.
#[orchestrator(version = "1.5")]
async fn versioned(_ctx: OrchestrationContext) -> Result<()> {
    Ok(())
}

/// Waits for the event `go` and returns what comes with it.
#[orchestrator]
async fn wait(ctx: OrchestrationContext) -> Result<Value> {
    ctx.set_custom_status("waiting")?;
    Ok(ctx.wait_for_external_event::<Value>("go").await?)
}

/// Has a child, calls an entity, sleeps, and fails in a way that it recovers from.
#[orchestrator]
async fn everything(ctx: OrchestrationContext) -> Result<String> {
    let greeting: String = ctx.call_sub_orchestrator::<hello>("child").await?;
    ctx.entity::<Counter>("of everything").add(1).await?;
    ctx.sleep(Duration::from_millis(1)).await;
    let failed = ctx.call_activity::<greet>("nobody").await;
    Ok(format!("{greeting} {}", failed.is_err()))
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Counter {
    value: i64,
    text: String,
}

#[entity]
impl Counter {
    fn add(&mut self, amount: i64) {
        self.value += amount;
    }

    fn say(&mut self, text: String) {
        self.text = text;
    }
}

/// A host that runs, and where it is.
pub(crate) struct Site {
    pub(crate) host: DurableHost,
    http: reqwest::Client,
}

impl Site {
    pub(crate) async fn new() -> Self {
        Self::with(HttpOptions::default()).await
    }

    pub(crate) async fn with(options: HttpOptions) -> Self {
        Self::of(builder("127.0.0.1:0", options)).await
    }

    pub(crate) async fn of(builder: DurableHostBuilder) -> Self {
        Self {
            host: builder.start().await.unwrap(),
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn client(&self) -> DurableClient {
        self.host.client()
    }

    pub(crate) fn origin(&self) -> String {
        let port = self.host.http_address().unwrap().port();
        format!("http://127.0.0.1:{port}")
    }

    /// A request to a path below the base.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{BASE}{path}", self.origin());
        self.http.request(method, url).timeout(PATIENCE)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// Posts nothing.
    pub(crate) async fn post(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::POST, path)).await
    }

    /// Posts JSON.
    pub(crate) async fn post_json(&self, path: &str, body: &str) -> Answer {
        let request = self.request(Method::POST, path);
        let request = request.header("content-type", "application/json");
        Answer::of(request.body(body.to_owned())).await
    }

    /// Starts an instance of `wait` that has come to its event.
    pub(crate) async fn waiting(&self, id: &str) {
        let started = self.post(&format!("/orchestrators/wait/{id}")).await;
        started.expect(StatusCode::ACCEPTED);
        self.until(id, RuntimeStatus::Running).await;
    }

    /// Runs an orchestrator to its end.
    pub(crate) async fn ended(&self, name: &str, id: &str, input: &str) {
        let path = format!("/orchestrators/{name}/{id}");
        self.post_json(&path, input)
            .await
            .expect(StatusCode::ACCEPTED);
        self.client()
            .wait_for_completion(id, PATIENCE)
            .await
            .unwrap();
    }

    /// Waits until an instance has a status.
    pub(crate) async fn until(&self, id: &str, status: RuntimeStatus) {
        eventually(&format!("{id} is {status}"), async || {
            let found = self.client().get_status(id).await.unwrap();
            found
                .filter(|found| found.runtime_status == status)
                .map(drop)
        })
        .await;
    }
}

/// A host on memory that serves HTTP at `address`.
pub(crate) fn builder(address: &str, options: HttpOptions) -> DurableHostBuilder {
    DurableHost::builder()
        .task_hub(HUB)
        .storage(Memory::new())
        .options(HostOptions {
            replay_check: true,
            ..HostOptions::default()
        })
        .http(address)
        .http_options(options)
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response: Response = request.send().await.unwrap();
        Self {
            status: response.status(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    /// Fails unless the answer has this code.
    #[track_caller]
    pub(crate) fn expect(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.text);
        self
    }

    /// Fails unless it is an error in JSON, as rule 42 has them.
    #[track_caller]
    pub(crate) fn expect_error(self, status: StatusCode, part: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let body = answer.json();
        for field in ["error", "ExceptionMessage"] {
            let text = body[field].as_str().unwrap_or_default();
            assert!(text.contains(part), "{field}: {body}");
        }
        assert!(body["Message"].is_string(), "{body}");
        answer
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {:?}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// Waits until `attempt` gives something.
pub(crate) async fn eventually<T>(what: &str, mut attempt: impl AsyncFnMut() -> Option<T>) -> T {
    let mut look = tokio::time::interval(Duration::from_millis(5));
    let found = async {
        loop {
            look.tick().await;
            if let Some(found) = attempt().await {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(PATIENCE, found).await;
    found.unwrap_or_else(|_| panic!("never: {what}"))
}
