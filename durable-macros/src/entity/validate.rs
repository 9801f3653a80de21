use std::collections::BTreeMap;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Generics, ReturnType, TraitItem, Type};

use super::block::ident;
use super::operation::Operation;
use super::parse::{Block, EntityFunction, Interface, Method};
use crate::errors::Errors;
use crate::parameters::{Borrow, Borrows, Context, Parameter, Role, plain};
use crate::rules;

const WHAT: &str = "an operation";

/// Reports everything that keeps the block from being an entity.
pub(super) fn block(block: &Block, errors: &mut Errors) {
    has_no_generics(&block.generics, "an entity", errors);
    if ident(&block.ty).is_none() || Borrows::of(&block.ty).is_some() {
        errors.on(
            &block.ty,
            "an entity is a struct or an enum that owns all that it holds: write its name here",
        );
    }
    operations(&block.functions, errors);
    if block.interface.is_some() {
        return;
    }
    for function in &block.functions {
        if function.sig.ident == "id" {
            errors.at(
                function.sig.ident.span(),
                "every entity has a function `id`, which gives its address as in \
                 `Counter::id(key)`: give this one another name",
            );
        }
        is_not_at(function, errors);
    }
}

/// Reports everything that keeps the trait from being an interface.
pub(super) fn interface(interface: &Interface, errors: &mut Errors) {
    has_no_generics(&interface.generics, "an interface of entities", errors);
    for other in &interface.others {
        let (what, remedy) = match other {
            TraitItem::Const(_) => ("constants", "move it into a trait of its own"),
            TraitItem::Type(_) => (
                "associated types",
                "write the concrete type in the operations",
            ),
            _ => ("macros", "write out the operations"),
        };
        errors.on(
            other,
            format!("an interface has operations only, no {what}: {remedy}"),
        );
    }
    operations(&interface.functions, errors);
    for function in &interface.functions {
        if function.sig.receiver().is_none() {
            errors.at(
                function.sig.ident.span(),
                "an interface has operations only, which take their state: write `&self` or \
                 `&mut self` as the first parameter",
            );
        }
        if let TokenTree::Group(body) = &function.end {
            errors.on(
                body,
                "an operation of an interface has no body: write `;`, and the body in the \
                 `#[entity] impl .. for ..` of each entity",
            );
        }
        is_not_at(function, errors);
        names_no_self(function, errors);
    }
}

/// Reports everything that keeps the function from being an entity.
pub(super) fn function(entity: &EntityFunction, errors: &mut Errors) {
    let sig = &entity.function.sig;
    rules::check(sig, "an entity", errors);
    if sig.receiver().is_some() {
        return;
    }
    let parameters = Parameter::all(sig);
    parameters_of(&parameters, "an entity", errors);
    let is_given = |parameter: &Parameter<'_>| matches!(parameter.role, Role::Context(_));
    if !parameters.iter().any(is_given) {
        errors.at(
            sig.ident.span(),
            "an entity that is a function does everything through its context: write \
             `ctx: EntityContext` as the first parameter",
        );
    }
    for input in parameters.iter().filter(|parameter| parameter.is_input()) {
        errors.on(
            input.ty,
            "an entity that is a function reads its input in the body, with `ctx.input::<T>()?`: \
             remove the parameter",
        );
    }
}

fn has_no_generics(generics: &Generics, what: &str, errors: &mut Errors) {
    for parameter in &generics.params {
        errors.on(
            parameter,
            format!("{what} is called by its name, so it cannot be generic: write the concrete type in its place"),
        );
    }
    if generics.params.is_empty()
        && let Some(clause) = &generics.where_clause
    {
        errors.on(clause, format!("{what} has no `where` clause: remove it"));
    }
}

/// All operations of a block or a trait.
fn operations(functions: &[Method], errors: &mut Errors) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for operation in Operation::all(functions, &TokenStream::new()) {
        let sig = operation.sig();
        is_by_reference(&operation, errors);
        rules::is_called_by_name(sig, WHAT, errors);
        parameters_of(&operation.parameters, WHAT, errors);
        inputs(&operation, errors);
        output(&operation, errors);
        let name = operation.name();
        let earlier = names
            .entry(name.to_lowercase())
            .or_insert_with(|| name.clone());
        if *earlier != name {
            let message = format!(
                "operations are called without regard to case, so `{name}` is `{earlier}`: give \
                 one of the two another name"
            );
            errors.at(sig.ident.span(), message);
        }
    }
}

fn is_by_reference(operation: &Operation<'_>, errors: &mut Errors) {
    let Some(receiver) = operation.sig().receiver() else {
        return;
    };
    let is_reference = matches!(&*receiver.ty, Type::Reference(reference)
        if matches!(plain(&reference.elem), Type::Path(path) if path.path.is_ident("Self")));
    if !is_reference {
        errors.on(
            receiver,
            "an operation works on the state in place: write `&mut self`, or `&self` if it only \
             reads",
        );
    }
}

/// One `EntityContext`, and states, each by value.
fn parameters_of(parameters: &[Parameter<'_>], what: &str, errors: &mut Errors) {
    let mut is_given = false;
    for parameter in parameters {
        match parameter.role {
            Role::Context(Context::Entity) => {
                rules::context_is_owned(parameter, Context::Entity, errors);
                if is_given {
                    errors.on(
                        parameter.ty,
                        "`EntityContext` is given twice: keep one of the two",
                    );
                }
                is_given = true;
            }
            Role::Context(context) => {
                not_of_an_entity(parameter, context, what, errors);
                is_given = true;
            }
            Role::State(_) if parameter.is_borrowed => errors.on(
                parameter.ty,
                "a state is cheap to clone and passed by value: write `State<..>` without `&`",
            ),
            Role::State(_) | Role::Input => {}
        }
    }
}

fn not_of_an_entity(parameter: &Parameter<'_>, context: Context, what: &str, errors: &mut Errors) {
    let name = context.type_name();
    let remedy = match context {
        Context::Orchestration => {
            "take `EntityContext`, whose `start_new` starts an orchestration that can call others"
        }
        Context::Client => "take `EntityContext`, which signals entities and starts orchestrations",
        _ => "take `EntityContext`",
    };
    errors.on(parameter.ty, format!("{what} has no `{name}`: {remedy}"));
}

/// At most one, and owned.
fn inputs(operation: &Operation<'_>, errors: &mut Errors) {
    let inputs = || {
        operation
            .parameters
            .iter()
            .filter(|parameter| parameter.is_input())
    };
    for input in inputs() {
        rules::input_is_owned(input, errors);
    }
    if let Some(second) = inputs().nth(1) {
        errors.on(
            second.ty,
            "an operation takes one input: put them into a struct, or into a tuple as in \
             `(from, to): (String, String)`",
        );
    }
}

/// What it returns is sent to the caller.
fn output(operation: &Operation<'_>, errors: &mut Errors) {
    let ReturnType::Type(_, ty) = &operation.sig().output else {
        return;
    };
    match Borrows::of(ty) {
        None => {}
        Some(Borrow::Impl(found)) => errors.on(
            found,
            "an operation returns one concrete type: write it in place of `impl`",
        ),
        Some(Borrow::Reference(found)) => {
            let owned = rules::owned_name(&found.elem);
            errors.on(
                found,
                format!(
                    "what an operation returns is sent to its caller, so it cannot borrow: write \
                     {owned}"
                ),
            );
        }
        Some(Borrow::Lifetime(found)) => errors.on(
            found,
            "what an operation returns is sent to its caller, so it cannot borrow: write a type \
             without lifetimes",
        ),
    }
}

/// The proxies have a method `at` already.
fn is_not_at(function: &Method, errors: &mut Errors) {
    if function.sig.ident == "at" && function.sig.receiver().is_some() {
        errors.at(
            function.sig.ident.span(),
            "an operation cannot be called `at`, which is what sets the time of a signal: give it \
             another name",
        );
    }
}

/// Who calls an operation of an interface does not know the entity.
fn names_no_self(function: &Method, errors: &mut Errors) {
    let parameters = Parameter::all(&function.sig);
    let inputs = parameters.iter().filter(|parameter| parameter.is_input());
    let inputs = inputs.map(|parameter| parameter.ty);
    let output = match &function.sig.output {
        ReturnType::Type(_, ty) => Some(&**ty),
        ReturnType::Default => None,
    };
    for ty in inputs.chain(output) {
        if names_self(ty.to_token_stream()) {
            errors.on(
                ty,
                "whoever calls an interface does not know the entity, so its operations cannot name \
                 `Self`: write a concrete type",
            );
        }
    }
}

fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "Self",
        TokenTree::Group(group) => names_self(group.stream()),
        _ => false,
    })
}
