//! A power loss at any step of the first boot is recovered by the next boot.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use crate::cluster::partition;
use crate::composed::HOST;
use crate::disk::{programs, unmount, write_program};
use crate::first_boot::{Node, empty_root, succeeds, tools_are_missing};

/// Kills the script before the command with this number. Builtins of bash change no disk, except by a redirection.
const STOP: &str = r"
set -o functrace
count=0
stop() {
  case $BASH_COMMAND in
  install* | sync* | mv* | rm* | mount* | shred* | umount* | :*)
    count=$((count + 1))
    ((count == STOP_AT)) && kill -KILL $$
    ;;
  esac
  return 0
}
trap stop DEBUG
";

#[test]
fn a_power_loss_at_any_step_is_recovered() {
    let test = "a_power_loss_at_any_step_is_recovered";
    if tools_are_missing(test) {
        return;
    }
    let (seed, root) = (partition(HOST), empty_root());
    let mut steps = 0;
    loop {
        let Some(node) = Node::new(test, seed.bytes(), &root) else { return };
        let trap = node.path("stop.sh");
        fs::write(&trap, STOP).unwrap();
        let output =
            node.script().env("BASH_ENV", &trap).env("STOP_AT", (steps + 1).to_string()).output().unwrap();
        // A power loss: unsynced data is lost. The bytes are taken before anything else is written.
        let unplugged = node.unplugged();
        unmount(&node.path("run"));
        if output.status.signal().is_none() {
            succeeds(&output);
            node.is_ready("without a cut");
            break;
        }
        steps += 1;
        let when = format!("cut before step {steps}");
        // Only the script was killed: everything that it wrote is there.
        succeeds(&node.boot());
        node.is_ready(&when);
        drop(node);
        let Some(node) = Node::new(test, &unplugged.0, &unplugged.1) else {
            panic!("{when}: the disks cannot be mounted again")
        };
        succeeds(&node.boot());
        node.is_ready(&format!("{when}, with what was not synced lost"));
    }
    assert!(steps > 40, "only {steps} steps");
}

/// Kills the script within a program: a secret is half copied, or overwritten but not yet removed.
#[test]
fn a_power_loss_within_a_step_is_recovered() {
    let test = "a_power_loss_within_a_step_is_recovered";
    if tools_are_missing(test) {
        return;
    }
    let root = empty_root();
    let half_copied = "#!/bin/bash\n[[ $1 == --directory ]] && exec /usr/bin/install \"$@\"\n\
                       head -c 5 \"${@: -2:1}\" >\"${@: -1}\"\nkill -KILL $PPID\n";
    let half_erased = "#!/bin/bash\n/usr/bin/shred --iterations=0 --zero \"${@: -1}\"\nkill -KILL $PPID\n";
    for (program, text) in [("install", half_copied), ("shred", half_erased)] {
        let Some(node) = Node::new(test, partition(HOST).bytes(), &root) else { return };
        let folder = node.path("programs");
        fs::create_dir(&folder).unwrap();
        write_program(&folder.join(program), text);
        let path = format!(
            "{}:{}:{}",
            folder.display(),
            programs().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        let output = node.script().env("PATH", path).output().unwrap();
        assert_eq!(output.status.signal(), Some(9), "{program}: {}", String::from_utf8_lossy(&output.stderr));
        unmount(&node.path("run"));
        succeeds(&node.boot());
        node.is_ready(&format!("cut within {program}"));
    }
}
