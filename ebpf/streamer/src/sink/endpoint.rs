//! The URL of the sink.

use crate::row::Origin;
use reqwest::Url;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of server that the URL belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    Grafana,
    Influx,
}

/// A URL that rows may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub url: Url,
    pub target: Target,
    /// Whether the addresses of the host must be private, because the URL is plain HTTP. A name is checked when it is
    /// resolved.
    pub private_only: bool,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("`{url}` is not a URL: {reason}\nhint: use the form https://grafana.example:3000")]
    NotAUrl { url: String, reason: String },
    #[error(
        "`{url}` has a zone id, which URLs do not support here\n\
         hint: use a name from /etc/hosts, or an address that is not link-local"
    )]
    ZoneId { url: String },
    #[error("`{url}` has an unknown scheme\nhint: use https:// or http://")]
    Scheme { url: String },
    #[error(
        "`{url}` contains a user name or a password\nhint: write the token to a file, and add --token-file FILE"
    )]
    Credentials { url: String },
    #[error(
        "`{url}` would send the token and all addresses unencrypted to a public address\n\
         hint: use https, or add --allow-plain-http"
    )]
    Plain { url: String },
}

impl Endpoint {
    /// Completes `url` for `target`.
    ///
    /// Grafana: `/api/live/push/<stream>` is appended, unless the URL has this path already, as the `GRAFANA_URL` of
    /// ebpf-grafana-stream does. `InfluxDB`: `/api/v2/write` is appended, unless the URL is a write URL already (the
    /// organisation and the bucket are in the query of the URL).
    pub fn new(
        url: &str,
        target: Target,
        stream: Option<&str>,
        origin: &Origin,
        allow_plain: bool,
    ) -> Result<Self, EndpointError> {
        let mut parsed = Url::parse(url).map_err(|error| {
            let (url, reason) = (url.to_owned(), error.to_string());
            if has_zone_id(&url) {
                EndpointError::ZoneId { url }
            } else {
                EndpointError::NotAUrl { url, reason }
            }
        })?;
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
            return Err(EndpointError::NotAUrl { url: url.to_owned(), reason: "it has no host".to_owned() });
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

/// Returns whether the host of the URL is an IPv6 address with a zone id, such as `fe80::1%eth0`.
fn has_zone_id(url: &str) -> bool {
    let host = url.split_once("://[").and_then(|(_, rest)| rest.split_once(']'));
    host.and_then(|(host, _)| host.split_once('%'))
        .is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok())
}

/// Returns whether rows can be written to this path: `/write`, `/api/v2/write`, or `/api/v3/write_lp` of `InfluxDB` 3.
#[must_use]
pub fn writes(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    path.ends_with("/write") || path.ends_with("/write_lp")
}

/// Returns whether plain HTTP may go to `address` without being asked for: loopback, link-local, RFC 1918, or unique local
/// (RFC 4193).
#[must_use]
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_loopback() || address.is_private() || address.is_link_local()
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
}

/// Returns the address in the URL, if its host is not a name.
pub(super) fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Returns `<host>-<interface>`: each host and interface has a stream of its own.
fn default_stream(origin: &Origin) -> String {
    stream_id(&format!("{}-{}", origin.host(), origin.interface()))
}

/// Replaces the characters that Grafana's channel names cannot have by `_`.
///
/// They can have letters, digits, `_`, `-` and `.`.
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
    fn private_networks_are_known() {
        let private = [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.10.1",
            "192.168.1.1",
            "169.254.0.1",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:10.0.0.1",
        ];
        let public = ["8.8.8.8", "172.32.0.1", "100.64.0.1", "2001:db8::1", "::ffff:8.8.8.8", "0.0.0.0"];
        let verdicts = |list: &[&str]| -> Vec<bool> {
            list.iter().map(|text| is_private(text.parse().unwrap())).collect()
        };
        assert_eq!(verdicts(&private), vec![true; private.len()]);
        assert_eq!(verdicts(&public), vec![false; public.len()]);
    }

    #[test]
    fn a_stream_has_the_names_of_the_host_and_the_interface() {
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
    fn a_whole_push_url_is_not_changed() {
        let url = "http://127.0.0.1:3000/api/live/push/ebpf-test";
        assert_eq!(endpoint(url, Target::Grafana).unwrap(), url);
    }

    #[test]
    fn an_influxdb_url_gets_its_path_and_precision() {
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
    fn urls_that_would_leak_secrets_or_cannot_work_are_refused() {
        let errors = [
            "http://8.8.8.8/",
            "http://[2001:db8::1]/",
            "ftp://x/",
            "https://me:secret@grafana.example/",
            "grafana:3000",
            "http://[fe80::1%25b0]:3000",
            "http://[fe80::1%b0]:3000/api",
            "http://[fe80::g]/",
        ]
        .map(|url| endpoint(url, Target::Grafana).unwrap_err().to_string());
        assert_data_eq!(errors.join("\n\n") + "\n", file!["snapshots/refused_endpoints.txt"].raw());
    }

    #[test]
    fn plain_http_to_a_public_address_needs_a_flag() {
        let origin = Origin::new("h", "i");
        let endpoint = Endpoint::new("http://8.8.8.8/", Target::Grafana, Some("lab"), &origin, true).unwrap();
        assert_eq!(
            (endpoint.url.as_str(), endpoint.private_only),
            ("http://8.8.8.8/api/live/push/lab", false)
        );
    }
}
