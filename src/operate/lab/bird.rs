//! BIRD as the lab's router.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use ipnet::IpNet;

use super::check::LabCheck;
use super::error::LabError;
use super::plan::{PASSWORD, PlannedRouter};
use super::programs::{LabProcess, read};
use crate::operate::routing_daemon::bird as daemon;

#[derive(Debug)]
pub(super) struct Bird {
    socket: PathBuf,
    config: PathBuf,
    /// The configuration without the rendered file.
    frame: String,
    pub(super) log: PathBuf,
    /// The address of the node behind each session.
    nodes: Vec<(String, IpAddr)>,
    _daemon: LabProcess,
}

/// The longest time until BIRD has started.
const START: Duration = Duration::from_secs(10);

impl Bird {
    pub(super) fn start(
        parent: &Path,
        namespace: &str,
        planned: &PlannedRouter,
    ) -> Result<(Self, Vec<LabCheck>), LabError> {
        let folder = parent.join(namespace);
        fs::create_dir(&folder)?;
        let part = folder.join("rk1.conf");
        let text = place_password(&folder, &planned.text)?;
        fs::write(&part, &text)?;
        let (config, log, socket) =
            (folder.join("bird.conf"), folder.join("bird.log"), folder.join("bird.ctl"));
        let frame = format!("log \"{}\" all;\nrouter id {};\n", log.display(), planned.router_id);
        fs::write(&config, format!("{frame}include \"{}\";\n", part.display()))?;
        let arguments = ["-f", "-c", &config.display().to_string(), "-s", &socket.display().to_string()];
        let bird = LabProcess::start(namespace, "bird", &arguments, &folder.join("bird.out"))?;
        let bird = Self { socket, config, frame, log, nodes: neighbors(&text), _daemon: bird };
        let started = Instant::now();
        while let Err(error) = bird.protocols() {
            if started.elapsed() > START {
                let said = fs::read_to_string(folder.join("bird.out")).unwrap_or_default();
                return Err(if said.is_empty() {
                    error
                } else {
                    LabError::Failed { command: "bird".to_owned(), said }
                });
            }
            thread::sleep(Duration::from_millis(50));
        }
        let once = bird.protocols()?;
        bird.client(&["configure"])?;
        let check =
            LabCheck::same("applying the file a second time changes nothing", &once, &bird.protocols()?);
        Ok((bird, vec![check]))
    }

    fn client(&self, words: &[&str]) -> Result<String, LabError> {
        let socket = self.socket.display().to_string();
        read("birdc", &[["-s", &socket].as_slice(), words].concat())
    }

    /// Returns the protocols by name and kind, without values that change by themselves.
    fn protocols(&self) -> Result<String, LabError> {
        let said = self.client(&["show", "protocols"])?;
        let rows = said
            .lines()
            .skip(2)
            .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ") + "\n");
        Ok(rows.collect())
    }

    pub(super) fn established(&self) -> Result<Vec<IpAddr>, LabError> {
        let sessions = daemon::sessions(&self.client(&["show", "protocols", "all"])?);
        Ok(sessions
            .into_iter()
            .filter(|(_, session)| session.is_established())
            .map(|(node, _)| node)
            .collect())
    }

    pub(super) fn names_of(&self, node: IpAddr) -> Vec<String> {
        let sessions = self.nodes.iter().filter(|(_, address)| *address == node);
        sessions.map(|(name, _)| name.clone()).collect()
    }

    pub(super) fn accepted(&self) -> Result<Vec<IpNet>, LabError> {
        Ok(daemon::networks(&self.client(&["show", "route", "where", "source", "=", "RTS_BGP"])?))
    }

    pub(super) fn undo(&self) -> Result<LabCheck, LabError> {
        fs::write(&self.config, format!("{}protocol device {{\n}}\n", self.frame))?;
        self.client(&["configure"])?;
        let started = Instant::now();
        // Protocols take a moment to end.
        while self.protocols()? != "device1 Device\n" && started.elapsed() < START {
            thread::sleep(Duration::from_millis(50));
        }
        let what = "after undoing, nothing of the file is left in the router";
        Ok(LabCheck::same(what, "device1 Device\n", &self.protocols()?))
    }
}

/// Writes the password to a file of the lab, and returns the rendered text with that file's path.
fn place_password(folder: &Path, text: &str) -> Result<String, LabError> {
    let Some((_, rest)) = text.split_once("\n  include \"") else { return Ok(text.to_owned()) };
    let Some((path, _)) = rest.split_once('"') else { return Ok(text.to_owned()) };
    let file = folder.join("password");
    fs::write(&file, format!("password \"{PASSWORD}\";\n"))?;
    Ok(text.replace(path, &file.display().to_string()))
}

/// Returns the sessions of a configuration, with the node of each.
fn neighbors(text: &str) -> Vec<(String, IpAddr)> {
    let mut name = None;
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("protocol bgp '") {
            name = rest.split('\'').next().map(str::to_owned);
        } else if let Some(rest) = line.trim().strip_prefix("neighbor ")
            && let Some(address) = rest.split(' ').next().and_then(|word| word.parse().ok())
            && let Some(name) = name.take()
        {
            found.push((name, address));
        }
    }
    found
}
