//! The streamers of a node, from their counters at two times.

use crate::config::cluster::Node;
use crate::operate::status::facts::{NodeFacts, Reading, StreamerFacts};
use crate::operate::status::finding::{Cause, Finding};

/// The gravest finding of all instances. Where all are good, the counters of all.
pub(super) fn judge(node: &Node, facts: &NodeFacts) -> Finding {
    let findings = facts.streamers.iter().map(|streamer| instance(node, streamer));
    let gravest = findings.filter(|finding| !finding.is_good()).max_by_key(Finding::verdict);
    gravest.unwrap_or_else(|| {
        let last = facts.streamers.iter().filter_map(|streamer| streamer.readings).map(|[_, last]| last);
        let sum = |counter: fn(&Reading) -> u64| {
            last.clone().map(|reading| counter(&reading)).fold(0, u64::saturating_add)
        };
        Finding::good(format!(
            "{} of {} packets and {} rows lost",
            sum(|reading| reading.lost),
            sum(|reading| reading.packets),
            sum(|reading| reading.rows_dropped.saturating_add(reading.rows_refused)),
        ))
    })
}

/// Losing something between the two looks is wrong; earlier losses are only shown.
fn instance(node: &Node, facts: &StreamerFacts) -> Finding {
    let (unit, name) = (&facts.unit, &node.name);
    let journal = format!("`journalctl -u {unit}` on {name}");
    let wrong = |cause, what: String, look_at: String| {
        Finding::wrong(cause, what, look_at).of_object(format!("{unit}.service on {name}"))
    };
    if facts.state != "active" {
        let what = format!("{unit} is {}", or_unknown(&facts.state));
        return wrong(Cause::StreamerNotRunning, what, journal);
    }
    let Some([before, after]) = facts.readings else {
        let look_at = format!("`rk1.streamer.metricsPort` of {name}");
        return Finding::unknown(format!("{unit} runs, but serves no counters"), look_at);
    };
    let grown = |counter: fn(&Reading) -> u64| counter(&after).saturating_sub(counter(&before));
    let (lost, dropped) = (grown(|reading| reading.lost), grown(|reading| reading.rows_dropped));
    let refused = grown(|reading| reading.rows_refused);
    let is_stuck = grown(|reading| reading.rows_delivered) == 0 && grown(|reading| reading.rows_waiting) > 0;
    if !after.is_attached {
        wrong(Cause::StreamerDetached, format!("{unit} is attached to no interface"), journal)
    } else if refused > 0 {
        let what = format!("Grafana refused {refused} rows within 2 s");
        wrong(Cause::StreamerLoses, what, format!("{journal}: the token, and the limits of Grafana"))
    } else if dropped > 0 {
        let what = format!("the buffer is full: {dropped} rows were dropped within 2 s");
        wrong(Cause::StreamerLoses, what, format!("{journal}: whether Grafana is reached"))
    } else if is_stuck {
        let what = format!("Grafana accepts nothing: {} rows wait", after.rows_waiting);
        wrong(Cause::StreamerLoses, what, format!("{journal}: whether Grafana is reached"))
    } else if lost > 0 {
        let what = format!("{lost} of {} packets were lost within 2 s", grown(|reading| reading.packets));
        wrong(Cause::StreamerLoses, what, format!("`budget` in `[streamer]`, and the load of {name}"))
    } else {
        Finding::good("loses nothing")
    }
}

/// systemd prints nothing for a unit that it cannot look up.
pub(super) fn or_unknown(state: &str) -> &str {
    if state.is_empty() { "not known to systemd" } else { state }
}
