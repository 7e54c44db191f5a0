//! Where the parts of `cluster.toml` stand, for what is found wrong with what is made of them.

use crate::config::source::Span;
use crate::config::written::ClusterFile;

/// The sections' headers; the first line of the file for a section that was left out.
#[derive(Debug, Clone, Copy)]
pub struct Sections {
    pub versions: Span,
    pub cilium: Span,
    pub bgp: Span,
    pub gateway: Span,
    pub certificates: Span,
    pub hubble: Span,
}

impl Sections {
    pub(super) fn of(file: &ClusterFile) -> Self {
        let or_first_line = |section: Option<Span>| section.unwrap_or(file.span);
        Self {
            versions: or_first_line(file.versions.as_ref().map(|section| section.span)),
            cilium: or_first_line(file.cilium.as_ref().map(|section| section.span)),
            bgp: or_first_line(file.bgp.as_ref().map(|section| section.span)),
            gateway: or_first_line(file.gateway.as_ref().map(|section| section.span)),
            certificates: or_first_line(file.certificates.as_ref().map(|section| section.span)),
            hubble: or_first_line(file.hubble.as_ref().map(|section| section.span)),
        }
    }
}
