//! What the macros accept, and what they say of what they do not accept: a folder a topic, with what
//! is wrong and what is right side by side. Where the topic is a rule of determinism the folder has
//! the name of the rule.
//!
//! Run with `TRYBUILD=overwrite` after a change of a message, and read the difference.

use std::fs;
use std::path::PathBuf;

#[test]
fn what_is_right_compiles() {
    let cases = trybuild::TestCases::new();
    for folder in folders("right") {
        cases.pass(folder.join("*.rs"));
    }
}

#[test]
fn what_is_wrong_is_reported_where_it_stands() {
    let cases = trybuild::TestCases::new();
    for folder in folders("wrong") {
        cases.compile_fail(folder.join("*.rs"));
    }
}

#[test]
fn every_example_is_among_what_compiles() {
    let listed = fs::read_to_string("compile/examples/right/every_example.rs").unwrap();
    for example in fs::read_dir("../examples/src/bin").unwrap() {
        let name = example.unwrap().file_name().into_string().unwrap();
        assert!(listed.contains(&format!("/{name}\"")), "{name} is missing");
    }
}

/// The folders of this name, of all topics that have one.
fn folders(name: &str) -> Vec<PathBuf> {
    let topics = fs::read_dir("compile").unwrap();
    let mut folders: Vec<_> = topics
        .map(|topic| topic.unwrap().path().join(name))
        .collect();
    folders.retain(|folder| folder.is_dir());
    folders.sort();
    folders
}
