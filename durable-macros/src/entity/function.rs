//! `#[entity] async fn counter(ctx: EntityContext) -> Result<()> { .. }`

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};

use super::operation::arguments;
use super::parse::EntityFunction;
use super::proxies::located_at;
use crate::errors::Errors;
use crate::handle::{Handle, Parts, respan};
use crate::parameters::{Parameter, Role};

/// The function, its handle, and the errors. With errors the handle is still there, but it is given
/// nothing to run.
pub(super) fn expand(entity: &EntityFunction, errors: &Errors) -> TokenStream {
    let EntityFunction {
        function,
        name,
        crate_path,
    } = entity;
    let item = function.item();
    let compile_errors = errors.to_compile_errors();
    if function.sig.receiver().is_some() {
        // This stands in an `impl` block, where a handle cannot be declared.
        return quote!(#item #compile_errors);
    }
    let handle = Handle::new(function, "entity", name.as_ref(), crate_path.as_ref());
    let is_valid = errors.is_empty();
    let (run, states) = if is_valid {
        (run(&handle), states(&handle))
    } else {
        (TokenStream::new(), TokenStream::new())
    };
    let other = if is_valid {
        quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#run))
    } else {
        quote_spanned!(Span::mixed_site()=> ::core::option::Option::None)
    };
    let parts = Parts {
        implementations: implementation(&handle),
        function: quote_spanned! {Span::mixed_site()=>
            __durable::Function::Entity(__durable::EntityFunction {
                states: &[#states],
                begin: __durable::begin_document,
                save: __durable::save_document,
                operations: &[],
                other: #other,
            })
        },
        is_collected: is_valid,
    };
    let handle = handle.expand(&parts);
    quote!(#item #handle #compile_errors)
}

/// What is known of an entity whose operations are not.
fn implementation(handle: &Handle<'_>) -> TokenStream {
    let ident = &handle.function.sig.ident;
    quote_spanned! {Span::mixed_site()=>
        #[allow(dead_code, unreachable_pub)]
        impl #ident {
            /// The name that the entity is registered under.
            pub const NAME: &'static str = <Self as __durable::Register>::REGISTRATION.name;

            /// The address of the entity `key` of this kind.
            pub fn id(
                key: impl ::core::convert::Into<::std::string::String>,
            ) -> __durable::EntityId {
                __durable::EntityId::new(Self::NAME, key)
            }
        }
    }
}

fn states(handle: &Handle<'_>) -> TokenStream {
    Parameter::all(&handle.function.sig)
        .iter()
        .filter_map(|parameter| match parameter.role {
            Role::State(ty) => Some(quote_spanned! {Span::mixed_site()=>
                __durable::StateKey::of::<#ty>,
            }),
            _ => None,
        })
        .collect()
}

/// The value for `EntityFunction::other`.
fn run(handle: &Handle<'_>) -> TokenStream {
    let sig = &handle.function.sig;
    let ident = &sig.ident;
    let (prepare, arguments) = arguments(&Parameter::all(sig), ToTokens::to_token_stream);
    let returned = handle.returned();
    let checked = checked(handle);
    let travels = quote_spanned! {Span::mixed_site()=>
        __durable::Output::<#returned>::OF, __durable::Details::<#returned>::OF
    };
    if sig.asyncness.is_none() {
        return quote_spanned! {Span::mixed_site()=>
            __durable::OperationRun::Sync(|state, invocation| {
                #checked
                __durable::on_document(state, invocation, || {
                    #prepare
                    ::core::result::Result::Ok(#ident(#(#arguments),*))
                }, #travels)
            })
        };
    }
    // Located at the name, for an error when the future is not `Send`.
    let at_name = located_at(ident.span());
    let future = Ident::new("future", at_name);
    let boxed = quote_spanned!(at_name=> __durable::boxed_operation);
    quote_spanned! {Span::mixed_site()=>
        __durable::OperationRun::Async(|state, invocation| {
            #checked
            __durable::on_document_later(state, invocation, move || {
                #prepare
                let #future = #ident(#(#arguments),*);
                ::core::result::Result::Ok(#boxed(#future))
            }, #travels)
        })
    }
}

/// Where the compiler says that what the function returns is no `Result`, or cannot be sent.
fn checked(handle: &Handle<'_>) -> TokenStream {
    let success = handle.success();
    let first = success.clone().into_iter().next();
    let at_type = first.map_or_else(Span::mixed_site, |token| located_at(token.span()));
    let check = respan(quote!(is_sent), at_type);
    quote_spanned!(Span::mixed_site()=> __durable::#check::<#success>();)
}
