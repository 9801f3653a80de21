//! The macros of `durable-runtime`, which re-exports them: a program depends on that crate only.

use proc_macro::TokenStream;

mod activity;
mod errors;
mod function;
mod handle;
mod join;
mod options;
mod orchestrator;
mod parameters;
mod rules;
mod select;
mod task;

/// x
#[proc_macro_attribute]
pub fn activity(options: TokenStream, item: TokenStream) -> TokenStream {
    activity::activity(options.into(), item.into()).into()
}

/// x
#[proc_macro_attribute]
pub fn orchestrator(options: TokenStream, item: TokenStream) -> TokenStream {
    orchestrator::orchestrator(options.into(), item.into()).into()
}

/// x
#[proc_macro]
pub fn select(input: TokenStream) -> TokenStream {
    syn::parse::<select::Select>(input)
        .map_or_else(|error| error.to_compile_error(), |select| select.expand())
        .into()
}

/// x
#[proc_macro]
pub fn join(input: TokenStream) -> TokenStream {
    syn::parse::<join::Join>(input)
        .map_or_else(|error| error.to_compile_error(), |join| join.expand())
        .into()
}
