//! A program to be killed: runs a host on a `SQLite` file.
//!
//! `crash_worker mix <database> <directory> <batches>` starts instances, batch by batch (at most so
//! many more), and ends when all have ended. What was acknowledged is noted in the directory, and not
//! done again by the next run: it is up to the task hub not to lose it.
//!
//! `crash_worker serve <database> <directory> <lease seconds> <attempts>` runs the host until its
//! input ends or the host stops by itself, and prints `ready`. A line of its input, `start <orchestrator>
//! <id>`, starts an instance through the host, and is answered by `started <id>` or `refused <id>: <why>`;
//! `wait <id>` by `ended <id>`. What was started is noted in the directory, too.
//!
//! What the host logs is in the file `log` of the directory.

mod jobs;
mod work;

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;

use durable_runtime::client::OnExisting;
use durable_runtime::host::HostOptions;
use durable_runtime::prelude::*;
use durable_runtime::storage::Sqlite;

use jobs::Jobs;
use tokio::sync::mpsc::unbounded_channel;
use work::{EVENTS, Journal, Kind, Outcome};

/// What every instance is given.
const SEED: u64 = 11;
/// The name of the hub in every test.
const HUB: &str = "crash";
/// How many instances of each kind are in a batch.
const OF_EACH: usize = 3;
/// Longer than an instance takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::main]
async fn main() -> Result<()> {
    run()
        .await
        .inspect_err(|error| tracing::error!(%error, "the program ends"))
}

async fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().ok_or_else(|| Error::msg(what));
    let mode = next("the mode is missing")?;
    let database = PathBuf::from(next("the database is missing")?);
    let directory = PathBuf::from(next("the directory is missing")?);
    log_to(&directory.join("log"))?;
    let number = |text: String| text.parse::<u32>();
    let options = match mode.as_str() {
        "serve" => HostOptions {
            lease_duration: Duration::from_secs(number(next("the lease is missing")?)?.into()),
            max_activity_attempts: number(next("the attempts are missing")?)?,
            ..HostOptions::default()
        },
        // A crash counts against whatever runs at the time, and there are many.
        _ => HostOptions {
            max_activity_attempts: u32::MAX,
            ..HostOptions::default()
        },
    };
    let host = DurableHost::builder()
        .task_hub(HUB)
        .storage(Sqlite::open(database)?)
        .state(Journal::new(directory.join("journal")))
        .state(Jobs::new(&directory))
        .options(HostOptions {
            replay_check: true,
            ..options
        })
        .start()
        .await?;
    if mode == "serve" {
        println!("ready");
        let client = host.client();
        let acknowledged = Journal::new(directory.join("acknowledged"));
        tokio::select! {
            () = serve(&client, &acknowledged) => {}
            stopped = host.run_until_signal() => return Ok(stopped?),
        }
    } else {
        let client = host.client();
        let acknowledged = Journal::new(directory.join("acknowledged"));
        let batches = number(next("the number of batches is missing")?)?;
        run_batches(&client, &acknowledged, batches).await?;
    }
    host.shutdown().await?;
    Ok(())
}

fn log_to(path: &Path) -> Result<()> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    tracing_subscriber::fmt()
        .with_writer(file)
        .with_ansi(false)
        .init();
    Ok(())
}

/// Does what the input asks for until it ends.
async fn serve(client: &DurableClient, journal: &Journal) {
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

/// Finishes what was begun by the runs before, and as many `batches` more.
async fn run_batches(client: &DurableClient, journal: &Journal, batches: u32) -> Result<()> {
    let known: HashSet<String> = journal.read().lines().map(str::to_owned).collect();
    let last = known
        .iter()
        .filter_map(|line| line.strip_prefix("batch ")?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    for batch in last..=last + batches {
        let begun = format!("batch {batch}");
        if !known.contains(&begun) {
            if batch == last && batches == 0 {
                return Ok(());
            }
            journal.append(&begun)?;
        }
        run_batch(client, journal, &known, batch).await?;
    }
    Ok(())
}

async fn run_batch(
    client: &DurableClient,
    journal: &Journal,
    known: &HashSet<String>,
    batch: u32,
) -> Result<()> {
    let ids: Vec<_> = Kind::ALL
        .into_iter()
        .flat_map(|kind| (0..OF_EACH).map(move |n| (kind, n)))
        .map(|(kind, n)| (kind, format!("{}-{batch}-{n}", kind.orchestrator())))
        .collect();
    for (kind, id) in &ids {
        let done = format!("started {id}");
        if !known.contains(&done) {
            start(client, *kind, id).await?;
            journal.append(&done)?;
        }
    }
    for number in 0..EVENTS {
        for (_, id) in ids.iter().filter(|(kind, _)| kind.wants_events()) {
            let done = format!("raised {id}/{number}");
            if known.contains(&done) {
                continue;
            }
            match client.raise_event(id, format!("go-{number}"), number).await {
                // The run before has raised it, and was killed before it could say so.
                Ok(()) | Err(durable_runtime::client::ClientError::NotRunning { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            journal.append(&done)?;
        }
    }
    for (_, id) in &ids {
        client.wait_for_completion(id, PATIENCE).await?;
    }
    Ok(())
}

async fn start(client: &DurableClient, kind: Kind, id: &str) -> Result<()> {
    let start = match kind {
        Kind::Generations => {
            client.start_new_by_name(kind.orchestrator(), (SEED, 0, Outcome::default()))
        }
        _ => client.start_new_by_name(kind.orchestrator(), SEED),
    };
    // The run before may have started it, and was killed before it could say so.
    let start = start.instance_id(id).on_existing(OnExisting::Ignore);
    start.await?;
    Ok(())
}
