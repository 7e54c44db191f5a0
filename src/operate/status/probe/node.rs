//! Asks a node about itself.

use std::fmt::Write;
use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::script::script_output;
use super::sections::{END, MARK, ScriptOutput};
use crate::common::ssh::Destination;
use crate::config::cluster::{Cluster, Disk, Node, Streamer};
use crate::config::written::Role;
use crate::operate::status::facts::{
    EtcdFacts, Mount, NodeFacts, Probed, Reading, StreamerFacts, SystemFacts,
};
use crate::operate::status::scope::ProbeOptions;

/// Seconds between the two looks at counters. The streamer delivers, and etcd writes, at least once a second.
const PAUSE: u32 = 2;
/// The port at which the streamer's first instance serves its counters; each further one has the next port
/// (`modules/xdp-streamer/options.nix`).
const METRICS_PORT: u16 = 9469;
/// The address at which k3s has its etcd serve metrics (k3s-io/k3s, `pkg/etcd`).
const ETCD_METRICS: &str = "http://127.0.0.1:2381/metrics";

/// What is asked of a node. It depends on what the node should run.
struct Questions<'a> {
    disks: Vec<Disk<'a>>,
    streamers: Vec<Instance>,
    is_server: bool,
    /// Whether a DHCP server assigns its address.
    has_lease: bool,
}

/// An instance of the streamer on a node, as `modules/xdp-streamer/instances.nix` makes it.
struct Instance {
    unit: String,
    port: u16,
}

pub(super) async fn ask(cluster: &Cluster, node: &Node, options: &ProbeOptions) -> Probed<NodeFacts> {
    let questions = Questions {
        disks: cluster.storage.disks(&node.name),
        streamers: cluster.streamer.as_ref().map(instances).unwrap_or_default(),
        is_server: node.role == Role::Server,
        has_lease: cluster.has_lease(node),
    };
    let began = seconds_now();
    let printed =
        script_output(&Destination::node(&node.ssh, &options.folder), &questions.script(), options.limit)
            .await?;
    questions.parse(&printed, [began, seconds_now()])
}

fn seconds_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn instances(streamer: &Streamer) -> Vec<Instance> {
    if streamer.interfaces.is_empty() {
        return vec![Instance { unit: "xdp-streamer".to_owned(), port: METRICS_PORT }];
    }
    let units = streamer.interfaces.iter().map(|interface| format!("xdp-streamer-{interface}"));
    units.zip(METRICS_PORT..).map(|(unit, port)| Instance { unit, port }).collect()
}

/// The links that say which system runs, and which one should, in the order of [`SystemFacts`].
const SYSTEM_LINKS: [&str; 4] = [
    "/run/current-system",
    "/nix/var/nix/profiles/system",
    "/run/booted-system/kernel",
    "/run/current-system/kernel",
];

/// Prints each `init=` of the boot menu whose system is gone. The garbage collector does not rewrite the menu.
const LOST_ENTRIES: &str = "sed -n 's/.* init=\\([^ ]*\\).*/\\1/p' /boot/extlinux/extlinux.conf | sort -u | while read -r init; do \
                            test -e \"$init\" || echo \"$init\"; done";

impl Questions<'_> {
    /// The mount point of each disk and the directories on it, with the disk.
    fn mount_points(&self) -> impl Iterator<Item = (&Disk<'_>, &str)> {
        self.disks.iter().flat_map(|disk| {
            let binds = disk.binds.iter().map(|bind| bind.path.as_str());
            [disk.mount].into_iter().chain(binds).map(move |path| (disk, path))
        })
    }

    /// Paths and names of interfaces need no quoting: their types see to that.
    fn script(&self) -> String {
        let mut script = "LC_ALL=C; export LC_ALL\n".to_owned();
        let mut section = |name: &str, command: &str| {
            let _ = writeln!(script, "echo '{MARK}{name}'\n{command}");
        };
        section("clock", "date +%s");
        section("k3s", "systemctl is-active k3s.service");
        if self.has_lease {
            section("addresses", "ip -brief -4 address show scope global");
        }
        for link in SYSTEM_LINKS {
            section(&format!("link {link}"), &format!("readlink -f {link}"));
        }
        section("menu", LOST_ENTRIES);
        for (_, path) in self.mount_points() {
            let command = format!("findmnt --noheadings --raw --output OPTIONS --mountpoint {path}");
            section(&format!("mount {path}"), &command);
        }
        for Instance { unit, .. } in &self.streamers {
            section(&format!("state {unit}"), &format!("systemctl is-active {unit}.service"));
        }
        let fetch = "curl --silent --fail --noproxy '*' --max-time 3";
        for look in 1..=2 {
            if look == 2 && (self.is_server || !self.streamers.is_empty()) {
                section("pause", &format!("sleep {PAUSE}"));
            }
            for Instance { unit, port } in &self.streamers {
                section(
                    &format!("figures {look} {unit}"),
                    &format!("{fetch} http://127.0.0.1:{port}/metrics"),
                );
            }
            if self.is_server {
                let lines = "'^etcd_(server_has_leader|server_is_learner|disk_wal_fsync_duration_seconds_(sum|count)) '";
                section(&format!("etcd {look}"), &format!("{fetch} {ETCD_METRICS} | grep -E {lines}"));
            }
        }
        section(END, "exit 0");
        script
    }

    /// `window` holds this machine's time before and after the node said its own.
    fn parse(&self, printed: &str, window: [i64; 2]) -> Probed<NodeFacts> {
        let sections = ScriptOutput::parse(printed)?;
        let mounts = self.mount_points().map(|(disk, path)| {
            let options = sections.get(&format!("mount {path}"))?;
            let options = options.lines().last().map(str::to_owned);
            Ok(Mount { path: path.to_owned(), unit: disk.unit(), options })
        });
        let streamers = self.streamers.iter().map(|Instance { unit, .. }| {
            let first = reading(sections.get(&format!("figures 1 {unit}"))?);
            let second = reading(sections.get(&format!("figures 2 {unit}"))?);
            Ok(StreamerFacts {
                unit: unit.clone(),
                state: sections.get(&format!("state {unit}"))?.to_owned(),
                readings: first.zip(second).map(|(first, second)| [first, second]),
            })
        });
        let etcd = if self.is_server { etcd(sections.get("etcd 1")?, sections.get("etcd 2")?) } else { None };
        let [running, profile, booted_kernel, running_kernel] =
            SYSTEM_LINKS.map(|link| sections.get(&format!("link {link}")).unwrap_or_default().to_owned());
        Ok(NodeFacts {
            k3s: sections.get("k3s")?.to_owned(),
            mounts: mounts.collect::<Probed<_>>()?,
            addresses: self.has_lease.then(|| addresses(sections.get("addresses").unwrap_or_default())),
            clock_ahead: sections.get("clock")?.parse().map_or(0, |clock| ahead(clock, window)),
            system: SystemFacts {
                running,
                profile,
                booted_kernel,
                running_kernel,
                lost_entries: sections.get("menu").map_or(0, |lines| lines.lines().count()),
            },
            etcd,
            streamers: streamers.collect::<Probed<_>>()?,
        })
    }
}

/// Reads the addresses of all interfaces: `end0  UP  172.16.10.221/24 172.16.10.9/24`.
fn addresses(lines: &str) -> Vec<Ipv4Addr> {
    let words = lines.lines().flat_map(|line| line.split_whitespace().skip(2));
    words.filter_map(|word| word.split('/').next()?.parse().ok()).collect()
}

fn ahead(clock: i64, [began, ended]: [i64; 2]) -> i64 {
    if clock < began {
        clock.saturating_sub(began)
    } else if clock > ended {
        clock.saturating_sub(ended)
    } else {
        0
    }
}

/// Reads the counters of `ebpf/streamer/src/daemon/exposition.rs`, if all that are needed are there.
fn reading(page: &str) -> Option<Reading> {
    let value = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix("xdp_streamer_")?.strip_prefix(name))?;
        // Labels may hold blanks; the value stands behind the last one.
        line.starts_with('{').then(|| line.rsplit(' ').next()?.parse::<u64>().ok())?
    };
    Some(Reading {
        is_attached: value("attached")? != 0,
        packets: value("packets_total")?,
        lost: value("lost_total")?,
        rows_delivered: value("rows_delivered_total")?,
        rows_refused: value("rows_refused_total")?,
        rows_dropped: value("rows_dropped_total")?,
        rows_waiting: value("rows_waiting")?,
    })
}

/// Reads two looks at the metrics of etcd. `None` where it does not answer.
fn etcd(before: &str, after: &str) -> Option<EtcdFacts> {
    let value = |page: &str, name: &str| -> Option<f64> {
        let line = page.lines().find_map(|line| line.strip_prefix("etcd_")?.strip_prefix(name))?;
        line.trim().parse().ok().filter(|value: &f64| value.is_finite())
    };
    let grown = |name: &str| Some(value(after, name)? - value(before, name)?);
    let seconds = grown("disk_wal_fsync_duration_seconds_sum");
    let writes = grown("disk_wal_fsync_duration_seconds_count");
    let fsync = seconds.zip(writes).filter(|(seconds, writes)| *writes >= 1.0 && *seconds >= 0.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    let milliseconds = |(seconds, writes): (f64, f64)| (seconds / writes * 1000.0).round() as u64;
    Some(EtcdFacts {
        has_leader: value(after, "server_has_leader")? > 0.0,
        is_learner: value(after, "server_is_learner").unwrap_or_default() > 0.0,
        fsync: fsync.map(milliseconds),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::mutation;
    use crate::config::diagnostics::Problems;
    use crate::config::source::Source;

    /// The page is one that the streamer's own tests compare with what it serves.
    #[test]
    fn the_page_of_the_streamer_is_understood() {
        let page = "ebpf/streamer/src/daemon/snapshots/exposition.txt";
        let page = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page));
        let expected = Reading { is_attached: true, packets: 5, ..Reading::default() };
        assert_eq!(reading(&page.expect("a page")), Some(expected));
    }

    #[test]
    fn two_looks_at_etcd_are_compared() {
        let page = |leader: u8, sum: f64, count: u32| {
            format!(
                "etcd_server_has_leader {leader}\netcd_server_is_learner 0\n\
                 etcd_disk_wal_fsync_duration_seconds_sum {sum}\netcd_disk_wal_fsync_duration_seconds_count {count}\n"
            )
        };
        let facts = |has_leader, fsync| Some(EtcdFacts { has_leader, is_learner: false, fsync });
        assert_eq!(etcd(&page(1, 10.0, 100), &page(1, 11.5, 110)), facts(true, Some(150)));
        assert_eq!(etcd(&page(1, 10.0, 100), &page(0, 10.0, 100)), facts(false, None));
        assert_eq!(etcd("", &page(1, 1e308, 1)), facts(true, None));
        assert_eq!(etcd(&page(1, 10.0, 100), ""), None);
    }

    #[test]
    fn a_clock_is_compared_with_the_time_of_the_call() {
        assert_eq!(ahead(100, [90, 110]), 0);
        assert_eq!(ahead(80, [90, 110]), -10);
        assert_eq!(ahead(i64::MAX, [90, 110]), i64::MAX - 110);
        assert_eq!(ahead(i64::MIN, [90, 110]), i64::MIN);
    }

    #[test]
    fn entries_of_the_boot_menu_are_counted() {
        let text = include_str!("../../../../cluster.toml").to_owned();
        let source = Source { name: "cluster.toml".to_owned(), text };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a cluster");
        let questions = Questions {
            disks: cluster.storage.disks(&cluster.nodes[0].name),
            streamers: Vec::new(),
            is_server: false,
            has_lease: false,
        };
        let script = questions.script();
        let names = script.lines().filter_map(|line| line.strip_prefix("echo '")?.strip_suffix('\''));
        let answer = |entries: &str| {
            let sections = names.clone().map(|name| {
                let is_menu = name == format!("{MARK}menu");
                format!("{name}\n{}", if is_menu { entries } else { "" })
            });
            let facts = questions.parse(&sections.collect::<String>(), [0, 0]);
            facts.map(|facts| facts.system.lost_entries).ok()
        };
        assert_eq!(answer(""), Some(0));
        assert_eq!(answer("/nix/store/a/init\n/nix/store/b/init\n"), Some(2));
    }

    #[test]
    fn mutations_of_an_answer_are_read_or_refused() {
        let text = include_str!("../../../../cluster.toml").to_owned();
        let source = Source { name: "cluster.toml".to_owned(), text };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a cluster");
        let questions = Questions {
            disks: cluster.storage.disks(&cluster.nodes[0].name),
            streamers: cluster.streamer.as_ref().map(instances).unwrap_or_default(),
            is_server: true,
            has_lease: true,
        };
        let page =
            "xdp_streamer_attached{a=\"b c\"} 1\nxdp_streamer_packets_total{} 5\netcd_server_has_leader 1\n";
        let script = questions.script();
        let answer = script.lines().filter_map(|line| {
            let name = line.strip_prefix(&format!("echo '{MARK}"))?.strip_suffix('\'')?;
            Some(format!("{MARK}{name}\n{page}"))
        });
        let answer: String = answer.collect();
        assert!(questions.parse(&answer, [0, 0]).is_ok());
        mutation::for_each(&[answer.as_bytes()], &[], |bytes| {
            let _ = questions.parse(&String::from_utf8_lossy(bytes), [0, 0]);
        });
    }
}
