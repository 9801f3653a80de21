//! Macros: those whose arguments are understood, and those that are not.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit_mut::VisitMut;
use syn::{Macro, parse_quote_spanned};

use super::calls::mentions;
use super::{Walker, first};
use crate::determinism::arguments::{self, Arguments};
use crate::determinism::forbidden;
use crate::determinism::rule::Rule;
use crate::handle::respan;
use crate::join::Join;
use crate::select::Select;

impl Walker<'_> {
    pub(super) fn macro_(&mut self, node: &mut Macro) {
        // It may bind what it is given.
        if let Some(context) = &self.evident_context
            && mentions(node.tokens.clone(), context)
        {
            self.evident_context = None;
        }
        let candidates = self.scopes.candidates(&node.path);
        let is_own = candidates.is_empty();
        let finding = first(candidates, forbidden::macro_path);
        let rule = finding.as_ref().map(|finding| finding.rule);
        if let Some(finding) = &finding
            && !self.is_allowed(finding.rule)
        {
            self.report(&node.path, finding);
        }
        if matches!(rule, Some(Rule::Select | Rule::Combinator)) {
            return;
        }
        let last = node.path.segments.last();
        let name = last.map_or_else(String::new, |last| last.ident.to_string());
        match name.as_str() {
            "select" if !is_own => self.select(node),
            "join" if !is_own => self.join(node),
            _ => self.other_macro(node, &name),
        }
    }

    fn select(&mut self, node: &mut Macro) {
        let Ok(mut select) = syn::parse2::<Select>(node.tokens.clone()) else {
            // The macro itself says what is wrong with it.
            return;
        };
        let by = node.path.span();
        for branch in select.branches_mut() {
            self.awaited(&mut branch.future, by, false);
            self.visit_expr_mut(&mut branch.body);
        }
        node.tokens = select.to_token_stream();
        self.redirect(node, "select");
    }

    fn join(&mut self, node: &mut Macro) {
        let Ok(mut join) = syn::parse2::<Join>(node.tokens.clone()) else {
            return;
        };
        let by = node.path.span();
        for future in &mut join.futures {
            self.awaited(future, by, false);
        }
        node.tokens = join.futures.to_token_stream();
        self.redirect(node, "join");
    }

    /// Whatever is imported as `select!` or `join!` where this cannot see it, it is ours that runs.
    fn redirect(&mut self, node: &mut Macro, name: &str) {
        self.is_changed = true;
        if node.path.segments.len() > 1 {
            return;
        }
        // With the span of the user's own path, so that lints see a macro that the user calls.
        let span = node.path.span();
        let private = respan(self.private.clone(), span);
        let name = Ident::new(name, span);
        node.path = parse_quote_spanned!(span=> #private::#name);
    }

    fn other_macro(&mut self, node: &mut Macro, name: &str) {
        self.address_is_formatted(node, name);
        let arguments = if name.ends_with("matches") {
            Arguments::parse_matches.parse2(node.tokens.clone())
        } else {
            syn::parse2(node.tokens.clone())
        };
        match arguments {
            Ok(mut arguments) => {
                let around = std::mem::take(&mut self.is_changed);
                arguments.each_expression(&mut |expression| self.visit_expr_mut(expression));
                if self.is_changed {
                    node.tokens = arguments.to_token_stream();
                }
                self.is_changed |= around;
            }
            Err(_) => self.not_understood(&node.tokens),
        }
    }

    /// Looks for what can be seen in the arguments of a macro that is not known.
    pub(super) fn not_understood(&mut self, tokens: &TokenStream) {
        if !self.place.in_item && !self.is_allowed(Rule::Macro) {
            for found in arguments::awaits(tokens.clone()) {
                self.errors.at(
                    found.span(),
                    "this macro is not known, so what it awaits cannot be checked: await before it, \
                     as in `let value = task.await;`, and pass the value [macro]",
                );
            }
        }
        for path in arguments::paths(tokens.clone()) {
            let candidates = self.scopes.candidates_of(path.segments, false);
            let find = if path.is_macro {
                forbidden::macro_path
            } else {
                forbidden::path
            };
            if let Some(finding) = first(candidates, find) {
                self.found(path.tokens, &finding, false);
            }
        }
    }

    fn address_is_formatted(&mut self, node: &Macro, name: &str) {
        const FORMATS: [&str; 13] = [
            "format",
            "format_args",
            "write",
            "writeln",
            "panic",
            "trace",
            "debug",
            "info",
            "warn",
            "error",
            "event",
            "assert",
            "ensure",
        ];
        if !FORMATS.contains(&name) {
            return;
        }
        for tree in node.tokens.clone() {
            if let TokenTree::Literal(literal) = &tree
                && formats_an_address(&literal.to_string())
            {
                self.address(literal, "`{:p}` prints an address");
            }
        }
    }
}

/// Whether a string literal has a placeholder as `{:p}` or `{x:#p}`.
fn formats_an_address(literal: &str) -> bool {
    if !literal.contains("p}") {
        return false;
    }
    let literal = literal.replace("{{", "");
    literal.split('{').skip(1).any(|rest| {
        rest.split_once('}').is_some_and(|(placeholder, _)| {
            placeholder
                .split_once(':')
                .is_some_and(|(_, format)| format.ends_with('p'))
        })
    })
}
