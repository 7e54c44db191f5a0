//! The first boot of a cluster, and what its parts leave that do not run here.

use std::time::Instant;

use k8s_openapi::jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use snapbox::{Data, assert_data_eq};

use crate::ROOT;
use crate::certificates::Authority;
use crate::example::{Stages, objects};
use crate::play::{CLASS, OPERATOR, Play, SOON, condition, report};
use crate::wait::until;

const POOLS: &str = "/apis/cilium.io/v2/ciliumloadbalancerippools";

impl Play<'_> {
    /// Each part is there before what it needs, as on a first boot: k3s repeats what it cannot apply.
    pub(crate) fn first_boot_in_wrong_order(&mut self) {
        self.kubernetes.register_nodes(&self.cluster);
        self.kubernetes.start_helm_controller();
        self.serve_charts();
        self.status("1-bare");

        let chart = self.install_charts();

        // The Gateway API comes too late for the operator, which looks for it once.
        self.apply_gateway_api("1.6.1");
        self.kubernetes.install_cilium(&chart);
        self.apply("50-gateway.yaml");
        self.status("2-definitions-late");
        self.kubernetes.restart_operator();
        until("the class is accepted", OPERATOR, || {
            condition(&self.object(CLASS), "Accepted") == Some("True")
        });

        // Neither a pool nor a CiliumNode is there.
        self.status("3-no-pool");
        self.apply("30-bgp.yaml");
        self.apply_passwords();
        self.until_programmed();
        self.status("4-no-ciliumnode");
        self.start_network();
        self.status("5-converged");
    }

    /// Each part is there before what needs it. Every rendered manifest is applied.
    pub(crate) fn first_boot(&mut self) {
        self.kubernetes.register_nodes(&self.cluster);
        self.kubernetes.start_helm_controller();
        self.serve_charts();
        self.apply_gateway_api("1.6.1");
        let class = "/apis/gateway.networking.k8s.io/v1/gatewayclasses";
        until("the Gateway API is known", SOON, || self.kubernetes.api.get(class).is_some());
        self.install_charts();
        // cert-manager does not run here, and what it makes of its issuers is there already.
        let is_left =
            |name: &String| ["30-", "35-", "50-", "60-"].iter().any(|front| name.starts_with(front));
        let manifests = self.documents.iter().filter(|document| document.folder == "manifests");
        for manifest in manifests.map(|manifest| manifest.name.clone()).filter(is_left).collect::<Vec<_>>() {
            self.apply(&manifest);
        }
        self.until_programmed();
        if self.cluster.routers().iter().any(|router| router.password.is_some()) {
            self.start_without_password();
        } else {
            self.start_network();
        }
    }

    /// Installs both charts, waits until their kinds are defined, and returns Cilium's `HelmChart`.
    fn install_charts(&mut self) -> Value {
        let started = Instant::now();
        let chart = self.installed_chart("10-cilium.yaml");
        self.kubernetes.install_cilium(&chart);
        self.kubernetes.restart_operator();
        let labels = json!({ "io.cilium/app": "operator" });
        self.kubernetes.pod("cilium-operator", &self.nodes()[0], &labels, true);
        self.issue_certificates();
        until("the operator has defined its kinds", OPERATOR, || self.kubernetes.api.get(POOLS).is_some());
        report("the operator has defined its kinds", started.elapsed());
        chart
    }

    fn until_programmed(&self) {
        until("the gateways are programmed", OPERATOR, || {
            self.cluster.gateways.iter().all(|gateway| {
                let path = format!(
                    "/apis/gateway.networking.k8s.io/v1/namespaces/gateway/gateways/{}",
                    gateway.name
                );
                condition(&self.object(&path), "Programmed") == Some("True")
            })
        });
    }

    /// Starts the routers, then the agents, and waits for sessions and routes.
    fn start_network(&mut self) {
        for router in &mut self.routers {
            router.start();
        }
        let started = Instant::now();
        self.start_agents();
        until("all sessions and routes", SOON, || self.has_converged());
        report("from nothing: all sessions and routes after the agents' start", started.elapsed());
    }

    pub(crate) fn start_agents(&mut self) {
        self.kubernetes.register_agents(&self.cluster);
        if self.routers.is_empty() {
            return;
        }
        for node in self.nodes() {
            self.kubernetes.start_agent(&node);
        }
    }

    /// Applies a manifest's `HelmChart` as k3s does. Its job, which helm-controller makes, is compared with the expected one,
    /// and has succeeded then.
    fn installed_chart(&self, manifest: &str) -> Value {
        let mut chart = objects(&self.documents, manifest).remove(0);
        let name = chart["metadata"]["name"].as_str().expect("a name").to_owned();
        // k3s puts the address of its API server there before it applies the file.
        if let Some(address) = chart["spec"]["chart"].as_str() {
            chart["spec"]["chart"] = json!(address.replace("%{KUBERNETES_API}%", "127.0.0.1:6443"));
        }
        self.kubernetes.api.apply_object(&chart).expect("a HelmChart");
        let job = format!("/apis/batch/v1/namespaces/kube-system/jobs/helm-install-{name}");
        until("the chart's job", SOON, || self.kubernetes.api.get(&job).is_some());
        if self.example.stages == Stages::All {
            self.compare_job(&name, &self.object(&job)["spec"]);
            if name == "cilium" {
                // The job repeats until the definitions are there.
                let why = self.replay_job(&name).expect_err("the Gateway API is missing");
                assert!(why.contains("no matches for kind \"GatewayClass\""), "{why}");
            }
        } else {
            let said = self.replay_job(&name).unwrap_or_else(|why| panic!("{why}"));
            assert!(said.contains("STATUS: deployed"), "{said}");
        }
        self.kubernetes.api.patch(&format!("{job}/status"), &json!({ "status": { "succeeded": 1 } }));
        chart
    }

    /// Compares a job of helm-controller, and the values that it passes, with the expected ones.
    fn compare_job(&self, chart: &str, job: &Value) {
        let found = json!({
            "backoffLimit": job["backoffLimit"],
            "pod": job["template"]["spec"],
            "values": self.values(chart),
        });
        let path = format!("{ROOT}/tests/controlplane/jobs/{}-{chart}.json", self.example.name);
        assert_data_eq!(format!("{found:#}\n"), Data::read_from(path.as_ref(), None).raw());
    }

    /// The values that helm-controller passes to the job of a chart, by their files.
    pub(crate) fn values(&self, chart: &str) -> serde_json::Map<String, Value> {
        let values = self.object(&format!("/api/v1/namespaces/kube-system/secrets/chart-values-{chart}"));
        let values = values["data"].as_object().expect("the values").iter().map(|(key, value)| {
            let bytes =
                data_encoding::BASE64.decode(value.as_str().expect("a value").as_bytes()).expect("base64");
            (key.clone(), json!(String::from_utf8(bytes).expect("UTF-8")))
        });
        values.collect()
    }

    /// What cert-manager leaves once it has the certificates. Its definitions are real; itself it does not run here.
    fn issue_certificates(&self) {
        for name in ["cert-manager", "gateway"] {
            let namespace = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
            self.kubernetes.api.apply_object(&namespace).expect("a namespace");
        }
        let chart = self.installed_chart("20-cert-manager.yaml");
        // What Helm installs asks cert-manager about each of its objects, and no pod of it runs here.
        for kind in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
            let path = format!("/apis/admissionregistration.k8s.io/v1/{kind}/cert-manager-webhook");
            if self.kubernetes.api.get(&path).is_some() {
                self.kubernetes.api.delete(&path);
            }
        }
        let definitions = self.kubernetes.chart(&chart, &[]).into_iter();
        let definitions = definitions.filter(|object| object["kind"] == "CustomResourceDefinition");
        for definition in definitions {
            self.kubernetes.api.apply_object(&definition).expect("a definition");
        }
        let ready = json!({ "conditions": [{ "type": "Ready", "status": "True", "reason": "Ready", "message": "" }] });
        let issuers = objects(&self.documents, "40-issuer.yaml");
        self.kubernetes.api.until_known(&issuers);
        for mut issuer in issuers {
            issuer["status"] = ready.clone();
            self.kubernetes.api.apply_object(&issuer).expect("an issuer");
        }
        let gateways = objects(&self.documents, "50-gateway.yaml").into_iter();
        for gateway in gateways.filter(|object| object["kind"] == "Gateway") {
            self.issue_certificate(&gateway, &ready);
        }
        let labels = json!({ "app": "cert-manager" });
        self.kubernetes.pod_in("cert-manager", "cert-manager", &self.nodes()[0], &labels, true);
    }

    /// The Certificate that cert-manager makes for the HTTPS listeners of a gateway, with its Secret.
    fn issue_certificate(&self, gateway: &Value, ready: &Value) {
        let listeners: Vec<_> = gateway["spec"]["listeners"].as_array().into_iter().flatten().collect();
        let is_https = |listener: &&&Value| listener["protocol"] == "HTTPS";
        let hosts: Vec<_> =
            listeners.iter().filter(is_https).filter_map(|listener| listener["hostname"].as_str()).collect();
        let secret = listeners.iter().find(is_https).expect("an HTTPS listener");
        let name = secret["tls"]["certificateRefs"][0]["name"].as_str().expect("a Secret");
        let issuer = &gateway["metadata"]["annotations"]["cert-manager.io/cluster-issuer"];
        let metadata = json!({ "name": name, "namespace": "gateway" });
        let [certificate, key] = Authority::new("the issuer").sign(hosts[0]).pem();
        let secret = json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "kubernetes.io/tls",
            "stringData": { "tls.crt": certificate, "tls.key": key } });
        self.kubernetes.api.apply_object(&secret).expect("a Secret");
        let days = |days: i64| {
            let now = Timestamp::from_second(Timestamp::now().as_second()).expect("a moment");
            now.checked_add(SignedDuration::from_hours(days * 24 + 12)).expect("a moment").to_string()
        };
        let mut status = ready.clone();
        status["notAfter"] = json!(days(61));
        status["renewalTime"] = json!(days(31));
        let certificate = json!({ "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata,
            "spec": { "secretName": name, "dnsNames": hosts,
                "issuerRef": { "kind": "ClusterIssuer", "name": issuer } },
            "status": status });
        self.kubernetes.api.apply_object(&certificate).expect("a Certificate");
    }
}
