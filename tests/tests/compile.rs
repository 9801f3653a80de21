//! What the macros accept, and what they say of what they do not accept: a folder a rule.
//!
//! Run with `TRYBUILD=overwrite` after a change of a message, and read the difference.

use std::fs;

#[test]
fn what_is_right_compiles() {
    trybuild::TestCases::new().pass("compile/pass/*.rs");
}

#[test]
fn what_is_wrong_is_reported_where_it_stands() {
    let cases = trybuild::TestCases::new();
    for rule in fs::read_dir("compile").unwrap() {
        let rule = rule.unwrap().path();
        if !rule.ends_with("pass") {
            cases.compile_fail(rule.join("*.rs"));
        }
    }
}
