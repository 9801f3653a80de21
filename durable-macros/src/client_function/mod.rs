//! `#[durable_client]`

mod cron;
mod expand;
mod parse;
mod route;
mod trigger;
mod validate;

use proc_macro2::TokenStream;

use crate::errors::Errors;

/// The function as it was written, with its handle; and all errors, if there are any.
pub(crate) fn client_function(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(function) = parse::ClientFunction::parse(options, item.clone(), &mut errors) else {
        return item.into_iter().chain(errors.to_compile_errors()).collect();
    };
    validate::validate(&function, &mut errors);
    expand::expand(&function, &errors)
}
