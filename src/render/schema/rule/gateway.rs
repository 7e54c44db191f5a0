//! Gateway API: `Gateway`.

use serde_json::Value;

use super::Restated::{Function, OutOfReach};
use super::{Table, has, is_each_unique, items, list, text};
use crate::render::schema::label::{is_label, is_qualified_part};

pub(super) const RULES: Table = &[
    (
        "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
        Function(|listeners| {
            list(listeners)
                .iter()
                .all(|listener| !speaks(listener, &["HTTP", "TCP", "UDP"]) || !has(listener, "tls"))
        }),
    ),
    (
        "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)",
        Function(|listeners| {
            let tls = list(listeners).iter().filter(|listener| speaks(listener, &["HTTPS"]));
            tls.filter_map(|listener| listener.get("tls"))
                .all(|tls| has(tls, "mode") && ["", "Terminate"].contains(&text(tls, "mode")))
        }),
    ),
    (
        "self.all(l, (l.protocol == 'TLS' ? has(l.tls) && has(l.tls.mode) && l.tls.mode != '' : true))",
        Function(|listeners| {
            let mut tls = list(listeners).iter().filter(|listener| speaks(listener, &["TLS"]));
            tls.all(|listener| listener.get("tls").is_some_and(|tls| !text(tls, "mode").is_empty()))
        }),
    ),
    (
        "self.all(l, l.protocol in ['TCP', 'UDP']  ? (!has(l.hostname) || l.hostname == '') : true)",
        Function(|listeners| {
            let mut plain = list(listeners).iter().filter(|listener| speaks(listener, &["TCP", "UDP"]));
            plain.all(|listener| text(listener, "hostname").is_empty())
        }),
    ),
    (
        "self.all(l1, self.exists_one(l2, l1.name == l2.name))",
        OutOfReach("the list is a map by `name`: its structure is wrong before"),
    ),
    (
        "self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && \
         (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : \
         !has(l1.hostname) && !has(l2.hostname))))",
        Function(|listeners| {
            is_each_unique(list(listeners), |one, other| {
                ["port", "protocol", "hostname"].iter().all(|key| one.get(key) == other.get(key))
            })
        }),
    ),
    (
        "self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true",
        Function(|tls| {
            text(tls, "mode") != "Terminate"
                || !items(tls, "certificateRefs").is_empty()
                || tls["options"].as_object().is_some_and(|options| !options.is_empty())
        }),
    ),
    (
        "self.all(t1, self.exists_one(t2, t1.port == t2.port))",
        OutOfReach("the list is a map by `port`: its structure is wrong before"),
    ),
    (
        "self.all(a1, a1.type == 'IPAddress' ? \
         self.exists_one(a2, a2.type == a1.type && a2.value == a1.value) : true )",
        Function(|addresses| are_addresses_unique(addresses, "IPAddress")),
    ),
    (
        "self.all(a1, a1.type == 'Hostname' ? \
         self.exists_one(a2, a2.type == a1.type && a2.value == a1.value) : true )",
        Function(|addresses| are_addresses_unique(addresses, "Hostname")),
    ),
    (
        "self.all(a1, a1.type == 'IPAddress' && has(a1.value) ? \
         self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )",
        Function(|addresses| are_addresses_unique(addresses, "IPAddress")),
    ),
    (
        "self.all(a1, a1.type == 'Hostname'  && has(a1.value) ? \
         self.exists_one(a2, a2.type == a1.type && has(a2.value) && a2.value == a1.value) : true )",
        Function(|addresses| are_addresses_unique(addresses, "Hostname")),
    ),
    (
        r#"self.type == 'Hostname' ? self.value.matches(r"""^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"""): true"#,
        Function(|address| text(address, "type") != "Hostname" || is_hostname(text(address, "value"))),
    ),
    (
        r#"self.type == 'Hostname' ? (!has(self.value) || self.value.matches(r"""^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$""")): true"#,
        Function(|address| {
            text(address, "type") != "Hostname"
                || !has(address, "value")
                || is_hostname(text(address, "value"))
        }),
    ),
    (
        r#"self.all(key, key.matches(r"""^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"""))"#,
        Function(|annotations| keys(annotations).all(is_qualified_name)),
    ),
    (
        r#"self.all(key, key.split("/")[0].size() < 253)"#,
        Function(|annotations| {
            keys(annotations)
                .all(|key| key.split('/').next().is_some_and(|prefix| prefix.chars().count() < 253))
        }),
    ),
];

fn speaks(listener: &Value, protocols: &[&str]) -> bool {
    protocols.contains(&text(listener, "protocol"))
}

/// Addresses of one type that have a value. In v1.1.0 each has one.
fn are_addresses_unique(addresses: &Value, kind: &str) -> bool {
    let of_kind =
        list(addresses).iter().filter(|address| text(address, "type") == kind && has(address, "value"));
    let values: Vec<_> = of_kind.map(|address| address["value"].clone()).collect();
    is_each_unique(&values, |one, other| one == other)
}

fn is_hostname(name: &str) -> bool {
    name.strip_prefix("*.").unwrap_or(name).split('.').all(is_label)
}

fn is_qualified_name(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => prefix.split('.').all(is_label) && is_qualified_part(name),
        None => is_qualified_part(key),
    }
}

fn keys(map: &Value) -> impl Iterator<Item = &str> {
    map.as_object().into_iter().flat_map(|members| members.keys().map(String::as_str))
}
