//! Objects that clusters consist of, with the versions of their clusters.

use std::fs;
use std::path::Path;

use rk1::config::cluster::{Cluster, Release, Versions};
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::config::written::Channel;
use rk1::render::document::Document;
use rk1::render::documents;
use rk1::render::pins::Pins;
use rk1::render::yaml;
use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) versions: Versions,
    pub(crate) value: Value,
}

impl Object {
    /// `HTTPRoute hubble-ui`
    pub(crate) fn title(&self) -> String {
        let text = |pointer| self.value.pointer(pointer).and_then(Value::as_str).unwrap_or("?");
        format!("{} {}", text("/kind"), text("/metadata/name"))
    }
}

pub(crate) fn release(major: u16, minor: u16, patch: u16) -> Release {
    Release { major, minor, patch: Some(patch) }
}

/// Versions of the Gateway API's bundle and of the Cilium that goes with it; the others as the posts' cluster has them.
pub(crate) fn versions(cilium: Release, gateway_api: Release, gateway_api_channel: Channel) -> Versions {
    Versions {
        k3s: Release { major: 1, minor: 36, patch: None },
        cilium,
        gateway_api,
        gateway_api_channel,
        cert_manager: release(1, 21, 1),
    }
}

pub(crate) fn newest() -> Versions {
    versions(release(1, 20, 0), release(1, 6, 1), Channel::Standard)
}

/// Every bundle of the Gateway API that there is a schema of.
pub(crate) fn every_bundle() -> [Versions; 6] {
    [
        newest(),
        versions(release(1, 20, 0), release(1, 6, 1), Channel::Experimental),
        versions(release(1, 20, 0), release(1, 7, 0), Channel::Standard),
        versions(release(1, 19, 6), release(1, 4, 1), Channel::Standard),
        versions(release(1, 19, 6), release(1, 4, 1), Channel::Experimental),
        versions(release(1, 16, 1), release(1, 1, 0), Channel::Experimental),
    ]
}

pub(crate) fn read(name: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/render/resource").join(name);
    yaml::parse(&fs::read_to_string(path).expect("a file")).expect("YAML")
}

/// What is written by hand: the posts' cluster, the original's, and objects with all that a kind may have.
pub(crate) fn written_by_hand() -> Vec<Object> {
    let [standard, experimental, .., original] = every_bundle();
    [
        ("objects/posts.yaml", standard),
        ("objects/rich.yaml", experimental),
        ("objects/original.yaml", original),
    ]
    .iter()
    .flat_map(|(name, versions)| {
        read(name).into_iter().map(|value| Object { versions: versions.clone(), value })
    })
    .collect()
}

/// The repository's own cluster, and the examples.
pub(crate) const CLUSTERS: [&str; 7] = [
    "cluster.toml",
    "examples/dual-stack/cluster.toml",
    "examples/mixed-modules/cluster.toml",
    "examples/own-authority/cluster.toml",
    "examples/single-node/cluster.toml",
    "examples/two-boards/cluster.toml",
    "examples/unifi/cluster.toml",
];

/// What `rk1 render` makes of a cluster: the versions, and YAML files with objects in them.
pub(crate) fn rendered_files(cluster: &str) -> (Versions, Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(cluster)).expect("cluster.toml");
    let source = Source { name: "cluster.toml".to_owned(), text };
    let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a good cluster file");
    let pins = Pins::read(root).expect("pins");
    let documents = documents(&cluster, &pins).expect("documents").into_iter();
    let files = documents.filter(is_yaml);
    (cluster.versions, files.map(|document| document.body).collect())
}

fn is_yaml(document: &Document) -> bool {
    let extension = Path::new(&document.name).extension();
    document.folder == "manifests" && extension.is_some_and(|extension| extension == "yaml")
}

/// The objects of the repository's own cluster.
pub(crate) fn rendered() -> Vec<Object> {
    rendered_of(CLUSTERS[0])
}

pub(crate) fn rendered_of(cluster: &str) -> Vec<Object> {
    let (versions, files) = rendered_files(cluster);
    let objects = files.iter().flat_map(|text| yaml::parse(text).expect("YAML"));
    objects.map(|value| Object { versions: versions.clone(), value }).collect()
}
