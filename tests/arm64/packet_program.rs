//! The packet program's own tests, and the daemon on a virtio network card, in an emulated machine.

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::machine::Machine;
use crate::root::{Kernel, Root};
use crate::{Outcome, ROOT};

#[path = "../../ebpf/streamer/tests/end_to_end/frame.rs"]
#[expect(
    dead_code,
    clippy::unwrap_used,
    reason = "shared with tests that need all of it and fail by panicking"
)]
mod frame;

/// A kernel, and what it can do.
struct Played {
    version: &'static str,
    /// Programs of `ebpf/object/tests`.
    tests: &'static [&'static str],
    /// The modes of `xdp-streamer` on a network card.
    modes: &'static [&'static str],
}

/// The oldest kernel that runs the program, which has no TCX; the next long-term kernel with TCX; and that of the product.
const KERNELS: [Played; 3] = [
    Played { version: "6.1", tests: &["table", "ring"], modes: &["driver", "generic"] },
    Played { version: "6.12", tests: &TESTS, modes: &MODES },
    Played { version: "6.18", tests: &TESTS, modes: &MODES },
];

/// The kernel that is always played. The others take minutes and are played on request, by `tests/arm64/run`.
const PRODUCT: &str = "6.18";
pub(crate) const ALL_KERNELS: &str = "ARM64_KERNELS";

/// Returns the versions of the kernels.
pub(crate) fn versions() -> Vec<String> {
    KERNELS.iter().map(|kernel| kernel.version.to_owned()).collect()
}

const MODULES: [&str; 9] = [
    "virtio_console",
    "virtio_pci",
    "virtio_net",
    "veth",
    "tun",
    "sch_ingress",
    "cls_bpf",
    "dummy",
    "nls_ascii",
];

const TESTS: [&str; 6] = ["table", "attached", "hooks", "ring", "accounting", "differential"];
/// Packets for the test `differential`, instead of a million.
const PACKETS: &str = "20000";
const MODES: [&str; 3] = ["driver", "generic", "tcx"];
/// The packets that are sent in each mode.
const SENT: usize = 5;

/// Emulation is 20 to 50 times slower than the processor, and another program may use it.
const BOOT: Duration = Duration::from_mins(3);
const ALL: Duration = Duration::from_mins(20);

pub(crate) fn run(prepared: &Path, version: &str) -> Result<(), Outcome> {
    let played = KERNELS.iter().find(|played| played.version == version).expect("a kernel");
    if version != PRODUCT && env::var(ALL_KERNELS).is_err() {
        return Err(Outcome::Skipped("it is played on request, by tests/arm64/run".to_owned()));
    }
    let Some(kernel) = Kernel::find(prepared, version) else {
        return Err(Outcome::Skipped(format!("Debian has no kernel {version} for arm64 here")));
    };
    let script = format!(
        "#!/bin/sh\nexport TESTS='{}' MODES='{}' DIFFERENTIAL_PACKETS={PACKETS}\nexec /packet-program\n",
        played.tests.join(" "),
        played.modes.join(" ")
    );
    let root = Root::new(&kernel, &prepared.join("programs"), &MODULES, &script);
    root.bytes("packet-program", include_bytes!("guest/packet-program"), 0o755);
    for test in TESTS.iter().chain(&["xdp-streamer"]) {
        root.file(&prepared.join("tests").join(test), &format!("/tests/{test}"));
    }
    let (machine, cable) = Machine::new(&root).network();
    let mut machine = machine.start();
    machine.wait_for("started", BOOT).map_err(Outcome::Failed)?;
    let booted = machine.age();
    for mode in played.modes {
        machine.wait_for(&format!("attached {mode}"), BOOT).map_err(Outcome::Failed)?;
        for _ in 0..SENT {
            cable.send(&frame::ssdp());
        }
    }
    let report = machine.wait_until_off(ALL).map_err(Outcome::Failed)?;
    eprintln!(
        "Linux {}: booted in {} s, all of it {} s",
        kernel.release(),
        booted.as_secs(),
        machine.age().as_secs()
    );
    let found: Vec<&String> = report.iter().filter(|line| !line.starts_with("time ")).collect();
    for time in report.iter().filter(|line| line.starts_with("time ")) {
        eprintln!("  {time}");
    }
    let expected = expected(played);
    if found.iter().map(|line| line.as_str()).eq(expected.iter().map(String::as_str)) {
        return Ok(());
    }
    Err(Outcome::Failed(format!("expected:\n{}\n\nfound:\n{}", expected.join("\n"), machine.last_words())))
}

/// Returns the report of a machine in which everything passes: the row of the original posts for each packet.
fn expected(played: &Played) -> Vec<String> {
    let snapshot = "ebpf/streamer/tests/end_to_end/snapshots/posts_row.txt";
    let rest = fs::read_to_string(format!("{ROOT}/{snapshot}")).expect("a snapshot");
    let row = format!(
        "packet_details source_mac=\"00:11:32:e5:79:5c\",destination_mac=\"01:00:5e:7f:ff:fa\",\
         source_ip=\"172.16.10.208\",destination_ip=\"239.255.255.250\",protocol=\"UDP\",length=129i,ttl=1i,\
         version=4i,source_port=50085i,destination_port=1900i{}",
        rest.trim_end()
    );
    let mut lines = vec!["started".to_owned()];
    for mode in played.modes {
        lines.push(format!("attached {mode}"));
        lines.extend(vec![row.clone(); SENT]);
        lines.push("detached 0".to_owned());
    }
    lines.extend(played.tests.iter().map(|test| format!("{test} 0")));
    lines.push("ended 0".to_owned());
    lines
}
