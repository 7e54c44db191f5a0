//! `[cluster]`: the name of the cluster and its domain.

use super::name::{Domain, Label};
use crate::config::diagnostics::Problems;
use crate::config::written;

/// The maximum length of a cluster's name in characters (`cluster.name` of Cilium's chart).
const NAME_LIMIT: usize = 32;

pub(super) fn resolve(
    written: Option<&written::Header>,
    problems: &mut Problems,
) -> (Option<Label>, Option<Domain>) {
    let Some(header) = written else { return (None, None) };
    let name = header.name.as_ref().and_then(|text| {
        let label = Label::parse(&text.value).and_then(|label| label.within(NAME_LIMIT));
        problems.take(text.span, label)
    });
    let domain = header.domain.as_ref().and_then(|text| problems.take(text.span, Domain::parse(&text.value)));
    (name, domain)
}
