//! The streamer on arm64: its packet program and its tests on Debian's kernels in an emulated machine, and the protocol of its
//! ring in the memory model of arm64, which an emulator on x86 does not show.
//!
//! `tests/arm64/build` prepares and cross-builds everything that is needed.

#![allow(clippy::expect_used, clippy::panic, reason = "what is not as it should be ends the run")]

mod machine;
mod memory_order;
mod packet_program;
#[path = "../requirement/mod.rs"]
mod requirement;
mod root;

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
/// The programs that the tests call, beside those that tests/arm64/build calls.
const PROGRAMS: [&str; 4] = [machine::QEMU, "aarch64-linux-gnu-gcc", "cpio", "xz"];

/// A test, which is given the folder of what was prepared. An error of the first kind is a reason to skip it.
type Test = fn(&Path, &str) -> Result<(), Outcome>;

/// Why a test did not pass.
pub(crate) enum Outcome {
    Skipped(String),
    Failed(String),
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A machine has four CPUs to emulate.
    arguments.test_threads = Some(1);
    let mut tests: Vec<(String, Test)> = Vec::new();
    tests.extend(memory_order::names().into_iter().map(|name| (name, memory_order::check as Test)));
    tests
        .extend(packet_program::versions().into_iter().map(|version| (version, packet_program::run as Test)));
    // Each is built once, and only if a test needs it.
    let prepared: &'static _ = Box::leak(Box::new(std::sync::OnceLock::new()));
    let trials = tests.into_iter().map(|(name, test)| {
        Trial::test(name.clone(), move || {
            let folder: &Result<PathBuf, String> = prepared.get_or_init(prepare);
            match folder.clone().map_err(Outcome::Skipped).and_then(|folder| test(&folder, &name)) {
                Ok(()) => Ok(()),
                Err(Outcome::Skipped(reason)) => {
                    requirement::skipped(&name, &reason);
                    Ok(())
                }
                Err(Outcome::Failed(why)) => Err(Failed::from(why)),
            }
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// Builds the programs and returns their folder, or why that is not possible here.
fn prepare() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_installed = |program: &&str| env::split_paths(&path).any(|folder| folder.join(program).exists());
    if let Some(missing) = PROGRAMS.iter().find(|program| !is_installed(program)) {
        return Err(format!("`{missing}` is not installed"));
    }
    let build = Command::new(format!("{ROOT}/tests/arm64/build")).arg("--if-prepared").output();
    let build = build.map_err(|error| format!("tests/arm64/build cannot run: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if build.status.success() {
        return Ok(PathBuf::from(text(&build.stdout)));
    }
    let said = text(&build.stderr);
    match said.lines().last().and_then(|line| line.strip_prefix("error: ")) {
        Some(reason) if !said.contains("error[") => Err(reason.to_owned()),
        _ => panic!("tests/arm64/build fails:\n{said}"),
    }
}
