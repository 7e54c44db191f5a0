//! A network namespace for one test.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::requirement::skipped;

/// Runs a test where all `addresses` are the machine's own and nothing else can be reached. Threads and processes that it
/// starts are there too. The namespace has no name: it is gone when the last of them is.
pub(crate) fn alone(test: &str, addresses: &[&str], task: impl FnOnce() + Send) {
    let namespace = match namespace() {
        Ok(namespace) => namespace,
        Err(reason) => return skipped(test, &reason),
    };
    let ended = thread::scope(|scope| {
        let inside = scope.spawn(|| {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
                .expect("a namespace");
            ip(&["link", "set", "lo", "up"]);
            for address in addresses {
                ip(&["address", "add", &format!("{address}/32"), "dev", "lo"]);
            }
            task();
        });
        inside.join()
    });
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

/// Made by a process that ends at once.
fn namespace() -> Result<File, String> {
    if !rustix::process::geteuid().is_root() {
        return Err("network namespaces need root".to_owned());
    }
    let child = Command::new("unshare")
        .args(["--net", "--", "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("`unshare` cannot be run: {error}"))?;
    // When an echo comes back, it is there.
    let mut echo = [0];
    child.stdin.as_mut().expect("input").write_all(b".").expect("input");
    let is_there = child.stdout.as_mut().expect("output").read_exact(&mut echo).is_ok();
    let namespace = File::open(format!("/proc/{}/ns/net", child.id()));
    child.kill().expect("cat ends");
    child.wait().expect("cat has ended");
    if !is_there {
        return Err("no network namespace can be made here".to_owned());
    }
    namespace.map_err(|error| error.to_string())
}

pub(crate) fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("`ip` runs");
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
