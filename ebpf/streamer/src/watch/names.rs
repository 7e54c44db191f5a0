//! Names of addresses, from /etc/hosts and from DNS. Looking one up never delays the screen.

use crate::packet::Address;
use std::cell::RefCell;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio::task::JoinSet;

/// The most lookups under way at once. A name server that does not answer makes each of them wait for seconds.
const MOST_LOOKUPS: usize = 4;

/// The most names that are remembered. When there are more, all names from DNS are looked up again.
const MOST_NAMES: usize = 4096;

/// Where names come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Source {
    #[default]
    Hosts,
    /// /etc/hosts, and DNS for other addresses.
    Dns,
    /// Addresses are shown as they are.
    None,
}

impl Source {
    pub(super) const fn next(self) -> Self {
        match self {
            Self::Hosts => Self::Dns,
            Self::Dns => Self::None,
            Self::None => Self::Hosts,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Hosts => "names from /etc/hosts",
            Self::Dns => "names from /etc/hosts and DNS",
            Self::None => "no names",
        }
    }
}

/// The names that are known.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) source: Source,
    hosts: HashMap<IpAddr, String>,
    /// Addresses that were looked up in DNS, with their names, if they have any.
    found: HashMap<IpAddr, Option<String>>,
    /// Addresses that were shown without a name.
    wanted: RefCell<Vec<IpAddr>>,
    lookups: JoinSet<(IpAddr, Option<String>)>,
}

impl Names {
    /// Reads the text of a hosts file (hosts(5)): an address, its name, and other names, in each line.
    pub(super) fn new(hosts: &str, source: Source) -> Self {
        let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default());
        let entries = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.parse().ok()?, printable(words.next()?)))
        });
        let mut names = Self { source, ..Self::default() };
        for (address, name) in entries {
            names.hosts.entry(address).or_insert(name);
        }
        names
    }

    /// Returns the name of an address. An unknown address is looked up later.
    pub(super) fn get(&self, address: Address) -> Option<&str> {
        let address: IpAddr = match address {
            Address::V4(address) => address.into(),
            Address::V6(address) => address.into(),
            Address::None | Address::Hashed(_) => return None,
        };
        match self.source {
            Source::None => None,
            Source::Hosts => self.hosts.get(&address).map(String::as_str),
            Source::Dns => {
                if let Some(name) = self.hosts.get(&address) {
                    return Some(name);
                }
                let Some(name) = self.found.get(&address) else {
                    self.wanted.borrow_mut().push(address);
                    return None;
                };
                name.as_deref()
            }
        }
    }

    /// Collects the lookups that have ended, and starts those that are wanted. Returns whether there are new names.
    pub(super) fn look_up(&mut self) -> bool {
        let mut news = false;
        while let Some(ended) = self.lookups.try_join_next() {
            if let Ok((address, name)) = ended {
                news |= name.is_some();
                self.found.insert(address, name);
            }
        }
        let mut wanted = std::mem::take(self.wanted.get_mut());
        wanted.sort_unstable();
        wanted.dedup();
        if self.found.len() + wanted.len() > MOST_NAMES {
            self.found.clear();
        }
        for address in wanted {
            if self.lookups.len() >= MOST_LOOKUPS {
                break;
            }
            if self.found.contains_key(&address) {
                continue;
            }
            // No second lookup for an address whose first has not ended.
            self.found.insert(address, None);
            self.lookups.spawn_blocking(move || {
                let name = dns_lookup::lookup_addr(&address).ok();
                // Without a name, the answer is the address itself.
                let name = name.filter(|name| name.parse::<IpAddr>().is_err());
                (address, name.map(|name| printable(&name)))
            });
        }
        news
    }
}

/// A name comes from other hosts: what could disturb the terminal is removed.
fn printable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(63).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn v4(last: u8) -> Address {
        Address::V4([192, 0, 2, last].into())
    }

    #[test]
    fn the_hosts_file_gives_each_address_its_first_name() {
        let names = Names::new(
            "# comment\n192.0.2.1 nas nas.lan # storage\n192.0.2.1 other\n\nnonsense\n2001:db8::1\tr\u{1b}[2Jouter\n192.0.2.9\n",
            Source::Hosts,
        );
        assert_eq!((names.get(v4(1)), names.get(v4(2)), names.get(v4(9))), (Some("nas"), None, None));
        assert_eq!(names.get(Address::V6("2001:db8::1".parse().unwrap())), Some("r[2Jouter"));
        assert_eq!(names.get(Address::None), None);
        let hidden = Names::new("192.0.2.1 nas", Source::None);
        assert_eq!(hidden.get(v4(1)), None);
    }

    /// The address is one that no name server answers for (RFC 5737); asking for it returns at once all the same.
    #[test]
    fn dns_is_asked_beside_the_screen() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut names = Names::new("192.0.2.1 nas", Source::Dns);
            let start = std::time::Instant::now();
            for last in 1..100 {
                let _ = names.get(v4(last));
            }
            names.look_up();
            assert!(start.elapsed().as_millis() < 500);
            assert_eq!((names.get(v4(1)), names.lookups.len()), (Some("nas"), MOST_LOOKUPS));
            let loopback = Address::V4([127, 0, 0, 1].into());
            names.hosts.clear();
            let _ = names.get(loopback);
        });
        runtime.shutdown_background();
    }
}
