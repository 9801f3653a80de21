use proc_macro2::{TokenStream, TokenTree};
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::{
    Attribute, ExprPath, Generics, Ident, ImplItem, LitStr, Path, Signature, Token, TraitItem,
    Type, Visibility, braced, token,
};

use crate::errors::Errors;
use crate::function::{Function, starts_function, take_other_roles};
use crate::options::{CRATE, INIT, NAME, Options};

/// What has `#[entity]` on it.
pub(super) enum Item {
    Block(Block),
    Interface(Interface),
    Function(EntityFunction),
}

/// `impl Counter { .. }` or `impl Ledger for Counter { .. }`.
pub(super) struct Block {
    pub(super) attrs: Vec<Attribute>,
    pub(super) generics: Generics,
    /// The interface, where it is the block of one.
    pub(super) interface: Option<Path>,
    pub(super) ty: Type,
    /// Its functions, in the order in which they stand.
    pub(super) functions: Vec<Method>,
    pub(super) name: Option<LitStr>,
    pub(super) init: Option<ExprPath>,
    pub(super) crate_path: Option<Path>,
    /// What stands after the attributes, as it was written.
    pub(super) rest: TokenStream,
}

/// `trait Ledger { .. }`.
pub(super) struct Interface {
    pub(super) attrs: Vec<Attribute>,
    /// What stands between the attributes and the braces.
    pub(super) head: TokenStream,
    pub(super) ident: Ident,
    pub(super) generics: Generics,
    pub(super) brace: token::Brace,
    pub(super) functions: Vec<Method>,
    pub(super) others: Vec<TraitItem>,
    pub(super) crate_path: Option<Path>,
}

/// `async fn counter(ctx: EntityContext) -> Result<()>`.
pub(super) struct EntityFunction {
    pub(super) function: Function,
    pub(super) name: Option<LitStr>,
    pub(super) crate_path: Option<Path>,
}

/// A function in a block or in a trait.
pub(super) struct Method {
    pub(super) attrs: Vec<Attribute>,
    pub(super) sig: Signature,
    /// Its body, or a `;`.
    pub(super) end: TokenTree,
}

impl Item {
    /// Reads the item. Reports it when it is none that can be an entity.
    pub(super) fn parse(
        options: TokenStream,
        item: TokenStream,
        errors: &mut Errors,
    ) -> Option<Self> {
        let is_function = |input: ParseStream<'_>| {
            input.call(Attribute::parse_outer)?;
            input.parse::<Visibility>()?;
            let is_function = starts_function(input);
            input.parse::<TokenStream>()?;
            Ok(is_function)
        };
        if is_function.parse2(item.clone()).unwrap_or(false) {
            return EntityFunction::parse(options, item, errors).map(Self::Function);
        }
        let mut parsed = Self::parse_block_or_trait
            .parse2(item)
            .map_err(|error| errors.push(error))
            .ok()?;
        match &mut parsed {
            Self::Block(Block { attrs, .. }) => {
                take_other_roles(attrs, "entity", "an `impl` block", errors);
            }
            Self::Interface(Interface { attrs, .. }) => {
                take_other_roles(attrs, "entity", "a trait", errors);
            }
            Self::Function(_) => {}
        }
        match &mut parsed {
            Self::Block(block) if block.interface.is_none() => {
                let options = Options::parse(options, "entity", &[NAME, INIT, CRATE], errors);
                block.name = name(&options, errors);
                block.init = options.init(errors);
                block.crate_path = options.crate_path(errors);
            }
            Self::Block(Block { crate_path, .. })
            | Self::Interface(Interface { crate_path, .. }) => {
                let options = Options::parse(options, "entity", &[CRATE], errors);
                *crate_path = options.crate_path(errors);
            }
            Self::Function(_) => {}
        }
        Some(parsed)
    }

    fn parse_block_or_trait(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let start = input.fork();
        let vis: Visibility = input.parse()?;
        if input.peek(Token![trait]) {
            return Interface::parse(attrs, &start, input).map(Self::Interface);
        }
        if matches!(vis, Visibility::Inherited) && input.peek(Token![impl]) {
            return Block::parse(attrs, input).map(Self::Block);
        }
        Err(not_an_entity(input))
    }
}

/// Why what comes next cannot have `#[entity]` on it.
fn not_an_entity(input: ParseStream<'_>) -> syn::Error {
    let kind = ["struct", "enum", "union"].into_iter().find(|kind| {
        input
            .fork()
            .parse::<TokenTree>()
            .is_ok_and(|token| token.to_string() == *kind)
    });
    let Some(kind) = kind else {
        return input.error(
            "`#[entity]` goes on an `impl` block, a trait or a function: write \
             `#[entity] impl Counter { .. }`",
        );
    };
    let ahead = input.fork();
    let name = ahead
        .parse::<TokenTree>()
        .and_then(|_| ahead.parse::<Ident>());
    let name = name.map_or_else(|_| "Counter".to_owned(), |name| name.to_string());
    input.error(format!(
        "`#[entity]` goes on the operations of an entity, not on its state: remove it from the \
         {kind}, and write `#[entity] impl {name} {{ .. }}`"
    ))
}

/// The `name`, of which there is no address if it holds an `@`.
fn name(options: &Options, errors: &mut Errors) -> Option<LitStr> {
    let name = options.name(errors)?;
    if name.value().contains('@') {
        errors.on(
            name,
            "the name of an entity holds no `@`, which separates it from the key: remove it",
        );
        return None;
    }
    Some(name)
}

impl Block {
    fn parse(attrs: Vec<Attribute>, input: ParseStream<'_>) -> syn::Result<Self> {
        let rest = input.fork().parse()?;
        input.parse::<Token![impl]>()?;
        let has_generics = input.peek(Token![<])
            && (input.peek2(Token![>])
                || input.peek2(Token![#])
                || input.peek2(syn::Lifetime)
                || input.peek2(Token![const])
                || (input.peek2(Ident)
                    && (input.peek3(Token![:])
                        || input.peek3(Token![,])
                        || input.peek3(Token![>])
                        || input.peek3(Token![=]))));
        let mut generics: Generics = if has_generics {
            input.parse()?
        } else {
            Generics::default()
        };
        let first: Type = input.parse()?;
        let (interface, ty) = if input.parse::<Option<Token![for]>>()?.is_some() {
            let Type::Path(path) = &first else {
                return Err(syn::Error::new_spanned(
                    first,
                    "expected the name of an interface, a trait with `#[entity]` on it",
                ));
            };
            (Some(path.path.clone()), input.parse()?)
        } else {
            (None, first)
        };
        generics.where_clause = input.parse()?;
        let content;
        braced!(content in input);
        content.call(Attribute::parse_inner)?;
        let mut functions = Vec::new();
        while !content.is_empty() {
            match Method::parse(&content)? {
                Some(function) => functions.push(function),
                None => drop(content.parse::<ImplItem>()?),
            }
        }
        Ok(Self {
            attrs,
            generics,
            interface,
            ty,
            functions,
            name: None,
            init: None,
            crate_path: None,
            rest,
        })
    }
}

impl Interface {
    fn parse(
        attrs: Vec<Attribute>,
        start: ParseStream<'_>,
        input: ParseStream<'_>,
    ) -> syn::Result<Self> {
        input.parse::<Token![trait]>()?;
        let ident = input.parse()?;
        let mut generics: Generics = input.parse()?;
        // The traits that it needs.
        while !input.peek(token::Brace) && !input.peek(Token![where]) {
            input.parse::<TokenTree>()?;
        }
        generics.where_clause = input.parse()?;
        let mut head = TokenStream::new();
        while !start.peek(token::Brace) {
            head.extend([start.parse::<TokenTree>()?]);
        }
        let content;
        let brace = braced!(content in input);
        let mut functions = Vec::new();
        let mut others = Vec::new();
        while !content.is_empty() {
            match Method::parse(&content)? {
                Some(function) => functions.push(function),
                None => others.push(content.parse()?),
            }
        }
        Ok(Self {
            attrs,
            head,
            ident,
            generics,
            brace,
            functions,
            others,
            crate_path: None,
        })
    }
}

impl Method {
    /// The function that comes next, if one does.
    fn parse(input: ParseStream<'_>) -> syn::Result<Option<Self>> {
        let ahead = input.fork();
        let attrs = ahead.call(Attribute::parse_outer)?;
        ahead.parse::<Visibility>()?;
        if !starts_function(&ahead) {
            return Ok(None);
        }
        let sig = ahead.parse()?;
        if !ahead.peek(Token![;]) && !ahead.peek(token::Brace) {
            return Err(ahead.error("expected the body of the function, or `;`"));
        }
        let end = ahead.parse()?;
        input.advance_to(&ahead);
        Ok(Some(Self { attrs, sig, end }))
    }
}

impl EntityFunction {
    fn parse(options: TokenStream, item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let mut function = Function::parse(item, "entity", errors)?;
        function.take_other_roles("entity", errors);
        let options = Options::parse(options, "entity", &[NAME, CRATE], errors);
        Some(Self {
            function,
            name: name(&options, errors),
            crate_path: options.crate_path(errors),
        })
    }
}
