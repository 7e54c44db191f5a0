//! Any text is either rendered or refused with a place: 10,000 mutations of a good cluster file.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::cell::Cell;

use anstream::adapter::strip_str;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, TestRunner};
use rk1::common::printable::printable_styled;
use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::diagnostics::report::report;
use rk1::config::source::Source;
use rk1::render::pins::Pins;
use rk1::render::{RenderError, documents};

const CASES: u32 = 13_000;
/// The four nodes of the README, every example, and a cluster with every setting of k3s.
const BASES: [&str; 8] = [
    include_str!("../../cluster.toml"),
    include_str!("../../examples/dual-stack/cluster.toml"),
    include_str!("../../examples/mixed-modules/cluster.toml"),
    include_str!("../../examples/own-authority/cluster.toml"),
    include_str!("../../examples/single-node/cluster.toml"),
    include_str!("../../examples/two-boards/cluster.toml"),
    include_str!("../../examples/unifi/cluster.toml"),
    // Every setting of k3s.
    include_str!("../modules/nix/settings.toml"),
];

/// One change of the text.
#[derive(Debug, Clone)]
enum Mutation {
    DeleteLine(Index),
    DuplicateLine(Index),
    SwapLines(Index, Index),
    ReplaceValue(Index, String),
    ReplaceKey(Index, String),
    InsertText(Index, String),
    Truncate(Index),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let value = prop_oneof![
        Just(String::new()),
        Just("0".to_owned()),
        Just("-1".to_owned()),
        Just("9223372036854775808".to_owned()),
        Just("1e999".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just("[[1], {a = 2}]".to_owned()),
        Just("1979-05-27T07:32:00Z".to_owned()),
        Just("\"\"".to_owned()),
        Just("\"0.0.0.0/0\"".to_owned()),
        Just("\"255.255.255.255/32\"".to_owned()),
        Just("\"172.16.10.1/31\"".to_owned()),
        Just("\"::/0\"".to_owned()),
        Just("\"fd00::ffff:ffff:ffff:ffff/128\"".to_owned()),
        Just("\"fd00:172:16:10::1/127\"".to_owned()),
        Just("\"https://[::1\"".to_owned()),
        Just("\"\\u0000\"".to_owned()),
        Just("\"${x}''\\\\\"".to_owned()),
        "\"[ -~é漢🦀]{0,80}\"",
        "[0-9]{1,20}",
    ];
    prop_oneof![
        any::<Index>().prop_map(Mutation::DeleteLine),
        any::<Index>().prop_map(Mutation::DuplicateLine),
        any::<(Index, Index)>().prop_map(|(one, other)| Mutation::SwapLines(one, other)),
        (any::<Index>(), value.clone()).prop_map(|(at, value)| Mutation::ReplaceValue(at, value)),
        (any::<Index>(), "[a-z-]{0,12}").prop_map(|(at, key)| Mutation::ReplaceKey(at, key)),
        (any::<Index>(), prop_oneof![value, ".{0,8}", Just("\r".to_owned())])
            .prop_map(|(at, text)| Mutation::InsertText(at, text)),
        any::<Index>().prop_map(Mutation::Truncate),
    ]
}

fn mutated(text: &str, mutation: &Mutation) -> String {
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let count = lines.len();
    let boundary = |at: &Index| text.floor_char_boundary(at.index(text.len() + 1));
    match mutation {
        Mutation::DeleteLine(at) => drop(lines.remove(at.index(count))),
        Mutation::DuplicateLine(at) => lines.insert(at.index(count), lines[at.index(count)].clone()),
        Mutation::SwapLines(one, other) => lines.swap(one.index(count), other.index(count)),
        Mutation::ReplaceValue(at, value) => {
            let line = &mut lines[at.index(count)];
            *line = line.split_once('=').map_or(value.clone(), |(key, _)| format!("{key}= {value}"));
        }
        Mutation::ReplaceKey(at, key) => {
            let line = &mut lines[at.index(count)];
            *line = line.split_once('=').map_or(format!("[{key}]"), |(_, value)| format!("{key} ={value}"));
        }
        Mutation::InsertText(at, insertion) => {
            let (before, after) = text.split_at(boundary(at));
            return [before, insertion, after].concat();
        }
        Mutation::Truncate(at) => return text[..boundary(at)].to_owned(),
    }
    lines.join("\n")
}

/// Whether each problem's place, ` --> cluster.toml:LINE:COLUMN`, lies in the text.
fn has_places(report: &str, lines: usize) -> bool {
    let places: Vec<_> =
        report.lines().filter_map(|line| line.trim_start().strip_prefix("--> cluster.toml:")).collect();
    let is_inside = |place: &&str| {
        let line = place.split(':').next().and_then(|line| line.parse::<usize>().ok());
        line.is_some_and(|line| (1..=lines.max(1)).contains(&line))
    };
    !places.is_empty() && places.iter().all(is_inside)
}

#[test]
fn mutations_are_rendered_or_refused_with_a_place() {
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let pins = Pins::built_in().expect("pins");
    let (rendered, refused) = (Cell::new(0), Cell::new(0));
    let cases = (prop::sample::select(&BASES[..]), prop::collection::vec(mutation(), 1..4));
    let outcome = runner.run(&cases, |(base, mutations)| {
        let text = mutations.iter().fold(base.to_owned(), |text, mutation| mutated(&text, mutation));
        let source = Source { name: "cluster.toml".to_owned(), text };
        let mut problems = Problems::default();
        let cluster = Cluster::parse(&source, &mut problems);
        prop_assert_eq!(problems.has_errors(), cluster.is_none());
        match cluster.map(|cluster| documents(&cluster, &pins)) {
            Some(Ok(_)) => rendered.update(|count| count + 1),
            Some(Err(RenderError::Refused(unfit))) => {
                prop_assert!(unfit.has_errors());
                problems.append(unfit);
                refused.update(|count| count + 1);
            }
            Some(Err(error)) => prop_assert!(false, "{error}"),
            None => refused.update(|count| count + 1),
        }
        if !problems.is_empty() {
            let report = report(&source, &problems);
            // Nothing but colors steers the terminal.
            prop_assert_eq!(&printable_styled(&report), &report);
            let report = strip_str(&report).to_string();
            prop_assert!(has_places(&report, source.text.split('\n').count()), "{report}");
        }
        Ok(())
    });
    outcome.expect("every mutation is rendered or refused");
    // Neither way is so rare that the test would prove nothing of it.
    assert!(rendered.get() > 500 && refused.get() > 500, "{rendered:?} rendered, {refused:?} refused");
}
