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
