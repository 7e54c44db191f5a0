//! The user-space part of the packet streamer: reads the records that the XDP program leaves in the ring, and
//! shows them in Grafana Live, an `InfluxDB`, or a terminal.

pub mod capture;
pub mod check;
pub mod clock;
pub mod command;
pub mod counters;
pub mod daemon;
pub mod delivery;
pub mod flow;
pub mod journal;
pub mod packet;
pub mod privacy;
pub mod row;
pub mod sampling;
pub mod sink;
pub mod vendor;
pub mod watch;
