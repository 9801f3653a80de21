use super::parse::Activity;
use crate::errors::Errors;
use crate::parameters::{Context, Parameter, Role};
use crate::rules;

/// Reports everything that keeps the function from being an activity.
pub(super) fn validate(activity: &Activity, errors: &mut Errors) {
    let sig = &activity.function.sig;
    rules::check(sig, "an activity", errors);
    let parameters = Parameter::all(sig);
    contexts(&parameters, errors);
    states(&parameters, errors);
    for input in parameters.iter().filter(|parameter| parameter.is_input()) {
        rules::input_is_owned(input, errors);
    }
}

/// One `ActivityContext`, and first.
fn contexts(parameters: &[Parameter<'_>], errors: &mut Errors) {
    let mut is_given = false;
    for (position, parameter) in parameters.iter().enumerate() {
        let Role::Context(context) = parameter.role else {
            continue;
        };
        if context != Context::Activity {
            not_of_an_activity(parameter, context, errors);
            continue;
        }
        rules::context_is_owned(parameter, context, errors);
        if is_given {
            errors.on(
                parameter.ty,
                "`ActivityContext` is given twice: keep one of the two",
            );
        } else if position > 0 {
            errors.on(
                parameter.ty,
                "`ActivityContext` comes first: move it before the other parameters",
            );
        }
        is_given = true;
    }
}

fn not_of_an_activity(parameter: &Parameter<'_>, context: Context, errors: &mut Errors) {
    let name = context.type_name();
    let remedy = match context {
        Context::Orchestration => {
            "take `ActivityContext`, or put `#[orchestrator]` on the function"
        }
        _ => "take `ActivityContext`, or remove the parameter",
    };
    errors.on(
        parameter.ty,
        format!("an activity has no `{name}`: {remedy}"),
    );
}

/// States by value, and before the inputs.
fn states(parameters: &[Parameter<'_>], errors: &mut Errors) {
    let mut is_after_input = false;
    for parameter in parameters {
        match parameter.role {
            Role::Input => is_after_input = true,
            Role::State(_) if parameter.is_borrowed => errors.on(
                parameter.ty,
                "a state is cheap to clone and passed by value: write `State<..>` without `&`",
            ),
            Role::State(_) if is_after_input => errors.on(
                parameter.ty,
                "states come before the inputs: move this parameter up",
            ),
            Role::State(_) | Role::Context(_) => {}
        }
    }
}
