//! The answers that make a cluster, and the file that follows from them: the keys that every cluster needs, and no other.

use std::fmt::Write;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;

use crate::config::cluster::{Domain, Label};
use crate::config::dns_providers::{DnsProvider, DnsValueKind, IfAbsent};
use crate::config::platforms::Platform;

/// The least number of nodes of which three are servers. With fewer, one is.
const NODES_OF_THREE_SERVERS: usize = 3;
/// The default ranges of pods and services, as one.
const DEFAULT_INNER: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(10, 42, 0, 0), 15);

/// The description of a new cluster: one board, IPv4 only.
#[derive(Debug, Clone)]
pub struct Answers {
    pub name: Label,
    pub domain: Domain,
    /// A line of `authorized_keys`.
    pub ssh_key: String,
    /// The nodes' network.
    pub network: Ipv4Net,
    pub gateway: Ipv4Addr,
    /// Of the board's management controller.
    pub bmc: Ipv4Addr,
    /// The modules' addresses, by slot.
    pub nodes: Vec<Ipv4Addr>,
    pub services: Services,
    /// `None` for certificates that no browser knows.
    pub dns_provider: Option<&'static DnsProvider>,
    /// The URL of the Grafana that shows packets.
    pub grafana: Option<String>,
}

/// How services are reached from outside.
#[derive(Debug, Clone)]
pub enum Services {
    /// At free addresses of the nodes' network, from the first to the last.
    Local(Ipv4Addr, Ipv4Addr),
    /// At addresses that are announced to the gateway by BGP.
    Announced { platform: &'static Platform, pool: Ipv4Net },
}

impl Services {
    /// Returns the address of the cluster's own gateway: the first that a host may have.
    fn gateway(&self) -> Option<Ipv4Addr> {
        match self {
            Self::Local(first, _) => Some(*first),
            Self::Announced { pool, .. } => pool.hosts().next(),
        }
    }
}

/// A text as TOML writes it. Every JSON string is a basic string of TOML.
fn quoted(text: &impl ToString) -> String {
    serde_json::Value::from(text.to_string()).to_string()
}

impl Answers {
    /// Returns the text of `cluster.toml`. Whether it makes sense, `rk1 check` says.
    #[must_use]
    pub fn file(&self) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let Self { name, domain, ssh_key, gateway, bmc, .. } = self;
        writeln!(text, "# Every other key, with its default: docs/cluster-file.md.\n")?;
        writeln!(text, "[cluster]\nname = {}\ndomain = {}\n", quoted(name), quoted(domain))?;
        writeln!(text, "[access]\nssh-keys = [\n  {},\n]\n", quoted(&ssh_key.trim()))?;
        writeln!(text, "[network]\ngateway = {}", quoted(gateway))?;
        if self.network.contains(&DEFAULT_INNER.network()) || DEFAULT_INNER.contains(&self.network.network())
        {
            writeln!(text, "# The default ranges, 10.42.0.0/16 and 10.43.0.0/16, overlap your network.")?;
            writeln!(text, "pods = \"172.20.0.0/16\"\nservices = \"172.21.0.0/16\"")?;
        }
        writeln!(text, "\n[[board]]\nname = {}\nbmc = {}", quoted(name), quoted(bmc))?;
        for (index, address) in self.nodes.iter().enumerate() {
            self.write_node(text, index, *address)?;
        }
        writeln!(text, "\n[storage]\ndevice = \"/dev/nvme0n1\"")?;
        self.write_services(text)?;
        // The tokens of k3s and the host keys need no line.
        let mut secrets = Vec::new();
        if matches!(self.services, Services::Announced { .. }) {
            secrets.push("bgp-password");
        }
        self.write_certificates(text, &mut secrets)?;
        if let Some(url) = &self.grafana {
            writeln!(text, "\n[streamer]\nurl = {}\ntoken = \"grafana-token\"", quoted(url))?;
            secrets.push("grafana-token");
        }
        secrets.sort_unstable();
        if secrets.is_empty() {
            return Ok(());
        }
        writeln!(text, "\n[secrets]")?;
        secrets.iter().try_for_each(|secret| writeln!(text, "{secret} = \"secrets/{secret}\""))
    }

    fn write_node(&self, text: &mut String, index: usize, address: Ipv4Addr) -> std::fmt::Result {
        let servers = if self.nodes.len() < NODES_OF_THREE_SERVERS { 1 } else { NODES_OF_THREE_SERVERS };
        let role = if index < servers { "server" } else { "agent" };
        let slot = index + 1;
        let address = format!("{address}/{}", self.network.prefix_len());
        writeln!(text, "\n[[node]]\nname = {}", quoted(&format!("{}-{slot}", self.name)))?;
        writeln!(text, "slot = {slot}\naddress = {}\nrole = \"{role}\"", quoted(&address))
    }

    fn write_services(&self, text: &mut String) -> std::fmt::Result {
        match &self.services {
            Services::Local(first, last) => {
                writeln!(
                    text,
                    "\n# Addresses of services. The router's DHCP server must not give them out."
                )?;
                writeln!(
                    text,
                    "[[pool]]\nname = \"local\"\nranges = [{}]",
                    quoted(&format!("{first}-{last}"))
                )?;
            }
            Services::Announced { platform, pool } => {
                writeln!(text, "\n[bgp]\nasn = 64512\npool = {}", quoted(pool))?;
                writeln!(text, "\n[[bgp.router]]\nname = \"router\"\naddress = {}", quoted(&self.gateway))?;
                writeln!(text, "platform = {}", quoted(&platform.word))?;
                writeln!(
                    text,
                    "# The release that it runs.\nversion = {}",
                    quoted(&platform.releases.example)
                )?;
                writeln!(text, "password = \"bgp-password\"")?;
            }
        }
        self.services
            .gateway()
            .map_or(Ok(()), |address| writeln!(text, "\n[gateway]\naddress = {}", quoted(&address)))
    }

    fn write_certificates(&self, text: &mut String, secrets: &mut Vec<&'static str>) -> std::fmt::Result {
        let Some(provider) = self.dns_provider else {
            writeln!(
                text,
                "\n# An authority of the cluster's own signs the certificates: browsers warn of it."
            )?;
            return writeln!(text, "[certificates]\nissuer = \"self-signed\"");
        };
        writeln!(text, "\n[certificates.{}]", provider.key)?;
        let required = provider.fields.iter().filter(|field| field.default == IfAbsent::Required);
        for field in required {
            writeln!(text, "{} = {}", field.key, quoted(&field.example))?;
            if matches!(field.kind, DnsValueKind::Secret { .. }) {
                secrets.push(field.example);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::cluster::Cluster;
    use crate::config::diagnostics::Problems;
    use crate::config::diagnostics::report::report;
    use crate::config::dns_providers::DNS_PROVIDERS;
    use crate::config::platforms::PLATFORMS;
    use crate::config::source::Source;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGpGsjHz5ueLOKAjtTmSLtDtWsuIWBjcAWGgu5rnCQmC \"me\" é";

    fn answers(nodes: u8, services: Services) -> Answers {
        Answers {
            name: Label::parse("attic").unwrap(),
            domain: Domain::parse("home.arpa").unwrap(),
            ssh_key: KEY.to_owned(),
            network: "192.168.1.0/24".parse().unwrap(),
            gateway: Ipv4Addr::new(192, 168, 1, 1),
            bmc: Ipv4Addr::new(192, 168, 1, 220),
            nodes: (1..=nodes).map(|slot| Ipv4Addr::new(192, 168, 1, 220 + slot)).collect(),
            services,
            dns_provider: None,
            grafana: None,
        }
    }

    fn local() -> Services {
        Services::Local(Ipv4Addr::new(192, 168, 1, 225), Ipv4Addr::new(192, 168, 1, 234))
    }

    /// Returns what is wrong with the file, and fails if nothing can be rendered from it.
    fn problems(answers: &Answers) -> String {
        let source = Source { name: "cluster.toml".to_owned(), text: answers.file() };
        let mut problems = Problems::default();
        let cluster = Cluster::parse(&source, &mut problems);
        let report = if problems.is_empty() { String::new() } else { report(&source, &problems) };
        let report = anstream::adapter::strip_str(&report).to_string();
        assert!(cluster.is_some(), "{}\n{report}", source.text);
        report
    }

    #[test]
    fn one_to_four_nodes_make_a_cluster_without_a_router() {
        for nodes in 1..=4 {
            assert_eq!(problems(&answers(nodes, local())), "", "{nodes} nodes");
        }
    }

    #[test]
    fn every_platform_makes_a_cluster() {
        for platform in &PLATFORMS {
            let pool = "10.200.200.0/24".parse().unwrap();
            let report = problems(&answers(3, Services::Announced { platform, pool }));
            assert!(!report.contains("error"), "{}: {report}", platform.word);
        }
    }

    #[test]
    fn every_dns_provider_makes_a_cluster() {
        for provider in &DNS_PROVIDERS {
            let domain = Domain::parse("lab.smith.io").unwrap();
            let answers = Answers { dns_provider: Some(provider), domain, ..answers(4, local()) };
            let report = problems(&answers);
            // Placeholders for what only the user knows are warnings.
            assert!(!report.contains("error"), "{}: {report}", provider.key);
        }
    }

    #[test]
    fn a_network_inside_the_default_ranges_gets_other_ranges() {
        let inside = |octets: [u8; 4]| Ipv4Addr::from(octets);
        let answers = Answers {
            network: "10.42.7.0/24".parse().unwrap(),
            gateway: inside([10, 42, 7, 1]),
            bmc: inside([10, 42, 7, 220]),
            nodes: vec![inside([10, 42, 7, 221])],
            services: Services::Local(inside([10, 42, 7, 225]), inside([10, 42, 7, 234])),
            grafana: Some("https://grafana.home.arpa".to_owned()),
            ..answers(1, local())
        };
        assert_eq!(problems(&answers), "");
    }
}
