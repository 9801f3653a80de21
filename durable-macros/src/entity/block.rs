//! `#[entity] impl Counter { .. }`, and `#[entity] impl Ledger for Counter { .. }`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{LitStr, Type};

use super::operation::Operation;
use super::parse::Block;
use super::proxies::{Proxies, located_at};
use crate::errors::Errors;
use crate::handle::{conditions, private};
use crate::parameters::plain;

/// The block as it was written, what makes its type an entity, and the errors. With errors the type is
/// still an entity, so that what calls it has none of its own, but it has no operations to run.
pub(super) fn expand(block: &Block, errors: &Errors) -> TokenStream {
    let item = item(block);
    let compile_errors = errors.to_compile_errors();
    let Some(ident) = ident(&block.ty) else {
        return quote!(#item #compile_errors);
    };
    if !block.generics.params.is_empty() {
        return quote!(#item #compile_errors);
    }
    let ty = &block.ty;
    let this = ty.to_token_stream();
    let operations = Operation::all(&block.functions, &this);
    let entity = Parts {
        block,
        ident,
        operations: &operations,
        is_valid: errors.is_empty(),
    };
    let generated = if block.interface.is_some() {
        entity.operations_of_interface()
    } else {
        entity.entity()
    };
    let private = private(block.crate_path.as_ref());
    let conditions = conditions(&block.attrs);
    quote_spanned! {Span::mixed_site()=>
        #item

        #(#conditions)*
        #[allow(deprecated)]
        const _: () = {
            // A path of one name is cheaper than the full one, for this crate and for the compiler.
            #[allow(unused_imports)]
            use #private::{self as __durable, Otherwise as _};

            #generated
        };

        #compile_errors
    }
}

/// The block as it was written. Lints that ask for what an operation may not be are off.
fn item(block: &Block) -> TokenStream {
    let Block { attrs, rest, .. } = block;
    quote! {
        #[allow(
            clippy::missing_const_for_fn,
            clippy::needless_pass_by_ref_mut,
            clippy::needless_pass_by_value,
            clippy::trivially_copy_pass_by_ref,
            clippy::unnecessary_wraps,
            clippy::unused_async,
            clippy::unused_self,
        )]
        #(#attrs)*
        #rest
    }
}

/// The last name of a type that has one.
pub(super) fn ident(ty: &Type) -> Option<&Ident> {
    match plain(ty) {
        Type::Path(path) => path.path.segments.last().map(|segment| &segment.ident),
        _ => None,
    }
}

/// What is generated from.
struct Parts<'a> {
    block: &'a Block,
    ident: &'a Ident,
    operations: &'a [Operation<'a>],
    is_valid: bool,
}

impl Parts<'_> {
    fn entity(&self) -> TokenStream {
        let Self {
            block,
            ident,
            operations,
            is_valid,
        } = *self;
        let ty = &block.ty;
        let proxies = Proxies {
            ident,
            kind: "entity",
            operations,
            is_valid,
        };
        let types = proxies.types();
        let proxies = proxies.expand();
        let name = block
            .name
            .as_ref()
            .map_or_else(|| ident.to_string(), LitStr::value);
        let location = self.location();
        let begin = self.begin();
        let states = self.states();
        let runs = self.runs();
        let submission = is_valid.then(|| {
            quote_spanned! {Span::mixed_site()=>
                __durable::inventory::submit! { <#ty as __durable::Register>::REGISTRATION }
            }
        });
        let id = self.id();
        quote_spanned! {Span::mixed_site()=>
            #proxies

            #id

            impl __durable::Entity for #ty {
                #types
            }

            impl __durable::Register for #ty {
                const REGISTRATION: __durable::Registration = __durable::Registration {
                    name: #name,
                    location: #location,
                    function: __durable::Function::Entity(__durable::EntityFunction {
                        states: &[#states],
                        begin: #begin,
                        save: __durable::save_entity::<#ty>,
                        operations: &[#runs],
                        other: ::core::option::Option::None,
                    }),
                };
            }

            #submission
        }
    }

    /// The function that gives the address, where the user's code has none of its name.
    fn id(&self) -> TokenStream {
        let Block { ty, functions, .. } = self.block;
        if functions.iter().any(|function| function.sig.ident == "id") {
            return TokenStream::new();
        }
        quote_spanned! {Span::mixed_site()=>
            #[allow(dead_code, unreachable_pub)]
            impl #ty {
                /// The address of the entity `key` of this kind.
                pub fn id(
                    key: impl ::core::convert::Into<::std::string::String>,
                ) -> __durable::EntityId {
                    __durable::EntityId::new(<Self as __durable::Register>::REGISTRATION.name, key)
                }
            }
        }
    }

    fn operations_of_interface(&self) -> TokenStream {
        let Block {
            ty,
            interface: Some(interface),
            ..
        } = self.block
        else {
            return TokenStream::new();
        };
        if !self.is_valid {
            return TokenStream::new();
        }
        let location = self.location();
        let states = self.states();
        let runs = self.runs();
        let first = interface.to_token_stream().into_iter().next();
        let at_interface = first.map_or_else(Span::mixed_site, |token| token.span());
        let object = quote_spanned!(at_interface=> dyn #interface);
        quote_spanned! {Span::mixed_site()=>
            const _: () = __durable::is_interface::<#object>();

            __durable::inventory::submit! {
                __durable::Registration {
                    name: <#ty as __durable::Entity>::NAME,
                    location: #location,
                    function: __durable::Function::EntityOperations(__durable::EntityOperations {
                        states: &[#states],
                        operations: &[#runs],
                    }),
                }
            }
        }
    }

    fn location(&self) -> TokenStream {
        let durable = Ident::new("__durable", located_at(self.ident.span()));
        quote_spanned! {self.ident.span()=>
            #durable::SourceLocation::here(::core::module_path!())
        }
    }

    /// The value for `EntityFunction::begin`.
    fn begin(&self) -> TokenStream {
        let ty = &self.block.ty;
        if !self.is_valid {
            return quote_spanned! {Span::mixed_site()=>
                |_, _| ::core::unreachable!("the program does not compile")
            };
        }
        if let Some(init) = &self.block.init {
            return quote_spanned! {Span::mixed_site()=>
                |id, saved| {
                    let init: fn(&__durable::EntityId) -> #ty = #init;
                    __durable::begin_entity::<#ty>(id, saved, init)
                }
            };
        }
        let at_type = located_at(self.ident.span());
        let begun = quote_spanned! {at_type=>
            __durable::begin_with_default::<#ty, _>(id, saved, __durable::First::<#ty>::OF)
        };
        quote_spanned!(at_type=> |id, saved| #begun)
    }

    fn states(&self) -> TokenStream {
        if !self.is_valid {
            return TokenStream::new();
        }
        self.operations
            .iter()
            .flat_map(|operation| {
                operation.states().map(|ty| {
                    let conditions = conditions(&operation.method.attrs);
                    quote_spanned! {Span::mixed_site()=>
                        #(#conditions)* __durable::StateKey::of::<#ty>,
                    }
                })
            })
            .collect()
    }

    fn runs(&self) -> TokenStream {
        if !self.is_valid {
            return TokenStream::new();
        }
        let Block { ty, interface, .. } = self.block;
        self.operations
            .iter()
            .map(|operation| {
                let conditions = conditions(&operation.method.attrs);
                let name = operation.name();
                let ident = &operation.sig().ident;
                let through = interface.as_ref().map(|interface| quote!(as #interface));
                let call = quote_spanned!(Span::mixed_site()=> <#ty #through>::#ident);
                let run = operation.run(&call);
                quote_spanned! {Span::mixed_site()=>
                    #(#conditions)*
                    __durable::Operation {
                        name: #name,
                        run: #run,
                    },
                }
            })
            .collect()
    }
}
