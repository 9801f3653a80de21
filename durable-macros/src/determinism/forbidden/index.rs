//! The tables, read once: a macro is expanded for every function of a program, and looks up every path
//! in it.

use std::collections::HashMap;
use std::sync::Arc;

use super::Family;
use super::pattern::{EndNames, Pattern};

/// The items of a table by a name that each of them has.
pub(super) struct Names {
    items: HashMap<&'static str, Vec<(&'static Family, &'static str)>>,
}

impl Names {
    pub(super) fn of(
        families: &'static [Family],
        name: impl Fn(&'static str) -> &'static str,
    ) -> Self {
        let mut items: HashMap<_, Vec<_>> = HashMap::new();
        for family in families {
            for item in family.items {
                items.entry(name(item)).or_default().push((family, *item));
            }
        }
        Self { items }
    }

    /// All names.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.items.keys().copied()
    }

    /// Those of this name, in the order of the table.
    pub(super) fn items(&self, name: &str) -> &[(&'static Family, &'static str)] {
        self.items.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The families of a table, by the names that what they match begins with.
pub(super) struct Index {
    families: &'static [Family],
    /// Of full paths.
    full: Entries,
    /// Of the ends of paths, where those begin with a type.
    types: Entries,
    /// Of the ends of paths, where those begin with a module.
    modules: Entries,
}

#[derive(Default)]
struct Entries {
    by_name: HashMap<&'static str, Vec<Arc<Entry>>>,
    /// Those that begin with more than a list of names.
    others: Vec<Arc<Entry>>,
}

struct Entry {
    /// Where the family stands in the table.
    family: usize,
    pattern: Pattern,
}

impl Entries {
    fn add(&mut self, names: Option<Vec<&'static str>>, entry: &Arc<Entry>) {
        match names {
            Some(names) => {
                for name in names {
                    let entries = self.by_name.entry(name).or_default();
                    entries.push(Arc::clone(entry));
                }
            }
            None => self.others.push(Arc::clone(entry)),
        }
    }

    fn find<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Entry> {
        let named = self.by_name.get(name).into_iter().flatten();
        named.chain(&self.others).map(Arc::as_ref)
    }
}

impl Index {
    pub(super) fn of(families: &'static [Family]) -> Self {
        let mut index = Self {
            families,
            full: Entries::default(),
            types: Entries::default(),
            modules: Entries::default(),
        };
        for (family, Family { items, .. }) in families.iter().enumerate() {
            for item in *items {
                let pattern = Pattern::of(item);
                index.add(&Arc::new(Entry { family, pattern }));
            }
        }
        index
    }

    fn add(&mut self, entry: &Arc<Entry>) {
        self.full.add(entry.pattern.first_names(), entry);
        match entry.pattern.end_names() {
            EndNames::None => {}
            EndNames::Type(names) => self.types.add(names, entry),
            EndNames::Modules(modules) => {
                for names in modules {
                    self.modules.add(names, entry);
                }
            }
        }
    }

    /// Every path of the table has one of these names in it, or one that begins with one of the
    /// [`prefixes`](Self::prefixes).
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let entries = self.entries().into_iter();
        let listed = entries.flat_map(|entries| entries.by_name.keys().copied());
        listed.chain(self.others().flat_map(Pattern::names))
    }

    pub(super) fn prefixes(&self) -> impl Iterator<Item = &'static str> {
        self.others().flat_map(Pattern::prefixes)
    }

    /// The patterns that begin with more than a list of names.
    fn others(&self) -> impl Iterator<Item = &Pattern> {
        let others = self
            .entries()
            .into_iter()
            .flat_map(|entries| &entries.others);
        others.map(|entry| &entry.pattern)
    }

    fn entries(&self) -> [&Entries; 3] {
        [&self.full, &self.types, &self.modules]
    }

    /// The first family that has `path`. A full path is sure, so it goes before the end of another.
    pub(super) fn find(&self, path: &[&str], is_resolved: bool) -> Option<&'static Family> {
        let first = path.first()?;
        let full = self.full.find(first);
        let full = full.filter(|entry| entry.pattern.is_full(path));
        let family = full.map(|entry| entry.family).min().or_else(|| {
            if is_resolved {
                return None;
            }
            let types = path.iter().flat_map(|name| self.types.find(name));
            let ends = types.chain(self.modules.find(first));
            let ends = ends.filter(|entry| entry.pattern.is_end(path));
            ends.map(|entry| entry.family).min()
        });
        family.map(|family| &self.families[family])
    }
}
