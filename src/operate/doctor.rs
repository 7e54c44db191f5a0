//! Checks what this machine and its network have for each step from `rk1 check` to `rk1 deploy`. Nothing is changed.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::process::Stdio;
use std::time::Duration;

use futures_util::future::join_all;
use serde::Serialize;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpStream, lookup_host};
use tokio::process::Command;
use tokio::time::timeout;

use crate::common::printable::Line;
use crate::config::cluster::Cluster;
use crate::operate::status::{Cause, Finding};

/// Time that one program, host or name server has to answer.
const LIMIT: Duration = Duration::from_secs(5);
/// Bytes that are read of what a program prints: all settings of Nix are less than 32 kB.
const OUTPUT_LIMIT: u64 = 256 << 10;
/// Ports of routers: ssh, https, http, BGP. A refused connection shows as well as an accepted one that the host is there.
const ROUTER_PORTS: [u16; 4] = [22, 443, 80, 179];

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is needed for.
    pub step: &'static str,
    pub subject: String,
    #[serde(flatten)]
    pub finding: Finding,
}

impl Check {
    pub fn new(step: &'static str, subject: impl Into<String>, finding: Finding) -> Self {
        Self { step, subject: subject.into(), finding }
    }
}

fn wrong(what: impl AsRef<str>, look_at: impl AsRef<str>) -> Finding {
    Finding::wrong(Cause::Environment, what, look_at)
}

/// Checks the programs and the clock of this machine.
pub async fn check_machine() -> Vec<Check> {
    let (nix, settings, git, ssh, rebuild, clock) = tokio::join!(
        program("nix", &["--version"], "install Nix: https://nixos.org/download"),
        nix_settings(),
        program("git", &["--version"], "install git: a flake sees only files that git knows"),
        program("ssh", &["-V"], "install OpenSSH's client"),
        program("nixos-rebuild", &["--help"], "run `rk1 deploy` inside `nix shell nixpkgs#nixos-rebuild`"),
        clock(),
    );
    vec![
        Check::new("build", "nix", nix),
        Check::new("build", "flakes", flakes(settings.as_deref())),
        Check::new("build", "aarch64", builds_for_nodes(settings.as_deref())),
        Check::new("build", "git", git),
        Check::new("status", "ssh", ssh),
        Check::new("deploy", "nixos-rebuild", rebuild),
        Check::new("status", "clock", clock),
    ]
}

/// Checks the routers and the name of the cluster's web page.
pub async fn check_network(cluster: &Cluster) -> Vec<Check> {
    let routers = cluster.routers().iter().map(|router| async {
        let address = IpAddr::from(router.address.v4());
        Check::new("status", format!("router {}", router.name), reachable(address).await)
    });
    let mut checks = join_all(routers).await;
    if let Some(host) = &cluster.hubble
        && let Some((gateway, _)) = cluster.serving(host)
    {
        let gateway = gateway.address.each().collect::<Vec<_>>();
        checks.push(Check::new("status", "DNS", resolves_to(&host.to_string(), &gateway).await));
    }
    checks
}

/// Runs a program and returns the first line that it prints.
async fn run(program: &str, arguments: &[&str]) -> std::io::Result<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let read = async {
        let (mut printed, mut said) = (Vec::new(), Vec::new());
        if let (Some(stdout), Some(stderr)) = (stdout, stderr) {
            let (mut stdout, mut stderr) = (stdout.take(OUTPUT_LIMIT), stderr.take(OUTPUT_LIMIT));
            tokio::try_join!(stdout.read_to_end(&mut printed), stderr.read_to_end(&mut said))?;
        }
        // `ssh -V` prints its version on standard error.
        let text = if printed.is_empty() { said } else { printed };
        let status = child.wait().await?;
        if status.success() {
            Ok(String::from_utf8_lossy(&text).into_owned())
        } else {
            Err(std::io::Error::other(String::from_utf8_lossy(&text).into_owned()))
        }
    };
    timeout(LIMIT, read).await.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into()))
}

async fn program(name: &str, arguments: &[&str], hint: &str) -> Finding {
    match run(name, arguments).await {
        Ok(text) => {
            let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
            // The first line of a manual page says nothing about a version.
            let is_version = line.chars().any(|letter| letter.is_ascii_digit());
            Finding::good(if is_version { Line::new(line).to_string() } else { "installed".to_owned() })
        }
        Err(error) if error.kind() == ErrorKind::NotFound => wrong("not installed", hint),
        Err(error) => Finding::unknown(format!("`{name}` failed: {}", Line::new(&error.to_string())), hint),
    }
}

/// Returns the settings of Nix as `name = value` lines; nothing if Nix does not run.
async fn nix_settings() -> Option<String> {
    let with_command = ["--extra-experimental-features", "nix-command"];
    let current = [&with_command[..], &["config", "show"]].concat();
    let before_2_20 = [&with_command[..], &["show-config"]].concat();
    match run("nix", &current).await {
        Ok(settings) => Some(settings),
        Err(_) => run("nix", &before_2_20).await.ok(),
    }
}

fn setting<'a>(settings: &'a str, name: &str) -> &'a str {
    let values = settings.lines().filter_map(|line| line.split_once(" = "));
    values.filter(|(key, _)| *key == name).map(|(_, value)| value).next().unwrap_or_default()
}

fn flakes(settings: Option<&str>) -> Finding {
    match settings {
        None => Finding::unknown("the settings of Nix cannot be read", "install Nix first"),
        Some(settings)
            if setting(settings, "experimental-features").split(' ').any(|word| word == "flakes") =>
        {
            Finding::good("enabled")
        }
        Some(_) => wrong(
            "not enabled",
            "add `experimental-features = nix-command flakes` to /etc/nix/nix.conf or ~/.config/nix/nix.conf",
        ),
    }
}

fn builds_for_nodes(settings: Option<&str>) -> Finding {
    const SYSTEM: &str = "aarch64-linux";
    let Some(settings) = settings else {
        return Finding::unknown("the settings of Nix cannot be read", "install Nix first");
    };
    let has = |name: &str| setting(settings, name).split([' ', ',', ';']).any(|word| word == SYSTEM);
    let builders = setting(settings, "builders");
    let builders = match builders.strip_prefix('@') {
        Some(file) => std::fs::read_to_string(file).unwrap_or_default(),
        None => builders.to_owned(),
    };
    if has("system") {
        Finding::good("this machine builds for the nodes")
    } else if has("extra-platforms") {
        Finding::good("this machine builds for the nodes by emulation")
    } else if builders.contains(SYSTEM) {
        Finding::good("a remote builder builds for the nodes")
    } else {
        wrong("nothing here builds for aarch64-linux", "docs/images.md: emulation or a remote builder")
    }
}

/// Certificates and time stamps are judged by this machine's clock.
async fn clock() -> Finding {
    match run("timedatectl", &["show", "--property=NTPSynchronized", "--value"])
        .await
        .as_deref()
        .map(str::trim)
    {
        Ok("yes") => Finding::good("synchronized"),
        Ok(_) => wrong("not synchronized", "timedatectl set-ntp true"),
        Err(_) => Finding::unknown("`timedatectl` does not say", "compare `date` with another clock"),
    }
}

async fn reachable(address: IpAddr) -> Finding {
    let tries = ROUTER_PORTS.map(|port| async move {
        match timeout(LIMIT, TcpStream::connect(SocketAddr::new(address, port))).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => error.kind() == ErrorKind::ConnectionRefused,
            Err(_) => false,
        }
    });
    if join_all(tries).await.contains(&true) {
        Finding::good(format!("{address} is reachable"))
    } else {
        wrong(
            format!("{address} does not answer"),
            "the address in `[[bgp.router]]`, cables, the router's firewall",
        )
    }
}

async fn resolves_to(host: &str, gateway: &[IpAddr]) -> Finding {
    let found = match timeout(LIMIT, lookup_host((host, 443))).await {
        Ok(Ok(found)) => found.map(|address| address.ip()).collect::<Vec<_>>(),
        Ok(Err(_)) | Err(_) => Vec::new(),
    };
    let expected = gateway.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    if found.is_empty() {
        wrong(
            format!("`{host}` has no address"),
            format!("add a DNS record for it with the gateway's address {expected}"),
        )
    } else if found.iter().all(|address| gateway.contains(address)) {
        Finding::good(format!("`{host}` is at the gateway's address"))
    } else {
        let found = found.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        wrong(
            format!("`{host}` is at {found}"),
            format!("its DNS record should have the gateway's address {expected}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_of_nix_are_read() {
        let settings =
            "extra-platforms = aarch64-linux i686-linux\nexperimental-features = flakes nix-command\n";
        assert_eq!(flakes(Some(settings)), Finding::good("enabled"));
        assert_eq!(setting(settings, "extra-platforms"), "aarch64-linux i686-linux");
        assert!(matches!(flakes(Some("experimental-features = nix-command\n")), Finding::Wrong { .. }));
        assert!(matches!(flakes(None), Finding::Unknown { .. }));
    }
}
