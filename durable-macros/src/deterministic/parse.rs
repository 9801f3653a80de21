use proc_macro2::TokenStream;
use syn::Path;

use crate::errors::Errors;
use crate::function::Function;
use crate::options::{CRATE, Options};

/// A function with `#[deterministic]` on it.
pub(super) struct Helper {
    pub(super) function: Function,
    pub(super) crate_path: Option<Path>,
}

impl Helper {
    pub(super) fn parse(
        options: TokenStream,
        item: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut function = Function::parse(item, "deterministic", errors)?;
        function.take_other_roles("deterministic", errors);
        let options = Options::parse(options, "deterministic", &[CRATE], errors);
        Some(Self {
            function,
            crate_path: options.crate_path(errors),
        })
    }
}
