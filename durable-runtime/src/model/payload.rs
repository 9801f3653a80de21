//! User data on its way through the runtime: JSON text, encoded once and never looked into.

use std::fmt;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::misfit::Misfit;

/// A JSON text. Cheap to clone; written into history and messages as it is.
#[derive(Clone)]
pub struct Payload(Arc<RawValue>);

impl Payload {
    /// Encodes `value`.
    ///
    /// # Errors
    ///
    /// What serde says when `value` has no JSON form, such as a map with keys that are not strings.
    pub fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Self, serde_json::Error> {
        Ok(Self(serde_json::value::to_raw_value(value)?.into()))
    }

    /// The JSON `null`.
    pub fn null() -> Self {
        Self(RawValue::NULL.to_owned().into())
    }

    /// Takes a text that was checked when it was stored, and checks it again.
    ///
    /// # Errors
    ///
    /// Where the text is not JSON.
    pub fn from_json(text: String) -> Result<Self, serde_json::Error> {
        Ok(Self(RawValue::from_string(text)?.into()))
    }

    /// Reads the payload as a `T`.
    ///
    /// # Errors
    ///
    /// What does not fit, and where in the text.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }

    /// Reads the payload, which `what` names, as a `T`.
    ///
    /// # Errors
    ///
    /// What does not fit: the payload, the type, the field, and why.
    pub(crate) fn read<T: DeserializeOwned>(&self, what: &dyn fmt::Display) -> Result<T, Misfit> {
        self.decode()
            .map_err(|error| Misfit::find::<T>(what, self.as_json(), &error))
    }

    /// The payload as a JSON value.
    pub fn to_value(&self) -> serde_json::Value {
        // The text was checked when the payload was made.
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }

    /// The JSON text.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// Whether the text is longer than `limit` bytes.
    ///
    /// # Errors
    ///
    /// [`PayloadTooLarge`] when it is.
    pub fn check_size(&self, limit: usize) -> Result<(), PayloadTooLarge> {
        let size = self.0.get().len();
        if size > limit {
            Err(PayloadTooLarge { size, limit })
        } else {
            Ok(())
        }
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

impl Serialize for Payload {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Box::<RawValue>::deserialize(deserializer)?.into()))
    }
}

/// A payload over the limit of the host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "payload of {size} bytes is over the limit of {limit} bytes: pass a reference to the data \
     instead, or raise `HostOptions::max_payload_bytes`"
)]
pub struct PayloadTooLarge {
    /// Its length as JSON, in bytes.
    pub size: usize,
    /// The longest allowed, in bytes.
    pub limit: usize,
}
