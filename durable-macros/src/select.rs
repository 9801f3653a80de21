//! `select!`: the branch whose future is ready first.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Pat, Token};

use crate::task::Task;

/// What stands between the braces of a `select!`.
pub(crate) struct Select {
    branches: Vec<Branch>,
}

/// `pattern = future => body`
pub(crate) struct Branch {
    pattern: Pat,
    pub(crate) future: Expr,
    pub(crate) body: Expr,
}

impl Parse for Select {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut branches = Vec::new();
        while !input.is_empty() {
            let branch: Branch = input.parse()?;
            let may_omit_comma = ends_with_a_block(&branch.body);
            branches.push(branch);
            let has_comma = input.parse::<Option<Token![,]>>()?.is_some();
            if !(input.is_empty() || has_comma || may_omit_comma) {
                return Err(error(
                    input,
                    "expected `,` between two branches of `select!`",
                ));
            }
        }
        if branches.is_empty() {
            return Err(error(
                input,
                "`select!` needs a branch: write `output = task => { .. }` for each task",
            ));
        }
        Ok(Self { branches })
    }
}

impl Parse for Branch {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        has_no_keyword(input)?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        if !input.peek(Token![=]) || input.peek(Token![=>]) {
            return Err(error(
                input,
                "expected `=` and a task after the pattern: write `output = task => { .. }`",
            ));
        }
        input.parse::<Token![=]>()?;
        let future: Expr = input.parse()?;
        if input.peek(Token![,]) && input.peek2(Token![if]) {
            input.parse::<Token![,]>()?;
            return Err(error(
                input,
                "`select!` has no conditions: write the `if` in the body, or around the `select!`",
            ));
        }
        if input.is_empty() {
            return Err(syn::Error::new_spanned(
                future,
                "expected `=>` and a body after the task: write `output = task => { .. }`",
            ));
        }
        if !input.peek(Token![=>]) {
            return Err(error(
                input,
                "expected `=>` and a body after the task: write `output = task => { .. }`",
            ));
        }
        input.parse::<Token![=>]>()?;
        if input.is_empty() {
            return Err(error(input, "expected a body after `=>`"));
        }
        let body = input.call(Expr::parse_with_earlier_boundary_rule)?;
        Ok(Self {
            pattern,
            future,
            body,
        })
    }
}

/// An error at what comes next, which may be the end.
fn error(input: ParseStream<'_>, message: &str) -> syn::Error {
    syn::Error::new(input.span(), message)
}

/// Reports what other `select!`s have and this one does not.
fn has_no_keyword(input: ParseStream<'_>) -> syn::Result<()> {
    if input.peek(Token![else]) {
        return Err(error(
            input,
            "`select!` has no `else`: every branch waits until its task ends, so remove it",
        ));
    }
    let ahead = input.fork();
    let is_biased = ahead.parse::<Ident>().is_ok_and(|ident| ident == "biased");
    if is_biased && ahead.peek(Token![;]) {
        return Err(error(
            input,
            "`select!` always polls from top to bottom: remove `biased;`",
        ));
    }
    Ok(())
}

/// As in a `match`: a body that ends with a block needs no comma after it.
fn ends_with_a_block(body: &Expr) -> bool {
    matches!(
        body,
        Expr::Block(_)
            | Expr::Const(_)
            | Expr::ForLoop(_)
            | Expr::If(_)
            | Expr::Loop(_)
            | Expr::Match(_)
            | Expr::TryBlock(_)
            | Expr::Unsafe(_)
            | Expr::While(_)
    )
}

impl Branch {
    /// The body is a block of its own after a `let`, so that a pattern which does not match every
    /// output is an error at the pattern.
    fn arm(&self, variant: &Ident) -> TokenStream {
        let Self { pattern, body, .. } = self;
        let pattern = match pattern {
            Pat::Or(_) => quote!((#pattern)),
            other => quote!(#other),
        };
        quote_spanned! {Span::mixed_site()=>
            #[allow(unused_braces)]
            __Selected::#variant(output) => {
                #[allow(clippy::ignored_unit_patterns)]
                let #pattern = output;
                #body
            }
        }
    }
}

impl ToTokens for Select {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for branch in &self.branches {
            let Branch {
                pattern,
                future,
                body,
            } = branch;
            tokens.extend(quote!(#pattern = #future => #body,));
        }
    }
}

impl Select {
    pub(crate) fn branches_mut(&mut self) -> &mut [Branch] {
        &mut self.branches
    }

    /// The futures are made in a block of their own, in the scrutinee of a `match` so that what
    /// they borrow lives as long as they do, and are gone when a body runs. The bodies are not in a
    /// closure: `return`, `break`, `?` and `.await` belong to the function around them.
    ///
    /// All names of locals are of the macro, so no expression of the user sees them.
    pub(crate) fn expand(&self) -> TokenStream {
        let expressions = self.branches.iter().map(|branch| &branch.future);
        let tasks = expressions.clone().enumerate();
        let tasks: Vec<_> = tasks.map(|(index, task)| Task::new(index, task)).collect();
        let locals = tasks.iter().map(|task| &task.local);
        let pins = tasks.iter().map(|task| &task.pin);
        let polls = tasks.iter().map(|task| &task.poll);
        let variants: Vec<_> = self.names("Branch").collect();
        let outputs: Vec<_> = self.names("Output").collect();
        let branches = self.branches.iter().zip(&variants);
        let arms = branches.map(|(branch, variant)| branch.arm(variant));
        quote_spanned! {Span::mixed_site()=> {
            enum __Selected<#(#outputs),*> {
                #(#variants(#outputs),)*
            }
            let selected = {
                let selected = match (#(#expressions,)*) {
                    (#(#locals,)*) => {
                        #(#pins)*
                        let selected = ::core::future::poll_fn(|context| {
                            #(
                                if let ::core::task::Poll::Ready(output) = #polls {
                                    return ::core::task::Poll::Ready(__Selected::#variants(output));
                                }
                            )*
                            ::core::task::Poll::Pending
                        })
                        .await;
                        selected
                    }
                };
                selected
            };
            match selected {
                #(#arms)*
            }
        }}
    }

    fn names<'a>(&'a self, stem: &'a str) -> impl Iterator<Item = Ident> + 'a {
        (0..self.branches.len())
            .map(move |index| format_ident!("{stem}{index}", span = Span::mixed_site()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branches(tokens: TokenStream) -> syn::Result<Vec<String>> {
        let select: Select = syn::parse2(tokens)?;
        let text = |branch: &Branch| {
            let Branch {
                pattern,
                future,
                body,
            } = branch;
            quote!(#pattern | #future | #body).to_string()
        };
        Ok(select.branches.iter().map(text).collect())
    }

    fn message(tokens: TokenStream) -> String {
        branches(tokens).unwrap_err().to_string()
    }

    #[test]
    fn commas_may_be_left_out_after_a_block() {
        let found = branches(quote! {
            a = one => { a }
            _ = two => if b { c } else { d }
            Ok(e) | Err(e) = &mut three => e.f(),
            () = four => {}.g(),
        });
        let bodies: Vec<_> = found
            .unwrap()
            .iter()
            .map(|branch| branch.rsplit(" | ").next().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(
            bodies,
            ["{ a }", "if b { c } else { d }", "e . f ()", "{ } . g ()"]
        );
    }

    #[test]
    fn a_body_without_a_block_needs_a_comma() {
        let found = message(quote!(a = one => a b = two => b));
        assert_eq!(found, "expected `,` between two branches of `select!`");
        assert!(branches(quote!(a = one => a)).is_ok());
    }

    #[test]
    fn a_branch_without_a_body_is_reported() {
        assert_eq!(message(quote!(a = one =>)), "expected a body after `=>`");
        assert!(message(quote!(a = one)).starts_with("expected `=>`"));
        assert!(message(quote!(one => {})).starts_with("expected `=`"));
    }

    #[test]
    fn what_other_selects_have_is_reported() {
        assert!(message(quote!(else => {})).contains("no `else`"));
        assert!(message(quote!(biased; a = one => a)).contains("remove `biased;`"));
        assert!(message(quote!(a = one, if b => a)).contains("no conditions"));
        assert!(branches(quote!(biased = one => biased)).is_ok());
    }
}
