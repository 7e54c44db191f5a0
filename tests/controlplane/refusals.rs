//! What the API server and the gateway refuse, and what is logged of it, with the files that servers get.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rk1::render::document::Document;
use serde_json::{Value, json};

use crate::ROOT;
use crate::example::objects;
use crate::kubernetes::Kubernetes;
use crate::wait::until;

/// The longest until a controller has judged a route on a busy machine.
const SOON: Duration = Duration::from_secs(30);
const SECRET: &str = "a-value-that-no-log-may-have";

/// Writes the files of `modules/k3s/api-server.nix` to a folder, and returns the flags that name them.
pub(crate) fn flags(folder: &Path) -> Vec<String> {
    let of_module = |name: &str| {
        let path = format!("{ROOT}/modules/k3s/{name}");
        fs::read_to_string(path).expect("a file of the module").replace("@level@", "baseline")
    };
    for name in ["pod-security.yaml", "audit-policy.yaml"] {
        fs::write(folder.join(name), of_module(name)).expect("a file");
    }
    let path = |name: &str| folder.join(name).display().to_string();
    vec![
        format!("--admission-control-config-file={}", path("pod-security.yaml")),
        "--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs".to_owned(),
        format!("--audit-policy-file={}", path("audit-policy.yaml")),
        format!("--audit-log-path={}", path("audit.json")),
    ]
}

fn namespace(name: &str, labels: &Value) -> Value {
    json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } })
}

/// The status of a condition of a route's only parent.
fn of_parent(kubernetes: &Kubernetes, route: &str, condition: &str) -> Option<(String, String)> {
    let path = format!("/apis/gateway.networking.k8s.io/v1/namespaces/{route}");
    let route = kubernetes.api.get(&path)?;
    let conditions = route.pointer("/status/parents/0/conditions")?.as_array()?;
    let found = conditions.iter().find(|each| each["type"] == condition)?;
    Some((found["status"].as_str()?.to_owned(), found["reason"].as_str()?.to_owned()))
}

pub(crate) fn judge(kubernetes: &Kubernetes, documents: &[Document], folder: &Path) {
    for object in
        ["35-network-policies.yaml", "60-hubble.yaml"].into_iter().flat_map(|name| objects(documents, name))
    {
        kubernetes.api.apply_object(&object).unwrap_or_else(|why| panic!("{why}"));
    }
    pods_and_services(kubernetes);
    routes(kubernetes);
    log(kubernetes, &folder.join("audit.json"));
}

/// A pod that could become root on its node needs a label of its namespace. A service has no address by its own word.
fn pods_and_services(kubernetes: &Kubernetes) {
    let api = &kubernetes.api;
    let apply = |object: Value| api.apply_object(&object);
    apply(namespace("tenant", &json!({}))).expect("a namespace");
    kubernetes.pod_in("tenant", "ordinary", "rk1-01", &json!({}), true);
    let breaks_out = json!({ "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": "breaks-out", "namespace": "tenant" },
        "spec": { "hostPID": true, "automountServiceAccountToken": false, "serviceAccountName": "none",
            "containers": [{ "name": "main", "image": "none", "securityContext": { "privileged": true } }] } });
    let why = apply(breaks_out.clone()).expect_err("a privileged pod is refused");
    assert!(why.contains("violates PodSecurity \"baseline:latest\""), "{why}");
    let label = json!({ "pod-security.kubernetes.io/enforce": "privileged" });
    apply(namespace("tenant", &label)).expect("a namespace");
    apply(breaks_out).expect("a privileged pod in a namespace with the label");

    let service = |spec: Value| {
        json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "takes-over", "namespace": "tenant" },
            "spec": spec })
    };
    let ports = json!([{ "port": 80 }]);
    let why =
        apply(service(json!({ "externalIPs": ["172.16.10.1"], "ports": ports }))).expect_err("external IPs");
    assert!(why.contains("Use of external IPs is denied by admission control"), "{why}");
    apply(service(json!({ "ports": ports }))).expect("a service");
}

/// The gateway accepts the routes of namespaces with its label, and Hubble's, which leads to another namespace.
fn routes(kubernetes: &Kubernetes) {
    let api = &kubernetes.api;
    let route = json!({ "apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": { "name": "page", "namespace": "tenant" },
        "spec": { "hostnames": ["page.virtualthoughts.co.uk"],
            "parentRefs": [{ "name": "shared", "namespace": "gateway", "sectionName": "https" }],
            "rules": [{ "backendRefs": [{ "name": "takes-over", "port": 80 }] }] } });
    api.apply_object(&route).expect("a route");
    let accepted = |expected: &(&str, &str)| {
        let found = of_parent(kubernetes, "tenant/httproutes/page", "Accepted");
        found.is_some_and(|(status, reason)| (status.as_str(), reason.as_str()) == *expected)
    };
    until("the route is refused", SOON, || accepted(&("False", "NotAllowedByListeners")));
    api.apply_object(&namespace("tenant", &json!({ "gateway.rk1/shared": "allow" }))).expect("a namespace");
    until("the route is accepted", SOON, || accepted(&("True", "Accepted")));
    let hubble = |condition: &str| {
        of_parent(kubernetes, "gateway/httproutes/hubble-ui", condition)
            .is_some_and(|(status, _)| status == "True")
    };
    until("Hubble's route is accepted", SOON, || hubble("Accepted") && hubble("ResolvedRefs"));
    api.delete("/apis/gateway.networking.k8s.io/v1/namespaces/tenant/httproutes/page");
    api.delete("/api/v1/namespaces/tenant");
}

/// The log names who made and who read a Secret, and has nothing of it.
fn log(kubernetes: &Kubernetes, file: &Path) {
    let secret = json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "logged", "namespace": "kube-system" }, "stringData": { "key": SECRET } });
    let path = "/api/v1/namespaces/kube-system/secrets/logged";
    kubernetes.api.apply_object(&secret).expect("a Secret");
    assert!(kubernetes.api.get(path).is_some());
    kubernetes.api.delete(path);
    let verbs = || -> Vec<String> {
        let text = fs::read_to_string(file).unwrap_or_default();
        assert!(!text.contains(SECRET));
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let of_secret = events
            .filter(|event| event["objectRef"]["name"] == "logged" && event["user"]["username"] == "admin");
        of_secret.filter_map(|event| event["verb"].as_str().map(str::to_owned)).collect()
    };
    until("the log has what was done to the Secret", SOON, || verbs() == ["patch", "get", "delete"]);
    let leases = fs::read_to_string(file).unwrap_or_default().contains("\"resource\":\"leases\"");
    assert!(!leases, "leases are logged");
}
