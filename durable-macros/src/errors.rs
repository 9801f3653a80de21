//! Collects what is wrong with an item, so that one run of the compiler reports all of it.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The errors found so far. A rule adds what it finds and goes on.
#[derive(Debug, Default)]
pub(crate) struct Errors {
    found: Vec<syn::Error>,
    /// The rule that is being checked, where it has a name.
    rule: Option<&'static str>,
}

impl Errors {
    /// Adds an error that underlines all of `tokens`.
    pub(crate) fn on(&mut self, tokens: impl ToTokens, message: impl Display) {
        let message = self.with_rule(message);
        self.found.push(syn::Error::new_spanned(tokens, message));
    }

    /// Adds an error at one place.
    pub(crate) fn at(&mut self, span: Span, message: impl Display) {
        let message = self.with_rule(message);
        self.found.push(syn::Error::new(span, message));
    }

    /// Has `check` add errors that end with the name of the rule which they are about.
    pub(crate) fn of_rule(&mut self, rule: &'static str, check: impl FnOnce(&mut Self)) {
        let outer = self.rule.replace(rule);
        check(self);
        self.rule = outer;
    }

    fn with_rule(&self, message: impl Display) -> String {
        match self.rule {
            Some(rule) => format!("{message} [{rule}]"),
            None => message.to_string(),
        }
    }

    /// Adds an error that parsing returned.
    pub(crate) fn push(&mut self, error: syn::Error) {
        self.found.push(error);
    }

    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The items that make the compiler report each of the errors.
    pub(crate) fn to_compile_errors(&self) -> TokenStream {
        self.found
            .iter()
            .map(syn::Error::to_compile_error)
            .collect()
    }

    #[cfg(test)]
    pub(crate) fn messages(&self) -> Vec<String> {
        self.found.iter().map(ToString::to_string).collect()
    }
}
