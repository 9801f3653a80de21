//! Tokens: where they come from, and how long they are kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_core::future::BoxFuture;

use super::ManagedIdentityEndpoint;
use super::managed_identity::ManagedIdentity;
use crate::clock;
use crate::model::http::{RegisteredTokenSource, TokenReference};
use crate::model::{Failure, Result};
use crate::registry;

/// Gives the tokens with which requests are sent. A host is given one under a name, and requests name
/// it: history holds the name, and neither what the source is made of nor its tokens.
///
/// ```
/// use std::time::Duration;
///
/// use durable_runtime::http::{AccessToken, BoxFuture, TokenSource};
/// use durable_runtime::prelude::*;
///
/// #[derive(Debug)]
/// struct Vault;
///
/// impl TokenSource for Vault {
///     fn token<'a>(&'a self, _resource: Option<&'a str>) -> BoxFuture<'a, Result<AccessToken>> {
///         Box::pin(async {
///             let secret = std::fs::read_to_string("/run/secrets/crm")?;
///             Ok(AccessToken::new(secret.trim()).expires_in(Duration::from_secs(600)))
///         })
///     }
/// }
///
/// let builder = DurableHost::builder().token_source("crm", Vault);
/// ```
pub trait TokenSource: fmt::Debug + Send + Sync + 'static {
    /// A token for `resource`, where the request names one. Called on the async runtime, for one
    /// request at a time, and only when there is no token that is still good for a while.
    ///
    /// # Errors
    ///
    /// Why there is none: the call fails with it, or is tried again if it says so and the error is not
    /// [non-retriable](crate::Error::non_retriable). It stands in history, so it must hold no secret.
    fn token<'a>(&'a self, resource: Option<&'a str>) -> BoxFuture<'a, Result<AccessToken>>;
}

impl<T: TokenSource + ?Sized> TokenSource for Arc<T> {
    fn token<'a>(&'a self, resource: Option<&'a str>) -> BoxFuture<'a, Result<AccessToken>> {
        (**self).token(resource)
    }
}

/// A token. It is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    secret: String,
    lifetime: Option<Duration>,
}

impl AccessToken {
    /// A token that is good for one request.
    pub fn new(secret: impl Into<String>) -> Self {
        Self {
            secret: secret.into(),
            lifetime: None,
        }
    }

    /// It may be used again until `lifetime` from now; it is given up a tenth of that earlier, and five
    /// minutes at most.
    #[must_use]
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }

    pub(super) fn secret(&self) -> &str {
        &self.secret
    }

    fn useful_for(&self) -> Option<Duration> {
        const MARGIN: Duration = Duration::from_secs(300);
        let lifetime = self.lifetime?;
        Some(lifetime.saturating_sub((lifetime / 10).min(MARGIN)))
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

/// The sources that a host was given, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenSources {
    registered: BTreeMap<String, Arc<dyn TokenSource>>,
}

impl TokenSources {
    pub(crate) fn insert(&mut self, name: String, source: impl TokenSource) {
        self.registered.insert(name, Arc::new(source));
    }
}

/// The tokens of a host.
#[derive(Debug)]
pub(super) struct Tokens {
    sources: TokenSources,
    managed: ManagedIdentity,
    kept: Mutex<BTreeMap<TokenReference, Arc<Place>>>,
}

/// Where a token is kept; who fetches one holds the lock, and the others wait for it.
type Place = tokio::sync::Mutex<Option<Kept>>;

struct Kept {
    token: AccessToken,
    until: Instant,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

/// A token, and whether it was there already.
#[derive(Debug)]
pub(super) enum Found {
    Fresh(AccessToken),
    Kept(AccessToken),
}

impl Tokens {
    pub(super) fn new(sources: TokenSources, managed: ManagedIdentityEndpoint) -> Self {
        Self {
            sources,
            managed: ManagedIdentity::new(managed),
            kept: Mutex::default(),
        }
    }

    pub(super) async fn get(&self, reference: &TokenReference) -> Result<Found, Failure> {
        let place = self.place(reference);
        let mut kept = place.lock().await;
        if let Some(kept) = kept.as_ref().filter(|kept| kept.until > clock::instant()) {
            return Ok(Found::Kept(kept.token.clone()));
        }
        *kept = None;
        let asked = clock::instant();
        let token = self.fetch(reference).await?;
        let until = token.useful_for().and_then(|time| asked.checked_add(time));
        *kept = until.map(|until| Kept {
            token: token.clone(),
            until,
        });
        Ok(Found::Fresh(token))
    }

    /// The server did not take the token: it is not to be used again.
    pub(super) async fn forget(&self, reference: &TokenReference, token: &AccessToken) {
        let place = self.place(reference);
        place.lock().await.take_if(|kept| kept.token == *token);
    }

    fn place(&self, reference: &TokenReference) -> Arc<Place> {
        /// More than a host has resources, unless they are made up one after the other.
        const MOST: usize = 1_000;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST && !kept.contains_key(reference) {
            // What nobody asks for right now can be fetched again.
            kept.retain(|_, place| Arc::strong_count(place) > 1);
        }
        Arc::clone(kept.entry(reference.clone()).or_default())
    }

    async fn fetch(&self, reference: &TokenReference) -> Result<AccessToken, Failure> {
        let (described, token) = match reference {
            TokenReference::ManagedIdentity(wanted) => (
                "managed identity".to_owned(),
                self.managed.fetch(wanted).await,
            ),
            TokenReference::Registered(wanted) => {
                let source = self.registered(wanted)?;
                let token = source.token(wanted.resource.as_deref()).await;
                (format!("token source {:?}", wanted.name), token)
            }
        };
        token.map_err(|error| {
            let cause = error.failure().clone();
            let message = format!("{described} gave no token: {}", cause.message());
            let failure = Failure::new(Failure::HTTP, message);
            if cause.is_non_retriable() {
                failure.non_retriable()
            } else {
                failure
            }
        })
    }

    fn registered(&self, wanted: &RegisteredTokenSource) -> Result<&dyn TokenSource, Failure> {
        let registered = &self.sources.registered;
        let found = registered.get(&wanted.name).map(|source| &**source);
        found.ok_or_else(|| {
            let hint = match registry::nearest(&wanted.name, registered.keys().map(String::as_str))
            {
                Some(near) => format!("; did you mean {near:?}?"),
                None => "; add it to the host with `.token_source(name, source)`".to_owned(),
            };
            let message = format!("token source {:?} is not registered{hint}", wanted.name);
            Failure::new(Failure::NOT_REGISTERED, message).non_retriable()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Debug, Default)]
    struct Counting {
        lifetime: Option<Duration>,
        asked: AtomicU32,
    }

    impl TokenSource for Counting {
        fn token<'a>(&'a self, resource: Option<&'a str>) -> BoxFuture<'a, Result<AccessToken>> {
            let number = self.asked.fetch_add(1, Ordering::SeqCst);
            let token = AccessToken::new(format!("{}-{number}", resource.unwrap_or("none")));
            let lifetime = self.lifetime;
            Box::pin(async move { Ok(AccessToken { lifetime, ..token }) })
        }
    }

    fn tokens(lifetime: Option<Duration>) -> Tokens {
        let mut sources = TokenSources::default();
        let asked = AtomicU32::new(0);
        sources.insert("crm".to_owned(), Counting { lifetime, asked });
        Tokens::new(sources, ManagedIdentityEndpoint::Detect)
    }

    async fn secret(tokens: &Tokens, reference: &TokenReference) -> String {
        match tokens.get(reference).await.unwrap() {
            Found::Fresh(token) | Found::Kept(token) => token.secret,
        }
    }

    // Rule 44: tokens are kept until shortly before they expire, for each resource.
    #[tokio::test]
    async fn a_token_is_used_again_while_it_is_good() {
        let good = tokens(Some(Duration::from_secs(3600)));
        let reference = TokenReference::from("crm");
        let other = RegisteredTokenSource::new("crm").resource("mail").into();
        assert_eq!(secret(&good, &reference).await, "none-0");
        assert_eq!(secret(&good, &reference).await, "none-0");
        assert_eq!(secret(&good, &other).await, "mail-1");
        good.forget(&reference, &AccessToken::new("another")).await;
        let Found::Kept(token) = good.get(&reference).await.unwrap() else {
            panic!("it was forgotten");
        };
        good.forget(&reference, &token).await;
        assert_eq!(secret(&good, &reference).await, "none-2");

        for lifetime in [None, Some(Duration::ZERO)] {
            let short = tokens(lifetime);
            assert_eq!(secret(&short, &reference).await, "none-0");
            assert_eq!(secret(&short, &reference).await, "none-1");
        }
    }

    #[tokio::test]
    async fn there_is_an_end_to_how_many_are_kept() {
        let tokens = tokens(Some(Duration::MAX));
        for number in 0..2_500 {
            let resource = RegisteredTokenSource::new("crm").resource(number.to_string());
            tokens.get(&resource.into()).await.unwrap();
        }
        assert_eq!(tokens.kept.lock().unwrap().len(), 500);
    }

    #[test]
    fn a_token_is_given_up_before_it_expires() {
        let useful = |seconds| {
            let token = AccessToken::new("t").expires_in(Duration::from_secs(seconds));
            token.useful_for().unwrap().as_secs()
        };
        assert_eq!(useful(10), 9);
        assert_eq!(useful(3600), 3300);
        assert_eq!(useful(86400), 86100);
    }

    #[tokio::test]
    async fn an_unknown_source_gets_the_nearest_known_name() {
        let failure = tokens(None).get(&"crn".into()).await.unwrap_err();
        assert!(
            failure.message().contains("did you mean \"crm\""),
            "{failure}"
        );
        assert!(failure.is_non_retriable());
    }

    #[tokio::test]
    async fn nothing_shows_a_token() {
        let tokens = tokens(Some(Duration::MAX));
        let found = tokens.get(&"crm".into()).await.unwrap();
        for shown in [format!("{found:?}"), format!("{tokens:?}")] {
            assert!(!shown.contains("none-0"), "{shown}");
        }
    }
}
