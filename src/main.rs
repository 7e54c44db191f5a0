//! `rk1`: one file describes a Turing Pi cluster; this renders everything that it is made of.

use std::process::ExitCode;

use clap::Parser;
use rk1::cli::Arguments;

fn main() -> ExitCode {
    Arguments::parse().run()
}
