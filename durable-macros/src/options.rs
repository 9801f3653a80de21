//! The options in the parentheses of an attribute: `#[activity(name = "SayHello")]`.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, LitStr, Path, Token};

use crate::errors::Errors;

/// An option that an attribute knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// How it is written.
    pub(crate) example: &'static str,
}

pub(crate) const NAME: Key = Key {
    name: "name",
    example: "name = \"SayHello\"",
};

pub(crate) const VERSION: Key = Key {
    name: "version",
    example: "version = \"2.0\"",
};

pub(crate) const INIT: Key = Key {
    name: "init",
    example: "init = Counter::first",
};

pub(crate) const TASK_HUB: Key = Key {
    name: "task_hub",
    example: "task_hub = \"Orders\"",
};

pub(crate) const CONNECTION: Key = Key {
    name: "connection",
    example: "connection = \"archive\"",
};

pub(crate) const CRATE: Key = Key {
    name: "crate",
    example: "crate = path::to::durable_runtime",
};

/// The longest name that storage and the management API take.
const MAX_NAME_CHARS: usize = 256;

/// The longest name of a task hub.
const MAX_TASK_HUB_CHARS: usize = 45;

/// The options that were given, each at most once and each one that the attribute knows.
pub(crate) struct Options {
    given: Vec<(Key, Expr)>,
}

impl Options {
    /// Reads what stands in the parentheses of `#[attribute(..)]`. An option that is wrong is
    /// reported and left out; those after it are still read.
    pub(crate) fn parse(
        tokens: TokenStream,
        attribute: &str,
        keys: &[Key],
        errors: &mut Errors,
    ) -> Self {
        let mut given = Vec::new();
        let list = |input: ParseStream<'_>| {
            while !input.is_empty() {
                match parse_option(input, attribute, keys, &given) {
                    Ok(option) => given.push(option),
                    Err(error) => {
                        errors.push(error);
                        skip_to_comma(input)?;
                    }
                }
                if !input.is_empty() {
                    input.parse::<Token![,]>()?;
                }
            }
            Ok(())
        };
        if let Err(error) = list.parse2(tokens) {
            errors.push(error);
        }
        Self { given }
    }

    /// The string given for `key`.
    pub(crate) fn string(&self, key: Key, errors: &mut Errors) -> Option<LitStr> {
        let value = self.value(key)?;
        if let Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) = value
        {
            return Some(text.clone());
        }
        let Key { name, example } = key;
        errors.on(
            value,
            format!("`{name}` takes a string literal: write `{example}`"),
        );
        None
    }

    /// The string given for `key`, which must name something: an empty one is reported.
    pub(crate) fn non_empty_string(&self, key: Key, errors: &mut Errors) -> Option<LitStr> {
        let text = self.string(key, errors)?;
        if text.value().trim().is_empty() {
            let Key { name, example } = key;
            let message = format!("`{name}` is empty: write `{example}`, or leave it out");
            errors.on(text, message);
            return None;
        }
        Some(text)
    }

    /// The `name` that the function is registered under.
    pub(crate) fn name(&self, errors: &mut Errors) -> Option<LitStr> {
        let name = self.non_empty_string(NAME, errors)?;
        let value = name.value();
        if value.chars().any(char::is_control) {
            errors.on(name, "a name holds no control characters: remove them");
            return None;
        }
        let length = value.chars().count();
        if length > MAX_NAME_CHARS {
            let message =
                format!("a name has at most {MAX_NAME_CHARS} characters, and this one {length}");
            errors.on(name, message);
            return None;
        }
        Some(name)
    }

    /// The `task_hub` that a client is of.
    pub(crate) fn task_hub(&self, errors: &mut Errors) -> Option<LitStr> {
        let name = self.non_empty_string(TASK_HUB, errors)?;
        let value = name.value();
        let is_name = value.len() <= MAX_TASK_HUB_CHARS
            && value.starts_with(|c: char| c.is_ascii_alphabetic())
            && value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !is_name {
            let message = format!(
                "a task hub has a name of 1 to {MAX_TASK_HUB_CHARS} ASCII letters, digits, `-` and \
                 `_`, that begins with a letter"
            );
            errors.on(name, message);
            return None;
        }
        Some(name)
    }

    /// The path given for `crate`, as a path or as a string.
    pub(crate) fn crate_path(&self, errors: &mut Errors) -> Option<Path> {
        let value = self.value(CRATE)?;
        let path = match value {
            Expr::Path(path) if path.qself.is_none() => Some(path.path.clone()),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => text.parse_with(Path::parse_mod_style).ok(),
            _ => None,
        };
        if path.is_none() {
            errors.on(
                value,
                format!("`crate` takes a path: write `{}`", CRATE.example),
            );
        }
        path
    }

    /// The path given for `init`, of the function that makes the state an entity begins with.
    pub(crate) fn init(&self, errors: &mut Errors) -> Option<ExprPath> {
        let value = self.value(INIT)?;
        if let Expr::Path(path) = value {
            return Some(path.clone());
        }
        errors.on(
            value,
            format!(
                "`init` takes the path of a `fn(&EntityId) -> Self`: write `{}`",
                INIT.example
            ),
        );
        None
    }

    fn value(&self, key: Key) -> Option<&Expr> {
        let (_, value) = self.given.iter().find(|(given, _)| *given == key)?;
        Some(ungrouped(value))
    }
}

/// Reads `key = value`.
fn parse_option(
    input: ParseStream<'_>,
    attribute: &str,
    keys: &[Key],
    given: &[(Key, Expr)],
) -> syn::Result<(Key, Expr)> {
    if !input.peek(Ident::peek_any) {
        let example = keys.first().map_or("", |key| key.example);
        return Err(input.error(format!(
            "expected an option with its name: write `#[{attribute}({example})]`"
        )));
    }
    let name = input.call(Ident::parse_any)?;
    let Some(key) = keys.iter().copied().find(|key| name == key.name) else {
        return Err(syn::Error::new(
            name.span(),
            unknown(&name, attribute, keys),
        ));
    };
    if given.iter().any(|(given, _)| *given == key) {
        let message = format!("`{name}` is given twice: keep one of the two");
        return Err(syn::Error::new(name.span(), message));
    }
    let is_followed_by_value = input.parse::<Option<Token![=]>>()?.is_some() && !input.is_empty();
    if !is_followed_by_value {
        let message = format!("`{name}` needs a value: write `{}`", key.example);
        return Err(syn::Error::new(name.span(), message));
    }
    let value = input.parse()?;
    if input.is_empty() || input.peek(Token![,]) {
        Ok((key, value))
    } else {
        Err(input.error("expected `,` between two options"))
    }
}

fn unknown(name: &Ident, attribute: &str, keys: &[Key]) -> String {
    let known: Vec<_> = keys.iter().map(|key| format!("`{}`", key.name)).collect();
    format!(
        "unknown option `{name}`: the options of `#[{attribute}]` are {}",
        known.join(", ")
    )
}

fn skip_to_comma(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// The expression without the invisible group that a `macro_rules!` fragment comes in.
fn ungrouped(value: &Expr) -> &Expr {
    match value {
        Expr::Group(group) => ungrouped(&group.expr),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    fn parse(tokens: TokenStream) -> (Options, Errors) {
        let mut errors = Errors::default();
        let keys = [NAME, VERSION, CRATE];
        let options = Options::parse(tokens, "orchestrator", &keys, &mut errors);
        (options, errors)
    }

    fn messages(tokens: TokenStream) -> Vec<String> {
        let (options, mut errors) = parse(tokens);
        options.name(&mut errors);
        options.non_empty_string(VERSION, &mut errors);
        options.crate_path(&mut errors);
        errors.messages()
    }

    #[test]
    fn every_option_is_read() {
        let (options, mut errors) =
            parse(quote!(name = "A", version = "2.0", crate = some::durable,));
        let name = options.name(&mut errors).map(|name| name.value());
        assert_eq!(name.as_deref(), Some("A"));
        let version = options.non_empty_string(VERSION, &mut errors);
        assert_eq!(version.map(|text| text.value()).as_deref(), Some("2.0"));
        assert!(options.crate_path(&mut errors).is_some());
        assert_eq!(errors.messages(), [""; 0]);
    }

    #[test]
    fn the_crate_may_be_a_string() {
        let (options, mut errors) = parse(quote!(crate = "::some::durable"));
        let path = options.crate_path(&mut errors).unwrap();
        assert_eq!(
            quote!(#path).to_string(),
            quote!(::some::durable).to_string()
        );
        assert!(errors.is_empty());
    }

    #[test]
    fn every_mistake_is_reported() {
        let found = messages(quote!(nam = "A", version = 2, version = "3", "B", crate));
        assert_eq!(
            found,
            [
                "unknown option `nam`: the options of `#[orchestrator]` are `name`, `version`, `crate`",
                "`version` is given twice: keep one of the two",
                "expected an option with its name: write `#[orchestrator(name = \"SayHello\")]`",
                "`crate` needs a value: write `crate = path::to::durable_runtime`",
                "`version` takes a string literal: write `version = \"2.0\"`",
            ]
        );
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(messages(quote!(name = " ")).len(), 1);
        assert_eq!(messages(quote!(name = "a\nb")).len(), 1);
        let (longest, too_long) = ("n".repeat(256), "n".repeat(257));
        assert_eq!(messages(quote!(name = #longest)), [""; 0]);
        assert_eq!(messages(quote!(name = #too_long)).len(), 1);
    }

    #[test]
    fn a_missing_comma_is_reported_once() {
        let found = messages(quote!(name = "A" version = "2"));
        assert_eq!(found, ["expected `,` between two options"]);
    }
}
