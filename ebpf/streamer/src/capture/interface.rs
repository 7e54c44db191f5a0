//! Network interfaces by name.

use rustix::net::{AddressFamily, SocketType, socket};
use std::io;
use std::os::fd::OwnedFd;

/// A socket that asks the kernel for interfaces, with one ioctl for each question.
#[derive(Debug)]
pub struct Interfaces {
    socket: OwnedFd,
}

#[derive(Debug, thiserror::Error)]
#[error("there is no interface `{name}`{}", hint(present))]
pub struct Missing {
    pub name: String,
    pub present: Vec<String>,
}

fn hint(present: &[String]) -> String {
    if present.is_empty() { String::new() } else { format!("\nhint: use one of {}", present.join(", ")) }
}

impl Interfaces {
    pub fn open() -> io::Result<Self> {
        Ok(Self { socket: socket(AddressFamily::INET, SocketType::DGRAM, None)? })
    }

    /// Returns the index that the interface has now. An interface that is created again gets another one.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<u32> {
        rustix::net::netdevice::name_to_index(&self.socket, name).ok()
    }

    /// Returns the name that the interface has now.
    pub fn name(&self, index: u32) -> io::Result<String> {
        Ok(rustix::net::netdevice::index_to_name(&self.socket, index)?)
    }

    /// Returns the names of all interfaces, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        names()
    }

    /// Returns the index, or an error that names the existing interfaces.
    pub fn find(&self, name: &str) -> Result<u32, Missing> {
        self.index(name).ok_or_else(|| Missing { name: name.to_owned(), present: names() })
    }
}

/// Returns the names of all interfaces, sorted.
fn names() -> Vec<String> {
    let Ok(entries) = std::fs::read_dir("/sys/class/net") else { return Vec::new() };
    let mut names: Vec<String> =
        entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_interface_is_reported_with_the_existing_ones() {
        let missing = Missing { name: "eht0".into(), present: vec!["eth0".into(), "lo".into()] };
        assert_eq!(missing.to_string(), "there is no interface `eht0`\nhint: use one of eth0, lo");
    }

    #[test]
    fn loopback_is_found() {
        let interfaces = Interfaces::open().unwrap();
        assert_eq!((interfaces.index("lo").is_some(), interfaces.index("no such name")), (true, None));
    }
}
