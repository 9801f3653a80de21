//! The rules that hold for every durable function, one function each.

use syn::{FnArg, GenericParam, ReturnType, Signature, Type};

use crate::errors::Errors;
use crate::parameters::{Borrow, Borrows, Context, Parameter, plain};

/// All rules about the signature that do not depend on what the function is. `what` names it with
/// its article: "an activity".
pub(crate) fn check(sig: &Signature, what: &str, errors: &mut Errors) {
    is_called_by_name(sig, what, errors);
    has_no_receiver(sig, what, errors);
    returns_a_result(sig, what, errors);
}

/// The rules that hold for methods too.
pub(crate) fn is_called_by_name(sig: &Signature, what: &str, errors: &mut Errors) {
    is_not_const(sig, what, errors);
    is_not_unsafe(sig, what, errors);
    has_no_abi(sig, what, errors);
    has_no_generics(sig, what, errors);
    is_not_variadic(sig, what, errors);
}

fn is_not_const(sig: &Signature, what: &str, errors: &mut Errors) {
    if let Some(constness) = &sig.constness {
        errors.on(
            constness,
            format!("{what} cannot be a `const fn`: remove `const`"),
        );
    }
}

fn is_not_unsafe(sig: &Signature, what: &str, errors: &mut Errors) {
    if let Some(unsafety) = &sig.unsafety {
        errors.on(
            unsafety,
            format!(
                "{what} cannot be an `unsafe fn`, because it is called with whatever was stored: \
                 remove `unsafe`, and check the input in the body"
            ),
        );
    }
}

fn has_no_abi(sig: &Signature, what: &str, errors: &mut Errors) {
    if let Some(abi) = &sig.abi {
        errors.on(
            abi,
            format!("{what} has no ABI of its own: remove `extern`"),
        );
    }
}

fn has_no_generics(sig: &Signature, what: &str, errors: &mut Errors) {
    for parameter in &sig.generics.params {
        let remedy = match parameter {
            GenericParam::Type(_) => "write the concrete type in its place",
            GenericParam::Const(_) => "write the constant in its place",
            GenericParam::Lifetime(_) => "take and return owned values",
        };
        let message = format!("{what} is called by its name, so it cannot be generic: {remedy}");
        errors.on(parameter, message);
    }
    // A clause about parameters that have to go goes with them.
    if sig.generics.params.is_empty()
        && let Some(clause) = &sig.generics.where_clause
    {
        errors.on(clause, format!("{what} has no `where` clause: remove it"));
    }
}

pub(crate) fn has_no_receiver(sig: &Signature, what: &str, errors: &mut Errors) {
    if let Some(FnArg::Receiver(receiver)) = sig.inputs.first() {
        errors.on(
            receiver,
            format!(
                "{what} cannot be a method: move it out of the `impl` block and take what it \
                 needs as an input"
            ),
        );
    }
}

fn is_not_variadic(sig: &Signature, what: &str, errors: &mut Errors) {
    if let Some(variadic) = &sig.variadic {
        let message = format!("{what} cannot be variadic: take a `Vec` in place of `...`");
        errors.on(variadic, message);
    }
}

/// That the type which is returned is a `Result` (it may be an alias of one) is checked by a bound
/// in the generated code.
fn returns_a_result(sig: &Signature, what: &str, errors: &mut Errors) {
    match &sig.output {
        ReturnType::Default => errors.at(
            sig.ident.span(),
            format!(
                "{what} returns a `Result`: write `-> Result<()>` after the parameters, and \
                 `Ok(())` at the end"
            ),
        ),
        ReturnType::Type(_, ty) => {
            if let Some(Borrow::Impl(found)) = Borrows::of(ty) {
                errors.on(
                    found,
                    format!("{what} returns one concrete type: write it in place of `impl`"),
                );
            }
        }
    }
}

/// An input is read from storage, so it must own all that it holds.
pub(crate) fn input_is_owned(parameter: &Parameter<'_>, errors: &mut Errors) {
    let ty = parameter.ty;
    match (Borrows::of(ty), plain(ty)) {
        (None, _) => {}
        (Some(Borrow::Impl(found)), _) => errors.on(
            found,
            "an input is read from storage, so its type must be known: write a concrete type in \
             place of `impl`",
        ),
        (Some(Borrow::Reference(_)), Type::Reference(reference))
            if Borrows::of(&reference.elem).is_none() =>
        {
            let owned = owned_name(&reference.elem);
            errors.on(
                ty,
                format!(
                    "an input is read from storage, so it cannot be a reference: write {owned}"
                ),
            );
        }
        (Some(Borrow::Reference(found)), _) => errors.on(found, borrows(&owned_name(&found.elem))),
        (Some(Borrow::Lifetime(found)), _) => errors.on(found, borrows("a type without lifetimes")),
    }
}

fn borrows(remedy: &str) -> String {
    format!("an input is read from storage, so it cannot borrow: write {remedy} here")
}

/// A context is passed by value.
pub(crate) fn context_is_owned(parameter: &Parameter<'_>, context: Context, errors: &mut Errors) {
    if parameter.is_borrowed {
        let name = context.type_name();
        let message = format!("the context is cheap to clone and passed by value: write `{name}`");
        errors.on(parameter.ty, message);
    }
}

/// What is written in place of a reference to `referent`.
pub(crate) fn owned_name(referent: &Type) -> String {
    match plain(referent) {
        Type::Path(path) if path.path.is_ident("str") => "`String`".to_owned(),
        Type::Path(path) if path.qself.is_none() => match path.path.segments.last() {
            Some(last) if last.arguments.is_none() => format!("`{}`", last.ident),
            _ => "the type without `&`".to_owned(),
        },
        Type::Slice(_) => "`Vec<..>`".to_owned(),
        _ => "the type without `&`".to_owned(),
    }
}
