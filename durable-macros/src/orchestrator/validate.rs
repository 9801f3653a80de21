use syn::Signature;

use super::parse::Orchestrator;
use crate::errors::Errors;
use crate::parameters::{Context, Parameter, Role};
use crate::rules;

/// Reports everything that keeps the function from being an orchestrator.
pub(super) fn validate(orchestrator: &Orchestrator, errors: &mut Errors) {
    let sig = &orchestrator.function.sig;
    let parameters = Parameter::all(sig);
    errors.of_rule("signature", |errors| {
        rules::check(sig, "an orchestrator", errors);
        is_async(sig, errors);
    });
    if sig.receiver().is_none() {
        errors.of_rule("context", |errors| context(sig, &parameters, errors));
    }
    errors.of_rule("state", |errors| has_no_state(&parameters, errors));
    errors.of_rule("input", |errors| input(&parameters, errors));
}

fn is_async(sig: &Signature, errors: &mut Errors) {
    if sig.asyncness.is_none() {
        errors.on(
            sig.fn_token,
            "an orchestrator is an `async fn`: write `async` before `fn`",
        );
    }
}

/// One `OrchestrationContext`, and first.
fn context(sig: &Signature, parameters: &[Parameter<'_>], errors: &mut Errors) {
    let mut is_given = false;
    for (position, parameter) in parameters.iter().enumerate() {
        let Role::Context(context) = parameter.role else {
            continue;
        };
        if context != Context::Orchestration {
            not_of_an_orchestrator(parameter, context, errors);
        } else if is_given {
            errors.on(
                parameter.ty,
                "`OrchestrationContext` is given twice: keep one of the two",
            );
        } else if position > 0 {
            errors.on(
                parameter.ty,
                "`OrchestrationContext` comes first: move it before the other parameters",
            );
        }
        if context == Context::Orchestration {
            rules::context_is_owned(parameter, context, errors);
        }
        is_given = true;
    }
    if !is_given {
        errors.at(
            sig.ident.span(),
            "an orchestrator takes its context first: write `ctx: OrchestrationContext` as the \
             first parameter",
        );
    }
}

fn not_of_an_orchestrator(parameter: &Parameter<'_>, context: Context, errors: &mut Errors) {
    let name = context.type_name();
    let remedy = match context {
        Context::Activity => "take `OrchestrationContext`, or put `#[activity]` on the function",
        Context::Client => {
            "take `OrchestrationContext`, whose `call_sub_orchestrator` starts other orchestrations"
        }
        _ => "take `OrchestrationContext`",
    };
    errors.on(
        parameter.ty,
        format!("an orchestrator has no `{name}`: {remedy}"),
    );
}

fn has_no_state(parameters: &[Parameter<'_>], errors: &mut Errors) {
    for parameter in parameters {
        if let Role::State(_) = parameter.role {
            errors.on(
                parameter.ty,
                "an orchestrator has no state of the host, because it is replayed: take the \
                 `State` in an activity, and call that",
            );
        }
    }
}

/// At most one, and owned.
fn input(parameters: &[Parameter<'_>], errors: &mut Errors) {
    let inputs = || parameters.iter().filter(|parameter| parameter.is_input());
    for input in inputs() {
        rules::input_is_owned(input, errors);
    }
    if let Some(second) = inputs().nth(1) {
        errors.on(
            second.ty,
            "an orchestrator takes one input: put them into a struct, or into a tuple as in \
             `(from, to): (String, String)`",
        );
    }
}
