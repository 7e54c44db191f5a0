//! From text to documents: the four nodes of the repository's cluster, and clusters of 10, 100 and 1,000 nodes.

#![allow(clippy::expect_used, reason = "what is not as it should be ends the run")]

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rk1::config::cluster::Cluster;
use rk1::config::diagnostics::Problems;
use rk1::config::source::Source;
use rk1::render::documents;
use rk1::render::pins::Pins;

const BASE: &str = include_str!("../cluster.toml");

/// The repository's cluster with `count` nodes, four to a board.
fn cluster_of(count: usize) -> Source {
    let start = BASE.find("[[board]]").expect("boards");
    let end = BASE.find("[storage]").expect("storage");
    let mut machines = String::new();
    for board in 0..count.div_ceil(4) {
        let _ = writeln!(
            machines,
            "[[board]]\nname = \"board-{board}\"\nbmc = \"172.17.{}.{}\"\n",
            board / 200,
            board % 200 + 1
        );
    }
    for node in 0..count {
        let (board, slot) = (node / 4, node % 4 + 1);
        let role = if node < 3 { "server" } else { "agent" };
        let _ = writeln!(
            machines,
            "[[node]]\nname = \"rk1-{node}\"\nboard = \"board-{board}\"\nslot = {slot}\n\
             address = \"172.16.{}.{}/16\"\nrole = \"{role}\"\n",
            node / 200 + 20,
            node % 200 + 1
        );
    }
    // A /14 has room for a /24 of each of 1,000 nodes.
    let text = [&BASE[..start], &machines, &BASE[end..]].concat().replace("10.42.0.0/16", "10.44.0.0/14");
    Source { name: "cluster.toml".to_owned(), text }
}

fn render(source: &Source) -> usize {
    let mut problems = Problems::default();
    let cluster = Cluster::parse(source, &mut problems).expect("a good cluster file");
    let pins = Pins::built_in().expect("pins");
    documents(&cluster, &pins).expect("documents").iter().map(|document| document.body.len()).sum()
}

/// Whether the time is linear: nanoseconds for each node, medians of 31 runs.
fn print_time_per_node() {
    for count in [10, 100, 1_000] {
        let source = cluster_of(count);
        let mut times: Vec<_> = (0..31)
            .map(|_| {
                let start = Instant::now();
                black_box(render(black_box(&source)));
                start.elapsed()
            })
            .collect();
        times.sort_unstable();
        println!("{count:>5} nodes: {:>6} ns a node", times[times.len() / 2].as_nanos() / count as u128);
    }
}

fn benchmark(criterion: &mut Criterion) {
    print_time_per_node();
    let mut group = criterion.benchmark_group("render");
    let four = Source { name: "cluster.toml".to_owned(), text: BASE.to_owned() };
    group.bench_function("the repository's cluster", |bencher| bencher.iter(|| render(black_box(&four))));
    for count in [10, 100, 1_000] {
        let source = cluster_of(count);
        group.throughput(Throughput::Elements(count as u64));
        group.bench_with_input(BenchmarkId::new("nodes", count), &source, |bencher, source| {
            bencher.iter(|| render(black_box(source)));
        });
    }
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
