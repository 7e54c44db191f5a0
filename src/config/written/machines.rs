//! The machines: boards, nodes, their network and disks.

use super::leaf::{Integer, Named, Text};
use super::shape::Required;
use super::table::{choice, table};
use crate::config::source::Spanned;

table! {
    /// What the cluster is called.
    pub struct Header {
        /// Name of the cluster: a DNS label of at most 32 characters.
        "name" name: Required<Text> = "turing-pi",
        /// DNS domain under which the cluster's host names lie.
        "domain" domain: Required<Text> = "example.org",
    }
}

table! {
    /// A Turing Pi 2.
    pub struct Board {
        /// Name by which nodes say where they are.
        "name" name: Required<Text> = "turing-pi",
        /// Address of the board's management controller.
        "bmc" bmc: Required<Text> = "172.16.10.220",
        /// User of the management controller that `rk1 flash` logs in as. Left out: root.
        "user" user: Option<Text> = "root",
        /// Name of the secret that holds the user's password. Left out: `$RK1_BMC_PASSWORD`, or `rk1 flash` asks.
        "password" password: Option<Text> = "bmc-password",
    }
}

table! {
    /// An RK1 module.
    pub struct Node {
        /// Host name: a DNS label (RFC 1123).
        "name" name: Required<Text> = "rk1-01",
        /// The board it is in. Needed only where there are several.
        "board" board: Option<Text> = "turing-pi",
        /// Slot on the board, 1 to 4.
        #[schemars(range(min = 1, max = 4))]
        "slot" slot: Required<Integer> = 1,
        /// Address and prefix length.
        "address" address: Required<Text> = "172.16.10.221/24",
        /// IPv6 address and prefix length, in a dual-stack cluster.
        "address-ipv6" address_ipv6: Option<Text> = "fd00:172:16:10::221/64",
        /// What it does in the cluster.
        "role" role: Required<Spanned<Role>> = "server",
        /// Name of the secret that holds sshd's own key, ed25519 without a passphrase. Left out: the node makes one.
        "ssh-host-key" ssh_host_key: Option<Text> = "rk1-01-ssh",
    }
}

choice! {
    /// What a node does in the cluster.
    pub enum Role {
        /// Runs the control plane and a member of etcd, and workloads too.
        Server = "server",
        /// Runs workloads only.
        Agent = "agent",
    }
}

table! {
    /// The nodes' network, and the ranges inside the cluster.
    pub struct Network {
        /// Address of the router.
        "gateway" gateway: Required<Text> = "172.16.10.1",
        /// IPv6 address of the router, in a dual-stack cluster. With it go all other keys that end in `-ipv6`.
        "gateway-ipv6" gateway_ipv6: Option<Text> = "fd00:172:16:10::1",
        /// Name servers. Left out: the gateway.
        "nameservers" nameservers: Option<Spanned<Vec<Text>>> = ["172.16.10.1"],
        /// Time servers. Left out: those of NixOS.
        "time-servers" time_servers: Option<Vec<Text>> = ["172.16.10.1"],
        /// Range of the pods' addresses. Left out: 10.42.0.0/16.
        "pods" pods: Option<Text> = "10.42.0.0/16",
        /// Range of the pods' IPv6 addresses, a /48 to /64, of which each node takes a /64.
        "pods-ipv6" pods_ipv6: Option<Text> = "fd00:10:42::/56",
        /// Range of the services' addresses. Left out: 10.43.0.0/16.
        "services" services: Option<Text> = "10.43.0.0/16",
        /// Range of the services' IPv6 addresses, a /108 to /124.
        "services-ipv6" services_ipv6: Option<Text> = "fd00:10:43::/112",
    }
}

table! {
    /// The data disk of each node.
    pub struct Storage {
        /// The whole disk. It gets one partition; a disk that holds anything else is refused.
        "device" device: Required<Text> = "/dev/nvme0n1",
        /// Where it is mounted. Left out: /mnt/data.
        "mount" mount: Option<Text> = "/mnt/data",
        /// Directories of the system that live on it: the path, and the directory below the mount point.
        /// Left out: /run/k3s, /var/lib/kubelet and /var/lib/rancher.
        "binds" binds: Option<Named<Text>> = serde_json::json!({"/var/lib/rancher": "k3s-rancher"}),
    }
}
