//! From the public schemas to the compact ones: which files are read, and what becomes of each.

mod allowed;
mod crd;
mod print;
mod values;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

/// Marks, while a schema is made, a map in which keys that are not known may stand.
const OPEN: &str = "open";

/// Resource definitions: file, and the folder of the compact one.
const DEFINITIONS: &[(&str, &str)] = &[
    ("cert-manager/v1.21.1/cert-manager.io_certificates.yaml", "cert-manager/v1.21.1"),
    ("cert-manager/v1.21.1/cert-manager.io_clusterissuers.yaml", "cert-manager/v1.21.1"),
    ("cilium/crds/ciliumbgpadvertisement.yaml", "cilium"),
    ("cilium/crds/ciliumbgpclusterconfig.yaml", "cilium"),
    ("cilium/crds/ciliumbgpnodeconfigoverride.yaml", "cilium"),
    ("cilium/crds/ciliumbgppeerconfig.yaml", "cilium"),
    ("cilium/crds/ciliumclusterwidenetworkpolicy.yaml", "cilium"),
    ("cilium/crds/ciliumgatewayclassconfig.yaml", "cilium"),
    ("cilium/crds/ciliuml2announcementpolicy.yaml", "cilium"),
    ("cilium/crds/ciliumloadbalancerippool.yaml", "cilium"),
    ("k3s/helm-controller-v0.17.7/helm.cattle.io_helmchartconfigs.yaml", "k3s"),
    ("k3s/helm-controller-v0.17.7/helm.cattle.io_helmcharts.yaml", "k3s"),
];

const GATEWAY_API_BUNDLES: &[&str] = &[
    "gateway-api/v1.1.0/experimental",
    "gateway-api/v1.4.1/experimental",
    "gateway-api/v1.4.1/standard",
    "gateway-api/v1.6.1/experimental",
    "gateway-api/v1.6.1/standard",
    "gateway-api/v1.7.0/standard",
];

const GATEWAY_API_KINDS: &[&str] = &["gatewayclasses", "gateways", "httproutes", "referencegrants"];

/// Helm charts: folder, and the chart's name and version.
const CHARTS: &[(&str, &str, &str)] = &[
    ("cert-manager/v1.21.1", "cert-manager", "1.21.1"),
    ("cilium/chart-1.16.1", "cilium", "1.16.1"),
    ("cilium/chart-1.18.12", "cilium", "1.18.12"),
    ("cilium/chart-1.19.6", "cilium", "1.19.6"),
    ("cilium/chart-1.20.0", "cilium", "1.20.0"),
];

/// The resource definitions: the file of each, and the folder of the compact one.
fn all_definitions() -> impl Iterator<Item = (String, &'static str)> {
    let listed = DEFINITIONS.iter().map(|(source, folder)| ((*source).to_owned(), *folder));
    let of_bundle = |bundle: &&'static str| {
        let bundle = *bundle;
        GATEWAY_API_KINDS
            .iter()
            .map(move |plural| (format!("{bundle}/gateway.networking.k8s.io_{plural}.yaml"), bundle))
    };
    listed.chain(GATEWAY_API_BUNDLES.iter().flat_map(of_bundle))
}

/// The resource definitions that a folder of public schemas lacks.
#[allow(dead_code, reason = "only the test asks")]
pub(crate) fn missing(schemas: &Path) -> Vec<String> {
    all_definitions().map(|(source, _)| source).filter(|source| !schemas.join(source).exists()).collect()
}

/// The compact files, each a name and a text, in the order of the names. Those of the definitions `without` are left out.
pub(crate) fn compact_files(schemas: &Path, without: &[String]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for (source, folder) in all_definitions().filter(|(source, _)| !without.contains(source)) {
        files.push(definition(schemas, &source, folder)?);
    }
    for (folder, chart, version) in CHARTS {
        let name = format!("charts/{chart}-{version}.json");
        let text = read(schemas, &format!("{folder}/values.schema.json"))?;
        let schema: Value = serde_json::from_str(&text).with_context(|| name.clone())?;
        let defaults = yaml(schemas, &format!("{folder}/values.yaml"))?;
        let compact = values::compact(chart, version, &schema, &defaults).with_context(|| name.clone())?;
        files.push((name, print::schema_file(&closed(&compact, true))));
    }
    files.sort();
    Ok(files)
}

fn definition(schemas: &Path, source: &str, folder: &str) -> Result<(String, String)> {
    let mut compact = crd::compact(&yaml(schemas, source)?).with_context(|| source.to_owned())?;
    for (_, schema) in &mut compact.schemas {
        *schema = closed(schema, true);
    }
    Ok((format!("{folder}/{}.json", compact.kind), print::definition_file(&compact)))
}

fn yaml(schemas: &Path, name: &str) -> Result<Value> {
    serde_saphyr::from_str(&read(schemas, name)?).with_context(|| format!("{name} is not YAML"))
}

fn read(schemas: &Path, name: &str) -> Result<String> {
    let path = schemas.join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

/// Closes the maps whose keys are known, and removes the mark of the others. The parts of `anyOf` and its like only add
/// conditions to the schema that they stand in, which is closed itself.
fn closed(schema: &Value, is_whole: bool) -> Value {
    let Value::Object(members) = schema else { return schema.clone() };
    let mut result = Map::new();
    for (key, value) in members.iter().filter(|(key, _)| *key != OPEN) {
        let value = match (key.as_str(), value) {
            ("items" | "additionalProperties", _) => closed(value, is_whole),
            ("not", _) => closed(value, false),
            ("properties", Value::Object(properties)) => {
                properties.iter().map(|(key, property)| (key.clone(), closed(property, is_whole))).collect()
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                parts.iter().map(|part| closed(part, false)).collect()
            }
            _ => value.clone(),
        };
        result.insert(key.clone(), value);
    }
    let is_open = members.get(OPEN) == Some(&Value::Bool(true));
    if is_whole && !is_open && can_be_map(members) {
        let has_keys = members.get("properties").is_some_and(|properties| *properties != json!({}));
        if has_keys {
            result.entry("additionalProperties").or_insert(Value::Bool(false));
        } else if !result.contains_key("additionalProperties") {
            result.insert("maxProperties".to_owned(), Value::from(0));
        }
    }
    Value::Object(result)
}

fn can_be_map(schema: &Map<String, Value>) -> bool {
    match schema.get("type") {
        None => !["anyOf", "enum", "oneOf"].iter().any(|key| schema.contains_key(*key)),
        Some(Value::Array(types)) => types.iter().any(|each| each == "object"),
        Some(one) => one == "object",
    }
}
