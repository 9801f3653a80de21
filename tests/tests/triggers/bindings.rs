//! What client functions are bound to, and what keeps a host from starting.

use durable_runtime::host::HostError;
use durable_runtime::prelude::*;
use durable_runtime::storage::Memory;

use crate::support::{emptied, eventually, host};

/// Of which no host here is given one.
struct Scales;

#[durable_client(queue("weights"))]
async fn weigh(_client: DurableClient, _scales: State<Scales>, _message: u32) {}

#[durable_client(queue("twice"))]
async fn first(_client: DurableClient, _message: u32) {}

#[durable_client(queue("twice"))]
async fn second(_client: DurableClient, _message: u32) {}

mod elsewhere {
    use durable_runtime::prelude::*;

    #[durable_client]
    pub(super) async fn first(client: DurableClient) -> String {
        client.task_hub().to_owned()
    }
}

/// Passes messages on to the hub that its client is of.
#[durable_client(queue("to-other-hub"), task_hub = "Other")]
async fn to_other_hub(client: DurableClient, message: String) -> Result<()> {
    Ok(client.enqueue("arrived", message).await?)
}

#[durable_client(queue("to-archive"), task_hub = "Other", connection = "archive")]
async fn to_archive(client: DurableClient, message: String) -> Result<()> {
    Ok(client.enqueue("arrived", message).await?)
}

#[durable_client(queue("to-own-hub"), task_hub = "CRASH")]
async fn to_own_hub(client: DurableClient, message: String) -> Result<()> {
    Ok(client.enqueue("arrived", message).await?)
}

fn names(error: &HostError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text} lacks {part}");
    }
}

#[tokio::test]
async fn a_missing_state_is_named() {
    let error = host(Memory::new())
        .register::<weigh>()
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, HostError::MissingState { .. }), "{error}");
    names(&error, &["\"weigh\"", "bindings.rs:", "Scales"]);
}

#[tokio::test]
async fn two_functions_for_one_queue_are_named() {
    let builder = host(Memory::new()).register::<first>().register::<second>();
    let error = builder.start().await.unwrap_err();
    assert!(matches!(error, HostError::QueueClash { .. }), "{error}");
    names(&error, &["\"twice\"", "\"first\" at", "\"second\" at"]);
}

#[tokio::test]
async fn two_functions_of_one_name_are_named() {
    let builder = host(Memory::new())
        .register::<first>()
        .register::<elsewhere::first>();
    let error = builder.start().await.unwrap_err();
    assert!(matches!(error, HostError::NameClash(_)), "{error}");
    names(&error, &["client function", "\"first\""]);
    assert_eq!(
        error.to_string().matches("bindings.rs:").count(),
        2,
        "{error}"
    );
}

#[tokio::test]
async fn an_unknown_connection_is_named() {
    let error = host(Memory::new())
        .register::<to_archive>()
        .start()
        .await
        .unwrap_err();
    assert!(
        matches!(error, HostError::UnknownConnection { .. }),
        "{error}"
    );
    names(&error, &["\"to_archive\" at", "\"archive\"", "given none"]);
    let builder = host(Memory::new())
        .connection("archives", Memory::new())
        .register::<to_archive>();
    let error = builder.start().await.unwrap_err();
    names(&error, &["it was given \"archives\""]);
}

#[tokio::test]
async fn a_client_is_of_the_hub_that_the_function_names() {
    let (own, archive) = (Memory::new(), Memory::new());
    let host = host(own.clone())
        .connection("archive", archive.clone())
        .register::<to_other_hub>()
        .register::<to_archive>()
        .register::<to_own_hub>();
    let host = host.start().await.unwrap();
    let places = [
        (
            "to-other-hub",
            DurableClient::connect(own.clone(), "other").unwrap(),
        ),
        (
            "to-archive",
            DurableClient::connect(archive, "Other").unwrap(),
        ),
        ("to-own-hub", host.client()),
    ];
    for (queue, place) in &places {
        host.client().enqueue(*queue, *queue).await.unwrap();
        let arrived = async || {
            let found = place.peek_queue("arrived", 10).await.unwrap();
            (!found.is_empty()).then_some(found)
        };
        let found = eventually("it has arrived", arrived).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].body, *queue);
        emptied(&host.client(), queue).await;
    }
    host.shutdown().await.unwrap();
}

#[durable_client(task_hub = "Other")]
async fn hub_of(client: DurableClient) -> String {
    client.task_hub().to_owned()
}

/// Without a trigger a client function is an ordinary one, with a client of the hub that it names.
#[tokio::test]
async fn without_a_trigger_it_is_called() {
    let host = host(Memory::new())
        .register::<elsewhere::first>()
        .register::<hub_of>();
    let host = host.start().await.unwrap();
    assert_eq!(elsewhere::first(host.client()).await, "crash");
    let own = host.client_for::<elsewhere::first>();
    assert_eq!(elsewhere::first(own).await, "crash");
    assert_eq!(hub_of(host.client_for::<hub_of>()).await, "Other");
    // One that the host does not know is bound to nothing.
    assert_eq!(host.client_for::<to_archive>().task_hub(), "crash");
    host.shutdown().await.unwrap();
}
