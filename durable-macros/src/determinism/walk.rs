//! Goes over a body: reports what is forbidden, and routes what is awaited.

mod calls;
mod macros;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Arm, Block, Expr, ExprCall, ExprPath, FnArg, Item, ItemStatic, Local, Macro, Pat, PatIdent,
    Path, Signature, StaticMutability, Stmt, Type, TypePath, parse_quote_spanned,
};

use self::calls::maps_to_futures;
use super::body::Body;
use super::forbidden::{self, Finding};
use super::rule::Rule;
use super::scope::{Bound, Candidate, Scopes};
use super::{Kind, allow, evident, takes_async_closure, unbounded};
use crate::errors::Errors;
use crate::function::is_durable_function;

/// Goes over one body.
pub(super) struct Walker<'a> {
    private: &'a TokenStream,
    /// The name of the orchestration's context.
    context: Option<String>,
    /// The same, if it is sure that this name means the context wherever the walker is.
    evident_context: Option<String>,
    errors: &'a mut Errors,
    scopes: Scopes,
    /// What the statements around allow.
    allowed: Vec<Rule>,
    place: Place,
    /// Whether the body is no longer what was written.
    is_changed: bool,
}

/// Where in the body the walker is.
#[derive(Debug, Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "any of them may hold together with any other"
)]
struct Place {
    /// In an item inside of the body. What is awaited there is not awaited by the body.
    in_item: bool,
    in_unsafe: bool,
    /// On the way from an awaited expression down to where it begins: what is forbidden there is
    /// reported with the type of what is awaited.
    on_spine: bool,
    /// What was found on that way.
    spine: Option<Spine>,
    /// Whether the statement has been found to use a hash map: its type and its constructor are one
    /// mistake.
    hash_is_found: bool,
}

/// What stands at the beginning of an awaited expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spine {
    /// To be reported with the type of what is awaited.
    Forbidden(Rule),
    /// Reported already, or allowed.
    Settled,
}

/// The rules of which futures are made: for each the runtime has a function that takes them and says
/// that they are no durable tasks.
const ROUTED: [Rule; 10] = [
    Rule::Channel,
    Rule::Combinator,
    Rule::Database,
    Rule::File,
    Rule::Lock,
    Rule::Network,
    Rule::Process,
    Rule::Select,
    Rule::Sleep,
    Rule::Spawn,
];

impl<'a> Walker<'a> {
    pub(super) fn new(
        private: &'a TokenStream,
        context: Option<String>,
        errors: &'a mut Errors,
    ) -> Self {
        Self {
            private,
            context,
            evident_context: None,
            errors,
            scopes: Scopes::default(),
            allowed: Vec::new(),
            place: Place::default(),
            is_changed: false,
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// Takes note of the parameters.
    pub(super) fn enter_function(&mut self, sig: &Signature, kind: Kind) {
        if kind == Kind::Orchestrator {
            self.evident_context.clone_from(&self.context);
        }
        self.scopes.enter(&[]);
        for argument in &sig.inputs {
            if let FnArg::Typed(typed) = argument {
                self.place.hash_is_found = false;
                self.visit_type_mut(&mut typed.ty.clone());
                if let Pat::Ident(pattern) = &*typed.pat
                    && takes_async_closure(&typed.ty, &sig.generics)
                {
                    self.scopes.bind_closure(&pattern.ident);
                }
            }
        }
    }

    /// Goes over the statements that are parsed.
    pub(super) fn visit_body(&mut self, body: &mut Body) {
        self.scopes.enter(body.statements());
        for statement in body.statements_mut() {
            self.visit_stmt_mut(statement);
        }
        self.scopes.leave();
    }

    /// Allows what the attributes of a statement do, which were taken off it.
    fn allow(&mut self, taken: Option<Vec<Rule>>) {
        if let Some(rules) = taken {
            self.allowed.extend(rules);
            self.is_changed = true;
        }
    }

    fn is_allowed(&self, rule: Rule) -> bool {
        self.allowed.contains(&rule)
    }

    fn report(&mut self, tokens: impl ToTokens, finding: &Finding) {
        let Finding {
            rule,
            message,
            instead,
        } = finding;
        if *rule == Rule::Hash && std::mem::replace(&mut self.place.hash_is_found, true) {
            return;
        }
        let rule = rule.name();
        self.errors
            .on(tokens, format!("{message}: {instead} [{rule}]"));
    }

    /// Deals with what was found at `tokens`; `on_spine` if an awaited expression begins there.
    fn found(&mut self, tokens: impl ToTokens, finding: &Finding, on_spine: bool) {
        if self.is_allowed(finding.rule) {
            if on_spine {
                self.place.spine = Some(Spine::Settled);
            }
        } else if on_spine && ROUTED.contains(&finding.rule) {
            self.place
                .spine
                .get_or_insert(Spine::Forbidden(finding.rule));
        } else {
            if on_spine {
                self.place.spine = Some(Spine::Settled);
            }
            self.report(tokens, finding);
        }
    }

    fn finding_of(&self, path: &ExprPath) -> Option<Finding> {
        if path.qself.is_none()
            && path
                .path
                .get_ident()
                .is_some_and(|name| self.scopes.is_unknown(name))
        {
            // As most names are: a local, or something from outside of the body.
            return None;
        }
        let candidates = match &path.qself {
            None => self.scopes.candidates(&path.path),
            // `<Instant>::now`
            Some(qself) if qself.position == 0 => match &*qself.ty {
                Type::Path(ty) if ty.qself.is_none() => {
                    let rest = path.path.segments.iter();
                    let rest: Vec<_> = rest.map(|segment| segment.ident.to_string()).collect();
                    let mut candidates = self.scopes.candidates(&ty.path);
                    for candidate in &mut candidates {
                        candidate.segments.extend_from_slice(&rest);
                    }
                    candidates
                }
                _ => Vec::new(),
            },
            Some(_) => Vec::new(),
        };
        let names_hasher = match path.qself.as_ref().map(|qself| &*qself.ty) {
            Some(Type::Path(ty)) => names_hasher(&ty.path),
            _ => names_hasher(&path.path),
        };
        first(candidates, forbidden::path)
            .filter(|finding| finding.rule != Rule::Hash || !names_hasher)
    }

    fn path(&mut self, path: &ExprPath, on_spine: bool) {
        let finding = self.finding_of(path);
        self.path_found(path, finding.as_ref(), on_spine);
    }

    fn path_found(&mut self, path: &ExprPath, finding: Option<&Finding>, on_spine: bool) {
        let is_reported = |name: &Ident| self.scopes.is_reported(&name.to_string());
        if on_spine && path.path.get_ident().is_some_and(is_reported) {
            self.place.spine = Some(Spine::Settled);
        } else if let Some(finding) = finding {
            self.found(path, finding, on_spine);
        } else if self.place.in_unsafe && is_named_like_a_static(path) {
            let finding = Finding {
                rule: Rule::Static,
                message: "a `static mut` is not part of the history, so a replay finds another \
                          value in it"
                    .to_owned(),
                instead: "keep it in a local variable, or in an entity",
            };
            self.found(path, &finding, false);
        }
    }

    /// Visits `expression`, which is awaited, and passes it to what takes durable tasks only.
    fn awaited(&mut self, expression: &mut Expr, by: Span, outer_is_on_spine: bool) {
        let outer = self.place.spine.take();
        self.place.on_spine = true;
        self.visit_expr_mut(expression);
        self.place.on_spine = false;
        let found = std::mem::replace(&mut self.place.spine, outer);
        if found.is_some() && outer_is_on_spine {
            self.place.spine = Some(Spine::Settled);
        }
        if self.place.in_item || self.is_allowed(Rule::Await) {
            return;
        }
        match found {
            Some(Spine::Settled) => {}
            Some(Spine::Forbidden(rule)) => self.wrap(&["awaits", rule.name()], by, expression),
            None if self.is_evident(expression) => {}
            None => self.wrap(&["task"], by, expression),
        }
    }

    fn is_context(&self, name: &Ident) -> bool {
        self.evident_context
            .as_ref()
            .is_some_and(|context| name == context)
    }

    fn is_evident(&self, expression: &Expr) -> bool {
        let context = self.evident_context.as_ref();
        context.is_some_and(|context| evident::is_task(expression, context))
    }

    /// Passes `expression` to a function of the runtime, of which the compiler says that it is called
    /// at `by`.
    fn wrap(&mut self, function: &[&str], by: Span, expression: &mut Expr) {
        self.is_changed = true;
        let located = Span::mixed_site().located_at(by);
        let function = self.function(function, located);
        let inner = match std::mem::replace(expression, Expr::PLACEHOLDER) {
            Expr::Paren(paren) if paren.attrs.is_empty() => *paren.expr,
            other => other,
        };
        *expression = Expr::Call(ExprCall {
            attrs: Vec::new(),
            func: Box::new(function),
            paren_token: syn::token::Paren(located),
            args: Punctuated::from_iter([inner]),
        });
    }

    /// The path of a function of the runtime. It is not parsed, which would take long for what is done
    /// at every `.await`.
    fn function(&self, function: &[&str], span: Span) -> Expr {
        let private = crate::handle::respan(self.private.clone(), span);
        let names = function.iter().map(|name| Ident::new(name, span));
        Expr::Verbatim(quote_spanned!(span=> #private #(::#names)*))
    }

    /// Whether a variable has a type without the random hasher, and a constructor that makes any:
    /// `let map: HashMap<_, _, S> = HashMap::default()`.
    fn has_own_hasher(&self, local: &Local) -> bool {
        let (Pat::Type(pattern), Some(init)) = (&local.pat, &local.init) else {
            return false;
        };
        let (Type::Path(ty), Expr::Call(call)) = (&*pattern.ty, &*init.expr) else {
            return false;
        };
        let makes_any = |name: &Ident| name == "default" || name == "from_iter";
        self.finding_of_type(ty).is_none()
            && matches!(
                &*call.func,
                Expr::Path(path)
                    if path.path.segments.last().is_some_and(|last| makes_any(&last.ident))
            )
    }

    fn finding_of_type(&self, ty: &TypePath) -> Option<Finding> {
        if ty.qself.is_some() {
            return None;
        }
        let last = ty.path.segments.last();
        let arguments = last.map_or(0, |last| match &last.arguments {
            syn::PathArguments::AngleBracketed(arguments) => arguments.args.len(),
            _ => 0,
        });
        let find = |segments: &[String], is_resolved| {
            forbidden::type_path(segments, arguments, is_resolved)
        };
        first(self.scopes.candidates(&ty.path), find)
    }

    fn address(&mut self, tokens: impl ToTokens, what: &str) {
        let finding = Finding {
            rule: Rule::Address,
            message: format!("{what}, which is another one in every replay"),
            instead: "use the value, or a number that you give it",
        };
        self.found(tokens, &finding, false);
    }

    fn endless(&mut self, keyword: Span, body: &mut Block, label: Option<&syn::Label>) {
        let is_routed = !self.place.in_item && !self.is_allowed(Rule::UnboundedLoop);
        if is_routed && unbounded::is_unbounded(body, label) {
            body.stmts.insert(0, warning(keyword));
            self.is_changed = true;
        }
    }

    /// Returns whether there is something wrong with it.
    fn static_item(&mut self, item: &ItemStatic) -> bool {
        let finding = match (&item.mutability, &*item.ty) {
            (StaticMutability::Mut(_), _) => Some(Finding {
                rule: Rule::Static,
                message: format!(
                    "`{}` changes, and is not part of the history, so a replay finds another value \
                     in it",
                    item.ident
                ),
                instead: "keep it in a local variable, or in an entity",
            }),
            (_, Type::Path(ty)) => {
                let last = ty.path.segments.last();
                last.and_then(|last| forbidden::static_type(&last.ident.to_string()))
            }
            _ => None,
        };
        if let Some(finding) = &finding {
            self.found(&item.ident, finding, false);
        }
        finding.is_some()
    }
}

/// A statement that makes the compiler warn: a macro cannot do so by itself.
fn warning(keyword: Span) -> Stmt {
    let name = Ident::new("UNBOUNDED_LOOP", keyword);
    parse_quote_spanned! {Span::mixed_site()=>
        const _: () = {
            #[deprecated(
                note = "this loop awaits and never ends, so that its history grows without bound: \
                        `return ctx.continue_as_new(input)` now and then, or `break` \
                        [unbounded_loop]"
            )]
            const #name: () = ();
            #name
        };
    }
}

fn is_async_closure(expression: &Expr) -> bool {
    matches!(expression, Expr::Closure(closure) if closure.asyncness.is_some())
}

fn first(
    candidates: Vec<Candidate>,
    find: impl Fn(&[String], bool) -> Option<Finding>,
) -> Option<Finding> {
    candidates.into_iter().find_map(|candidate| {
        let finding = find(&candidate.segments, candidate.is_resolved)?;
        let (_, before) = candidate.segments.split_last()?;
        // Where all of a module is wrong, `use module::*` tells nothing of a name.
        let mut unnamed = before.to_vec();
        unnamed.push(String::new());
        (!candidate.is_guessed || find(&unnamed, true).is_none()).then_some(finding)
    })
}

/// Whether a path has a hash map with a hasher of its own: `HashMap::<_, _, S>::default`.
fn names_hasher(path: &Path) -> bool {
    path.segments.iter().any(|segment| {
        let usual = if segment.ident.to_string().ends_with("Set") {
            1
        } else {
            2
        };
        matches!(
            &segment.arguments,
            syn::PathArguments::AngleBracketed(arguments) if arguments.args.len() > usual
        )
    })
}

/// Whether the name of a path is in capitals, as that of a static or a constant.
fn is_named_like_a_static(path: &ExprPath) -> bool {
    let last = path.path.segments.last();
    last.is_some_and(|last| is_like_a_static(&last.ident.to_string()))
}

/// Whether a name is in capitals.
pub(super) fn is_like_a_static(name: &str) -> bool {
    name.len() > 1
        && name.starts_with(|first: char| first.is_ascii_uppercase() || first == '_')
        && !name.contains(|letter: char| letter.is_ascii_lowercase())
}

impl VisitMut for Walker<'_> {
    fn visit_block_mut(&mut self, block: &mut Block) {
        self.scopes.enter(&block.stmts);
        visit_mut::visit_block_mut(self, block);
        self.scopes.leave();
    }

    fn visit_stmt_mut(&mut self, statement: &mut Stmt) {
        let count = self.allowed.len();
        let taken = allow::of_statement(statement, self.errors);
        self.allow(taken);
        let hash_is_found = std::mem::take(&mut self.place.hash_is_found);
        let errors = self.errors.count();
        let is_async_closure = match &*statement {
            Stmt::Local(local) => {
                let init = local.init.as_ref();
                init.is_some_and(|init| is_async_closure(&init.expr))
            }
            _ => false,
        };
        if let Stmt::Local(local) = &*statement {
            self.place.hash_is_found = self.has_own_hasher(local);
        }
        match statement {
            // Not wrapped, so that the compiler says of it that it is dropped.
            Stmt::Expr(Expr::Async(node), Some(_)) => visit_mut::visit_expr_async_mut(self, node),
            _ => visit_mut::visit_stmt_mut(self, statement),
        }
        if let Stmt::Local(local) = statement {
            let bound = if is_async_closure {
                Bound::AsyncClosure
            } else if self.errors.count() > errors {
                Bound::Reported
            } else {
                Bound::Value
            };
            self.scopes.bind(&local.pat, bound);
        }
        self.place.hash_is_found = hash_is_found;
        self.allowed.truncate(count);
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        let count = self.allowed.len();
        let taken = allow::take(&mut arm.attrs, self.errors);
        self.allow(taken);
        visit_mut::visit_arm_mut(self, arm);
        self.allowed.truncate(count);
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        let on_spine = std::mem::take(&mut self.place.on_spine);
        match expression {
            Expr::Await(node) => {
                self.awaited(&mut node.base, node.await_token.span, on_spine);
            }
            Expr::Async(node) => {
                let by = node.async_token.span;
                visit_mut::visit_expr_mut(self, expression);
                if !self.place.in_item {
                    self.wrap(&["deterministic"], by, expression);
                }
            }
            Expr::Path(path) => self.path(path, on_spine),
            Expr::Call(call) => {
                self.call(call, on_spine);
                if self.calls_async_closure(&call.func) {
                    let by = call.func.span();
                    self.wrap(&["deterministic"], by, expression);
                }
            }
            Expr::MethodCall(call) => {
                self.method_call(call, on_spine);
                if maps_to_futures(call) && !self.place.in_item {
                    let by = Span::mixed_site().located_at(call.method.span());
                    let private = crate::handle::respan(self.private.clone(), by);
                    *expression = parse_quote_spanned!(by=> #call.map(#private::deterministic));
                    self.is_changed = true;
                }
            }
            // The way to where an awaited expression begins.
            Expr::Field(_)
            | Expr::Group(_)
            | Expr::Paren(_)
            | Expr::Reference(_)
            | Expr::Try(_)
            | Expr::Unary(_) => {
                self.place.on_spine = on_spine;
                visit_mut::visit_expr_mut(self, expression);
                self.place.on_spine = false;
            }
            Expr::Macro(node) => self.macro_(&mut node.mac),
            Expr::Cast(cast) => {
                if matches!(&*cast.ty, Type::Ptr(_)) {
                    self.address(&cast.ty, "a pointer is an address");
                }
                visit_mut::visit_expr_cast_mut(self, cast);
            }
            Expr::RawAddr(_) => {
                self.address(&*expression, "a raw borrow is an address");
                visit_mut::visit_expr_mut(self, expression);
            }
            Expr::Unsafe(_) => {
                let around = std::mem::replace(&mut self.place.in_unsafe, true);
                visit_mut::visit_expr_mut(self, expression);
                self.place.in_unsafe = around;
            }
            Expr::Loop(node) => {
                self.endless(node.loop_token.span, &mut node.body, node.label.as_ref());
                visit_mut::visit_expr_mut(self, expression);
            }
            Expr::While(node) if unbounded::is_true(&node.cond) => {
                self.endless(node.while_token.span, &mut node.body, node.label.as_ref());
                visit_mut::visit_expr_mut(self, expression);
            }
            Expr::Verbatim(tokens) => self.not_understood(&tokens.clone()),
            _ => visit_mut::visit_expr_mut(self, expression),
        }
    }

    fn visit_pat_ident_mut(&mut self, pattern: &mut PatIdent) {
        if self.is_context(&pattern.ident) {
            self.evident_context = None;
        }
        visit_mut::visit_pat_ident_mut(self, pattern);
    }

    fn visit_macro_mut(&mut self, node: &mut Macro) {
        self.macro_(node);
    }

    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::Path(path) = ty
            && let Some(finding) = self.finding_of_type(path)
        {
            self.found(&*path, &finding, false);
        }
        visit_mut::visit_type_mut(self, ty);
    }

    fn visit_item_mut(&mut self, item: &mut Item) {
        match item {
            // Those are checked by their own attributes, if they are to be.
            Item::Fn(function) if function.attrs.iter().any(is_durable_function) => return,
            // Its value is of the type that was reported.
            Item::Static(item) if self.static_item(item) => return,
            Item::Macro(item) if item.ident.is_some() => {
                self.not_understood(&item.mac.tokens);
                return;
            }
            Item::Use(_) => return,
            _ => {}
        }
        let around = self.place;
        self.place = Place {
            in_item: true,
            ..Place::default()
        };
        visit_mut::visit_item_mut(self, item);
        self.place = around;
    }

    /// An attribute is not run.
    fn visit_attribute_mut(&mut self, _: &mut syn::Attribute) {}
}
