//! Versions of orchestrators: how they compare, and which code an instance of a version runs.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Which code an instance runs of whose version there is none.
///
/// Code of the very version always goes first. An orchestrator that declares no version is the code of
/// instances without a version, and of [`HostOptions::default_version`](crate::host::HostOptions) where
/// nobody declares that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionMatch {
    /// Versions are ignored: the instance runs the code of the default version, else of the highest.
    None,
    /// No other: there is a mismatch.
    #[default]
    Strict,
    /// The code of the next higher version, which asks [`ctx.version()`](crate::OrchestrationContext::version)
    /// what it is to do. For an instance of a higher version than that of all code there is a mismatch.
    CurrentOrOlder,
}

/// What becomes of an instance for which a worker has no code of a version that [matches](VersionMatch),
/// when there is something for it to do: an event, a timer, the end of what it called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VersionMismatch {
    /// The worker leaves it alone, and says so once a minute.
    #[default]
    Reject,
    /// It fails with [`Failure::VERSION_MISMATCH`](crate::Failure::VERSION_MISMATCH).
    Fail,
}

/// How a host goes about versions.
#[derive(Debug, Clone, Default)]
pub(crate) struct VersionRules {
    /// The version of starts that ask for none.
    pub(crate) default: Option<String>,
    pub(crate) matching: VersionMatch,
    pub(crate) on_mismatch: VersionMismatch,
}

impl VersionRules {
    pub(crate) fn default_version(&self) -> Option<&str> {
        self.default.as_deref()
    }

    /// What of `versions`, which are those of one orchestrator, an instance of the version `wanted` runs.
    pub(super) fn choose<'a, T>(
        &self,
        versions: &'a BTreeMap<Version, T>,
        wanted: Option<&str>,
    ) -> Option<&'a T> {
        let wanted = Version::new(wanted);
        let default = Version::new(self.default_version());
        let exact = |version: &Version| {
            let undeclared = || versions.get(&Version::None).filter(|_| *version == default);
            versions.get(version).or_else(undeclared)
        };
        let other = || match self.matching {
            VersionMatch::Strict => None,
            VersionMatch::None => {
                exact(&default).or_else(|| versions.last_key_value().map(|(_, found)| found))
            }
            VersionMatch::CurrentOrOlder => {
                let above = (Bound::Excluded(&wanted), Bound::Unbounded);
                let declared = versions.range(above).next();
                let of_default = exact(&default).map(|found| (&default, found));
                let candidates = [declared, of_default.filter(|_| default > wanted)];
                let lowest = candidates
                    .into_iter()
                    .flatten()
                    .min_by_key(|(version, _)| *version);
                lowest.map(|(_, found)| found)
            }
        };
        exact(&wanted).or_else(other)
    }
}

/// Orders versions: as numbers with dots where both are, else as text. No version is the lowest, and one
/// of numbers is below one of text, so that any three of them have one order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    None,
    /// The text tells `1.0` from `1.00`.
    Numbers(Vec<u64>, String),
    Text(String),
}

impl Version {
    pub(super) fn new(version: Option<&str>) -> Self {
        let Some(text) = version.filter(|text| !text.is_empty()) else {
            return Self::None;
        };
        let number = |part: &str| {
            let is_number = part.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| part.parse().ok()).flatten()
        };
        match text.split('.').map(number).collect() {
            Some(numbers) => Self::Numbers(numbers, text.to_owned()),
            None => Self::Text(text.to_owned()),
        }
    }

    /// For a list of what there is.
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::None => "without a version",
            Self::Numbers(_, text) | Self::Text(text) => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::new(Some(text))
    }

    // Rule 22: versions compare as numbers with dots, else as text.
    #[test]
    fn versions_compare_as_numbers_with_dots_else_as_text() {
        let ascending = [
            "", "0.1", "1", "1.0", "1.0.1", "1.9", "1.10", "1.10.0", "2", "9.5", "10.0", "+1",
            "1.", "1.9-beta", "alpha", "beta",
        ];
        for pair in ascending.windows(2) {
            assert!(version(pair[0]) < version(pair[1]), "{pair:?}");
        }
        assert_eq!(Version::new(None), version(""));
        assert_ne!(version("1.0"), version("1.00"));
        // More than a number can hold.
        assert!(version("99999999999999999999999") > version("100"));
    }

    fn chosen(rules: &VersionRules, declared: &[&str], wanted: &str) -> Option<String> {
        let versions = declared
            .iter()
            .map(|text| (version(text), (*text).to_owned()));
        let versions: BTreeMap<_, _> = versions.collect();
        rules.choose(&versions, Some(wanted)).cloned()
    }

    fn rules(default: &str, matching: VersionMatch) -> VersionRules {
        VersionRules {
            default: Some(default.to_owned()),
            matching,
            on_mismatch: VersionMismatch::Reject,
        }
    }

    // Rule 22: code of the very version goes first, whatever else is allowed.
    #[test]
    fn code_of_the_very_version_goes_first() {
        for matching in [
            VersionMatch::None,
            VersionMatch::Strict,
            VersionMatch::CurrentOrOlder,
        ] {
            let rules = rules("2.0", matching);
            for wanted in ["", "1.0", "2.0", "3.0"] {
                let found = chosen(&rules, &["", "1.0", "2.0", "3.0"], wanted);
                assert_eq!(found.as_deref(), Some(wanted), "{matching:?}");
            }
            // Where no code declares the default version, that without a version is it.
            assert_eq!(chosen(&rules, &["", "1.0"], "2.0").as_deref(), Some(""));
        }
    }

    /// How versions match, the default, the versions declared, the one wanted, and what is chosen.
    type Case = (
        VersionMatch,
        &'static str,
        &'static [&'static str],
        &'static str,
        Option<&'static str>,
    );

    // Rule 22: what the ways to match allow when the very version is not there.
    #[test]
    fn other_code_runs_an_instance_as_the_host_allows() {
        use VersionMatch::{CurrentOrOlder, None, Strict};
        let cases: [Case; 12] = [
            (Strict, "", &["1.0", "3.0"], "2.0", Option::None),
            (Strict, "2.0", &[""], "1.0", Option::None),
            (
                CurrentOrOlder,
                "",
                &["1.0", "1.10", "3.0"],
                "1.9",
                Some("1.10"),
            ),
            (CurrentOrOlder, "", &["1.0", "3.0"], "3.1", Option::None),
            (CurrentOrOlder, "", &["1.0", "3.0"], "", Some("1.0")),
            (CurrentOrOlder, "2.0", &[""], "1.0", Some("")),
            (CurrentOrOlder, "2.0", &[""], "2.1", Option::None),
            (CurrentOrOlder, "2.0", &["", "1.5"], "1.0", Some("1.5")),
            (CurrentOrOlder, "2.0", &["", "2.5"], "1.0", Some("")),
            (None, "", &["1.0", "3.0"], "9.0", Some("3.0")),
            (None, "1.0", &["1.0", "3.0"], "9.0", Some("1.0")),
            (None, "2.0", &[""], "9.0", Some("")),
        ];
        for (matching, default, declared, wanted, expected) in cases {
            let found = chosen(&rules(default, matching), declared, wanted);
            assert_eq!(
                found.as_deref(),
                expected,
                "{matching:?} {default} {declared:?} {wanted}"
            );
        }
    }
}
