//! The URL that rows are posted to.

use super::is_private;
use crate::row::Origin;
use reqwest::Url;
use std::net::IpAddr;

/// What speaks at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Grafana,
    Influx,
}

/// A URL that may be posted to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub url: Url,
    pub target: Target,
    /// Plain HTTP is for private addresses only: what a name resolves to is checked when it is resolved.
    pub private_only: bool,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("`{url}` is not a URL: {reason}\nhint: write it as https://grafana.example:3000")]
    NotAUrl { url: String, reason: String },
    #[error("`{url}` is neither https nor http")]
    Scheme { url: String },
    #[error(
        "`{url}` holds a user name or a password\nhint: put the token into a file and name it with --token-file"
    )]
    Credentials { url: String },
    #[error(
        "`{url}` would send the token and every packet's addresses in the clear beyond the private network\n\
         hint: use https, or say --allow-plain-http"
    )]
    Plain { url: String },
}

impl Endpoint {
    /// Completes `url` for `target`.
    ///
    /// Grafana: a URL without a path gets `/api/live/push/<stream>`; one that has this path already, as the
    /// original's `GRAFANA_URL` does, is used as it is. `InfluxDB`: a URL that does not write yet gets
    /// `/api/v2/write` (its organisation and bucket are the URL's query).
    pub fn new(
        url: &str,
        target: Target,
        stream: Option<&str>,
        origin: &Origin,
        allow_plain: bool,
    ) -> Result<Self, EndpointError> {
        let mut parsed = Url::parse(url)
            .map_err(|error| EndpointError::NotAUrl { url: url.to_owned(), reason: error.to_string() })?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            let _ = parsed.set_username("");
            let _ = parsed.set_password(None);
            return Err(EndpointError::Credentials { url: parsed.to_string() });
        }
        let private_only = match parsed.scheme() {
            "https" => false,
            "http" => !allow_plain,
            _ => return Err(EndpointError::Scheme { url: url.to_owned() }),
        };
        if parsed.host_str().is_none() {
            return Err(EndpointError::NotAUrl {
                url: url.to_owned(),
                reason: "it names no host".to_owned(),
            });
        }
        if private_only && literal(&parsed).is_some_and(|address| !is_private(address)) {
            return Err(EndpointError::Plain { url: url.to_owned() });
        }
        let path = parsed.path().trim_end_matches('/').to_owned();
        match target {
            Target::Grafana if path.contains("/api/live/push/") => {}
            Target::Grafana => {
                let stream = stream.map_or_else(|| default_stream(origin), stream_id);
                parsed.set_path(&format!("{path}/api/live/push/{stream}"));
            }
            Target::Influx if writes(&path) => {}
            Target::Influx => parsed.set_path(&format!("{path}/api/v2/write")),
        }
        if target == Target::Influx && !parsed.query_pairs().any(|(key, _)| key == "precision") {
            parsed.query_pairs_mut().append_pair("precision", "ns");
        }
        Ok(Self { url: parsed, target, private_only })
    }
}

/// Whether a path is one that rows are written to: `InfluxDB` 3 has a way of its own beside the older two.
#[must_use]
pub fn writes(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.ends_with("/write") || path.ends_with("/write_lp")
}

/// The address that the URL names itself.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// `rk1-01-end0`: one stream for each host and interface, so that no two of them share a schema.
fn default_stream(origin: &Origin) -> String {
    stream_id(&format!("{}-{}", origin.host(), origin.interface()))
}

/// Grafana's channel names take letters, digits, `_`, `-` and `.`; anything else becomes `_`.
fn stream_id(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "_-.".contains(c) { c } else { '_' };
    name.chars().map(plain).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, file};

    fn endpoint(url: &str, target: Target) -> Result<String, EndpointError> {
        let origin = Origin::new("rk1-01", "wlan@if2");
        Endpoint::new(url, target, None, &origin, false).map(|endpoint| endpoint.url.to_string())
    }

    #[test]
    fn a_stream_is_named_after_host_and_interface() {
        assert_eq!(
            endpoint("https://grafana.example", Target::Grafana).unwrap(),
            "https://grafana.example/api/live/push/rk1-01-wlan_if2"
        );
        assert_eq!(
            endpoint("http://10.0.0.1:3000/grafana/", Target::Grafana).unwrap(),
            "http://10.0.0.1:3000/grafana/api/live/push/rk1-01-wlan_if2"
        );
    }

    #[test]
    fn the_originals_url_is_used_as_it_is() {
        let url = "http://127.0.0.1:3000/api/live/push/ebpf-test";
        assert_eq!(endpoint(url, Target::Grafana).unwrap(), url);
    }

    #[test]
    fn influx_gets_its_path_and_precision() {
        assert_eq!(
            endpoint("http://[::1]:8086?org=home&bucket=packets", Target::Influx).unwrap(),
            "http://[::1]:8086/api/v2/write?org=home&bucket=packets&precision=ns"
        );
        assert_eq!(
            endpoint("http://localhost:8186/write?db=packets&precision=ns", Target::Influx).unwrap(),
            "http://localhost:8186/write?db=packets&precision=ns"
        );
        assert_eq!(
            endpoint("http://localhost:8181/api/v3/write_lp?db=packets&no_sync=true", Target::Influx)
                .unwrap(),
            "http://localhost:8181/api/v3/write_lp?db=packets&no_sync=true&precision=ns"
        );
    }

    #[test]
    fn what_would_leak_is_refused() {
        let errors = [
            "http://8.8.8.8/",
            "http://[2001:db8::1]/",
            "ftp://x/",
            "https://me:secret@grafana.example/",
            "grafana:3000",
        ]
        .map(|url| endpoint(url, Target::Grafana).unwrap_err().to_string());
        assert_data_eq!(errors.join("\n\n") + "\n", file!["snapshots/refused_endpoints.txt"].raw());
    }

    #[test]
    fn plain_http_is_for_those_who_ask() {
        let origin = Origin::new("h", "i");
        let endpoint = Endpoint::new("http://8.8.8.8/", Target::Grafana, Some("lab"), &origin, true).unwrap();
        assert_eq!(
            (endpoint.url.as_str(), endpoint.private_only),
            ("http://8.8.8.8/api/live/push/lab", false)
        );
    }
}
