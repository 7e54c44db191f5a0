//! Getting a node onto its board: images, the secrets seeded into them, the board's controller (BMC), flashing.

pub mod bmc;
pub mod flash;
pub mod generate;
pub mod image;
pub mod seed;
