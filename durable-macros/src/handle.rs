//! What is generated beside the function: its handle, and the block that implements the traits.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprLit, Lit, LitStr, Meta, Path, ReturnType, Signature};

use crate::function::Function;
use crate::parameters::{Borrow, Borrows, Parameter, input_type};

/// The handle of one function. All generated code is spanned at the macro where a mistake of the
/// user cannot show in it, so that no lint of the user's crate looks at it.
pub(crate) struct Handle<'a> {
    pub(crate) function: &'a Function,
    /// "activity", "orchestrator", "entity".
    pub(crate) kind: &'static str,
    pub(crate) name: String,
    /// `::durable_runtime::__private`
    pub(crate) private: TokenStream,
}

/// What differs between the kinds of functions.
pub(crate) struct Parts {
    /// What it implements besides `Register`.
    pub(crate) implementations: TokenStream,
    /// The value for `Registration::function`.
    pub(crate) function: TokenStream,
    /// Whether the program finds the function by itself.
    pub(crate) is_collected: bool,
}

/// The path of what generated code may name.
pub(crate) fn private(crate_path: Option<&Path>) -> TokenStream {
    let crate_path = crate_path.map_or_else(
        || quote_spanned!(Span::mixed_site()=> ::durable_runtime),
        ToTokens::to_token_stream,
    );
    quote_spanned!(Span::mixed_site()=> #crate_path::__private)
}

impl<'a> Handle<'a> {
    pub(crate) fn new(
        function: &'a Function,
        kind: &'static str,
        name: Option<&LitStr>,
        crate_path: Option<&Path>,
    ) -> Self {
        let private = private(crate_path);
        Self {
            function,
            kind,
            name: name.map_or_else(|| function.sig.ident.unraw().to_string(), LitStr::value),
            private,
        }
    }

    /// The handle and its implementations.
    pub(crate) fn expand(&self, parts: &Parts) -> TokenStream {
        let declaration = self.declaration();
        let implementation = self.implementation(parts);
        quote!(#declaration #implementation)
    }

    fn declaration(&self) -> TokenStream {
        let Function {
            attrs, vis, sig, ..
        } = self.function;
        let ident = &sig.ident;
        let summary = summary(attrs);
        let title = format!(" The handle of the {} `{}`.", self.kind, self.name);
        let conditions = conditions(attrs);
        let carried = carried(attrs);
        quote_spanned! {Span::mixed_site()=>
            #(#conditions)*
            #(#carried)*
            #(#[doc = #summary])*
            #[doc = #title]
            #[allow(
                dead_code,
                missing_copy_implementations,
                missing_debug_implementations,
                non_camel_case_types,
                unreachable_pub,
            )]
            #vis struct #ident {}
        }
    }

    fn implementation(&self, parts: &Parts) -> TokenStream {
        let Self {
            function,
            name,
            private,
            ..
        } = self;
        let ident = &function.sig.ident;
        let conditions = conditions(&function.attrs);
        let Parts {
            implementations,
            function,
            is_collected,
        } = parts;
        let durable = Ident::new("__durable", Span::mixed_site().located_at(ident.span()));
        let location = quote_spanned! {ident.span()=>
            #durable::SourceLocation::here(::core::module_path!())
        };
        let submission = is_collected.then(|| {
            quote_spanned! {Span::mixed_site()=>
                __durable::inventory::submit! { <#ident as __durable::Register>::REGISTRATION }
            }
        });
        quote_spanned! {Span::mixed_site()=>
            #(#conditions)*
            #[allow(deprecated)]
            const _: () = {
                // A path of one name is cheaper than the full one, for this crate and for the compiler.
                use #private::{self as __durable, Otherwise as _};

                #implementations

                impl __durable::Register for #ident {
                    const REGISTRATION: __durable::Registration = __durable::Registration {
                        name: #name,
                        location: #location,
                        function: #function,
                    };
                }

                #submission
            };
        }
    }

    /// An implementation of a trait with an `Input` and an `Output`, such as `Activity`.
    pub(crate) fn implements(&self, name: &TokenStream) -> TokenStream {
        let ident = &self.function.sig.ident;
        let input = associated_type("Input", &self.input());
        let output = associated_type("Output", &self.success());
        quote_spanned! {Span::mixed_site()=>
            impl __durable::#name for #ident {
                #input
                #output
            }
        }
    }

    /// The type that the function returns.
    pub(crate) fn returned(&self) -> TokenStream {
        match &self.function.sig.output {
            ReturnType::Type(_, ty) => ty.to_token_stream(),
            ReturnType::Default => quote!(()),
        }
    }

    /// The fields that say how what the function returns travels.
    pub(crate) fn output(&self) -> TokenStream {
        let returned = self.returned();
        quote_spanned! {Span::mixed_site()=>
            output: __durable::Output::<#returned>::OF,
            details: __durable::Details::<#returned>::OF,
        }
    }

    pub(crate) fn input(&self) -> TokenStream {
        let sig = &self.function.sig;
        if is_generic(sig) {
            return quote!(());
        }
        input_type(&Parameter::all(sig), sig)
    }

    /// What the function returns when it succeeds. The compiler knows what the return type is an
    /// alias of; that it is no `Result` is an error in these tokens, so they stand where it does.
    pub(crate) fn success(&self) -> TokenStream {
        match &self.function.sig.output {
            ReturnType::Type(_, ty) if !is_generic(&self.function.sig) => ok_of(ty, &self.private),
            _ => quote!(()),
        }
    }
}

/// The `T` in a `Result<T, E>`, or in an alias of one.
pub(crate) fn ok_of(ty: &impl ToTokens, private: &TokenStream) -> TokenStream {
    let (first, last) = ends(ty);
    let private = respan(private.clone(), last);
    let projection = quote_spanned!(last=> as #private::DurableResult>::Ok);
    quote_spanned!(first=> <#ty #projection)
}

/// Whether types in the signature may name parameters that the generated code does not have.
fn is_generic(sig: &Signature) -> bool {
    let is_impl = |ty| matches!(Borrows::of(ty), Some(Borrow::Impl(_)));
    !sig.generics.params.is_empty() || matches!(&sig.output, ReturnType::Type(_, ty) if is_impl(ty))
}

/// Where the tokens begin and where they end.
pub(crate) fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens
        .to_token_stream()
        .into_iter()
        .map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// `type name = ty;`, where `ty` is: the compiler underlines all of it when `ty` is private.
fn associated_type(name: &str, ty: &TokenStream) -> TokenStream {
    let (first, last) = ends(ty);
    let name = Ident::new(name, first);
    let end = quote_spanned!(last=> ;);
    quote_spanned!(first=> type #name = #ty #end)
}

/// The tokens, as if they stood elsewhere.
pub(crate) fn respan(tokens: TokenStream, span: Span) -> TokenStream {
    tokens
        .into_iter()
        .map(|mut token| {
            token.set_span(span);
            token
        })
        .collect()
}

/// The `#[cfg]`s of the function: without it there is no handle either.
pub(crate) fn conditions(attrs: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
}

/// What is said of the function that holds for its handle too. An expectation is for one place
/// only, so what the function expects its handle allows.
pub(crate) fn carried(attrs: &[Attribute]) -> impl Iterator<Item = TokenStream> + '_ {
    attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("expect") => {
            let lints = &list.tokens;
            Some(quote!(#[allow(#lints)]))
        }
        meta => ["allow", "warn", "deny", "deprecated"]
            .iter()
            .any(|name| meta.path().is_ident(name))
            .then(|| quote!(#attr)),
    })
}

/// The first paragraph of the function's documentation, with an empty line after it. Examples stay with the function, where
/// they are tested once.
pub(crate) fn summary(attrs: &[Attribute]) -> Vec<String> {
    let text: Vec<_> = attrs.iter().filter_map(doc_line).collect();
    let mut lines: Vec<_> = text
        .join("\n")
        .lines()
        .skip_while(|line| line.trim().is_empty())
        .take_while(|line| !line.trim().is_empty() && !line.trim_start().starts_with("```"))
        .map(str::to_owned)
        .collect();
    if !lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

fn doc_line(attr: &Attribute) -> Option<String> {
    match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}
