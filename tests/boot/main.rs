//! A host of the example boots: its units, scripts and files as NixOS's modules make them, over Debian's programs for arm64,
//! from a disk that images/assemble.sh puts together, in an emulated machine.
//!
//! `tests/boot/build` and `tests/arm64/build` prepare what is needed. Each scenario takes minutes: without acceleration, the
//! machine is some thirty times slower than a board.

#![allow(clippy::expect_used, clippy::panic, reason = "what is not as it should be ends the run")]

mod disk;
mod evaluation;
mod host;
mod initrd;
mod machine;
mod report;
#[path = "../requirement/mod.rs"]
mod requirement;
mod scenarios;
mod server;
mod tree;
mod units;

use std::process::ExitCode;
use std::sync::OnceLock;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::host::Host;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A machine has two CPUs to emulate.
    arguments.test_threads = Some(1);
    // Built once, and only if a test needs it.
    let host: &'static OnceLock<Result<Host, String>> = Box::leak(Box::new(OnceLock::new()));
    let trials = scenarios::ALL.iter().map(|scenario| {
        Trial::test(scenario.name, move || {
            if !scenario.is_always_played && std::env::var_os("RK1_TEST_BOOT").is_none() {
                requirement::skipped(
                    scenario.name,
                    "it takes minutes and is played on request: tests/boot/run",
                );
                return Ok(());
            }
            match host.get_or_init(Host::prepare) {
                Ok(host) => (scenario.play)(host).map_err(Failed::from),
                Err(reason) => {
                    requirement::skipped(scenario.name, reason);
                    Ok(())
                }
            }
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
