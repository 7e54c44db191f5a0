//! Reads what is needed from Kubernetes' objects. What is not there, or is of another kind, is left out.

use std::collections::BTreeMap;
use std::net::IpAddr;

use k8s_openapi::jiff::Timestamp;
use serde_json::Value;

use crate::operate::status::facts::{
    CertificateFacts, Condition, Conditions, GatewayFacts, NodeCondition, Peer,
};

pub(super) fn node(data: &Value) -> NodeCondition {
    NodeCondition {
        ready: conditions(data).remove("Ready"),
        is_unschedulable: data["spec"]["unschedulable"] == true,
    }
}

/// `meta/v1` of Kubernetes: `status.conditions`, by their types.
pub(super) fn conditions(data: &Value) -> Conditions {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let conditions = data["status"]["conditions"].as_array().into_iter().flatten();
    let conditions = conditions.filter_map(|condition| {
        let parsed = Condition {
            is_true: condition["status"] == "True",
            reason: text(&condition["reason"]),
            message: text(&condition["message"]),
        };
        Some((condition["type"].as_str()?.to_owned(), parsed))
    });
    conditions.collect()
}

/// The status of a `CiliumBGPNodeConfig`.
pub(super) fn peers(data: &Value) -> BTreeMap<IpAddr, Peer> {
    let instances = data["status"]["bgpInstances"].as_array().into_iter().flatten();
    let peers = instances.filter_map(|instance| instance["peers"].as_array()).flatten();
    let peers = peers.filter_map(|peer| {
        let counts = peer["routeCount"].as_array().into_iter().flatten();
        let advertised: Option<u64> = counts.map(|count| count["advertised"].as_u64()).sum();
        let parsed = Peer {
            state: peer["peeringState"].as_str().unwrap_or("unknown").to_lowercase(),
            advertised: advertised.filter(|_| peer["routeCount"].is_array()),
        };
        Some((peer["peerAddress"].as_str()?.parse().ok()?, parsed))
    });
    peers.collect()
}

pub(super) fn gateway(data: &Value) -> GatewayFacts {
    let addresses = data["status"]["addresses"].as_array().into_iter().flatten();
    GatewayFacts {
        conditions: conditions(data),
        addresses: addresses.filter_map(|address| Some(address["value"].as_str()?.to_owned())).collect(),
    }
}

pub(super) fn certificate(data: &Value) -> CertificateFacts {
    let time = |field: &str| data["status"][field].as_str().and_then(|text| text.parse::<Timestamp>().ok());
    CertificateFacts {
        conditions: conditions(data),
        not_after: time("notAfter"),
        renewal: time("renewalTime"),
    }
}
