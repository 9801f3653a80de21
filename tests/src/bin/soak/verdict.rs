//! What came of a soak.

use std::time::{Duration, Instant};

use durable_runtime::client::InstanceQuery;
use durable_runtime::prelude::*;
use rusqlite::Connection;
use serde_json::Value;

use crate::figures::Figures;
use crate::site::Site;

/// Signals that the instances of a batch send to the entity `total`: four by each of three.
const SIGNALS: u64 = 12;
/// How often the instances of a batch put money into an account or take it out: six times by each of three.
const POSTINGS: u64 = 18;
/// What is no growth: that much beside a tenth.
const SLACK_MIB: f64 = 4.0;

/// Prints it.
///
/// # Errors
///
/// When it is not good.
pub(crate) async fn check(site: &Site, figures: &[Figures], kills: u32) -> Result<()> {
    let Some(last) = figures.last() else {
        return Err(Error::msg("too short to tell anything"));
    };
    // What was asked for while nobody owned a partition waits in its inbox.
    let host = site.serve()?;
    let client = site.connect()?;
    let mut problems = Vec::new();
    // Those of the last batches, which ended after the last figures.
    let batches = [crate::STEADY, crate::KILLED[0], crate::KILLED[1]]
        .iter()
        .map(|name| site.batches(name))
        .sum::<u64>();
    problems.extend(left_over(&client).await?);
    check_entities(&client, batches, &mut problems).await?;
    let left = client.purge_instances(InstanceQuery::new()).await?;
    check_growth(figures, &mut problems);
    drop(client);
    host.wait(site)?;
    check_file(site, &mut problems)?;
    println!(
        "{kills} kills, {batches} batches, {left} instances left over at the end; {:.1} MiB resident, \
         {:.2} MiB in the file",
        last.resident_mib, last.database_mib
    );
    if problems.is_empty() {
        println!("all is well");
        return Ok(());
    }
    Err(Error::msg(problems.join("\n")))
}

/// Waits until all is removed that was told to be, and says what is not. An order that is delivered once more
/// after its instance was purged starts another one; nothing else may be left.
async fn left_over(client: &DurableClient) -> Result<Vec<String>> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let began = Instant::now();
    loop {
        let query = InstanceQuery::new().page_size(1000).without_input();
        let page = client.list_instances(query).await?;
        let mut left = page.instances;
        left.retain(|status| !status.instance_id.starts_with("ordered-"));
        if left.is_empty() || began.elapsed() > PATIENCE {
            let told = left.iter().map(|status| {
                let (id, status) = (&status.instance_id, status.runtime_status);
                format!("{id} is left over, {status}")
            });
            return Ok(told.collect());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Each operation has had its effect once, and money is neither lost nor made.
async fn check_entities(
    client: &DurableClient,
    batches: u64,
    problems: &mut Vec<String>,
) -> Result<()> {
    for key in ["total", "mirror"] {
        let count = read(client, "Tally", key, "count").await?;
        if count != Some((batches * SIGNALS).cast_signed()) {
            problems.push(format!(
                "{key} has counted {count:?} of {}",
                batches * SIGNALS
            ));
        }
    }
    let (mut balance, mut postings) = (0, 0);
    for number in 0..4 {
        let key = number.to_string();
        balance += read(client, "Account", &key, "balance").await?.unwrap_or(0);
        postings += read(client, "Account", &key, "postings")
            .await?
            .unwrap_or(0);
    }
    if (balance, postings) != (0, (batches * POSTINGS).cast_signed()) {
        problems.push(format!(
            "the accounts add up to {balance} after {postings} of {} postings",
            batches * POSTINGS
        ));
    }
    Ok(())
}

async fn read(client: &DurableClient, entity: &str, key: &str, field: &str) -> Result<Option<i64>> {
    let state: Option<Value> = client.read_entity_state(EntityId::new(entity, key)).await?;
    Ok(state.and_then(|state| state[field].as_i64()))
}

/// Compares the last quarter with the second one: in the first, all there is becomes as large as it is to be.
fn check_growth(figures: &[Figures], problems: &mut Vec<String>) {
    let quarter = figures.len() / 4;
    if quarter == 0 {
        println!("too short to tell whether anything grows");
        return;
    }
    let (early, late) = (
        &figures[quarter..2 * quarter],
        &figures[figures.len() - quarter..],
    );
    let mut compare = |what: &str, of: fn(&Figures) -> f64, slack: f64| {
        let most = |figures: &[Figures]| figures.iter().map(of).fold(0.0, f64::max);
        let (early, late) = (most(early), most(late));
        println!("{what}: at most {early:.2} in the second quarter, {late:.2} in the last");
        if late > early * 1.1 + slack {
            problems.push(format!("{what} has grown from {early:.2} to {late:.2}"));
        }
    };
    compare("resident MiB", |figures| figures.resident_mib, SLACK_MIB);
    compare("open files", |figures| f64::from(figures.open_files), 8.0);
    compare("threads", |figures| f64::from(figures.threads), 8.0);
    compare("database MiB", |figures| figures.database_mib, SLACK_MIB);
    compare("log MiB", |figures| figures.log_mib, 64.0);
}

fn check_file(site: &Site, problems: &mut Vec<String>) -> Result<()> {
    let connection = Connection::open(site.database())?;
    connection.busy_timeout(Duration::from_secs(30))?;
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    println!("integrity check: {verdict}");
    if verdict != "ok" {
        problems.push(format!("the file is damaged: {verdict}"));
    }
    Ok(())
}
