//! What the body of an orchestrator, or of a `#[deterministic]` function, must not do.
//!
//! Syntax tells what a path is called, and types tell what is awaited. So every awaited expression is
//! passed through a function of the runtime that takes durable tasks only, and every path is looked
//! up in a table of what differs between runs.

mod allow;
mod arguments;
mod body;
mod evident;
mod forbidden;
mod incomplete;
mod rule;
mod scope;
mod survey;
mod unbounded;
mod walk;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{FnArg, Generics, Ident, Pat, Signature, Token, Type, TypeParamBound, WherePredicate};

use self::body::Body;
use self::walk::Walker;
use crate::errors::Errors;
use crate::function::Function;
use crate::parameters::{Parameter, Role};

/// What a body belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What is generated beside it compiles only if its context is the one of the runtime.
    Orchestrator,
    /// A `#[deterministic]` function.
    Helper,
}

/// Checks the body of `function`, and gives what is to stand in its place. `private` is the path of
/// what generated code may name.
///
/// A body that does not parse is left as it is. What is wrong with it the compiler will say; and if
/// nothing is, so that only this crate does not understand it, an error stands beside the function.
pub(crate) fn check(
    function: &Function,
    kind: Kind,
    private: &TokenStream,
    errors: &mut Errors,
) -> (TokenStream, Option<TokenStream>) {
    let sig = &function.sig;
    let written = function.body();
    let context = context_of(sig);
    let body = match kind {
        Kind::Orchestrator => Body::survey(written, context.as_deref()),
        Kind::Helper => Body::parse(written),
    };
    let (mut body, is_finished) = match body {
        Ok(body) => (body, false),
        Err(error) => match incomplete::finish(written).map(|body| Body::parse(&body)) {
            Some(Ok(body)) => (body, true),
            _ => return (written.to_token_stream(), Some(not_understood(&error))),
        },
    };
    let mut walker = Walker::new(private, context, errors);
    walker.enter_function(sig, kind);
    walker.visit_body(&mut body);
    let checked = if is_finished || walker.is_changed() {
        body.into_token_stream()
    } else {
        // To make tokens of it again would take long, here and in the compiler.
        written.to_token_stream()
    };
    (checked, None)
}

/// The compiler evaluates a constant only when nothing else is wrong.
fn not_understood(error: &syn::Error) -> TokenStream {
    let message = format!(
        "the body of this function cannot be checked ({error}): write it without the newest syntax \
         [macro]"
    );
    let panic = quote::quote_spanned!(error.span()=> ::core::panic!(#message));
    quote!(const _: () = #panic;)
}

/// The name of the parameter that is the orchestration's context.
fn context_of(sig: &Signature) -> Option<String> {
    let parameters = Parameter::all(sig);
    let is_context = |parameter: &Parameter<'_>| matches!(parameter.role, Role::Context(_));
    let position = parameters.iter().position(is_context)?;
    let typed = sig.inputs.iter().filter_map(|argument| match argument {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    });
    match typed
        .skip(position)
        .map(|typed| &typed.pat)
        .next()?
        .as_ref()
    {
        Pat::Ident(pattern) => Some(pattern.ident.to_string()),
        _ => None,
    }
}

/// Whether a parameter of this type is an async closure: `impl AsyncFn(..)`, or a type parameter with
/// such a bound.
fn takes_async_closure(ty: &Type, generics: &Generics) -> bool {
    match ty {
        Type::ImplTrait(ty) => has_async_bound(&ty.bounds),
        Type::Paren(ty) => takes_async_closure(&ty.elem, generics),
        Type::Path(ty) => ty.path.get_ident().is_some_and(|name| {
            let mut parameters = generics.type_params();
            parameters
                .any(|parameter| parameter.ident == *name && has_async_bound(&parameter.bounds))
                || clauses(generics, name).any(has_async_bound)
        }),
        Type::Reference(ty) => takes_async_closure(&ty.elem, generics),
        _ => false,
    }
}

/// What the `where` clause says of the type parameter of this name.
fn clauses<'a>(
    generics: &'a Generics,
    name: &'a Ident,
) -> impl Iterator<Item = &'a Punctuated<TypeParamBound, Token![+]>> {
    let clauses = generics.where_clause.iter();
    let clauses = clauses.flat_map(|clause| &clause.predicates);
    clauses.filter_map(move |clause| match clause {
        WherePredicate::Type(clause) => match &clause.bounded_ty {
            Type::Path(ty) if ty.path.is_ident(name) => Some(&clause.bounds),
            _ => None,
        },
        _ => None,
    })
}

fn has_async_bound(bounds: &Punctuated<TypeParamBound, Token![+]>) -> bool {
    bounds.iter().any(|bound| match bound {
        TypeParamBound::Trait(bound) => bound
            .path
            .segments
            .last()
            .is_some_and(|last| last.ident.to_string().starts_with("AsyncFn")),
        _ => false,
    })
}
