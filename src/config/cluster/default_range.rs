//! What most clusters have for the ranges inside.

/// k3s's own defaults, kept by the posts.
pub(super) const PODS: &str = "10.42.0.0/16";
pub(super) const SERVICES: &str = "10.43.0.0/16";

/// In the manner of those for IPv4.
pub(super) const PODS_IPV6: &str = "fd00:10:42::/56";
pub(super) const SERVICES_IPV6: &str = "fd00:10:43::/112";
