//! The flags of k3s: which nodes take them, and which of them `rk1` sets itself.
//!
//! Source: k3s 1.36, `k3s server --help` and `k3s agent --help`.

use crate::config::written::Role;

/// A flag of k3s, without its hyphens.
pub(super) struct Flag {
    pub(super) name: &'static str,
    pub(super) nodes: Nodes,
    pub(super) takes_value: bool,
    pub(super) owner: Owner,
}

/// The nodes that know a flag: k3s does not start with one that it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Nodes {
    All,
    Servers,
}

/// Who sets a flag.
pub(super) enum Owner {
    User,
    /// Another key or the design of the cluster decides; the hint tells how to get the same effect.
    Rk1(&'static str),
}

impl Flag {
    pub(super) fn is_known_to(&self, role: Role) -> bool {
        self.nodes == Nodes::All || role == Role::Server
    }
}

const fn switch(name: &'static str, nodes: Nodes) -> Flag {
    Flag { name, nodes, takes_value: false, owner: Owner::User }
}

const fn value(name: &'static str, nodes: Nodes) -> Flag {
    Flag { name, nodes, takes_value: true, owner: Owner::User }
}

const fn owned(name: &'static str, nodes: Nodes, instead: &'static str) -> Flag {
    Flag { name, nodes, takes_value: true, owner: Owner::Rk1(instead) }
}

const SNAPSHOTS: &str = "set it in `[k3s.snapshots]`";
const NETWORKS: &str = "set `pods` and `services` in `[network]`";
const TOKENS: &str =
    "set `token` and `agent-token` in `[k3s]`: a flag would show the token to every process of the node";
const CILIUM: &str = "remove it: Cilium is the network plug-in of the cluster";
const ETCD: &str = "remove it: the servers keep the cluster's state in their embedded etcd";
const STATE: &str =
    "remove it: the data disk and the backup of the state depend on the default, `/var/lib/rancher`";

use Nodes::{All, Servers};

/// The flags of k3s 1.36, by name.
pub(super) const FLAGS: &[Flag] = &[
    value("advertise-address", Servers),
    value("advertise-port", Servers),
    owned("agent-token", Servers, TOKENS),
    owned("agent-token-file", Servers, TOKENS),
    value("airgap-extra-registry", All),
    switch("alsologtostderr", All),
    value("bind-address", All),
    owned("cluster-cidr", Servers, NETWORKS),
    value("cluster-dns", Servers),
    value("cluster-domain", Servers),
    owned("cluster-init", Servers, "set `first-server` in `[k3s]`"),
    owned("cluster-reset", Servers, "run it by hand on one server: docs/recovery.md describes how"),
    owned(
        "cluster-reset-restore-path",
        Servers,
        "run it by hand on one server: docs/recovery.md describes how",
    ),
    owned("config", All, "write the settings as flags, or into files in `/etc/rancher/k3s/config.yaml.d`"),
    owned("container-runtime-endpoint", All, "remove it: k3s runs its own containerd"),
    owned("data-dir", All, STATE),
    owned("datastore-cafile", Servers, ETCD),
    owned("datastore-certfile", Servers, ETCD),
    owned("datastore-endpoint", Servers, ETCD),
    owned("datastore-keyfile", Servers, ETCD),
    switch("debug", All),
    value("default-local-storage-path", Servers),
    value("default-runtime", All),
    value("disable", Servers),
    owned("disable-agent", Servers, "give the node a taint instead: Cilium runs on every node"),
    owned("disable-apiserver", Servers, ETCD),
    switch("disable-apiserver-lb", All),
    owned("disable-cloud-controller", Servers, "remove it: it is set already"),
    owned("disable-controller-manager", Servers, ETCD),
    switch("disable-default-registry-endpoint", All),
    owned("disable-etcd", Servers, ETCD),
    owned("disable-helm-controller", Servers, "remove it: the cluster's charts need the helm-controller"),
    owned("disable-kube-proxy", Servers, "remove it: it is set already"),
    owned("disable-network-policy", Servers, "remove it: it is set already"),
    switch("disable-scheduler", Servers),
    owned("docker", All, "remove it: k3s runs its own containerd"),
    value("egress-selector-mode", Servers),
    owned(
        "embedded-registry",
        Servers,
        "write `embedded = true` in `[k3s.registries]`, which opens its ports too",
    ),
    switch("enable-pprof", All),
    value("etcd-arg", Servers),
    owned("etcd-disable-snapshots", Servers, "write `enable = false` in `[k3s.snapshots]`"),
    switch("etcd-expose-metrics", Servers),
    owned("etcd-s3", Servers, "write `[k3s.snapshots.s3]`"),
    owned("etcd-s3-access-key", Servers, "write `[k3s.snapshots.s3]`"),
    owned("etcd-s3-bucket", Servers, "write `[k3s.snapshots.s3]`"),
    value("etcd-s3-bucket-lookup-type", Servers),
    owned("etcd-s3-config-secret", Servers, "write `[k3s.snapshots.s3]`"),
    owned("etcd-s3-endpoint", Servers, "write `[k3s.snapshots.s3]`"),
    owned("etcd-s3-endpoint-ca", Servers, "write `[k3s.snapshots.s3]`"),
    owned("etcd-s3-folder", Servers, "write `[k3s.snapshots.s3]`"),
    owned(
        "etcd-s3-insecure",
        Servers,
        "write `[k3s.snapshots.s3]` with an `endpoint` that begins with `http://`",
    ),
    value("etcd-s3-proxy", Servers),
    owned("etcd-s3-region", Servers, "write `[k3s.snapshots.s3]`"),
    value("etcd-s3-retention", Servers),
    owned("etcd-s3-secret-key", Servers, "write `[k3s.snapshots.s3]`"),
    owned("etcd-s3-session-token", Servers, "use an access key that does not expire"),
    owned(
        "etcd-s3-skip-ssl-verify",
        Servers,
        "name the authority of the service as `ca` in `[k3s.snapshots.s3]`",
    ),
    value("etcd-s3-timeout", Servers),
    owned("etcd-snapshot-compress", Servers, SNAPSHOTS),
    owned("etcd-snapshot-dir", Servers, STATE),
    value("etcd-snapshot-name", Servers),
    value("etcd-snapshot-reconcile-interval", Servers),
    owned("etcd-snapshot-retention", Servers, SNAPSHOTS),
    owned("etcd-snapshot-schedule-cron", Servers, SNAPSHOTS),
    owned("flannel-backend", Servers, CILIUM),
    owned("flannel-cni-conf", All, CILIUM),
    owned("flannel-conf", All, CILIUM),
    owned("flannel-external-ip", Servers, CILIUM),
    owned("flannel-iface", All, CILIUM),
    owned("flannel-ipv6-masq", Servers, CILIUM),
    value("helm-job-image", Servers),
    owned("https-listen-port", Servers, "remove it: nodes and firewall expect the API server on port 6443"),
    value("image-credential-provider-bin-dir", All),
    value("image-credential-provider-config", All),
    owned("image-service-endpoint", All, "remove it: k3s runs its own containerd"),
    value("kine-tls", Servers),
    value("kube-apiserver-arg", Servers),
    value("kube-cloud-controller-manager-arg", Servers),
    value("kube-controller-manager-arg", Servers),
    owned("kube-proxy-arg", All, "write `values` in `[cilium]`: Cilium does what kube-proxy would do"),
    value("kube-scheduler-arg", Servers),
    value("kubelet-arg", All),
    value("lb-server-port", All),
    value("log", All),
    value("multi-cluster-cidr", Servers),
    value("node-external-dns", All),
    value("node-external-ip", All),
    value("node-internal-dns", All),
    owned("node-ip", All, "set `address` of the `[[node]]`"),
    owned("node-label", All, "write `labels` in `[k3s]`, or in `k3s = { … }` of one node"),
    owned("node-name", All, "set `name` of the `[[node]]`"),
    owned("node-taint", All, "write `taints` in `[k3s]`, or in `k3s = { … }` of one node"),
    switch("nonroot-devices", All),
    value("pause-image", All),
    switch("prefer-bundled-bin", All),
    owned("private-registry", All, "write `[k3s.registries]`"),
    switch("protect-kernel-defaults", All),
    value("resolv-conf", All),
    owned("rootless", All, "remove it: Cilium needs root"),
    owned("secrets-encryption", Servers, "set `secrets-encryption` in `[security]`"),
    value("secrets-encryption-provider", Servers),
    switch("selinux", All),
    owned("server", All, "set `first-server` in `[k3s]`"),
    owned("service-cidr", Servers, NETWORKS),
    value("service-node-port-range", Servers),
    owned("servicelb-namespace", Servers, "remove it: Cilium serves the addresses of services"),
    value("snapshotter", All),
    switch("supervisor-metrics", Servers),
    value("system-default-registry", Servers),
    owned("tls-san", Servers, "write `tls-san` in `[k3s]`"),
    switch("tls-san-security", Servers),
    owned("token", All, TOKENS),
    owned("token-file", All, TOKENS),
    value("v", All),
    value("vmodule", All),
    owned(
        "vpn-auth",
        All,
        "write `--vpn-auth-file=…`: a flag would show the key to every process of the node",
    ),
    value("vpn-auth-file", All),
    owned("with-node-id", All, "remove it: Cilium and `rk1` know each node by its name"),
    owned(
        "write-kubeconfig",
        Servers,
        "remove it: the units of the servers read `/etc/rancher/k3s/k3s.yaml`",
    ),
    value("write-kubeconfig-group", Servers),
    owned("write-kubeconfig-mode", Servers, "set `write-kubeconfig-mode` in `[k3s]`"),
];

/// An argument of a Kubernetes component that `rk1` or k3s sets, by the flag that would pass it on.
pub(super) struct Argument {
    pub(super) flag: &'static str,
    pub(super) name: &'static str,
    pub(super) instead: &'static str,
}

const fn argument(flag: &'static str, name: &'static str, instead: &'static str) -> Argument {
    Argument { flag, name, instead }
}

const AUDIT: &str = "set `audit-log` in `[security]`";

pub(super) const ARGUMENTS: &[Argument] = &[
    argument("kube-apiserver-arg", "admission-control-config-file", "set `pod-security` in `[security]`"),
    argument(
        "kube-apiserver-arg",
        "enable-admission-plugins",
        "write `rk1.k3s.admissionPlugins = [ … ];` in `hosts/cluster.local.nix`, which keeps the plugins that are set already",
    ),
    argument(
        "kube-apiserver-arg",
        "disable-admission-plugins",
        "remove it: the cluster's protections are among the plugins",
    ),
    argument("kube-apiserver-arg", "audit-log-maxage", AUDIT),
    argument("kube-apiserver-arg", "audit-log-maxbackup", AUDIT),
    argument("kube-apiserver-arg", "audit-log-maxsize", AUDIT),
    argument("kube-apiserver-arg", "audit-log-path", AUDIT),
    argument("kube-apiserver-arg", "audit-policy-file", AUDIT),
    argument("kube-apiserver-arg", "encryption-provider-config", "set `secrets-encryption` in `[security]`"),
    argument("kube-apiserver-arg", "service-cluster-ip-range", NETWORKS),
    argument("kube-controller-manager-arg", "cluster-cidr", NETWORKS),
    argument("kube-controller-manager-arg", "service-cluster-ip-range", NETWORKS),
    argument(
        "kubelet-arg",
        "cloud-provider",
        "remove it: without a cloud controller, nodes would stay unschedulable",
    ),
    argument("kubelet-arg", "config", "write the fields of the file as `kubelet` in `[k3s]`"),
    argument("kubelet-arg", "config-dir", "write the fields of the files as `kubelet` in `[k3s]`"),
    argument("kubelet-arg", "hostname-override", "set `name` of the `[[node]]`"),
    argument("kubelet-arg", "node-ip", "set `address` of the `[[node]]`"),
    argument("kubelet-arg", "node-labels", "write `labels` in `[k3s]`"),
    argument("kubelet-arg", "register-with-taints", "write `taints` in `[k3s]`"),
];

/// Fields of the kubelet's configuration that k3s or `rk1` sets, with what to write instead.
pub(super) const KUBELET_FIELDS: &[(&str, &str)] = &[
    ("apiVersion", "remove it: only fields are written here"),
    ("authentication", "remove it: k3s sets it, and the API server would be refused"),
    ("authorization", "remove it: k3s sets it, and the API server would be refused"),
    ("clusterDNS", "write `--cluster-dns=…` in `extra-flags` of `[k3s]`"),
    ("clusterDomain", "write `--cluster-domain=…` in `extra-flags` of `[k3s]`"),
    ("containerRuntimeEndpoint", "remove it: k3s runs its own containerd"),
    ("enableServer", "remove it: k3s needs the kubelet's server"),
    ("imageServiceEndpoint", "remove it: k3s runs its own containerd"),
    ("kind", "remove it: only fields are written here"),
    ("podCIDR", NETWORKS),
    ("port", "remove it: the firewall and the API server expect port 10250"),
    ("providerID", "remove it: the cluster has no cloud controller"),
    ("registerNode", "remove it: a node that does not register cannot be used"),
    ("registerWithTaints", "write `taints` in `[k3s]`, or in `k3s = { … }` of one node"),
    (
        "shutdownGracePeriod",
        "write `services.k3s.gracefulNodeShutdown` and `services.logind` in `hosts/cluster.local.nix`: systemd must wait as \
         long",
    ),
    (
        "shutdownGracePeriodCriticalPods",
        "write `services.k3s.gracefulNodeShutdown` and `services.logind` in `hosts/cluster.local.nix`: systemd must wait as \
         long",
    ),
    ("staticPodPath", "remove it: k3s sets it"),
    (
        "staticPodURL",
        "write a manifest in `manifests/`: whoever answered at the URL would be root on the node",
    ),
    ("tlsCertFile", "remove it: k3s makes the kubelet's certificate"),
    ("tlsPrivateKeyFile", "remove it: k3s makes the kubelet's certificate"),
];
