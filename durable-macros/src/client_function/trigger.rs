//! What a client function is run by: `http(post, "/orders/{id}")`.

use proc_macro2::{Group, Ident, Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{LitInt, LitStr, Token};

use super::{cron, route};
use crate::errors::Errors;

const NAMES: [&str; 3] = ["http", "timer", "queue"];

/// The methods as they are written, and as they are sent.
const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("post", "POST"),
    ("put", "PUT"),
    ("patch", "PATCH"),
    ("delete", "DELETE"),
    ("head", "HEAD"),
    ("options", "OPTIONS"),
    ("any", "*"),
];

/// The longest name of a queue; that of its poison queue is a little longer.
const MAX_QUEUE_CHARS: usize = 128;

pub(super) enum Trigger {
    Http(Http),
    Timer(LitStr),
    Queue(Queue),
}

pub(super) struct Http {
    /// The word `http`.
    pub(super) span: Span,
    /// As it is sent; `*` for any.
    pub(super) method: &'static str,
    pub(super) path: LitStr,
}

pub(super) struct Queue {
    pub(super) name: LitStr,
    /// How many messages are worked on at once in a host, where that is given.
    pub(super) concurrency: Option<u32>,
}

impl Trigger {
    pub(super) fn is_name(name: &Ident) -> bool {
        NAMES.iter().any(|known| name == known)
    }

    /// Reads a trigger; what is wrong with it is reported.
    pub(super) fn parse(
        name: &Ident,
        content: Option<&Group>,
        errors: &mut Errors,
    ) -> Option<Self> {
        if !Self::is_name(name) {
            errors.on(
                name,
                format!(
                    "unknown trigger `{name}`: the triggers are `http(..)`, `timer(..)` and \
                     `queue(..)`"
                ),
            );
            return None;
        }
        let example = example(name);
        let Some(content) = content else {
            errors.on(
                name,
                format!("`{name}` takes its values in parentheses: write `{example}`"),
            );
            return None;
        };
        if content.stream().is_empty() {
            errors.on(name, format!("`{name}` is empty: write `{example}`"));
            return None;
        }
        let tokens = content.stream();
        let parsed = if name == "http" {
            http(name.span(), tokens)
        } else if name == "timer" {
            timer(tokens)
        } else {
            queue(tokens)
        };
        parsed.map_err(|error| errors.push(error)).ok()
    }
}

fn example(trigger: &Ident) -> &'static str {
    if trigger == "http" {
        "http(post, \"/orders/{id}\")"
    } else if trigger == "timer" {
        "timer(\"0 0 2 * * *\")"
    } else {
        "queue(\"orders\")"
    }
}

fn http(span: Span, tokens: TokenStream) -> syn::Result<Trigger> {
    let parse = |input: ParseStream<'_>| {
        let method = method(input)?;
        if input.parse::<Option<Token![,]>>()?.is_none() || input.is_empty() {
            return Err(input
                .error("`http` takes a method and a path: write `http(post, \"/orders/{id}\")`"));
        }
        let path = text(input, "the path", "\"/orders/{id}\"")?;
        nothing_else(input, "http")?;
        route::check(&path)?;
        Ok(Trigger::Http(Http { span, method, path }))
    };
    parse.parse2(tokens)
}

fn method(input: ParseStream<'_>) -> syn::Result<&'static str> {
    if let Ok(text) = input.fork().parse::<LitStr>() {
        let message = if text.value().starts_with('/') {
            "`http` takes the method first: write `http(get, \"/..\")`, or `any` for every method"
        } else {
            "a method is written without quotes: write `get` or `post`"
        };
        return Err(syn::Error::new(text.span(), message));
    }
    let name = input.call(Ident::parse_any)?;
    let known = METHODS.iter().find(|(known, _)| name == known);
    known.map(|(_, sent)| *sent).ok_or_else(|| {
        let written = name.to_string().to_lowercase();
        let nearest = METHODS
            .iter()
            .map(|(known, _)| (distance(&written, known), *known))
            .min()
            .filter(|(distance, _)| *distance <= 2);
        let remedy = nearest.map_or_else(
            || {
                let known: Vec<_> = METHODS
                    .iter()
                    .map(|(name, _)| format!("`{name}`"))
                    .collect();
                format!("the methods are {}", known.join(", "))
            },
            |(_, nearest)| format!("did you mean `{nearest}`?"),
        );
        syn::Error::new(name.span(), format!("unknown method `{name}`: {remedy}"))
    })
}

fn timer(tokens: TokenStream) -> syn::Result<Trigger> {
    let parse = |input: ParseStream<'_>| {
        let schedule = text(input, "the schedule", "\"0 0 2 * * *\"")?;
        nothing_else(input, "timer")?;
        cron::check(&schedule.value())
            .map_err(|message| syn::Error::new(schedule.span(), message))?;
        Ok(Trigger::Timer(schedule))
    };
    parse.parse2(tokens)
}

fn queue(tokens: TokenStream) -> syn::Result<Trigger> {
    let parse = |input: ParseStream<'_>| {
        let name = text(input, "the name of the queue", "\"orders\"")?;
        queue_name(&name)?;
        let mut concurrency = None;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            concurrency = Some(queue_option(input)?);
            input.parse::<Option<Token![,]>>()?;
        }
        nothing_else(input, "queue")?;
        Ok(Trigger::Queue(Queue { name, concurrency }))
    };
    parse.parse2(tokens)
}

fn queue_option(input: ParseStream<'_>) -> syn::Result<u32> {
    const EXAMPLE: &str = "write `queue(\"orders\", concurrency = 1)`";
    let option = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), format!("expected an option: {EXAMPLE}")))?;
    if option != "concurrency" {
        let message =
            format!("unknown option `{option}`: the option of `queue` is `concurrency`; {EXAMPLE}");
        return Err(syn::Error::new(option.span(), message));
    }
    let wrong = |span| {
        let message = format!("`concurrency` takes a number from 1 to 1000: {EXAMPLE}");
        syn::Error::new(span, message)
    };
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Err(wrong(option.span()));
    }
    let number: LitInt = input.parse().map_err(|error| wrong(error.span()))?;
    number
        .base10_parse()
        .ok()
        .filter(|number| (1..=1_000).contains(number))
        .ok_or_else(|| wrong(number.span()))
}

fn queue_name(name: &LitStr) -> syn::Result<()> {
    let value = name.value();
    let refuse = |message: String| Err(syn::Error::new(name.span(), message));
    if value.is_empty() {
        return refuse("the name of a queue is empty: write `queue(\"orders\")`".to_owned());
    }
    if value.chars().count() > MAX_QUEUE_CHARS {
        return refuse(format!(
            "the name of a queue has at most {MAX_QUEUE_CHARS} characters"
        ));
    }
    let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    match value.chars().find(|c| !is_allowed(c)) {
        Some(wrong) => refuse(format!(
            "the name of a queue holds ASCII letters, digits, `-`, `_` and `.`: remove {wrong:?}"
        )),
        None => Ok(()),
    }
}

fn text(input: ParseStream<'_>, what: &str, example: &str) -> syn::Result<LitStr> {
    input.parse().map_err(|error| {
        let message = format!("{what} is a string literal: write `{example}`");
        syn::Error::new(error.span(), message)
    })
}

fn nothing_else(input: ParseStream<'_>, trigger: &str) -> syn::Result<()> {
    input.parse::<Option<Token![,]>>()?;
    if input.is_empty() {
        return Ok(());
    }
    Err(input.error(format!("`{trigger}` takes nothing more: remove this")))
}

/// How many letters have to be put in, taken out or changed to make one word of the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<_> = to.chars().collect();
    let mut row: Vec<_> = (0..=to.len()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let changed = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (from, to, expected) in [("post", "post", 0), ("psot", "post", 2), ("", "get", 3)] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }
}
