//! The dashboard uses only fields that the rows have.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use packet_record::{Counters, Record};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use xdp_streamer::delivery::Deliveries;
use xdp_streamer::flow::{Flow, Volume};
use xdp_streamer::packet::{Address, Packet, Protocol};
use xdp_streamer::row::{Encoder, Encoding, Health, Origin, PacketDetails, PacketRate, TopTalker};

/// Returns the fields of each measurement, as a row of each has them.
fn fields() -> BTreeMap<String, BTreeSet<String>> {
    let origin = Origin::new("rk1-01", "end0");
    let flow = Flow {
        source: Address::None,
        destination: Address::None,
        protocol: Protocol::UDP,
        source_port: 0,
        destination_port: 0,
    };
    let time = 1_716_570_245_123_456_789;
    let mut encoder = Encoder::new(Encoding::Json);
    encoder.encode(&PacketDetails { time, packet: &Packet::from(&Record::default()), origin: &origin });
    encoder.encode(&PacketRate {
        time,
        origin: &origin,
        interval: 1_000_000_000,
        counters: &Counters::default(),
        sampling: 1,
    });
    let volume = Volume { packets: 1, bytes: 1, ..Volume::default() };
    encoder.encode(&TopTalker {
        time,
        origin: &origin,
        interval: 1,
        rank: 1,
        flow: &flow,
        volume,
        first_seen: 0,
        last_seen: 0,
    });
    encoder.encode(&Health {
        time,
        origin: &origin,
        uptime_seconds: 1,
        mode: "generic",
        sampling: 1,
        deliveries: Deliveries::default(),
        memory: 1,
        cpu_ms: 1,
    });
    let rows = String::from_utf8(encoder.take().body).unwrap();
    rows.lines()
        .map(|row| {
            let row: serde_json::Map<String, Value> = serde_json::from_str(row).unwrap();
            let names = row.keys().filter(|name| *name != "measurement").cloned().collect();
            (row["measurement"].as_str().unwrap().to_owned(), names)
        })
        .collect()
}

/// Returns the names of fields that a transformation mentions.
fn mentioned(transformation: &Value) -> BTreeSet<String> {
    let options = &transformation["options"];
    let keys = |name: &str| options[name].as_object().into_iter().flat_map(|object| object.keys().cloned());
    let list = |name: &str, key: &'static str| {
        let items = options[name].as_array().into_iter().flatten();
        items.map(move |item| item[key].as_str().unwrap().to_owned())
    };
    keys("indexByName")
        .chain(keys("renameByName"))
        .chain(keys("excludeByName"))
        .chain(
            if transformation["id"] == "groupBy" { Some(keys("fields")) } else { None }.into_iter().flatten(),
        )
        .chain(list("filters", "fieldName"))
        .chain(list("sort", "field"))
        .chain(list("conversions", "targetField"))
        .collect()
}

#[test]
fn every_field_of_the_dashboard_is_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dashboards/packets.json");
    let dashboard: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let written = fields();
    assert_eq!(written.len(), 4);
    let mut asked = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let measurement = target["channel"].as_str().unwrap().rsplit('/').next().unwrap();
            let there = &written[measurement];
            let wanted: BTreeSet<String> = target["filter"]["fields"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect();
            assert!(wanted.is_subset(there), "{}: {:?}", panel["title"], wanted.difference(there));

            // Grouping gives new names to the fields that it adds up.
            let grouped: BTreeSet<String> = wanted.iter().map(|name| format!("{name} (sum)")).collect();
            for transformation in panel["transformations"].as_array().into_iter().flatten() {
                let mentioned = mentioned(transformation);
                let unknown =
                    mentioned.iter().find(|name| !wanted.contains(*name) && !grouped.contains(*name));
                assert_eq!(unknown, None, "{}: {}", panel["title"], transformation["id"]);
            }
            asked.extend(wanted);
        }
    }
    // The fields of the original dashboard are among them.
    for name in ["ttl", "source_ip", "destination_ip", "protocol"] {
        assert!(asked.contains(name), "{name}");
    }
}
