use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type};

use super::parse::Helper;
use crate::determinism::{self, Kind};
use crate::errors::Errors;
use crate::function::Function;
use crate::handle::private;
use crate::parameters::{Borrow, Borrows};

/// The function with its body checked. An async one becomes a function that returns a durable task,
/// for the future of an `async fn` has a type that nothing can be said of.
pub(super) fn expand(helper: Helper, errors: &mut Errors) -> TokenStream {
    let Helper {
        function,
        crate_path,
    } = helper;
    let private = private(crate_path.as_ref());
    let (body, not_understood) = determinism::check(&function, Kind::Helper, &private, errors);
    let compile_errors = errors.to_compile_errors();
    let item = if function.sig.asyncness.is_some() {
        task(&function, &private, &body)
    } else {
        function.item_with(&body)
    };
    quote!(#item #compile_errors #not_understood)
}

/// `async fn f(..) -> T { body }` as `fn f(..) -> impl DurableTask<Output = T>`. The span of `impl`
/// is of this crate, so that it captures lifetimes as its edition says, which is what an `async fn`
/// does in all of them.
fn task(function: &Function, private: &TokenStream, body: &TokenStream) -> TokenStream {
    let attrs = &function.attrs;
    let vis = &function.vis;
    let mut sig = function.sig.clone();
    sig.asyncness = None;
    let output = match &sig.output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let hint = hint(&sig.output);
    let generics = &sig.generics;
    let (ident, inputs, clause) = (&sig.ident, &sig.inputs, &generics.where_clause);
    let unsafety = &sig.unsafety;
    quote_spanned! {Span::mixed_site()=>
        #[allow(clippy::unused_async)]
        #(#attrs)*
        #vis #unsafety fn #ident #generics (#inputs) -> impl #private::DurableTask<Output = #output>
        #clause
        {
            #private::deterministic(async move {
                #hint
                #body
            })
        }
    }
}

/// Tells the compiler what the block returns, so that `?`, `return` and the value at the end are
/// converted as in an `async fn`.
fn hint(output: &ReturnType) -> Option<TokenStream> {
    let ReturnType::Type(_, ty) = output else {
        return Some(quote_spanned! {Span::mixed_site()=>
            if false {
                return ();
            }
        });
    };
    let is_nameable =
        !matches!(&**ty, Type::Never(_)) && !matches!(Borrows::of(ty), Some(Borrow::Impl(_)));
    is_nameable.then(|| {
        quote_spanned! {Span::mixed_site()=>
            if let ::core::option::Option::Some(output) = ::core::option::Option::None::<#ty> {
                return output;
            }
        }
    })
}
