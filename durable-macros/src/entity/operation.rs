//! An operation, as its signature tells, and what carries it out.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{FnArg, Pat, ReturnType, Signature, Type};

use super::parse::Method;
use crate::handle::{conditions, ok_of};
use crate::parameters::{Parameter, Role, owned, plain};

/// A method that is an operation.
pub(super) struct Operation<'a> {
    pub(super) method: &'a Method,
    pub(super) parameters: Vec<Parameter<'a>>,
    /// What `Self` is.
    pub(super) this: TokenStream,
}

impl<'a> Operation<'a> {
    /// All functions that have a receiver; of those without conditions and of one name the first, for
    /// the compiler reports the others.
    pub(super) fn all(methods: &'a [Method], this: &TokenStream) -> Vec<Self> {
        let mut operations: Vec<Self> = Vec::new();
        for method in methods {
            let is_known = operations
                .iter()
                .any(|operation| operation.method.sig.ident == method.sig.ident);
            let is_conditional = conditions(&method.attrs).next().is_some();
            if method.sig.receiver().is_some() && (is_conditional || !is_known) {
                operations.push(Self {
                    method,
                    parameters: Parameter::all(&method.sig),
                    this: this.clone(),
                });
            }
        }
        operations
    }

    pub(super) fn sig(&self) -> &'a Signature {
        &self.method.sig
    }

    pub(super) fn name(&self) -> String {
        self.sig().ident.unraw().to_string()
    }

    /// Its inputs with their names. There is one at most, where there is no error.
    pub(super) fn inputs(&self) -> Vec<(Ident, TokenStream)> {
        let is_generic = !self.sig().generics.params.is_empty();
        let typed = self
            .sig()
            .inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(typed) => Some(typed),
                FnArg::Receiver(_) => None,
            });
        typed
            .zip(&self.parameters)
            .filter(|(_, parameter)| parameter.is_input())
            .map(|(typed, parameter)| {
                let name = match &*typed.pat {
                    Pat::Ident(pattern) => {
                        let mut name = pattern.ident.clone();
                        name.set_span(Span::mixed_site().located_at(name.span()));
                        name
                    }
                    _ => Ident::new("input", Span::mixed_site()),
                };
                let ty = if is_generic {
                    quote!(())
                } else {
                    self.in_place_of_self(owned(parameter.ty))
                };
                (name, ty)
            })
            .collect()
    }

    /// The types of the states that it wants injected.
    pub(super) fn states(&self) -> impl Iterator<Item = TokenStream> {
        self.parameters
            .iter()
            .filter_map(|parameter| match parameter.role {
                Role::State(ty) => Some(self.in_place_of_self(ty.to_token_stream())),
                _ => None,
            })
    }

    /// What it returns when it succeeds.
    pub(super) fn output(&self) -> TokenStream {
        match self.returned() {
            None => quote!(()),
            Some(_) if !self.sig().generics.params.is_empty() => quote!(()),
            Some(ty) if is_result(ty) => {
                let ty = self.in_place_of_self(ty.to_token_stream());
                ok_of(&ty, &quote!(__durable))
            }
            Some(ty) => self.in_place_of_self(owned(ty)),
        }
    }

    pub(super) fn returned(&self) -> Option<&'a Type> {
        match &self.sig().output {
            ReturnType::Type(_, ty) => Some(ty),
            ReturnType::Default => None,
        }
    }

    /// The value for `Operation::run`. `call` is the path of the method.
    pub(super) fn run(&self, call: &TokenStream) -> TokenStream {
        let this = &self.this;
        let (prepare, arguments) = arguments(&self.parameters, |ty| {
            self.in_place_of_self(ty.to_token_stream())
        });
        let is_result = self.returned().is_some_and(is_result);
        let returned = self
            .returned()
            .map_or_else(|| quote!(()), ToTokens::to_token_stream);
        let returned = self.in_place_of_self(returned);
        let returned = if is_result {
            returned
        } else {
            quote_spanned!(Span::mixed_site()=> ::core::result::Result<#returned, __durable::Error>)
        };
        let travels = quote_spanned! {Span::mixed_site()=>
            __durable::Output::<#returned>::OF, __durable::Details::<#returned>::OF
        };
        let state = quote_spanned! {Span::mixed_site()=>
            let state = __durable::entity_state::<#this>(state)?;
        };
        if self.sig().asyncness.is_none() {
            let mut returned = quote_spanned!(Span::mixed_site()=> #call(state, #(#arguments),*));
            if !is_result {
                returned =
                    quote_spanned!(Span::mixed_site()=> ::core::result::Result::Ok(#returned));
            }
            return quote_spanned! {Span::mixed_site()=>
                __durable::OperationRun::Sync(|state, invocation| {
                    #state
                    #prepare
                    let returned = #returned;
                    __durable::OperationInvocation::output(invocation, returned, #travels)
                })
            };
        }
        // Located at the name, for an error when the future is not `Send`.
        let at_name = Span::mixed_site().located_at(self.sig().ident.span());
        let boxed = if is_result {
            "boxed_operation"
        } else {
            "boxed_value"
        };
        let boxed = Ident::new(boxed, at_name);
        let boxed = quote_spanned!(at_name=> __durable::#boxed);
        let future = Ident::new("future", at_name);
        quote_spanned! {Span::mixed_site()=>
            __durable::OperationRun::Async(|state, invocation| {
                __durable::operation(invocation, move || {
                    #state
                    #prepare
                    let #future = #call(state, #(#arguments),*);
                    ::core::result::Result::Ok(#boxed(#future))
                }, #travels)
            })
        }
    }

    fn in_place_of_self(&self, tokens: TokenStream) -> TokenStream {
        in_place_of_self(tokens, &self.this)
    }
}

/// The statements that make the arguments of a call, and the arguments. `named` is how a type of the
/// signature is written where the call stands.
pub(super) fn arguments(
    parameters: &[Parameter<'_>],
    named: impl Fn(&Type) -> TokenStream,
) -> (TokenStream, Vec<Ident>) {
    let mut prepare = TokenStream::new();
    let mut arguments = Vec::new();
    for (position, parameter) in parameters.iter().enumerate() {
        let argument = format_ident!("argument{position}", span = Span::mixed_site());
        let value = match parameter.role {
            Role::Context(_) => quote_spanned! {Span::mixed_site()=>
                __durable::OperationInvocation::context(invocation)
            },
            Role::State(ty) => {
                let ty = named(ty);
                quote_spanned! {Span::mixed_site()=>
                    __durable::OperationInvocation::state::<#ty>(invocation)?
                }
            }
            Role::Input => {
                let ty = named(parameter.ty);
                quote_spanned! {Span::mixed_site()=>
                    __durable::OperationInvocation::read(invocation, __durable::Input::<#ty>::OF)?
                }
            }
        };
        prepare.extend(quote_spanned!(Span::mixed_site()=> let #argument = #value;));
        arguments.push(argument);
    }
    (prepare, arguments)
}

/// Whether a type is a `Result`, as its name tells.
pub(super) fn is_result(ty: &Type) -> bool {
    match plain(ty) {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| segment.ident == "Result"),
        _ => false,
    }
}

/// The tokens, outside of the block in which `Self` is what it is there.
fn in_place_of_self(tokens: TokenStream, this: &TokenStream) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut replaced = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let is_path =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                replaced.extend(if is_path {
                    quote!(<#this>)
                } else {
                    this.clone()
                });
            }
            TokenTree::Group(group) => {
                let mut new = Group::new(group.delimiter(), in_place_of_self(group.stream(), this));
                new.set_span(group.span());
                replaced.extend([TokenTree::Group(new)]);
            }
            other => replaced.extend([other]),
        }
    }
    replaced
}
