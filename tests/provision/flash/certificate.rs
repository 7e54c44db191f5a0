//! A certificate like that of a board (RSA, without a name) is pinned on the first connection.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::board::Board;
use crate::course::Course;
use crate::course::State::Done;
use crate::project::{Scene, flash};
use crate::requirement::skipped;
use crate::server::Certificate;

fn openssl(folder: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("openssl").args(arguments).current_dir(folder).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

/// Makes a certificate as the firmware of the BMC does (`generate_self_signedx509`).
fn made(folder: &Path) -> Option<Certificate> {
    let request = ["req", "-x509", "-newkey", "rsa:4096", "-nodes", "-subj", "/CN=Turing-Pi self signed"];
    openssl(folder, &[request.as_slice(), &["-keyout", "key.pem", "-out", "certificate.pem"]].concat())?;
    let certificate = CertificateDer::from_pem_file(folder.join("certificate.pem")).expect("a certificate");
    let key = PrivateKeyDer::from_pem_file(folder.join("key.pem")).expect("a key");
    Some(Certificate { certificate, key: Arc::new(key) })
}

#[test]
fn the_pinned_fingerprint_is_that_of_openssl() {
    let test = "the_pinned_fingerprint_is_that_of_openssl";
    let folder = tempfile::tempdir().expect("temporary folder");
    let Some(certificate) = made(folder.path()) else {
        return skipped(test, "`openssl` is not installed");
    };
    let board = Board::new([Course::after([Done])]);
    let Some(scene) = Scene::with(test, board, &certificate) else { return };
    for is_first in [true, false] {
        let output = scene.run(&mut flash(scene.folder.path(), &["rk1-01", "--yes"]));
        let stderr = String::from_utf8(output.stderr).expect("UTF-8");
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr.contains("first connection to the BMC"), is_first, "{stderr}");
    }
    let printed = ["x509", "-noout", "-fingerprint", "-sha256", "-in", "certificate.pem"];
    let printed = openssl(folder.path(), &printed).expect("openssl");
    let (_, fingerprint) = printed.trim().split_once('=').expect("a fingerprint");
    let pins = fs::read_to_string(scene.folder.path().join("bmc.pins")).expect("pins");
    assert_eq!(pins.lines().last(), Some(format!("172.16.10.220 {fingerprint}").as_str()));
}
