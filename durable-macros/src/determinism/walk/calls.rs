//! Calls of functions and methods.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{Expr, ExprCall, ExprMethodCall, Stmt, Token, parse_quote, parse_quote_spanned};

use super::{Spine, Walker, is_async_closure, is_named_like_a_static};
use crate::determinism::forbidden;
use crate::determinism::rule::Rule;
use crate::handle::respan;

/// What methods are called that keep a closure, or that give one what others keep.
const STORES: [&str; 14] = [
    "add",
    "get_or_init",
    "insert",
    "on",
    "push",
    "push_back",
    "register",
    "replace",
    "set",
    "subscribe",
    "swap",
    "with",
    "with_borrow",
    "with_borrow_mut",
];

impl Walker<'_> {
    pub(super) fn call(&mut self, call: &mut ExprCall, on_spine: bool) {
        let Expr::Path(path) = &*call.func else {
            self.place.on_spine = on_spine;
            self.visit_expr_mut(&mut call.func);
            self.arguments(&mut call.args);
            return;
        };
        let finding = self.finding_of(path);
        if let Some(finding) = &finding
            && finding.rule == Rule::Spawn
            && !self.is_allowed(Rule::Spawn)
        {
            // What runs elsewhere is no part of the orchestrator.
            if self.captures_context(&call.args) {
                self.place.spine = on_spine.then_some(Spine::Settled).or(self.place.spine);
                self.context_is_captured(path, "runs elsewhere, while the orchestrator goes on");
                // Or the compiler would say too that the context cannot be sent to where it runs.
                call.args.iter_mut().for_each(empty);
                self.is_changed = true;
            } else {
                self.found(path, finding, on_spine);
            }
            return;
        }
        self.path_found(path, finding.as_ref(), on_spine);
        self.arguments(&mut call.args);
    }

    /// Whether an async closure is called, of which the body has been checked.
    pub(super) fn calls_async_closure(&self, function: &Expr) -> bool {
        match function {
            _ if self.place.in_item => false,
            Expr::Path(path) => path
                .path
                .get_ident()
                .is_some_and(|name| self.scopes.is_async_closure(&name.to_string())),
            Expr::Paren(paren) => is_async_closure(&paren.expr),
            _ => false,
        }
    }

    fn arguments(&mut self, arguments: &mut Punctuated<Expr, Token![,]>) {
        for argument in arguments {
            self.visit_expr_mut(argument);
        }
    }

    pub(super) fn method_call(&mut self, call: &mut ExprMethodCall, on_spine: bool) {
        let method = call.method.to_string();
        if let Some(finding) = forbidden::method(&method, call.args.len()) {
            self.found(&call.method, &finding, on_spine);
        }
        if STORES.contains(&method.as_str())
            && let Expr::Path(receiver) = beginning(&call.receiver)
            && is_named_like_a_static(receiver)
            && call
                .args
                .iter()
                .any(|argument| is_closure(argument) && self.mentions_context(argument))
        {
            self.context_is_captured(call.method.clone(), "is kept where others may call it");
        }
        if let Some(turbofish) = &mut call.turbofish {
            visit_mut::visit_angle_bracketed_generic_arguments_mut(self, turbofish);
        }
        let errors = self.errors.count();
        self.place.on_spine = on_spine;
        self.visit_expr_mut(&mut call.receiver);
        self.place.on_spine = false;
        self.arguments(&mut call.args);
        let is_clock = method == "elapsed" && call.args.is_empty();
        if is_clock && !self.is_allowed(Rule::Clock) && self.errors.count() == errors {
            self.clock(call);
        }
    }

    /// Other types than clocks have `elapsed()` as well, so the type of the receiver decides.
    fn clock(&mut self, call: &mut ExprMethodCall) {
        self.is_changed = true;
        let located = Span::mixed_site().located_at(call.method.span());
        let private = respan(self.private.clone(), located);
        let receiver = &call.receiver;
        call.receiver = parse_quote_spanned!(located=> #private::Clock(&#receiver));
    }

    fn captures_context(&self, arguments: &Punctuated<Expr, Token![,]>) -> bool {
        arguments
            .iter()
            .any(|argument| self.mentions_context(argument))
    }

    fn mentions_context(&self, expression: &Expr) -> bool {
        let mentions = |name: &String| mentions(expression.to_token_stream(), name);
        self.context.as_ref().is_some_and(mentions)
    }

    fn context_is_captured(&mut self, tokens: impl ToTokens, what: &str) {
        let name = self.context.clone().unwrap_or_default();
        self.errors.on(
            tokens,
            format!(
                "`{name}` is captured by code that {what}: use the context in the orchestrator \
                 itself, and pass values [context]"
            ),
        );
    }
}

/// Whether this is `items.map(async |item| ..)`.
pub(super) fn maps_to_futures(call: &ExprMethodCall) -> bool {
    call.method == "map" && call.args.len() == 1 && call.args.iter().all(is_async_closure)
}

/// Where an expression of fields and calls begins.
fn beginning(expression: &Expr) -> &Expr {
    match expression {
        Expr::Field(node) => beginning(&node.base),
        Expr::MethodCall(node) => beginning(&node.receiver),
        Expr::Paren(node) => beginning(&node.expr),
        Expr::Reference(node) => beginning(&node.expr),
        Expr::Try(node) => beginning(&node.expr),
        Expr::Unary(node) => beginning(&node.expr),
        other => other,
    }
}

/// Leaves nothing in a closure or an async block.
fn empty(expression: &mut Expr) {
    let nothing = || parse_quote!(::core::unreachable!("the program does not compile"));
    match expression {
        Expr::Async(node) => node.block.stmts = vec![Stmt::Expr(nothing(), None)],
        Expr::Closure(node) => match &mut *node.body {
            body @ Expr::Async(_) => empty(body),
            body => *body = nothing(),
        },
        _ => {}
    }
}

/// Whether it is a closure, or a call that a closure is passed to, such as `Box::new(|| ..)`.
fn is_closure(expression: &Expr) -> bool {
    match expression {
        Expr::Closure(_) => true,
        Expr::Call(call) => call.args.iter().any(is_closure),
        _ => false,
    }
}

pub(super) fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        _ => false,
    })
}
