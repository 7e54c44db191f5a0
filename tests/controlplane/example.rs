//! The examples of the repository, each with routers that can run here.

use std::fs;
use std::path::PathBuf;

use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::render::document::Document;
use rk1::render::documents;
use rk1::render::pins::Pins;
use rk1::render::yaml;
use serde_json::Value;

use crate::ROOT;
use crate::router::Daemon;

pub(crate) struct Example {
    pub(crate) name: &'static str,
    folder: &'static str,
    /// What is written in `cluster.toml`, and what stands there instead in the test.
    changes: &'static [(&'static str, &'static str)],
    /// The program of each router.
    pub(crate) daemons: &'static [Daemon],
    pub(crate) stages: Stages,
}

/// What is played of an example.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stages {
    /// A first boot in the wrong order, and every failure.
    All,
    /// A first boot, addresses from each pool, and what `rk1 status` says then.
    Start,
}

pub(crate) const EXAMPLES: [Example; 6] = [
    Example {
        name: "posts",
        folder: "",
        changes: &[(
            "platform = \"routeros\"\nversion = \"7.18\"\n",
            "platform = \"frr\"\nversion = \"8.4.4\"\n",
        )],
        daemons: &[Daemon::Frr],
        stages: Stages::All,
    },
    Example {
        name: "dual-stack",
        folder: "examples/dual-stack",
        changes: &[(
            "platform = \"routeros\"\nversion = \"7.22\"\n",
            "platform = \"bird\"\nversion = \"2.0.12\"\n",
        )],
        daemons: &[Daemon::Bird, Daemon::Frr],
        stages: Stages::All,
    },
    // A gateway of Ubiquiti, two gateways, a pool in the nodes' network, a password.
    Example::start("unifi", "examples/unifi", &[Daemon::Frr]),
    // Two routers, of which one hears of a second pool.
    Example::start("two-boards", "examples/two-boards", &[Daemon::Frr, Daemon::Frr]),
    // Its own authority signs certificates.
    Example::start("own-authority", "examples/own-authority", &[Daemon::Bird]),
    // One node without a router.
    Example::start("single-node", "examples/single-node", &[]),
];

impl Example {
    /// An example as it is, of which the start is played.
    const fn start(name: &'static str, folder: &'static str, daemons: &'static [Daemon]) -> Self {
        Self { name, folder, changes: &[], daemons, stages: Stages::Start }
    }

    /// Its `cluster.toml`, changed.
    pub(crate) fn text(&self) -> String {
        let path = PathBuf::from(ROOT).join(self.folder).join("cluster.toml");
        let mut text = fs::read_to_string(path).expect("cluster.toml");
        for (before, after) in self.changes {
            assert_eq!(text.matches(before).count(), 1, "{before}");
            text = text.replace(before, after);
        }
        text
    }

    pub(crate) fn cluster(&self) -> Cluster {
        let source = Source { name: "cluster.toml".to_owned(), text: self.text() };
        let mut problems = Problems::default();
        Cluster::parse(&source, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
    }

    /// All that is rendered. The manifests are those of the repository.
    pub(crate) fn documents(&self, cluster: &Cluster) -> Vec<Document> {
        let documents = documents(cluster, &Pins::built_in().expect("pins")).expect("documents");
        for manifest in documents.iter().filter(|document| document.folder == "manifests") {
            let path = PathBuf::from(ROOT).join(self.folder).join("manifests").join(&manifest.name);
            assert_eq!(fs::read_to_string(path).expect("a manifest"), manifest.body, "{}", manifest.name);
        }
        documents
    }
}

/// Returns the objects of a manifest.
pub(crate) fn objects(documents: &[Document], name: &str) -> Vec<Value> {
    let of_name = |document: &&Document| document.folder == "manifests" && document.name == name;
    let document = documents.iter().find(of_name).expect("a manifest");
    yaml::parse(&document.body).expect("YAML")
}
