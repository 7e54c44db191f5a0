//! Describes a Kubernetes cluster of small boards in one file and renders, provisions and operates it.
//!
//! Data flows one way: text → [`config::written::ClusterFile`] (as written, every value with its span) →
//! [`config::cluster::Cluster`] (resolved and checked) → [`render::document::Document`]s (a path and a body each) →
//! disk. [`provision`] puts the results on machines, [`operate`] watches and updates them, and [`cli`] is the only
//! code that prints.

pub mod cli;
pub mod common;
pub mod config;
pub mod operate;
pub mod provision;
pub mod render;
