use proc_macro2::TokenStream;
use syn::{LitStr, Path};

use crate::errors::Errors;
use crate::function::Function;
use crate::options::{CRATE, NAME, Options};

/// A function with `#[activity]` on it.
pub(super) struct Activity {
    pub(super) function: Function,
    pub(super) name: Option<LitStr>,
    pub(super) crate_path: Option<Path>,
}

impl Activity {
    pub(super) fn parse(
        options: TokenStream,
        item: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut function = Function::parse(item, "activity", errors)?;
        function.take_other_roles("activity", errors);
        let options = Options::parse(options, "activity", &[NAME, CRATE], errors);
        Some(Self {
            function,
            name: options.name(errors),
            crate_path: options.crate_path(errors),
        })
    }
}
