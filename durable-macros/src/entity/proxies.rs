//! What the callers of an entity see: a type whose methods call its operations, and one whose methods
//! signal them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};

use super::operation::Operation;
use crate::handle::{carried, conditions, ends, respan, summary};

/// The proxies of an entity or of an interface.
pub(super) struct Proxies<'a> {
    /// The name of the entity or of the interface.
    pub(super) ident: &'a Ident,
    /// "entity", "interface".
    pub(super) kind: &'static str,
    pub(super) operations: &'a [Operation<'a>],
    /// Whether the operations can be called; they have methods all the same.
    pub(super) is_valid: bool,
}

impl Proxies<'_> {
    /// The associated types of the trait that is implemented.
    pub(super) fn types(&self) -> TokenStream {
        let (calls, signals) = self.idents();
        quote_spanned! {Span::mixed_site()=>
            type Calls = #calls;
            type Signals<__Target: __durable::SignalTarget> = #signals<__Target>;
        }
    }

    fn idents(&self) -> (Ident, Ident) {
        let ident = self.ident;
        let span = Span::mixed_site().located_at(ident.span());
        (
            format_ident!("{ident}Calls", span = span),
            format_ident!("{ident}Signals", span = span),
        )
    }

    pub(super) fn expand(&self) -> TokenStream {
        let Self {
            ident,
            kind,
            operations,
            ..
        } = self;
        let (calls, signals) = self.idents();
        let call_methods = operations.iter().map(|operation| self.call(operation));
        // An operation `at` is an error that was reported.
        let signal_methods = operations
            .iter()
            .filter(|operation| operation.sig().ident != "at")
            .map(|operation| self.signal(operation));
        let calls_title = format!(" Calls the operations of the {kind} `{ident}`.");
        let signals_title = format!(" Signals the operations of the {kind} `{ident}`.");
        quote_spanned! {Span::mixed_site()=>
            #[doc = #calls_title]
            #[allow(missing_debug_implementations, unreachable_pub)]
            pub struct #calls(__durable::CallTarget);

            impl ::core::convert::From<__durable::CallTarget> for #calls {
                fn from(target: __durable::CallTarget) -> Self {
                    Self(target)
                }
            }

            #[allow(dead_code, private_interfaces, unreachable_pub)]
            impl #calls {
                #(#call_methods)*
            }

            #[doc = #signals_title]
            #[allow(missing_debug_implementations, unreachable_pub)]
            pub struct #signals<__Target>(__Target);

            impl<__Target: __durable::SignalTarget> ::core::convert::From<__Target>
                for #signals<__Target>
            {
                fn from(target: __Target) -> Self {
                    Self(target)
                }
            }

            #[allow(dead_code, private_interfaces, unreachable_pub)]
            impl<__Target: __durable::SignalTarget> #signals<__Target> {
                /// Has the operation that is signaled carried out at `time`, not before.
                #[must_use]
                pub fn at(self, time: __durable::DateTime<__durable::Utc>) -> Self {
                    Self(__durable::SignalTarget::at(self.0, time))
                }

                #(#signal_methods)*
            }
        }
    }

    fn call(&self, operation: &Operation<'_>) -> TokenStream {
        let name = operation.name();
        let output = operation.output();
        // Located at the type, for an error when it cannot be sent.
        let (first, last) = match operation.returned() {
            Some(ty) => ends(ty),
            None => (Span::mixed_site(), Span::mixed_site()),
        };
        let call = respan(quote!(call_operation), located_at(first));
        let open = respan(quote!(__durable::EntityCall<), first);
        let close = respan(quote!(>), last);
        self.method(
            operation,
            " Calls",
            &quote!(#open #output #close),
            |input| {
                quote_spanned!(Span::mixed_site()=> __durable::#call::<#output>(&self.0, #name, &#input))
            },
        )
    }

    fn signal(&self, operation: &Operation<'_>) -> TokenStream {
        let name = operation.name();
        self.method(
            operation,
            " Signals",
            &quote_spanned!(Span::mixed_site()=> __Target::Sent),
            |input| {
                quote_spanned! {Span::mixed_site()=>
                    __durable::SignalTarget::send(&self.0, #name, &#input)
                }
            },
        )
    }

    fn method(
        &self,
        operation: &Operation<'_>,
        verb: &str,
        returned: &TokenStream,
        body: impl FnOnce(TokenStream) -> TokenStream,
    ) -> TokenStream {
        let attrs = &operation.method.attrs;
        let conditions = conditions(attrs);
        let carried = carried(attrs);
        let summary = summary(attrs);
        let title = format!("{verb} the operation `{}`.", operation.name());
        let mut ident = operation.sig().ident.clone();
        ident.set_span(located_at(ident.span()));
        let (names, types): (Vec<_>, Vec<_>) = operation.inputs().into_iter().unzip();
        let body = match (self.is_valid, names.first(), types.first()) {
            (false, ..) => {
                quote_spanned!(Span::mixed_site()=> ::core::unreachable!("the program does not compile"))
            }
            (true, Some(name), Some(ty)) => {
                let first = ty.clone().into_iter().next();
                let at_type = first.map_or_else(Span::mixed_site, |token| located_at(token.span()));
                let check = respan(quote!(operation_input), at_type);
                body(quote_spanned!(Span::mixed_site()=> __durable::#check::<#ty>(&#name)))
            }
            (true, ..) => body(quote!(())),
        };
        quote_spanned! {Span::mixed_site()=>
            #(#conditions)*
            #(#carried)*
            #(#[doc = #summary])*
            #[doc = #title]
            #[allow(unused_variables)]
            pub fn #ident(&self #(, #names: #types)*) -> #returned {
                #body
            }
        }
    }
}

/// Generated code that is shown where the user's stands.
pub(super) fn located_at(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}
