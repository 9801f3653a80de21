use proc_macro2::TokenStream;
use syn::{LitStr, Path};

use crate::errors::Errors;
use crate::function::Function;
use crate::options::{CRATE, NAME, Options, VERSION};

/// A function with `#[orchestrator]` on it.
pub(super) struct Orchestrator {
    pub(super) function: Function,
    pub(super) name: Option<LitStr>,
    pub(super) version: Option<LitStr>,
    pub(super) crate_path: Option<Path>,
}

impl Orchestrator {
    pub(super) fn parse(
        options: TokenStream,
        item: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut function = Function::parse(item, "orchestrator", errors)?;
        function.take_other_roles("orchestrator", errors);
        let options = Options::parse(options, "orchestrator", &[NAME, VERSION, CRATE], errors);
        Some(Self {
            function,
            name: options.name(errors),
            version: options.non_empty_string(VERSION, errors),
            crate_path: options.crate_path(errors),
        })
    }
}
