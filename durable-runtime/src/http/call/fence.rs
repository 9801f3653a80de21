//! Where requests may go.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::model::Failure;
use crate::model::http::shown;

/// The hosts that requests may go to.
#[derive(Debug)]
pub(super) struct Fence {
    allowed: Option<Vec<HostPattern>>,
    link_local: LinkLocal,
}

/// Whether link-local addresses may be connected to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LinkLocal {
    Refused,
    Allowed,
}

#[derive(Debug, PartialEq)]
enum HostPattern {
    Exact(String),
    /// With the dot that it begins with.
    Below(String),
}

impl Fence {
    /// # Errors
    ///
    /// The first of `allowed` that is no host.
    pub(super) fn new(allowed: Option<&[String]>, link_local: LinkLocal) -> Result<Self, String> {
        let allowed = allowed.map(|hosts| hosts.iter().map(|host| HostPattern::new(host)));
        Ok(Self {
            allowed: allowed.map(Iterator::collect).transpose()?,
            link_local,
        })
    }

    /// Whether a request may go to `url`. What its name resolves to is for [`FencedResolver`].
    pub(super) fn check(&self, url: &Url) -> Result<(), Failure> {
        let host = plain(url.host_str().unwrap_or_default());
        if self.link_local == LinkLocal::Refused && host.parse().is_ok_and(is_link_local) {
            return Err(refused(&format!("{}: {LinkLocalRefused}", shown(url))));
        }
        match &self.allowed {
            Some(allowed) if !allowed.iter().any(|pattern| pattern.matches(host)) => {
                let message = format!(
                    "{}: requests to {host:?} are not allowed by this host: add it to \
                     `HttpCallOptions::allowed_hosts`",
                    shown(url)
                );
                Err(refused(&message))
            }
            _ => Ok(()),
        }
    }
}

fn refused(message: &str) -> Failure {
    Failure::new(Failure::HTTP, message).non_retriable()
}

/// A host without the brackets of an address, and without the dot that may end a name.
fn plain(host: &str) -> &str {
    let host = host.strip_suffix('.').unwrap_or(host);
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

impl HostPattern {
    fn new(text: &str) -> Result<Self, String> {
        let (below, host) = match text.strip_prefix("*.") {
            Some(host) => (true, host),
            None => (false, text),
        };
        let bracketed = match host.parse::<Ipv6Addr>() {
            Ok(address) => format!("[{address}]"),
            Err(_) => host.to_owned(),
        };
        // A name in the form that URLs have it in; nothing else may be around it.
        let url = Url::parse(&format!("http://{bracketed}/"))
            .ok()
            .filter(|_| !host.contains(['/', '?', '#', '@', '*', '\\', '%']))
            .filter(|url| url.port().is_none() && !host.ends_with(":80"))
            .ok_or_else(|| {
                format!(
                    "`HttpCallOptions::allowed_hosts` has {text:?}, which is no host: write a name \
                     or address without scheme, port and path, or `*.` and a name"
                )
            })?;
        let host = plain(url.host_str().unwrap_or_default());
        Ok(if below {
            Self::Below(format!(".{host}"))
        } else {
            Self::Exact(host.to_owned())
        })
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Exact(name) => host == name,
            Self::Below(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
        }
    }
}

/// Whether an address is link-local, however it is written, or the one in IPv6 at which a machine of
/// AWS finds its credentials.
fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            const AWS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
            address.is_unicast_link_local()
                || address == AWS
                || embedded(address).is_some_and(|address| address.is_link_local())
        }
    }
}

/// The address of IPv4 that one of IPv6 leads to: mapped, compatible, or by NAT64.
fn embedded(address: Ipv6Addr) -> Option<std::net::Ipv4Addr> {
    let octets = address.octets();
    let nat64 = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];
    if octets[..12] == nat64 {
        let [.., a, b, c, d] = octets;
        return Some([a, b, c, d].into());
    }
    address.to_ipv4()
}

/// Why a request is not sent to an address.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "requests to link-local addresses, where machines find their credentials, are refused: set \
     `HttpCallOptions::allow_link_local` if this is meant"
)]
pub(super) struct LinkLocalRefused;

/// Resolves names, and keeps link-local addresses to itself. What is connected to is what was checked.
#[derive(Debug)]
pub(super) struct FencedResolver(pub(super) LinkLocal);

impl Resolve for FencedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let link_local = self.0;
        Box::pin(async move {
            let name = name.as_str().to_owned();
            // The resolver of the system blocks.
            let lookup = move || (name.as_str(), 0).to_socket_addrs();
            let found = tokio::task::spawn_blocking(lookup).await??;
            Ok(permitted(found.collect(), link_local)?)
        })
    }
}

fn permitted(mut found: Vec<SocketAddr>, link_local: LinkLocal) -> Result<Addrs, LinkLocalRefused> {
    let some = !found.is_empty();
    if link_local == LinkLocal::Refused {
        found.retain(|address| !is_link_local(address.ip()));
    }
    if some && found.is_empty() {
        return Err(LinkLocalRefused);
    }
    Ok(Box::new(found.into_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(allowed: &[&str]) -> Result<Fence, String> {
        let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
        Fence::new(Some(&allowed), LinkLocal::Refused)
    }

    fn check(fence: &Fence, url: &str) -> Result<(), String> {
        fence
            .check(&Url::parse(url).unwrap())
            .map_err(|failure| failure.to_string())
    }

    #[test]
    fn only_listed_hosts_are_allowed() {
        let fence = fence(&["API.example.com", "*.example.org", "::1", "bücher.example"]).unwrap();
        for url in [
            "http://api.example.com/",
            "https://Api.Example.Com.:8443/x",
            "http://a.example.org",
            "http://a.b.example.org",
            "http://[::1]:80/",
            "http://bücher.example/",
        ] {
            check(&fence, url).unwrap();
        }
        for url in [
            "http://example.com/",
            "http://api.example.com.evil.net/",
            "http://evil.net/?api.example.com",
            "http://api.example.com@evil.net/",
            "http://example.org/",
            "http://evilexample.org/",
            "http://127.0.0.1/",
        ] {
            let message = check(&fence, url).unwrap_err();
            assert!(message.contains("allowed_hosts"), "{message}");
        }
        check(
            &Fence::new(None, LinkLocal::Refused).unwrap(),
            "http://any/",
        )
        .unwrap();
        let nowhere = Fence::new(Some(&[]), LinkLocal::Refused).unwrap();
        check(&nowhere, "http://any/").unwrap_err();
    }

    #[test]
    fn what_is_no_host_is_named() {
        for entry in [
            "http://a.example",
            "a.example:80",
            "a.example:8080",
            "a.example/x",
            "*",
            "a.*.example",
            "me@a.example",
            "",
            "*.",
        ] {
            let message = fence(&["ok.example", entry]).unwrap_err();
            assert!(message.contains(&format!("{entry:?}")), "{message}");
        }
    }

    #[test]
    fn link_local_addresses_are_refused_however_they_are_written() {
        let fence = Fence::new(None, LinkLocal::Refused).unwrap();
        for host in [
            "169.254.169.254",
            "169.254.0.1.",
            "0xa9.254.169.254",
            "2852039166",
            "[fe80::1]",
            "[::ffff:169.254.169.254]",
            "[::169.254.169.254]",
            "[64:ff9b::a9fe:a9fe]",
            "[fd00:ec2::254]",
        ] {
            let message = check(&fence, &format!("http://{host}/latest?code=hush")).unwrap_err();
            assert!(message.contains("link-local"), "{host}: {message}");
            assert!(!message.contains("hush"), "{message}");
        }
        for host in [
            "127.0.0.1",
            "[::1]",
            "10.0.0.1",
            "169.253.1.1",
            "[2001:db8::1]",
        ] {
            check(&fence, &format!("http://{host}/")).unwrap();
        }
        let open = Fence::new(None, LinkLocal::Allowed).unwrap();
        check(&open, "http://169.254.169.254/").unwrap();
    }

    #[test]
    fn names_that_resolve_to_them_are_refused_too() {
        let addresses = |text: &[&str]| -> Vec<SocketAddr> {
            text.iter().map(|text| text.parse().unwrap()).collect()
        };
        let both = addresses(&["169.254.169.254:0", "10.0.0.1:0"]);
        let left: Vec<_> = permitted(both.clone(), LinkLocal::Refused)
            .unwrap()
            .collect();
        assert_eq!(left, addresses(&["10.0.0.1:0"]));
        assert_eq!(permitted(both, LinkLocal::Allowed).unwrap().count(), 2);
        let only = addresses(&["[fe80::1]:0"]);
        assert!(permitted(only, LinkLocal::Refused).is_err());
        // A name without addresses is for the connector to report.
        assert_eq!(
            permitted(Vec::new(), LinkLocal::Refused).unwrap().count(),
            0
        );
    }
}
