//! The system key of the management API.

use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::{Choice, ConstantTimeEq};
use uuid::Uuid;

use super::error::HttpError;
use super::query::Query;

/// A header in which the key may stand.
const HEADER: &str = "x-functions-key";

/// Makes a key: 48 random bytes, of which 366 bits are unknown to anyone, as 64 characters.
pub(crate) fn generate() -> String {
    let bytes: Vec<u8> = (0..3).flat_map(|_| Uuid::new_v4().into_bytes()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Whether the request has the key. How long that takes says nothing of the key but its length.
pub(super) fn check(key: &str, query: &Query, headers: &HeaderMap) -> Result<(), HttpError> {
    let in_query = query.text("code").unwrap_or_default().as_bytes();
    let in_header = headers
        .get(HEADER)
        .map_or(&[][..], |value| value.as_bytes());
    let is_right: Choice = key.as_bytes().ct_eq(in_query) | key.as_bytes().ct_eq(in_header);
    if is_right.into() {
        return Ok(());
    }
    Err(HttpError::new(
        StatusCode::UNAUTHORIZED,
        "this needs the system key: give it as the parameter `code` or the header `x-functions-key`",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_different() {
        let (one, other) = (generate(), generate());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
        assert!(
            one.bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        );
    }

    #[test]
    fn only_the_whole_key_is_right() {
        let query = |text: &str| Query::of(&format!("/?{text}").parse().unwrap());
        let none = HeaderMap::new();
        assert!(check("secret", &query("code=secret"), &none).is_ok());
        for wrong in [
            "",
            "code=",
            "code=secre",
            "code=secrets",
            "code=Secret",
            "key=secret",
        ] {
            assert!(check("secret", &query(wrong), &none).is_err(), "{wrong}");
        }
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, "secret".parse().unwrap());
        assert!(check("secret", &query(""), &headers).is_ok());
        headers.insert(HEADER, "secre".parse().unwrap());
        assert!(check("secret", &query(""), &headers).is_err());
    }
}
