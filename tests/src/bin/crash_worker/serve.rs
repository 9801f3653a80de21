//! A host that does what it is told to, line by line.

use std::time::Duration;

use durable_runtime::prelude::*;
use tokio::sync::mpsc::unbounded_channel;

use crate::load::SEED;
use crate::work::Journal;

/// Longer than an instance takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Does what the input asks for until it ends.
pub(crate) async fn serve(client: &DurableClient, journal: &Journal) {
    // A thread of its own: the runtime would not end while one of its own reads.
    let (sender, mut lines) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = lines.recv().await {
        let (client, journal) = (client.clone(), journal.clone());
        tokio::spawn(async move { println!("{}", answer(&client, &journal, &line).await) });
    }
}

async fn answer(client: &DurableClient, journal: &Journal, line: &str) -> String {
    let words: Vec<_> = line.split(' ').collect();
    match words[..] {
        ["start", orchestrator, id] => {
            let start = client
                .start_new_by_name(orchestrator, SEED)
                .instance_id(id)
                .await;
            let noted = match start {
                Ok(_) => journal
                    .append(&format!("started {id}"))
                    .map_err(Error::from),
                Err(error) => Err(error.into()),
            };
            noted.map_or_else(
                |error| format!("refused {id}: {error}"),
                |()| format!("started {id}"),
            )
        }
        ["wait", id] => match client.wait_for_completion(id, PATIENCE).await {
            Ok(_) => format!("ended {id}"),
            Err(error) => format!("refused {id}: {error}"),
        },
        _ => format!("unknown: {line}"),
    }
}
