//! The kinds of routers: one row of facts for each. Code asks what a platform can do, not which one it is.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

/// Major and minor number of a release.
pub type MajorMinor = (u32, u32);

/// What a router runs.
#[derive(Debug)]
pub struct Platform {
    /// How `cluster.toml` names it.
    pub word: &'static str,
    /// How people name it.
    pub name: &'static str,
    /// Other words that people write for it.
    pub aliases: &'static [&'static str],
    pub language: Language,
    pub status: StatusSource,
    pub releases: Releases,
    /// The release from which on it installs several next hops for one route. `None` if every release does.
    pub multipath_since: Option<MajorMinor>,
    /// What it takes to apply the rendered file, where that differs from the other platforms of the language.
    pub apply: Option<&'static str>,
    /// What makes the change survive a restart.
    pub keep: &'static str,
    /// What has to be installed, with the command. `None` if the daemon is a part of the system, or installed like any
    /// package.
    pub install: Option<&'static str>,
    /// How its firewall is told to accept the nodes.
    pub firewall: Firewall,
    /// Whether it is set up by sysctl of Linux.
    pub has_sysctl: bool,
}

/// How a firewall is told to accept the nodes' connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Firewall {
    /// By `nft`, in the usual table `inet filter`.
    Nftables,
    /// By `uci`, which generates the rules.
    Uci,
    /// By means of the platform's own.
    Own,
}

/// The configuration language of a platform: a room of `render::routers`, and a daemon of the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Routeros,
    Frr,
    Bird,
    Vyos,
}

/// How `rk1 status` asks a router for its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusSource {
    /// Over HTTP, as a user that `cluster.toml` names.
    RestApi,
    /// By ssh, unless `cluster.toml` says otherwise as `user`.
    Ssh { user: &'static str, shell: RoutingShell },
}

/// The program that prints a routing daemon's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutingShell {
    Vtysh,
    Birdc,
}

impl RoutingShell {
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Vtysh => "vtysh",
            Self::Birdc => "birdc",
        }
    }
}

/// The releases that files can be rendered for.
#[derive(Debug)]
pub struct Releases {
    pub oldest: MajorMinor,
    /// The first release that nothing can be rendered for.
    pub end: Option<MajorMinor>,
    /// The newest release whose commands are known. A newer one is worth a warning.
    pub newest_known: Option<MajorMinor>,
    pub example: &'static str,
}

const ANY: MajorMinor = (0, 0);
const VTYSH_AS_ROOT: StatusSource = StatusSource::Ssh { user: "root", shell: RoutingShell::Vtysh };

pub static PLATFORMS: [Platform; 8] = [
    Platform {
        word: "routeros",
        name: "RouterOS",
        aliases: &["mikrotik", "ros"],
        language: Language::Routeros,
        status: StatusSource::RestApi,
        // Source: the command trees of RouterOS 7.9 to 7.24rc1 (tikoci/restraml, `docs/<version>/inspect.json`).
        releases: Releases { oldest: (7, 9), end: None, newest_known: Some((7, 24)), example: "7.18" },
        multipath_since: Some((7, 22)),
        apply: None,
        keep: "RouterOS keeps it over a restart.",
        install: None,
        firewall: Firewall::Own,
        has_sysctl: false,
    },
    Platform {
        word: "frr",
        name: "FRR",
        aliases: &["frrouting", "quagga"],
        language: Language::Frr,
        status: VTYSH_AS_ROOT,
        // `bgp graceful-restart notification` came with 8.4.
        releases: Releases { oldest: (8, 4), end: None, newest_known: None, example: "10.2" },
        multipath_since: None,
        apply: None,
        keep: "Keep it over a restart:     vtysh -c 'write memory'",
        install: None,
        firewall: Firewall::Nftables,
        has_sysctl: true,
    },
    Platform {
        word: "bird",
        name: "BIRD",
        aliases: &["bird2", "bird3"],
        language: Language::Bird,
        status: StatusSource::Ssh { user: "root", shell: RoutingShell::Birdc },
        releases: Releases { oldest: (2, 0), end: Some((4, 0)), newest_known: None, example: "2.0.12" },
        multipath_since: None,
        apply: None,
        keep: "The file is read at every start.",
        install: None,
        firewall: Firewall::Nftables,
        has_sysctl: true,
    },
    Platform {
        word: "vyos",
        name: "VyOS",
        aliases: &["vyatta"],
        language: Language::Vyos,
        status: StatusSource::Ssh { user: "vyos", shell: RoutingShell::Vtysh },
        // The first release with `protocols bgp system-as`.
        releases: Releases { oldest: (1, 4), end: None, newest_known: None, example: "1.4" },
        multipath_since: None,
        apply: None,
        keep: "The commands save it.",
        install: None,
        firewall: Firewall::Nftables,
        has_sysctl: true,
    },
    Platform {
        word: "opnsense",
        name: "OPNsense",
        aliases: &[],
        language: Language::Frr,
        status: VTYSH_AS_ROOT,
        releases: Releases { oldest: ANY, end: None, newest_known: None, example: "25.1" },
        multipath_since: None,
        apply: None,
        keep: "It lasts until OPNsense writes FRR's configuration again. To keep it, enter the same in Routing > BGP: \
               docs/routers.md.",
        install: None,
        firewall: Firewall::Own,
        has_sysctl: false,
    },
    Platform {
        word: "pfsense",
        name: "pfSense",
        aliases: &["netgate"],
        language: Language::Frr,
        status: VTYSH_AS_ROOT,
        // FRR is a package of pfSense, which every supported release has.
        releases: Releases { oldest: ANY, end: None, newest_known: None, example: "2.8" },
        multipath_since: None,
        apply: None,
        keep: "It lasts until pfSense writes FRR's configuration again. To keep it, enter the same in Services > FRR BGP: \
               docs/routers.md.",
        install: Some(
            "System > Package Manager > Available Packages: frr, then Services > FRR Global: Enable FRR",
        ),
        firewall: Firewall::Own,
        has_sysctl: false,
    },
    Platform {
        word: "openwrt",
        name: "OpenWrt",
        aliases: &["lede"],
        language: Language::Bird,
        status: StatusSource::Ssh { user: "root", shell: RoutingShell::Birdc },
        // The first release whose feeds have bird2.
        releases: Releases { oldest: (19, 7), end: None, newest_known: None, example: "24.10" },
        multipath_since: None,
        apply: None,
        keep: "The file is read at every start. To keep it over a sysupgrade, add /etc/bird/ to /etc/sysupgrade.conf.",
        install: Some(
            "opkg update && opkg install bird2 bird2c && mkdir -p /etc/bird (apk instead of opkg from 25 on)",
        ),
        firewall: Firewall::Uci,
        has_sysctl: true,
    },
    Platform {
        word: "unifi",
        name: "UniFi",
        aliases: &["ubiquiti", "udm", "ucg", "unifios"],
        language: Language::Frr,
        status: VTYSH_AS_ROOT,
        releases: Releases { oldest: ANY, end: None, newest_known: None, example: "9.3" },
        multipath_since: None,
        apply: Some(
            "upload the file in UniFi Network, Settings > Policy Engine > Dynamic Routing (Routing > BGP in older \
             releases)",
        ),
        keep: "UniFi keeps the uploaded file over a restart.",
        install: None,
        firewall: Firewall::Own,
        has_sysctl: false,
    },
];

impl Platform {
    #[must_use]
    pub fn of_word(word: &str) -> Option<&'static Self> {
        PLATFORMS.iter().find(|platform| platform.word == word)
    }

    /// The platform that people also call `name`, in any case.
    #[must_use]
    pub fn of_alias(name: &str) -> Option<&'static Self> {
        let name = name.to_ascii_lowercase();
        let is_meant = |platform: &&Self| platform.word == name || platform.aliases.contains(&name.as_str());
        PLATFORMS.iter().find(is_meant)
    }

    /// The platform that speaks a language and nothing else, which stands for it in the lab.
    #[must_use]
    pub fn of_language(language: Language) -> Option<&'static Self> {
        PLATFORMS.iter().find(|platform| platform.language == language)
    }

    #[must_use]
    pub fn installs_several_next_hops(&self, release: MajorMinor) -> bool {
        self.multipath_since.is_none_or(|since| release >= since)
    }
}

impl JsonSchema for Platform {
    fn schema_name() -> Cow<'static, str> {
        "Platform".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<_> = PLATFORMS.iter().map(|platform| platform.word).collect();
        json_schema!({ "description": "What a router runs.", "type": "string", "enum": words })
    }
}
