//! Invariant 7 of the design: no input, however malformed, panics a partition or loses another instance's
//! work. What is to hold of each input is in the package `inputs`, which fuzzing calls as well; here it is
//! tried on random bytes, and on valid inputs that were damaged.

mod damage;

use damage::damaged;
use inputs::seeds;
use proptest::test_runner::{Config, TestRunner};

/// Tries `holds` on `cases` inputs made of `valid` ones, and on those themselves.
fn survives(cases: u32, valid: Vec<Vec<u8>>, words: &'static [&'static str], holds: fn(&[u8])) {
    for input in &valid {
        holds(input);
    }
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let run = TestRunner::new(config).run(&damaged(valid, words), |input| {
        holds(&input);
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

#[test]
fn histories() {
    survives(3_000, seeds::histories(), seeds::OF_JSON, inputs::history);
}

#[test]
fn steps_of_histories() {
    survives(
        3_000,
        seeds::steps(),
        seeds::OF_STEPS,
        inputs::history_steps,
    );
}

// Rule 26: what does not fit the type fails the wait, with a reason.
#[test]
fn payloads_of_events() {
    survives(
        400,
        seeds::payloads(),
        seeds::OF_JSON,
        inputs::event_payload,
    );
}

// Rule 42: every error is JSON.
#[test]
fn requests() {
    survives(600, seeds::requests(), seeds::OF_HTTP, inputs::http_request);
}

// Rule 42.
#[test]
fn bytes_on_a_connection() {
    survives(300, seeds::bytes(), seeds::OF_HTTP, inputs::http_bytes);
}

#[test]
fn files_of_settings() {
    survives(2_000, seeds::host_json(), seeds::OF_JSON, inputs::host_json);
}

// Rule 40.
#[test]
fn schedules() {
    survives(5_000, seeds::schedules(), seeds::OF_CRON, inputs::cron);
}

// Rule 11: a damaged token is an error.
#[test]
fn continuation_tokens() {
    survives(
        300,
        seeds::tokens(),
        seeds::OF_TOKENS,
        inputs::continuation_token,
    );
}

// Rule 32: what cannot be loaded fails alone.
#[test]
fn stored_rows() {
    survives(60, seeds::rows(), seeds::OF_JSON, inputs::stored_row);
}

// What fuzzing has found, each by its name.

#[test]
fn a_request_for_a_lock_at_the_last_position_that_there_is() {
    inputs::stored_row(&[192, 133, 5, 8]);
}

#[test]
fn a_history_whose_only_row_has_the_last_number() {
    inputs::stored_row(&[130, 4, 4]);
}

#[test]
fn a_schedule_with_a_star_in_a_list() {
    inputs::cron(b"0 */5 *,* * 01 */5");
    inputs::cron(b"0 0 */5,7 * * *");
}
