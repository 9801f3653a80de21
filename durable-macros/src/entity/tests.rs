use proc_macro2::TokenStream;
use quote::quote;

use super::*;

/// What is wrong with an item.
fn messages(options: TokenStream, item: TokenStream) -> Vec<String> {
    let mut errors = Errors::default();
    match Item::parse(options, item, &mut errors) {
        Some(Item::Block(block)) => validate::block(&block, &mut errors),
        Some(Item::Interface(interface)) => validate::interface(&interface, &mut errors),
        Some(Item::Function(function)) => validate::function(&function, &mut errors),
        None => {}
    }
    errors.messages()
}

fn operations_of(item: TokenStream) -> parse::Block {
    let mut errors = Errors::default();
    match Item::parse(TokenStream::new(), item, &mut errors) {
        Some(Item::Block(block)) => block,
        _ => panic!("{:?}", errors.messages()),
    }
}

#[test]
fn every_kind_of_item_is_read() {
    let none = TokenStream::new;
    let block = quote! {
        impl Counter {
            const LIMIT: Limit = Limit { value: 1 };
            fn first(id: &EntityId) -> Self { Self { value: 0 } }
            pub(crate) async fn add(&mut self, amount: i64) -> Result<()> { Ok(()) }
        }
    };
    assert_eq!(messages(none(), block), [""; 0]);
    let interface = quote! {
        pub(crate) trait Ledger: fmt::Debug + Sync { fn add(&mut self, amount: i64); }
    };
    assert_eq!(messages(none(), interface), [""; 0]);
    let of_interface =
        quote!(impl crate::Ledger for Cache<u8> { fn add(&mut self, amount: i64) {} });
    assert_eq!(messages(none(), of_interface), [""; 0]);
    let function = quote!(
        pub async fn counter(ctx: EntityContext) -> Result<()> {
            Ok(())
        }
    );
    assert_eq!(messages(none(), function), [""; 0]);
}

#[test]
fn what_takes_no_state_is_no_operation() {
    let block = operations_of(quote! {
        impl Counter {
            fn first(id: &EntityId, other: u8) -> Self { todo!() }
            fn get(&self) -> i64 { 0 }
            #[cfg(a)] fn add(&mut self, amount: i64) {}
            #[cfg(not(a))] fn add(&mut self, amount: u64) {}
        }
    });
    let operations = operation::Operation::all(&block.functions, &quote!(Counter));
    let names: Vec<_> = operations.iter().map(operation::Operation::name).collect();
    assert_eq!(names, ["get", "add", "add"]);
}

#[test]
fn self_is_the_type_outside_of_the_block() {
    let block = operations_of(quote! {
        impl Cache<u8> { fn merge(&mut self, others: Vec<Self>) -> [u8; Self::SIZE] { todo!() } }
    });
    let operations = operation::Operation::all(&block.functions, &quote!(Cache<u8>));
    let inputs = operations[0].inputs();
    assert_eq!(inputs[0].0, "others");
    assert_eq!(inputs[0].1.to_string(), "Vec < Cache < u8 > >");
    let output = operations[0].output().to_string();
    assert_eq!(output, "[u8 ; < Cache < u8 > > :: SIZE]");
}

#[test]
fn a_result_is_known_by_its_name() {
    let is_result = |ty| operation::is_result(&ty);
    assert!(is_result(syn::parse_quote!(Result<i64>)));
    assert!(is_result(syn::parse_quote!(std::result::Result<(), Error>)));
    assert!(!is_result(syn::parse_quote!(Option<Result<i64>>)));
}

#[test]
fn every_mistake_is_reported() {
    let found = messages(
        quote!(init = "first", nam = "x"),
        quote! {
            impl Counter {
                fn at(self, ctx: &EntityContext, first: &str, second: u8) -> impl Sized {}
                fn At(&self) {}
            }
        },
    );
    assert_eq!(found.len(), 9, "{found:#?}");
}

#[test]
fn what_is_no_item_of_an_entity_is_reported_once() {
    for item in [
        quote!(
            pub struct Counter;
        ),
        quote!(
            pub(crate) enum Counter {}
        ),
        quote!(
            mod counter {}
        ),
        quote!(impl),
        quote!(trait Ledger),
        quote!(impl Counter { fn add(&mut self) }),
        TokenStream::new(),
    ] {
        assert_eq!(messages(quote!(init), item.clone()).len(), 1, "{item}");
    }
}

#[test]
fn a_block_stays_as_it_was_written() {
    let item = quote!(impl Counter { fn add(&mut self, a: &str) { let x = vec![1, 2]; @ } });
    let expanded = entity(TokenStream::new(), item.clone()).to_string();
    assert!(expanded.contains(&item.to_string()), "{expanded}");
}
