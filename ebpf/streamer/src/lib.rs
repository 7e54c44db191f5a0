//! The user-space part of the packet streamer: it reads the records that the packet program writes into the ring, and
//! sends them to Grafana Live, to `InfluxDB`, to standard output or to the terminal.

pub mod capture;
pub mod check;
pub mod clock;
pub mod command;
pub mod counters;
pub mod daemon;
pub mod delivery;
pub mod filter;
pub mod flow;
pub mod journal;
pub mod packet;
pub mod pcapng;
pub mod privacy;
pub mod process;
pub mod row;
pub mod sampling;
pub mod sink;
pub mod vendor;
pub mod watch;
