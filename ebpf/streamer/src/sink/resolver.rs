//! Resolves the name of the sink, and keeps its addresses for the packet program, which leaves out our own traffic.

use super::is_private;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

/// The addresses of the sink when its name was last resolved. Traffic with them is our own.
#[derive(Debug, Clone, Default)]
pub struct OwnAddresses(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    addresses: Vec<SocketAddr>,
    changed: bool,
}

impl OwnAddresses {
    pub(super) fn set(&self, addresses: Vec<SocketAddr>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.addresses != addresses {
            *state = State { addresses, changed: true };
        }
    }

    /// Returns the addresses if they changed since the last call.
    #[must_use]
    pub fn take_change(&self) -> Option<Vec<SocketAddr>> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut state.changed).then(|| state.addresses.clone())
    }

    #[must_use]
    pub fn get(&self) -> Vec<SocketAddr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).addresses.clone()
    }
}

/// Resolves names as the system does, and updates [`OwnAddresses`].
#[derive(Debug)]
pub(super) struct Resolver {
    pub(super) port: u16,
    pub(super) private_only: bool,
    pub(super) own: OwnAddresses,
}

#[derive(Debug, thiserror::Error)]
#[error("`{name}` resolves to the public address {address}, and the URL is plain http")]
struct Public {
    name: String,
    address: IpAddr,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (port, private_only, own) = (self.port, self.private_only, self.own.clone());
        Box::pin(async move {
            let mut addresses: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), port)).await?.collect();
            addresses.sort_unstable();
            addresses.dedup();
            if let Some(public) = addresses.iter().find(|address| private_only && !is_private(address.ip())) {
                return Err(Public { name: name.as_str().to_owned(), address: public.ip() }.into());
            }
            own.set(addresses.clone());
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
