//! Ordinary code that no rule is about.
use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::fmt::{self, Display, Write as _};
use std::iter;
use std::mem;
use std::num::NonZeroU32;
use std::ops::ControlFlow;

use durable_runtime::prelude::*;
use serde_json::Value;

struct Money(u64);

impl Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[orchestrator]
async fn of_collections(_ctx: OrchestrationContext, mut numbers: Vec<u32>) -> Result<Vec<u32>> {
    let old = mem::take(&mut numbers);
    numbers.extend(old.into_iter().filter(|number| number % 2 == 0).rev());
    let (mut left, mut right) = (vec![1], vec![2]);
    mem::swap(&mut left, &mut right);
    drop(mem::replace(&mut left, Vec::new()));
    numbers.sort_by_key(|&number| Reverse(number));
    numbers.sort_unstable_by(|left, right| left.cmp(right).then(Ordering::Equal));
    numbers.dedup();
    numbers.retain(|number| *number > 0);
    for (index, window) in numbers.windows(2).enumerate().skip(1).step_by(2) {
        assert!(index > 0 && window.len() == 2);
    }
    let found = numbers.iter().try_for_each(|number| match number {
        7 => ControlFlow::Break(*number),
        _ => ControlFlow::Continue(()),
    });
    assert!(found.is_continue());
    numbers.extend(iter::repeat_n(3, 2).chain(iter::once(4)).chain(1..=3));
    Ok(iter::successors(Some(1), |number| (*number < 100).then(|| number * 2)).collect())
}

#[orchestrator]
async fn of_text(_ctx: OrchestrationContext, text: String) -> Result<String> {
    let number: i64 = text.trim().parse()?;
    let float = "1.5".parse::<f64>()?.sqrt();
    let size = NonZeroU32::new(7).map_or(0, NonZeroU32::get);
    let mut out = String::with_capacity(16);
    write!(out, "{number} {float:.1} {size} {}", Money(1234))?;
    let line: Cow<'_, str> = out.lines().next().map_or("".into(), Into::into);
    Ok(line
        .split(' ')
        .map(str::to_uppercase)
        .collect::<Vec<_>>()
        .join("-"))
}

#[orchestrator]
async fn of_json(_ctx: OrchestrationContext, value: Value) -> Result<Value> {
    let name = value["name"].as_str().unwrap_or("nobody");
    let Value::Array(items) = &value["items"] else {
        return Err(Error::non_retriable(fmt::Error));
    };
    let mut text = serde_json::to_string(items)?;
    text.push_str(name);
    Ok(serde_json::from_str(&text)?)
}

#[orchestrator]
async fn that_panics(_ctx: OrchestrationContext, number: u32) -> Result<u32> {
    assert_ne!(number, 0, "zero");
    match number {
        1 => todo!(),
        2 => unimplemented!("two"),
        3 => unreachable!(),
        4 => panic!("four"),
        _ => Ok(number),
    }
}

fn main() {}
