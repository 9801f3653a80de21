//! Hosts in virtual time, and a server that is played.

use std::time::Duration;

use durable_runtime::http::{DurableHttpRequest, DurableHttpResponse};
use durable_runtime::prelude::*;
use durable_runtime::testing::{ActivityMock, TestHost, run_with};

pub(crate) use crate::hosts::DAY;

pub(crate) const MINUTE: Duration = Duration::from_secs(60);
pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
/// How long passes between two requests of a poll when the server does not say.
pub(crate) const POLL_INTERVAL: Duration = Duration::from_secs(30);
/// Where the server that is played is.
pub(crate) const URL: &str = "https://played.example/";

/// Runs a test with a host that keeps everything in memory, and with one that crashes after every commit.
pub(crate) fn calm_and_crashing(test: impl AsyncFn(TestHost)) {
    crate::hosts::calm_and_crashing(TestHost::builder, |host| {
        run_with(host, async |host| test(host).await);
    });
}

/// What the server is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    /// How many came before it.
    pub(crate) number: u32,
    pub(crate) request: DurableHttpRequest,
}

/// Has `answer` play the server.
pub(crate) fn mock(
    host: &TestHost,
    answer: impl Fn(&Asked) -> Result<DurableHttpResponse> + Send + 'static,
) -> ActivityMock<DurableHttpRequest> {
    let mut numbers = 0..;
    host.mock_http(move |request| {
        let number = numbers.next().unwrap_or(u32::MAX);
        answer(&Asked { number, request })
    })
}

/// `GET https://..`, one for each request.
pub(crate) fn lines(http: &ActivityMock<DurableHttpRequest>) -> Vec<String> {
    let inputs = http.inputs();
    let line = |asked: &DurableHttpRequest| format!("{} {}", asked.method(), asked.url());
    inputs.iter().map(line).collect()
}
