//! `join!`: the outputs of all futures.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

/// What stands between the parentheses of a `join!`.
pub(crate) struct Join {
    futures: Punctuated<Expr, Token![,]>,
}

impl Parse for Join {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let futures = Punctuated::parse_terminated(input)?;
        Ok(Self { futures })
    }
}

impl Join {
    /// Every poll goes over the futures that are not ready yet, in order. The names of locals are
    /// of the macro, so no expression of the user sees them.
    pub(crate) fn expand(&self) -> TokenStream {
        if self.futures.is_empty() {
            return quote_spanned!(Span::mixed_site()=> ());
        }
        let futures = self.futures.iter();
        let tasks: Vec<_> = self.names("task").collect();
        let outputs: Vec<_> = self.names("output").collect();
        quote_spanned! {Span::mixed_site()=> {
            let outputs = match (#(::core::future::IntoFuture::into_future(#futures),)*) {
                (#(#tasks,)*) => {
                    #(
                        let mut #tasks = ::core::pin::pin!(#tasks);
                        let mut #outputs = ::core::option::Option::None;
                    )*
                    let outputs = ::core::future::poll_fn(|context| {
                        let mut is_ready = true;
                        #(
                            if #outputs.is_none() {
                                match ::core::future::Future::poll(#tasks.as_mut(), context) {
                                    ::core::task::Poll::Ready(output) => {
                                        #outputs = ::core::option::Option::Some(output);
                                    }
                                    ::core::task::Poll::Pending => is_ready = false,
                                }
                            }
                        )*
                        if !is_ready {
                            return ::core::task::Poll::Pending;
                        }
                        match (#(#outputs.take(),)*) {
                            (#(::core::option::Option::Some(#outputs),)*) => {
                                ::core::task::Poll::Ready((#(#outputs,)*))
                            }
                            _ => ::core::task::Poll::Pending,
                        }
                    })
                    .await;
                    outputs
                }
            };
            outputs
        }}
    }

    fn names<'a>(&'a self, stem: &'a str) -> impl Iterator<Item = Ident> + 'a {
        (0..self.futures.len())
            .map(move |index| format_ident!("{stem}{index}", span = Span::mixed_site()))
    }
}
