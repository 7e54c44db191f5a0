//! A network namespace, in which the BMC has port 443 and a node has port 22. It has no name, and disappears with the
//! last process and socket in it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::requirement::skipped;

pub(crate) struct Network {
    namespace: File,
    /// A process that ends with its standard input, and so with this process.
    holder: Child,
}

impl Network {
    /// Makes a network with these addresses. Returns `None` if that is impossible, which is reported.
    pub(crate) fn new(test: &str, addresses: &[&str]) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            skipped(test, "making a network namespace needs root");
            return None;
        }
        let mut holder = Command::new("unshare")
            .args(["--net", "cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare");
        let (input, output) =
            (holder.stdin.as_mut().expect("input"), holder.stdout.as_mut().expect("output"));
        input.write_all(b"!").expect("a byte");
        if output.read_exact(&mut [0]).is_err() {
            let _ = holder.wait();
            skipped(test, "network namespaces are not available");
            return None;
        }
        let namespace = File::open(format!("/proc/{}/ns/net", holder.id())).expect("the namespace");
        let network = Self { namespace, holder };
        network.ip(&["link", "set", "lo", "up"]);
        for address in addresses {
            network.ip(&["address", "add", &format!("{address}/32"), "dev", "lo"]);
        }
        Some(network)
    }

    fn ip(&self, arguments: &[&str]) {
        let status = self.within(|| Command::new("ip").args(arguments).status());
        assert!(status.expect("ip").success(), "ip {arguments:?}");
    }

    /// Runs a task in the network. Its sockets and processes stay there.
    pub(crate) fn within<T: Send>(&self, task: impl FnOnce() -> T + Send) -> T {
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                let kind = Some(LinkNameSpaceType::Network);
                move_into_link_name_space(self.namespace.as_fd(), kind).expect("into the namespace");
                task()
            });
            inside.join().expect("the task ends well")
        })
    }

    /// Returns another handle of the same network.
    pub(crate) fn namespace(&self) -> File {
        self.namespace.try_clone().expect("a handle")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        let _ = self.holder.wait();
    }
}

/// Listens at an address and port of the network.
pub(crate) fn listen(namespace: &File, address: (&str, u16)) -> std::net::TcpListener {
    thread::scope(|scope| {
        let inside = scope.spawn(|| {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).expect("into it");
            std::net::TcpListener::bind(address).expect("a listener")
        });
        inside.join().expect("a listener")
    })
}
