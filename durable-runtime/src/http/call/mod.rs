//! Sending the requests of orchestrations.

mod client_credentials;
mod fence;
mod managed_identity;
mod options;
mod retry_after;
mod sender;
mod token;
mod token_endpoint;

pub use client_credentials::ClientCredentials;
pub use managed_identity::ManagedIdentityEndpoint;
pub use options::HttpCallOptions;
pub use token::{AccessToken, TokenSource};

pub use crate::model::http::{
    DurableHttpRequest, DurableHttpResponse, HttpHeaders, HttpRetryOptions,
    ManagedIdentityTokenSource, RegisteredTokenSource, TokenReference, UnexpectedStatus,
};
pub use futures_core::future::BoxFuture;

#[cfg(feature = "testing")]
pub(crate) use retry_after::answered;
pub(crate) use sender::{HTTP_CALLS, HttpSender};
pub(crate) use token::TokenSources;
