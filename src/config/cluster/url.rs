//! Addresses of web services.

use thiserror::Error;
use url::{Host, Url};

use crate::config::diagnostics::Mistake;

/// What messages say about a service that is reached by a URL.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: &'static str,
    pub(super) example: &'static str,
    /// What is sent to it that nobody else may read.
    pub(super) secret: &'static str,
    /// Which keys say who logs in.
    pub(super) login: &'static str,
    pub(super) may_have_path: bool,
}

#[derive(Debug, Error)]
pub(super) enum UrlMistake {
    #[error("`{text}` is not the URL of {}: {reason}", service.name)]
    NotAUrl { text: String, reason: String, service: &'static Service },
    #[error("`{text}` lacks its scheme")]
    NoScheme { text: String },
    #[error("the URL of {} contains a user name or a password", service.name)]
    Credentials { service: &'static Service },
    #[error("`{text}` sends the {} unencrypted over a public network", service.secret)]
    PublicHttp { text: String, service: &'static Service },
}

impl Mistake for UrlMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NotAUrl { service, .. } => format!("write a URL such as `{}`", service.example),
            Self::NoScheme { text } => format!("write `https://{text}`"),
            Self::Credentials { service } => format!("remove them: {}", service.login),
            Self::PublicHttp { text, .. } => format!("write `{}`", text.replacen("http:", "https:", 1)),
        };
        Some(instead)
    }

    fn marks_secret(&self) -> bool {
        matches!(self, Self::Credentials { .. })
    }
}

/// Parses the URL of a service. Plain HTTP is accepted unless the URL names a public address.
pub(super) fn parse_url(text: &str, service: &'static Service) -> Result<Url, UrlMistake> {
    let unfit = |reason: String| UrlMistake::NotAUrl { text: text.to_owned(), reason, service };
    // `grafana:3000` would parse as the scheme `grafana`.
    if !text.contains("://") {
        return Err(UrlMistake::NoScheme { text: text.to_owned() });
    }
    let url = Url::parse(text).map_err(|error| unfit(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlMistake::Credentials { service });
    }
    match url.scheme() {
        "http" if is_public(&url) => Err(UrlMistake::PublicHttp { text: text.to_owned(), service }),
        "http" | "https" if service.may_have_path || (url.path() == "/" && url.query().is_none()) => Ok(url),
        "http" | "https" => Err(unfit("it has a path".to_owned())),
        scheme => Err(unfit(format!("its scheme is `{scheme}`"))),
    }
}

/// Whether the URL names a public address. A host name is not resolved here.
fn is_public(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => {
            !(address.is_private() || address.is_loopback() || address.is_link_local())
        }
        Some(Host::Ipv6(address)) => {
            !(address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local())
        }
        Some(Host::Domain(_)) | None => false,
    }
}
