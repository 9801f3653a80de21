//! `#[entity] trait Ledger { .. }`.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse_quote;

use super::operation::Operation;
use super::parse::Interface;
use super::proxies::Proxies;
use crate::errors::Errors;
use crate::handle::{conditions, private};

/// The trait, what makes it an interface, and the errors. With errors it is still an interface, so that
/// what calls it has none of its own.
pub(super) fn expand(interface: &Interface, errors: &Errors) -> TokenStream {
    let item = item(interface);
    let compile_errors = errors.to_compile_errors();
    let is_an_object = interface.generics.params.is_empty() && interface.others.is_empty();
    if !is_an_object {
        return quote!(#item #compile_errors);
    }
    let ident = &interface.ident;
    let operations = Operation::all(&interface.functions, &quote!(()));
    let proxies = Proxies {
        ident,
        kind: "interface",
        operations: &operations,
        is_valid: errors.is_empty(),
    };
    let types = proxies.types();
    let proxies = proxies.expand();
    let private = private(interface.crate_path.as_ref());
    let conditions = conditions(&interface.attrs);
    quote_spanned! {Span::mixed_site()=>
        #item

        #(#conditions)*
        #[allow(deprecated)]
        const _: () = {
            use #private as __durable;

            #proxies

            impl __durable::EntityInterface for dyn #ident {
                #types
            }
        };

        #compile_errors
    }
}

/// The trait as it was written, but that each of its methods is for types of a known size: so `dyn Trait`
/// can always be named, whatever the methods are.
fn item(interface: &Interface) -> TokenStream {
    let Interface {
        attrs,
        head,
        functions,
        others,
        ..
    } = interface;
    let functions = functions.iter().map(|function| {
        let attrs = &function.attrs;
        let mut sig = function.sig.clone();
        let clause = sig.generics.make_where_clause();
        clause
            .predicates
            .push(parse_quote!(Self: ::core::marker::Sized));
        let end = &function.end;
        quote!(#(#attrs)* #sig #end)
    });
    let mut body = Group::new(Delimiter::Brace, quote!(#(#functions)* #(#others)*));
    body.set_span(interface.brace.span.join());
    quote! {
        #[allow(async_fn_in_trait)]
        #[allow(clippy::trivially_copy_pass_by_ref, clippy::unused_async)]
        #(#attrs)*
        #head #body
    }
}
