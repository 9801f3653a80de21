//! What is said of a payload that is not what the code takes it for: what it is, the type, the field,
//! and why.
//!
//! Serde says why, but not where. A deserializer that notes the way it goes would have to be compiled
//! for every type of a program beside the one that reads it. So the field is found with the one that is
//! there: beginnings of the text, cut off behind one token or another, are read as the type. As long
//! as the cut is all that is wrong with one, what does not fit comes later.

use std::fmt;

use serde::de::DeserializeOwned;

use super::Failure;

/// A payload that does not fit the type that it is read as.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {reason}")]
pub(crate) struct Misfit {
    /// Which payload does not fit which type.
    pub(crate) what: String,
    /// The field, where it is not the whole, and what serde says.
    pub(crate) reason: String,
}

impl Misfit {
    /// Looks for what does not fit in `json`, which cannot be read as a `T` because of `error`. `what`
    /// names the payload, and whose it is.
    #[cold]
    pub(crate) fn find<T: DeserializeOwned>(
        what: &dyn fmt::Display,
        json: &str,
        error: &serde_json::Error,
    ) -> Self {
        let wanted = std::any::type_name::<T>();
        let what = format!("{what} does not fit its type `{wanted}`");
        Self::of(what, json, error, &is_refused::<T>)
    }

    /// The same without the type, compiled once.
    fn of(
        what: String,
        json: &str,
        error: &serde_json::Error,
        is_refused: &dyn Fn(&str) -> bool,
    ) -> Self {
        let said = error.to_string();
        // Where it is in a text that nobody sees.
        let place = format!(" at line {} column {}", error.line(), error.column());
        let said = said.strip_suffix(&place).unwrap_or(&said);
        let field = field(json, is_refused);
        Self {
            what,
            reason: if field.is_empty() {
                said.to_owned()
            } else {
                format!("at `{field}`: {said}")
            },
        }
    }
}

impl From<Misfit> for Failure {
    /// Trying again cannot mend it.
    fn from(misfit: Misfit) -> Self {
        Self::new(Self::SERIALIZATION, misfit.to_string()).non_retriable()
    }
}

/// Whether there is more wrong with the beginning of a text than that it is cut off.
fn is_refused<T: DeserializeOwned>(beginning: &str) -> bool {
    matches!(serde_json::from_str::<T>(beginning), Err(error) if !error.is_eof())
}

/// The field of `json` that does not fit, as `lines[2].price`; empty if it is the whole.
fn field(json: &str, is_refused: &dyn Fn(&str) -> bool) -> String {
    let mut walk = Walk::new(json);
    let ends: Vec<_> = std::iter::from_fn(|| walk.next()).collect();
    // What is refused stays refused, however the text goes on: it is read from its beginning.
    let first = ends.partition_point(|end| !is_refused(&json[..*end]));
    let mut walk = Walk::new(json);
    for _ in 0..=first {
        if walk.next().is_none() {
            return String::new();
        }
    }
    walk.way().to_string()
}

/// A walk over a JSON text, from token to token. It gets through any other text as well.
struct Walk<'a> {
    json: &'a str,
    at: usize,
    /// The way to where it is: one step for each array and object that is open.
    way: Vec<Step<'a>>,
    /// How many of these lead to what the last token belongs to.
    depth: usize,
    /// Whether the next text in an object is a value, and not a key.
    is_value: bool,
}

enum Step<'a> {
    Index(usize),
    /// As it is written, with its quotes.
    Key(&'a str),
}

impl<'a> Walk<'a> {
    fn new(json: &'a str) -> Self {
        Self {
            json,
            at: 0,
            way: Vec::new(),
            depth: 0,
            is_value: false,
        }
    }

    /// Goes past the next bracket, key or value, and gives where it ends.
    fn next(&mut self) -> Option<usize> {
        let bytes = self.json.as_bytes();
        loop {
            let begin = self.at;
            let byte = *bytes.get(begin)?;
            self.at += 1;
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => continue,
                b':' => {
                    self.is_value = true;
                    continue;
                }
                b',' => {
                    self.is_value = false;
                    if let Some(Step::Index(index)) = self.way.last_mut() {
                        *index += 1;
                    }
                    continue;
                }
                b'[' | b'{' => {
                    self.depth = self.way.len();
                    self.is_value = false;
                    self.way.push(match byte {
                        b'[' => Step::Index(0),
                        _ => Step::Key(""),
                    });
                }
                b']' | b'}' => {
                    self.way.pop();
                    self.depth = self.way.len();
                }
                b'"' => {
                    self.at = end_of_text(bytes, self.at);
                    self.depth = self.way.len();
                    if let (Some(Step::Key(key)), false) = (self.way.last_mut(), self.is_value) {
                        *key = self.json.get(begin..self.at).unwrap_or_default();
                        // What is said of a key names it.
                        self.depth -= 1;
                    }
                }
                _ => {
                    let rest = &bytes[self.at..];
                    let ends = |byte: &u8| b" \t\n\r,:[]{}\"".contains(byte);
                    self.at += rest.iter().position(ends).unwrap_or(rest.len());
                    self.depth = self.way.len();
                }
            }
            return Some(self.at);
        }
    }

    /// The way to what the last token belongs to.
    fn way(&self) -> Way<'_> {
        Way(&self.way[..self.depth])
    }
}

struct Way<'a>(&'a [Step<'a>]);

impl fmt::Display for Way<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => match plain(key) {
                    Some(name) if at == 0 => f.write_str(name)?,
                    Some(name) => write!(f, ".{name}")?,
                    None => write!(f, "[{key}]")?,
                },
            }
        }
        Ok(())
    }
}

/// The end of a text, behind its closing quote. `at` is behind the opening one.
fn end_of_text(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// A key without its quotes, if it can stand without them.
fn plain(key: &str) -> Option<&str> {
    let name = key.strip_prefix('"')?.strip_suffix('"')?;
    let is_plain = |char: char| char.is_alphanumeric() || matches!(char, '_' | '-');
    (!name.is_empty() && name.chars().all(is_plain)).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "it is only read")]
    struct Order {
        lines: Vec<Line>,
        #[serde(default)]
        notes: BTreeMap<String, u8>,
        #[serde(default)]
        pair: Option<(u8, u8)>,
        #[serde(default)]
        payment: Option<Payment>,
        #[serde(default)]
        either: Option<Either>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is only read")]
    struct Line {
        price: u32,
        size: Option<Size>,
    }

    /// An error of it is none of serde's own.
    #[derive(Debug, Deserialize)]
    #[serde(try_from = "String")]
    struct Size;

    impl TryFrom<String> for Size {
        type Error = String;

        fn try_from(text: String) -> Result<Self, String> {
            match &*text {
                "big" => Ok(Self),
                // As a text in a text would say it.
                _ => Err("no size at line 1 column 2".to_owned()),
            }
        }
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it is only read")]
    enum Payment {
        Cash,
        Card { number: u64 },
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "it is only read")]
    enum Either {
        Number(u8),
        Text(String),
    }

    fn reason<T: DeserializeOwned + fmt::Debug>(json: &str) -> String {
        let error = serde_json::from_str::<T>(json).unwrap_err();
        let misfit = Misfit::find::<T>(&"it", json, &error);
        let wanted = std::any::type_name::<T>();
        assert_eq!(misfit.what, format!("it does not fit its type `{wanted}`"));
        misfit.reason
    }

    #[test]
    fn the_field_that_does_not_fit_is_named() {
        let cases = [
            ("7", "invalid type: integer `7`, expected struct Order"),
            ("{}", "missing field `lines`"),
            (
                r#"{"lines":[{"price":1},{"price":"2"}],"notes":{}}"#,
                "at `lines[1].price`: invalid type: string \"2\", expected u32",
            ),
            (
                r#"{"lines":[{"price":1},{"size":"big"}]}"#,
                "at `lines[1]`: missing field `price`",
            ),
            (
                r#" { "lines" : [ { "price" : { } } ] } "#,
                "at `lines[0].price`: invalid type: map, expected u32",
            ),
            (
                r#"{"lines":[{"price":1,"size":"small"},{"price":1}]}"#,
                "at `lines[0].size`: no size",
            ),
            (r#"{"lines":[],"lines":[]}"#, "duplicate field `lines`"),
            (
                r#"{"lines":[],"colour":"red"}"#,
                "unknown field `colour`, expected one of `lines`, `notes`, `pair`, `payment`, `either`",
            ),
            (
                r#"{"notes":{"a b":1,"\"}[":300},"lines":[]}"#,
                "at `notes[\"\\\"}[\"]`: invalid value: integer `300`, expected u8",
            ),
            (
                r#"{"lines":[],"pair":[1]}"#,
                "at `pair`: invalid length 1, expected a tuple of size 2",
            ),
            (
                r#"{"lines":[],"pair":[1,2,3]}"#,
                "at `pair[2]`: trailing characters",
            ),
            (
                r#"{"lines":[],"payment":"Cheque"}"#,
                "at `payment`: unknown variant `Cheque`, expected `Cash` or `Card`",
            ),
            (
                r#"{"lines":[],"payment":{"Card":{"number":-1}}}"#,
                "at `payment.Card.number`: invalid value: integer `-1`, expected u64",
            ),
            (
                r#"{"lines":[],"payment":3}"#,
                "at `payment`: expected value",
            ),
            (
                r#"{"lines":[],"either":[1]}"#,
                "at `either`: data did not match any variant of untagged enum Either",
            ),
        ];
        for (json, expected) in cases {
            assert_eq!(reason::<Order>(json), expected, "{json}");
        }
        assert_eq!(
            reason::<Vec<Vec<u8>>>("[[1],[2,-3]]"),
            "at `[1][1]`: invalid value: integer `-3`, expected u8"
        );
    }

    // What a server answers need not be JSON.
    #[test]
    fn any_text_is_walked_through() {
        for text in ["", "]", "}\"", "{\"a\\", "{:[,]\"é\\", "nul", "[\"a\":}1"] {
            let mut walk = Walk::new(text);
            while let Some(end) = walk.next() {
                assert!(text.is_char_boundary(end), "{text}");
                let _ = walk.way().to_string();
            }
            reason::<BTreeMap<String, u8>>(text);
        }
    }

    // Looking for the field reads the text some times, not once for each of its tokens.
    #[test]
    fn a_long_text_is_read_few_times() {
        let json = format!("[{}\"x\"]", "1,".repeat(100_000));
        let reads = std::cell::Cell::new(0);
        let found = field(&json, &|beginning| {
            reads.set(reads.get() + 1);
            is_refused::<Vec<u8>>(beginning)
        });
        assert_eq!(found, "[100000]");
        assert!(reads.get() <= 18, "{reads:?}");
    }
}
