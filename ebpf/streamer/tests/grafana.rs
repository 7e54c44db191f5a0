//! Rows of every kind, read by Grafana's own code: the line protocol parser of its server (Go), and the frame that
//! its browser side keeps (`StreamingDataFrame` of @grafana/data, JavaScript).
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(unreachable_pub, reason = "shared by tests of several crates")]
#[path = "../../../tests/requirement/mod.rs"]
mod requirement;

use packet_record::{Counters, Flags, Record, Traffic};
use requirement::skipped;
use serde_json::{Value, json};
use snapbox::{assert_data_eq, file};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use xdp_streamer::delivery::Deliveries;
use xdp_streamer::flow::{Flow, Volume};
use xdp_streamer::packet::{Address, Packet, Protocol};
use xdp_streamer::row::{
    Encoder, Encoding, FieldWriter, Health, Origin, PacketDetails, PacketRate, Row, TopTalker,
};

/// Encodes rows, and keeps the values that a reader must find in the text.
struct Sheet {
    encoder: Encoder,
    expected: Vec<Value>,
}

struct Collector(Vec<Value>);

impl FieldWriter for Collector {
    fn text(&mut self, name: &'static str, value: &str) {
        // Some characters cannot be sent: see row/line.rs.
        let sent: String = value.chars().map(|c| if c.is_ascii_control() { '?' } else { c }).collect();
        self.0.push(json!([name, "string", if sent == "NaN" { "nan" } else { &sent }]));
    }

    fn integer(&mut self, name: &'static str, value: i64) {
        self.0.push(json!([name, "int64", value.to_string()]));
    }
}

impl Sheet {
    fn new() -> Self {
        Self { encoder: Encoder::new(Encoding::Line), expected: Vec::new() }
    }

    fn add<R: Row>(&mut self, row: &R) {
        self.encoder.encode(row);
        let mut fields = Collector(Vec::new());
        row.fields(&mut fields);
        self.expected
            .push(json!({ "name": R::MEASUREMENT, "tags": 0, "fields": fields.0, "time": row.time() }));
    }
}

/// Returns rows of all four measurements for so many seconds: every kind of packet, and names with special characters.
fn sheet(seconds: i64, packets: i64) -> Sheet {
    let mut sheet = Sheet::new();
    let origins = ["end0", "eth\"0\\", "a b,c=d", "new\nline", "NaN", ""];
    let udp = Record {
        source_address: [172, 16, 10, 208, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        source_mac: [0, 0x11, 0x32, 0xe5, 0x79, 0x5c],
        version: 4,
        protocol: 17,
        flags: Flags::PORTS,
        source_port: 50085,
        ratio: 1,
        ..Record::default()
    };
    let records = [
        udp,
        Record { version: 6, protocol: 6, tcp_flags: 0x1ff, source_address: [0x20; 16], ..udp },
        Record { ethertype: 0x88cc, ratio: u32::MAX, ..Record::default() },
        Record { frame_length: u32::MAX, fault: 4, ethertype: 0x0800, ratio: 1, ..Record::default() },
    ];
    let flow = Flow {
        source: Address::Hashed(7),
        destination: Address::V6("::1".parse().unwrap()),
        protocol: Protocol::SCTP,
        source_port: 1,
        destination_port: u16::MAX,
    };
    let counters = Counters {
        shown: 3,
        ..Counters::all_of(
            packet_record::Protocol::OtherEthernet,
            Traffic { packets: u64::MAX, bytes: 1 << 60 },
        )
    };
    let time = std::cell::Cell::new(1_716_570_245_123_456_789);
    let next = || {
        time.set(time.get() + 1);
        time.get()
    };
    for second in 0..seconds {
        let name = origins[usize::try_from(second).unwrap() % origins.len()];
        let origin = Origin::new("rk1-01", name);
        for packet in 0..packets {
            let record = &records[usize::try_from(packet).unwrap() % records.len()];
            sheet.add(&PacketDetails { time: next(), packet: &Packet::from(record), origin: &origin });
        }
        sheet.add(&PacketRate {
            time: next(),
            origin: &origin,
            interval: 1_000_000_000,
            counters: &counters,
            sampling: 1,
        });
        for rank in 1..=10 {
            let volume = Volume { packets: 1, bytes: u64::MAX, ..Volume::default() };
            sheet.add(&TopTalker {
                time: next(),
                origin: &origin,
                interval: 1,
                rank,
                flow: &flow,
                volume,
                first_seen: 0,
                last_seen: 0,
            });
        }
        sheet.add(&Health {
            time: next(),
            origin: &origin,
            uptime_seconds: 1,
            mode: "",
            sampling: 0,
            deliveries: Deliveries::default(),
            memory: 1,
            cpu_ms: 1,
        });
        time.set(time.get() + 1_000_000_000);
    }
    sheet
}

#[test]
fn the_parser_of_the_server_reads_every_row() {
    const TEST: &str = "the_parser_of_the_server_reads_every_row";
    let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grafana-parser");
    let go = |arguments: &[&str]| {
        let mut command = Command::new("go");
        command.args(arguments).current_dir(&module);
        command
    };
    if go(&["version"]).output().is_err() {
        return skipped(TEST, "go is not installed");
    }
    if !go(&["mod", "download"]).output().unwrap().status.success() {
        return skipped(TEST, "the parser's Go module cannot be downloaded");
    }
    let mut sheet = sheet(6, 8);
    let output = feed(go(&["run", "."]), &sheet.encoder.take().body);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let parsed: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(parsed.len(), 6 * (8 + 1 + 10 + 1));
    for (parsed, expected) in parsed.iter().zip(&sheet.expected) {
        assert_eq!(parsed, expected);
    }
}

/// A minute at the default budget: the frame keeps 500 packets a second, in 240 pushes.
#[test]
fn the_frame_of_the_browser_keeps_every_row_of_a_minute() {
    const TEST: &str = "the_frame_of_the_browser_keeps_every_row_of_a_minute";
    let body = sheet(60, 500).encoder.take().body;
    let Some(kept) = browser(TEST, &["keep.cjs"], &body) else { return };
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let expected = json!({ "packet_details": 30_000, "packet_rate": 60, "streamer": 60, "top_talkers": 600 });
    assert_eq!(kept, expected);
}

/// Grafana's own code processes the rows for each panel of the dashboard: buffer, fields, transformations, calculations.
#[test]
fn every_panel_of_the_dashboard_shows_its_rows() {
    const TEST: &str = "every_panel_of_the_dashboard_shows_its_rows";
    let mut sheet = sheet(6, 8);
    let announcement = Record {
        time: 0,
        source_address: [172, 16, 10, 208, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        destination_address: [239, 255, 255, 250, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        source_mac: [0, 0x11, 0x32, 0xe5, 0x79, 0x5c],
        destination_mac: [1, 0, 0x5e, 0x7f, 0xff, 0xfa],
        version: 4,
        hop_limit: 1,
        protocol: 17,
        flags: Flags::PORTS | Flags::MULTICAST,
        source_port: 50085,
        destination_port: 1900,
        network_length: 129,
        frame_length: 143,
        ratio: 1,
        ..Record::default()
    };
    sheet.add(&PacketDetails {
        time: 1_716_570_255_123_456_789,
        packet: &Packet::from(&announcement),
        origin: &Origin::new("rk1-01", "end0"),
    });
    let dashboard = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/packets.json");
    let arguments = ["panels.cjs", dashboard.to_str().unwrap()];
    let Some(shown) = browser(TEST, &arguments, &sheet.encoder.take().body) else { return };
    assert_data_eq!(shown, file!["snapshots/dashboard.txt"].raw());
}

/// Returns what a script of tests/grafana-frame prints for these rows, or None where it cannot run.
fn browser(test: &str, arguments: &[&str], rows: &[u8]) -> Option<String> {
    // Two runs of npm in one folder would disturb each other.
    static MODULES: OnceLock<Option<PathBuf>> = OnceLock::new();
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/grafana-frame");
    if Command::new("node").arg("--version").output().is_err() {
        skipped(test, "node is not installed");
        return None;
    }
    let Some(modules) = MODULES.get_or_init(|| modules(&package)) else {
        skipped(test, "npm cannot install @grafana/data");
        return None;
    };
    let mut node = Command::new("node");
    node.args(arguments).current_dir(&package).env("NODE_PATH", modules);
    let output = feed(node, rows);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Returns the folder with the dependencies of the package, which are installed once in the target directory.
fn modules(package: &Path) -> Option<PathBuf> {
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("grafana-frame");
    let modules = place.join("node_modules");
    if !modules.join("@grafana/data/package.json").exists() {
        std::fs::create_dir_all(&place).ok()?;
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(package.join(file), place.join(file)).ok()?;
        }
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&place);
        if !npm.output().ok()?.status.success() {
            let _ = std::fs::remove_dir_all(&modules);
            return None;
        }
    }
    Some(modules)
}

fn feed(mut command: Command, input: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        // A reader that fails early explains it on its standard error.
        scope.spawn(move || stdin.write_all(input));
        child.wait_with_output().unwrap()
    })
}
