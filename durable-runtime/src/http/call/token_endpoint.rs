//! The answers of the endpoints that give tokens.

use std::sync::OnceLock;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder, redirect};
use serde::Deserialize;
use serde_json::Value;

use super::AccessToken;
use crate::clock;
use crate::model::{Error, Result};

/// A client for one endpoint, made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct LazyClient(OnceLock<Client>);

impl LazyClient {
    pub(super) fn get(&self, settings: fn(ClientBuilder) -> ClientBuilder) -> Result<Client> {
        if let Some(client) = self.0.get() {
            return Ok(client.clone());
        }
        // A secret goes to this endpoint and to no other.
        let builder = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(Duration::from_secs(30));
        let client = settings(builder).build()?;
        Ok(self.0.get_or_init(|| client).clone())
    }
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    /// Seconds; some endpoints write them as text.
    expires_in: Option<Value>,
    /// Seconds since 1970.
    expires_on: Option<Value>,
}

#[derive(Deserialize)]
struct Refused {
    error: Option<String>,
    error_description: Option<String>,
    message: Option<String>,
}

/// Sends a request for a token. Neither the request nor a token is part of any error.
pub(super) async fn ask(request: RequestBuilder) -> Result<AccessToken> {
    /// More than any token has.
    const LIMIT: usize = 64 * 1024;
    let sent = request.send().await.map_err(no_answer)?;
    let status = sent.status();
    let mut response = sent;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        body.extend_from_slice(&chunk);
        if body.len() > LIMIT {
            return Err(Error::non_retriable("the answer is too long for a token"));
        }
    }
    if status.is_success() {
        return read(&body);
    }
    let message = match serde_json::from_slice(&body) {
        Ok(Refused {
            error,
            error_description,
            message,
        }) => [error, error_description.or(message)]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(": "),
        Err(_) => String::new(),
    };
    let error = Error::msg(format!("the endpoint answered {status}: {message}"));
    // These pass.
    let passes = status.is_server_error() || [404, 408, 410, 429].contains(&status.as_u16());
    Err(if passes {
        error
    } else {
        error.into_non_retriable()
    })
}

fn no_answer(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let links = std::iter::successors(Some(&error as &dyn std::error::Error), |link| link.source());
    let cause = links.last().map(ToString::to_string).unwrap_or_default();
    Error::msg(format!("the endpoint does not answer: {cause}"))
}

fn read(body: &[u8]) -> Result<AccessToken> {
    let Ok(granted) = serde_json::from_slice::<Granted>(body) else {
        // What serde says may quote what is there.
        let message = "the answer of the endpoint is no token response";
        return Err(Error::non_retriable(message));
    };
    let token = AccessToken::new(granted.access_token);
    let left = granted.expires_in.as_ref().and_then(seconds).or_else(|| {
        let until = seconds(granted.expires_on.as_ref()?)?;
        let now = u64::try_from(clock::now().timestamp()).ok()?;
        Some(until.saturating_sub(now))
    });
    Ok(match left {
        Some(seconds) => token.expires_in(Duration::from_secs(seconds)),
        None => token,
    })
}

fn seconds(value: &Value) -> Option<u64> {
    match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_in_every_form() {
        let token = |seconds| AccessToken::new("t").expires_in(Duration::from_secs(seconds));
        let read = |json: &str| read(json.as_bytes()).unwrap();
        assert_eq!(
            read(r#"{"access_token": "t", "expires_in": 60}"#),
            token(60)
        );
        assert_eq!(
            read(r#"{"access_token": "t", "expires_in": "60"}"#),
            token(60)
        );
        assert_eq!(
            read(r#"{"access_token": "t", "expires_on": "5"}"#),
            token(0)
        );
        assert_eq!(read(r#"{"access_token": "t"}"#), AccessToken::new("t"));
    }

    #[test]
    fn what_is_no_token_is_not_quoted() {
        for body in [r#"{"access_token": 7, "hush": 1}"#, "hush", ""] {
            let error = read(body.as_bytes()).unwrap_err();
            assert!(!format!("{error:?}").contains("hush"), "{error}");
        }
    }
}
