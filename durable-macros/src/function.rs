//! A function with one of the attributes on it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Signature, Token, Visibility, token};

use crate::errors::Errors;

/// The attributes that say what a function is. It can be one thing only.
const ROLES: [&str; 5] = [
    "activity",
    "orchestrator",
    "entity",
    "durable_client",
    "deterministic",
];

/// What stands before the body, and the body as it was written. What the compiler does not accept in
/// it, it reports itself.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// What stands between the attributes and the body, as it was written.
    head: TokenStream,
    body: TokenStream,
}

impl Function {
    /// Reads the item that `#[attribute]` stands on. Reports it when it is not a function.
    pub(crate) fn parse(item: TokenStream, attribute: &str, errors: &mut Errors) -> Option<Self> {
        let (function, ()) = Self::parse_with(item, attribute, |_| (), errors)?;
        Some(function)
    }

    /// As [`parse`](Self::parse), and reads the body with `read`, which sees it with its braces: to
    /// make tokens of it and read these again would take longer than all the rest.
    pub(crate) fn parse_with<B>(
        item: TokenStream,
        attribute: &str,
        read: impl FnOnce(ParseStream<'_>) -> B,
        errors: &mut Errors,
    ) -> Option<(Self, B)> {
        let parse = |input: ParseStream<'_>| {
            let attrs = input.call(Attribute::parse_outer)?;
            let rest: TokenStream = input.fork().parse()?;
            let vis = input.parse()?;
            if !starts_function(input) {
                return Err(input.error(format!(
                    "`#[{attribute}]` goes on a function: write `#[{attribute}] async fn ..`"
                )));
            }
            let sig: Signature = input.parse()?;
            if !input.peek(token::Brace) {
                return Err(syn::Error::new(
                    sig.ident.span(),
                    format!("`#[{attribute}]` goes on a function with a body: write one"),
                ));
            }
            let content = read(&input.fork());
            let mut head: Vec<TokenTree> = rest.into_iter().collect();
            let body = head.pop().into_iter().collect();
            input.parse::<TokenStream>()?;
            let function = Self {
                attrs,
                vis,
                sig,
                head: head.into_iter().collect(),
                body,
            };
            Ok((function, content))
        };
        parse.parse2(item).map_err(|error| errors.push(error)).ok()
    }

    /// Reports a second attribute that says what the function is, and takes it off.
    pub(crate) fn take_other_roles(&mut self, attribute: &str, errors: &mut Errors) {
        take_other_roles(&mut self.attrs, attribute, "a function", errors);
    }

    /// The body with its braces, as it was written.
    pub(crate) fn body(&self) -> &TokenStream {
        &self.body
    }

    /// The function as it was written.
    pub(crate) fn item(&self) -> TokenStream {
        self.item_with(&self.body)
    }

    /// The function as it was written, but that `statement` comes first in its body.
    pub(crate) fn item_beginning_with(&self, statement: &TokenStream) -> TokenStream {
        match begin_body(&self.body, statement) {
            None => self.item(),
            Some(body) => {
                let item = self.item_with(&body);
                // What the user declares at the beginning comes after a statement now.
                quote!(#[allow(clippy::items_after_statements)] #item)
            }
        }
    }

    /// The function with another body.
    ///
    /// Lints that ask for what the attributes forbid are off: a plain `fn` in place of an orchestrator
    /// without `.await`, and, which only a plain one is asked for, a reference in place of an owned
    /// input, a `const fn`, and a return type that is not a `Result`.
    pub(crate) fn item_with(&self, body: &TokenStream) -> TokenStream {
        let Self { attrs, head, .. } = self;
        let lints = if self.sig.asyncness.is_some() {
            quote!(clippy::unused_async)
        } else {
            quote! {
                clippy::missing_const_for_fn,
                clippy::needless_pass_by_value,
                clippy::unnecessary_wraps,
            }
        };
        quote! {
            #[allow(#lints)]
            #(#attrs)*
            #head #body
        }
    }
}

/// Puts `statement` into the body in which `function` ends, after the attributes that stand there.
fn begin_body(body: &TokenStream, statement: &TokenStream) -> Option<TokenStream> {
    let Some(TokenTree::Group(body)) = body.clone().into_iter().next() else {
        return None;
    };
    let parse = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_inner)?;
        Ok((attrs, input.parse::<TokenStream>()?))
    };
    let (attrs, rest) = parse.parse2(body.stream()).ok()?;
    let mut begun = Group::new(Delimiter::Brace, quote!(#(#attrs)* #statement #rest));
    begun.set_span(body.span());
    Some(TokenTree::Group(begun).into())
}

/// Whether a function comes next, as far as its first words tell.
pub(crate) fn starts_function(input: ParseStream<'_>) -> bool {
    let ahead = input.fork();
    while !ahead.peek(Token![fn]) {
        let is_modifier = ahead.peek(Token![const])
            || ahead.peek(Token![async])
            || ahead.peek(Token![unsafe])
            || ahead.peek(Token![extern])
            || ahead.peek(LitStr);
        if !is_modifier || ahead.parse::<TokenTree>().is_err() {
            return false;
        }
    }
    true
}

/// Reports a second attribute that says what the item is, and takes it off: this one would be the first
/// mistake of many. `what` names the item with its article.
pub(crate) fn take_other_roles(
    attrs: &mut Vec<Attribute>,
    attribute: &str,
    what: &str,
    errors: &mut Errors,
) {
    attrs.retain(|attr| {
        let Some(other) = role_of(attr) else {
            return true;
        };
        let message = if other == attribute {
            format!("`#[{attribute}]` is given twice: remove one of the two")
        } else {
            let remedy = if what == "a function" {
                "remove one of the two, or write two functions"
            } else {
                "remove the latter"
            };
            format!("{what} cannot be both `#[{attribute}]` and `#[{other}]`: {remedy}")
        };
        errors.on(attr, message);
        false
    });
}

/// Whether an attribute makes a function one that has a role of its own.
pub(crate) fn is_durable_function(attr: &Attribute) -> bool {
    role_of(attr).is_some()
}

fn role_of(attr: &Attribute) -> Option<&'static str> {
    let last = attr.path().segments.last()?;
    ROLES.into_iter().find(|role| last.ident == role)
}
