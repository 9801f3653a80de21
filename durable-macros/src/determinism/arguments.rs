//! What stands in the parentheses of a macro, as far as it can be understood without the macro:
//! expressions, with what macros of the usual kinds put before and between them.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Ident, Lit, Pat, Token, token};

/// The arguments of a macro.
pub(super) struct Arguments {
    pieces: Vec<Piece>,
}

enum Piece {
    Expression(Box<Expr>),
    /// Arguments in braces or brackets, as in `json!({ "key": value })`.
    Group(Group, Arguments),
    /// Separators, names of fields, sigils, patterns.
    Tokens(TokenStream),
}

impl Arguments {
    /// All expressions in them, in order.
    pub(super) fn each_expression(&mut self, visit: &mut impl FnMut(&mut Expr)) {
        for piece in &mut self.pieces {
            match piece {
                Piece::Expression(expression) => visit(expression),
                Piece::Group(_, arguments) => arguments.each_expression(visit),
                Piece::Tokens(_) => {}
            }
        }
    }

    /// The arguments of `matches!`: an expression, and a pattern with its condition.
    pub(super) fn parse_matches(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut pieces = vec![Piece::Expression(input.parse()?)];
        let mut tokens = input.parse::<Token![,]>()?.into_token_stream();
        tokens.append_all(Some(Pat::parse_multi_with_leading_vert(input)?));
        if let Some(if_token) = input.parse::<Option<Token![if]>>()? {
            tokens.append_all(Some(if_token));
            pieces.push(Piece::Tokens(std::mem::take(&mut tokens)));
            pieces.push(Piece::Expression(input.parse()?));
        }
        while !input.is_empty() {
            // More arguments, as of `assert_matches!`.
            tokens.append_all(Some(input.parse::<Token![,]>()?));
            if !input.is_empty() {
                pieces.push(Piece::Tokens(std::mem::take(&mut tokens)));
                pieces.push(Piece::Expression(input.parse()?));
            }
        }
        pieces.push(Piece::Tokens(tokens));
        Ok(Self { pieces })
    }

    fn parse_one(input: ParseStream<'_>, pieces: &mut Vec<Piece>) -> syn::Result<()> {
        let mut prefix = TokenStream::new();
        parse_prefix(input, &mut prefix)?;
        if input.peek(Token![%]) || input.peek(Token![?]) {
            // How `tracing` is to record a field.
            prefix.append(input.parse::<TokenTree>()?);
        }
        if !prefix.is_empty() {
            pieces.push(Piece::Tokens(prefix));
        }
        if input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) {
            return Ok(());
        }
        let ahead = input.fork();
        if let Ok(expression) = ahead.parse()
            && is_end(&ahead)
        {
            input.advance_to(&ahead);
            pieces.push(Piece::Expression(Box::new(expression)));
            return Ok(());
        }
        if (input.peek(token::Brace) || input.peek(token::Bracket))
            && let TokenTree::Group(group) = input.parse::<TokenTree>()?
        {
            let arguments = syn::parse2(group.stream())?;
            pieces.push(Piece::Group(group, arguments));
            return Ok(());
        }
        Err(input.error("expected an expression"))
    }
}

/// Reads `name:`, `field.name =` or `"key":`.
fn parse_prefix(input: ParseStream<'_>, prefix: &mut TokenStream) -> syn::Result<()> {
    let ahead = input.fork();
    let is_key = if ahead.peek(syn::Lit) {
        ahead.parse::<Lit>().is_ok()
    } else if ahead.peek(Ident::peek_any) {
        ahead.call(Ident::parse_any)?;
        while ahead.peek(Token![.]) && ahead.peek2(Ident) {
            ahead.parse::<Token![.]>()?;
            ahead.parse::<Ident>()?;
        }
        true
    } else {
        false
    };
    let is_colon = ahead.peek(Token![:]) && !ahead.peek(Token![::]);
    let is_equals = ahead.peek(Token![=]) && !ahead.peek(Token![==]) && !ahead.peek(Token![=>]);
    if !(is_key && (is_colon || is_equals)) {
        return Ok(());
    }
    let is_sign = |input: ParseStream<'_>| {
        input.peek(Token![:]) || (input.peek(Token![=]) && !input.peek(Token![==]))
    };
    while !is_sign(input) {
        prefix.append(input.parse::<TokenTree>()?);
    }
    prefix.append(input.parse::<TokenTree>()?);
    Ok(())
}

fn is_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,]) || input.peek(Token![;]) || is_arrow_or_colon(input)
}

fn is_arrow_or_colon(input: ParseStream<'_>) -> bool {
    input.peek(Token![=>]) || (input.peek(Token![:]) && !input.peek(Token![::]))
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut pieces = Vec::new();
        while !input.is_empty() {
            Self::parse_one(input, &mut pieces)?;
            let mut separator = TokenStream::new();
            if input.peek(Token![=>]) {
                separator.append_all(Some(input.parse::<Token![=>]>()?));
            } else if !input.is_empty() {
                if !is_end(input) {
                    return Err(input.error("expected `,`"));
                }
                separator.append(input.parse::<TokenTree>()?);
            }
            pieces.push(Piece::Tokens(separator));
        }
        Ok(Self { pieces })
    }
}

impl ToTokens for Arguments {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for piece in &self.pieces {
            match piece {
                Piece::Expression(expression) => expression.to_tokens(tokens),
                Piece::Group(group, arguments) => {
                    let mut new = Group::new(group.delimiter(), arguments.to_token_stream());
                    new.set_span(group.span());
                    tokens.append(new);
                }
                Piece::Tokens(piece) => piece.to_tokens(tokens),
            }
        }
    }
}

/// The `await`s after a dot in `tokens`, at any depth.
pub(super) fn awaits(tokens: TokenStream) -> Vec<Ident> {
    let mut found = Vec::new();
    let mut is_after_dot = false;
    for tree in tokens {
        match &tree {
            TokenTree::Ident(ident) if is_after_dot && ident == "await" => {
                found.push(ident.clone());
            }
            TokenTree::Group(group) => found.extend(awaits(group.stream())),
            _ => {}
        }
        is_after_dot = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '.');
    }
    found
}

/// A path in tokens that are not understood.
pub(super) struct LoosePath {
    pub(super) tokens: TokenStream,
    pub(super) segments: Vec<String>,
    /// Whether `!` follows.
    pub(super) is_macro: bool,
}

/// The paths of two or more segments in `tokens`, at any depth.
pub(super) fn paths(tokens: TokenStream) -> Vec<LoosePath> {
    let mut found = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Group(group) if group.delimiter() != Delimiter::None => {
                found.extend(paths(group.stream()));
            }
            TokenTree::Ident(ident) => {
                let mut segments = vec![ident.unraw().to_string()];
                let mut path = TokenStream::from(TokenTree::Ident(ident));
                while let Some(TokenTree::Punct(colon)) = trees.peek()
                    && colon.as_char() == ':'
                    && colon.spacing() == proc_macro2::Spacing::Joint
                {
                    path.extend(trees.by_ref().take(2));
                    let Some(TokenTree::Ident(next)) = trees.peek() else {
                        break;
                    };
                    segments.push(next.unraw().to_string());
                    path.extend(trees.next());
                }
                let is_macro =
                    matches!(trees.peek(), Some(TokenTree::Punct(mark)) if mark.as_char() == '!');
                found.push(LoosePath {
                    tokens: path,
                    segments,
                    is_macro,
                });
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use quote::quote;
    use syn::parse::Parser;

    use super::*;

    fn expressions(tokens: TokenStream) -> Option<Vec<String>> {
        let text = tokens.to_string();
        let mut arguments: Arguments = syn::parse2(tokens).ok()?;
        assert_eq!(arguments.to_token_stream().to_string(), text);
        let mut found = Vec::new();
        arguments.each_expression(&mut |expression| found.push(quote!(#expression).to_string()));
        Some(found)
    }

    #[test]
    fn the_usual_macros_are_understood() {
        let found = |tokens| expressions(tokens).unwrap().join(" | ");
        assert_eq!(
            found(quote!("{} {b}", a, b = c.await,)),
            "\"{} {b}\" | a | c . await"
        );
        assert_eq!(found(quote!(a; 3)), "a | 3");
        assert_eq!(found(quote!(a == b, "no")), "a == b | \"no\"");
        assert_eq!(
            found(quote!(target: "t", %user, ?x.y, a.b = %c, "text {}", d)),
            "\"t\" | user | x . y | c | \"text {}\" | d"
        );
        assert_eq!(
            found(quote!({ "a": b.await, "c": [1, d] })),
            "b . await | [1 , d]"
        );
        assert_eq!(found(quote!("k" => v, "l" => w)), "\"k\" | v | \"l\" | w");
        assert_eq!(found(quote!()), "");
    }

    #[test]
    fn other_syntax_is_not() {
        assert!(expressions(quote!(SELECT * FROM orders)).is_none());
        assert!(expressions(quote!(|x| -> in y)).is_none());
    }

    #[test]
    fn matches_has_a_pattern() {
        let tokens = quote!(a.await, Some(1..=3) | None if b);
        let mut arguments = Arguments::parse_matches.parse2(tokens.clone()).unwrap();
        assert_eq!(arguments.to_token_stream().to_string(), tokens.to_string());
        let mut count = 0;
        arguments.each_expression(&mut |_| count += 1);
        assert_eq!(count, 2);
    }

    #[test]
    fn awaits_and_paths_are_found_at_any_depth() {
        let tokens = quote!(a { b.await; (c::d::e(), f!(await)) });
        assert_eq!(awaits(tokens.clone()).len(), 1);
        let paths: Vec<_> = paths(tokens)
            .into_iter()
            .map(|path| (path.segments.join("::"), path.is_macro))
            .collect();
        assert!(paths.contains(&("c::d::e".to_owned(), false)));
        assert!(paths.contains(&("f".to_owned(), true)));
    }
}
