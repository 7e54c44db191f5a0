//! One screen: a table of nodes, one of routers, one of the cluster, and below them what is not well.

use std::fmt::Write;

use clap::builder::styling::{AnsiColor, Style};

use super::observation::{Finding, Observation, Verdict};

/// A cell of a table. The width is that of the text, without its style.
struct Cell {
    text: String,
    style: Style,
}

/// The screen, with styles. Whoever prints it strips those that the terminal does not take.
#[must_use]
pub fn screen(observation: &Observation) -> String {
    let mut screen = String::new();
    write_nodes(&mut screen, observation);
    write_routers(&mut screen, observation);
    write_cluster(&mut screen, observation);
    write_details(&mut screen, observation);
    screen
}

/// How all that was found is said in one line.
#[must_use]
pub fn summary(observation: &Observation) -> String {
    let count = |verdict| observation.findings().filter(|(.., finding)| finding.verdict() == verdict).count();
    match (count(Verdict::Wrong), count(Verdict::Unknown)) {
        (0, 0) => "all is well".to_owned(),
        (0, unknown) => format!("nothing is known to be wrong, {unknown} unknown"),
        (wrong, 0) => format!("{wrong} wrong"),
        (wrong, unknown) => format!("{wrong} wrong, {unknown} unknown"),
    }
}

fn write_nodes(screen: &mut String, observation: &Observation) {
    if observation.nodes.is_empty() {
        return;
    }
    let has_streamer = observation.nodes.iter().any(|node| node.streamer.is_some());
    let heads = ["NODE", "ANSWERS", "K3S", "READY", "DISK", "STREAMER"];
    let mut rows =
        vec![heads.iter().take(if has_streamer { 6 } else { 5 }).map(|head| head_cell(head)).collect()];
    for node in &observation.nodes {
        let mut row = vec![plain_cell(node.name.as_str())];
        row.extend([&node.answers, &node.k3s, &node.ready, &node.disk].map(word_cell));
        row.extend(node.streamer.as_ref().map(full_cell));
        rows.push(row);
    }
    write_table(screen, &rows);
}

fn write_routers(screen: &mut String, observation: &Observation) {
    if observation.routers.is_empty() {
        return;
    }
    let mut rows = vec![["ROUTER", "WITH", "SESSION"].map(head_cell).into()];
    for router in &observation.routers {
        for (name, finding) in router.findings() {
            rows.push(vec![plain_cell(router.name.as_str()), plain_cell(name), full_cell(finding)]);
        }
    }
    screen.push('\n');
    write_table(screen, &rows);
}

fn write_cluster(screen: &mut String, observation: &Observation) {
    let mut rows = vec![["CLUSTER"].map(head_cell).into()];
    for (name, finding) in observation.cluster.findings() {
        rows.push(vec![plain_cell(name), full_cell(finding)]);
    }
    screen.push('\n');
    write_table(screen, &rows);
}

/// What is wrong first, then what is unknown and does not follow from something else.
fn write_details(screen: &mut String, observation: &Observation) {
    for verdict in [Verdict::Wrong, Verdict::Unknown] {
        for (subject, name, finding) in observation.findings() {
            let (what, look_at) = match finding {
                Finding::Wrong { what, look_at } if verdict == Verdict::Wrong => (what, look_at),
                Finding::Unknown { why, look_at: Some(look_at) } if verdict == Verdict::Unknown => {
                    (why, look_at)
                }
                _ => continue,
            };
            let Cell { text, style } = word_cell(finding);
            let _ = writeln!(screen, "\n{style}{text}{style:#} {subject}, {name}: {}", printable(what));
            let _ = writeln!(screen, "  look at {}", printable(look_at));
        }
    }
}

fn head_cell(text: &str) -> Cell {
    Cell { text: text.to_owned(), style: Style::new().bold() }
}

fn plain_cell(text: &str) -> Cell {
    Cell { text: text.to_owned(), style: Style::new() }
}

fn word_cell(finding: &Finding) -> Cell {
    let (word, color) = match finding.verdict() {
        Verdict::Good => ("ok", AnsiColor::Green),
        Verdict::Wrong => ("WRONG", AnsiColor::Red),
        Verdict::Unknown => ("unknown", AnsiColor::Yellow),
    };
    Cell { text: word.to_owned(), style: color.on_default() }
}

/// The word, and what is good; what is not stands below in full.
fn full_cell(finding: &Finding) -> Cell {
    let mut cell = word_cell(finding);
    match finding {
        Finding::Good { what } | Finding::Unknown { why: what, look_at: None } => {
            let _ = write!(cell.text, ": {}", printable(what));
        }
        _ => {}
    }
    cell
}

/// What others say goes on one line, and steers no terminal.
fn printable(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|character| !character.is_control()).collect()
}

fn write_table(screen: &mut String, rows: &[Vec<Cell>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.text.chars().count())
            .max()
            .unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (number, (Cell { text, style }, width)) in row.iter().zip(&widths).enumerate() {
            let is_last = number + 1 == row.len();
            let padding = if is_last { 0 } else { width + 2 - text.chars().count() };
            let _ = write!(line, "{style}{text}{style:#}{:padding$}", "");
        }
        screen.push_str(line.trim_end());
        screen.push('\n');
    }
}
