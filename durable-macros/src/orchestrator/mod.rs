//! `#[orchestrator]`

mod expand;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// The function as it was written, with its handle; and all errors, if there are any.
pub(crate) fn orchestrator(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(orchestrator) = parse::Orchestrator::parse(options, item.clone(), &mut errors) else {
        return item.into_iter().chain(errors.to_compile_errors()).collect();
    };
    validate::validate(&orchestrator, &mut errors);
    expand::expand(orchestrator, &mut errors)
}
