//! A future among those that `select!` and `join!` poll.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned;

/// A future that is polled, in a local that no expression of the user sees. All tokens that name it
/// are located where its expression is: what is wrong with it is shown there, and once.
pub(crate) struct Task {
    pub(crate) local: Ident,
    /// The statement that makes a pinned future of the local.
    pub(crate) pin: TokenStream,
    /// The poll of the pinned future with `context`.
    pub(crate) poll: TokenStream,
}

impl Task {
    pub(crate) fn new(index: usize, expression: &Expr) -> Self {
        let located = Span::mixed_site().located_at(expression.span());
        let local = format_ident!("task{index}", span = located);
        let pin = quote_spanned! {located=>
            let mut #local = ::core::pin::pin!(::core::future::IntoFuture::into_future(#local));
        };
        let poll = quote_spanned! {located=>
            ::core::future::Future::poll(#local.as_mut(), context)
        };
        Self { local, pin, poll }
    }
}
