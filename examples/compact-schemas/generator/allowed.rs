//! Helm values that a chart's templates read, but neither its schema nor its `values.yaml` shows.

use serde_json::{Value, json};

use super::OPEN;

/// Keys below which a value goes into an object of Kubernetes as it is: what may stand there is Kubernetes' business.
pub(crate) const PASSED_THROUGH: &[(&str, &str)] = &[
    ("affinity", "an Affinity of a pod; the chart's schema shows its own default only"),
    ("nodeSelector", "labels of nodes; the chart's schema shows its own default only"),
    ("podSecurityContext", "a PodSecurityContext; the chart's schema shows its own default only"),
    ("resources", "ResourceRequirements of a container; the chart's schema shows its own default only"),
];

pub(crate) struct Allowed {
    chart: &'static str,
    versions: &'static [&'static str],
    pub(crate) path: &'static str,
    pub(crate) schema: fn() -> Value,
    /// Where it can be seen that the chart reads it.
    #[allow(dead_code, reason = "for the reader of this table")]
    reason: &'static str,
}

impl Allowed {
    pub(crate) fn is_of(&self, chart: &str, version: &str) -> bool {
        self.chart == chart && self.versions.contains(&version)
    }
}

const OF_1_16: &[&str] = &["1.16.1"];
const SINCE_1_18: &[&str] = &["1.18.12", "1.19.6", "1.20.0"];
const OF_ALL: &[&str] = &["1.16.1", "1.18.12", "1.19.6", "1.20.0"];
const CERT_MANAGER: &[&str] = &["1.21.1"];

const BEFORE_1_20: &[&str] = &["1.16.1", "1.18.12", "1.19.6"];

const VALID_OPTIONS: &str = "values.yaml lists the valid options in the comment above it";
const COMMENTED_OUT: &str = "stands in values.yaml behind a `#`, with its default";
const EXAMPLE: &str = "stands in values.yaml behind a `#`, as an example";
const CONTROLLER_CONFIGURATION: &str = "a field of ControllerConfiguration, which the controller decodes strictly (pkg/apis/config/controller/v1alpha1)";

const fn cilium(
    versions: &'static [&'static str],
    path: &'static str,
    schema: fn() -> Value,
    reason: &'static str,
) -> Allowed {
    Allowed { chart: "cilium", versions, path, schema, reason }
}

const fn config(path: &'static str, schema: fn() -> Value) -> Allowed {
    let chart = "cert-manager";
    Allowed { chart, versions: CERT_MANAGER, path, schema, reason: CONTROLLER_CONFIGURATION }
}

fn boolean() -> Value {
    json!({ "type": "boolean" })
}

fn integer() -> Value {
    json!({ "type": "integer" })
}

fn string() -> Value {
    json!({ "type": "string" })
}

fn strings() -> Value {
    json!({ "type": "array", "items": { "type": "string" } })
}

fn map() -> Value {
    json!({ "type": "object", OPEN: true })
}

fn closed_map() -> Value {
    json!({ "type": "object", "properties": {} })
}

fn integer_or_string() -> Value {
    json!({ "type": ["integer", "string"] })
}

fn string_or_strings() -> Value {
    json!({ "type": ["string", "array"], "items": { "type": "string" } })
}

fn choice_of_algorithm() -> Value {
    json!({ "enum": ["maglev", "random"] })
}

fn choice_of_mode() -> Value {
    json!({ "enum": ["annotation", "dsr", "hybrid", "snat"] })
}

fn choice_of_dispatch() -> Value {
    json!({ "enum": ["geneve", "ipip", "opt"] })
}

fn kube_proxy_replacement() -> Value {
    json!({ "enum": [true, false, "true", "false"] })
}

fn api_version() -> Value {
    json!({ "enum": ["controller.config.cert-manager.io/v1alpha1"] })
}

fn kind() -> Value {
    json!({ "enum": ["ControllerConfiguration"] })
}

fn acceleration() -> Value {
    json!({ "enum": ["best-effort", "disabled", "native"] })
}

fn gateway_class_create() -> Value {
    json!({ "enum": [true, false, "auto", "true", "false"] })
}

fn gateway_class_create_then() -> Value {
    json!({ "enum": ["auto", "true", "false"] })
}

fn method_of_certificates() -> Value {
    json!({ "enum": ["certmanager", "cronJob", "helm"] })
}

/// Keys that the chart's schema knows, and of which it says less than the comment in `values.yaml`.
pub(crate) const REFINED: &[Allowed] = &[
    cilium(SINCE_1_18, "kubeProxyReplacement", kube_proxy_replacement, VALID_OPTIONS),
    cilium(OF_ALL, "hubble.tls.auto.method", method_of_certificates, VALID_OPTIONS),
    cilium(OF_ALL, "loadBalancer.acceleration", acceleration, VALID_OPTIONS),
    cilium(&["1.20.0"], "gatewayAPI.gatewayClass.create", gateway_class_create, VALID_OPTIONS),
    cilium(BEFORE_1_20, "gatewayAPI.gatewayClass.create", gateway_class_create_then, VALID_OPTIONS),
];

pub(crate) const ALLOWED: &[Allowed] = &[
    cilium(OF_1_16, "kubeProxyReplacement", kube_proxy_replacement, COMMENTED_OUT),
    cilium(OF_1_16, "devices", string_or_strings, COMMENTED_OUT),
    cilium(OF_ALL, "loadBalancer.algorithm", choice_of_algorithm, COMMENTED_OUT),
    cilium(OF_ALL, "loadBalancer.mode", choice_of_mode, COMMENTED_OUT),
    cilium(OF_ALL, "loadBalancer.dsrDispatch", choice_of_dispatch, COMMENTED_OUT),
    cilium(OF_1_16, "loadBalancer.serviceTopology", boolean, COMMENTED_OUT),
    cilium(OF_ALL, "maglev.tableSize", integer, COMMENTED_OUT),
    cilium(OF_ALL, "maglev.hashSeed", string, COMMENTED_OUT),
    cilium(OF_ALL, "nodePort.range", string, EXAMPLE),
    cilium(OF_ALL, "socketLB.hostNamespaceOnly", boolean, COMMENTED_OUT),
    cilium(OF_ALL, "socketLB.terminatePodConnections", boolean, COMMENTED_OUT),
    cilium(OF_ALL, "l2announcements.leaseDuration", string, COMMENTED_OUT),
    cilium(OF_ALL, "l2announcements.leaseRenewDeadline", string, COMMENTED_OUT),
    cilium(OF_ALL, "l2announcements.leaseRetryPeriod", string, COMMENTED_OUT),
    cilium(OF_ALL, "hubble.eventQueueSize", integer_or_string, COMMENTED_OUT),
    cilium(OF_ALL, "hubble.eventBufferCapacity", integer_or_string, COMMENTED_OUT),
    cilium(OF_ALL, "egressMasqueradeInterfaces", string, COMMENTED_OUT),
    cilium(OF_ALL, "disableIptablesFeederRules", string, COMMENTED_OUT),
    cilium(OF_ALL, "enableIdentityMark", boolean, COMMENTED_OUT),
    cilium(OF_ALL, "fragmentTracking", boolean, COMMENTED_OUT),
    cilium(OF_ALL, "iptablesLockTimeout", string, COMMENTED_OUT),
    cilium(OF_ALL, "labels", string, COMMENTED_OUT),
    cilium(OF_ALL, "logOptions", map, EXAMPLE),
    cilium(OF_ALL, "policyAuditMode", boolean, COMMENTED_OUT),
    cilium(OF_1_16, "sessionAffinity", boolean, COMMENTED_OUT),
    cilium(OF_ALL, "dnsProxy.enableTransparentMode", boolean, COMMENTED_OUT),
    cilium(SINCE_1_18, "socketLB.tracing", boolean, COMMENTED_OUT),
    config("config.apiVersion", api_version),
    config("config.kind", kind),
    config("config.enableGatewayAPI", boolean),
    config("config.gatewayAPI", closed_map),
    config("config.gatewayAPI.enabled", boolean),
    config(
        "config.featureGates",
        || json!({ "type": "object", "additionalProperties": { "type": "boolean" } }),
    ),
    config("config.logging", map),
    config("config.maxConcurrentChallenges", integer),
    config("config.numberOfConcurrentWorkers", integer),
    config("config.kubernetesAPIQPS", || json!({ "type": "number" })),
    config("config.kubernetesAPIBurst", integer),
    config("config.controllers", strings),
    config("config.enableCertificateOwnerRef", boolean),
    config("config.acmeDNS01Config", closed_map),
    config("config.acmeDNS01Config.recursiveNameservers", strings),
    config("config.acmeDNS01Config.recursiveNameserversOnly", boolean),
    config("config.acmeDNS01Config.checkRetryPeriod", string),
];
