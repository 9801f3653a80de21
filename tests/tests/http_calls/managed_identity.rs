//! Tokens of the managed identity, from stand-ins of the two kinds of endpoints.

use durable_runtime::http::{
    DurableHttpRequest, HttpCallOptions, ManagedIdentityEndpoint, ManagedIdentityTokenSource,
};
use durable_runtime::storage::Memory;

use crate::server::{Reply, Server};
use crate::support::{Bench, builder, quick};

async fn asked(
    endpoint: impl Fn(String) -> ManagedIdentityEndpoint,
) -> (String, Option<String>, Option<String>) {
    let identity = Server::start(|_| {
        Reply::ok(r#"{"access_token": "of-the-machine", "expires_on": "4102444800"}"#)
    })
    .await;
    let server = Server::start(|_| Reply::ok("")).await;
    let options = HttpCallOptions {
        managed_identity: endpoint(identity.url("/token")),
        // It is not among the hosts that requests may go to.
        allowed_hosts: Some(vec!["localhost".to_owned()]),
        ..quick()
    };
    let bench = Bench::of(builder(Memory::new()).http_calls(options)).await;
    let source = ManagedIdentityTokenSource::new("https://vault.example/.default").client_id("me");
    let url = format!("http://localhost:{}/", server.port());
    for _ in 0..2 {
        let request = DurableHttpRequest::get(&url).token_source(source.clone());
        assert_eq!(bench.response(request).await.status_code, 200);
    }
    for request in server.received() {
        assert_eq!(
            request.header("authorization"),
            Some("Bearer of-the-machine")
        );
    }
    let [request] = &identity.received()[..] else {
        panic!("it is asked once");
    };
    let header = |name| request.header(name).map(str::to_owned);
    (
        request.path.clone(),
        header("metadata"),
        header("x-identity-header"),
    )
}

#[tokio::test]
async fn the_instance_metadata_service_is_asked_for_the_resource() {
    let endpoint = |url| ManagedIdentityEndpoint::InstanceMetadata { url };
    let (path, metadata, secret) = asked(endpoint).await;
    assert_eq!(
        path,
        "/token?api-version=2018-02-01&resource=https%3A%2F%2Fvault.example&client_id=me"
    );
    assert_eq!(metadata.as_deref(), Some("true"));
    assert_eq!(secret, None);
}

#[tokio::test]
async fn the_endpoint_of_the_environment_wants_its_header() {
    let endpoint = |url| ManagedIdentityEndpoint::Service {
        url,
        header: "between us".to_owned(),
    };
    let (path, metadata, secret) = asked(endpoint).await;
    assert_eq!(
        path,
        "/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.example&client_id=me"
    );
    assert_eq!(metadata, None);
    assert_eq!(secret.as_deref(), Some("between us"));
}

#[tokio::test]
async fn a_refusal_says_why() {
    let identity = Server::start(|_| {
        Reply::status(400)
            .body(r#"{"error": "invalid_request", "error_description": "no identity"}"#)
    })
    .await;
    let options = HttpCallOptions {
        managed_identity: ManagedIdentityEndpoint::InstanceMetadata {
            url: identity.url("/"),
        },
        ..quick()
    };
    let bench = Bench::of(builder(Memory::new()).http_calls(options)).await;
    let source = ManagedIdentityTokenSource::new("https://vault.example");
    let request = DurableHttpRequest::get("http://127.0.0.1:1/").token_source(source);
    let failure = bench.failure(request).await;
    assert!(
        failure.message().contains("invalid_request: no identity"),
        "{failure}"
    );
    assert!(failure.message().contains("managed identity"), "{failure}");
}
