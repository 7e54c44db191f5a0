//! The dashboard against Grafana's schemas and against what Grafana Live does to those who are careless.
//! That its fields are those of the rows is tested beside the rows: ebpf/streamer/tests/dashboard.rs.

#![expect(clippy::unwrap_used, reason = "a failed step is a failed test, also in what tests share")]

mod requirement;

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn dashboard() -> Value {
    read(&Path::new(ROOT).join("dashboards/packets.json"))
}

fn panels(dashboard: &Value) -> &[Value] {
    dashboard["panels"].as_array().unwrap()
}

/// What a schema has against a value, one line a mistake.
fn mistakes(schema: &Value, value: &Value) -> Vec<String> {
    let validator = jsonschema::draft7::new(schema).unwrap();
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_dashboard_is_valid_by_grafanas_schemas() {
    let schemas = Path::new(ROOT).join("../shared/schemas/grafana");
    if !schemas.exists() {
        let because = format!("the schemas are not in {}", schemas.display());
        requirement::skipped("the_dashboard_is_valid_by_grafanas_schemas", &because);
        return;
    }
    let schema = |name: &str| read(&schemas.join(format!("{name}.jsonschema.json")));
    let dashboard = dashboard();
    let whole = schema("dashboard");
    assert_eq!(mistakes(&whole, &dashboard), [""; 0]);

    let mut judged = BTreeSet::new();
    for panel in panels(&dashboard) {
        let kind = panel["type"].as_str().unwrap();
        // A row's schema is the dashboard's.
        if kind == "row" {
            continue;
        }
        let of_kind = schema(&kind.replace('-', ""));
        let parts =
            [("Options", &panel["options"]), ("FieldConfig", &panel["fieldConfig"]["defaults"]["custom"])];
        for (name, part) in parts {
            if part.is_null() || of_kind["definitions"][name].is_null() {
                continue;
            }
            let part_schema =
                json!({ "$ref": format!("#/definitions/{name}"), "definitions": of_kind["definitions"] });
            assert_eq!(mistakes(&part_schema, part), [""; 0], "{}: {name}", panel["title"]);
            judged.insert(format!("{kind} {name}"));
        }
    }
    assert_eq!(
        judged.into_iter().collect::<Vec<_>>(),
        [
            "stat Options",
            "state-timeline FieldConfig",
            "state-timeline Options",
            "table FieldConfig",
            "table Options",
            "timeseries FieldConfig",
            "timeseries Options"
        ]
    );

    // The judge is awake.
    let mut broken = dashboard.clone();
    broken["panels"][0]["gridPos"]["w"] = json!("wide");
    assert!(!mistakes(&whole, &broken).is_empty());
}

#[test]
fn no_two_panels_overlap() {
    let dashboard = dashboard();
    let mut taken = BTreeSet::new();
    let mut identifiers = BTreeSet::new();
    for panel in panels(&dashboard) {
        let side = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        let (x, y, width, height) = (side("x"), side("y"), side("w"), side("h"));
        assert!(x + width <= 24, "{} leaves the grid", panel["title"]);
        for cell in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
            assert!(taken.insert(cell), "{} lies on another panel at {cell:?}", panel["title"]);
        }
        assert!(identifiers.insert(panel["id"].as_u64().unwrap()), "{}: its id is taken", panel["title"]);
    }
}

#[test]
fn every_query_is_of_one_nodes_stream() {
    let dashboard = dashboard();
    let mut measurements = BTreeSet::new();
    for panel in panels(&dashboard).iter().filter(|panel| panel["type"] != "row") {
        let title = &panel["title"];
        let [target] = panel["targets"].as_array().unwrap().as_slice() else { panic!("{title}: one query") };
        assert_eq!(target["queryType"], "measurements", "{title}");
        assert_eq!(target["datasource"], json!({ "type": "datasource", "uid": "grafana" }), "{title}");
        let channel = target["channel"].as_str().unwrap();
        let parts: Vec<&str> = channel.split('/').collect();
        let ["stream", variable, measurement] = parts[..] else { panic!("{title}: {channel}") };
        let repeats = panel["repeat"] == "nodes";
        assert_eq!(variable, if repeats { "$nodes" } else { "$stream" }, "{title}");
        measurements.insert(measurement.to_owned());
        // Without it a panel keeps as many rows as it is pixels wide.
        assert!(panel["maxDataPoints"].is_u64(), "{title}");
    }
    let expected = ["packet_details", "packet_rate", "streamer", "top_talkers"];
    assert_eq!(measurements.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// The buffer of a live panel is bounded: a count of its rows stops growing at the bound.
#[test]
fn nothing_counts_the_rows_of_a_buffer() {
    fn words<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(word) => found.push(word),
            Value::Array(items) => items.iter().for_each(|item| words(item, found)),
            Value::Object(entries) => entries.values().for_each(|entry| words(entry, found)),
            _ => {}
        }
    }
    let dashboard = dashboard();
    let mut found = Vec::new();
    for panel in panels(&dashboard) {
        words(&panel["options"], &mut found);
        words(&panel["transformations"], &mut found);
        let count_rows = &panel["options"]["footer"]["countRows"];
        assert!(count_rows.is_null(), "{}", panel["title"]);
    }
    let counts = ["count", "changeCount", "countAll", "distinctCount", "uniqueValues"];
    assert!(found.contains(&"sum") && !found.iter().any(|word| counts.contains(word)), "{found:?}");
}

/// Sums are of rows of `packet_rate`, one a second: exact while the panel keeps them all.
#[test]
fn sums_are_of_exact_totals() {
    let dashboard = dashboard();
    let mut sums = 0;
    for panel in panels(&dashboard) {
        let calcs = [&panel["options"]["reduceOptions"]["calcs"], &panel["options"]["legend"]["calcs"]];
        if !calcs.iter().any(|calcs| calcs.as_array().is_some_and(|calcs| calcs.contains(&json!("sum")))) {
            continue;
        }
        sums += 1;
        assert_eq!(panel["targets"][0]["channel"], "stream/$stream/packet_rate", "{}", panel["title"]);
        assert_eq!(panel["maxDataPoints"], 3600, "{}", panel["title"]);
    }
    assert_eq!(sums, 6);
}
