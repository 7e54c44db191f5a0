//! What can be wrong in `[certificates]`.

use thiserror::Error;

use crate::common::nearest::nearest;
use crate::config::cluster::gateway::HostPattern;
use crate::config::cluster::name::Domain;
use crate::config::diagnostics::Mistake;
use crate::config::dns_providers::DNS_PROVIDERS;

/// The Secret with the certificate and the key of one's own authority.
pub(crate) const CA_SECRET: &str = "certificate-authority";

/// How the Secrets of BGP passwords begin.
pub(super) const BGP_SECRETS: &str = "bgp-";

#[derive(Debug, Error)]
pub(super) enum CertificateMistake {
    #[error("`[certificates]` lacks the table of a DNS provider")]
    NoProvider,
    #[error("`[certificates]` proves control of the domain in two ways: by {first} and by {second}")]
    TwoSolvers { first: &'static str, second: &'static str },
    #[error("`{what}` has no effect: no gateway has the issuer {issuer}")]
    Unused { what: String, issuer: &'static str },
    #[error("the issuer `ca` needs `[certificates.ca]`")]
    NoAuthority,
    #[error("HTTP-01 cannot prove control of the wildcard `{host}`")]
    HttpWildcard { host: HostPattern },
    #[error("`{text}` is not a name server")]
    Nameserver { text: String },
    #[error("`{text}` cannot be the name of a Kubernetes Secret here")]
    SecretName { text: String },
    #[error("`{text}` cannot be a key of a Kubernetes Secret")]
    SecretKey { text: String },
    #[error("the zone `{zone}` does not contain `{host}`")]
    OutsideZone { zone: Domain, host: HostPattern },
    #[error("Let's Encrypt issues no certificate for `{domain}`: `.{top}` is not a public domain")]
    NotPublic { domain: Domain, top: String },
    #[error("`{text}` is not a UUID")]
    Uuid { text: String },
    #[error("`{text}` is not an e-mail address")]
    Email { text: String },
    #[error("`{text}` is not a name of a resource group")]
    ResourceGroup { text: String },
    #[error("`{text}` is not a value of `{key}`")]
    Word { text: String, key: &'static str, example: &'static str },
    #[error("`{text}` is not a value of `{key}`")]
    Choice { text: String, key: &'static str, known: &'static [&'static str] },
}

impl Mistake for CertificateMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::NoProvider => {
                let tables: Vec<_> =
                    DNS_PROVIDERS.iter().map(|row| format!("`[certificates.{}]`", row.key)).collect();
                format!(
                    "add one of {}, or `[certificates.webhook]` for another provider, or `http-01 = true` if the gateway \
                     is reachable from the Internet; without Let's Encrypt, set `issuer` to `self-signed`, `ca` or `none`",
                    tables.join(", ")
                )
            }
            Self::TwoSolvers { .. } => "keep one of the two".to_owned(),
            Self::Unused { issuer, .. } => format!("remove it, or set `issuer` to {issuer}"),
            Self::NoAuthority => {
                "add `[certificates.ca]` with `certificate` and `key`, or write `self-signed`: the cluster then makes an \
                 authority of its own"
                    .to_owned()
            }
            Self::HttpWildcard { .. } => {
                "list each name in `hosts` of the gateway, or prove control by a DNS provider".to_owned()
            }
            Self::Nameserver { .. } => {
                "write an address such as `1.1.1.1` or `9.9.9.9:9953`, or a URL such as `https://1.1.1.1/dns-query`"
                    .to_owned()
            }
            Self::SecretName { .. } => format!(
                "write a DNS label such as `hetzner-dns`, other than `{CA_SECRET}`, that does not begin with `{BGP_SECRETS}`"
            ),
            Self::SecretKey { .. } => "write letters, digits, `-`, `_` and `.`, such as `api-key`".to_owned(),
            Self::OutsideZone { host, .. } => format!("write `{}`, or a domain above it", host.domain()),
            Self::NotPublic { .. } => {
                "write a domain that you have registered: the records stay in its public DNS, and the addresses may be \
                 private; or set `issuer` to `self-signed` or `ca`"
                    .to_owned()
            }
            Self::Uuid { .. } => {
                "write it as `az account show` prints it: 8-4-4-4-12 hexadecimal digits".to_owned()
            }
            Self::Email { .. } => {
                "write an address such as `admin@example.org`, or remove the key".to_owned()
            }
            Self::ResourceGroup { .. } => {
                "write 1 to 90 letters, digits, `-`, `_`, `.` or parentheses, with no dot at the end"
                    .to_owned()
            }
            Self::Word { example, .. } => format!("write a word without spaces, such as `{example}`"),
            Self::Choice { text, known, .. } => match nearest(text, known.iter().copied()) {
                Some(nearest) => format!("did you mean `{nearest}`?"),
                None => format!("write one of `{}`", known.join("`, `")),
            },
        };
        Some(instead)
    }
}
