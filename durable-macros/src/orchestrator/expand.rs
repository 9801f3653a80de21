use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};

use super::parse::Orchestrator;
use crate::determinism;
use crate::errors::Errors;
use crate::handle::{Handle, Parts};
use crate::parameters::Parameter;

/// The function, its handle, and the errors. With errors the handle is still there, so that what
/// starts the orchestrator has none of its own, but it is given nothing to run.
pub(super) fn expand(orchestrator: Orchestrator, errors: &mut Errors) -> TokenStream {
    let Orchestrator {
        function,
        body,
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
    let (body, not_understood) = determinism::check(&function, body, private, errors);
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
    let run = if errors.is_empty() {
        run(&handle)
    } else {
        run_nothing()
    };
    let parts = Parts {
        implements: quote!(Orchestrator),
        items: quote_spanned! {Span::mixed_site()=>
            const VERSION: ::core::option::Option<&'static ::core::primitive::str> = #version;
        },
        function: quote_spanned! {Span::mixed_site()=>
            #private::Function::Orchestrator(#private::OrchestratorFunction {
                version: #version,
                run: #run,
            })
        },
        is_collected: errors.is_empty(),
    };
    let handle = handle.expand(&parts);
    quote!(#item #handle #compile_errors #not_understood)
}

/// The value for `OrchestratorFunction::run`. What is generated is as little as can be: it is compiled
/// anew for each orchestrator, and what the runtime does with it is not.
fn run(handle: &Handle<'_>) -> TokenStream {
    let Handle {
        function, private, ..
    } = handle;
    let ident = &function.sig.ident;
    let has_input = Parameter::all(&function.sig)
        .iter()
        .any(Parameter::is_input);
    let finish = handle.finish(&quote_spanned!(Span::mixed_site()=> returned));
    let begin = |arguments: TokenStream| {
        quote_spanned! {Span::mixed_site()=>
            #private::run_orchestrator(::std::boxed::Box::pin(#ident(#arguments)), |returned| {
                #finish
            })
        }
    };
    if !has_input {
        let begin = begin(quote_spanned!(Span::mixed_site()=> context));
        return quote_spanned!(Span::mixed_site()=> |context, _| #begin);
    }
    let begin = begin(quote_spanned!(Span::mixed_site()=> context, input));
    quote_spanned! {Span::mixed_site()=>
        |context, payload| match #private::orchestrator_input::<#ident>(&payload) {
            ::core::result::Result::Ok(input) => #begin,
            ::core::result::Result::Err(failure) => #private::refuse(failure),
        }
    }
}

fn run_nothing() -> TokenStream {
    quote_spanned! {Span::mixed_site()=>
        |_, _| ::core::unreachable!("the program does not compile")
    }
}
