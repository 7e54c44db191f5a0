//! Gateway API: the filters of an `HTTPRoute`, and the rules of routes about them.

use serde_json::Value;

use super::Restated::Function;
use super::{Table, has, items, list, text};

pub(super) const RULES: Table = &[
    (
        "(has(self.backendRefs) && size(self.backendRefs) > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true",
        Function(|rule| {
            items(rule, "backendRefs").is_empty()
                || items(rule, "filters").iter().all(|filter| !has(filter, "requestRedirect"))
        }),
    ),
    (
        "(has(self.filters) && self.filters.exists_one(f, has(f.requestRedirect) && has(f.requestRedirect.path) && f.requestRedirect.path.type == 'ReplacePrefixMatch' && has(f.requestRedirect.path.replacePrefixMatch))) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true",
        Function(|rule| !replaces_prefix(rule, "requestRedirect") || matches_one_prefix(rule)),
    ),
    (
        "(has(self.filters) && self.filters.exists_one(f, has(f.urlRewrite) && has(f.urlRewrite.path) && f.urlRewrite.path.type == 'ReplacePrefixMatch' && has(f.urlRewrite.path.replacePrefixMatch))) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true",
        Function(|rule| !replaces_prefix(rule, "urlRewrite") || matches_one_prefix(rule)),
    ),
    (
        "(has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && b.filters.exists_one(f, has(f.requestRedirect) && has(f.requestRedirect.path) && f.requestRedirect.path.type == 'ReplacePrefixMatch' && has(f.requestRedirect.path.replacePrefixMatch))) )) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true",
        Function(|rule| !backend_replaces_prefix(rule, "requestRedirect") || matches_one_prefix(rule)),
    ),
    (
        "(has(self.backendRefs) && self.backendRefs.exists_one(b, (has(b.filters) && b.filters.exists_one(f, has(f.urlRewrite) && has(f.urlRewrite.path) && f.urlRewrite.path.type == 'ReplacePrefixMatch' && has(f.urlRewrite.path.replacePrefixMatch))) )) ? ((size(self.matches) != 1 || !has(self.matches[0].path) || self.matches[0].path.type != 'PathPrefix') ? false : true) : true",
        Function(|rule| !backend_replaces_prefix(rule, "urlRewrite") || matches_one_prefix(rule)),
    ),
    (
        "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))",
        Function(|filters| count(filters, "RequestRedirect") == 0 || count(filters, "URLRewrite") == 0),
    ),
    ("self.filter(f, f.type == 'CORS').size() <= 1", Function(|filters| count(filters, "CORS") <= 1)),
    (
        "self.filter(f, f.type == 'RequestHeaderModifier').size() <= 1",
        Function(|filters| count(filters, "RequestHeaderModifier") <= 1),
    ),
    (
        "self.filter(f, f.type == 'RequestRedirect').size() <= 1",
        Function(|filters| count(filters, "RequestRedirect") <= 1),
    ),
    (
        "self.filter(f, f.type == 'ResponseHeaderModifier').size() <= 1",
        Function(|filters| count(filters, "ResponseHeaderModifier") <= 1),
    ),
    (
        "self.filter(f, f.type == 'URLRewrite').size() <= 1",
        Function(|filters| count(filters, "URLRewrite") <= 1),
    ),
    ("!(has(self.cors) && self.type != 'CORS')", Function(|filter| only_with(filter, "cors", "CORS"))),
    ("!(!has(self.cors) && self.type == 'CORS')", Function(|filter| always_with(filter, "cors", "CORS"))),
    (
        "!(has(self.extensionRef) && self.type != 'ExtensionRef')",
        Function(|filter| only_with(filter, "extensionRef", "ExtensionRef")),
    ),
    (
        "!(!has(self.extensionRef) && self.type == 'ExtensionRef')",
        Function(|filter| always_with(filter, "extensionRef", "ExtensionRef")),
    ),
    (
        "!(has(self.externalAuth) && self.type != 'ExternalAuth')",
        Function(|filter| only_with(filter, "externalAuth", "ExternalAuth")),
    ),
    (
        "!(!has(self.externalAuth) && self.type == 'ExternalAuth')",
        Function(|filter| always_with(filter, "externalAuth", "ExternalAuth")),
    ),
    (
        "!(has(self.requestHeaderModifier) && self.type != 'RequestHeaderModifier')",
        Function(|filter| only_with(filter, "requestHeaderModifier", "RequestHeaderModifier")),
    ),
    (
        "!(!has(self.requestHeaderModifier) && self.type == 'RequestHeaderModifier')",
        Function(|filter| always_with(filter, "requestHeaderModifier", "RequestHeaderModifier")),
    ),
    (
        "!(has(self.requestMirror) && self.type != 'RequestMirror')",
        Function(|filter| only_with(filter, "requestMirror", "RequestMirror")),
    ),
    (
        "!(!has(self.requestMirror) && self.type == 'RequestMirror')",
        Function(|filter| always_with(filter, "requestMirror", "RequestMirror")),
    ),
    (
        "!(has(self.requestRedirect) && self.type != 'RequestRedirect')",
        Function(|filter| only_with(filter, "requestRedirect", "RequestRedirect")),
    ),
    (
        "!(!has(self.requestRedirect) && self.type == 'RequestRedirect')",
        Function(|filter| always_with(filter, "requestRedirect", "RequestRedirect")),
    ),
    (
        "!(has(self.responseHeaderModifier) && self.type != 'ResponseHeaderModifier')",
        Function(|filter| only_with(filter, "responseHeaderModifier", "ResponseHeaderModifier")),
    ),
    (
        "!(!has(self.responseHeaderModifier) && self.type == 'ResponseHeaderModifier')",
        Function(|filter| always_with(filter, "responseHeaderModifier", "ResponseHeaderModifier")),
    ),
    (
        "!(has(self.urlRewrite) && self.type != 'URLRewrite')",
        Function(|filter| only_with(filter, "urlRewrite", "URLRewrite")),
    ),
    (
        "!(!has(self.urlRewrite) && self.type == 'URLRewrite')",
        Function(|filter| always_with(filter, "urlRewrite", "URLRewrite")),
    ),
    (
        "self.type == 'ReplaceFullPath' ? has(self.replaceFullPath) : true",
        Function(|path| always_with(path, "replaceFullPath", "ReplaceFullPath")),
    ),
    (
        "has(self.replaceFullPath) ? self.type == 'ReplaceFullPath' : true",
        Function(|path| only_with(path, "replaceFullPath", "ReplaceFullPath")),
    ),
    (
        "self.type == 'ReplacePrefixMatch' ? has(self.replacePrefixMatch) : true",
        Function(|path| always_with(path, "replacePrefixMatch", "ReplacePrefixMatch")),
    ),
    (
        "has(self.replacePrefixMatch) ? self.type == 'ReplacePrefixMatch' : true",
        Function(|path| only_with(path, "replacePrefixMatch", "ReplacePrefixMatch")),
    ),
    (
        "self.protocol == 'GRPC' ? has(self.grpc) : true",
        Function(|auth| text(auth, "protocol") != "GRPC" || has(auth, "grpc")),
    ),
    (
        "has(self.grpc) ? self.protocol == 'GRPC' : true",
        Function(|auth| !has(auth, "grpc") || text(auth, "protocol") == "GRPC"),
    ),
    (
        "self.protocol == 'HTTP' ? has(self.http) : true",
        Function(|auth| text(auth, "protocol") != "HTTP" || has(auth, "http")),
    ),
    (
        "has(self.http) ? self.protocol == 'HTTP' : true",
        Function(|auth| !has(auth, "http") || text(auth, "protocol") == "HTTP"),
    ),
    (
        "!('*' in self && self.size() > 1)",
        Function(|names| list(names).len() <= 1 || !list(names).iter().any(|name| name == "*")),
    ),
    (
        "!(has(self.percent) && has(self.fraction))",
        Function(|mirror| !(has(mirror, "percent") && has(mirror, "fraction"))),
    ),
    (
        "self.numerator <= self.denominator",
        Function(|fraction| match (fraction["numerator"].as_i64(), fraction["denominator"].as_i64()) {
            (Some(numerator), Some(denominator)) => numerator <= denominator,
            _ => false,
        }),
    ),
];

fn count(filters: &Value, kind: &str) -> usize {
    list(filters).iter().filter(|filter| text(filter, "type") == kind).count()
}

/// A key may stand only beside one type.
fn only_with(value: &Value, key: &str, kind: &str) -> bool {
    !has(value, key) || text(value, "type") == kind
}

/// A type needs a key.
fn always_with(value: &Value, key: &str, kind: &str) -> bool {
    has(value, key) || text(value, "type") != kind
}

/// Whether exactly one filter puts something else in the place of a path's beginning.
fn replaces_prefix(holder: &Value, action: &str) -> bool {
    let replacing = items(holder, "filters").iter().filter(|filter| {
        let path = &filter[action]["path"];
        text(path, "type") == "ReplacePrefixMatch" && has(path, "replacePrefixMatch")
    });
    replacing.count() == 1
}

fn backend_replaces_prefix(rule: &Value, action: &str) -> bool {
    items(rule, "backendRefs").iter().filter(|backend| replaces_prefix(backend, action)).count() == 1
}

fn matches_one_prefix(rule: &Value) -> bool {
    matches!(items(rule, "matches"), [only] if text(&only["path"], "type") == "PathPrefix")
}
