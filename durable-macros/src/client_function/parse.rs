use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use syn::{LitStr, Path};

use super::trigger::Trigger;
use crate::errors::Errors;
use crate::function::Function;
use crate::options::{CONNECTION, CRATE, Key, NAME, Options, TASK_HUB};

const KEYS: [Key; 4] = [NAME, TASK_HUB, CONNECTION, CRATE];

/// A function with `#[durable_client]` on it.
pub(super) struct ClientFunction {
    pub(super) function: Function,
    pub(super) name: Option<LitStr>,
    pub(super) task_hub: Option<LitStr>,
    pub(super) connection: Option<LitStr>,
    pub(super) trigger: Option<Trigger>,
    /// Whether a trigger was meant that could not be read: what the function takes is not judged then.
    pub(super) is_trigger_unknown: bool,
    pub(super) crate_path: Option<Path>,
}

impl ClientFunction {
    pub(super) fn parse(
        options: TokenStream,
        item: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let mut function = Function::parse(item, "durable_client", errors)?;
        function.take_other_roles("durable_client", errors);
        let mut given = Given::default();
        for entry in entries(options) {
            given.take(entry, errors);
        }
        let options = Options::parse(given.options, "durable_client", &KEYS, errors);
        Some(Self {
            function,
            name: options.name(errors),
            task_hub: options.task_hub(errors),
            connection: options.non_empty_string(CONNECTION, errors),
            trigger: given.trigger,
            is_trigger_unknown: given.is_trigger_unknown,
            crate_path: options.crate_path(errors),
        })
    }
}

/// What stands in the parentheses of the attribute.
#[derive(Default)]
struct Given {
    trigger: Option<Trigger>,
    /// The name of the first trigger, be it one that can be read or not.
    first: Option<Ident>,
    is_trigger_unknown: bool,
    /// All that is not a trigger.
    options: TokenStream,
}

impl Given {
    fn take(&mut self, entry: Vec<TokenTree>, errors: &mut Errors) {
        let Some((name, content)) = as_trigger(&entry) else {
            self.options.extend(entry);
            return;
        };
        if let Some(first) = &self.first {
            errors.on(
                &name,
                format!(
                    "a client function has one trigger, and `{first}(..)` is given already: remove \
                     one of the two, or write two functions"
                ),
            );
            return;
        }
        let trigger = Trigger::parse(&name, content, errors);
        self.first = Some(name);
        self.is_trigger_unknown = trigger.is_none();
        self.trigger = trigger;
    }
}

/// The entries of a list, each with the comma that ends it.
fn entries(tokens: TokenStream) -> Vec<Vec<TokenTree>> {
    let mut entries = vec![Vec::new()];
    for token in tokens {
        let is_comma = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',');
        if let Some(entry) = entries.last_mut() {
            entry.push(token);
        }
        if is_comma {
            entries.push(Vec::new());
        }
    }
    entries
}

/// The name and what is in its parentheses, where an entry is meant to be a trigger: `http(..)`, and
/// what is so near to it that the error should be about the trigger.
fn as_trigger(entry: &[TokenTree]) -> Option<(Ident, Option<&Group>)> {
    let entry = match entry {
        [rest @ .., TokenTree::Punct(punct)] if punct.as_char() == ',' => rest,
        all => all,
    };
    let (TokenTree::Ident(name), rest) = entry.split_first()? else {
        return None;
    };
    let is_option = KEYS.iter().any(|key| name == key.name);
    match rest {
        _ if is_option => None,
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::Parenthesis => {
            Some((name.clone(), Some(group)))
        }
        _ if Trigger::is_name(name) => Some((name.clone(), None)),
        _ => None,
    }
}
