//! The body of a function, as far as it is to be read.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Block, Stmt};

use super::survey::Survey;

/// The body of a function. To parse one takes longer than all the rest that is done with it, so only those
/// of its statements are parsed that a rule may be about.
pub(super) struct Body {
    written: Group,
    attrs: Vec<Attribute>,
    pieces: Vec<Piece>,
}

enum Piece {
    /// As they were written: nothing is to be done with them.
    Plain(Vec<TokenTree>),
    Parsed(Vec<Stmt>),
}

impl Body {
    /// Parses all of it.
    pub(super) fn parse(written: &Group) -> syn::Result<Self> {
        let parse = |input: ParseStream<'_>| {
            let attrs = input.call(Attribute::parse_inner)?;
            Ok((attrs, input.call(Block::parse_within)?))
        };
        let (attrs, statements) = parse.parse2(written.stream())?;
        Ok(Self {
            written: written.clone(),
            attrs,
            pieces: vec![Piece::Parsed(statements)],
        })
    }

    /// Parses what has to be, in the body of an orchestrator whose context has this name.
    pub(super) fn survey(written: &Group, context: Option<&str>) -> syn::Result<Self> {
        let mut survey = Survey::new(context);
        let pieces: Vec<_> = statements(written.stream())
            .into_iter()
            .map(|trees| (survey.statement(&trees), trees))
            .collect();
        if survey.is_declared() {
            return Self::parse(written);
        }
        let pieces = pieces.into_iter().map(|(seen, trees)| {
            if survey.is_plain(seen) {
                Ok(Piece::Plain(trees))
            } else {
                Block::parse_within
                    .parse2(trees.into_iter().collect())
                    .map(Piece::Parsed)
            }
        });
        match pieces.collect() {
            Ok(pieces) => Ok(Self {
                written: written.clone(),
                attrs: Vec::new(),
                pieces,
            }),
            // With attributes at its beginning, or none that can be understood.
            Err(_) => Self::parse(written),
        }
    }

    /// Those that are parsed.
    pub(super) fn statements(&self) -> impl Iterator<Item = &Stmt> {
        self.pieces.iter().flat_map(|piece| match piece {
            Piece::Plain(_) => &[],
            Piece::Parsed(statements) => statements.as_slice(),
        })
    }

    /// Those that are parsed.
    pub(super) fn statements_mut(&mut self) -> impl Iterator<Item = &mut Stmt> {
        self.pieces.iter_mut().flat_map(|piece| match piece {
            Piece::Plain(_) => &mut [],
            Piece::Parsed(statements) => statements.as_mut_slice(),
        })
    }
}

impl ToTokens for Body {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let mut inner = TokenStream::new();
        inner.append_all(&self.attrs);
        for piece in &self.pieces {
            match piece {
                Piece::Plain(trees) => inner.extend(trees.iter().cloned()),
                Piece::Parsed(statements) => inner.append_all(statements),
            }
        }
        let mut body = Group::new(Delimiter::Brace, inner);
        body.set_span(self.written.span());
        tokens.append(body);
    }
}

/// The statements of a block; some of them together with those before them, where it is not the semicolon
/// that tells them apart.
fn statements(block: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut statements = vec![Vec::new()];
    for tree in block {
        let is_end = matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == ';');
        if let Some(statement) = statements.last_mut() {
            statement.push(tree);
        }
        if is_end {
            statements.push(Vec::new());
        }
    }
    statements
}
