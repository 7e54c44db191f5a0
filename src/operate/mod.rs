//! Running the cluster: its status, updates of its nodes, and the network lab.

pub mod deploy;
pub mod doctor;
pub mod lab;
pub mod machine;
mod routing_daemon;
pub mod status;
