//! Programs that the lab runs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{env, fs};

use super::error::LabError;
use super::plan::{Daemon, LabPlan};
use crate::common::bounded::{self, BoundedError, Bounds, Printed};

/// Folders of FRR's daemons besides the search path: Debian, upstream.
const DAEMON_FOLDERS: [&str; 4] = ["/usr/lib/frr", "/usr/libexec/frr", "/usr/sbin", "/sbin"];

/// Returns the path of a program.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(DAEMON_FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Checks that the lab may run here and that its programs are installed.
pub fn require(plan: &LabPlan) -> Result<(), LabError> {
    if !cfg!(target_os = "linux") {
        return Err(LabError::NotLinux);
    }
    if !rustix::process::geteuid().is_root() {
        return Err(LabError::NotRoot);
    }
    let mut programs = vec![
        ("unshare", "util-linux"),
        ("mount", "mount"),
        ("ip", "iproute2"),
        ("gobgpd", "gobgpd"),
        ("gobgp", "gobgpd"),
    ];
    for router in &plan.routers {
        programs.extend(match router.daemon {
            Daemon::Frr => [("zebra", "frr"), ("bgpd", "frr"), ("vtysh", "frr")].as_slice(),
            Daemon::Bird => [("bird", "bird2"), ("birdc", "bird2")].as_slice(),
        });
    }
    match programs.into_iter().find(|(program, _)| find(program).is_none()) {
        Some((program, package)) => Err(LabError::Missing { program, package }),
        None => Ok(()),
    }
}

fn command(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(find(program).unwrap_or_else(|| program.into()));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn words(program: &str, arguments: &[&str]) -> String {
    [&[program], arguments].concat().join(" ")
}

/// What is waited for and read of one program. The configuration of a router with a thousand sessions has 200 kB.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(30), size: 16 << 20 };

/// Runs a program until it ends.
fn output(program: &str, arguments: &[&str]) -> Result<Printed, LabError> {
    bounded::run(&mut command(program, arguments), BOUNDS)
        .map_err(|source| LabError::Unrunnable { command: words(program, arguments), source })
}

/// Runs a program and returns everything that it prints.
pub(super) fn run(program: &str, arguments: &[&str]) -> Result<String, LabError> {
    let output = output(program, arguments)?;
    let said = [output.stdout.as_slice(), &output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    if output.status.success() {
        Ok(said)
    } else {
        Err(LabError::Failed { command: words(program, arguments), said: said.trim().to_owned() })
    }
}

/// Runs a program and returns its standard output.
pub(super) fn read(program: &str, arguments: &[&str]) -> Result<String, LabError> {
    let output = output(program, arguments)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(LabError::Failed { command: words(program, arguments), said })
    }
}

/// A program that runs in a namespace. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct LabProcess(Child);

impl LabProcess {
    /// Starts a program. Its output is appended to the file `log`.
    pub(super) fn start(
        namespace: &str,
        program: &str,
        arguments: &[&str],
        log: &Path,
    ) -> Result<Self, LabError> {
        let path = find(program).unwrap_or_else(|| program.into());
        let log = fs::File::options().create(true).append(true).open(log)?;
        // `ip netns exec` replaces itself with the program, so the process is the program.
        let mut command = command("ip", &["netns", "exec", namespace]);
        command.arg(path).args(arguments).stdout(log.try_clone()?).stderr(log);
        let child = command
            .spawn()
            .map_err(BoundedError::NotRun)
            .map_err(|source| LabError::Unrunnable { command: words(program, arguments), source })?;
        Ok(Self(child))
    }
}

impl Drop for LabProcess {
    /// Kills the program, so that it cannot say goodbye to its peers.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
