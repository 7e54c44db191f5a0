//! Runs a test of this program in a virtual machine where this kernel lacks what it needs.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::requirement::skipped;

const BOOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/modules/machine/boot");
/// The variable of the environment by which a machine is asked for: emulated, a row takes a minute or more.
const REQUEST: &str = "RK1_TEST_MACHINE";
/// The exit status of the script if no machine can start here.
const CANNOT: i32 = 125;

/// Whether the kernel can encrypt disks.
fn has_dm_crypt() -> bool {
    // Loads the module, where there is one.
    let _ = Command::new("modprobe").arg("dm_crypt").output();
    Path::new("/sys/module/dm_crypt").exists()
}

/// Whether `test` runs here and now. If this kernel cannot encrypt, `test` is skipped, or has
/// run in a virtual machine where one was asked for.
pub fn runs_here(test: &str) -> bool {
    if has_dm_crypt() {
        return true;
    }
    if std::env::var_os(REQUEST).is_none() {
        let because = format!(
            "this kernel has no dm-crypt; a machine is started on request ({REQUEST}=1), which takes long"
        );
        skipped(&format!("storage: {test}"), &because);
        return false;
    }
    let shared = TempDir::new().unwrap();
    let program = std::env::current_exe().unwrap();
    let line = format!(
        "modprobe loop; modprobe dm_crypt && exec {:?} --exact {test} --nocapture",
        program.display().to_string()
    );
    let output = Command::new(BOOT).arg(shared.path()).arg(line).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    if output.status.code() == Some(CANNOT) {
        let because = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        skipped(&format!("storage: {test}"), &format!("this kernel has no dm-crypt, and {because}"));
    } else {
        assert!(
            output.status.success() && !told.contains("skipped: "),
            "in the machine:\n{told}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        // With --nocapture, the times of the rows.
        eprintln!("{told}");
    }
    false
}
