//! The screen: a table of nodes, one of routers, one of the cluster, and below them each cause in full.

use std::fmt::Write;

use clap::builder::styling::AnsiColor;

use super::finding::{Finding, Verdict};
use super::observation::Observation;
use crate::common::table::{self, Cell};

/// Returns the screen, with styles. Whoever prints it strips those that the terminal does not support.
#[must_use]
pub fn screen(observation: &Observation) -> String {
    let mut screen = String::new();
    write_nodes(&mut screen, observation);
    write_routers(&mut screen, observation);
    write_cluster(&mut screen, observation);
    write_details(&mut screen, observation);
    screen
}

/// Returns all findings in one line.
#[must_use]
pub fn summary(observation: &Observation) -> String {
    let count = |verdict| observation.findings().filter(|(.., finding)| finding.verdict() == verdict).count();
    match (count(Verdict::Wrong), count(Verdict::Unknown)) {
        (0, 0) => "all checks passed".to_owned(),
        (0, unknown) => format!("no check failed, {unknown} unknown"),
        (wrong, 0) => format!("{wrong} failed"),
        (wrong, unknown) => format!("{wrong} failed, {unknown} unknown"),
    }
}

fn write_nodes(screen: &mut String, observation: &Observation) {
    if observation.nodes.is_empty() {
        return;
    }
    let mut heads: Vec<_> =
        ["NODE", "ANSWERS", "K3S", "READY", "CILIUM", "DISK", "CLOCK", "SYSTEM"].map(Cell::head).into();
    if observation.nodes.iter().any(|node| node.streamer.is_some()) {
        heads.push(Cell::head("STREAMER"));
    }
    let mut rows = vec![heads];
    for node in &observation.nodes {
        let mut row = vec![Cell::plain(node.name.as_str())];
        let narrow = [&node.answers, &node.k3s, &node.ready, &node.cilium, &node.disk, &node.clock];
        row.extend(narrow.map(word_cell));
        row.push(if node.streamer.is_some() { word_cell(&node.system) } else { full_cell(&node.system) });
        row.extend(node.streamer.as_ref().map(full_cell));
        rows.push(row);
    }
    screen.push_str(&table::text(&rows));
}

fn write_routers(screen: &mut String, observation: &Observation) {
    if observation.routers.is_empty() {
        return;
    }
    let mut rows = vec![["ROUTER", "WITH", "SESSION"].map(Cell::head).into()];
    for router in &observation.routers {
        for (name, finding) in router.findings() {
            rows.push(vec![Cell::plain(router.name.as_str()), Cell::plain(name), full_cell(finding)]);
        }
    }
    screen.push('\n');
    screen.push_str(&table::text(&rows));
}

fn write_cluster(screen: &mut String, observation: &Observation) {
    let mut rows = vec![["CLUSTER"].map(Cell::head).into()];
    for (name, finding) in observation.cluster.findings() {
        rows.push(vec![Cell::plain(name), full_cell(finding)]);
    }
    screen.push('\n');
    screen.push_str(&table::text(&rows));
}

/// First what is wrong, then what is unknown and does not follow from something else. The same text about several sessions
/// of a router is written once.
fn write_details(screen: &mut String, observation: &Observation) {
    for verdict in [Verdict::Wrong, Verdict::Unknown] {
        let mut groups: Vec<(&str, Vec<&str>, &Finding)> = Vec::new();
        for (subject, name, finding) in observation.findings() {
            if finding.verdict() != verdict || matches!(finding, Finding::Unknown { look_at: None, .. }) {
                continue;
            }
            match groups.last_mut() {
                Some((last, names, same)) if *last == subject && *same == finding => names.push(name),
                _ => groups.push((subject, vec![name], finding)),
            }
        }
        for (subject, names, finding) in groups {
            let (Finding::Wrong { what, look_at, .. }
            | Finding::Unknown { why: what, look_at: Some(look_at) }) = finding
            else {
                continue;
            };
            let (Cell { text, style }, names) = (word_cell(finding), names.join(", "));
            let _ = writeln!(screen, "\n{style}{text}{style:#} {subject}, {names}: {what}");
            let _ = writeln!(screen, "  look at {look_at}");
        }
    }
}

fn word_cell(finding: &Finding) -> Cell {
    let (word, color) = match finding.verdict() {
        Verdict::Good => ("ok", AnsiColor::Green),
        Verdict::Wrong => ("WRONG", AnsiColor::Red),
        Verdict::Unknown => ("unknown", AnsiColor::Yellow),
    };
    Cell { text: word.to_owned(), style: color.on_default() }
}

/// The word, and what is good. Everything else stands below the tables in full.
fn full_cell(finding: &Finding) -> Cell {
    let mut cell = word_cell(finding);
    match finding {
        Finding::Good { what } | Finding::Unknown { why: what, look_at: None } => {
            let _ = write!(cell.text, ": {what}");
        }
        _ => {}
    }
    cell
}
