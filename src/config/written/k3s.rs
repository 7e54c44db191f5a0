//! `[k3s]`: settings of k3s, the Kubernetes distribution.

use super::leaf::Text;
use super::table::table;

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
    }
}
