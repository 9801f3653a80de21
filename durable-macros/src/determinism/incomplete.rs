//! Code as it stands while it is typed: `ctx.`, after which a name is yet to come.
//!
//! The compiler has complained of it when it calls the attribute. It would go on with what stands
//! before the dot, and complain of the type of that too; so something of any type takes its place,
//! and what stands around it is checked.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::quote_spanned;

/// The body with a panic in the place of each expression that ends in a dot; nothing if there is
/// none.
pub(super) fn finish(body: &Group) -> Option<Group> {
    let mut is_found = false;
    let finished = finish_group(body, &mut is_found);
    is_found.then_some(finished)
}

fn finish_group(group: &Group, is_found: &mut bool) -> Group {
    let inner = finish_all(group.stream(), is_found);
    let mut new = Group::new(group.delimiter(), inner);
    new.set_span(group.span());
    new
}

fn finish_all(tokens: TokenStream, is_found: &mut bool) -> TokenStream {
    let mut before: Vec<TokenTree> = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group) => before.push(finish_group(&group, is_found).into()),
            tree if is_dot(&tree) && before.last().is_some_and(is_operand) => {
                let next = trees.peek();
                if next.is_none_or(|next| is_separator(next) || is_keyword(next)) {
                    *is_found = true;
                    before.truncate(start_of_expression(&before));
                    let is_value = before.last().is_some_and(is_equals);
                    let is_last = is_value || next.is_some_and(is_keyword);
                    before.extend(panic(tree.span(), is_last));
                    if is_last {
                        // What follows may need the value, of which not even the type is known.
                        break;
                    }
                } else {
                    before.push(tree);
                }
            }
            tree => before.push(tree),
        }
    }
    before.into_iter().collect()
}

fn panic(dot: Span, is_last: bool) -> TokenStream {
    let end = is_last.then(|| quote_spanned!(dot=> ;));
    quote_spanned!(dot=> ::core::unreachable!("the program does not compile") #end)
}

/// Where the expression begins that `before` ends with.
fn start_of_expression(before: &[TokenTree]) -> usize {
    let is_arrow = |index: usize| {
        let is_tip = matches!(&before[index], TokenTree::Punct(tip) if tip.as_char() == '>');
        is_tip && index > 0 && is_equals(&before[index - 1])
    };
    let is_before = |&index: &usize| {
        let tree = &before[index];
        is_separator(tree)
            || is_keyword(tree)
            || is_equals(tree)
            || is_arrow(index)
            || matches!(tree, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
    };
    let operand = before.len() - 1;
    (0..operand)
        .rev()
        .find(is_before)
        .map_or(0, |index| index + 1)
}

fn is_dot(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '.')
}

fn is_equals(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == '=')
}

fn is_operand(tree: &TokenTree) -> bool {
    match tree {
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Group(_) | TokenTree::Ident(_) | TokenTree::Literal(_) => true,
    }
}

fn is_separator(tree: &TokenTree) -> bool {
    matches!(tree, TokenTree::Punct(punct) if ";,".contains(punct.as_char()))
}

/// Whether a statement begins so, or what stands before an expression ends so.
pub(super) fn is_keyword(tree: &TokenTree) -> bool {
    const KEYWORDS: [&str; 13] = [
        "break", "const", "continue", "for", "if", "in", "let", "loop", "match", "return",
        "static", "use", "while",
    ];
    matches!(tree, TokenTree::Ident(ident) if KEYWORDS.iter().any(|keyword| ident == keyword))
}

#[cfg(test)]
mod tests {
    use proc_macro2::{Delimiter, Group};
    use quote::quote;
    use syn::parse::Parser;
    use syn::{Block, Stmt};

    use super::finish;

    fn statements(body: &str) -> Option<Vec<Stmt>> {
        let body = Group::new(Delimiter::Brace, body.parse().unwrap());
        let finished = finish(&body)?.stream();
        Some(Block::parse_within.parse2(finished).unwrap())
    }

    #[test]
    fn an_expression_that_ends_in_a_dot_becomes_a_panic() {
        for body in [
            "ctx.",
            "{ ctx. }",
            "let a = ctx.;",
            "let a = ctx.call::<b>(1). let c = 1;",
            "call(1, ctx.)?; b",
            "return a(b)?.c.;",
            "match a { b => ctx., c => d }",
        ] {
            let statements = statements(body).unwrap();
            assert!(quote!(#(#statements)*).to_string().contains("unreachable"));
        }
    }

    #[test]
    fn what_stands_around_it_is_kept() {
        let statements = statements("for a in b { c } if d { return ctx. } e.f()").unwrap();
        assert!(matches!(
            &*statements,
            [Stmt::Expr(..), Stmt::Expr(..), Stmt::Expr(..)]
        ));
    }

    #[test]
    fn what_needs_its_value_is_left_out() {
        let statements = statements("a; let b = ctx.c(). let d = b * 2; d").unwrap();
        assert!(matches!(&*statements, [Stmt::Expr(..), Stmt::Local(_)]));
    }

    #[test]
    fn other_dots_are_left_alone() {
        assert!(statements("a.b; 0..; a..=b; ..; x.0; a.await?; f(..a);").is_none());
    }
}
