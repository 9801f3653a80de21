//! A page of a long list.

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::HttpError;
use super::service::Call;
use crate::client::ClientError;

/// Where the next page begins: in the answer to one, and in the request for the next.
const CONTINUATION_TOKEN: &str = "x-ms-continuation-token";
/// How many are on a page, unless something else is asked for.
const PAGE_SIZE: usize = 100;
/// A page that has so many bytes ends there, so that nobody can ask for more than memory holds.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// How many are read from storage at a time.
const READ_AT_ONCE: usize = 50;

/// A page in the making. It is read in parts, of which only the JSON is kept.
#[derive(Debug)]
pub(super) struct Page {
    left: usize,
    token: Option<String>,
    json: Vec<u8>,
}

impl Page {
    /// The page that is asked for.
    pub(super) fn of(call: &Call) -> Result<Self, HttpError> {
        let token = match call
            .headers
            .get(CONTINUATION_TOKEN)
            .filter(|token| !token.is_empty())
        {
            None => None,
            Some(token) => {
                let token = token
                    .to_str()
                    .map_err(|_| ClientError::InvalidContinuationToken)?;
                Some(token.to_owned())
            }
        };
        Ok(Self {
            left: call.query.count("top")?.unwrap_or(PAGE_SIZE),
            token,
            json: Vec::new(),
        })
    }

    /// How many to read next.
    pub(super) fn part_size(&self) -> usize {
        self.left.min(READ_AT_ONCE)
    }

    /// Where to go on.
    pub(super) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Adds what was read, and whether that is all for this page.
    pub(super) fn add<T: Serialize>(
        &mut self,
        part: impl ExactSizeIterator<Item = T>,
        token: Option<String>,
    ) -> Result<bool, HttpError> {
        self.left = self.left.saturating_sub(part.len());
        self.token = token;
        for item in part {
            self.json
                .push(if self.json.is_empty() { b'[' } else { b',' });
            serde_json::to_writer(&mut self.json, &item).map_err(HttpError::unwritable)?;
        }
        Ok(self.token.is_none() || self.left == 0 || self.json.len() >= MAX_PAGE_BYTES)
    }

    /// The page if nothing can be on it.
    pub(super) fn without_any(mut self) -> Response {
        self.token = None;
        self.into_response()
    }

    pub(super) fn into_response(mut self) -> Response {
        if self.json.is_empty() {
            self.json.push(b'[');
        }
        self.json.push(b']');
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = self.token.and_then(|token| token.try_into().ok()) {
            headers.insert(CONTINUATION_TOKEN, token);
        }
        (headers, Body::from(self.json)).into_response()
    }
}
