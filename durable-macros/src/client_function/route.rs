//! The path of an HTTP trigger, in axum's syntax.

use std::collections::BTreeSet;

use syn::LitStr;

/// Where the management API is; nothing else can be there.
const RESERVED: &str = "/runtime/webhooks/durabletask";

pub(super) fn check(path: &LitStr) -> syn::Result<()> {
    why_not(&path.value()).map_or(Ok(()), |message| Err(syn::Error::new(path.span(), message)))
}

/// What is wrong with a path, if anything is.
fn why_not(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return Some(format!("a path begins with a slash: write `\"/{path}\"`"));
    }
    if let Some(wrong) = path.chars().find(|c| is_forbidden(*c)) {
        return Some(format!(
            "a path holds no {wrong:?}: remove it (a query is read with the extractor `Query`)"
        ));
    }
    let lower = path.to_ascii_lowercase();
    if lower
        .strip_prefix(RESERVED)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    {
        return Some(format!(
            "the management API is below `{RESERVED}`: choose another path"
        ));
    }
    let mut names = BTreeSet::new();
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        match parameter(segment) {
            Err(message) => return Some(message),
            Ok(None) => {}
            Ok(Some(name)) => {
                if name.starts_with('*') && segments.peek().is_some() {
                    return Some(format!(
                        "`{{{name}}}` takes the rest of the path: nothing can follow it"
                    ));
                }
                let name = name.trim_start_matches('*');
                if !names.insert(name) {
                    return Some(format!(
                        "the parameter `{{{name}}}` is in the path twice: rename one of the two"
                    ));
                }
            }
        }
    }
    None
}

fn is_forbidden(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '?' | '#')
}

/// The name of the parameter that a segment is, if it is one.
fn parameter(segment: &str) -> Result<Option<&str>, String> {
    if let Some(name) = segment.strip_prefix(':') {
        return Err(format!("a parameter is in braces: write `{{{name}}}`"));
    }
    if let Some(name) = segment.strip_prefix('*') {
        return Err(format!(
            "the rest of a path is in braces: write `{{*{name}}}`"
        ));
    }
    let inner = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    if segment.matches('{').count() != segment.matches('}').count() {
        return Err(format!(
            "the braces of `{segment}` are not balanced: a parameter is written `{{id}}`"
        ));
    }
    let Some(name) = inner else {
        if segment.contains('{') {
            return Err(format!(
                "a parameter is a whole segment of the path: write `/{{id}}` in place of `{segment}`"
            ));
        }
        return Ok(None);
    };
    let bare = name.strip_prefix('*').unwrap_or(name);
    if bare.is_empty() {
        return Err("a parameter has a name: write `{id}`".to_owned());
    }
    if bare.contains(['{', '}', '*']) {
        return Err(format!(
            "the name of the parameter `{bare}` holds a brace or a star: write `{{id}}`"
        ));
    }
    Ok(Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_axum_takes() {
        for path in [
            "/",
            "/orders",
            "/orders/{id}",
            "/{a}/{b}/",
            "/files/{*rest}",
        ] {
            assert_eq!(why_not(path), None, "{path}");
        }
    }

    #[test]
    fn paths_that_axum_would_not_take() {
        for path in [
            "",
            "orders",
            "/a b",
            "/a?b",
            "/:id",
            "/*rest",
            "/{id",
            "/id}",
            "/{}",
            "/{*}",
            "/{a}/{a}",
            "/{*rest}/more",
            "/x{id}",
            "/{{id}}",
            "/runtime/webhooks/durabletask",
            "/Runtime/webhooks/durabletask/x",
        ] {
            assert!(why_not(path).is_some(), "{path}");
        }
    }
}
