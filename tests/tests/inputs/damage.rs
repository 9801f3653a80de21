//! Inputs that are wrong in one place or several.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// One change.
#[derive(Debug, Clone)]
enum Edit {
    Set(Index, u8),
    Cut(Index, usize),
    Truncate(Index),
    Repeat(Index, usize, usize),
    Insert(Index, Vec<u8>),
    /// Puts another number in the place of the first one from there on.
    Renumber(Index, &'static str),
    /// Moves a piece elsewhere.
    Move(Index, usize, Index),
}

const NUMBERS: [&str; 12] = [
    "0",
    "-1",
    "1",
    "7",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "8210266876799999999",
    "1e308",
    "1e999",
    "0.5",
];

/// Random bytes now and then, and mostly one of `valid` with up to four changes; what is inserted is taken
/// from `words`, or random.
pub(crate) fn damaged(
    valid: Vec<Vec<u8>>,
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..200),
        1 => vec(select(words), 0..30).prop_map(|words| words.concat().into_bytes()),
        8 => (select(valid), vec(edit(words), 1..5)).prop_map(|(mut input, edits)| {
            for edit in edits {
                edit.apply(&mut input);
            }
            input
        }),
    ]
}

fn edit(words: &'static [&'static str]) -> impl Strategy<Value = Edit> {
    let at = any::<Index>;
    prop_oneof![
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Edit::Set(at, byte)),
        2 => (at(), 1..40_usize).prop_map(|(at, length)| Edit::Cut(at, length)),
        1 => at().prop_map(Edit::Truncate),
        1 => (at(), 1..60_usize, 1..40_usize)
            .prop_map(|(at, length, times)| Edit::Repeat(at, length, times)),
        3 => (at(), select(words))
            .prop_map(|(at, word)| Edit::Insert(at, word.as_bytes().to_vec())),
        1 => (at(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Edit::Insert(at, bytes)),
        3 => (at(), select(&NUMBERS[..])).prop_map(|(at, number)| Edit::Renumber(at, number)),
        2 => (at(), 1..80_usize, at()).prop_map(|(from, length, to)| Edit::Move(from, length, to)),
    ]
}

impl Edit {
    fn apply(self, input: &mut Vec<u8>) {
        let place = |at: Index, input: &[u8]| at.index(input.len() + 1);
        match self {
            Self::Set(at, byte) => {
                let at = place(at, input);
                if let Some(to) = input.get_mut(at) {
                    *to = byte;
                }
            }
            Self::Cut(at, length) => drop(cut(input, place(at, input), length)),
            Self::Truncate(at) => input.truncate(place(at, input)),
            Self::Repeat(at, length, times) => {
                let at = place(at, input);
                let end = (at + length).min(input.len());
                let piece = input[at..end].repeat(times);
                input.splice(at..at, piece);
            }
            Self::Insert(at, bytes) => {
                let at = place(at, input);
                input.splice(at..at, bytes);
            }
            Self::Renumber(at, number) => {
                let at = place(at, input);
                let is_digit = |byte: &u8| byte.is_ascii_digit();
                if let Some(first) = input[at..].iter().position(is_digit) {
                    let first = at + first;
                    let length = input[first..]
                        .iter()
                        .take_while(|byte| is_digit(byte))
                        .count();
                    input.splice(first..first + length, number.bytes());
                }
            }
            Self::Move(from, length, to) => {
                let piece = cut(input, place(from, input), length);
                let to = place(to, input);
                input.splice(to..to, piece);
            }
        }
    }
}

fn cut(input: &mut Vec<u8>, at: usize, length: usize) -> Vec<u8> {
    let end = (at + length).min(input.len());
    input.drain(at..end).collect()
}
