//! `#[durable_runtime::test]`: an async function as a test, with a test host.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{ItemFn, LitInt, Token};

use crate::errors::Errors;

/// Makes the test. The function is always there, so that one mistake makes one error.
pub(crate) fn test(options: TokenStream, item: &TokenStream) -> TokenStream {
    let Ok(function) = syn::parse2::<ItemFn>(item.clone()) else {
        let message = "`#[durable_runtime::test]` stands on an `async fn`";
        let error = syn::Error::new_spanned(item, message).to_compile_error();
        return quote!(#error #item);
    };
    let mut errors = Errors::default();
    let seeds = seeds(options, &mut errors);
    validate(&function, seeds.is_some(), &mut errors);
    if !errors.is_empty() {
        let errors = errors.to_compile_errors();
        return quote!(#errors #[allow(dead_code)] #function);
    }
    expand(&function, seeds.as_ref())
}

/// Reads `seeds = 100`.
fn seeds(options: TokenStream, errors: &mut Errors) -> Option<LitInt> {
    if options.is_empty() {
        return None;
    }
    let parse = |input: syn::parse::ParseStream<'_>| {
        let key: syn::Ident = input.parse()?;
        if key != "seeds" {
            let message = format!("there is no option `{key}`; the option is `seeds = 100`");
            return Err(syn::Error::new(key.span(), message));
        }
        input.parse::<Token![=]>()?;
        let seeds: LitInt = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if seeds.base10_parse::<u64>()? == 0 {
            let message = "without a seed nothing runs: write at least 1";
            return Err(syn::Error::new(seeds.span(), message));
        }
        Ok(seeds)
    };
    parse
        .parse2(options)
        .map_err(|error| errors.push(error))
        .ok()
}

fn validate(function: &ItemFn, has_seeds: bool, errors: &mut Errors) {
    let signature = &function.sig;
    if signature.asyncness.is_none() {
        errors.on(
            signature.fn_token,
            "a test with a host is an `async fn`: write `async` before `fn`",
        );
    }
    if !signature.generics.params.is_empty() {
        errors.on(&signature.generics, "a test has no generic parameters");
    }
    if signature.inputs.len() > 1 {
        errors.on(
            &signature.inputs,
            "a test takes nothing, or one `TestHost`: remove the other parameters",
        );
    }
    if has_seeds && signature.inputs.is_empty() {
        errors.at(
            signature.paren_token.span.span(),
            "a test with seeds takes the host that has the seed: write `host: TestHost`",
        );
    }
}

fn expand(function: &ItemFn, seeds: Option<&LitInt>) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let (name, inputs, output) = (&sig.ident, &sig.inputs, &sig.output);
    let body = if inputs.is_empty() {
        quote!(|_| __test())
    } else {
        quote!(__test)
    };
    let (run, returned) = if let Some(seeds) = seeds {
        // What the runs return is judged there, so that the seed of a failure is printed.
        let run = quote!(::durable_runtime::__private::test_seeds(#seeds, #body));
        (run, None)
    } else {
        let run = quote!(::durable_runtime::__private::test(#body));
        (run, Some(output))
    };
    quote! {
        #(#attrs)*
        #[::core::prelude::v1::test]
        #vis fn #name() #returned {
            async fn __test(#inputs) #output #block
            #run
        }
    }
}
