use super::parse::Helper;
use crate::errors::Errors;
use crate::parameters::{Context, Parameter, Role};

/// Reports everything that keeps the function from being a part of an orchestrator.
pub(super) fn validate(helper: &Helper, errors: &mut Errors) {
    for parameter in Parameter::all(&helper.function.sig) {
        match parameter.role {
            Role::Context(Context::Orchestration) | Role::Input => {}
            Role::Context(context) => {
                let name = context.type_name();
                errors.on(
                    parameter.ty,
                    format!(
                        "a `#[deterministic]` function is a part of an orchestrator, which has no \
                         `{name}`: take `&OrchestrationContext` [context]"
                    ),
                );
            }
            Role::State(_) => errors.on(
                parameter.ty,
                "a `#[deterministic]` function is a part of an orchestrator, which has no state of \
                 the host, because it is replayed: take the `State` in an activity, and call that \
                 [state]",
            ),
        }
    }
}
