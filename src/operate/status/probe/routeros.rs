//! Asks `RouterOS` over its REST API.
//!
//! Source: help.mikrotik.com, "REST API": every value of an answer is a string. Fields: the command trees of
//! `/routing/bgp/session`, `/ip/route` and `/ipv6/route`.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, io};

use ipnet::IpNet;
use serde_json::{Map, Value};
use url::Url;

use super::web::Web;
use crate::certificate::Trust;
use crate::config::cluster::{Label, RestAccess, Secrets};
use crate::operate::status::facts::{Answer, RouterFacts, RouterSession};
use crate::operate::status::failure::ProbeError;

type Row = Map<String, Value>;

/// The user's password. It is shown to nobody but the router.
pub(super) struct Password(String);

/// The environment's variable that holds the password for a router, where cluster.toml names no secret.
pub(in crate::operate::status) fn password_variable(router: &Label) -> String {
    format!("RK1_PASSWORD_{}", router.as_str().to_uppercase().replace('-', "_"))
}

/// From the secret's file, or from the environment where no secret is named.
pub(super) fn password(
    router: &Label,
    access: &RestAccess,
    secrets: &Secrets,
    folder: &Path,
) -> Result<Password, ProbeError> {
    let not_asked = |reason| ProbeError::NotAsked { reason };
    let Some(name) = &access.password else {
        let variable = password_variable(router);
        return env::var(&variable)
            .map(Password)
            .map_err(|_| not_asked(format!("no password: `{variable}` is not set")));
    };
    let unread =
        |error: io::Error| not_asked(format!("no password: the secret `{}`: {error}", name.as_str()));
    let file = secrets.0.get(name).ok_or_else(|| unread(io::ErrorKind::NotFound.into()))?;
    let text = fs::read_to_string(folder.join(file)).map_err(unread)?;
    Ok(Password(text.trim_end_matches(['\r', '\n']).to_owned()))
}

pub(super) async fn ask(
    access: &RestAccess,
    password: &Password,
    gateways: &[IpAddr],
    limit: Duration,
) -> Answer<RouterFacts> {
    let trust = access.fingerprint.map_or(Trust::Machine, Trust::Pinned);
    let web = Web::new(limit, trust)?;
    let rows = async |path: &str| -> Answer<Vec<Row>> {
        let url = join(&access.url, path)?;
        let page = web.get(url, |request| request.basic_auth(&access.user, Some(&password.0))).await?;
        match page.status {
            200 => serde_json::from_slice(&page.body)
                .map_err(|_| ProbeError::unexpected(format!("/rest/{path} answers no list"))),
            401 => Err(ProbeError::Denied {
                reason: format!("401, the user `{}` or the password is wrong", access.user),
            }),
            403 => {
                Err(ProbeError::Denied { reason: format!("403, the user `{}` may not look", access.user) })
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
    base.join(&format!("/rest/{path}")).map_err(|error| ProbeError::NotAsked { reason: error.to_string() })
}

/// A flag that is not there is not set.
fn is_set(row: &Row, flag: &str) -> bool {
    text(row, flag) == Some("true")
}

fn text<'a>(row: &'a Row, field: &str) -> Option<&'a str> {
    row.get(field)?.as_str()
}

/// Sessions that have ended stay in the list for a while: one that is established counts more.
fn sessions(rows: &[Row]) -> BTreeMap<IpAddr, RouterSession> {
    let mut sessions = BTreeMap::new();
    for row in rows {
        let address =
            text(row, "remote.address").and_then(|text| text.split(['/', '%']).next()?.parse().ok());
        let Some(address): Option<IpAddr> = address else { continue };
        if is_set(row, "established") {
            let session = RouterSession::Established {
                uptime: text(row, "uptime").map(str::to_owned),
                routes: text(row, "prefix-count").and_then(|count| count.parse().ok()),
            };
            sessions.insert(address, session);
        } else {
            let state = if is_set(row, "stopped") { "stopped" } else { "not established" };
            sessions.entry(address).or_insert_with(|| RouterSession::Down { state: state.to_owned() });
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
