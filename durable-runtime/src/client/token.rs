//! Continuation tokens: where a page ended, as opaque text.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Makes a token of `place`, with a checksum before it.
pub(super) fn encode(place: &str) -> String {
    let mut bytes = crc32fast::hash(place.as_bytes()).to_be_bytes().to_vec();
    bytes.extend_from_slice(place.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What `token` was made of; `None` if it was changed.
pub(super) fn decode(token: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (checksum, text) = bytes.split_first_chunk::<4>()?;
    if crc32fast::hash(text) != u32::from_be_bytes(*checksum) {
        return None;
    }
    String::from_utf8(text.to_vec()).ok()
}
