//! The origin that a request was sent to: what URLs in its answer begin with.

use std::fmt;

use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: &'static str,
    authority: String,
}

impl Origin {
    /// Reads an origin such as `https://example.com:8443`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (scheme, authority) = text.trim_end_matches('/').split_once("://")?;
        Some(Self {
            scheme: known_scheme(scheme)?,
            authority: checked(authority)?,
        })
    }

    /// The origin that the client has used, or, where `trust_forwarded_headers` says so, the one that
    /// a proxy says it has used. `None` if the request does not tell.
    pub(crate) fn of_request(
        uri: &Uri,
        headers: &HeaderMap,
        trust_forwarded_headers: bool,
    ) -> Option<Self> {
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let mut origin = Self {
            scheme: "http",
            authority: checked(uri.authority().map(Authority::as_str).or(host)?)?,
        };
        if !trust_forwarded_headers {
            return Some(origin);
        }
        if let Some(scheme) = first(headers, "x-forwarded-proto").and_then(known_scheme) {
            origin.scheme = scheme;
        }
        if let Some(authority) = first(headers, "x-forwarded-host").and_then(checked) {
            origin.authority = authority;
            if let Some(port) =
                first(headers, "x-forwarded-port").and_then(|port| port.parse().ok())
            {
                origin.add_port(port);
            }
        }
        Some(origin)
    }

    /// Whether text that a browser sends as `Origin` means the same.
    pub(super) fn has_authority_of(&self, origin: &str) -> bool {
        let other = origin.split_once("://").map(|(_, authority)| authority);
        other.is_some_and(|other| self.authority.eq_ignore_ascii_case(other))
    }

    /// Adds the port if none is named and it is not the usual one.
    fn add_port(&mut self, port: u16) {
        let usual = if self.scheme == "https" { 443 } else { 80 };
        let is_named = self
            .authority
            .parse::<Authority>()
            .is_ok_and(|named| named.port().is_some());
        if port != usual && !is_named {
            self.authority = format!("{}:{port}", self.authority);
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.authority)
    }
}

fn known_scheme(scheme: &str) -> Option<&'static str> {
    ["http", "https"]
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(scheme))
}

/// What would not be understood in a URL is not put into one.
fn checked(authority: &str) -> Option<String> {
    let authority = authority.parse::<Authority>().ok()?;
    (!authority.as_str().contains('@')).then(|| authority.to_string())
}

/// The first of several values: the one that the first proxy has set.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = headers.get(name)?.to_str().ok()?;
    value.split(',').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(headers: &[(&'static str, &str)], trust: bool) -> Option<String> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        Origin::of_request(&Uri::from_static("/x"), &map, trust).map(|origin| origin.to_string())
    }

    // Rule 42: the URLs of an answer have the origin of the request.
    #[test]
    fn the_origin_is_the_one_that_the_client_used() {
        let headers = [
            ("host", "inner:7071"),
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-host", "outer.example.com, inner"),
            ("x-forwarded-port", "8443"),
        ];
        assert_eq!(origin(&headers, false).unwrap(), "http://inner:7071");
        assert_eq!(
            origin(&headers, true).unwrap(),
            "https://outer.example.com:8443"
        );
        assert_eq!(
            origin(&headers[..3], true).unwrap(),
            "https://outer.example.com"
        );
        assert_eq!(origin(&headers[..2], true).unwrap(), "https://inner:7071");
        assert_eq!(
            origin(&[("host", "[::1]:80")], true).unwrap(),
            "http://[::1]:80"
        );
    }

    #[test]
    fn what_is_no_host_makes_no_origin() {
        assert_eq!(origin(&[], false), None);
        for host in ["a b", "user@host", "<script>", ""] {
            assert_eq!(origin(&[("host", host)], false), None, "{host}");
        }
        let forged = [
            ("host", "inner"),
            ("x-forwarded-host", "a b"),
            ("x-forwarded-proto", "ftp"),
        ];
        assert_eq!(origin(&forged, true).unwrap(), "http://inner");
    }

    #[test]
    fn origins_are_read() {
        let parse = |text| Origin::parse(text).map(|origin| origin.to_string());
        assert_eq!(parse("https://a.b/").unwrap(), "https://a.b");
        assert_eq!(parse("HTTP://a:1").unwrap(), "http://a:1");
        for text in ["a.b", "ftp://a", "http://", "http://a/b"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
