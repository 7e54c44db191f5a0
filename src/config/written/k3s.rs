//! `[k3s]`: Kubernetes itself.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// Kubernetes itself.
    pub struct K3s {
        /// Name of the secret that holds the token by which nodes join.
        "token" token: Required<Text> = "k3s-token",
        /// The server that founds the cluster; the others join it. Left out: the first one.
        "first-server" first_server: Option<Text> = "rk1-01",
        /// File mode of the administrator's kubeconfig on the servers. Left out: 600.
        "write-kubeconfig-mode" write_kubeconfig_mode: Option<Text> = "600",
        /// Further names and addresses for the API server's certificate.
        "tls-san" tls_san: Option<Vec<Text>> = ["kubernetes.example.org"],
    }
}
