//! The examples whose routers speak BGP, each in a lab of its own, some side by side.

use std::fs;
use std::path::Path;
use std::thread;

use crate::{ONE_AT_A_TIME, can_run, lab};

const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");

#[test]
fn every_example_passes() {
    if !can_run("every_example_passes") {
        return;
    }
    let _guard = ONE_AT_A_TIME.lock();
    let mut examples: Vec<_> = fs::read_dir(EXAMPLES)
        .expect("examples")
        .map(|entry| entry.expect("an example").path())
        .filter(|folder| speaks_bgp(folder))
        .collect();
    examples.sort();
    let names: Vec<_> =
        examples.iter().map(|folder| folder.file_name().unwrap_or_default().to_string_lossy()).collect();
    assert_eq!(names, ["dual-stack", "mixed-modules", "own-authority", "two-boards", "unifi"]);
    // All at once would take the time that routers have.
    let outputs = examples.chunks(3).flat_map(|some| {
        thread::scope(|scope| {
            let runs: Vec<_> = some
                .iter()
                .map(|folder| scope.spawn(move || lab(folder).output().expect("rk1 runs")))
                .collect();
            runs.into_iter().map(|run| run.join().expect("a run")).collect::<Vec<_>>()
        })
    });
    for (name, output) in names.iter().zip(outputs) {
        let report = String::from_utf8_lossy(&output.stdout);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{name}:\n{report}{said}");
        let checks = report.lines().filter(|line| line.starts_with("ok ")).count();
        assert!(checks > 8 && checks == report.lines().count(), "{name}:\n{report}");
    }
}

fn speaks_bgp(folder: &Path) -> bool {
    fs::read_to_string(folder.join("cluster.toml")).is_ok_and(|text| text.contains("\n[bgp]\n"))
}
