//! What each parameter of a function is, as its type tells.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::visit::{self, Visit};
use syn::{
    FnArg, GenericArgument, Lifetime, PathArguments, PathSegment, Signature, Type, TypeImplTrait,
    TypeReference,
};

/// One parameter. Its pattern is of no interest: arguments are passed by position.
pub(crate) struct Parameter<'a> {
    /// The type as it was written.
    pub(crate) ty: &'a Type,
    pub(crate) role: Role<'a>,
    /// Whether a context or a state is taken by reference.
    pub(crate) is_borrowed: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum Role<'a> {
    /// One of the types that a durable function is handed by the runtime.
    Context(Context),
    /// `State<T>`, with its `T`.
    State(&'a Type),
    /// Anything else.
    Input,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Context {
    Orchestration,
    Activity,
    Entity,
    Client,
}

impl Context {
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Orchestration => "OrchestrationContext",
            Self::Activity => "ActivityContext",
            Self::Entity => "EntityContext",
            Self::Client => "DurableClient",
        }
    }

    fn named(segment: &PathSegment) -> Option<Self> {
        [
            Self::Orchestration,
            Self::Activity,
            Self::Entity,
            Self::Client,
        ]
        .into_iter()
        .find(|context| segment.ident == context.type_name() && segment.arguments.is_none())
    }
}

impl<'a> Parameter<'a> {
    /// The parameters of a function, without a `self`.
    pub(crate) fn all(sig: &'a Signature) -> Vec<Self> {
        sig.inputs
            .iter()
            .filter_map(|argument| match argument {
                FnArg::Typed(typed) => Some(Self::new(&typed.ty)),
                FnArg::Receiver(_) => None,
            })
            .collect()
    }

    fn new(ty: &'a Type) -> Self {
        let (named, is_borrowed) = match plain(ty) {
            Type::Reference(reference) => (&*reference.elem, true),
            other => (other, false),
        };
        let role = role(named);
        Self {
            ty,
            role,
            is_borrowed: is_borrowed && !matches!(role, Role::Input),
        }
    }

    pub(crate) fn is_input(&self) -> bool {
        matches!(self.role, Role::Input)
    }
}

/// The type of all inputs together: `()`, the one, or a tuple.
pub(crate) fn input_type(parameters: &[Parameter<'_>], sig: &Signature) -> TokenStream {
    let inputs: Vec<_> = parameters
        .iter()
        .filter(|parameter| parameter.is_input())
        .map(|parameter| owned(parameter.ty))
        .collect();
    match inputs.as_slice() {
        [one] => quote!(#one),
        // The parentheses of the tuple stand where those of the parameters do: that is what the
        // compiler underlines when one of the inputs does not do.
        many => quote_spanned!(sig.paren_token.span.join()=> (#(#many),*)),
    }
}

/// What is to be written in place of a type that cannot be an input, so that what calls the
/// function has no error of its own. A type that can be one stays as it is.
pub(crate) fn owned(ty: &Type) -> TokenStream {
    match plain(ty) {
        Type::Reference(TypeReference { elem, .. }) => match plain(elem) {
            Type::Slice(slice) => {
                let element = owned(&slice.elem);
                quote!(::std::vec::Vec<#element>)
            }
            elem if is_named(elem, "str") => quote!(::std::string::String),
            elem => owned(elem),
        },
        _ if Borrows::of(ty).is_some() => quote!(()),
        _ => quote!(#ty),
    }
}

/// Finds what keeps a type from being an input: a reference, a lifetime, or `impl Trait`.
#[derive(Default)]
pub(crate) struct Borrows<'a> {
    found: Option<Borrow<'a>>,
}

#[derive(Clone, Copy)]
pub(crate) enum Borrow<'a> {
    Reference(&'a TypeReference),
    Lifetime(&'a Lifetime),
    Impl(&'a TypeImplTrait),
}

impl<'a> Borrows<'a> {
    /// The first one in `ty`.
    pub(crate) fn of(ty: &'a Type) -> Option<Borrow<'a>> {
        let mut borrows = Self::default();
        borrows.visit_type(ty);
        borrows.found
    }
}

impl<'a> Visit<'a> for Borrows<'a> {
    fn visit_type_reference(&mut self, reference: &'a TypeReference) {
        self.found.get_or_insert(Borrow::Reference(reference));
    }

    fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
        if lifetime.ident != "static" {
            self.found.get_or_insert(Borrow::Lifetime(lifetime));
        }
    }

    fn visit_type_impl_trait(&mut self, impl_trait: &'a TypeImplTrait) {
        self.found.get_or_insert(Borrow::Impl(impl_trait));
    }

    /// The lifetimes in the type of a function pointer are its own.
    fn visit_type_bare_fn(&mut self, _: &'a syn::TypeBareFn) {}

    fn visit_expr(&mut self, _: &'a syn::Expr) {}

    fn visit_type(&mut self, ty: &'a Type) {
        if self.found.is_none() {
            visit::visit_type(self, ty);
        }
    }
}

/// The type without parentheses, and without the invisible group that a `macro_rules!` fragment
/// comes in.
pub(crate) fn plain(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => plain(&group.elem),
        Type::Paren(paren) => plain(&paren.elem),
        other => other,
    }
}

fn role(ty: &Type) -> Role<'_> {
    let Some(segment) = last_segment(ty) else {
        return Role::Input;
    };
    if let Some(context) = Context::named(segment) {
        return Role::Context(context);
    }
    match &segment.arguments {
        PathArguments::AngleBracketed(arguments) if segment.ident == "State" => {
            match arguments.args.first() {
                Some(GenericArgument::Type(ty)) if arguments.args.len() == 1 => Role::State(ty),
                _ => Role::Input,
            }
        }
        _ => Role::Input,
    }
}

pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    last_segment(ty).is_some_and(|segment| segment.ident == name)
}

fn last_segment(ty: &Type) -> Option<&PathSegment> {
    match plain(ty) {
        Type::Path(path) if path.qself.is_none() => path.path.segments.last(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use syn::parse_quote;

    use super::*;

    #[test]
    fn contexts_and_states_are_known_by_the_last_segment() {
        let sig = parse_quote! {
            fn f(
                _: durable_runtime::ActivityContext,
                State(db): &durable_runtime::State<dyn Db>,
                mut state: State,
                other: axum::Map<State<u8>>,
            )
        };
        let parameters = Parameter::all(&sig);
        let [context, state, first, second] = parameters.as_slice() else {
            panic!("four parameters");
        };
        assert!(matches!(context.role, Role::Context(Context::Activity)));
        assert!(matches!(state.role, Role::State(Type::TraitObject(_))));
        assert!(state.is_borrowed && !context.is_borrowed);
        assert!(first.is_input() && second.is_input());
    }

    #[test]
    fn several_inputs_are_one_tuple() {
        let input = |sig: Signature| input_type(&Parameter::all(&sig), &sig).to_string();
        assert_eq!(input(parse_quote!(fn f(_: ActivityContext))), "()");
        assert_eq!(input(parse_quote!(fn f(a: (u8, u8)))), "(u8 , u8)");
        assert_eq!(input(parse_quote!(fn f(a: u8, b: String))), "(u8 , String)");
    }

    #[test]
    fn borrowed_types_have_an_owned_form() {
        let owned = |ty: Type| owned(&ty).to_string();
        assert_eq!(owned(parse_quote!(&str)), ":: std :: string :: String");
        assert_eq!(owned(parse_quote!(&mut Order)), "Order");
        assert_eq!(owned(parse_quote!(&[u8])), ":: std :: vec :: Vec < u8 >");
        assert_eq!(owned(parse_quote!(Vec<&str>)), "()");
        assert_eq!(owned(parse_quote!(fn(&str))), "fn (& str)");
    }
}
