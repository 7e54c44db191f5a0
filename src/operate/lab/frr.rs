//! FRR as the lab's router: zebra and bgpd, configured through its shell.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use serde_json::Value;

use super::check::LabCheck;
use super::error::LabError;
use super::plan::PlannedRouter;
use super::programs::{LabProcess, read, run};
use crate::operate::routing_daemon::frr as daemon;

#[derive(Debug)]
pub(super) struct Frr {
    folder: PathBuf,
    pub(super) log: PathBuf,
    /// The running configuration before anything was applied.
    before: String,
    /// Address families in the notation of the shell.
    families: Vec<&'static str>,
    _bgpd: LabProcess,
    _zebra: LabProcess,
}

/// The longest time until the daemons have started.
const START: Duration = Duration::from_secs(10);
/// The user of FRR's packages. Without it the daemons keep the user that they are started as.
const USER: &str = "frr";

impl Frr {
    pub(super) fn start(
        parent: &Path,
        namespace: &str,
        planned: &PlannedRouter,
    ) -> Result<(Self, Vec<LabCheck>), LabError> {
        let folder = parent.join(namespace);
        fs::create_dir(&folder)?;
        open_to_all(&folder)?;
        let log = folder.join("frr.log");
        let shared = shared_arguments(&folder);
        let daemon = |name: &str, port: &str| {
            let pid = folder.join(format!("{name}.pid")).display().to_string();
            let own = ["-i", &pid, "-P", port, "--log", "stdout"];
            let arguments: Vec<&str> = shared.iter().map(String::as_str).chain(own).collect();
            LabProcess::start(namespace, name, &arguments, &log)
        };
        let zebra = daemon("zebra", "0")?;
        wait_for(&folder.join("zebra.vty"))?;
        let bgpd = daemon("bgpd", "0")?;
        wait_for(&folder.join("bgpd.vty"))?;

        let of = |address: &IpNet| if address.addr().is_ipv4() { "ipv4" } else { "ipv6" };
        let families = planned.addresses.iter().map(of).collect();
        let mut frr = Self { folder, log, before: String::new(), families, _bgpd: bgpd, _zebra: zebra };
        frr.before = frr.show("show running-config")?;
        frr.apply(&planned.text)?;
        let once = frr.show("show running-config")?;
        frr.apply(&planned.text)?;
        let twice = frr.show("show running-config")?;
        let check = LabCheck::same("applying the file a second time changes nothing", &once, &twice);
        Ok((frr, vec![check]))
    }

    fn shell(&self, arguments: &[&str]) -> Result<String, LabError> {
        let folder = self.folder.display().to_string();
        read("vtysh", &[["--vty_socket", &folder].as_slice(), arguments].concat())
    }

    fn show(&self, command: &str) -> Result<String, LabError> {
        self.shell(&["-c", command])
    }

    fn apply(&self, text: &str) -> Result<(), LabError> {
        let file = self.folder.join("rk1.conf");
        fs::write(&file, text)?;
        self.shell(&["-f", &file.display().to_string()]).map(drop)
    }

    fn json(&self, command: &str) -> Result<Value, LabError> {
        let said = self.show(command)?;
        daemon::object(&said).ok_or_else(|| LabError::Unexpected { command: command.to_owned(), said })
    }

    pub(super) fn established(&self) -> Result<Vec<IpAddr>, LabError> {
        let mut nodes = Vec::new();
        for family in &self.families {
            let sessions = daemon::sessions(&self.json(&format!("show bgp {family} unicast summary json"))?);
            let established = sessions.into_iter().filter(|(_, session)| session.is_established());
            nodes.extend(established.map(|(node, _)| node));
        }
        Ok(nodes)
    }

    pub(super) fn accepted(&self) -> Result<Vec<IpNet>, LabError> {
        let mut networks = Vec::new();
        for family in &self.families {
            networks.extend(daemon::networks(&self.json(&format!("show bgp {family} unicast json"))?));
        }
        Ok(networks)
    }

    /// Undoes the file: the running configuration must be the one before it, except for the `router bgp` that the file leaves.
    pub(super) fn undo(&self, planned: &PlannedRouter) -> Result<LabCheck, LabError> {
        self.apply(planned.undo.as_deref().unwrap_or_default())?;
        let after = self.show("show running-config")?;
        let mut rest = String::new();
        let mut lines = after.lines().peekable();
        while let Some(line) = lines.next() {
            if line.starts_with("router bgp ") && lines.peek().is_some_and(|next| *next == "exit") {
                lines.next();
                lines.next_if(|next| *next == "!");
            } else {
                rest += line;
                rest.push('\n');
            }
        }
        Ok(LabCheck::same("after undoing, nothing of the file is left in the router", &self.before, &rest))
    }
}

fn shared_arguments(folder: &Path) -> Vec<String> {
    let path = |name: &str| folder.join(name).display().to_string();
    let mut arguments = vec!["-z".to_owned(), path("zserv.api"), "--vty_socket".to_owned(), path("")];
    if run("id", &["-u", USER]).is_ok() {
        arguments.extend(["-u", USER, "-g", USER].map(str::to_owned));
    }
    arguments
}

fn open_to_all(folder: &Path) -> Result<(), LabError> {
    use std::os::unix::fs::PermissionsExt;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?)
}

fn wait_for(socket: &Path) -> Result<(), LabError> {
    let started = Instant::now();
    while !socket.exists() {
        if started.elapsed() > START {
            return Err(LabError::Late { what: format!("`{}`", socket.display()), limit: START });
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}
