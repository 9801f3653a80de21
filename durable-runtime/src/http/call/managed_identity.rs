//! Tokens of the identity that the cloud gives to a machine or service.

use std::fmt;

use super::AccessToken;
use super::token_endpoint::{LazyClient, ask};
use crate::model::http::ManagedIdentityTokenSource;
use crate::model::{Error, Result};

/// Where tokens of the managed identity come from.
#[derive(Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ManagedIdentityEndpoint {
    /// The endpoint that `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name in the environment, as in App
    /// Service, Functions and Container Apps; without these, the instance metadata service.
    #[default]
    Detect,
    /// An instance metadata service at another address than its own,
    /// `http://169.254.169.254/metadata/identity/oauth2/token`.
    InstanceMetadata {
        /// The URL without a query.
        url: String,
    },
    /// An endpoint as `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name it.
    Service {
        /// The URL without a query.
        url: String,
        /// The secret that it is asked with.
        header: String,
    },
}

/// The header is a secret.
impl fmt::Debug for ManagedIdentityEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Detect => f.write_str("Detect"),
            Self::InstanceMetadata { url } => f
                .debug_struct("InstanceMetadata")
                .field("url", url)
                .finish(),
            Self::Service { url, .. } => f
                .debug_struct("Service")
                .field("url", url)
                .finish_non_exhaustive(),
        }
    }
}

const INSTANCE_METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Fetches tokens of the managed identity.
#[derive(Debug)]
pub(super) struct ManagedIdentity {
    endpoint: ManagedIdentityEndpoint,
    client: LazyClient,
}

impl ManagedIdentity {
    pub(super) fn new(endpoint: ManagedIdentityEndpoint) -> Self {
        let endpoint = match endpoint {
            ManagedIdentityEndpoint::Detect => detect(
                std::env::var("IDENTITY_ENDPOINT").ok(),
                std::env::var("IDENTITY_HEADER").ok(),
            ),
            given => given,
        };
        Self {
            endpoint,
            client: LazyClient::default(),
        }
    }

    pub(super) async fn fetch(&self, wanted: &ManagedIdentityTokenSource) -> Result<AccessToken> {
        // These endpoints are beside the machine, and no proxy is to see what they say.
        let client = self.client.get(reqwest::ClientBuilder::no_proxy)?;
        let (version, request) = match &self.endpoint {
            ManagedIdentityEndpoint::Service { url, header } => {
                let request = client.get(url).header("X-IDENTITY-HEADER", header);
                ("2019-08-01", request)
            }
            ManagedIdentityEndpoint::InstanceMetadata { url } => {
                ("2018-02-01", client.get(url).header("Metadata", "true"))
            }
            ManagedIdentityEndpoint::Detect => {
                return Err(Error::non_retriable("there is no endpoint"));
            }
        };
        let mut query = vec![("api-version", version), ("resource", wanted.resource())];
        query.extend(wanted.identity().map(|id| ("client_id", id)));
        ask(request.query(&query)).await
    }
}

fn detect(endpoint: Option<String>, header: Option<String>) -> ManagedIdentityEndpoint {
    match (endpoint, header) {
        (Some(url), Some(header)) if !url.is_empty() => {
            ManagedIdentityEndpoint::Service { url, header }
        }
        _ => ManagedIdentityEndpoint::InstanceMetadata {
            url: INSTANCE_METADATA.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_says_where_tokens_come_from() {
        let text = |text: &str| Some(text.to_owned());
        let service = detect(text("http://localhost:41741/token"), text("hush"));
        assert!(!format!("{service:?}").contains("hush"));
        assert_eq!(
            service,
            ManagedIdentityEndpoint::Service {
                url: "http://localhost:41741/token".to_owned(),
                header: "hush".to_owned(),
            }
        );
        for (endpoint, header) in [
            (None, None),
            (text("http://a/"), None),
            (text(""), text("x")),
        ] {
            assert_eq!(
                detect(endpoint, header),
                ManagedIdentityEndpoint::InstanceMetadata {
                    url: INSTANCE_METADATA.to_owned()
                }
            );
        }
    }
}
