//! What FRR's own shell says of the files.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cluster::{EXTERNAL_FRR, FRR, OPNSENSE, dual_stack, rendered, with_router};
use crate::requirement::skipped;

/// Whether `vtysh` takes the file, and what it says.
fn vtysh(folder: &Path, text: &str) -> Option<(bool, String)> {
    let file = folder.join("frr.conf");
    fs::write(&file, text).expect("frr.conf");
    let output = Command::new("vtysh").arg("-C").arg("-f").arg(&file).output().ok()?;
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

#[test]
fn frr_accepts_every_line() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for router in [FRR, EXTERNAL_FRR, OPNSENSE] {
        for document in [with_router(router), dual_stack(router)].into_iter().flat_map(rendered) {
            let Some(said) = vtysh(folder.path(), &document.body) else {
                return skipped("frr_accepts_every_line", "vtysh is not installed");
            };
            assert_eq!(said, (true, String::new()), "{}", document.body);
        }
    }
}

#[test]
fn frr_refuses_a_wrong_line() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let body = rendered(with_router(FRR)).swap_remove(0).body;
    let broken = body.replace("maximum-paths ibgp 4", "maximum-paths ibpg 4");
    assert_ne!(broken, body);
    let Some((is_taken, said)) = vtysh(folder.path(), &broken) else {
        return skipped("frr_refuses_a_wrong_line", "vtysh is not installed");
    };
    assert!(!is_taken && said.contains("maximum-paths ibpg 4"), "{said}");
}
