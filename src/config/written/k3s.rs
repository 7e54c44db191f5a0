//! `[k3s]`: settings of k3s, the Kubernetes distribution.

use serde_json::json;

use super::free::FreeValue;
use super::leaf::{Integer, Named, Switch, Text};
use super::shape::Required;
use super::table::table;
use crate::config::source::Spanned;

table! {
    /// Settings of k3s, the Kubernetes distribution.
    pub struct K3s {
        /// Name of the secret that holds the token with which servers join the cluster. [default: k3s-token]
        "token" token: Option<Text> = "k3s-token",
        /// Name of the secret that holds the token with which agents join the cluster. [default: k3s-agent-token; if `token` is
        /// written, the servers' token]
        "agent-token" agent_token: Option<Text> = "k3s-agent-token",
        /// Name of the secret that holds the certificate authority by which joining nodes recognize the servers. [default:
        /// k3s-server-ca; if `token` is written, k3s makes one that nodes do not know beforehand]
        "server-ca" server_ca: Option<Text> = "k3s-server-ca",
        /// The server that initializes the cluster; the other nodes join it. [default: the first server]
        "first-server" first_server: Option<Text> = "rk1-01",
        /// File mode of the administrator's kubeconfig on the servers. [default: 600]
        "write-kubeconfig-mode" write_kubeconfig_mode: Option<Text> = "600",
        /// Additional names and addresses in the API server's certificate. [default: none]
        "tls-san" tls_san: Option<Vec<Text>> = ["kubernetes.example.org"],
        /// Additional flags of k3s, each with its value. Agents do not get those of servers. [default: none]
        "extra-flags" extra_flags: Option<Vec<Text>> = ["--kube-controller-manager-arg=node-monitor-grace-period=20s"],
        /// Fields of the kubelet's configuration (`KubeletConfiguration`) on all nodes. [default: none]
        "kubelet" kubelet: Option<Spanned<FreeValue>> = json!({"maxPods": 200}),
        /// Labels that all nodes register with. [default: none]
        "labels" labels: Option<Named<Text>> = json!({"example.org/site": "attic"}),
        /// Taints that all nodes register with, as `key=value:effect`. [default: none]
        "taints" taints: Option<Vec<Text>> = ["example.org/slow=true:PreferNoSchedule"],
        /// Mirrors of container registries, and how nodes log in to registries.
        "registries" registries: Option<Registries>,
        /// Snapshots of etcd.
        "snapshots" snapshots: Option<Snapshots>,
    }
}

table! {
    /// Settings of k3s on one node, in addition to those in `[k3s]`.
    pub struct NodeK3s {
        /// Additional flags of k3s on this node, each with its value.
        "extra-flags" extra_flags: Option<Vec<Text>> = ["--node-external-ip=203.0.113.7"],
        /// Fields of the kubelet's configuration (`KubeletConfiguration`) on this node.
        "kubelet" kubelet: Option<Spanned<FreeValue>> = json!({"maxPods": 200}),
        /// Labels that this node registers with.
        "labels" labels: Option<Named<Text>> = json!({"example.org/disk": "large"}),
        /// Taints that this node registers with, as `key=value:effect`.
        "taints" taints: Option<Vec<Text>> = ["node-role.kubernetes.io/control-plane:NoSchedule"],
    }
}

table! {
    /// Mirrors of container registries, and how nodes log in to registries.
    pub struct Registries {
        /// Whether nodes fetch images from each other before they ask a registry (k3s's embedded registry, Spegel).
        /// [default: false]
        "embedded" embedded: Option<Switch> = true,
        /// For each registry, or `*` for all, the mirrors that are asked before it.
        "mirrors" mirrors: Option<Named<Mirror>>,
        /// For each registry or mirror, a host name with its port if it is not 443: how nodes connect to it.
        "hosts" hosts: Option<Named<RegistryHost>>,
    }
}

table! {
    /// The mirrors of a container registry.
    pub struct Mirror {
        /// URLs of the mirrors, in the order in which they are asked.
        "endpoints" endpoints: Required<Spanned<Vec<Text>>> = ["https://mirror.example.org"],
        /// Regular expressions of image names, and what the mirror has instead of what they match.
        "rewrite" rewrite: Option<Named<Text>> = json!({"^(.*)$": "docker-hub/$1"}),
    }
}

table! {
    /// How nodes connect to a container registry.
    pub struct RegistryHost {
        /// User name.
        "username" username: Option<Text> = "robot",
        /// Name of the secret that holds the user's password.
        "password" password: Option<Text> = "registry-password",
        /// Name of the secret that holds an identity token, instead of a user name and a password.
        "token" token: Option<Text> = "registry-token",
        /// Name of the secret that holds the certificate authority of the registry, in PEM. [default: those of the system]
        "ca" ca: Option<Text> = "registry-ca",
    }
}

table! {
    /// Snapshots of etcd, which servers make.
    pub struct Snapshots {
        /// Whether servers make snapshots by themselves. [default: true]
        "enable" enable: Option<Switch> = true,
        /// When each server makes a snapshot, in the notation of cron, in the nodes' time zone (UTC). [default: 0 */12 * * *]
        "schedule" schedule: Option<Text> = "0 */6 * * *",
        /// Number of snapshots that are kept. [default: 5]
        #[schemars(range(min = 1, max = 1000))]
        "retention" retention: Option<Integer> = 5,
        /// Whether snapshots are compressed. [default: false]
        "compress" compress: Option<Switch> = true,
        /// An S3 bucket to which snapshots are copied.
        "s3" s3: Option<S3>,
    }
}

table! {
    /// An S3 bucket to which servers copy the snapshots of etcd.
    pub struct S3 {
        /// URL of the service. [default: Amazon S3]
        "endpoint" endpoint: Option<Text> = "https://s3.example.org",
        /// Name of the bucket.
        "bucket" bucket: Required<Text> = "etcd",
        /// Region of the bucket. [default: us-east-1]
        "region" region: Option<Text> = "eu-central-1",
        /// Folder in the bucket. Clusters with the same folder delete each other's snapshots. [default: the cluster's name]
        "folder" folder: Option<Text> = "turing-pi",
        /// Name of the access key, which is not secret.
        "access-key-id" access_key_id: Required<Text> = "AKIAIOSFODNN7EXAMPLE",
        /// Name of the secret that holds the access key.
        "secret-access-key" secret_access_key: Required<Text> = "s3-key",
        /// Name of the secret that holds the certificate authority of the service, in PEM. [default: those of the system]
        "ca" ca: Option<Text> = "s3-ca",
    }
}
