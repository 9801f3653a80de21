use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::parse::Orchestrator;
use crate::determinism::{self, Kind};
use crate::errors::Errors;
use crate::handle::{Handle, Parts};
use crate::parameters::Parameter;

/// The function, its handle, and the errors. With errors the handle is still there, so that what
/// starts the orchestrator has none of its own, but it is given nothing to run.
pub(super) fn expand(orchestrator: Orchestrator, errors: &mut Errors) -> TokenStream {
    let Orchestrator {
        function,
        name,
        version,
        crate_path,
    } = orchestrator;
    let handle = Handle::new(
        &function,
        "orchestrator",
        name.as_ref(),
        crate_path.as_ref(),
    );
    let Handle { private, .. } = &handle;
    let (body, not_understood) = determinism::check(&function, Kind::Orchestrator, private, errors);
    let item = function.item_with(&body);
    let compile_errors = errors.to_compile_errors();
    if function.sig.receiver().is_some() {
        // This stands in an `impl` block, where a handle cannot be declared.
        return quote!(#item #compile_errors);
    }
    let version = version.as_ref().map_or_else(
        || quote_spanned!(Span::mixed_site()=> ::core::option::Option::None),
        |version| quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#version)),
    );
    let code = if errors.is_empty() {
        code(&handle)
    } else {
        no_code()
    };
    let parts = Parts {
        implementations: handle.implements(&quote!(Orchestrator)),
        function: quote_spanned! {Span::mixed_site()=>
            __durable::Function::Orchestrator(__durable::OrchestratorFunction {
                version: #version,
                code: #code,
            })
        },
        is_collected: errors.is_empty(),
    };
    let handle = handle.expand(&parts);
    quote!(#item #handle #compile_errors #not_understood)
}

/// The value for `OrchestratorFunction::code`. What is generated is as little as can be: it is compiled
/// anew for each orchestrator, and what the runtime does with it is not.
fn code(handle: &Handle<'_>) -> TokenStream {
    let function = handle.function;
    let ident = &function.sig.ident;
    let has_input = Parameter::all(&function.sig)
        .iter()
        .any(Parameter::is_input);
    let returned = handle.returned();
    let output = handle.output();
    if has_input {
        let input = handle.input();
        quote_spanned! {Span::mixed_site()=>
            &__durable::WithInput::<#input, #returned> {
                function: &#ident,
                input: __durable::Input::<#input>::OF,
                #output
            }
        }
    } else {
        quote_spanned! {Span::mixed_site()=>
            &__durable::WithoutInput::<#returned> {
                function: &#ident,
                #output
            }
        }
    }
}

fn no_code() -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        &__durable::WithoutInput::<()> {
            function: &|_: __durable::OrchestrationContext| ::core::future::ready(()),
            output: __durable::Output::<()>::OF,
            details: __durable::Details::<()>::OF,
        }
    }
}
