//! The headers of a request or response.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Headers: names without regard to case, each with one or several values.
///
/// In JSON an object; where a name has several values, they are an array.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HttpHeaders {
    values: BTreeMap<String, Vec<String>>,
}

impl HttpHeaders {
    /// The first value of `name`.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.get_all(name).next()
    }

    /// All values of `name`, in the order in which they came.
    pub fn get_all(&self, name: &str) -> impl Iterator<Item = &str> {
        let values = self.values.get(&name.to_ascii_lowercase());
        values.into_iter().flatten().map(String::as_str)
    }

    /// All names, in lower case, each with each of its values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().flat_map(|(name, values)| {
            let values = values.iter();
            values.map(move |value| (name.as_str(), value.as_str()))
        })
    }

    /// Adds a value to those that `name` has.
    pub fn append(&mut self, name: &str, value: impl Into<String>) {
        let values = self.values.entry(name.to_ascii_lowercase()).or_default();
        values.push(value.into());
    }

    /// Puts one value in the place of all that `name` has.
    pub fn insert(&mut self, name: &str, value: impl Into<String>) {
        self.values
            .insert(name.to_ascii_lowercase(), vec![value.into()]);
    }

    /// Takes `name` out.
    pub fn remove(&mut self, name: &str) {
        self.values.remove(&name.to_ascii_lowercase());
    }

    /// Whether `name` has a value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Values {
    One(String),
    Several(Vec<String>),
}

impl Serialize for HttpHeaders {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.values.iter().map(|(name, values)| {
            let values = match values.as_slice() {
                [value] => Values::One(value.clone()),
                several => Values::Several(several.to_vec()),
            };
            (name, values)
        }))
    }
}

impl<'de> Deserialize<'de> for HttpHeaders {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut headers = Self::default();
        for (name, values) in BTreeMap::<String, Values>::deserialize(deserializer)? {
            let values = match values {
                Values::One(value) => vec![value],
                Values::Several(values) => values,
            };
            for value in values {
                headers.append(&name, value);
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_any_number_of_values() {
        let mut headers = HttpHeaders::default();
        headers.append("Set-Cookie", "a=1");
        headers.append("set-cookie", "b=2");
        headers.insert("ETag", "x");
        let json = serde_json::to_string(&headers).unwrap();
        assert_eq!(json, r#"{"etag":"x","set-cookie":["a=1","b=2"]}"#);
        let read: HttpHeaders = serde_json::from_str(&json).unwrap();
        assert_eq!(read, headers);
        assert_eq!(read.get_all("SET-COOKIE").count(), 2);
        assert_eq!(read.get("Etag"), Some("x"));
    }
}
