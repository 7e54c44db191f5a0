//! However the lab ends, nothing of it is left.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{can_run, cluster, lab};

const FRR: &str = "platform = \"frr\"\nversion = \"8.4.4\"\n";
/// The longest that the kernel takes to end the processes.
const LIMIT: Duration = Duration::from_secs(10);

/// The namespaces of a process: `pid:[…]` and `net:[…]`.
fn namespaces(process: &Path) -> Option<(PathBuf, PathBuf)> {
    Some((fs::read_link(process.join("ns/pid")).ok()?, fs::read_link(process.join("ns/net")).ok()?))
}

fn processes() -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten().map(|entry| entry.path());
    entries
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().parse::<u32>().is_ok()))
        .collect()
}

/// The process that is the first of the lab's namespaces, seen from outside.
fn inside(lab: &Child) -> Option<PathBuf> {
    let children = |process: &str| {
        let list = fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
        list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let unshare = children(&lab.id().to_string());
    let inside = children(unshare.first()?);
    Some(Path::new("/proc").join(inside.first()?))
}

/// What is there of a lab: its processes, and the network namespaces that they keep.
fn remains(of: &Path, networks: &BTreeSet<PathBuf>) -> Vec<String> {
    let is_of_lab = |process: &PathBuf| {
        namespaces(process).is_some_and(|(pid, net)| pid == of || networks.contains(&net))
    };
    let lab = processes().into_iter().filter(is_of_lab);
    lab.map(|process| fs::read_to_string(process.join("comm")).unwrap_or_default()).collect()
}

/// The host's interfaces, named namespaces, mounts and the places where the lab's programs write.
fn host() -> (Vec<String>, Vec<String>, String, Vec<bool>) {
    let list = |folder: &str| {
        let mut names: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            // Those of the streamer's tests, which may run at the same time.
            .filter(|name| !name.starts_with("rk1-net-") && !name.starts_with("rk1-node-"))
            .collect();
        names.sort();
        names
    };
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("mounts");
    let mounts = mounts.lines().filter(|line| line.contains("rk1-lab")).collect();
    let places = ["/run/rk1-lab", "/var/tmp/frr/zebra.1"].map(|path| Path::new(path).exists());
    (list("/sys/class/net"), list("/run/netns"), mounts, places.to_vec())
}

fn ends_without_a_trace(test: &str, signal: Signal) {
    if !can_run(test) {
        return;
    }
    let before = host();
    let folder = cluster(FRR);
    let mut lab = lab(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("rk1 runs");
    // By the first line the router runs, and the nodes begin to.
    let mut line = String::new();
    BufReader::new(lab.stdout.take().expect("stdout")).read_line(&mut line).expect("a line");
    assert!(line.starts_with("ok"), "{line}");
    thread::sleep(Duration::from_millis(500));

    let (pid, _) = namespaces(&inside(&lab).expect("the process inside")).expect("its namespaces");
    let of_lab = processes().into_iter().filter_map(|process| namespaces(&process));
    let networks: BTreeSet<PathBuf> =
        of_lab.filter(|(namespace, _)| *namespace == pid).map(|(_, net)| net).collect();
    let running = remains(&pid, &networks);
    assert!(running.iter().any(|name| name.trim() == "bgpd"), "{running:?}");
    assert!(networks.len() >= 2, "{networks:?}");

    let process = Pid::from_raw(i32::try_from(lab.id()).expect("a process id")).expect("a process id");
    kill_process(process, signal).expect("kill");
    let status = lab.wait().expect("wait");
    // A shell reports 130 for a program that SIGINT ended.
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    assert_eq!(code, Some(128 + signal.as_raw()), "{status}");
    let started = Instant::now();
    while !remains(&pid, &networks).is_empty() {
        assert!(started.elapsed() < LIMIT, "{:?}", remains(&pid, &networks));
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(host(), before);
}

#[test]
fn an_interrupted_lab_leaves_nothing_behind() {
    ends_without_a_trace("an_interrupted_lab_leaves_nothing_behind", Signal::INT);
}

#[test]
fn a_terminated_lab_leaves_nothing_behind() {
    ends_without_a_trace("a_terminated_lab_leaves_nothing_behind", Signal::TERM);
}

/// Even when it cannot do anything about it.
#[test]
fn a_killed_lab_leaves_nothing_behind() {
    ends_without_a_trace("a_killed_lab_leaves_nothing_behind", Signal::KILL);
}

/// `--inside` is for the process that `rk1 lab` starts: on its own it would change the host's network.
#[test]
fn the_inner_command_is_refused_outside_its_namespace() {
    let folder = cluster(FRR);
    let output = lab(folder.path()).arg("--inside").stdin(Stdio::null()).output().expect("rk1 runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("`--inside` is for `rk1 lab` itself"), "{said}");
}
