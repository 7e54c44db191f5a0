//! Why the lab could not run.

use std::io;
use std::time::Duration;

use thiserror::Error;

use crate::common::bounded::BoundedError;

#[derive(Debug, Error)]
pub enum LabError {
    #[error(
        "the cluster announces no gateway by BGP. The lab plays BGP alone: who answers for an address in the nodes' network is \
         decided by Cilium's agents in the running cluster"
    )]
    NoBgp,
    #[error("the lab creates network namespaces, which Linux alone has: run it on a Linux machine")]
    NotLinux,
    #[error("the lab creates network namespaces, which takes root: run it with `sudo`")]
    NotRoot,
    #[error("`{program}` is not installed (Debian and Ubuntu: `apt-get install {package}`)")]
    Missing { program: &'static str, package: &'static str },
    #[error("`{command}` failed: {said}")]
    Failed { command: String, said: String },
    #[error("cannot run `{command}`")]
    Unrunnable { command: String, source: BoundedError },
    #[error("cannot read or write a file of the lab")]
    Io(#[from] io::Error),
    #[error("`manifests/{file}` is not as expected: {what}")]
    Resource { file: &'static str, what: String },
    #[error("the nodes' network has no free address for a router between the nodes and `{router}`")]
    FullNetwork { router: String },
    #[error("{what} did not start within {} s", limit.as_secs())]
    Late { what: String, limit: Duration },
    #[error("the configuration of the lab's router cannot be rendered")]
    Render(#[from] crate::render::RenderError),
    #[error("the output of `{command}` is not understood: {said}")]
    Unexpected { command: String, said: String },
}
