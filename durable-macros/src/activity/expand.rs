use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;

use super::parse::Activity;
use crate::errors::Errors;
use crate::function::Function;
use crate::handle::{Handle, Parts, respan};
use crate::parameters::{Parameter, Role};

/// The function, its handle, and the errors. With errors the handle is still there, so that what
/// calls the activity has none of its own, but it is given nothing to run.
pub(super) fn expand(activity: &Activity, errors: &Errors) -> TokenStream {
    let Activity {
        function,
        name,
        crate_path,
    } = activity;
    let compile_errors = errors.to_compile_errors();
    if function.sig.receiver().is_some() {
        // This stands in an `impl` block, where a handle cannot be declared.
        let item = function.item();
        return quote!(#item #compile_errors);
    }
    let handle = Handle::new(function, "activity", name.as_ref(), crate_path.as_ref());
    let is_valid = errors.is_empty();
    let item = if is_valid {
        item(&handle)
    } else {
        function.item()
    };
    let run = if is_valid {
        run(&handle)
    } else {
        run_nothing(&handle.private)
    };
    let private = &handle.private;
    let states = states(function).into_iter().filter(|_| is_valid);
    let states =
        states.map(|ty| quote_spanned!(Span::mixed_site()=> #private::StateKey::of::<#ty>));
    let parts = Parts {
        implements: quote!(Activity),
        items: TokenStream::new(),
        function: quote_spanned! {Span::mixed_site()=>
            #private::Function::Activity(#private::ActivityFunction {
                states: &[#(#states),*],
                run: #run,
            })
        },
        is_collected: is_valid,
    };
    let handle = handle.expand(&parts);
    quote!(#item #handle #compile_errors)
}

/// The function. A blocking one says at its beginning that no orchestrator may call it, for the
/// compiler cannot tell that call from any other: there is no `.await` to be seen.
fn item(handle: &Handle<'_>) -> TokenStream {
    let Handle {
        function, private, ..
    } = handle;
    if function.sig.asyncness.is_some() {
        return function.item();
    }
    let name = function.sig.ident.unraw().to_string();
    function.item_beginning_with(&quote_spanned! {Span::mixed_site()=>
        #private::not_in_an_orchestrator(#name);
    })
}

fn states(function: &Function) -> Vec<&Type> {
    Parameter::all(&function.sig)
        .iter()
        .filter_map(|parameter| match parameter.role {
            Role::State(ty) => Some(ty),
            _ => None,
        })
        .collect()
}

/// The value for `ActivityFunction::run`.
fn run(handle: &Handle<'_>) -> TokenStream {
    let Handle {
        function, private, ..
    } = handle;
    let sig = &function.sig;
    let (prepare, arguments) = arguments(handle);
    let ident = &sig.ident;
    if sig.asyncness.is_none() {
        let finish = handle.finish(&quote!(#ident(#(#arguments),*)));
        return quote_spanned! {Span::mixed_site()=>
            #private::ActivityRun::Blocking(|invocation| {
                #prepare
                #finish
            })
        };
    }
    let call = quote_spanned! {Span::mixed_site()=>
        |invocation| {
            #prepare
            ::core::result::Result::Ok(#ident(#(#arguments),*))
        }
    };
    let finish = handle.finish(&quote_spanned!(Span::mixed_site()=> result));
    // Located at the name, for an error when the future is not `Send`.
    let run = respan(quote!(#private::run_async), ident.span());
    let located = Span::mixed_site().located_at(ident.span());
    let call_ident = Ident::new("call", located);
    quote_spanned! {Span::mixed_site()=>
        #private::ActivityRun::Async(|invocation| {
            let #call_ident = #call;
            #run(invocation, #call_ident, |result| { #finish })
        })
    }
}

/// The statements that make the arguments of the call, and the arguments.
fn arguments(handle: &Handle<'_>) -> (TokenStream, Vec<Ident>) {
    let Handle {
        function, private, ..
    } = handle;
    let parameters = Parameter::all(&function.sig);
    let handle_ident = &function.sig.ident;
    let mut prepare = TokenStream::new();
    let mut inputs = Vec::new();
    let mut arguments = Vec::new();
    for (position, parameter) in parameters.iter().enumerate() {
        let argument = format_ident!("argument{position}", span = Span::mixed_site());
        match parameter.role {
            Role::Context(_) => prepare.extend(quote_spanned! {Span::mixed_site()=>
                let #argument = #private::ActivityInvocation::context(&invocation);
            }),
            Role::State(ty) => prepare.extend(quote_spanned! {Span::mixed_site()=>
                let #argument = #private::ActivityInvocation::state::<#ty>(&invocation)?;
            }),
            Role::Input => inputs.push(argument.clone()),
        }
        arguments.push(argument);
    }
    let pattern = match inputs.as_slice() {
        [] => return (prepare, arguments),
        [one] => quote!(#one),
        many => quote!((#(#many),*)),
    };
    prepare.extend(quote_spanned! {Span::mixed_site()=>
        let #pattern = #private::activity_input::<#handle_ident>(&invocation)?;
    });
    (prepare, arguments)
}

fn run_nothing(private: &TokenStream) -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        #private::ActivityRun::Blocking(|_| ::core::unreachable!("the program does not compile"))
    }
}
