use std::io::{self, IsTerminal, Write};
use std::path::Path;

use clap::Args;
use clap_complete::engine::ArgValueCandidates;

use super::cluster_file::{folder_of, read_cluster};
use super::completions::node_names;
use super::outcome::Outcome;
use super::output::{print, print_hint, print_mistake};
use crate::common::shell::word;
use crate::config::cluster::{Cluster, Node};
use crate::config::diagnostics::Mistake;
use crate::provision::seed::agent_token;

/// Print the commands with which a machine of another kind joins the cluster
///
/// They hold no secret: the token goes through a pipe into a file that only root can read. A machine that has joined appears in
/// `rk1 status`, and the routers know it already.
#[derive(Debug, Args)]
pub(super) struct Join {
    /// Node that joins
    #[arg(add = ArgValueCandidates::new(node_names))]
    node: String,
    /// Print the token itself, into a pipe
    #[arg(long)]
    token: bool,
}

/// The file of the token on the machine.
const TOKEN_FILE: &str = "/etc/rancher/k3s/join-token";
const CONFIG_FILE: &str = "/etc/rancher/k3s/config.yaml";

impl Join {
    pub(super) fn run(self, file: &Path) -> anyhow::Result<Outcome> {
        let cluster = read_cluster(file)?;
        let node = cluster.node(&self.node)?;
        let name = &node.name;
        if node.is_host() {
            let kind = node.module.word;
            let hint = format!("flash it: its image joins with the secrets that `rk1 flash {name}` adds");
            print_mistake(
                format!("node `{name}` is of the kind `{kind}`, which does not join by hand"),
                Some(hint),
            );
            return Ok(Outcome::Usage);
        }
        if !self.token {
            print(&commands(&cluster, node))?;
            return Ok(Outcome::Done);
        }
        if io::stdout().is_terminal() {
            let hint = format!("pipe it as `rk1 join {name}` prints it");
            print_mistake("the token is not printed on a terminal", Some(hint));
            return Ok(Outcome::Usage);
        }
        match agent_token(&cluster, folder_of(file)) {
            Ok(token) => {
                let mut output = io::stdout().lock();
                output.write_all(&token)?;
                output.flush()?;
                Ok(Outcome::Done)
            }
            Err(refused) => {
                for mistake in &refused.0 {
                    print_mistake(mistake, mistake.hint());
                }
                if refused.0.is_empty() {
                    print_hint("run `rk1 secrets`");
                }
                Ok(Outcome::Failed)
            }
        }
    }
}

/// Returns the commands, which hold no secret.
fn commands(cluster: &Cluster, node: &Node) -> String {
    let name = &node.name;
    let ssh = format!("ssh {}", word(&node.ssh));
    let sudo = if node.ssh.starts_with("root@") { "" } else { "sudo " };
    let server = cluster.nodes.iter().find(|node| node.name == cluster.k3s.first_server);
    let server = server.map(|node| node.address.v4().addr().to_string()).unwrap_or_default();
    let addresses: Vec<_> = node.address.addresses().each().map(|address| address.to_string()).collect();
    let (addresses, release) = (addresses.join(","), cluster.versions.k3s);
    format!(
        "# The token of agents, into a file that only root can read.\n\
         rk1 join {name} --token | {ssh} '{sudo}install -D -m 600 /dev/stdin {TOKEN_FILE}'\n\
         # The settings.\n\
         {ssh} '{sudo}install -D -m 644 /dev/stdin {CONFIG_FILE}' <<'END'\n\
         server: https://{server}:6443\n\
         token-file: {TOKEN_FILE}\n\
         node-name: {name}\n\
         node-ip: {addresses}\n\
         END\n\
         # k3s of the servers' minor release, by its own installer.\n\
         {ssh} 'curl -sfL https://get.k3s.io | {sudo}env INSTALL_K3S_CHANNEL=v{release} sh -s - agent'\n"
    )
}
