//! A router that runs FRR or BIRD with its rendered file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::namespace::Running;
use crate::wait::until;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Daemon {
    Frr,
    Bird,
}

pub(crate) struct Router {
    daemon: Daemon,
    pub(crate) namespace: String,
    folder: PathBuf,
    text: String,
    running: Vec<Running>,
}

/// The longest that the daemons take to start.
const START: Duration = Duration::from_secs(20);

impl Router {
    /// A router that does not run yet.
    pub(crate) fn new(daemon: Daemon, namespace: &str, folder: &Path, text: &str) -> Self {
        let folder = folder.join(namespace);
        fs::create_dir(&folder).expect("a folder");
        // FRR's daemons are another user.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).expect("mode");
        Self { daemon, namespace: namespace.to_owned(), folder, text: text.to_owned(), running: Vec::new() }
    }

    /// Starts the daemons with the rendered file, as a router does when it boots.
    pub(crate) fn start(&mut self) {
        let text = self.text.clone();
        self.start_with(&text);
    }

    /// Starts the daemons with the rendered file, but without the lines that have a word.
    pub(crate) fn start_without(&mut self, word: &str) {
        let is_left = |line: &&str| !line.contains(word);
        let text: String = self.text.lines().filter(is_left).flat_map(|line| [line, "\n"]).collect();
        assert_ne!(text, self.text, "no line has the word {word}");
        self.start_with(&text);
    }

    fn start_with(&mut self, text: &str) {
        let path = |name: &str| self.folder.join(name).display().to_string();
        let log = self.folder.join("router.log");
        fs::write(self.folder.join("rk1.conf"), text).expect("a configuration");
        match self.daemon {
            Daemon::Frr => {
                for daemon in ["zebra", "bgpd"] {
                    let socket = self.folder.join(format!("{daemon}.vty"));
                    let _ = fs::remove_file(&socket);
                    let (pid, api, sockets) = (path(&format!("{daemon}.pid")), path("zserv.api"), path(""));
                    let arguments =
                        ["-u", "frr", "-g", "frr", "-i", &pid, "-z", &api, "--vty_socket", &sockets];
                    let arguments = [&arguments[..], &["-P", "0", "--log", "stdout"]].concat();
                    let program = Path::new("/usr/lib/frr").join(daemon);
                    self.running.push(Running::start(&self.namespace, &program, &arguments, &log));
                    until(daemon, START, || socket.exists());
                }
                let said = self.shell(&["-f", &path("rk1.conf")]);
                assert!(!said.contains('%'), "{}: {said}", self.namespace);
            }
            Daemon::Bird => {
                let frame = format!(
                    "log \"{}\" all;\nrouter id 172.16.10.1;\ninclude \"{}\";\n",
                    log.display(),
                    path("rk1.conf")
                );
                fs::write(self.folder.join("bird.conf"), frame).expect("a configuration");
                let arguments = ["-f", "-c", &path("bird.conf"), "-s", &path("bird.ctl")];
                let program = Path::new("/usr/sbin/bird");
                let _ = fs::remove_file(self.folder.join("bird.ctl"));
                self.running.push(Running::start(
                    &self.namespace,
                    program,
                    &arguments,
                    &self.folder.join("bird.out"),
                ));
                until("bird", START, || self.folder.join("bird.ctl").exists());
            }
        }
    }

    /// Takes the router's power away.
    pub(crate) fn kill(&mut self) {
        self.running.clear();
        // Routes that a daemon put into the kernel would be gone after a boot.
        let flush = ["-n", &self.namespace, "route", "flush", "proto"];
        for family in ["-4", "-6"] {
            for protocol in ["bgp", "bird"] {
                let arguments = [&[family][..], &flush, &[protocol]].concat();
                let _ = Command::new("ip").args(arguments).output();
            }
        }
    }

    pub(crate) fn is_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// The command line of its shell, with its socket.
    pub(crate) fn shell_command(&self) -> (&'static str, String) {
        match self.daemon {
            Daemon::Frr => ("vtysh", format!("/usr/bin/vtysh --vty_socket {}/", self.folder.display())),
            Daemon::Bird => ("birdc", format!("/usr/sbin/birdc -s {}/bird.ctl", self.folder.display())),
        }
    }

    fn shell(&self, arguments: &[&str]) -> String {
        let (_, command) = self.shell_command();
        let words: Vec<_> = command.split(' ').chain(arguments.iter().copied()).collect();
        let output = Command::new(words[0]).args(&words[1..]).output().expect("a shell");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The number of sessions that it considers established.
    pub(crate) fn established(&self) -> usize {
        match self.daemon {
            Daemon::Frr => ["ipv4", "ipv6"]
                .into_iter()
                .map(|family| {
                    let said = self.shell(&["-c", &format!("show bgp {family} unicast summary json")]);
                    let summary: Value = said
                        .find('{')
                        .and_then(|start| serde_json::from_str(&said[start..]).ok())
                        .unwrap_or_default();
                    let peers = summary["peers"].as_object().into_iter().flatten();
                    let of_family = peers.filter(|(address, _)| address.contains(':') == (family == "ipv6"));
                    of_family.filter(|(_, peer)| peer["state"] == "Established").count()
                })
                .sum(),
            Daemon::Bird => {
                let said = self.shell(&["show", "protocols"]);
                said.lines().filter(|line| line.contains(" BGP ") && line.contains("Established")).count()
            }
        }
    }
}
