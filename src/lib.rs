//! From `cluster.toml` to everything that a cluster of Turing RK1 modules is made of.
//!
//! Data flows one way: text → [`cluster_file::ClusterFile`] (as typed, every value with its place) →
//! [`cluster::Cluster`] (resolved and checked) → [`document::Document`]s (a path and a body each) → disk.

pub mod bmc;
pub mod certificate;
pub mod cluster;
pub mod cluster_file;
pub mod command;
pub mod deploy;
pub mod disk;
pub mod document;
pub mod flash;
pub mod image;
pub mod kubernetes;
pub mod lab;
pub mod pins;
pub mod problem;
pub mod render;
mod secret_bytes;
pub mod seed;
pub mod source;
pub mod status;
pub mod yaml;
