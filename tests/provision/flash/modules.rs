//! A module is flashed only if there is an image for it and the BMC can write it.

use std::path::Path;

use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::modules::{Hardware, Module};
use rk1::config::source::Source;
use rk1::provision::flash::targets;

static WITHOUT_IMAGE: Module =
    Module { word: "other", name: "Jetson", is_known_to_bmc: true, hardware: None };
static WITHOUT_BMC: Module =
    Module { word: "stray", name: "stray RK1", is_known_to_bmc: false, hardware: Some(Hardware::DEFAULT) };

/// Returns the error for the first node of a cluster whose module is of this kind, and its hint.
fn refusal(module: &'static Module) -> (String, Option<String>) {
    let text = include_str!("../../config/check/base.toml").to_owned();
    let source = Source { name: "cluster.toml".to_owned(), text };
    let mut cluster = Cluster::parse(&source, &mut Problems::default()).expect("a cluster");
    cluster.nodes.first_mut().expect("a node").module = module;
    let image = Some(Path::new("rk1-01.img"));
    let error = targets(&cluster, Path::new("."), &["rk1-01".to_owned()], image).expect_err("a refusal");
    (error.to_string(), error.hint())
}

#[test]
fn a_module_without_an_image_is_refused() {
    let (error, hint) = refusal(&WITHOUT_IMAGE);
    assert_eq!(error, "node `rk1-01` is of the kind `other`, for which rk1 builds no image");
    assert_eq!(hint.as_deref(), Some("install it by its own means, then run `rk1 join rk1-01`"));
}

#[test]
fn a_module_that_the_bmc_does_not_know_is_refused() {
    let (error, hint) = refusal(&WITHOUT_BMC);
    assert_eq!(error, "node `rk1-01` is of the kind `stray`, which the BMC cannot write to");
    let hint = hint.expect("a hint");
    assert!(hint.starts_with("run `rk1 flash rk1-01 --output rk1-01.img`, which adds the secrets"), "{hint}");
}
