//! `select!` and `join!` as code uses them, without a warning.
#![forbid(unsafe_code)]
#![deny(unused, warnings)]
#![warn(clippy::pedantic)]

use std::future::{pending, ready};

use durable_runtime::prelude::*;

#[derive(Debug)]
struct Failed;

async fn bodies_belong_to_the_function(fail: bool) -> std::result::Result<u32, Failed> {
    let mut rounds = 0;
    let first = 'rounds: loop {
        rounds += 1;
        select! {
            never = pending::<u32>() => return Ok(never),
            round = ready(rounds) => {
                if round < 3 {
                    continue;
                }
                let answer = ready(round).await;
                break 'rounds answer;
            }
        }
    };
    let result = if fail { Err(Failed) } else { Ok(first) };
    let value = select! {
        result = ready(result) => result?,
        () = pending() => 0,
    };
    Ok(value)
}

async fn a_loser_stays_usable() -> u32 {
    let mut slow = Box::pin(async {
        ready(()).await;
        7
    });
    let mut never = pending::<u32>();
    let output = 1;
    select! {
        _ = &mut never => unreachable!(),
        task0 = ready(output) => assert_eq!(task0, output),
        _ = &mut slow => unreachable!(),
    }
    slow.await
}

async fn what_a_branch_borrows_lives_long_enough() -> usize {
    async fn length(text: &str) -> usize {
        ready(()).await;
        text.len()
    }
    select! {
        length = length(&String::from("four")) => length,
        (Ok(other) | Err(other)) = ready(Ok::<usize, usize>(1)) => other,
    }
}

async fn the_first_of_the_ready_ones() -> &'static str {
    select! {
        _ = pending::<()>() => "never",
        Ok(_) | Err(_) = ready(Ok::<(), ()>(())) => "first",
        _ = ready(()) => "second",
    }
}

async fn joined() -> (u8, String, ()) {
    let text = String::from("text");
    let () = join!();
    let (one,) = join!(ready(1));
    join!(ready(one), async { text.clone() }, async {
        tokio::task::yield_now().await;
    },)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    assert_eq!(bodies_belong_to_the_function(false).await.unwrap(), 3);
    assert!(bodies_belong_to_the_function(true).await.is_err());
    assert_eq!(a_loser_stays_usable().await, 7);
    assert_eq!(what_a_branch_borrows_lives_long_enough().await, 4);
    assert_eq!(the_first_of_the_ready_ones().await, "first");
    assert_eq!(joined().await, (1, String::from("text"), ()));
}
