//! Every object and every value of the repository's cluster against its schema: with the schemas parsed, and the first
//! time, when they still have to be.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use criterion::{Criterion, criterion_group, criterion_main};
use rk1::config::cluster::{Cluster, Versions};
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::render::document::Document;
use rk1::render::documents;
use rk1::render::pins::Pins;
use rk1::render::schema::{Chart, definitions, validate_resource, validate_values};
use rk1::render::yaml;
use serde_json::Value;

struct Work {
    versions: Versions,
    objects: Vec<Value>,
    values: Vec<(Chart, Value)>,
}

impl Work {
    fn new() -> Self {
        let source =
            Source { name: "cluster.toml".to_owned(), text: include_str!("../cluster.toml").to_owned() };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a good cluster file");
        let pins = Pins::read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("pins");
        let objects: Vec<_> = objects(&documents(&cluster, &pins).expect("documents"));
        let chart = |object: &Value| match object["metadata"]["name"].as_str()? {
            "cilium" => Some(Chart::Cilium(cluster.versions.cilium)),
            "cert-manager" => Some(Chart::CertManager(cluster.versions.cert_manager)),
            _ => None,
        };
        let values = objects.iter().filter_map(|object| {
            let text = object.pointer("/spec/valuesContent")?.as_str()?;
            Some((chart(object)?, yaml::parse(text).expect("YAML").remove(0)))
        });
        Self { values: values.collect(), versions: cluster.versions.clone(), objects }
    }

    fn problems(&self) -> usize {
        let of_objects = self.objects.iter().map(|object| validate_resource(object, &self.versions).len());
        let of_values = self.values.iter().map(|(chart, values)| validate_values(*chart, values).len());
        of_objects.chain(of_values).sum()
    }
}

fn objects(documents: &[Document]) -> Vec<Value> {
    let is_yaml = |document: &&Document| {
        let extension = Path::new(&document.name).extension();
        document.folder == "manifests" && extension.is_some_and(|extension| extension == "yaml")
    };
    let files = documents.iter().filter(is_yaml);
    files.flat_map(|document| yaml::parse(&document.body).expect("YAML")).collect()
}

fn benchmark(criterion: &mut Criterion) {
    // Rendering validates as well, so that the schemas would be parsed by then.
    let parsing = Instant::now();
    assert!(definitions().all(|(_, definition)| definition.is_some()));
    println!("parsing all definitions, once: {:.1} ms", parsing.elapsed().as_secs_f64() * 1e3);
    let first = Instant::now();
    let work = Work::new();
    println!("rendering with validation, the first time: {:.1} ms", first.elapsed().as_secs_f64() * 1e3);
    assert!(work.objects.len() >= 10 && work.values.len() == 2);
    assert_eq!(work.problems(), 0);
    let name = format!("{} objects and {} charts' values", work.objects.len(), work.values.len());
    criterion
        .bench_function(&format!("validate {name}"), |bencher| bencher.iter(|| black_box(&work).problems()));
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
