use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{LitStr, ReturnType, Type};

use super::parse::ClientFunction;
use super::trigger::{Http, Queue, Trigger};
use crate::errors::Errors;
use crate::function::Function;
use crate::handle::{Handle, Parts, ends, respan};
use crate::parameters::{Parameter, Role};

/// The function, its handle, and the errors. With errors the handle is still there, but the host is
/// given nothing to run.
pub(super) fn expand(client_function: &ClientFunction, errors: &Errors) -> TokenStream {
    let ClientFunction {
        function,
        name,
        task_hub,
        connection,
        trigger,
        is_trigger_unknown,
        crate_path,
    } = client_function;
    let compile_errors = errors.to_compile_errors();
    let item = function.item();
    if function.sig.receiver().is_some() {
        // This stands in an `impl` block, where a handle cannot be declared.
        return quote!(#item #compile_errors);
    }
    let handle = Handle::new(
        function,
        "client function",
        name.as_ref(),
        crate_path.as_ref(),
    );
    let is_valid = errors.is_empty() && !is_trigger_unknown;
    let trigger = trigger.as_ref().filter(|_| is_valid);
    let states = trigger.map_or_else(Vec::new, |_| states(function));
    let trigger = match trigger {
        None => quote_spanned!(Span::mixed_site()=> __durable::Trigger::None),
        Some(Trigger::Http(http)) => on_request(function, http),
        Some(Trigger::Timer(schedule)) => on_time(function, schedule),
        Some(Trigger::Queue(queue)) => on_message(function, queue),
    };
    let (task_hub, connection) = (optional(task_hub.as_ref()), optional(connection.as_ref()));
    let parts = Parts {
        implementations: quote_spanned! {Span::mixed_site()=>
            #[allow(unused_imports)]
            use __durable::client_function as __client;
        },
        function: quote_spanned! {Span::mixed_site()=>
            __durable::Function::Client(__durable::ClientFunction {
                task_hub: #task_hub,
                connection: #connection,
                states: &[#(#states),*],
                trigger: #trigger,
            })
        },
        is_collected: is_valid,
    };
    let handle = handle.expand(&parts);
    quote!(#item #handle #compile_errors)
}

fn optional<T: ToTokens>(value: Option<&T>) -> TokenStream {
    value.map_or_else(
        || quote_spanned!(Span::mixed_site()=> ::core::option::Option::None),
        |value| quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(#value)),
    )
}

fn states(function: &Function) -> Vec<TokenStream> {
    Parameter::all(&function.sig)
        .iter()
        .filter_map(|parameter| match parameter.role {
            Role::State(ty) => Some(quote_spanned! {Span::mixed_site()=>
                __durable::StateKey::of::<#ty>
            }),
            _ => None,
        })
        .collect()
}

/// The trigger of a function that answers requests. Each argument is made by its extractor, the last one
/// of the body, as axum does for a handler; the compiler says at the type that it is none.
fn on_request(function: &Function, http: &Http) -> TokenStream {
    let Http { span, method, path } = http;
    let parameters = Parameter::all(&function.sig);
    let mut prepare = TokenStream::new();
    let mut arguments = Vec::new();
    for (position, parameter) in parameters.iter().enumerate() {
        let argument = format_ident!("argument{position}", span = Span::mixed_site());
        let ty = parameter.ty;
        let extract = if position + 1 < parameters.len() {
            let part = at(ty, quote!(__client::part));
            quote_spanned!(Span::mixed_site()=> #part::<#ty>(&mut parts).await)
        } else {
            let rest = at(ty, quote!(__client::rest));
            quote_spanned!(Span::mixed_site()=> #rest::<#ty, _>(parts, body).await)
        };
        prepare.extend(quote_spanned! {Span::mixed_site()=>
            let #argument = match #extract {
                ::core::result::Result::Ok(argument) => argument,
                ::core::result::Result::Err(rejection) => return rejection,
            };
        });
        arguments.push(argument);
    }
    let ident = &function.sig.ident;
    let (boxed, future) = boxed(ident);
    let (respond, returned) = returned(function, &quote!(__client::respond));
    // Without the feature this macro is the error, at the trigger.
    let trigger = respan(quote!(__durable::http_trigger), *span);
    quote_spanned! {Span::mixed_site()=>
        #trigger! {
            method: #method,
            path: #path,
            run: |request| {
                __durable::boxed(async move {
                    #[allow(unused_mut)]
                    let (mut parts, body) = __client::split(request);
                    #prepare
                    let #future = #ident(#(#arguments),*);
                    let #returned = #boxed(#future).await;
                    #respond(#returned)
                })
            }
        }
    }
}

fn on_time(function: &Function, schedule: &LitStr) -> TokenStream {
    let run = run(
        function,
        &|_| quote_spanned!(Span::mixed_site()=> ::core::clone::Clone::clone(given)),
    );
    quote_spanned! {Span::mixed_site()=>
        __durable::Trigger::Timer(__client::TimerTrigger { schedule: #schedule, run: #run })
    }
}

fn on_message(function: &Function, queue: &Queue) -> TokenStream {
    let run = run(function, &|ty| {
        let message = at(ty, quote!(__client::message));
        quote_spanned!(Span::mixed_site()=> #message::<#ty>(call, given)?)
    });
    let Queue { name, concurrency } = queue;
    let concurrency = optional(concurrency.as_ref());
    quote_spanned! {Span::mixed_site()=>
        __durable::Trigger::Queue(__client::QueueTrigger {
            queue: #name,
            concurrency: #concurrency,
            run: #run,
        })
    }
}

/// A closure that calls the function; `given` makes the argument that comes from the trigger.
fn run(function: &Function, given: &dyn Fn(&Type) -> TokenStream) -> TokenStream {
    let mut prepare = TokenStream::new();
    let mut arguments = Vec::new();
    for (position, parameter) in Parameter::all(&function.sig).iter().enumerate() {
        let argument = format_ident!("argument{position}", span = Span::mixed_site());
        let value = match parameter.role {
            Role::Context(_) => quote_spanned!(Span::mixed_site()=> __client::Call::client(call)),
            Role::State(ty) => quote_spanned! {Span::mixed_site()=>
                __client::Call::state::<#ty>(call)?
            },
            Role::Input => given(parameter.ty),
        };
        prepare.extend(quote_spanned!(Span::mixed_site()=> let #argument = #value;));
        arguments.push(argument);
    }
    let ident = &function.sig.ident;
    let (boxed, future) = boxed(ident);
    let (outcome, _) = returned(function, &quote!(__client::outcome));
    quote_spanned! {Span::mixed_site()=>
        |call, given| {
            #prepare
            let #future = #ident(#(#arguments),*);
            let running = #boxed(#future);
            ::core::result::Result::Ok(__client::judged(running, #outcome))
        }
    }
}

/// The path of what takes the value that the function returns, and the variable of that: at its type, for
/// an error when it does not do.
fn returned(function: &Function, path: &TokenStream) -> (TokenStream, Ident) {
    let span = match &function.sig.output {
        ReturnType::Type(_, ty) => Span::mixed_site().located_at(ends(ty).0),
        ReturnType::Default => Span::mixed_site(),
    };
    (respan(path.clone(), span), Ident::new("returned", span))
}

/// What boxes a future, and its variable: located at the name, for an error when it is not `Send`.
fn boxed(ident: &Ident) -> (TokenStream, Ident) {
    let at_name = Span::mixed_site().located_at(ident.span());
    (
        quote_spanned!(at_name=> __durable::boxed),
        Ident::new("future", at_name),
    )
}

/// The path of a function that takes or gives a `ty`, where the compiler is to say at that type that it does
/// not do.
fn at(ty: &Type, path: TokenStream) -> TokenStream {
    respan(path, Span::mixed_site().located_at(ends(ty).0))
}
