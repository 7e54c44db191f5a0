//! The Secret of a BGP password that is missing, and comes later.

use std::thread;
use std::time::{Duration, Instant};

use crate::play::{Play, SOON, report};
use crate::wait::until;

/// Long enough that each node has dialed several times.
const DIALED: Duration = Duration::from_secs(12);

impl Play<'_> {
    /// Starts the network before the Secrets of the passwords are there. Cilium dials without a password then: a router with
    /// the password refuses it, and one that has lost it lets it in.
    pub(crate) fn start_without_password(&mut self) {
        for router in &mut self.routers {
            router.start();
        }
        self.start_agents();
        thread::sleep(DIALED);
        assert_eq!(self.established(), 0, "sessions without the password");
        self.status("password-missing");

        for router in &mut self.routers {
            router.kill();
            router.start_without("password");
        }
        self.until_converged("the router has no password either");
        self.status("password-missing-on-both-ends");

        for router in &mut self.routers {
            router.kill();
            router.start();
        }
        let started = Instant::now();
        self.apply_passwords();
        until("all sessions and routes with the password", SOON, || self.has_converged());
        report("all sessions and routes after the Secret came", started.elapsed());
    }
}
