//! `[k3s]`: settings of k3s, the Kubernetes distribution.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// Settings of k3s, the Kubernetes distribution.
    pub struct K3s {
        /// Name of the secret that holds the token with which nodes join the cluster.
        "token" token: Required<Text> = "k3s-token",
        /// The server that initializes the cluster; the other nodes join it. [default: the first server]
        "first-server" first_server: Option<Text> = "rk1-01",
        /// File mode of the administrator's kubeconfig on the servers. [default: 600]
        "write-kubeconfig-mode" write_kubeconfig_mode: Option<Text> = "600",
        /// Additional names and addresses in the API server's certificate. [default: none]
        "tls-san" tls_san: Option<Vec<Text>> = ["kubernetes.example.org"],
    }
}
