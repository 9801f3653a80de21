//! Where the token of a request comes from: by name, for history must not hold what it is made of.

use serde::{Deserialize, Serialize};

/// What a request says of its token: which source gives it, and for what. That is what stands in
/// history; the token is fetched when the request is sent, and stands nowhere.
///
/// Made from a [`ManagedIdentityTokenSource`], a [`RegisteredTokenSource`], or the name of a registered
/// source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind")]
#[non_exhaustive]
pub enum TokenReference {
    /// The identity of the machine or service that the host runs on.
    #[serde(rename = "AzureManagedIdentity")]
    ManagedIdentity(ManagedIdentityTokenSource),
    /// A source that was given to the host.
    Registered(RegisteredTokenSource),
}

/// A token of the managed identity that the host runs under, for one resource.
///
/// The host asks the endpoint that `IDENTITY_ENDPOINT` and `IDENTITY_HEADER` name in its environment,
/// else the instance metadata service of the virtual machine.
///
/// ```
/// use durable_runtime::http::{DurableHttpRequest, ManagedIdentityTokenSource};
///
/// let request = DurableHttpRequest::get("https://management.azure.com/subscriptions?api-version=2022-12-01")
///     .token_source(ManagedIdentityTokenSource::new("https://management.azure.com/"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentityTokenSource {
    resource: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
}

impl ManagedIdentityTokenSource {
    /// A token for `resource`, such as `https://management.azure.com/`. A scope (a resource with
    /// `/.default` behind it) stands for its resource.
    pub fn new(resource: impl Into<String>) -> Self {
        Self {
            resource: resource.into(),
            client_id: None,
        }
    }

    /// Of the user-assigned identity with this client id, in place of the system's own.
    #[must_use]
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    pub(crate) fn resource(&self) -> &str {
        let resource = self.resource.as_str();
        resource.strip_suffix("/.default").unwrap_or(resource)
    }

    pub(crate) fn identity(&self) -> Option<&str> {
        self.client_id.as_deref()
    }
}

/// A token of a source that the host was given as
/// [`token_source(name, source)`](crate::host::DurableHostBuilder::token_source).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RegisteredTokenSource {
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resource: Option<String>,
}

impl RegisteredTokenSource {
    /// A token of the source `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            resource: None,
        }
    }

    /// For this resource or scope; without it, the one that the source was made with.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }
}

impl From<ManagedIdentityTokenSource> for TokenReference {
    fn from(source: ManagedIdentityTokenSource) -> Self {
        Self::ManagedIdentity(source)
    }
}

impl From<RegisteredTokenSource> for TokenReference {
    fn from(source: RegisteredTokenSource) -> Self {
        Self::Registered(source)
    }
}

impl From<&str> for TokenReference {
    fn from(name: &str) -> Self {
        Self::Registered(RegisteredTokenSource::new(name))
    }
}

impl From<String> for TokenReference {
    fn from(name: String) -> Self {
        Self::Registered(RegisteredTokenSource::new(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_says_which_source_and_for_what() {
        let json = |reference: TokenReference| serde_json::to_string(&reference).unwrap();
        let source = ManagedIdentityTokenSource::new("https://vault.azure.net/.default");
        assert_eq!(source.resource(), "https://vault.azure.net");
        assert_eq!(
            json(source.into()),
            r#"{"kind":"AzureManagedIdentity","resource":"https://vault.azure.net/.default"}"#
        );
        assert_eq!(json("crm".into()), r#"{"kind":"Registered","name":"crm"}"#);
    }
}
