use syn::{ReturnType, Type};

use super::parse::ClientFunction;
use super::trigger::Trigger;
use crate::errors::Errors;
use crate::parameters::{Borrow, Borrows, Context, Parameter, Role, is_named};
use crate::rules;

const WHAT: &str = "a client function";

/// Reports everything that keeps the function from being called by its trigger.
pub(super) fn validate(client_function: &ClientFunction, errors: &mut Errors) {
    let sig = &client_function.function.sig;
    rules::is_called_by_name(sig, WHAT, errors);
    rules::has_no_receiver(sig, WHAT, errors);
    let parameters = Parameter::all(sig);
    client(client_function, &parameters, errors);
    let Some(trigger) = &client_function.trigger else {
        return;
    };
    is_async(client_function, errors);
    by_value(&parameters, errors);
    match trigger {
        Trigger::Http(_) => extractors(&parameters, errors),
        Trigger::Timer(_) => timer(&parameters, errors),
        Trigger::Queue(_) => message(client_function, &parameters, errors),
    }
    if !matches!(trigger, Trigger::Http(_)) {
        returns_a_concrete_type(&sig.output, errors);
    }
}

/// One `DurableClient`, and no context of another kind of function.
fn client(function: &ClientFunction, parameters: &[Parameter<'_>], errors: &mut Errors) {
    let mut is_given = false;
    let mut is_other_given = false;
    for parameter in parameters {
        let Role::Context(context) = parameter.role else {
            continue;
        };
        if context != Context::Client {
            is_other_given = true;
            let name = context.type_name();
            errors.on(
                parameter.ty,
                format!(
                    "{WHAT} has no `{name}`: take `DurableClient`, which starts orchestrations and \
                     signals entities"
                ),
            );
        } else if is_given {
            errors.on(
                parameter.ty,
                "`DurableClient` is given twice: keep one of the two",
            );
        } else {
            is_given = true;
        }
    }
    let sig = &function.function.sig;
    // A method, or one that takes something else in its place, has its error already.
    if !is_given && !is_other_given && sig.receiver().is_none() {
        errors.at(
            sig.ident.span(),
            format!("{WHAT} takes a client: write `client: DurableClient` among its parameters"),
        );
    }
}

fn is_async(function: &ClientFunction, errors: &mut Errors) {
    let sig = &function.function.sig;
    // `const` is one mistake, of which this is a part.
    if sig.asyncness.is_none() && sig.constness.is_none() {
        errors.on(
            sig.fn_token,
            "a function with a trigger is async: write `async fn`",
        );
    }
}

fn by_value(parameters: &[Parameter<'_>], errors: &mut Errors) {
    for parameter in parameters.iter().filter(|parameter| parameter.is_borrowed) {
        match parameter.role {
            Role::Context(Context::Client) => errors.on(
                parameter.ty,
                "a client is cheap to clone and passed by value: write `DurableClient`",
            ),
            Role::State(_) => errors.on(
                parameter.ty,
                "a state is cheap to clone and passed by value: write `State<..>` without `&`",
            ),
            _ => {}
        }
    }
}

fn inputs<'a>(parameters: &'a [Parameter<'a>]) -> impl Iterator<Item = &'a Parameter<'a>> {
    parameters.iter().filter(|parameter| parameter.is_input())
}

/// Whether a type can be one, only the compiler knows.
fn extractors(parameters: &[Parameter<'_>], errors: &mut Errors) {
    for parameter in inputs(parameters) {
        if is_timer_info(parameter.ty) {
            of_timers_only(parameter, errors);
            continue;
        }
        match Borrows::of(parameter.ty) {
            None => {}
            Some(Borrow::Impl(found)) => errors.on(
                found,
                "an extractor makes a value of a known type: write that in place of `impl`",
            ),
            Some(_) => errors.on(
                parameter.ty,
                "an extractor makes a value of its own: write a type without `&` and lifetimes",
            ),
        }
    }
}

fn timer(parameters: &[Parameter<'_>], errors: &mut Errors) {
    let mut is_given = false;
    for parameter in inputs(parameters) {
        if !is_timer_info(parameter.ty) {
            errors.on(
                parameter.ty,
                "a timer gives a `TimerInfo` and nothing else: remove this parameter, or take a \
                 `State<..>` of the host",
            );
        } else if is_given {
            errors.on(
                parameter.ty,
                "`TimerInfo` is given twice: keep one of the two",
            );
        } else {
            is_given = true;
            if Borrows::of(parameter.ty).is_some() {
                errors.on(parameter.ty, "it is passed by value: write `TimerInfo`");
            }
        }
    }
}

fn message(function: &ClientFunction, parameters: &[Parameter<'_>], errors: &mut Errors) {
    if let Some(timer) = inputs(parameters).find(|parameter| is_timer_info(parameter.ty)) {
        of_timers_only(timer, errors);
        return;
    }
    let mut messages = inputs(parameters);
    match messages.next() {
        Some(message) => rules::input_is_owned(message, errors),
        None if function.function.sig.receiver().is_none() => errors.at(
            function.function.sig.ident.span(),
            "a queue gives a message: take it, as in `message: Order`",
        ),
        None => {}
    }
    for second in messages {
        errors.on(
            second.ty,
            "a queue gives one message: remove this parameter, or put both into a struct",
        );
    }
}

fn is_timer_info(ty: &Type) -> bool {
    match ty {
        Type::Reference(reference) => is_named(&reference.elem, "TimerInfo"),
        ty => is_named(ty, "TimerInfo"),
    }
}

fn of_timers_only(parameter: &Parameter<'_>, errors: &mut Errors) {
    errors.on(
        parameter.ty,
        "only a timer gives a `TimerInfo`: remove the parameter, or write \
         `#[durable_client(timer(\"..\"))]`",
    );
}

/// That the type is `()` or a `Result` is checked by a bound in the generated code.
fn returns_a_concrete_type(output: &ReturnType, errors: &mut Errors) {
    if let ReturnType::Type(_, ty) = output
        && let Some(Borrow::Impl(found)) = Borrows::of(ty)
    {
        errors.on(
            found,
            "a function with a timer or a queue returns `()` or a `Result`: write that in place of \
             `impl`",
        );
    }
}
