//! What an orchestrator must not name: the tables are in the modules below, one family of items
//! after the other.
//!
//! A macro sees names and no types. What is here is what a name alone gives away; everything else
//! is left to the compiler and to the check of the history during a replay. A false alarm costs its
//! user more than a mistake that is found a little later, so a name that anyone may have given to
//! something of their own is not here.

mod index;
mod macros;
mod message;
mod methods;
mod paths;
mod pattern;
mod types;
mod words;

use std::sync::LazyLock;

use crate::determinism::rule::Rule;
use index::{Index, Names};
use pattern::{Pattern, is_method, method_name, type_name, with_generics};
pub(crate) use words::{Place, prefixes, words};

/// Something that an orchestrator must not do.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) rule: Rule,
    /// What is wrong.
    pub(crate) message: String,
    /// What to write in its place.
    pub(crate) instead: &'static str,
}

/// Items that are wrong for one reason, with the patterns that tell them.
struct Family {
    rule: Rule,
    /// What follows the name of the item in the message.
    why: &'static str,
    instead: &'static str,
    items: &'static [&'static str],
}

impl Family {
    /// `name` is shown in backticks.
    fn finding(&self, name: &str) -> Finding {
        Finding {
            rule: self.rule,
            message: format!("`{name}` {}", self.why),
            instead: self.instead,
        }
    }

    fn has_full(&self, path: &[&str]) -> bool {
        self.items
            .iter()
            .any(|item| Pattern::of(item).is_full(path))
    }
}

static PATHS: LazyLock<Index> = LazyLock::new(|| Index::of(paths::FAMILIES));
static MACROS: LazyLock<Index> = LazyLock::new(|| Index::of(macros::FAMILIES));
static TYPES: LazyLock<Names> = LazyLock::new(|| Names::of(types::FAMILIES, type_name));
static METHODS: LazyLock<Names> = LazyLock::new(|| Names::of(methods::FAMILIES, method_name));

/// Crates that are others under another name.
const TWINS: &[(&str, &str)] = &[
    ("alloc", "std"),
    ("core", "std"),
    ("futures_util", "futures"),
];

/// What is wrong with a path that is called or used as a value.
///
/// `is_resolved` says that the path begins with a crate, because it is written so or because of a
/// `use` in the body. Otherwise its end decides, where that is distinctive.
pub(crate) fn path(segments: &[String], is_resolved: bool) -> Option<Finding> {
    if segments.len() == 1 && !is_resolved {
        // The name of a local, or of a function of the user's own.
        return None;
    }
    let path = of_crates(segments)?;
    let family = PATHS.find(&path, is_resolved)?;
    let is_value = paths::VALUES
        .iter()
        .any(|value| Pattern::of(value).is_full(&path));
    (!is_value).then(|| family.finding(&shown(segments)))
}

/// What is wrong with a macro, by its path.
pub(crate) fn macro_path(segments: &[String], is_resolved: bool) -> Option<Finding> {
    let family = MACROS.find(&of_crates(segments)?, is_resolved)?;
    Some(family.finding(&format!("{}!", shown(segments))))
}

/// What is wrong with naming a type that has this number of generic arguments.
pub(crate) fn type_path(
    segments: &[String],
    generic_arguments: usize,
    is_resolved: bool,
) -> Option<Finding> {
    let last = segments.last()?;
    let items = TYPES.items(last);
    if items.is_empty() {
        return None;
    }
    let path = of_crates(segments)?;
    let is_meant = |item| {
        let (pattern, arguments) = with_generics(item);
        arguments == generic_arguments
            && (pattern.is_full(&path) || !is_resolved && pattern.is_end(&path))
    };
    let (family, _) = items.iter().find(|(_, item)| is_meant(item))?;
    Some(family.finding(last))
}

/// What is wrong with a `static` of this type, of which the last segment is given.
pub(crate) fn static_type(last_segment: &str) -> Option<Finding> {
    let family = types::STATICS
        .iter()
        .find(|family| family.has_full(&[last_segment]))?;
    Some(family.finding(last_segment))
}

/// What is wrong with the call of a method that has this number of arguments.
pub(crate) fn method(name: &str, arguments: usize) -> Option<Finding> {
    let items = METHODS.items(name);
    let (family, _) = items
        .iter()
        .find(|(_, item)| is_method(item, name, arguments))?;
    let parameters = if arguments == 0 { "" } else { ".." };
    Some(family.finding(&format!(".{name}({parameters})")))
}

/// The path as the tables write it, unless it is of the user's own crate.
fn of_crates(segments: &[String]) -> Option<Vec<&str>> {
    let mut path: Vec<_> = segments.iter().map(String::as_str).collect();
    let first = path.first_mut()?;
    if matches!(*first, "self" | "super" | "crate" | "Self") {
        return None;
    }
    if let Some((_, original)) = TWINS.iter().find(|(twin, _)| twin == first) {
        *first = original;
    }
    Some(path)
}

/// The end of a path, which is enough to know it by.
fn shown(segments: &[String]) -> String {
    segments[segments.len().saturating_sub(2)..].join("::")
}

#[cfg(test)]
pub(crate) mod tables_tests;
#[cfg(test)]
mod tests;
