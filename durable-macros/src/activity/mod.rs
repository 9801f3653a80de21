//! `#[activity]`

mod expand;
mod parse;
mod validate;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// The function as it was written, with its handle; and all errors, if there are any.
pub(crate) fn activity(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(activity) = parse::Activity::parse(options, item.clone(), &mut errors) else {
        return item.into_iter().chain(errors.to_compile_errors()).collect();
    };
    validate::validate(&activity, &mut errors);
    expand::expand(&activity, &errors)
}
