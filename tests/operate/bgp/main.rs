//! The lab, run for real: both kinds of router, and every way in which it can end.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

mod examples;
mod interruption;
#[path = "../../requirement/mod.rs"]
mod requirement;
mod run;

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

/// Held by a test that runs several labs at once: their timers need the processor.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A folder with the cluster of the posts in it, and FRR or BIRD for its router.
fn cluster(router: &str) -> TempDir {
    let posts = include_str!("../../../cluster.toml");
    let folder = tempfile::tempdir().expect("temporary folder");
    let as_in_posts = "platform = \"routeros\"\nversion = \"7.18\"\n";
    assert!(posts.contains(as_in_posts));
    let text = posts.replace(as_in_posts, router) + "bgp-password = \"secrets/bgp-password\"\n";
    std::fs::write(folder.path().join("cluster.toml"), text).expect("cluster.toml");
    folder
}

/// A folder with the dual-stack example in it, and one router in the place of its two.
fn dual_stack(router: &str) -> TempDir {
    let example = include_str!("../../../examples/dual-stack/cluster.toml");
    let start = example.find("[[bgp.router]]").expect("a router");
    let end = example.find("[gateway]").expect("[gateway]");
    let addresses = "address = \"172.16.10.1\"\naddress-ipv6 = \"fd00:172:16:10::1\"\n";
    let named = format!("[[bgp.router]]\nname = \"mikrotik\"\n{addresses}{router}\n");
    let folder = tempfile::tempdir().expect("temporary folder");
    let text = [&example[..start], &named, &example[end..]].concat();
    std::fs::write(folder.path().join("cluster.toml"), text).expect("cluster.toml");
    folder
}

/// A folder with the dual-stack example in it, whose routers run BIRD and FRR.
fn two_routers() -> TempDir {
    let example = include_str!("../../../examples/dual-stack/cluster.toml");
    let as_in_example = "platform = \"routeros\"\nversion = \"7.22\"\n";
    assert!(example.contains(as_in_example));
    let text = example.replace(as_in_example, "platform = \"bird\"\nversion = \"2.0.12\"\n");
    let folder = tempfile::tempdir().expect("temporary folder");
    std::fs::write(folder.path().join("cluster.toml"), text).expect("cluster.toml");
    folder
}

/// Moves the router of a cluster out of the nodes' network.
fn multihop(folder: TempDir) -> TempDir {
    let file = folder.path().join("cluster.toml");
    let text = std::fs::read_to_string(&file).expect("cluster.toml");
    let start = text.find("[[bgp.router]]").expect("a router");
    let (before, router) = text.split_at(start);
    let near = "address = \"172.16.10.1\"\n";
    assert!(router.contains(near));
    let far = router.replacen(near, "address = \"192.168.10.1\"\nmultihop = 2\n", 1);
    let far = far.replacen("\"fd00:172:16:10::1\"", "\"fd00:192:168:10::1\"", 1);
    std::fs::write(file, [before, &far].concat()).expect("cluster.toml");
    folder
}

/// Returns `rk1 lab` on the cluster in a folder.
///
/// A shell that runs the tests in the background without job control makes them ignore SIGINT, and a child inherits that.
/// `env` resets it; it replaces itself with `rk1`, so the process id stays that of `rk1`.
fn lab(folder: &Path) -> Command {
    let mut command = Command::new("env");
    command.args(["--default-signal", env!("CARGO_BIN_EXE_rk1"), "lab"]);
    command.current_dir(folder).env("NO_COLOR", "1");
    command
}

/// Whether the lab can run here; one line says so when it cannot.
fn can_run(test: &str) -> bool {
    let installed = |program: &str| {
        ["/usr/bin", "/usr/sbin", "/usr/lib/frr"]
            .iter()
            .any(|folder| Path::new(folder).join(program).exists())
    };
    let missing = ["ip", "unshare", "gobgpd", "bgpd", "vtysh", "bird", "birdc"]
        .into_iter()
        .find(|program| !installed(program));
    if !rustix::process::geteuid().is_root() {
        requirement::skipped(test, "it makes network namespaces, which takes root");
    } else if let Some(program) = missing {
        requirement::skipped(test, &format!("`{program}` is not installed"));
    } else {
        return true;
    }
    false
}
