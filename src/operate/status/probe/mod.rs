//! Asks nodes, routers, Kubernetes and the gateway at once, each with a time limit of its own.

mod ask;
mod bird;
pub(super) mod connection;
mod frr;
mod kubeconfig;
mod kubernetes;
mod node;
mod objects;
pub(super) mod routeros;
mod script;
mod sections;
mod web;

pub(super) use ask::ask;
