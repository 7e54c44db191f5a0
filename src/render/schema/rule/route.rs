//! Gateway API: `HTTPRoute`, but for its filters.

use serde_json::Value;

use super::Restated::{Function, OutOfReach};
use super::{Table, has, is_each_unique, items, list, text};

pub(super) const RULES: Table = &[
    (
        "self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__)) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '') && (!has(p1.port) || p1.port == 0) == (!has(p2.port) || p2.port == 0)): true))",
        Function(|parents| {
            are_sections_told(parents, |one, other| {
                section(one).is_empty() == section(other).is_empty() && (port(one) == 0) == (port(other) == 0)
            })
        }),
    ),
    (
        "self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))",
        Function(|parents| {
            are_sections_told(parents, |one, other| section(one).is_empty() == section(other).is_empty())
        }),
    ),
    (
        "self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || ( has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName)) && (((!has(p1.port) || p1.port == 0) && (!has(p2.port) || p2.port == 0)) || (has(p1.port) && has(p2.port) && p1.port == p2.port))))",
        Function(|parents| {
            is_each_unique(list(parents), |one, other| {
                is_same_parent(one, other) && section(one) == section(other) && port(one) == port(other)
            })
        }),
    ),
    (
        "self.all(p1, self.exists_one(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__) && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) && (((!has(p1.sectionName) || p1.sectionName == '') && (!has(p2.sectionName) || p2.sectionName == '')) || (has(p1.sectionName) && has(p2.sectionName) && p1.sectionName == p2.sectionName))))",
        Function(|parents| {
            is_each_unique(list(parents), |one, other| {
                is_same_parent(one, other) && section(one) == section(other)
            })
        }),
    ),
    (
        "(self.size() > 0 ? self[0].matches.size() : 0) + (self.size() > 1 ? self[1].matches.size() : 0) + (self.size() > 2 ? self[2].matches.size() : 0) + (self.size() > 3 ? self[3].matches.size() : 0) + (self.size() > 4 ? self[4].matches.size() : 0) + (self.size() > 5 ? self[5].matches.size() : 0) + (self.size() > 6 ? self[6].matches.size() : 0) + (self.size() > 7 ? self[7].matches.size() : 0) + (self.size() > 8 ? self[8].matches.size() : 0) + (self.size() > 9 ? self[9].matches.size() : 0) + (self.size() > 10 ? self[10].matches.size() : 0) + (self.size() > 11 ? self[11].matches.size() : 0) + (self.size() > 12 ? self[12].matches.size() : 0) + (self.size() > 13 ? self[13].matches.size() : 0) + (self.size() > 14 ? self[14].matches.size() : 0) + (self.size() > 15 ? self[15].matches.size() : 0) <= 128",
        Function(|rules| {
            let first = list(rules).iter().take(16);
            first.map(|rule| items(rule, "matches").len()).sum::<usize>() <= 128
        }),
    ),
    (
        "self.all(l1, !has(l1.name) || self.exists_one(l2, has(l2.name) && l1.name == l2.name))",
        Function(|rules| {
            let names: Vec<_> = list(rules).iter().filter_map(|rule| rule.get("name").cloned()).collect();
            is_each_unique(&names, |one, other| one == other)
        }),
    ),
    (
        "(size(self.group) == 0 && self.kind == 'Service') ? has(self.port) : true",
        Function(|backend| {
            !(text(backend, "group").is_empty() && text(backend, "kind") == "Service") || has(backend, "port")
        }),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? self.value.startsWith('/') : true",
        Function(|path| is_pattern(path) || text(path, "value").starts_with('/')),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('//') : true",
        Function(|path| lacks(path, "//")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('/./') : true",
        Function(|path| lacks(path, "/./")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('/../') : true",
        Function(|path| lacks(path, "/../")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('%2f') : true",
        Function(|path| lacks(path, "%2f")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('%2F') : true",
        Function(|path| lacks(path, "%2F")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('#') : true",
        Function(|path| lacks(path, "#")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.endsWith('/..') : true",
        Function(|path| is_pattern(path) || has(path, "value") && !text(path, "value").ends_with("/..")),
    ),
    (
        "(self.type in ['Exact','PathPrefix']) ? !self.value.endsWith('/.') : true",
        Function(|path| is_pattern(path) || has(path, "value") && !text(path, "value").ends_with("/.")),
    ),
    (
        "self.type in ['Exact','PathPrefix'] || self.type == 'RegularExpression'",
        OutOfReach("these are the choices of `type`: its structure is wrong before"),
    ),
    (
        r#"(self.type in ['Exact','PathPrefix']) ? self.value.matches(r"""^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$""") : true"#,
        Function(|path| is_pattern(path) || is_path(text(path, "value"))),
    ),
    (
        "!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && \
         duration(self.backendRequest) > duration(self.request))",
        Function(|timeouts| {
            let limit = |key| timeouts.get(key).map(|value| milliseconds(value.as_str().unwrap_or_default()));
            match (limit("request"), limit("backendRequest")) {
                (Some(Some(request)), Some(Some(backend))) => request == 0 || backend <= request,
                (Some(None), Some(_)) | (Some(_), Some(None)) => false,
                (None, _) | (_, None) => true,
            }
        }),
    ),
    (
        "!has(self.cookieConfig.lifetimeType) || self.cookieConfig.lifetimeType != 'Permanent' || \
         has(self.absoluteTimeout)",
        // Without `cookieConfig`, the first two parts are errors.
        Function(|persistence| {
            persistence.get("cookieConfig").is_some_and(|cookie| text(cookie, "lifetimeType") != "Permanent")
                || has(persistence, "absoluteTimeout")
        }),
    ),
    (
        "!has(self.cookieConfig) || !has(self.cookieConfig.lifetimeType) || \
         self.cookieConfig.lifetimeType != 'Permanent' || has(self.absoluteTimeout)",
        Function(|persistence| {
            persistence.get("cookieConfig").is_none_or(|cookie| text(cookie, "lifetimeType") != "Permanent")
                || has(persistence, "absoluteTimeout")
        }),
    ),
    (
        "!has(self.cookieConfig) || self.type == 'Cookie'",
        Function(|persistence| !has(persistence, "cookieConfig") || text(persistence, "type") == "Cookie"),
    ),
];

fn is_same_parent(one: &Value, other: &Value) -> bool {
    ["group", "kind", "name", "namespace"].iter().all(|key| text(one, key) == text(other, key))
}

fn are_sections_told(parents: &Value, is_told: impl Fn(&Value, &Value) -> bool) -> bool {
    let parents = list(parents);
    parents
        .iter()
        .all(|one| parents.iter().filter(|other| is_same_parent(one, other)).all(|other| is_told(one, other)))
}

fn section(parent: &Value) -> &str {
    text(parent, "sectionName")
}

fn port(parent: &Value) -> i64 {
    parent["port"].as_i64().unwrap_or_default()
}

/// Whether a path is something else than a path or a beginning of one.
fn is_pattern(path: &Value) -> bool {
    !["Exact", "PathPrefix"].contains(&text(path, "type"))
}

fn lacks(path: &Value, part: &str) -> bool {
    is_pattern(path) || has(path, "value") && !text(path, "value").contains(part)
}

/// RFC 3986, section 3.3: `1*( pchar / "/" )`.
fn is_path(path: &str) -> bool {
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, tail @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => tail,
            _ if first.is_ascii_alphanumeric() || b"-/._~!$&'()*+,;=:@".contains(first) => tail,
            _ => return false,
        };
    }
    !path.is_empty()
}

/// GEP-2257: one to four numbers with a unit, such as `1h30m` or `500ms`.
fn milliseconds(duration: &str) -> Option<u64> {
    let mut rest = duration;
    let mut total = 0;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let count: u64 = rest[..digits].parse().ok()?;
        let (unit, tail) = [("ms", 1), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
            .iter()
            .find_map(|(name, unit)| Some((unit, rest[digits..].strip_prefix(name)?)))?;
        total += count * unit;
        rest = tail;
    }
    (!duration.is_empty()).then_some(total)
}
