//! Asks a node about itself.

use std::fmt::Write;
use std::time::Duration;

use super::script_output;
use super::sections::{END, MARK, Sections};
use crate::config::cluster::{Cluster, Node, Storage, Streamer};
use crate::operate::status::facts::{Answer, Mount, NodeFacts, Reading, StreamerFacts};

/// Seconds between the two times at which the streamer's figures are read. It delivers at least once a second.
const PAUSE: u32 = 2;
/// Where the streamer's first instance serves its figures; each further one has the next port
/// (`modules/xdp-streamer/options.nix`).
const METRICS_PORT: u16 = 9469;

pub(super) async fn ask(cluster: &Cluster, node: &Node, limit: Duration) -> Answer<NodeFacts> {
    let storage = &cluster.storage;
    let streamers = cluster.streamer.as_ref().map(instances).unwrap_or_default();
    let destination = format!("root@{}", node.address.v4().addr());
    let said = script_output(&destination, &script(storage, &streamers), limit).await?;
    parse(&said, storage, &streamers)
}

/// An instance of the streamer on a node, as `modules/xdp-streamer/instances.nix` makes it.
struct Instance {
    unit: String,
    port: u16,
}

fn instances(streamer: &Streamer) -> Vec<Instance> {
    if streamer.interfaces.is_empty() {
        return vec![Instance { unit: "xdp-streamer".to_owned(), port: METRICS_PORT }];
    }
    let units = streamer.interfaces.iter().map(|interface| format!("xdp-streamer-{interface}"));
    units.zip(METRICS_PORT..).map(|(unit, port)| Instance { unit, port }).collect()
}

/// The data disk and what lives on it.
fn mount_points(storage: &Storage) -> impl Iterator<Item = &str> {
    [storage.mount.as_str()].into_iter().chain(storage.binds.iter().map(|bind| bind.path.as_str()))
}

/// Paths and names of interfaces need no quoting: their types see to that.
fn script(storage: &Storage, streamers: &[Instance]) -> String {
    let mut script = "LC_ALL=C; export LC_ALL\n".to_owned();
    let mut section = |name: &str, command: &str| {
        let _ = writeln!(script, "echo '{MARK}{name}'\n{command}");
    };
    section("k3s", "systemctl is-active k3s.service");
    for path in mount_points(storage) {
        let command = format!("findmnt --noheadings --raw --output OPTIONS --mountpoint {path}");
        section(&format!("mount {path}"), &command);
    }
    for Instance { unit, .. } in streamers {
        section(&format!("state {unit}"), &format!("systemctl is-active {unit}.service"));
    }
    for time in 1..=2 {
        if time == 2 && !streamers.is_empty() {
            section("pause", &format!("sleep {PAUSE}"));
        }
        for Instance { unit, port } in streamers {
            let address = format!("http://127.0.0.1:{port}/metrics");
            let command = format!("curl --silent --fail --noproxy '*' --max-time 3 {address}");
            section(&format!("figures {time} {unit}"), &command);
        }
    }
    section(END, "exit 0");
    script
}

fn parse(said: &str, storage: &Storage, streamers: &[Instance]) -> Answer<NodeFacts> {
    let sections = Sections::parse(said)?;
    let mounts = mount_points(storage).map(|path| {
        let options = sections.get(&format!("mount {path}"))?;
        let options = options.lines().last().map(str::to_owned);
        Ok(Mount { path: path.to_owned(), options })
    });
    let streamers = streamers.iter().map(|Instance { unit, .. }| {
        let first = reading(sections.get(&format!("figures 1 {unit}"))?);
        let second = reading(sections.get(&format!("figures 2 {unit}"))?);
        Ok(StreamerFacts {
            unit: unit.clone(),
            state: sections.get(&format!("state {unit}"))?.to_owned(),
            readings: first.zip(second).map(|(first, second)| [first, second]),
        })
    });
    Ok(NodeFacts {
        k3s: sections.get("k3s")?.to_owned(),
        mounts: mounts.collect::<Answer<_>>()?,
        streamers: streamers.collect::<Answer<_>>()?,
    })
}

/// The figures of `ebpf/streamer/src/daemon/exposition.rs`, where all that are needed are there.
fn reading(page: &str) -> Option<Reading> {
    let value = |name: &str| {
        let line = page.lines().find_map(|line| line.strip_prefix("xdp_streamer_")?.strip_prefix(name))?;
        // Labels may hold blanks; what stands behind the last one is the value.
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The page is one that the streamer's own tests compare with what it serves.
    #[test]
    fn the_streamers_page_is_understood() {
        let page = "ebpf/streamer/src/daemon/snapshots/exposition.txt";
        let page = std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(page));
        let expected = Reading { is_attached: true, packets: 5, ..Reading::default() };
        assert_eq!(reading(&page.expect("a page")), Some(expected));
    }
}
