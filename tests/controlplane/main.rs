//! The rendered manifests and router files, judged by the real controllers: kube-apiserver, Cilium's operator, Cilium's BGP
//! control plane on each node, and FRR or BIRD as the routers. No container runs.
//!
//! Each example of the repository is a test. It runs this program again as the first process of namespaces of its own, which
//! the kernel removes with all that runs in them, however the test ends. `tests/controlplane/build` builds the controllers.

#![allow(clippy::expect_used, clippy::panic, reason = "what is not as it should be ends the run")]

mod api;
#[path = "../operate/status/certificates.rs"]
#[expect(dead_code, reason = "only a part of it is needed here")]
mod certificates;
mod example;
mod failures;
mod first_boot;
mod helm_job;
#[path = "../operate/status/host.rs"]
#[expect(dead_code, reason = "only a part of it is needed here")]
mod host;
mod kubernetes;
mod namespace;
mod password;
mod play;
mod pools;
mod refusals;
#[path = "../requirement/mod.rs"]
mod requirement;
mod router;
#[path = "../operate/status/server.rs"]
#[expect(dead_code, reason = "only a part of it is needed here")]
mod server;
mod wait;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use libtest_mimic::{Arguments, Failed, Trial};

use example::{EXAMPLES, Example};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// Names the example that this process is to play. It is then the first process of its namespaces.
const PLAY: &str = "RK1_CONTROLPLANE_PLAY";

fn main() -> ExitCode {
    if let Ok(name) = env::var(PLAY) {
        let example = EXAMPLES.iter().find(|example| example.name == name).expect("an example");
        play::play(example, Path::new(&env::var("RK1_CONTROLPLANE").expect("the controllers")));
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::from_args();
    let trials = EXAMPLES.iter().map(|example| Trial::test(example.name, || start(example))).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn start(example: &Example) -> Result<(), Failed> {
    let controllers = match requirements() {
        Ok(controllers) => controllers,
        Err(reason) => {
            requirement::skipped(example.name, &reason);
            return Ok(());
        }
    };
    let output = Command::new("unshare")
        .args(["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--"])
        .arg(env::current_exe()?)
        .env(PLAY, example.name)
        .env("RK1_CONTROLPLANE", controllers)
        .stdin(Stdio::null())
        .output()?;
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    if output.status.success() {
        // The times are shown although the harness captures what a test prints.
        let times = said.lines().filter(|line| line.starts_with("time: "));
        times.for_each(|line| eprintln!("{} {line}", example.name));
        return Ok(());
    }
    Err(said.into_owned().into())
}

/// Returns the folder of the controllers, or why the test cannot run here.
fn requirements() -> Result<PathBuf, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("it makes network namespaces, which takes root".to_owned());
    }
    let folders = ["/usr/bin", "/usr/sbin", "/sbin", "/bin", "/usr/lib/frr"];
    let is_installed = |program: &&str| folders.iter().any(|folder| Path::new(folder).join(program).exists());
    let programs = ["unshare", "ip", "mount", "zebra", "bgpd", "vtysh", "bird", "birdc"];
    if let Some(missing) = programs.iter().find(|program| !is_installed(program)) {
        return Err(format!("`{missing}` is not installed"));
    }
    let build = Command::new(format!("{ROOT}/tests/controlplane/build")).arg("--if-built").output();
    let build = build.map_err(|error| format!("tests/controlplane/build cannot run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if build.status.success() {
        Ok(PathBuf::from(text(&build.stdout)))
    } else {
        Err(text(&build.stderr).trim_start_matches("error: ").to_owned())
    }
}
