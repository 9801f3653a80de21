//! The tables, read once: a macro is expanded for every function of a program, and looks up every path
//! in it.

use std::collections::HashMap;

use super::Family;
use super::pattern::Pattern;

/// The families of a table, by the last names of what they match.
pub(super) struct Index {
    families: &'static [Family],
    by_name: HashMap<&'static str, Vec<Entry>>,
    /// Those that match more than a list of names.
    others: Vec<Entry>,
}

struct Entry {
    /// Where the family stands in the table.
    family: usize,
    pattern: Pattern,
}

impl Index {
    pub(super) fn of(families: &'static [Family]) -> Self {
        let mut index = Self {
            families,
            by_name: HashMap::new(),
            others: Vec::new(),
        };
        for (family, Family { items, .. }) in families.iter().enumerate() {
            for item in *items {
                index.add(family, item);
            }
        }
        index
    }

    fn add(&mut self, family: usize, item: &'static str) {
        let entry = || Entry {
            family,
            pattern: Pattern::of(item),
        };
        match Pattern::of(item).last_names() {
            Some(names) => {
                for name in names {
                    self.by_name.entry(name).or_default().push(entry());
                }
            }
            None => self.others.push(entry()),
        }
    }

    /// The first family that has `path`. A full path is sure, so it goes before the end of another.
    pub(super) fn find(&self, path: &[&str], is_resolved: bool) -> Option<&'static Family> {
        let named = path.last().and_then(|last| self.by_name.get(last));
        let candidates = || named.into_iter().flatten().chain(&self.others);
        let first = |has: &dyn Fn(&Pattern) -> bool| {
            let families = candidates().filter(|entry| has(&entry.pattern));
            families.map(|entry| entry.family).min()
        };
        let family = first(&|pattern| pattern.is_full(path)).or_else(|| {
            if is_resolved {
                return None;
            }
            first(&|pattern| pattern.is_end(path))
        });
        family.map(|family| &self.families[family])
    }
}
