//! The Prometheus alerts: promtool accepts the rules and runs their tests, and the daemon writes every metric they use.

#[allow(unreachable_pub, reason = "shared by tests of several crates")]
#[path = "../../../tests/requirement/mod.rs"]
mod requirement;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

const METRICS: &str = include_str!("../src/daemon/snapshots/exposition.txt");

fn dashboards() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards")
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    const TEST: &str = "promtool_accepts_the_rules_and_their_tests";
    for arguments in [["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]] {
        let Ok(output) = Command::new("promtool").args(arguments).current_dir(dashboards()).output() else {
            return requirement::skipped(TEST, "promtool is not installed (Debian: prometheus)");
        };
        let told =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && told.contains("SUCCESS"), "{told}");
    }
}

#[test]
fn promtool_accepts_the_metrics() {
    const TEST: &str = "promtool_accepts_the_metrics";
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/daemon/snapshots/exposition.txt");
    let page = std::fs::File::open(page).unwrap();
    let Ok(output) = Command::new("promtool").args(["check", "metrics"]).stdin(page).output() else {
        return requirement::skipped(TEST, "promtool is not installed (Debian: prometheus)");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_daemon_writes_every_metric_that_an_alert_uses() {
    let rules = std::fs::read_to_string(dashboards().join("alerts.yaml")).unwrap();
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let used: BTreeSet<&str> =
        rules.split(|c: char| !is_name(c)).filter(|word| word.starts_with("xdp_streamer_")).collect();
    assert!(used.len() >= 7, "{used:?}");
    for name in used {
        assert!(METRICS.lines().any(|line| line.starts_with(&format!("{name}{{"))), "{name}");
    }
}
