//! Shows that the simulation finds mistakes: puts one after the other into a copy of the sources, and expects
//! a seed to fail.
//!
//! ```text
//! cargo run -p tests --bin mutants                     # all of them, some seconds each after the first
//! cargo run -p tests --bin mutants -- fence locks      # those whose names have one of these in them
//! ```
//!
//! The copy and what is built of it are in the directory for build results. An edit whose text is not in its
//! file exactly once is an error: the code has changed, and the edit has to be made anew.

mod list;
mod workshop;

use std::process::ExitCode;

use list::MUTANTS;
use workshop::{Found, Workshop};

/// By then a mistake is found, or the simulation does not find it.
const SEEDS: u64 = 2_000;

fn main() -> ExitCode {
    let wanted: Vec<_> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part));
    let workshop = match Workshop::new() {
        Ok(workshop) => workshop,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::from(2);
        }
    };
    let mut all_found = true;
    for mutant in MUTANTS.iter().filter(|mutant| is_wanted(mutant.name)) {
        let found = workshop.try_out(mutant, SEEDS);
        let verdict = match &found {
            Ok(Found::By(what)) => format!("found: {what}"),
            Ok(Found::Not) => format!("NOT FOUND in {SEEDS} seeds"),
            Err(message) => format!("ERROR: {message}"),
        };
        println!("{}: {verdict}", mutant.name);
        all_found &= matches!(found, Ok(Found::By(_)));
    }
    if all_found {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

#[cfg(test)]
mod tests {
    use super::list::MUTANTS;
    use super::workshop::{edited, workspace};

    // Whoever changes the code hears at once that a mistake has to be made anew.
    #[test]
    fn every_edit_can_be_made() {
        for edit in MUTANTS.iter().flat_map(|mutant| mutant.edits) {
            edited(&workspace(), edit).unwrap();
        }
    }
}
