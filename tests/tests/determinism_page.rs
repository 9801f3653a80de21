//! What the page on determinism says is so.
//!
//! Its examples are compiled as documentation tests as well, which tell that a wrong one does not
//! compile, but not why.

#[path = "cargo/mod.rs"]
mod cargo;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo::cargo;
use serde_json::Value;

const PAGE: &str = include_str!("../../docs/determinism.md");

/// A section that begins with a heading.
#[derive(Default)]
struct Section {
    heading: String,
    text: String,
    right: Vec<String>,
    wrong: Vec<String>,
}

impl Section {
    /// What a link to the section has after `#`.
    fn anchor(&self) -> String {
        let letters = self.heading.chars().filter_map(|letter| match letter {
            ' ' | '-' => Some('-'),
            '_' => Some('_'),
            _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
            _ => None,
        });
        letters.collect()
    }
}

fn sections() -> Vec<Section> {
    let mut sections = Vec::new();
    let mut lines = PAGE.lines();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            sections.push(Section {
                heading: line.trim_start_matches('#').trim().to_owned(),
                ..Section::default()
            });
            continue;
        }
        let section: &mut Section = sections.last_mut().expect("the page begins with a heading");
        let Some(language) = line.strip_prefix("```") else {
            section.text.push_str(line);
            section.text.push('\n');
            continue;
        };
        let code = lines.by_ref().take_while(|line| *line != "```");
        let code: String = code.flat_map(|line| [line, "\n"]).collect();
        match language {
            "rust" => section.right.push(code),
            "compile_fail" => section.wrong.push(code),
            "text" => {}
            other => panic!("a block in {other}"),
        }
    }
    sections
}

/// The sections that are about a rule: their headings are names.
fn rules() -> BTreeMap<String, Section> {
    let rule = |section: Section| {
        let name = section
            .heading
            .strip_prefix('`')?
            .strip_suffix('`')?
            .to_owned();
        let is_name = name
            .chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '_');
        is_name.then_some((name, section))
    };
    sections().into_iter().filter_map(rule).collect()
}

#[test]
fn every_rule_has_a_row_and_examples() {
    let rules = rules();
    let rows: BTreeSet<_> = PAGE
        .lines()
        .filter_map(|line| line.strip_prefix("| [`")?.split_once("`](#"))
        .map(|(name, rest)| {
            assert!(rest.starts_with(&format!("{name}) |")), "{name}");
            name.to_owned()
        })
        .collect();
    assert_eq!(rows, rules.keys().cloned().collect());
    for (name, section) in rules {
        assert!(!section.right.is_empty(), "{name} has no right example");
        // What is found when it runs does compile.
        assert_eq!(section.wrong.is_empty(), name == "replay", "{name}");
    }
}

#[test]
fn every_link_leads_to_a_section() {
    let anchors: Vec<_> = sections().iter().map(Section::anchor).collect();
    for section in sections() {
        for link in section.text.split("](#").skip(1) {
            let anchor = link.split(')').next().unwrap();
            let count = anchors.iter().filter(|known| *known == anchor).count();
            assert_eq!(count, 1, "#{anchor} in {:?}", section.heading);
        }
    }
}

/// The lock file has the versions.
const MANIFEST: &str = r#"
[workspace]

[package]
name = "determinism_page"
edition = "2024"

[dependencies]
fastrand = "*"
futures-util = { version = "*", default-features = false }
rusqlite = "*"
tokio = { version = "*", features = ["macros"] }
uuid = "*"
"#;

/// A package of which each program is an example.
struct Package {
    folder: PathBuf,
}

impl Package {
    fn new() -> Self {
        const LOCK_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
        const RUNTIME: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../durable-runtime");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("determinism_page");
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("src/bin")).unwrap();
        let manifest = format!("{MANIFEST}durable-runtime = {{ path = {RUNTIME:?} }}\n");
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(LOCK_FILE, folder.join("Cargo.lock")).unwrap();
        Self { folder }
    }

    fn add(&self, program: &str, code: &str) {
        let path = self.folder.join(format!("src/bin/{program}.rs"));
        fs::write(path, format!("{code}\nfn main() {{}}\n")).unwrap();
    }

    /// The messages of the errors of each program.
    fn errors(&self) -> BTreeMap<String, Vec<String>> {
        // In the same target directory, where the dependencies are compiled already.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let output = cargo()
            .args(["check", "--bins", "--keep-going", "--offline"])
            .arg("--message-format=json")
            .arg("--target-dir")
            .arg(target)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        let mut errors: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in output.stdout.split(|byte| *byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            let message = line["message"]["message"].as_str().unwrap_or_default();
            if line["message"]["level"] == "error" && !message.starts_with("aborting due to") {
                let program = line["target"]["name"].as_str().unwrap().to_owned();
                errors.entry(program).or_default().push(message.to_owned());
            }
        }
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(!errors.is_empty(), "nothing was compiled: {log}");
        errors
    }
}

#[test]
fn every_wrong_example_breaks_its_rule_and_no_other() {
    const UNKNOWN: &str = "use durable_runtime::prelude::*;

        #[orchestrator]
        async fn nothing(_: OrchestrationContext) -> Result<()> {
            #[allow_nondeterminism(nothing, reason = \"to have all rules listed\")]
            Ok(())
        }";
    let rules = rules();
    let package = Package::new();
    package.add("unknown", UNKNOWN);
    for (name, section) in &rules {
        for (number, code) in section.wrong.iter().enumerate() {
            package.add(&format!("{name}{number}"), code);
        }
    }
    let mut errors = package.errors();

    let unknown = errors.remove("unknown").unwrap().remove(0);
    let (_, known) = unknown.split_once("the rules are ").unwrap();
    for rule in known.split('`').skip(1).step_by(2) {
        assert!(rules.contains_key(rule), "{rule} has no section");
    }

    for (name, section) in &rules {
        let end = match name.as_str() {
            // The compiler's own words.
            "unawaited" => "that must be used".to_owned(),
            // An async one is found by its type.
            "direct_call" => "[await]".to_owned(),
            _ => format!("[{name}]"),
        };
        for number in 0..section.wrong.len() {
            let found = errors.remove(&format!("{name}{number}"));
            let found = found.unwrap_or_else(|| panic!("{name}: it compiles"));
            let is_alone = found.iter().all(|message| message.ends_with(&end));
            assert!(is_alone, "{name}: {found:#?}");
        }
    }
    assert!(errors.is_empty(), "{errors:#?}");
}
