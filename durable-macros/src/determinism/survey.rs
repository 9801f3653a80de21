//! A look at the tokens of a body, which tells what no rule can be about.
//!
//! Most statements have nothing in them that any rule looks for. That is seen much sooner than what they
//! are: a name that no table has is no mistake, whatever it stands for. Where this is in doubt the
//! statement is parsed, and it is the walker who decides.

use std::collections::HashMap;
use std::sync::LazyLock;

use proc_macro2::{Delimiter, TokenTree};

use super::evident;
use super::forbidden::{self, Place};
use super::incomplete::is_keyword;
use super::walk::is_like_a_static;

/// What a word may have to do with the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It declares something, or makes something that other statements use: all has to be parsed.
    Declares,
    /// A rule may be about it.
    Looked,
    /// A rule may be about it in a path, or where it is the name of a macro.
    LookedInPath,
    /// A rule may be about it and what follows.
    LookedBefore(&'static str),
    Await,
}

/// What the tables do not have, because it is syntax.
const SYNTAX: [(&str, Word); 24] = [
    // A closure that is async may be called by another statement.
    ("async", Word::Declares),
    ("const", Word::Declares),
    ("enum", Word::Declares),
    ("extern", Word::Declares),
    ("fn", Word::Declares),
    ("impl", Word::Declares),
    ("macro", Word::Declares),
    ("macro_rules", Word::Declares),
    ("mod", Word::Declares),
    ("static", Word::Declares),
    ("struct", Word::Declares),
    ("trait", Word::Declares),
    ("type", Word::Declares),
    ("union", Word::Declares),
    ("use", Word::Declares),
    ("as", Word::LookedBefore("*")),
    ("while", Word::LookedBefore("true")),
    ("elapsed", Word::Looked),
    ("join", Word::LookedBefore("!")),
    ("loop", Word::Looked),
    ("raw", Word::Looked),
    ("select", Word::LookedBefore("!")),
    ("unsafe", Word::Looked),
    ("await", Word::Await),
];

static WORDS: LazyLock<HashMap<&'static str, Word>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for (word, place) in forbidden::words() {
        let word = words.entry(word).or_insert(Word::LookedInPath);
        if place == Place::Anywhere {
            *word = Word::Looked;
        }
    }
    words.extend(SYNTAX);
    words
});

static PREFIXES: LazyLock<Vec<&'static str>> = LazyLock::new(|| forbidden::prefixes().collect());

/// Looks at the statements of one body.
pub(super) struct Survey<'a> {
    context: Option<&'a str>,
    is_declared: bool,
    /// Whether the name of the context stands anywhere but before a method of it. It may be bound there to
    /// something else.
    is_context_passed: bool,
    seen: Seen,
}

/// What was seen in a statement.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen {
    is_looked_for: bool,
    /// Whether it awaits a task that the context gives.
    awaits_context: bool,
}

impl<'a> Survey<'a> {
    pub(super) fn new(context: Option<&'a str>) -> Self {
        Self {
            context,
            is_declared: false,
            is_context_passed: false,
            seen: Seen::default(),
        }
    }

    /// Looks at a statement. When all have been looked at, it is known what has to be parsed.
    pub(super) fn statement(&mut self, trees: &[TokenTree]) -> Seen {
        self.seen = Seen::default();
        self.trees(trees, false);
        self.seen
    }

    /// Whether a statement says something of others, so that none is understood without the rest.
    pub(super) fn is_declared(&self) -> bool {
        self.is_declared
    }

    /// Whether no rule can be about a statement in which this was seen.
    pub(super) fn is_plain(&self, seen: Seen) -> bool {
        !(seen.is_looked_for || seen.awaits_context && self.is_context_passed)
    }

    fn trees(&mut self, trees: &[TokenTree], in_macro: bool) {
        let mut evident_await = None;
        for (index, tree) in trees.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| &trees[index]);
            let after = trees.get(index + 1);
            match tree {
                TokenTree::Ident(name) => {
                    let name = name.to_string();
                    if self.context == Some(name.as_str()) {
                        evident_await = self.context(trees, index, in_macro).or(evident_await);
                    } else if evident_await == Some(index) {
                        self.seen.awaits_context = true;
                    } else {
                        self.word(&name, before, after);
                    }
                }
                TokenTree::Group(group) => {
                    // What a macro of the user's has put together is not known as tokens.
                    self.is_declared |= group.delimiter() == Delimiter::None;
                    let inner: Vec<_> = group.stream().into_iter().collect();
                    self.trees(
                        &inner,
                        in_macro || before.is_some_and(|before| is(before, '!')),
                    );
                }
                TokenTree::Punct(punct) => self.punct(punct.as_char(), before, after),
                // `{:p}`
                TokenTree::Literal(literal) => {
                    self.seen.is_looked_for |= in_macro && literal.to_string().contains("p}");
                }
            }
        }
    }

    /// Looks at the name of the context. Gives the place of the `await` where a task is awaited that it
    /// gives.
    fn context(&mut self, trees: &[TokenTree], index: usize, in_macro: bool) -> Option<usize> {
        let is_path = index > 0
            && [':', '.']
                .into_iter()
                .any(|sign| is(&trees[index - 1], sign));
        let Some(call) = method(&trees[index + 1..]).filter(|_| !in_macro && !is_path) else {
            self.is_context_passed = true;
            self.seen.is_looked_for = true;
            return None;
        };
        let mut methods = Vec::new();
        let mut call = Some(call);
        let mut end = index + 1;
        while let Some((name, length)) = call {
            methods.push(name);
            end += length;
            call = method(&trees[end..]);
        }
        let is_awaited = matches!(
            &trees[end..],
            [dot, TokenTree::Ident(name), ..] if is(dot, '.') && name == "await"
        );
        (is_awaited && evident::give_task(&methods)).then_some(end + 1)
    }

    fn word(&mut self, name: &str, before: Option<&TokenTree>, after: Option<&TokenTree>) {
        let follows = |sign| after.is_some_and(|after| is(after, sign));
        let is_looked_for = match WORDS.get(name) {
            None => {
                let is_in_path = follows(':') || before.is_some_and(|before| is(before, ':'));
                name.starts_with("r#")
                    || is_in_path && PREFIXES.iter().any(|prefix| name.starts_with(prefix))
                    || is_like_a_static(name) && (after.is_none() || follows('.'))
            }
            Some(Word::Declares) => {
                self.is_declared = true;
                true
            }
            Some(Word::Looked | Word::Await) => true,
            Some(Word::LookedInPath) => {
                follows(':') || follows('!') || before.is_some_and(|before| is(before, ':'))
            }
            Some(Word::LookedBefore(next)) => after.is_some_and(|after| after.to_string() == *next),
        };
        self.seen.is_looked_for |= is_looked_for;
    }

    fn punct(&mut self, sign: char, before: Option<&TokenTree>, after: Option<&TokenTree>) {
        let is_dot = |tree: &TokenTree| is(tree, '.');
        self.seen.is_looked_for |= match sign {
            // Attributes.
            '#' => true,
            // `<Type>::function`
            '>' => after.is_some_and(|after| is(after, ':')),
            // Code that is being typed: there is no name yet.
            '.' => {
                let is_name = |tree: &TokenTree| match tree {
                    TokenTree::Ident(_) => !is_keyword(tree),
                    TokenTree::Literal(_) => true,
                    _ => is_dot(tree),
                };
                !before.is_some_and(is_dot) && !after.is_some_and(is_name)
            }
            _ => false,
        };
    }
}

/// The name of the method that is called in `.name(..)` or `.name::<..>(..)`, with which `trees` begin, and
/// how long that is.
fn method(trees: &[TokenTree]) -> Option<(String, usize)> {
    let [dot, TokenTree::Ident(name), rest @ ..] = trees else {
        return None;
    };
    let generics = generics(rest);
    let is_call = matches!(
        rest.get(generics),
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis
    );
    (is(dot, '.') && is_call).then(|| (name.to_string(), generics + 3))
}

/// How long the `::<..>` is with which `trees` begin, if they do.
fn generics(trees: &[TokenTree]) -> usize {
    let mut depth = 0_usize;
    let mut is_dash = false;
    for (index, tree) in trees.iter().enumerate() {
        let TokenTree::Punct(punct) = tree else {
            if depth == 0 {
                break;
            }
            continue;
        };
        match punct.as_char() {
            ':' if index < 2 => {}
            '<' => depth += 1,
            '>' if !is_dash => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            _ if depth == 0 => break,
            _ => {}
        }
        is_dash = punct.as_char() == '-';
    }
    0
}

fn is(tree: &TokenTree, sign: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == sign)
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::*;
    use crate::determinism::forbidden::tables_tests;

    /// Whether nothing of the body has to be parsed.
    fn is_plain(body: &str) -> bool {
        let body: TokenStream = body.parse().unwrap();
        let trees: Vec<_> = body.into_iter().collect();
        let mut survey = Survey::new(Some("ctx"));
        let seen = survey.statement(&trees);
        !survey.is_declared() && survey.is_plain(seen)
    }

    #[track_caller]
    fn are_plain(bodies: &[&str]) {
        for body in bodies {
            assert!(is_plain(body), "{body}");
        }
    }

    #[track_caller]
    fn are_parsed(bodies: &[&str]) {
        for body in bodies {
            assert!(!is_plain(body), "{body}");
        }
    }

    #[test]
    fn what_no_rule_is_about_is_plain() {
        are_plain(&[
            "let order = ctx.instance_id().to_owned();",
            "for item in 0..input { total += i64::from(item) * 2.5; }",
            "match paid { Ok(time) => notes.push(format!(\"{time:?}\")), Err(error) => return Err(error) }",
            "while waited < LIMIT && !is_done(&waited) { waited += 1; }",
            "let task = price as i64; let instant = a.now(); let fs = b..=c;",
            "let Some(env) = thread else { return Ok(()) };",
        ]);
    }

    #[test]
    fn tasks_of_the_context_are_plain() {
        are_plain(&[
            "ctx.sleep(delay).await",
            "if x { ctx.call_activity::<charge>((a, 1)).retry(policy).await? }",
            "f(ctx.wait_for_external_event::<Box<dyn Fn() -> Vec<u8>>>(\"go\").timeout(limit).await?)",
        ]);
        are_parsed(&[
            "x.await",
            "helper(1).await?",
            "ctx.await",
            "ctx.pay().await",
            "ctx.sleep(delay).boxed().await",
            "ctx.sleep(delay).await.more().await",
            "ctx.sleep::<Delay>.await",
            "self.ctx.sleep(delay).await",
            "other::ctx.sleep(delay).await",
            "go!(ctx.sleep(delay).await)",
            "go!([x.await])",
        ]);
    }

    #[test]
    fn a_context_that_may_be_another_makes_no_plain_tasks() {
        for bound in [
            "let ctx = other;",
            "let (ctx, x) = y;",
            "tasks.map(|ctx| x);",
            "bind!(ctx);",
            "helper(&ctx, 1);",
        ] {
            are_parsed(&[bound]);
            let mut survey = Survey::new(Some("ctx"));
            let of = |text: &str| -> Vec<_> {
                text.parse::<TokenStream>().unwrap().into_iter().collect()
            };
            let awaits = survey.statement(&of("ctx.sleep(delay).await?;"));
            let calls = survey.statement(&of("let id = ctx.instance_id();"));
            assert!(survey.is_plain(awaits));
            survey.statement(&of(bound));
            assert!(!survey.is_plain(awaits), "{bound}");
            assert!(survey.is_plain(calls), "{bound}");
        }
    }

    #[test]
    fn syntax_that_rules_are_about_is_parsed() {
        are_parsed(&[
            "use std::time;",
            "fn inner() {}",
            "let f = async |x| x;",
            "loop { }",
            "while true { }",
            "unsafe { }",
            "let a = &x as *const u8;",
            "let a = &raw const x;",
            "STATE.with(|x| x);",
            "(&STATE).with(|x| x);",
            "format!(\"{:p}\", x)",
            "a.elapsed()",
            "select! { }",
            "#[allow_nondeterminism(clock, reason = \"r\")] f();",
            "r#std::fs::read(x)",
            "<Instant>::now()",
        ]);
        let fragment = TokenTree::from(proc_macro2::Group::new(Delimiter::None, quote!(x)));
        let mut survey = Survey::new(None);
        survey.statement(&[fragment]);
        assert!(survey.is_declared());
    }

    #[test]
    fn code_that_is_being_typed_is_parsed() {
        are_parsed(&["ctx.", "ctx.;", "f(ctx.)", "x. let y = 1;", "x.y.;"]);
    }

    /// Whatever the tables have, however it is written.
    #[test]
    fn what_the_tables_have_is_parsed() {
        for path in tables_tests::examples_of_paths() {
            are_parsed(&[&format!("f({path}(x))"), &format!("m!({path})")]);
        }
        for path in tables_tests::examples_of_macros() {
            are_parsed(&[&format!("{path}!(x)")]);
        }
        for name in tables_tests::examples_of_types() {
            are_parsed(&[&format!("let x: {name} = y;")]);
        }
        for name in tables_tests::examples_of_methods() {
            are_parsed(&[&format!("x.{name}(y)")]);
        }
    }
}
