//! The programs that the lab runs.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::{env, fs};

use super::{Daemon, LabError, Plan};

/// Where FRR's daemons lie besides the search path: Debian, upstream.
const DAEMON_FOLDERS: [&str; 4] = ["/usr/lib/frr", "/usr/libexec/frr", "/usr/sbin", "/sbin"];

/// Where a program lies.
pub(super) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(DAEMON_FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|candidate| is_program(candidate))
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

/// Checks that everything is there that the lab needs.
pub fn require(plan: &Plan) -> Result<(), LabError> {
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

/// Runs a program to its end.
fn output(program: &str, arguments: &[&str]) -> Result<Output, LabError> {
    command(program, arguments)
        .output()
        .map_err(|source| LabError::Unrunnable { command: words(program, arguments), source })
}

/// What a program prints, all of it. It has to succeed.
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

/// What a program prints on its standard output. It has to succeed.
pub(super) fn read(program: &str, arguments: &[&str]) -> Result<String, LabError> {
    let output = output(program, arguments)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(LabError::Failed { command: words(program, arguments), said })
    }
}

/// A program that keeps running, in a namespace. It is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Running(Child);

impl Running {
    /// Starts it. What it says goes to the end of the file `log`.
    pub(super) fn start(
        namespace: &str,
        program: &str,
        arguments: &[&str],
        log: &Path,
    ) -> Result<Self, LabError> {
        let path = find(program).unwrap_or_else(|| program.into());
        let log = fs::File::options().create(true).append(true).open(log)?;
        // `ip netns exec` becomes the program: the process is the program's own.
        let mut command = command("ip", &["netns", "exec", namespace]);
        command.arg(path).args(arguments).stdout(log.try_clone()?).stderr(log);
        let child = command
            .spawn()
            .map_err(|source| LabError::Unrunnable { command: words(program, arguments), source })?;
        Ok(Self(child))
    }
}

impl Drop for Running {
    /// As a crash would: without a last word to anybody.
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
