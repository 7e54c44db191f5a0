//! `[[kubernetes-secret]]`: keys of Kubernetes Secrets.

use super::leaf::Text;
use super::shape::Required;
use super::table::table;

table! {
    /// A key of a Kubernetes Secret, which the servers make.
    pub struct KubernetesSecret {
        /// Name of the secret whose bytes are the value, without a line break at their end.
        "secret" secret: Required<Text> = "restic-password",
        /// Namespace of the Kubernetes Secret. It is created if it does not exist.
        "namespace" namespace: Required<Text> = "backup",
        /// Name of the Kubernetes Secret.
        "name" name: Required<Text> = "restic",
        /// Key in the Kubernetes Secret. [default: the name of the secret]
        "key" key: Option<Text> = "password",
        /// Type of the Kubernetes Secret. [default: Opaque]
        "type" kind: Option<Text> = "kubernetes.io/dockerconfigjson",
    }
}
