//! A function with one of the attributes on it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, LitStr, Signature, Token, Visibility};

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
    body: Group,
}

/// What stands before the body.
struct Before {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
    head: TokenStream,
}

impl Before {
    fn read(input: ParseStream<'_>, attribute: &str) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let head = input.fork().parse()?;
        let vis = input.parse()?;
        if !starts_function(input) {
            return Err(input.error(format!(
                "`#[{attribute}]` goes on a function: write `#[{attribute}] async fn ..`"
            )));
        }
        let sig = input.parse()?;
        Ok(Self {
            attrs,
            vis,
            sig,
            head,
        })
    }

    fn followed_by(self, body: Group) -> Function {
        let Self {
            attrs,
            vis,
            sig,
            head,
        } = self;
        Function {
            attrs,
            vis,
            sig,
            head,
            body,
        }
    }
}

/// The block that an item ends with, and what stands before it.
fn split(item: TokenStream) -> (TokenStream, Option<Group>) {
    let mut trees: Vec<_> = item.into_iter().collect();
    match trees.pop() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
            (trees.into_iter().collect(), Some(group))
        }
        // The item as a whole, from a macro.
        Some(TokenTree::Group(group))
            if group.delimiter() == Delimiter::None && trees.is_empty() =>
        {
            split(group.stream())
        }
        last => (trees.into_iter().chain(last).collect(), None),
    }
}

impl Function {
    /// Reads the item that `#[attribute]` stands on. Reports it when it is not a function.
    pub(crate) fn parse(item: TokenStream, attribute: &str, errors: &mut Errors) -> Option<Self> {
        let (before, body) = split(item.clone());
        // The parser does not see the body, which would take it longer than all the rest.
        let read = |input: ParseStream<'_>| {
            let before = Before::read(input, attribute)?;
            match body {
                Some(body) if input.is_empty() => Ok(before.followed_by(body)),
                _ => Err(syn::Error::new(
                    before.sig.ident.span(),
                    format!("`#[{attribute}]` goes on a function with a body: write one"),
                )),
            }
        };
        let error = match read.parse2(before) {
            Ok(function) => return Some(function),
            Err(error) => error,
        };
        // Where it expects something else than the body, it is to point at that.
        let read = |input: ParseStream<'_>| {
            Before::read(input, attribute)?;
            input.parse::<TokenStream>()
        };
        errors.push(read.parse2(item).err().unwrap_or(error));
        None
    }

    /// Reports a second attribute that says what the function is, and takes it off.
    pub(crate) fn take_other_roles(&mut self, attribute: &str, errors: &mut Errors) {
        take_other_roles(&mut self.attrs, attribute, "a function", errors);
    }

    /// The body, as it was written.
    pub(crate) fn body(&self) -> &Group {
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
    pub(crate) fn item_with(&self, body: &impl ToTokens) -> TokenStream {
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
fn begin_body(body: &Group, statement: &TokenStream) -> Option<Group> {
    let parse = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_inner)?;
        Ok((attrs, input.parse::<TokenStream>()?))
    };
    let (attrs, rest) = parse.parse2(body.stream()).ok()?;
    let mut begun = Group::new(Delimiter::Brace, quote!(#(#attrs)* #statement #rest));
    begun.set_span(body.span());
    Some(begun)
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
