//! Helm values: what is written for the charts, the mistakes of the posts, and every mutation.

use std::fmt::Write;

use rk1::config::cluster::Release;
use rk1::config::diagnostics::Mistake;
use rk1::render::schema::{Chart, validate_values};
use rk1::render::yaml;
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};

use crate::mutation::{Change, Tally, mutants};
use crate::note;
use crate::objects::{release, rendered};

const NEWEST: Chart = Chart::Cilium(Release { major: 1, minor: 20, patch: Some(0) });

/// The values in the rendered charts.
fn rendered_values() -> Vec<(Chart, Value)> {
    let mut found = Vec::new();
    for object in rendered() {
        let Some(text) = object.value.pointer("/spec/valuesContent").and_then(Value::as_str) else {
            continue;
        };
        let chart = match object.value["metadata"]["name"].as_str() {
            Some("cilium") => Chart::Cilium(object.versions.cilium),
            Some("cert-manager") => Chart::CertManager(object.versions.cert_manager),
            other => panic!("a chart that is not known: {other:?}"),
        };
        found.push((chart, yaml::parse(text).expect("YAML").remove(0)));
    }
    found
}

#[test]
fn rendered_values_are_valid() {
    let values = rendered_values();
    assert_eq!(values.len(), 2);
    for (chart, values) in values {
        assert_eq!(validate_values(chart, &values), [], "{chart:?}");
    }
}

/// Values, each with one thing that is unusual.
fn cases() -> Vec<(&'static str, Chart, Value)> {
    let old = Chart::Cilium(release(1, 16, 1));
    let cert_manager = Chart::CertManager(release(1, 21, 1));
    vec![
        (
            "the posts' first bug",
            NEWEST,
            json!({ "ipam": { "operator": { "clusterPoolCIDR": "10.42.0.0/16" } } }),
        ),
        (
            "the posts' first bug, then",
            old,
            json!({ "ipam": { "operator": { "clusterPoolCIDR": "10.42.0.0/16" } } }),
        ),
        ("the posts' second bug", cert_manager, json!({ "podDNSConfig": { "nameservers": ["1.1.1.1"] } })),
        ("a reporter's key", NEWEST, json!({ "proxy": { "useOriginalSourceAddress": false } })),
        ("the chart's key", NEWEST, json!({ "envoy": { "useOriginalSourceAddress": false } })),
        ("create as a boolean, now", NEWEST, json!({ "gatewayAPI": { "gatewayClass": { "create": true } } })),
        ("create as a boolean, then", old, json!({ "gatewayAPI": { "gatewayClass": { "create": true } } })),
        ("create as a string, then", old, json!({ "gatewayAPI": { "gatewayClass": { "create": "true" } } })),
        ("kube-proxy replaced, now", NEWEST, json!({ "kubeProxyReplacement": true })),
        ("kube-proxy replaced, then", old, json!({ "kubeProxyReplacement": true })),
        ("kube-proxy replaced by a word", old, json!({ "kubeProxyReplacement": "strict" })),
        ("kube-proxy replaced by a word, now", NEWEST, json!({ "kubeProxyReplacement": "strict" })),
        ("an acceleration that there is not", NEWEST, json!({ "loadBalancer": { "acceleration": "xdp" } })),
        ("commented out", NEWEST, json!({ "loadBalancer": { "mode": "dsr", "algorithm": "maglev" } })),
        ("commented out, with a typing error", NEWEST, json!({ "loadBalancer": { "mode": "DSR" } })),
        ("a map that was open", NEWEST, json!({ "maglev": { "tableSize": 65521, "table-size": 1 } })),
        ("another case", NEWEST, json!({ "hubble": { "ui": { "Enabled": true } } })),
        ("a map for a switch", NEWEST, json!({ "bgpControlPlane": true })),
        ("a switch as a string", NEWEST, json!({ "bgpControlPlane": { "enabled": "true" } })),
        ("null", NEWEST, json!({ "operator": { "replicas": null } })),
        ("passed to Kubernetes", NEWEST, json!({ "operator": { "nodeSelector": { "any/thing": "1" } } })),
        ("resources", NEWEST, json!({ "resources": { "limits": { "memory": "1Gi" } } })),
        ("tolerations", NEWEST, json!({ "tolerations": [{ "key": "a", "operator": "Exists" }] })),
        ("tolerations of another type", NEWEST, json!({ "tolerations": [{ "operator": 1 }] })),
        ("a choice", NEWEST, json!({ "identityManagementMode": "agents" })),
        (
            "certificates for gateways",
            cert_manager,
            json!({ "config": { "gatewayApi": { "enabled": true } } }),
        ),
        ("configuration of another kind", cert_manager, json!({ "config": { "kind": "Configuration" } })),
        ("a gateway without proxy", NEWEST, json!({ "gatewayAPI": { "enabled": true }, "l7Proxy": false })),
        (
            "a page without relay, then",
            old,
            json!({ "hubble": { "ui": { "enabled": true }, "relay": { "enabled": false } } }),
        ),
        (
            "a page that has its own relay",
            NEWEST,
            json!({ "hubble": { "ui": { "enabled": true, "standalone": { "enabled": true } } } }),
        ),
        (
            "a relay without Hubble",
            NEWEST,
            json!({ "hubble": { "enabled": false, "relay": { "enabled": true } } }),
        ),
        ("a cluster's name with a dot", NEWEST, json!({ "cluster": { "name": "turing.pi" } })),
        ("a cluster's name of 33 letters", NEWEST, json!({ "cluster": { "name": "a".repeat(33) } })),
        ("nobody in kube-proxy's place", NEWEST, json!({ "kubeProxyReplacement": false })),
        ("not a map", NEWEST, json!(["a"])),
        ("a patch release", Chart::Cilium(release(1, 20, 3)), json!({ "debug": { "enable": true } })),
        ("an unknown release", Chart::Cilium(release(1, 17, 0)), json!({})),
    ]
}

#[test]
fn every_case_is_judged_as_before() {
    let mut told = String::new();
    for (name, chart, values) in cases() {
        let _ = writeln!(told, "{name}");
        let problems = validate_values(chart, &values);
        if problems.is_empty() {
            told.push_str("  right\n");
        }
        for problem in problems {
            let _ = writeln!(told, "  {problem}");
            // The keys of a whole chart are many.
            if let Some(hint) = problem.hint().filter(|hint| hint.len() < 400) {
                let _ = writeln!(told, "    hint: {hint}");
            }
        }
    }
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/render/resource/values.txt");
    assert_data_eq!(told, Data::read_from(expected.as_ref(), None).raw());
}

/// Every value has a default in its chart, so that to delete one is harmless, but for the relay that Hubble's page needs.
/// No name of a chart's key is its user's, so that every renaming must be refused.
#[test]
fn mutations_are_refused() {
    let (mut renamed, mut mistyped, mut deleted) = (Tally::default(), Tally::default(), 0);
    let mut survivors = Vec::new();
    for (chart, values) in rendered_values() {
        for mutant in mutants(&values) {
            let is_refused = !validate_values(chart, &mutant.value).is_empty();
            let tally = match mutant.change {
                Change::Deletion => {
                    deleted += 1;
                    let is_relay = mutant.path.iter().any(|key| key == "relay");
                    assert_eq!(is_refused, is_relay, "{}", mutant.path.join("."));
                    continue;
                }
                Change::Renaming => &mut renamed,
                Change::Mistype => &mut mistyped,
            };
            if is_refused {
                tally.refused += 1;
            } else {
                tally.survived += 1;
                survivors.push(format!("{:?} {} {}", mutant.change, mutant.path.join("."), mutant.value));
            }
        }
    }
    note(&format!(
        "mutation of rendered values: renamings {} of {} refused, mistypes {} of {} refused, {deleted} deletions, \
         harmless but for the relay's (every value has a default)",
        renamed.refused,
        renamed.refused + renamed.survived,
        mistyped.refused,
        mistyped.refused + mistyped.survived,
    ));
    // The chart takes another type as well: a boolean for `gatewayClass.create`, a string for the list of the pods'
    // ranges and for `k8sServicePort`.
    assert_eq!(survivors.len(), 3, "{survivors:#?}");
    assert!(renamed.rate() >= 95.0 && mistyped.rate() >= 95.0, "{survivors:#?}");
}
