//! What the README says is so.

const README: &str = include_str!("../../README.md");

/// The first block of code in `language`.
fn first_block(language: &str) -> &'static str {
    let fence = format!("```{language}\n");
    let start = README.find(&fence).expect("a block in the language") + fence.len();
    let end = README[start..].find("```").expect("the end of the block");
    &README[start..start + end]
}

#[test]
fn the_first_program_is_the_example_whole() {
    let example = include_str!("../../examples/src/bin/hello_cities.rs");
    let program = example
        .split_once("\n\n")
        .expect("a comment before the program")
        .1;
    assert_eq!(first_block("rust"), program);
}

#[test]
fn every_example_is_in_the_table_with_a_comment_at_its_top() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/src/bin");
    for entry in std::fs::read_dir(folder).expect("the examples") {
        let path = entry.expect("an example").path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = std::fs::read_to_string(&path).unwrap();
        assert!(
            source.starts_with("//! "),
            "{name} does not say what it shows"
        );
        assert!(
            source.contains("ill it"),
            "{name} does not say what happens when it is killed"
        );
        assert!(
            README.contains(&format!("src/bin/{name}.rs")),
            "{name} is not in the README"
        );
    }
}

#[test]
fn the_test_command_is_what_ci_runs() {
    let ci = include_str!("../../.ci/run");
    let command = "cargo test";
    assert!(README.contains(command));
    assert!(ci.lines().any(|line| line == command));
}
