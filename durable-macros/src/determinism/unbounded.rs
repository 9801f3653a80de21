//! A `loop` that awaits and never ends: its history grows until the instance can no longer be
//! loaded.

use syn::visit::{self, Visit};
use syn::{
    Block, Expr, ExprAsync, ExprAwait, ExprBreak, ExprClosure, ExprForLoop, ExprLoop, ExprReturn,
    ExprWhile, Item, Label, Lifetime, Macro,
};

/// Whether the loop with this body awaits, and is left neither by `break` nor by `return`. That a
/// `?` may leave it does not count: it does so only when something fails.
pub(super) fn is_unbounded(body: &Block, label: Option<&Label>) -> bool {
    let mut finder = Finder {
        label: label.map(|label| &label.name),
        depth: 0,
        awaits: false,
        leaves: false,
    };
    finder.visit_block(body);
    finder.awaits && !finder.leaves
}

struct Finder<'a> {
    label: Option<&'a Lifetime>,
    /// How many loops are between here and the one in question.
    depth: usize,
    awaits: bool,
    leaves: bool,
}

impl Finder<'_> {
    fn inner_loop(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        visit(self);
        self.depth -= 1;
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_expr_await(&mut self, node: &'ast ExprAwait) {
        self.awaits = true;
        visit::visit_expr_await(self, node);
    }

    fn visit_expr_break(&mut self, node: &'ast ExprBreak) {
        self.leaves |= match &node.label {
            Some(label) => self.label.is_none_or(|own| own.ident == label.ident),
            None => self.depth == 0,
        };
        visit::visit_expr_break(self, node);
    }

    fn visit_expr_return(&mut self, node: &'ast ExprReturn) {
        self.leaves = true;
        visit::visit_expr_return(self, node);
    }

    fn visit_expr_loop(&mut self, node: &'ast ExprLoop) {
        self.inner_loop(|finder| visit::visit_expr_loop(finder, node));
    }

    fn visit_expr_while(&mut self, node: &'ast ExprWhile) {
        self.inner_loop(|finder| visit::visit_expr_while(finder, node));
    }

    fn visit_expr_for_loop(&mut self, node: &'ast ExprForLoop) {
        self.inner_loop(|finder| visit::visit_expr_for_loop(finder, node));
    }

    /// What is in a macro is not parsed: anything that may leave the loop does.
    fn visit_macro(&mut self, node: &'ast Macro) {
        let mut tokens = node.tokens.clone().into_iter().peekable();
        let name = node.path.segments.last().map(|last| last.ident.to_string());
        self.leaves |= matches!(
            name.as_deref(),
            Some("bail" | "panic" | "unreachable" | "todo")
        );
        self.awaits |= matches!(name.as_deref(), Some("select" | "join"))
            || !super::arguments::awaits(node.tokens.clone()).is_empty();
        let mut groups = Vec::new();
        while let Some(tree) = tokens.next().or_else(|| groups.pop()) {
            match tree {
                proc_macro2::TokenTree::Ident(ident) => {
                    self.leaves |= ident == "break" || ident == "return";
                }
                proc_macro2::TokenTree::Group(group) => groups.extend(group.stream()),
                _ => {}
            }
        }
    }

    // These have `return`s and `await`s of their own.
    fn visit_expr_async(&mut self, _: &'ast ExprAsync) {}
    fn visit_expr_closure(&mut self, _: &'ast ExprClosure) {}
    fn visit_item(&mut self, _: &'ast Item) {}
}

/// Whether it is `true`, so that `while` with it is a `loop`.
pub(super) fn is_true(condition: &Expr) -> bool {
    matches!(
        condition,
        Expr::Lit(literal) if matches!(&literal.lit, syn::Lit::Bool(value) if value.value)
    )
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    fn is_unbounded(node: &ExprLoop) -> bool {
        super::is_unbounded(&node.body, node.label.as_ref())
    }

    #[test]
    fn a_loop_that_only_awaits_is() {
        assert!(is_unbounded(&parse_quote!(loop {
            poll().await?;
            loop {
                break;
            }
        })));
        assert!(is_unbounded(&parse_quote!(loop {
            select! { a = b => c }
        })));
    }

    #[test]
    fn a_loop_that_can_be_left_is_not() {
        assert!(!is_unbounded(&parse_quote!(loop {
            if poll().await? {
                break;
            }
        })));
        assert!(!is_unbounded(&parse_quote!(loop {
            poll().await?;
            return ctx.continue_as_new(());
        })));
        assert!(!is_unbounded(&parse_quote!('outer: loop {
            loop {
                poll().await?;
                break 'outer;
            }
        })));
        assert!(!is_unbounded(&parse_quote!(loop {
            select! { a = b => break, c = d => {} }
        })));
    }

    #[test]
    fn a_loop_that_does_not_await_is_not() {
        assert!(!is_unbounded(&parse_quote!(loop {
            let task = async { poll().await };
        })));
    }
}
