//! Bodies as they stand in JSON: text where they are text, else base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A body in JSON, and whether it is base64 there.
pub(super) fn to_text(bytes: Vec<u8>) -> (String, bool) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, false),
        Err(error) => (STANDARD.encode(error.as_bytes()), true),
    }
}

/// The body that [`to_text`] wrote. A text that was changed since and is no base64 is taken as it is.
pub(super) fn to_bytes(text: &str, is_base64: bool) -> Vec<u8> {
    is_base64
        .then(|| STANDARD.decode(text).ok())
        .flatten()
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_body_comes_back_as_it_was() {
        for body in [&b""[..], b"{}", "größe".as_bytes(), &[0xff, 0, 1]] {
            let (text, is_base64) = to_text(body.to_vec());
            assert_eq!(to_bytes(&text, is_base64), body);
            assert_eq!(is_base64, body.contains(&0xff));
        }
    }
}
