//! Human interaction: a code is sent to a phone, and its owner has 90 seconds and four tries to
//! type it.
//!
//! ```text
//! phone_verification [NUMBER]
//! ```
//!
//! The message appears on the terminal; type the code there. Kill it and start it again: the code
//! that was sent still counts, the tries used are used, and the 90 seconds go on from where they
//! began, also while the program was not running.

use std::io::stdin;
use std::time::Duration;

use chrono::Utc;
use durable_runtime::client::{ClientError, OnExisting, OrchestrationRun};
use durable_runtime::prelude::*;
use uuid::Uuid;

const TIME_LIMIT: Duration = Duration::from_secs(90);
const TRIES: u32 = 4;
const ANSWER: &str = "SmsChallengeResponse";

/// Sends a code and returns it. Chance belongs into an activity: what it returns is recorded, and is
/// the same ever after. Should the program be killed before that, another code is sent, and counts.
#[activity]
async fn send_challenge(phone: String) -> Result<u128> {
    let code = Uuid::new_v4().as_u128() % 10_000;
    println!("[SMS to {phone}] your code is {code:04}");
    Ok(code)
}

#[activity]
async fn reject(tries_left: u32) -> Result<()> {
    println!("that is not the code; tries left: {tries_left}");
    Ok(())
}

#[orchestrator]
async fn phone_verification(ctx: OrchestrationContext, phone: String) -> Result<bool> {
    let mut time_limit = ctx.sleep(TIME_LIMIT).start();
    let code = ctx.call_activity::<send_challenge>(phone).await?;
    for tries_left in (0..TRIES).rev() {
        select! {
            answer = ctx.wait_for_external_event::<u128>(ANSWER) => {
                if answer? == code {
                    return Ok(true);
                }
            }
            () = &mut time_limit => return Ok(false),
        }
        ctx.call_activity::<reject>(tries_left).await?;
    }
    Ok(false)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let phone = arguments.next().unwrap_or_else(|| "+1 555 0100".to_owned());
    if arguments.next().is_some() {
        return Err(Error::msg("usage: phone_verification [NUMBER]"));
    }
    let host = DurableHost::builder()
        .task_hub("PhoneVerification")
        .start()
        .await?;
    let client = host.client();
    // If the last run of this program was killed, its verification is there and is joined.
    let run = client
        .start_new::<phone_verification>(phone)
        .instance_id("phone-verification")
        .on_existing(OnExisting::Ignore)
        .await?;
    println!("{} seconds left; type the code:", seconds_left(&run).await?);
    std::thread::spawn({
        let (client, id) = (client.clone(), run.id().to_owned());
        let runtime = tokio::runtime::Handle::current();
        move || pass_answers_on(&runtime, &client, &id)
    });
    let verified = run.output().await;
    client.purge(run.id()).await?;
    host.shutdown().await?;
    let outcome = if verified? {
        "verified"
    } else {
        "not verified"
    };
    println!("{outcome}");
    Ok(())
}

async fn seconds_left(run: &OrchestrationRun<bool>) -> Result<u64, ClientError> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only an orchestrator may not read the clock"
    )]
    let now = Utc::now();
    let elapsed = now - run.status().await?.created_time;
    let elapsed = elapsed.to_std().unwrap_or_default();
    Ok(TIME_LIMIT.saturating_sub(elapsed).as_secs())
}

/// Raises an event for each number typed. The terminal may be closed: the time limit remains.
fn pass_answers_on(runtime: &tokio::runtime::Handle, client: &DurableClient, id: &str) {
    for line in stdin().lines().map_while(Result::ok) {
        match line.trim().parse::<u128>() {
            Ok(code) => match runtime.block_on(client.raise_event(id, ANSWER, code)) {
                Ok(()) => {}
                // What is typed after the end is for nobody.
                Err(_) => return,
            },
            Err(_) => println!("the code is a number of four digits"),
        }
    }
}
