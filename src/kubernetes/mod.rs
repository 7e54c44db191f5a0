//! What runs on the cluster: Kubernetes objects and Helm values.

pub mod schema;
