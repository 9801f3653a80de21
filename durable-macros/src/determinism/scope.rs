//! What a name in a body stands for, as far as the body itself tells.

use std::collections::HashMap;

use syn::ext::IdentExt;
use syn::visit::{self, Visit};
use syn::{Expr, Ident, Item, ItemUse, Pat, PatIdent, Path, Stmt, UseTree};

/// The names that the blocks around the current place declare.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    blocks: Vec<Scope>,
}

#[derive(Debug, Default)]
struct Scope {
    names: HashMap<String, Meaning>,
    /// What `use path::*` brings in.
    globs: Vec<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq)]
enum Meaning {
    /// Brought in by a `use`.
    Import(Vec<String>),
    /// Declared in the body: an item, or a local that shadows an async closure.
    Own,
    /// A local that holds an async closure, whose body is checked where it is written.
    AsyncClosure,
    /// A local that holds something forbidden, which was reported where it was made.
    Reported,
}

/// What a `let` binds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Bound {
    AsyncClosure,
    /// Something forbidden, which was reported.
    Reported,
    Value,
}

/// The names in a pattern.
#[derive(Debug, Default)]
struct Names {
    found: Vec<String>,
}

impl<'ast> Visit<'ast> for Names {
    fn visit_pat_ident(&mut self, pattern: &'ast PatIdent) {
        self.found.push(pattern.ident.unraw().to_string());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_expr(&mut self, _: &'ast Expr) {}
}

/// What a path may stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) segments: Vec<String>,
    /// Whether it is the full path, and not one that begins with a name from outside of the body.
    pub(super) is_resolved: bool,
    /// Whether it is a single name, which may be from a `use path::*` or from anywhere else.
    pub(super) is_guessed: bool,
}

impl Scopes {
    /// Enters a block. Its items are known in all of it.
    pub(super) fn enter<'s>(&mut self, statements: impl IntoIterator<Item = &'s Stmt>) {
        let mut scope = Scope::default();
        for statement in statements {
            match statement {
                Stmt::Item(Item::Use(item)) => scope.import(item),
                Stmt::Item(item) => {
                    if let Some(name) = name_of(item) {
                        scope.names.insert(name.unraw().to_string(), Meaning::Own);
                    }
                }
                _ => {}
            }
        }
        self.blocks.push(scope);
    }

    pub(super) fn leave(&mut self) {
        self.blocks.pop();
    }

    /// Notes what a `let` binds.
    pub(super) fn bind(&mut self, pattern: &Pat, bound: Bound) {
        let mut names = Names::default();
        names.visit_pat(pattern);
        for name in names.found {
            let meaning = match bound {
                Bound::AsyncClosure => Meaning::AsyncClosure,
                Bound::Reported => Meaning::Reported,
                // Only where it hides something that is known.
                Bound::Value if self.meaning(&name).is_none() => continue,
                Bound::Value => Meaning::Own,
            };
            if let Some(scope) = self.blocks.last_mut() {
                scope.names.insert(name, meaning);
            }
        }
    }

    /// Notes a parameter that is an async closure.
    pub(super) fn bind_closure(&mut self, name: &Ident) {
        if let Some(scope) = self.blocks.last_mut() {
            let name = name.unraw().to_string();
            scope.names.insert(name, Meaning::AsyncClosure);
        }
    }

    pub(super) fn is_async_closure(&self, name: &str) -> bool {
        self.meaning(name) == Some(&Meaning::AsyncClosure)
    }

    /// Whether this is a local that holds something forbidden, which was reported.
    pub(super) fn is_reported(&self, name: &str) -> bool {
        self.meaning(name) == Some(&Meaning::Reported)
    }

    /// Whether the body says nothing of a name.
    pub(super) fn is_unknown(&self, name: &Ident) -> bool {
        let mut known = self.blocks.iter().filter(|scope| {
            let Scope { names, globs } = scope;
            !(names.is_empty() && globs.is_empty())
        });
        // Most bodies declare nothing at all.
        known.next().is_none()
            || self.meaning(&name.unraw().to_string()).is_none()
                && self.blocks.iter().all(|scope| scope.globs.is_empty())
    }

    fn meaning(&self, name: &str) -> Option<&Meaning> {
        self.blocks
            .iter()
            .rev()
            .find_map(|scope| scope.names.get(name))
    }

    /// What `path` may stand for; nothing if the body declares it itself.
    pub(super) fn candidates(&self, path: &Path) -> Vec<Candidate> {
        let segments: Vec<_> = path
            .segments
            .iter()
            .map(|segment| segment.ident.unraw().to_string())
            .collect();
        self.candidates_of(segments, path.leading_colon.is_some())
    }

    /// As [`candidates`](Self::candidates), of a path that is only known as names.
    pub(super) fn candidates_of(&self, segments: Vec<String>, is_full: bool) -> Vec<Candidate> {
        let Some(first) = segments.first().filter(|_| !is_full) else {
            return vec![Candidate {
                segments,
                is_resolved: true,
                is_guessed: false,
            }];
        };
        match self.meaning(first) {
            Some(Meaning::Import(full)) => vec![Candidate {
                segments: full.iter().chain(&segments[1..]).cloned().collect(),
                is_resolved: true,
                is_guessed: false,
            }],
            Some(Meaning::Own | Meaning::AsyncClosure | Meaning::Reported) => Vec::new(),
            None => {
                let globs = self.blocks.iter().flat_map(|scope| &scope.globs);
                let mut candidates: Vec<_> = globs
                    .map(|glob| Candidate {
                        segments: glob.iter().chain(&segments).cloned().collect(),
                        is_resolved: true,
                        is_guessed: segments.len() == 1,
                    })
                    .collect();
                candidates.push(Candidate {
                    segments,
                    is_resolved: false,
                    is_guessed: false,
                });
                candidates
            }
        }
    }
}

impl Scope {
    fn import(&mut self, item: &ItemUse) {
        self.import_tree(&item.tree, &mut Vec::new());
    }

    fn import_tree(&mut self, tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(node) => {
                path.push(node.ident.unraw().to_string());
                self.import_tree(&node.tree, path);
                path.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import_tree(tree, path);
                }
            }
            UseTree::Glob(_) => self.globs.push(path.clone()),
            UseTree::Name(name) => self.import_name(&name.ident, &name.ident, path),
            UseTree::Rename(rename) => self.import_name(&rename.ident, &rename.rename, path),
        }
    }

    fn import_name(&mut self, name: &Ident, alias: &Ident, path: &[String]) {
        let mut full = path.to_vec();
        let mut alias = alias.unraw().to_string();
        if name == "self" && !full.is_empty() {
            if alias == "self" {
                alias = full.last().cloned().unwrap_or_default();
            }
        } else {
            full.push(name.unraw().to_string());
        }
        self.names.insert(alias, Meaning::Import(full));
    }
}

fn name_of(item: &Item) -> Option<&Ident> {
    match item {
        Item::Const(item) => Some(&item.ident),
        Item::Enum(item) => Some(&item.ident),
        Item::Fn(item) => Some(&item.sig.ident),
        Item::Macro(item) => item.ident.as_ref(),
        Item::Mod(item) => Some(&item.ident),
        Item::Static(item) => Some(&item.ident),
        Item::Struct(item) => Some(&item.ident),
        Item::Trait(item) => Some(&item.ident),
        Item::Type(item) => Some(&item.ident),
        Item::Union(item) => Some(&item.ident),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::{Block, parse_quote};

    use super::*;

    fn resolve(block: &Block, path: &Path) -> Vec<String> {
        let mut scopes = Scopes::default();
        scopes.enter(&block.stmts);
        let candidates = scopes.candidates(path).into_iter();
        candidates
            .map(|candidate| {
                let text = candidate.segments.join("::");
                if candidate.is_resolved {
                    format!("::{text}")
                } else {
                    text
                }
            })
            .collect()
    }

    #[test]
    fn imports_are_followed() {
        let block = parse_quote!({
            use crate::ledger::now;
            use std::time::{self, Instant, SystemTime as Clock};
        });
        let resolve = |path| resolve(&block, &path);
        assert_eq!(
            resolve(parse_quote!(time::Instant::now)),
            ["::std::time::Instant::now"]
        );
        assert_eq!(
            resolve(parse_quote!(Clock::now)),
            ["::std::time::SystemTime::now"]
        );
        assert_eq!(resolve(parse_quote!(now)), ["::crate::ledger::now"]);
        assert_eq!(resolve(parse_quote!(::std::fs::read)), ["::std::fs::read"]);
        assert_eq!(resolve(parse_quote!(fs::read)), ["fs::read"]);
    }

    #[test]
    fn what_the_body_declares_is_its_own() {
        let block = parse_quote!({
            struct Instant;
            fn sleep() {}
        });
        assert_eq!(resolve(&block, &parse_quote!(Instant::now)), [""; 0]);
        assert_eq!(resolve(&block, &parse_quote!(sleep)), [""; 0]);
    }

    #[test]
    fn a_glob_may_bring_in_anything() {
        let block = parse_quote!({
            use std::thread::*;
        });
        assert_eq!(
            resolve(&block, &parse_quote!(sleep)),
            ["::std::thread::sleep", "sleep"]
        );
    }
}
