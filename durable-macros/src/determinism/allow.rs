//! `#[allow_nondeterminism(rule, reason = "..")]` on a statement.

use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Expr, Ident, LitStr, Meta, Stmt, Token};

use super::rule::Rule;
use crate::errors::Errors;

const EXAMPLE: &str = "write `#[allow_nondeterminism(clock, reason = \"..\")]`";

/// Takes the attributes off a statement. Gives the rules that they let through, if there are any.
pub(super) fn of_statement(statement: &mut Stmt, errors: &mut Errors) -> Option<Vec<Rule>> {
    match statement {
        Stmt::Local(local) => take(&mut local.attrs, errors),
        Stmt::Macro(statement) => take(&mut statement.attrs, errors),
        Stmt::Expr(expression, _) => of_expression(leftmost(expression), errors),
        Stmt::Item(_) => None,
    }
}

/// The expression that the attributes of a statement are parsed to belong to.
fn leftmost(expression: &mut Expr) -> &mut Expr {
    match expression {
        Expr::Assign(assign) => leftmost(&mut assign.left),
        Expr::Binary(binary) => leftmost(&mut binary.left),
        Expr::Cast(cast) => leftmost(&mut cast.expr),
        other => other,
    }
}

fn of_expression(expression: &mut Expr, errors: &mut Errors) -> Option<Vec<Rule>> {
    take(attributes(expression)?, errors)
}

fn attributes(expression: &mut Expr) -> Option<&mut Vec<Attribute>> {
    Some(match expression {
        Expr::Array(node) => &mut node.attrs,
        Expr::Async(node) => &mut node.attrs,
        Expr::Await(node) => &mut node.attrs,
        Expr::Block(node) => &mut node.attrs,
        Expr::Break(node) => &mut node.attrs,
        Expr::Call(node) => &mut node.attrs,
        Expr::Closure(node) => &mut node.attrs,
        Expr::Const(node) => &mut node.attrs,
        Expr::Field(node) => &mut node.attrs,
        Expr::ForLoop(node) => &mut node.attrs,
        Expr::If(node) => &mut node.attrs,
        Expr::Index(node) => &mut node.attrs,
        Expr::Loop(node) => &mut node.attrs,
        Expr::Macro(node) => &mut node.attrs,
        Expr::Match(node) => &mut node.attrs,
        Expr::MethodCall(node) => &mut node.attrs,
        Expr::Paren(node) => &mut node.attrs,
        Expr::Path(node) => &mut node.attrs,
        Expr::Range(node) => &mut node.attrs,
        Expr::Reference(node) => &mut node.attrs,
        Expr::Return(node) => &mut node.attrs,
        Expr::Struct(node) => &mut node.attrs,
        Expr::Try(node) => &mut node.attrs,
        Expr::Tuple(node) => &mut node.attrs,
        Expr::Unary(node) => &mut node.attrs,
        Expr::Unsafe(node) => &mut node.attrs,
        Expr::While(node) => &mut node.attrs,
        _ => return None,
    })
}

/// Takes the attributes out of `attrs`.
pub(super) fn take(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Vec<Rule>> {
    let mut allowed = None;
    attrs.retain(|attr| {
        let is_ours = attr
            .path()
            .segments
            .last()
            .is_some_and(|last| last.ident == "allow_nondeterminism");
        if is_ours {
            let rules = allowed.get_or_insert_with(Vec::new);
            rules.extend(read(attr, errors));
        }
        !is_ours
    });
    allowed
}

/// Reads one attribute. What is wrong with it is reported, and the rules in it count all the same:
/// one mistake is to make one error.
fn read(attr: &Attribute, errors: &mut Errors) -> Vec<Rule> {
    let Meta::List(list) = &attr.meta else {
        let message = format!(
            "`#[allow_nondeterminism]` names a rule and gives the reason: {EXAMPLE} [allow]"
        );
        errors.on(attr, message);
        return Vec::new();
    };
    let mut rules = Vec::new();
    let mut has_reason = false;
    let parse = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let name = input.call(Ident::parse_any)?;
            if name == "reason" {
                input.parse::<Token![=]>()?;
                has_reason = is_reason(&input.parse()?)?;
            } else if let Some(rule) = Rule::named(&name.unraw().to_string()) {
                rules.push(rule);
            } else {
                return Err(unknown(&name));
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(())
    };
    if let Err(error) = parse.parse2(list.tokens.clone()) {
        let message = error.to_string();
        let message = if message.ends_with(']') {
            message
        } else {
            format!("{message}: {EXAMPLE} [allow]")
        };
        errors.push(syn::Error::new(error.span(), message));
    } else if rules.is_empty() {
        errors.on(
            attr,
            format!("`#[allow_nondeterminism]` names no rule: {EXAMPLE} [allow]"),
        );
    } else if !has_reason {
        errors.on(
            attr,
            format!(
                "`#[allow_nondeterminism]` needs the reason why a replay does the same: {EXAMPLE} \
                 [allow]"
            ),
        );
    }
    rules
}

fn is_reason(text: &LitStr) -> syn::Result<bool> {
    if text.value().trim().is_empty() {
        let message = "the reason is empty: say why a replay does the same [allow]";
        return Err(syn::Error::new(text.span(), message));
    }
    Ok(true)
}

fn unknown(name: &Ident) -> syn::Error {
    let known: Vec<_> = Rule::ALL
        .iter()
        .map(|rule| format!("`{}`", rule.name()))
        .collect();
    let message = format!(
        "unknown rule `{name}`: the rules are {} [allow]",
        known.join(", ")
    );
    syn::Error::new(name.span(), message)
}
