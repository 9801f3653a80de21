//! The names that the tables are about, each by itself.

use super::{MACROS, METHODS, PATHS, TWINS, TYPES};

/// Where a word is to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Anywhere,
    /// In a path, or before the `!` of a macro.
    Path,
}

/// A path, type, method or macro in which none of these stands, and no name that begins with one of the
/// [`prefixes`], is in no table. That does not hold where a `use` in the body may have brought in a part of it.
pub(crate) fn words() -> impl Iterator<Item = (&'static str, Place)> {
    let anywhere = TYPES.names().chain(METHODS.names());
    let paths = PATHS.names().chain(MACROS.names());
    let twins = TWINS.iter().map(|(twin, _)| *twin);
    let anywhere = anywhere.map(|name| (name, Place::Anywhere));
    anywhere.chain(paths.chain(twins).map(|name| (name, Place::Path)))
}

/// What names in paths begin with: `aws_sdk_`.
pub(crate) fn prefixes() -> impl Iterator<Item = &'static str> {
    PATHS.prefixes().chain(MACROS.prefixes())
}
