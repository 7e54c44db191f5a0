/// What there is of both address families.
pub(super) fn both(ipv4: &impl ToString, ipv6: Option<&impl ToString>) -> Vec<String> {
    std::iter::once(ipv4.to_string()).chain(ipv6.map(ToString::to_string)).collect()
}
