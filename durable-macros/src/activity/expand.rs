use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::ext::IdentExt;

use super::parse::Activity;
use crate::errors::Errors;
use crate::function::Function;
use crate::handle::{Handle, Parts};
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
        run_nothing()
    };
    let states = states(function).into_iter().filter(|_| is_valid);
    let states =
        states.map(|ty| quote_spanned!(Span::mixed_site()=> __durable::StateKey::of::<#ty>));
    let parts = Parts {
        implementations: handle.implements(&quote!(Activity)),
        function: quote_spanned! {Span::mixed_site()=>
            __durable::Function::Activity(__durable::ActivityFunction {
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
    let function = handle.function;
    let sig = &function.sig;
    let (prepare, arguments) = arguments(handle);
    let ident = &sig.ident;
    let returned = handle.returned();
    let output = handle.output();
    if sig.asyncness.is_none() {
        return quote_spanned! {Span::mixed_site()=>
            __durable::ActivityRun::Blocking(&__durable::BlockingActivity::<#returned> {
                run: |invocation| {
                    #prepare
                    ::core::result::Result::Ok(#ident(#(#arguments),*))
                },
                #output
            })
        };
    }
    // Located at the name, for an error when the future is not `Send`.
    let boxed = quote_spanned!(Span::mixed_site().located_at(ident.span())=> __durable::boxed);
    let future = Ident::new("future", Span::mixed_site().located_at(ident.span()));
    quote_spanned! {Span::mixed_site()=>
        __durable::ActivityRun::Async(&__durable::AsyncActivity::<#returned> {
            begin: |invocation| {
                #prepare
                let #future = #ident(#(#arguments),*);
                ::core::result::Result::Ok(#boxed(#future))
            },
            #output
        })
    }
}

/// The statements that make the arguments of the call, and the arguments.
fn arguments(handle: &Handle<'_>) -> (TokenStream, Vec<Ident>) {
    let function = handle.function;
    let parameters = Parameter::all(&function.sig);
    let handle_ident = &function.sig.ident;
    let mut prepare = TokenStream::new();
    let mut inputs = Vec::new();
    let mut arguments = Vec::new();
    for (position, parameter) in parameters.iter().enumerate() {
        let argument = format_ident!("argument{position}", span = Span::mixed_site());
        match parameter.role {
            Role::Context(_) => prepare.extend(quote_spanned! {Span::mixed_site()=>
                let #argument = __durable::ActivityInvocation::context(invocation);
            }),
            Role::State(ty) => prepare.extend(quote_spanned! {Span::mixed_site()=>
                let #argument = __durable::ActivityInvocation::state::<#ty>(invocation)?;
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
        let #pattern = __durable::activity_input::<#handle_ident>(invocation)?;
    });
    (prepare, arguments)
}

fn run_nothing() -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        __durable::ActivityRun::Blocking(
            &__durable::BlockingActivity::<()> {
                run: |_| ::core::unreachable!("the program does not compile"),
                output: __durable::Output::<()>::OF,
                details: __durable::Details::<()>::OF,
            },
        )
    }
}
