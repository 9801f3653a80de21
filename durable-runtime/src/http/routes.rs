//! The routes of the management API: what is asked for by which method and path. The `OpenAPI` document
//! is made of the same table.

use axum::http::Method;
use percent_encoding::percent_decode_str;

use super::error::HttpError;
use super::openapi::{Answer, Content, Parameter};

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Start,
    ListInstances,
    PurgeInstances,
    GetStatus,
    PurgeInstance,
    RaiseEvent,
    Terminate,
    Suspend,
    Resume,
    Rewind,
    Restart,
    ListEntities,
    GetEntity,
    SignalEntity,
    DeleteEntity,
    Health,
    OpenApi,
}

/// One way to ask for something.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) method: Method,
    /// Below the base. What is in braces stands for any segment.
    pub(super) path: &'static str,
    pub(super) operation: Operation,
    pub(super) summary: &'static str,
    pub(super) query: &'static [Parameter],
    pub(super) content: Content,
    pub(super) answers: &'static [Answer],
}

impl Route {
    /// The names of the segments that stand for any.
    pub(super) fn segments(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(captured)
    }

    /// What stands in the places of the braces; `None` if the path is another one.
    fn captures(&self, segments: &[String]) -> Option<Vec<String>> {
        let mut pattern = self.path.split('/').skip(1);
        let mut found = Vec::new();
        for segment in segments {
            let expected = pattern.next()?;
            if captured(expected).is_some() {
                found.push(segment.clone());
            } else if !expected.eq_ignore_ascii_case(segment) {
                return None;
            }
        }
        pattern.next().is_none().then_some(found)
    }
}

fn captured(segment: &'static str) -> Option<&'static str> {
    segment.strip_prefix('{')?.strip_suffix('}')
}

/// Finds what `path`, without the base, asks for, and what stands in its variable segments. Fixed
/// segments have any case, and slashes at the end do not count, as in Durable Functions.
pub(super) fn find(method: &Method, path: &str) -> Result<(Operation, Vec<String>), HttpError> {
    let segments = path.trim_matches('/').split('/').map(decode);
    let segments = segments.collect::<Result<Vec<_>, _>>()?;
    // Whoever asks for the head of an answer gets that of the same answer.
    let method = if *method == Method::HEAD {
        &Method::GET
    } else {
        method
    };
    let mut others = Vec::new();
    for route in &super::table::ROUTES {
        if let Some(captures) = route.captures(&segments) {
            if route.method == *method {
                return Ok((route.operation, captures));
            }
            others.push(route.method.as_str());
        }
    }
    if others.is_empty() {
        Err(HttpError::not_found(
            "there is nothing at this path: see `openapi.json` for what there is",
        ))
    } else {
        Err(HttpError::method_not_allowed(others.join(", ")))
    }
}

fn decode(segment: &str) -> Result<String, HttpError> {
    let decoded = percent_decode_str(segment).decode_utf8();
    decoded.map(String::from).map_err(|_| {
        HttpError::bad_request("the path is not UTF-8 when its percent signs are decoded")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, path: &str) -> (Operation, Vec<String>) {
        find(method, path).unwrap()
    }

    // Rule 42: paths are read as Durable Functions reads them.
    #[test]
    fn paths_are_found() {
        let list = (Operation::ListInstances, Vec::new());
        for path in ["/instances", "/instances/", "/Instances//"] {
            assert_eq!(found(&Method::GET, path), list, "{path}");
        }
        let event = (
            Operation::RaiseEvent,
            vec!["a b".to_owned(), "go/1".to_owned()],
        );
        assert_eq!(
            found(&Method::POST, "/instances/a%20b/raiseevent/go%2F1"),
            event
        );
        let head = (Operation::GetStatus, vec!["a".to_owned()]);
        assert_eq!(found(&Method::HEAD, "/instances/a"), head);
        let kind = (Operation::ListEntities, vec!["counter".to_owned()]);
        assert_eq!(found(&Method::GET, "/entities/counter/"), kind);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        for path in [
            "/",
            "/nothing",
            "/instances/a/b",
            "/instances/a/raiseEvent/b/c",
            "/instances/%ff",
        ] {
            assert!(find(&Method::POST, path).is_err(), "{path}");
        }
        assert!(find(&Method::PUT, "/instances").is_err());
    }
}
