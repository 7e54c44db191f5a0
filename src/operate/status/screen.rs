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
    let has_streamer = observation.nodes.iter().any(|node| node.streamer().is_some());
    if has_streamer {
        heads.push(Cell::head("STREAMER"));
    }
    let mut rows = vec![heads];
    for node in &observation.nodes {
        let mut row = vec![Cell::plain(node.name.as_str())];
        let Some(host) = &node.host else {
            let none = || Cell::plain("-");
            row.extend([
                none(),
                none(),
                word_cell(&node.ready),
                word_cell(&node.cilium),
                none(),
                none(),
                none(),
            ]);
            row.extend(has_streamer.then(none));
            rows.push(row);
            continue;
        };
        let narrow = [&host.answers, &host.k3s, &node.ready, &node.cilium, &host.disk, &host.clock];
        row.extend(narrow.map(word_cell));
        row.push(if host.streamer.is_some() { word_cell(&host.system) } else { full_cell(&host.system) });
        row.extend(host.streamer.as_ref().map(full_cell));
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

/// Findings with the same text, which is written once.
struct Detail<'a> {
    /// Nodes, routers or the cluster.
    subjects: Vec<&'a str>,
    /// Of each subject, the names of its findings.
    names: Vec<&'a str>,
    finding: &'a Finding,
}

/// First what is wrong, then what is unknown and does not follow from something else.
fn write_details(screen: &mut String, observation: &Observation) {
    for verdict in [Verdict::Wrong, Verdict::Unknown] {
        for Detail { subjects, names, finding } in details(observation, verdict) {
            let (Finding::Wrong { what, look_at, .. }
            | Finding::Unknown { why: what, look_at: Some(look_at) }) = finding
            else {
                continue;
            };
            let (Cell { text, style }, names) = (word_cell(finding), names.join(", "));
            let subjects = listed(&subjects, observation);
            let _ = writeln!(screen, "\n{style}{text}{style:#} {subjects}, {names}: {what}");
            let _ = writeln!(screen, "  look at {look_at}");
        }
    }
}

/// Returns the findings of a verdict that stand below the tables. Several sessions of a router with the same text are one, and
/// so are several nodes.
fn details(observation: &Observation, verdict: Verdict) -> Vec<Detail<'_>> {
    let mut of_subjects: Vec<Detail<'_>> = Vec::new();
    for (subject, name, finding) in observation.findings() {
        if finding.verdict() != verdict || matches!(finding, Finding::Unknown { look_at: None, .. }) {
            continue;
        }
        match of_subjects.last_mut() {
            Some(last) if last.subjects == [subject] && last.finding == finding => last.names.push(name),
            _ => of_subjects.push(Detail { subjects: vec![subject], names: vec![name], finding }),
        }
    }
    let mut details: Vec<Detail<'_>> = Vec::new();
    for of_subject in of_subjects {
        let mut same = details.iter_mut();
        let same =
            same.find(|detail| detail.finding == of_subject.finding && detail.names == of_subject.names);
        match same {
            Some(detail) => detail.subjects.extend(of_subject.subjects),
            None => details.push(of_subject),
        }
    }
    details
}

fn listed(subjects: &[&str], observation: &Observation) -> String {
    let is_every_node = subjects.len() > 1
        && subjects.iter().copied().eq(observation.nodes.iter().map(|node| node.name.as_str()));
    if is_every_node { "all nodes".to_owned() } else { subjects.join(", ") }
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
