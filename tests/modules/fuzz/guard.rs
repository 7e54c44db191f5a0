//! The guard's state: it is read, never run, and a damaged one rolls back to the system that is kept from the garbage
//! collector.

use std::fs;
use std::os::unix::fs::symlink;

use crate::hostile::{each, program, run, script, search_path};

const KEYS: [&str; 9] =
    ["system", "generation", "limit", "boot", "armed_at", "deadline", "rebooted", "tried", "PATH"];
const SWITCH: &str = "#!/bin/sh\necho \"$0 $1\" >>\"$NOTES\"\n";

#[test]
fn a_damaged_state_rolls_back() {
    each(|input, mut random| {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["bin", "state", "old/bin"] {
            fs::create_dir_all(path(name)).unwrap();
        }
        for name in ["kernel", "initrd", "kernel-modules", "kernel-params", "init"] {
            fs::write(path("old").join(name), name).unwrap();
        }
        program(&path("old/bin/switch-to-configuration"), SWITCH);
        for name in ["nix-env", "systemctl", "systemd-run"] {
            program(&path("bin").join(name), "#!/bin/sh\nexit 0\n");
        }
        for name in ["current", "booted", "profile", "root"] {
            symlink(path("old"), path(name)).unwrap();
        }
        let mut state: Vec<u8> = Vec::new();
        for _ in 0..random.below(12) {
            let line = match random.below(3) {
                0 => random.bytes(30),
                1 => format!("{}={}", random.pick(&KEYS), random.text()).into_bytes(),
                _ => random.text().into_bytes(),
            };
            state.extend(line);
            state.push(b'\n');
        }
        fs::write(path("state/armed"), &state).unwrap();
        let command = |argument: &str| {
            run(
                script("guard/guard.sh", folder.path())
                    .arg(argument)
                    .env("PATH", search_path(&path("bin")))
                    .env("NOTES", path("notes"))
                    .env("GUARD_STATE", path("state"))
                    .env("CURRENT_SYSTEM", path("current"))
                    .env("BOOTED_SYSTEM", path("booted"))
                    .env("SYSTEM_PROFILE", path("profile"))
                    .env("GC_ROOT", path("root"))
                    .env("REBOOT_BY", "kexec"),
                folder.path(),
                input,
            )
        };
        let told = command("state");
        let told = (told.status.code(), String::from_utf8(told.stdout).unwrap());
        let old = path("old").display().to_string();
        assert_eq!(told.0, Some(0), "{input}: {state:?}");
        assert!(
            told.1.starts_with(&format!("state=armed\nsystem={old}\n")),
            "{input}: {state:?}: {}",
            told.1
        );
        // A state with numbers in every field could wait until its end. None of the inputs is one.
        let watched = command("watch");
        assert!(watched.status.success(), "{input}: {state:?}: {watched:?}");
        assert!(path("state/reverted").exists(), "{input}: {state:?}");
        let notes = fs::read_to_string(path("notes")).unwrap();
        assert!(notes.ends_with("/old/bin/switch-to-configuration switch\n"), "{input}: {notes}");
    });
}
