//! Asks `RouterOS` over its REST API.
//!
//! Source: help.mikrotik.com, "REST API": every value of an answer is a string. Fields: the command trees of
//! `/routing/bgp/session`, `/ip/route` and `/ipv6/route`.

use std::collections::BTreeMap;
use std::env;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use ipnet::IpNet;
use serde_json::{Map, Value};
use tokio::task::spawn_blocking;
use url::Url;
use zeroize::Zeroizing;

use super::web::Web;
use crate::common::certificate::Trust;
use crate::config::cluster::{Label, RestAccess, Secrets};
use crate::operate::routing_daemon::Session;
use crate::operate::status::error::ProbeError;
use crate::operate::status::facts::{Probed, RouterFacts};

type Row = Map<String, Value>;

/// A user's password. It is sent to the router and nowhere else, and zeroed when it is dropped.
pub(super) struct Password(Zeroizing<String>);

/// The environment variable with the password for a router, where cluster.toml names no secret.
pub(in crate::operate::status) fn password_variable(router: &Label) -> String {
    format!("RK1_PASSWORD_{}", router.as_str().to_uppercase().replace('-', "_"))
}

/// Reads the password from the secret's file, or from the environment where no secret is named.
pub(super) async fn password(
    router: &Label,
    access: &RestAccess,
    secrets: &Secrets,
    folder: &Path,
) -> Result<Password, ProbeError> {
    let Some(name) = &access.password else {
        let variable = password_variable(router);
        return env::var(&variable)
            .map(|text| Password(text.into()))
            .map_err(|_| ProbeError::skipped(format!("no password: `{variable}` is not set")));
    };
    let unfit =
        |why: String| ProbeError::skipped(format!("no password: the secret `{}` {why}", name.as_str()));
    let (source, folder) = (secrets.source(name).clone(), folder.to_owned());
    // A program that prints the password must not keep the other probes waiting.
    let bytes = spawn_blocking(move || source.read(&folder)).await;
    let bytes = bytes.map_err(|error| unfit(error.to_string()))?.map_err(|error| unfit(error.to_string()))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unfit("is not UTF-8".to_owned()))?;
    Ok(Password(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned())))
}

pub(super) async fn ask(
    access: &RestAccess,
    password: &Password,
    gateways: &[IpAddr],
    limit: Duration,
) -> Probed<RouterFacts> {
    let trust = access.fingerprint.map_or(Trust::Machine, Trust::Pinned);
    let web = match plain_addresses(&access.url).await? {
        None => Web::new(limit, trust)?,
        Some((host, addresses)) => Web::at(limit, &host, &addresses)?,
    };
    let rows = async |path: &str| -> Probed<Vec<Row>> {
        let url = join(&access.url, path)?;
        let page =
            web.get(url, |request| request.basic_auth(&access.user, Some(password.0.as_str()))).await?;
        match page.status {
            200 => serde_json::from_slice(&page.body)
                .map_err(|_| ProbeError::unexpected(format!("/rest/{path} does not answer a list"))),
            401 => Err(ProbeError::Denied {
                reason: format!("401, `user` {} or its password is wrong", access.user),
            }),
            403 => {
                Err(ProbeError::Denied { reason: format!("403, `user` {} has no permission", access.user) })
            }
            status => Err(ProbeError::unexpected(format!("/rest/{path} answers {status}"))),
        }
    };
    let sessions = rows("routing/bgp/session").await?;
    let mut facts = RouterFacts { sessions: self::sessions(&sessions), ..RouterFacts::default() };
    for gateway in gateways {
        let menu = if gateway.is_ipv4() { "ip" } else { "ipv6" };
        let routes = rows(&format!("{menu}/route?dst-address={}", IpNet::from(*gateway))).await?;
        facts.next_hops.insert(*gateway, next_hops(&routes));
    }
    Ok(facts)
}

fn join(base: &Url, path: &str) -> Result<Url, ProbeError> {
    base.join(&format!("/rest/{path}")).map_err(|error| ProbeError::skipped(error.to_string()))
}

/// Returns the host and its addresses where `url` sends the password in the clear. Each of them has to be private, and the
/// request then goes to one of these, whatever the name resolves to later. `None` for https.
async fn plain_addresses(url: &Url) -> Probed<Option<(String, Vec<SocketAddr>)>> {
    if url.scheme() != "http" {
        return Ok(None);
    }
    let host = url.host_str().unwrap_or_default().to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let addresses = tokio::net::lookup_host((host.trim_matches(['[', ']']), port)).await;
    let addresses: Vec<_> =
        addresses.map_err(|_| ProbeError::skipped(format!("{host} cannot be resolved")))?.collect();
    match addresses.iter().find(|address| !is_private(address.ip())) {
        Some(public) => Err(ProbeError::skipped(format!(
            "http would send the password in the clear to {}, which is not a private address",
            public.ip()
        ))),
        None => Ok(Some((host, addresses))),
    }
}

/// Loopback, link-local, RFC 1918 and RFC 4193.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_private() || address.is_loopback() || address.is_link_local(),
        IpAddr::V6(address) => {
            address.is_unique_local() || address.is_loopback() || address.is_unicast_link_local()
        }
    }
}

/// A missing flag is not set.
fn is_set(row: &Row, flag: &str) -> bool {
    text(row, flag) == Some("true")
}

fn text<'a>(row: &'a Row, field: &str) -> Option<&'a str> {
    row.get(field)?.as_str()
}

/// Ended sessions stay in the list for a while: an established one takes precedence.
fn sessions(rows: &[Row]) -> BTreeMap<IpAddr, Session> {
    let mut sessions = BTreeMap::new();
    for row in rows {
        let address =
            text(row, "remote.address").and_then(|text| text.split(['/', '%']).next()?.parse().ok());
        let Some(address): Option<IpAddr> = address else { continue };
        if is_set(row, "established") {
            let session = Session::Established {
                uptime: text(row, "uptime").map(str::to_owned),
                routes: text(row, "prefix-count").and_then(|count| count.parse().ok()),
            };
            sessions.insert(address, session);
        } else {
            let state = if is_set(row, "stopped") { "stopped" } else { "not established" };
            sessions.entry(address).or_insert_with(|| Session::Down { state: state.to_owned() });
        }
    }
    sessions
}

/// Several next hops are several routes, or several gateways of one: `172.16.10.221%bridge,172.16.10.222%bridge`.
fn next_hops(rows: &[Row]) -> Vec<IpAddr> {
    let active = rows.iter().filter(|row| is_set(row, "active"));
    let gateways = active.filter_map(|row| text(row, "gateway")).flat_map(|gateways| gateways.split(','));
    let mut hops: Vec<IpAddr> =
        gateways.filter_map(|gateway| gateway.split('%').next()?.parse().ok()).collect();
    hops.sort();
    hops.dedup();
    hops
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::mutation;

    #[tokio::test]
    async fn a_password_goes_in_the_clear_to_private_addresses_only() {
        let addresses = async |url: &str| plain_addresses(&Url::parse(url).expect("a URL")).await;
        assert_eq!(addresses("https://192.0.2.1").await, Ok(None));
        for url in ["http://172.16.10.1", "http://127.0.0.1:8080", "http://[fd00::1]", "http://[::1]"] {
            assert!(addresses(url).await.is_ok_and(|found| found.is_some()), "{url}");
        }
        for (url, address) in [
            ("http://192.0.2.1", "192.0.2.1"),
            ("http://8.8.8.8:8080", "8.8.8.8"),
            ("http://[2001:db8::1]", "2001:db8::1"),
            ("http://[::ffff:8.8.8.8]", "::ffff:8.8.8.8"),
        ] {
            let refusal = addresses(url).await.expect_err("a refusal").to_string();
            assert_eq!(
                refusal,
                format!(
                    "skipped: http would send the password in the clear to {address}, which is not a private address"
                )
            );
        }
    }

    #[test]
    fn mutations_of_an_answer_are_read_or_refused() {
        let answer = r#"[{"remote.address":"172.16.10.221","established":"true","uptime":"2h","prefix-count":"1",
            "active":"true","gateway":"172.16.10.221%bridge,fd00::1"},{"remote.address":"fd00::1/128"}]"#;
        let rows: Vec<Row> = serde_json::from_str(answer).expect("rows");
        assert_eq!((sessions(&rows).len(), next_hops(&rows).len()), (2, 2));
        mutation::for_each(&[answer.as_bytes()], &["\"established\":", "%", "[[]]"], |bytes| {
            let Ok(rows) = serde_json::from_slice::<Vec<Row>>(bytes) else { return };
            let _ = (sessions(&rows), next_hops(&rows));
        });
    }
}
