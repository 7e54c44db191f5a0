//! `rk1` describes a Kubernetes cluster of small boards in one file and renders, provisions and operates it.

use std::process::ExitCode;

use clap::Parser;
use rk1::cli::Arguments;

fn main() -> ExitCode {
    Arguments::complete();
    Arguments::parse().run()
}
