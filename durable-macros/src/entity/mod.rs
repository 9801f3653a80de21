//! `#[entity]`

mod block;
mod function;
mod interface;
mod operation;
mod parse;
mod proxies;
mod validate;

use proc_macro2::TokenStream;

use crate::errors::Errors;
use parse::Item;

/// The item as it was written, with what makes it an entity; and all errors, if there are any.
pub(crate) fn entity(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let Some(parsed) = Item::parse(options, item.clone(), &mut errors) else {
        return item.into_iter().chain(errors.to_compile_errors()).collect();
    };
    match parsed {
        Item::Block(block) => {
            validate::block(&block, &mut errors);
            block::expand(&block, &errors)
        }
        Item::Interface(interface) => {
            validate::interface(&interface, &mut errors);
            interface::expand(&interface, &errors)
        }
        Item::Function(function) => {
            validate::function(&function, &mut errors);
            function::expand(&function, &errors)
        }
    }
}

#[cfg(test)]
mod tests;
