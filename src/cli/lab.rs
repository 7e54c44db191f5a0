use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::cluster_file::{Warnings, read_rendered};
use super::outcome::Outcome;
use super::output::{print, say};
use crate::operate::lab::{self, Daemon, LabCheck, LabPlan};

/// Run the routers and nodes in network namespaces and check that BGP works (root, Linux)
///
/// Runs FRR or BIRD with the rendered configuration, and a GoBGP for each node, configured from the rendered manifests.
/// Then it stops nodes and starts intruders. Nothing of a run is left behind, however it ends.
#[derive(Debug, Args)]
pub(super) struct Lab {
    /// Program for the routers [default: as in cluster.toml, FRR for a platform that cannot run here]
    #[arg(long)]
    router: Option<RouterDaemon>,
    /// Print findings as JSON, one for each line
    #[arg(long)]
    json: bool,
    /// This process is the first of its namespaces, and ends when its standard input does.
    #[arg(long, hide = true)]
    inside: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RouterDaemon {
    Frr,
    Bird,
}

impl Lab {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        if self.inside { self.run_inside(file) } else { self.run_outside(file) }
    }

    fn daemon(&self) -> Option<Daemon> {
        self.router.map(|router| match router {
            RouterDaemon::Frr => Daemon::Frr,
            RouterDaemon::Bird => Daemon::Bird,
        })
    }

    /// Everything happens in namespaces of a process of their own. When that is gone the kernel ends what is left in
    /// them, and with the last process go the networks and the file systems.
    fn run_outside(&self, file: &Path) -> anyhow::Result<Outcome> {
        let (cluster, documents) = read_rendered(file, Warnings::Counted)?;
        let plan = LabPlan::new(&cluster, &documents, self.daemon())?;
        lab::programs::require(&plan)?;
        let mut inside = Command::new("unshare");
        inside.args(["--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--net", "--ipc", "--"]);
        inside.arg(std::env::current_exe().context("cannot tell where this program lies")?);
        inside.arg("--file").arg(file).args(["lab", "--inside"]);
        if let Some(router) = self.router.and_then(|router| router.to_possible_value()) {
            inside.args(["--router", router.get_name()]);
        }
        if self.json {
            inside.arg("--json");
        }
        // The other end of this pipe closes when this process ends, in whatever way.
        let mut inside = inside.stdin(Stdio::piped()).spawn().context("cannot run `unshare`")?;
        let held = inside.stdin.take();
        let status = inside.wait()?;
        drop(held);
        match status.code() {
            Some(0) => Ok(Outcome::Done),
            Some(1) => Ok(Outcome::Failed),
            _ => bail!("the lab ended with {status}"),
        }
    }

    fn run_inside(&self, file: &Path) -> anyhow::Result<Outcome> {
        if std::process::id() != 1 {
            bail!("`--inside` is for `rk1 lab` itself");
        }
        thread::spawn(|| {
            // Nothing is ever written to it: what ends is the process that holds the other end.
            let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
            std::process::exit(2);
        });
        let (cluster, documents) = read_rendered(file, Warnings::Omitted)?;
        let plan = LabPlan::new(&cluster, &documents, self.daemon())?;
        for line in plan.remarks() {
            say!("{line}");
        }
        let mut broken = None;
        let mut tell = |check: &LabCheck| {
            let line = if self.json { json!(check).to_string() } else { check.to_string() };
            if let Err(error) = print(&format!("{line}\n")) {
                broken.get_or_insert(error);
            }
        };
        let passed = lab::run(&plan, &mut tell, &mut |line| say!("{line}"))?;
        if let Some(error) = broken {
            return Err(error);
        }
        Ok(if passed { Outcome::Done } else { Outcome::Failed })
    }
}
