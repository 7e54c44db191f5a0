//! The answers of `rk1 init`: from options, from the terminal, or as proposed.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::{env, fs};

use clap::Args;
use ipnet::Ipv4Net;

use crate::cli::question::{Answering, Question};
use crate::common::nearest::nearest;
use crate::config::cluster::{Domain, Label, SLOTS};
use crate::config::dns_providers::{DNS_PROVIDERS, DnsProvider};
use crate::config::initial::{Answers, LocalNetwork, Proposal, Services};
use crate::config::platforms::{PLATFORMS, Platform};
use crate::operate::machine;

/// The domain that is set aside for homes (RFC 8375).
const HOME_DOMAIN: &str = "home.arpa";
/// The answer for what the cluster shall not have.
const NONE: &str = "none";

/// Answers that the command line gives.
#[derive(Debug, Args)]
pub(super) struct Given {
    /// Name of the cluster
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Domain of its host names
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Public SSH key that may log in: a file, or the key itself
    #[arg(long, value_name = "FILE")]
    ssh_key: Option<String>,
    /// Network of the nodes
    #[arg(long, value_name = "CIDR")]
    network: Option<String>,
    /// Router of that network
    #[arg(long, value_name = "ADDRESS")]
    gateway: Option<String>,
    /// Address of the board's management controller
    #[arg(long, value_name = "ADDRESS")]
    bmc: Option<String>,
    /// Number of modules, which take the slots from the first on
    #[arg(long, value_name = "COUNT")]
    nodes: Option<String>,
    /// Address of the first module. The others follow
    #[arg(long, value_name = "ADDRESS")]
    first_node: Option<String>,
    /// Platform of the router if it speaks BGP, or none
    #[arg(long, value_name = "PLATFORM")]
    router: Option<String>,
    /// Addresses of services: FIRST-LAST in the nodes' network, or a network that is announced to the router
    #[arg(long, value_name = "RANGE")]
    services: Option<String>,
    /// DNS provider of the domain, for certificates of Let's Encrypt, or none
    #[arg(long, value_name = "PROVIDER")]
    dns_provider: Option<String>,
    /// URL of a Grafana that shows packets, or none
    #[arg(long, value_name = "URL")]
    grafana: Option<String>,
}

impl Given {
    pub(super) fn is_empty(&self) -> bool {
        let Self { name, domain, ssh_key, network, gateway, bmc, .. } = self;
        let Self { nodes, first_node, router, services, dns_provider, grafana, .. } = self;
        let of_network = [name, domain, ssh_key, network, gateway, bmc];
        let of_cluster = [nodes, first_node, router, services, dns_provider, grafana];
        of_network.iter().chain(&of_cluster).all(|answer| answer.is_none())
    }

    /// Adds what the command line leaves open.
    pub(super) fn complete(&self, answering: Answering) -> anyhow::Result<Answers> {
        let name = answering.answer(
            &Question { option: "--name", text: "Name of the cluster", parse: label },
            self.name.as_deref(),
            Some("turing-pi"),
        )?;
        let domain = answering.answer(
            &Question { option: "--domain", text: "Domain of its host names", parse: domain },
            self.domain.as_deref(),
            Some(HOME_DOMAIN),
        )?;
        let ssh_key = answering.answer(
            &Question { option: "--ssh-key", text: "Public SSH key that may log in", parse: ssh_key },
            self.ssh_key.as_deref(),
            machine::public_key().map(|file| file.display().to_string()),
        )?;
        let local = self.local_network(answering)?;
        let proposal = local.propose();
        let (bmc, nodes) = self.addresses(answering, proposal)?;
        let platform = answering.answer(
            &Question { option: "--router", text: &router_question(), parse: router },
            self.router.as_deref(),
            Some(NONE),
        )?;
        let services = self.services(answering, platform, local, proposal)?;
        let dns_provider = answering.answer(
            &Question { option: "--dns-provider", text: &dns_question(), parse: dns_provider },
            self.dns_provider.as_deref(),
            Some(NONE),
        )?;
        let grafana = answering.answer(
            &Question { option: "--grafana", text: "URL of a Grafana that shows packets", parse: grafana },
            self.grafana.as_deref(),
            Some(NONE),
        )?;
        let network = local.machine.trunc();
        let gateway = local.gateway;
        Ok(Answers { name, domain, ssh_key, network, gateway, bmc, nodes, services, dns_provider, grafana })
    }

    /// The network of the nodes, which is that of this machine unless somebody says otherwise.
    fn local_network(&self, answering: Answering) -> anyhow::Result<LocalNetwork> {
        let here = machine::local_network();
        let network = answering.answer(
            &Question { option: "--network", text: "Network of the nodes", parse: network },
            self.network.as_deref(),
            here.map(|here| here.machine.trunc()),
        )?;
        let of_network = here.filter(|here| network.contains(&here.gateway));
        let gateway = answering.answer(
            &Question { option: "--gateway", text: "Router of that network", parse: address },
            self.gateway.as_deref(),
            of_network.map(|here| here.gateway).or_else(|| network.hosts().next()),
        )?;
        let machine = here.map(|here| here.machine.addr()).filter(|address| network.contains(address));
        // Where this machine is elsewhere, no address but the router's is known to be taken.
        let machine = Ipv4Net::new(machine.unwrap_or(gateway), network.prefix_len())?;
        Ok(LocalNetwork { machine, gateway })
    }

    fn addresses(
        &self,
        answering: Answering,
        proposal: Option<Proposal>,
    ) -> anyhow::Result<(Ipv4Addr, Vec<Ipv4Addr>)> {
        let bmc = answering.answer(
            &Question { option: "--bmc", text: "Address of the board's controller (BMC)", parse: address },
            self.bmc.as_deref(),
            proposal.map(|proposal| proposal.bmc),
        )?;
        let count = answering.answer(
            &Question { option: "--nodes", text: "Number of modules", parse: count },
            self.nodes.as_deref(),
            Some(SLOTS),
        )?;
        let first = answering.answer(
            &Question { option: "--first-node", text: "Address of the first module", parse: address },
            self.first_node.as_deref(),
            proposal.map(|proposal| proposal.first_node),
        )?;
        let nodes = (0..u32::from(count)).map(|offset| Ipv4Addr::from(u32::from(first).wrapping_add(offset)));
        Ok((bmc, nodes.collect()))
    }

    fn services(
        &self,
        answering: Answering,
        platform: Option<&'static Platform>,
        local: LocalNetwork,
        proposal: Option<Proposal>,
    ) -> anyhow::Result<Services> {
        let given = self.services.as_deref();
        if let Some(platform) = platform {
            let text = "Network of services' addresses, which the router learns";
            let question = Question { option: "--services", text, parse: network };
            let pool = answering.answer(&question, given, local.propose_pool())?;
            return Ok(Services::Announced { platform, pool });
        }
        let text = "Free addresses of the network, for services";
        let question = Question { option: "--services", text, parse: range };
        let proposed =
            proposal.map(|proposal| format!("{}-{}", proposal.first_service, proposal.last_service));
        let (first, last) = answering.answer(&question, given, proposed)?;
        Ok(Services::Local(first, last))
    }
}

fn label(text: &str) -> Result<Label, String> {
    Label::parse(text).map_err(|mistake| mistake.to_string())
}

fn domain(text: &str) -> Result<Domain, String> {
    Domain::parse(text).map_err(|mistake| mistake.to_string())
}

fn address(text: &str) -> Result<Ipv4Addr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an IPv4 address, such as 192.168.1.10"))
}

fn network(text: &str) -> Result<Ipv4Net, String> {
    let network = text.parse::<Ipv4Net>();
    network
        .map(|network| network.trunc())
        .map_err(|_| format!("`{text}` is not a network, such as 192.168.1.0/24"))
}

fn range(text: &str) -> Result<(Ipv4Addr, Ipv4Addr), String> {
    let ends = text
        .split_once('-')
        .and_then(|(first, last)| Some((first.trim().parse().ok()?, last.trim().parse().ok()?)));
    ends.filter(|(first, last)| first <= last)
        .ok_or_else(|| format!("`{text}` is not a range, such as 192.168.1.200-192.168.1.209"))
}

fn count(text: &str) -> Result<u8, String> {
    let count = text.parse().ok().filter(|count| (1..=SLOTS).contains(count));
    count.ok_or_else(|| {
        format!("`{text}` is not a number from 1 to {SLOTS}; add further boards to the file later")
    })
}

/// Reads a public key from a file, or takes it as it is.
fn ssh_key(text: &str) -> Result<String, String> {
    let is_key = text.split_whitespace().count() > 1 && !Path::new(text).exists();
    let line = if is_key { text.to_owned() } else { first_line(text)? };
    match ssh_key::PublicKey::from_openssh(&line) {
        Ok(_) => Ok(line),
        Err(_) => Err(format!(
            "`{text}` is not a public SSH key, nor a file with one: make one with `ssh-keygen -t ed25519`"
        )),
    }
}

fn first_line(file: &str) -> Result<String, String> {
    let path = match (file.strip_prefix("~/"), env::home_dir()) {
        (Some(below), Some(home)) => home.join(below),
        _ => PathBuf::from(file),
    };
    if file.is_empty() {
        return Err("an answer is needed: a file such as ~/.ssh/id_ed25519.pub".to_owned());
    }
    let text = fs::read_to_string(&path).map_err(|error| format!("cannot read `{file}`: {error}"))?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}

fn router_question() -> String {
    let words: Vec<_> = PLATFORMS.iter().map(|platform| platform.word).collect();
    format!("A router that speaks BGP, if there is one (none, {})", words.join(", "))
}

fn router(text: &str) -> Result<Option<&'static Platform>, String> {
    let platform = Platform::of_word(text).or_else(|| Platform::of_alias(text));
    choice(text, platform, PLATFORMS.iter().map(|platform| platform.word))
}

fn dns_question() -> String {
    let keys: Vec<_> = DNS_PROVIDERS.iter().map(|provider| provider.key).collect();
    format!("DNS provider of the domain, for certificates of Let's Encrypt (none, {})", keys.join(", "))
}

fn dns_provider(text: &str) -> Result<Option<&'static DnsProvider>, String> {
    let provider = DNS_PROVIDERS.iter().find(|provider| provider.key == text);
    choice(text, provider, DNS_PROVIDERS.iter().map(|provider| provider.key))
}

fn choice<T>(
    text: &str,
    chosen: Option<&'static T>,
    known: impl Iterator<Item = &'static str> + Clone,
) -> Result<Option<&'static T>, String> {
    if text == NONE || chosen.is_some() {
        return Ok(chosen);
    }
    let all: Vec<_> = std::iter::once(NONE).chain(known).collect();
    Err(match nearest(text, all.iter().copied()) {
        Some(meant) => format!("`{text}` is not known: did you mean `{meant}`?"),
        None => format!("`{text}` is not known: write one of {}", all.join(", ")),
    })
}

fn grafana(text: &str) -> Result<Option<String>, String> {
    if text == NONE {
        return Ok(None);
    }
    match url::Url::parse(text) {
        Ok(url) if ["http", "https"].contains(&url.scheme()) => Ok(Some(text.to_owned())),
        _ => Err(format!("`{text}` is not a URL, such as https://grafana.{HOME_DOMAIN}")),
    }
}
