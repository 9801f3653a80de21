//! `#[deterministic]`

mod expand;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// The function with its body checked; and all errors, if there are any.
pub(crate) fn deterministic(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(helper) = parse::Helper::parse(options, item.clone(), &mut errors) else {
        return item.into_iter().chain(errors.to_compile_errors()).collect();
    };
    validate::validate(&helper, &mut errors);
    expand::expand(helper, &mut errors)
}
