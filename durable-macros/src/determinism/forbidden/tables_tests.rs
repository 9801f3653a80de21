//! What holds for all tables.

use super::*;

fn families() -> impl Iterator<Item = &'static Family> {
    let of_paths = [paths::FAMILIES, macros::FAMILIES];
    let others = [types::FAMILIES, types::STATICS, methods::FAMILIES];
    of_paths.into_iter().chain(others).flatten()
}

#[test]
fn every_rule_has_a_table_or_is_about_syntax() {
    const OF_SYNTAX: [Rule; 3] = [Rule::Await, Rule::UnboundedLoop, Rule::Macro];
    for rule in Rule::ALL {
        let has_table = families().any(|family| family.rule == *rule);
        assert_ne!(has_table, OF_SYNTAX.contains(rule), "{rule:?}");
    }
}

#[test]
fn messages_have_no_full_stop() {
    for family in families() {
        for text in [family.why, family.instead] {
            assert!(text.starts_with(char::is_lowercase), "{text}");
            assert!(!text.ends_with('.'), "{text}");
        }
    }
}

/// A segment with half a brace would never match, and nobody would notice.
#[test]
fn patterns_are_well_formed() {
    let tables = [paths::FAMILIES, macros::FAMILIES, types::FAMILIES];
    let items = tables.into_iter().flatten().flat_map(|family| family.items);
    for item in items.chain(paths::VALUES) {
        let path = item.split('<').next().unwrap().replace('/', "::");
        for segment in path.split("::") {
            let is_braced = segment.starts_with('{') && segment.ends_with('}');
            assert_eq!(segment.contains(['{', '}']), is_braced, "{item}");
        }
    }
}

/// `now()` and `spawn()` are anyone's.
#[test]
fn no_path_is_told_by_one_segment() {
    for item in paths::FAMILIES.iter().flat_map(|family| family.items) {
        if let Some((_, distinctive)) = item.split_once('/') {
            assert!(distinctive.contains("::"), "{item}");
        }
    }
}

/// Paths that the items of a table stand for: each name of each segment once; full, and the end that is
/// enough.
fn paths_of(table: &[Family]) -> Vec<String> {
    let mut paths = Vec::new();
    for item in table.iter().flat_map(|family| family.items) {
        let (before, _) = item.split_once('/').unwrap_or((item, ""));
        let distinctive = before.split("::").count();
        let full = item.replace('/', "::");
        let segments: Vec<Vec<String>> = full.split("::").map(names_of).collect();
        for (index, names) in segments.iter().enumerate() {
            for name in names {
                let mut path: Vec<_> = segments.iter().map(|names| names[0].as_str()).collect();
                path[index] = name;
                paths.push(path.join("::"));
                if item.contains('/') {
                    paths.push(path[distinctive..].join("::"));
                }
            }
        }
    }
    paths
}

fn names_of(segment: &str) -> Vec<String> {
    if segment == "*()" {
        return vec!["function".to_owned()];
    }
    let names = segment.trim_matches(['{', '}']).split(", ");
    names.map(|name| name.replace('*', "Any")).collect()
}

fn parts(path: &str) -> Vec<String> {
    path.split("::").map(str::to_owned).collect()
}

pub(crate) fn examples_of_paths() -> Vec<String> {
    let mut paths = paths_of(paths::FAMILIES);
    let twins = TWINS.iter().flat_map(|(twin, original)| {
        let begins = move |path: &&String| path.starts_with(&format!("{original}::"));
        let of_twin = move |path: &String| path.replacen(original, twin, 1);
        paths.iter().filter(begins).map(of_twin)
    });
    let twins: Vec<_> = twins.collect();
    paths.extend(twins);
    paths.retain(|found| path(&parts(found), false).is_some());
    assert!(paths.len() > 500);
    paths
}

pub(crate) fn examples_of_macros() -> Vec<String> {
    let mut paths = paths_of(macros::FAMILIES);
    paths.retain(|found| macro_path(&parts(found), false).is_some());
    assert!(paths.len() > 30);
    paths
}

pub(crate) fn examples_of_types() -> impl Iterator<Item = &'static str> {
    let items = types::FAMILIES.iter().flat_map(|family| family.items);
    items.map(|item| type_name(item))
}

pub(crate) fn examples_of_methods() -> impl Iterator<Item = &'static str> {
    let items = methods::FAMILIES.iter().flat_map(|family| family.items);
    items.map(|item| method_name(item))
}
