//! Network namespaces, by name.
//!
//! Their names are below `/run/netns`, on a file system that only the lab sees.

use std::fs::File;
use std::thread;

use super::error::LabError;
use super::programs::run;

/// Runs a task in a namespace. Sockets that it opens stay there.
pub(super) fn within<T: Send>(
    namespace: &str,
    task: impl FnOnce() -> std::io::Result<T> + Send,
) -> Result<T, LabError> {
    let file = File::open(format!("/run/netns/{namespace}"))?;
    let done = thread::scope(|scope| {
        scope
            .spawn(|| {
                enter(&file)?;
                task()
            })
            .join()
    });
    match done {
        Ok(result) => Ok(result?),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// Moves this thread into a namespace.
#[cfg(target_os = "linux")]
fn enter(namespace: &File) -> std::io::Result<()> {
    use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
    use std::os::fd::AsFd;
    Ok(move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?)
}

#[cfg(not(target_os = "linux"))]
fn enter(_: &File) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Creates a namespace with its loopback interface up.
pub(super) fn create(namespace: &str) -> Result<(), LabError> {
    run("ip", &["netns", "add", namespace])?;
    run("ip", &["-n", namespace, "link", "set", "lo", "up"]).map(drop)
}

/// Sets a kernel parameter of the namespace's network, such as `ipv4/ip_forward`.
pub(super) fn set_parameter(namespace: &str, parameter: &str, value: &str) -> Result<(), LabError> {
    within(namespace, || std::fs::write(format!("/proc/sys/net/{parameter}"), value))
}
