//! `join!`: the outputs of all futures.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Expr, Token};

use crate::task::Task;

/// What stands between the parentheses of a `join!`.
pub(crate) struct Join {
    pub(crate) futures: Punctuated<Expr, Token![,]>,
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
        let expressions = self.futures.iter();
        let tasks = expressions.clone().enumerate();
        let tasks: Vec<_> = tasks.map(|(index, task)| Task::new(index, task)).collect();
        let locals = tasks.iter().map(|task| &task.local);
        let pins = tasks.iter().map(|task| &task.pin);
        let polls = tasks.iter().map(|task| &task.poll);
        let outputs: Vec<_> = (0..tasks.len())
            .map(|index| format_ident!("output{index}", span = Span::mixed_site()))
            .collect();
        quote_spanned! {Span::mixed_site()=> {
            let outputs = match (#(#expressions,)*) {
                (#(#locals,)*) => {
                    #(#pins)*
                    #(let mut #outputs = ::core::option::Option::None;)*
                    let outputs = ::core::future::poll_fn(|context| {
                        let mut is_ready = true;
                        #(
                            if #outputs.is_none() {
                                match #polls {
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
}
