//! Two disks in one node: each is prepared for its own place, and neither is taken for the other.

use crate::disk::{Disk, ROOMY};
use crate::script::{DISK, Node, prepare_on};
use crate::tool::{can_run, output};

const READY: &str = "ready: `/dev/nvme0n1p1`, an ext4 filesystem without errors";

#[test]
fn disks_that_changed_places_are_refused() {
    if !can_run("further::disks_that_changed_places_are_refused", &["blkid"]) {
        return;
    }
    // A name of the greatest length: the partition takes all of it, the label of ext4 its beginning.
    let name = "a-name-of-24-characters-";
    let places = [Node::new(false), Node::further_disk(name), Node::further_disk("photos")];
    let disks = [(); 3].map(|()| Disk::blank(ROOMY));
    let run = |place: &Node, disk: &Disk| {
        let attached = disk.attach();
        let run = prepare_on(place, &attached.device, None);
        let label = run.link.as_ref().map(|link| {
            let label = |node: &std::path::Path, tag: &str| {
                let arguments =
                    ["--probe", "--match-tag", tag, "--output", "value"].map(std::ffi::OsStr::new);
                output("blkid", arguments.into_iter().chain([node.as_os_str()])).trim().to_owned()
            };
            (label(link, "PART_ENTRY_NAME"), label(link, "LABEL"))
        });
        (run.verdict().to_owned(), label)
    };
    let own =
        |partition: &str, label: &str| (READY.to_owned(), Some((partition.to_owned(), label.to_owned())));
    let expected = [
        own("rk1-storage", "rk1-storage"),
        own("rk1-disk-a-name-of-24-characters-", "rk1-disk-a-name-"),
        own("rk1-disk-photos", "rk1-disk-photos"),
    ];
    // The second time, nothing is left to prepare.
    for _ in 0..2 {
        for ((place, disk), expected) in places.iter().zip(&disks).zip(&expected) {
            assert_eq!(run(place, disk), *expected);
        }
    }
    let before = disks.each_ref().map(Disk::fingerprint);
    let refusal = format!(
        "error: `{DISK}` has a partition table that rk1 did not create; nothing was written to `{DISK}`"
    );
    for (place, disk) in [(0, 1), (1, 0), (1, 2), (2, 1)] {
        assert_eq!(
            run(&places[place], &disks[disk]),
            (refusal.clone(), None),
            "disk {disk} in place {place}"
        );
    }
    for (before, disk) in before.iter().zip(&disks) {
        before.assert_same(&disk.fingerprint(), "in the place of another");
    }
}
