//! Continuation tokens.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use durable_runtime::client::{ClientError, EntityQuery, InstanceQuery};
use durable_runtime::testing::{TestHost, run_with};

use crate::functions::{Tally, echo};

/// A token of a client that lists instances, and entities; and what one is made of. It is refused as damaged,
/// or it is one that begins a page; and those that were given are taken.
///
/// # Panics
///
/// If that does not hold.
pub fn continuation_token(bytes: &[u8]) {
    let token = crate::text(bytes).into_owned();
    run_with(TestHost::builder(), async move |host| {
        let client = host.client();
        for number in 0..2 {
            let run = host.start::<echo>(number).await;
            run.expect("a start is accepted");
            let tally = client.signal::<Tally>(format!("tally-{number}"));
            tally.add(1).await.expect("a signal is accepted");
        }
        let page = |token: &str| {
            let query = InstanceQuery::new().page_size(1);
            client.list_instances(query.continuation_token(token))
        };
        for token in [&made_of(token.as_bytes()), &token] {
            match page(token).await {
                Ok(page) => assert!(page.instances.len() <= 1, "{token:?}"),
                Err(error) => expect_damaged(token, &error),
            }
            let entities = EntityQuery::new().page_size(1).continuation_token(token);
            if let Err(error) = client.list_entities(entities).await {
                expect_damaged(token, &error);
            }
        }
        let first = client.list_instances(InstanceQuery::new().page_size(1));
        let first = first.await.expect("the first page needs no token");
        let given = first.continuation_token.expect("there is another page");
        let second = page(&given).await.expect("a token that was given is taken");
        assert_ne!(first.instances, second.instances);
    });
}

/// A token with the right checksum, which nobody would find by chance.
fn made_of(place: &[u8]) -> String {
    let mut bytes = crc32fast::hash(place).to_be_bytes().to_vec();
    bytes.extend_from_slice(place);
    URL_SAFE_NO_PAD.encode(bytes)
}

fn expect_damaged(token: &str, error: &ClientError) {
    let is_damaged = matches!(error, ClientError::InvalidContinuationToken);
    assert!(is_damaged, "{token:?}: {error}");
}
