//! Tokens by the client credentials of OAuth 2.0.

use std::fmt;

use futures_core::future::BoxFuture;

use super::token_endpoint::{LazyClient, ask};
use super::{AccessToken, TokenSource};
use crate::model::Result;

/// Tokens that a program gets by a secret of its own: the client credentials grant of OAuth 2.0.
///
/// ```no_run
/// use durable_runtime::http::ClientCredentials;
/// use durable_runtime::prelude::*;
///
/// # fn example() -> Result<()> {
/// let secret = std::env::var("CRM_SECRET")?;
/// let source = ClientCredentials::new("https://login.example.com/oauth2/token", "my-app", secret)
///     .scope("https://crm.example.com/.default");
/// let builder = DurableHost::builder().token_source("crm", source);
/// # Ok(())
/// # }
/// ```
pub struct ClientCredentials {
    token_url: String,
    client_id: String,
    client_secret: String,
    scope: Option<String>,
    parameters: Vec<(String, String)>,
    authentication: Authentication,
    client: LazyClient,
}

#[derive(Debug, Clone, Copy)]
enum Authentication {
    Body,
    Header,
}

impl ClientCredentials {
    /// The credentials of `client_id`, which are sent to `token_url` only.
    pub fn new(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Self {
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scope: None,
            parameters: Vec::new(),
            authentication: Authentication::Body,
            client: LazyClient::default(),
        }
    }

    /// The scope that is asked for, unless a request names another one as its resource.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// A further parameter of the request for a token, such as `audience`.
    #[must_use]
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sends id and secret as `Authorization: Basic` in place of parameters in the body.
    #[must_use]
    pub fn basic_authentication(mut self) -> Self {
        self.authentication = Authentication::Header;
        self
    }

    async fn fetch(&self, scope: Option<&str>) -> Result<AccessToken> {
        let mut form = vec![("grant_type", "client_credentials")];
        form.extend(scope.map(|scope| ("scope", scope)));
        let more = self.parameters.iter();
        form.extend(more.map(|(name, value)| (name.as_str(), value.as_str())));
        let mut request = self.client.get(|client| client)?.post(&self.token_url);
        match self.authentication {
            Authentication::Body => {
                form.push(("client_id", &self.client_id));
                form.push(("client_secret", &self.client_secret));
            }
            Authentication::Header => {
                request = request.basic_auth(&self.client_id, Some(&self.client_secret));
            }
        }
        ask(request.header("accept", "application/json").form(&form)).await
    }
}

impl TokenSource for ClientCredentials {
    fn token<'a>(&'a self, resource: Option<&'a str>) -> BoxFuture<'a, Result<AccessToken>> {
        Box::pin(self.fetch(resource.or(self.scope.as_deref())))
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientCredentials")
            .field("token_url", &self.token_url)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}
