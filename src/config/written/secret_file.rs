//! `[[secret-file]]`: files of nodes whose contents are secrets.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;
use crate::config::source::Spanned;

table! {
    /// A file of nodes whose content is a secret.
    pub struct SecretFile {
        /// Name of the secret.
        "secret" secret: Required<Text> = "tailscale-key",
        /// Path of the file on the nodes.
        "path" path: Required<Text> = "/etc/tailscale/key",
        /// Names of the nodes that get the file. [default: all]
        "nodes" nodes: Option<Spanned<Vec<Text>>> = ["rk1-01"],
        /// User that owns the file. [default: root]
        "owner" owner: Option<Text> = "grafana",
        /// Group of the file. [default: root]
        "group" group: Option<Text> = "grafana",
        /// Mode of the file, in octal. [default: 400]
        "mode" mode: Option<Text> = "440",
        /// Units that are restarted when the content changes. They start after the file is in place. [default: none]
        "restart" restart: Option<Vec<Text>> = ["tailscaled.service"],
    }
}
