//! The body of a request.

use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use futures_util::StreamExt;
use serde_json::Value;
use serde_json::value::RawValue;

use super::error::HttpError;

/// The bytes of a body, and what the client says they are.
#[derive(Debug)]
pub(super) struct Content {
    bytes: Vec<u8>,
    media: Media,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Media {
    Json,
    Unnamed,
    Other,
}

impl Content {
    /// Reads at most `limit` bytes, for at most `patience`.
    pub(super) async fn read(
        body: Body,
        headers: &HeaderMap,
        limit: usize,
        patience: Duration,
    ) -> Result<Self, HttpError> {
        let too_large = || {
            HttpError::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body is over the limit of {limit} bytes: send less"),
            )
        };
        let length = headers
            .get(CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok());
        let length = length.and_then(|length| length.parse::<u64>().ok());
        if length
            .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > limit))
        {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        let reading = async {
            let mut pieces = body.into_data_stream();
            while let Some(piece) = pieces.next().await {
                let piece = piece.map_err(|_| {
                    HttpError::bad_request("the body ended too soon, or its chunks are malformed")
                })?;
                if piece.len() > limit - bytes.len() {
                    return Err(too_large());
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(())
        };
        tokio::time::timeout(patience, reading)
            .await
            .map_err(|_| {
                let message = format!("the body did not arrive within {patience:?}");
                HttpError::new(StatusCode::REQUEST_TIMEOUT, message)
            })??;
        Ok(Self {
            bytes,
            media: Media::of(headers),
        })
    }

    /// The body as JSON, whatever the client says it is; `null` if it is empty.
    pub(super) fn json(&self) -> Result<Box<RawValue>, HttpError> {
        let text = self.text("JSON")?.trim();
        if text.is_empty() {
            return Ok(RawValue::NULL.to_owned());
        }
        let malformed = |error: serde_json::Error| {
            HttpError::bad_request(format!("the body is not JSON: {error}"))
        };
        // Whoever reads it later is as strict as this: about depth, for instance.
        serde_json::from_str::<Value>(text).map_err(malformed)?;
        RawValue::from_string(text.to_owned()).map_err(malformed)
    }

    /// The body as JSON, which the client must not say it is not; `null` if it is empty.
    pub(super) fn declared_json(&self) -> Result<Box<RawValue>, HttpError> {
        if self.media == Media::Other && !self.bytes.is_empty() {
            return Err(HttpError::bad_request(
                "Only application/json request content is supported",
            ));
        }
        self.json()
    }

    /// The body as JSON if that is what the client says it is, and otherwise as a string; one of which
    /// it says nothing is taken for what it looks like. `None` if it is empty.
    pub(super) fn json_or_text(&self) -> Result<Option<Box<RawValue>>, HttpError> {
        if self.bytes.is_empty() {
            return Ok(None);
        }
        let as_json = match self.media {
            Media::Json => Some(self.json()?),
            Media::Unnamed => self.json().ok(),
            Media::Other => None,
        };
        if as_json.is_some() {
            return Ok(as_json);
        }
        let text = self.text("text")?;
        let quoted = serde_json::value::to_raw_value(text);
        quoted
            .map(Some)
            .map_err(|error| HttpError::bad_request(error.to_string()))
    }

    fn text(&self, kind: &str) -> Result<&str, HttpError> {
        let text = std::str::from_utf8(&self.bytes).map_err(|error| {
            HttpError::bad_request(format!("the body is not {kind} in UTF-8: {error}"))
        })?;
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }
}

impl Media {
    fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else {
            return Self::Unnamed;
        };
        let text = value.to_str().unwrap_or_default();
        let media = text.split(';').next().unwrap_or_default().trim();
        if media.eq_ignore_ascii_case("application/json") {
            Self::Json
        } else if media.is_empty() {
            Self::Unnamed
        } else {
            Self::Other
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(text: &str, media: Media) -> Content {
        Content {
            bytes: text.as_bytes().to_vec(),
            media,
        }
    }

    #[test]
    fn json_is_kept_as_it_was_sent() {
        for text in [
            "{\"a\": 1.50}",
            "12345678901234567890123",
            "\"{\\\"a\\\":1}\"",
            "\"\"",
        ] {
            assert_eq!(content(text, Media::Other).json().unwrap().get(), text);
        }
        assert_eq!(
            content("\u{feff} 1 ", Media::Json).json().unwrap().get(),
            "1"
        );
        for text in ["", "  \n"] {
            assert_eq!(content(text, Media::Json).json().unwrap().get(), "null");
        }
    }

    #[test]
    fn what_nobody_could_read_later_is_refused() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        for text in ["{", "nul", "1 2", "\"\\ud800\"", "1e999", &deep] {
            assert!(content(text, Media::Json).json().is_err(), "{text}");
        }
    }

    #[test]
    fn only_a_signal_may_be_text() {
        let text = |text, media| content(text, media).json_or_text();
        assert_eq!(text("5", Media::Json).unwrap().unwrap().get(), "5");
        assert_eq!(text("5", Media::Unnamed).unwrap().unwrap().get(), "5");
        assert_eq!(text("5", Media::Other).unwrap().unwrap().get(), "\"5\"");
        assert_eq!(
            text("a\"b", Media::Unnamed).unwrap().unwrap().get(),
            "\"a\\\"b\""
        );
        assert!(text("a", Media::Json).is_err());
        assert!(text("", Media::Json).unwrap().is_none());
        assert!(content("5", Media::Other).declared_json().is_err());
        assert_eq!(
            content("", Media::Other).declared_json().unwrap().get(),
            "null"
        );
        assert_eq!(
            content("5", Media::Unnamed).declared_json().unwrap().get(),
            "5"
        );
    }
}
