//! What is a durable task by the way it is written: `ctx.call_activity::<A>(input).retry(policy)`.
//!
//! To have the compiler check the type of each awaited expression costs compile time, and most of them
//! are made of methods of the context, which gives tasks only. Inherent methods go before those of any
//! trait, so their names are enough, as long as the context is the parameter of the orchestrator.

use syn::Expr;

/// The methods of the context that give a task, with the methods that these tasks have and that give a
/// task again.
const TASKS: [(&str, &[&str]); 8] = [
    ("call_activity", CALL),
    ("call_activity_by_name", CALL),
    ("call_sub_orchestrator", SUB_CALL),
    ("call_sub_orchestrator_by_name", SUB_CALL),
    ("create_timer", &["start"]),
    ("lock", &["start"]),
    ("sleep", &["start"]),
    ("wait_for_external_event", &["start", "timeout"]),
];
const CALL: &[&str] = &["retry", "retry_if", "start", "timeout"];
const SUB_CALL: &[&str] = &[
    "instance_id",
    "retry",
    "retry_if",
    "start",
    "timeout",
    "version",
];

/// Whether `expression` is such a task of the context of this name.
pub(super) fn is_task(expression: &Expr, context: &str) -> bool {
    let mut methods = Vec::new();
    let mut receiver = expression;
    while let Expr::MethodCall(call) = receiver {
        methods.push(call);
        receiver = &call.receiver;
    }
    let is_context = matches!(receiver, Expr::Path(path) if path.path.is_ident(context));
    let names: Vec<_> = methods
        .iter()
        .rev()
        .map(|call| call.method.to_string())
        .collect();
    is_context && give_task(&names)
}

/// Whether these methods, one called on what the other gives, and the first on the context, give a task.
pub(super) fn give_task(methods: &[String]) -> bool {
    let Some((made_by, built_by)) = methods.split_first() else {
        return false;
    };
    let task = TASKS.iter().find(|(name, _)| made_by == name);
    task.is_some_and(|(_, builders)| are_of(builders, built_by))
}

/// Whether each of the methods is one of `names`, and another one: what has a timeout, for one, may
/// have no inherent method to set it again.
fn are_of(names: &[&str], methods: &[String]) -> bool {
    methods.iter().enumerate().all(|(position, method)| {
        names.contains(&method.as_str()) && !methods[..position].contains(method)
    })
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn calls_of_the_context_are_tasks() {
        let is_task = |expression: Expr| is_task(&expression, "ctx");
        assert!(is_task(parse_quote!(ctx.sleep(delay))));
        assert!(is_task(parse_quote!(
            ctx.call_activity::<charge>(1).retry(policy).timeout(limit)
        )));
        assert!(is_task(parse_quote!(
            ctx.wait_for_external_event::<()>("go")
                .timeout(limit)
                .start()
        )));
    }

    #[test]
    fn what_else_may_stand_behind_them_is_not() {
        let is_task = |expression: Expr| is_task(&expression, "ctx");
        assert!(!is_task(parse_quote!(ctx)));
        assert!(!is_task(parse_quote!(ctx.pay())));
        assert!(!is_task(parse_quote!(other.sleep(delay))));
        assert!(!is_task(parse_quote!(self.ctx.sleep(delay))));
        assert!(!is_task(parse_quote!(ctx.sleep(delay).timeout(limit))));
        assert!(!is_task(parse_quote!(ctx.sleep(delay).boxed())));
        assert!(!is_task(parse_quote!(
            ctx.wait_for_external_event::<()>("go")
                .timeout(limit)
                .timeout(limit)
        )));
    }
}
