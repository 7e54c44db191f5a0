//! An independent judge: Kubernetes' own code, as a program in Go (`tests/render/resource/kubernetes-judge`).

use std::fs;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::thread;

use rk1::config::cluster::Versions;
use rk1::render::schema::bundle_of;
use serde::Deserialize;
use serde_json::{Deserializer, Value, json};

use crate::compact::{generator::missing, public_schemas};
use crate::objects::Object;
use crate::requirement::skipped;

/// What an API server would do with an object.
#[derive(Debug, Deserialize)]
pub(crate) struct Verdict {
    pub(crate) refused: Vec<Refusal>,
    /// Keys that are not kept.
    pub(crate) dropped: Vec<String>,
    /// How a document was read.
    #[serde(default)]
    pub(crate) read: Value,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Refusal {
    pub(crate) path: String,
    pub(crate) detail: String,
    /// Whether it is a rule in CEL.
    pub(crate) rule: bool,
}

impl Verdict {
    /// Whether the object is taken, and every key of it kept.
    pub(crate) fn is_good(&self) -> bool {
        self.refused.is_empty() && self.dropped.is_empty()
    }
}

pub(crate) struct Judge {
    program: PathBuf,
    schemas: PathBuf,
}

/// Where the program is, or why it is not. Built once in a run.
static PROGRAM: LazyLock<Result<PathBuf, String>> = LazyLock::new(|| {
    let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("kubernetes-judge");
    let build = Command::new("go")
        .args(["build", "-o"])
        .arg(&program)
        .arg(".")
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/render/resource/kubernetes-judge"))
        .output();
    match build {
        Err(error) => Err(format!("Go cannot be run ({error})")),
        Ok(output) if output.status.success() => Ok(program),
        Ok(output) => {
            let told = String::from_utf8_lossy(&output.stderr);
            // A mistake in the program is no reason to skip.
            assert!(told.contains("dial tcp") || told.contains("lookup "), "{told}");
            Err("Go's modules cannot be fetched".to_owned())
        }
    }
});

impl Judge {
    /// Nothing, and one line on standard error, where a part is missing.
    pub(crate) fn new(test: &str) -> Option<Self> {
        let schemas = public_schemas(test)?;
        match &*PROGRAM {
            Ok(program) => Some(Self { program: program.clone(), schemas }),
            Err(because) => {
                skipped(test, because);
                None
            }
        }
    }

    /// Whether the definition of a kind is among the public schemas.
    pub(crate) fn knows(&self, kind: &str) -> bool {
        let kind = kind.to_lowercase();
        !missing(&self.schemas).iter().any(|source| source.ends_with(&format!("/{kind}.yaml")))
    }

    /// Whether the definitions of the Gateway API are among the public schemas.
    pub(crate) fn has_gateway_api(&self, versions: &Versions) -> bool {
        let bundle = bundle_of("gateway.networking.k8s.io", versions).expect("a bundle");
        self.schemas.join(bundle).is_dir()
    }

    /// One verdict for each object.
    pub(crate) fn verdicts(&self, objects: &[Object]) -> Vec<Verdict> {
        let request = |object: &Object| {
            let definitions = self.definitions(&object.versions);
            json!({ "definitions": definitions, "document": object.value.to_string() })
        };
        self.answers(&objects.iter().map(request).collect::<Vec<_>>())
    }

    /// One verdict for each YAML document, and how the document was read.
    pub(crate) fn readings(&self, versions: &Versions, documents: &[&str]) -> Vec<Verdict> {
        let definitions = self.definitions(versions);
        let request = |document| json!({ "definitions": definitions, "document": document, "echo": true });
        self.answers(&documents.iter().map(request).collect::<Vec<_>>())
    }

    fn answers(&self, requests: &[Value]) -> Vec<Verdict> {
        let text = requests.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        let mut child = Command::new(&self.program)
            .arg(&self.schemas)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the judge runs");
        let mut input = child.stdin.take().expect("standard input");
        let writer = thread::spawn(move || input.write_all(text.as_bytes()));
        let output = BufReader::new(child.stdout.take().expect("standard output"));
        let verdicts: Vec<Verdict> = Deserializer::from_reader(output)
            .into_iter()
            .map(|verdict| verdict.expect("a verdict"))
            .collect();
        assert!(child.wait().expect("the judge ends").success());
        writer.join().expect("the writer ends").expect("requests are taken");
        assert_eq!(verdicts.len(), requests.len());
        verdicts
    }

    /// The files of the definitions that a cluster has.
    fn definitions(&self, versions: &Versions) -> Vec<String> {
        let mut files: Vec<String> = Vec::new();
        for group in ["cilium.io", "gateway.networking.k8s.io", "cert-manager.io", "helm.cattle.io"] {
            let folder = match bundle_of(group, versions).expect("a group").as_str() {
                "cilium" => "cilium/crds".to_owned(),
                "k3s" => "k3s/helm-controller-v0.17.7".to_owned(),
                other => other.to_owned(),
            };
            for entry in fs::read_dir(self.schemas.join(&folder)).expect("a folder of schemas") {
                let name = entry.expect("an entry").file_name().into_string().expect("a name");
                let is_definition = Path::new(&name).extension().is_some_and(|extension| extension == "yaml")
                    && !name.contains("_vap_")
                    && name != "values.yaml";
                if is_definition {
                    files.push(format!("{folder}/{name}"));
                }
            }
        }
        files.sort();
        files
    }
}
