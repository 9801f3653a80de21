//! How the tables write what they are about.

/// The path of an item, as in a `use`:
///
/// * `{sleep, sleep_until}` is either name, `Atomic*` is every name that begins so.
/// * `*()` at the end is every function below the path, however deep. Functions are told by their
///   lower-case names: types and variants of an enum, which patterns are made of, are left alone.
/// * `/` stands for `::`. What follows it is enough where nothing tells where a name comes from,
///   for a macro does not see the `use` at the top of a file. Where that begins with a type, it may
///   follow any module: `std::time/Instant::now` is also `t::Instant::now`. Where it begins with a
///   module, it must be what a `use` leaves to write: `std/env::var` is `env::var`, but not
///   `settings::env::var`.
pub(super) struct Pattern {
    segments: Vec<&'static str>,
    /// Where the part begins that is enough.
    distinctive: Option<usize>,
}

impl Pattern {
    pub(super) fn of(pattern: &'static str) -> Self {
        let (before, after) = match pattern.split_once('/') {
            Some((before, after)) => (before, Some(after)),
            None => (pattern, None),
        };
        let mut segments: Vec<_> = before.split("::").collect();
        let distinctive = after.map(|_| segments.len());
        segments.extend(after.into_iter().flat_map(|after| after.split("::")));
        Self {
            segments,
            distinctive,
        }
    }

    /// What a full path of such an item begins with; `None` if that is more than some names.
    pub(super) fn first_names(&self) -> Option<Vec<&'static str>> {
        names(self.segments.first()?)
    }

    /// What the end of the path of such an item begins with.
    pub(super) fn end_names(&self) -> EndNames {
        let Some(distinctive) = self.distinctive else {
            return EndNames::None;
        };
        let first = self.segments[distinctive];
        if names_type(first) {
            EndNames::Type(names(first))
        } else {
            let modules = &self.segments[1..=distinctive];
            EndNames::Modules(modules.iter().map(|module| names(module)).collect())
        }
    }

    /// All names that are listed in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.alternatives().filter(|name| !name.contains('*'))
    }

    /// What other names begin with.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = &'static str> {
        self.alternatives()
            .filter_map(|name| name.strip_suffix('*'))
    }

    fn alternatives(&self) -> impl Iterator<Item = &'static str> {
        self.segments
            .iter()
            .flat_map(|segment| alternatives(segment))
    }

    /// Whether `path` is the path of such an item from its crate on.
    pub(super) fn is_full(&self, path: &[&str]) -> bool {
        matches(&self.segments, path)
    }

    /// Whether `path` looks like the end of the path of such an item.
    pub(super) fn is_end(&self, path: &[&str]) -> bool {
        let Some(distinctive) = self.distinctive else {
            return false;
        };
        let end = &self.segments[distinctive..];
        if names_type(end[0]) {
            (0..path.len()).any(|start| matches(end, &path[start..]))
        } else {
            (1..=distinctive).any(|start| matches(&self.segments[start..], path))
        }
    }
}

/// What the end of a path that is enough to know it by begins with; a `None` inside is more than some
/// names.
pub(super) enum EndNames {
    /// Nothing less than the full path is enough.
    None,
    /// A type, below any module.
    Type(Option<Vec<&'static str>>),
    /// One of several modules, where the path begins.
    Modules(Vec<Option<Vec<&'static str>>>),
}

/// The names that a segment stands for; `None` if that is more than a list of them.
fn names(segment: &'static str) -> Option<Vec<&'static str>> {
    let names: Vec<_> = alternatives(segment).collect();
    let are_names = names.iter().all(|name| !name.contains('*'));
    are_names.then_some(names)
}

fn alternatives(segment: &str) -> impl Iterator<Item = &str> {
    let listed = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    listed.unwrap_or(segment).split(", ")
}

fn matches(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["*()"], [.., last]) => !names_type(last),
        ([first, pattern @ ..], [segment, path @ ..]) => {
            is_name(first, segment) && matches(pattern, path)
        }
        _ => false,
    }
}

/// Whether `name` is one of those that `pattern`, a segment, stands for.
fn is_name(pattern: &str, name: &str) -> bool {
    let braces = pattern
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    match braces {
        Some(names) => names.split(", ").any(|pattern| is_name(pattern, name)),
        None => match pattern.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => pattern == name,
        },
    }
}

fn names_type(segment: &str) -> bool {
    segment
        .trim_start_matches('{')
        .starts_with(|first: char| first.is_uppercase())
}

/// A method with its arguments: `elapsed()`, `fetch_add(_, _)`, or `start_new(..)` for any number.
pub(super) fn is_method(pattern: &str, name: &str, arguments: usize) -> bool {
    pattern.split_once('(').is_some_and(|(method, parameters)| {
        method == name && (parameters == "..)" || parameters.matches('_').count() == arguments)
    })
}

/// The name of a method.
pub(super) fn method_name(pattern: &'static str) -> &'static str {
    pattern.split_once('(').map_or(pattern, |(name, _)| name)
}

/// The name of a type without its path.
pub(super) fn type_name(pattern: &'static str) -> &'static str {
    let path = pattern.split_once('<').map_or(pattern, |(path, _)| path);
    path.rsplit([':', '/']).next().unwrap_or(path)
}

/// The path of a type and the number of its generic arguments: `std::collections/HashMap<_, _>`.
pub(super) fn with_generics(pattern: &'static str) -> (Pattern, usize) {
    let (path, arguments) = pattern.split_once('<').unwrap_or((pattern, ""));
    (Pattern::of(path), arguments.matches('_').count())
}

#[cfg(test)]
mod tests {
    use super::{Pattern, is_method, with_generics};

    fn split(path: &str) -> Vec<&str> {
        path.split("::").collect()
    }

    fn is_full(pattern: &'static str, path: &str) -> bool {
        Pattern::of(pattern).is_full(&split(path))
    }

    fn is_end(pattern: &'static str, path: &str) -> bool {
        Pattern::of(pattern).is_end(&split(path))
    }

    #[test]
    fn a_full_path_begins_with_the_crate() {
        assert!(is_full("std::time/Instant::now", "std::time::Instant::now"));
        assert!(!is_full("std::time/Instant::now", "time::Instant::now"));
        assert!(!is_full("std::time/Instant::now", "std::time::Instant"));
    }

    #[test]
    fn alternatives_and_prefixes_are_of_one_segment() {
        assert!(is_full("std::env::{var, vars}", "std::env::vars"));
        assert!(!is_full("std::env::{var, vars}", "std::env::vars_os"));
        assert!(is_full("aws_sdk_*::Client::new", "aws_sdk_s3::Client::new"));
        assert!(!is_full("aws_sdk_*::new", "aws_sdk_s3::Client::new"));
    }

    #[test]
    fn functions_are_found_at_any_depth_and_types_are_not() {
        assert!(is_full("sqlx::*()", "sqlx::query"));
        assert!(is_full("sqlx::*()", "sqlx::PgPool::connect"));
        assert!(!is_full("sqlx::*()", "sqlx::Error::RowNotFound"));
        assert!(!is_full("sqlx::*()", "sqlx"));
    }

    #[test]
    fn a_type_is_distinctive_below_any_module() {
        assert!(is_end("std::time/Instant::now", "Instant::now"));
        assert!(is_end("std::time/Instant::now", "time::Instant::now"));
        assert!(is_end("std::time/Instant::now", "t::Instant::now"));
        assert!(!is_end("std::time::Instant::now", "Instant::now"));
        assert!(!is_end("std::time/Instant::now", "now"));
    }

    #[test]
    fn a_module_is_distinctive_where_the_path_begins() {
        assert!(is_end("std::sync/mpsc::channel", "mpsc::channel"));
        assert!(is_end("std::sync/mpsc::channel", "sync::mpsc::channel"));
        assert!(!is_end("std::sync/mpsc::channel", "actors::mpsc::channel"));
        assert!(!is_end("std::sync/mpsc::channel", "channel"));
    }

    #[test]
    fn methods_are_told_by_the_number_of_their_arguments() {
        assert!(is_method("elapsed()", "elapsed", 0));
        assert!(!is_method("elapsed()", "elapsed", 1));
        assert!(is_method("fetch_add(_, _)", "fetch_add", 2));
        assert!(is_method("start_new(..)", "start_new", 1));
        assert!(!is_method("start_new(..)", "start", 1));
    }

    #[test]
    fn generic_arguments_are_counted() {
        assert_eq!(with_generics("std::collections/HashMap<_, _>").1, 2);
        assert_eq!(with_generics("std::hash/RandomState").1, 0);
    }
}
