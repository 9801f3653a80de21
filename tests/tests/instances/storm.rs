//! Many clients that do everything at once to a few instances.

use durable_runtime::client::{ClientError, DurableClient, OnExisting};

use crate::functions::{fan_out, greet};
use crate::support::Site;

everywhere!(every_request_is_answered_and_every_instance_can_be_replaced);

const IDS: u64 = 3;
const CLIENTS: u64 = 6;
const ROUNDS: u64 = 40;

// Rules 3 and 6 to 10: whatever comes together, every request is answered, and nothing is stuck.
async fn every_request_is_answered_and_every_instance_can_be_replaced(site: Site) {
    let host = site.host().await;
    site.bench.break_("broken");
    let storms = (0..CLIENTS).map(|number| {
        // Every second one goes through storage.
        let client = if number % 2 == 0 {
            host.client()
        } else {
            site.remote()
        };
        tokio::spawn(storm(client, number))
    });
    for storm in futures_util::future::join_all(storms).await {
        storm.unwrap();
    }
    let client = host.client();
    for number in 0..IDS {
        let run = client.start_new::<greet>("Ann").instance_id(id(number));
        let run = run.on_existing(OnExisting::Restart).await.unwrap();
        assert_eq!(run.output().await.unwrap(), "Hello Ann!");
        client.purge(run.id()).await.unwrap();
    }
    host.shutdown().await.unwrap();
}

fn id(number: u64) -> String {
    format!("target-{}", number % IDS)
}

async fn storm(client: DurableClient, seed: u64) {
    let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..ROUNDS {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let id = id(random >> 20);
        let done = match random >> 40 & 7 {
            0 => start(&client, &id, &["x", "y"]).await,
            1 => start(&client, &id, &["x", "broken"]).await,
            2 => client.suspend(&id, "storm").await,
            3 => client.resume(&id, "storm").await,
            4 => client.terminate(&id, "storm").recursive().await,
            5 => client.rewind(&id, "storm").await,
            6 => client.purge(&id).await,
            _ => client.raise_event(&id, "storm", seed).await,
        };
        match done {
            Ok(())
            | Err(
                ClientError::NotRunning { .. }
                | ClientError::AlreadyExists { .. }
                | ClientError::InstanceNotFound { .. },
            ) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

async fn start(client: &DurableClient, id: &str, keys: &[&str]) -> Result<(), ClientError> {
    let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
    let start = client.start_new::<fan_out>(keys).instance_id(id);
    start.await.map(drop)
}
