//! What an execution has been told about patches of its code.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::EventKind;

/// The answers stay the same for the whole execution: what the first call of a patch finds counts.
#[derive(Debug, Default)]
pub(super) struct Patches {
    answers: BTreeMap<String, bool>,
    /// The marks of the step that is being replayed, and whether they are of deprecated patches.
    recorded: BTreeMap<String, bool>,
    /// The patches that the code has deprecated.
    deprecated: BTreeSet<String>,
}

impl Patches {
    /// The next step is replayed, and has these marks.
    pub(super) fn begin_replay<'a>(&mut self, actions: impl Iterator<Item = &'a EventKind>) {
        let marks = actions.filter_map(|action| match action {
            EventKind::PatchMarked { patch, deprecated } => Some((patch.clone(), *deprecated)),
            _ => None,
        });
        self.recorded = marks.collect();
    }

    /// Whether the code is to do what is new with `patch`, and the mark that records it.
    pub(super) fn ask(&mut self, patch: &str, replaying: bool) -> (bool, Option<EventKind>) {
        if let Some(answer) = self.answers.get(patch) {
            return (*answer, None);
        }
        let mark = self.mark(patch, replaying, false);
        self.answers.insert(patch.to_owned(), mark.is_some());
        (mark.is_some(), mark)
    }

    /// The code does what is new with `patch` in any case; gives the mark that says so.
    pub(super) fn deprecate(&mut self, patch: &str, replaying: bool) -> Option<EventKind> {
        self.deprecated.insert(patch.to_owned());
        if self.answers.contains_key(patch) {
            return None;
        }
        let mark = self.mark(patch, replaying, true)?;
        self.answers.insert(patch.to_owned(), true);
        Some(mark)
    }

    /// A replay repeats the mark that is there, or makes none.
    fn mark(&self, patch: &str, replaying: bool, deprecated: bool) -> Option<EventKind> {
        let deprecated = if replaying {
            *self.recorded.get(patch)?
        } else {
            deprecated
        };
        Some(EventKind::PatchMarked {
            patch: patch.to_owned(),
            deprecated,
        })
    }

    /// Whether `action` is a mark that code need not repeat.
    pub(super) fn is_optional(&self, action: &EventKind) -> bool {
        match action {
            EventKind::PatchMarked { patch, deprecated } => {
                *deprecated || self.deprecated.contains(patch)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(patch: &str, deprecated: bool) -> EventKind {
        EventKind::PatchMarked {
            patch: patch.to_owned(),
            deprecated,
        }
    }

    fn replaying(marks: &[EventKind]) -> Patches {
        let mut patches = Patches::default();
        patches.begin_replay(marks.iter());
        patches
    }

    #[test]
    fn what_runs_for_the_first_time_is_marked_once() {
        let mut patches = Patches::default();
        assert_eq!(patches.ask("a", false), (true, Some(mark("a", false))));
        assert_eq!(patches.ask("a", false), (true, None));
        assert_eq!(patches.deprecate("a", false), None);
        assert_eq!(patches.deprecate("b", false), Some(mark("b", true)));
        assert_eq!(patches.ask("b", false), (true, None));
    }

    #[test]
    fn a_replay_goes_by_the_marks_of_its_step() {
        let mut patches = replaying(&[mark("a", false), mark("b", true)]);
        assert_eq!(patches.ask("a", true), (true, Some(mark("a", false))));
        assert_eq!(patches.ask("b", true), (true, Some(mark("b", true))));
        assert_eq!(patches.ask("c", true), (false, None));
        // The answer of the replay counts from then on.
        patches.begin_replay([mark("c", false)].iter());
        assert_eq!(patches.ask("c", true), (false, None));
        assert_eq!(patches.ask("c", false), (false, None));
    }

    #[test]
    fn deprecated_marks_need_not_be_repeated() {
        let mut patches = replaying(&[mark("a", false)]);
        assert!(patches.is_optional(&mark("x", true)));
        assert!(!patches.is_optional(&mark("a", false)));
        assert_eq!(patches.deprecate("a", true), Some(mark("a", false)));
        assert!(patches.is_optional(&mark("a", false)));
        // Nothing is marked after the fact.
        assert_eq!(patches.deprecate("never", true), None);
        assert_eq!(patches.ask("never", true), (false, None));
    }
}
