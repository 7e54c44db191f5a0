//! The steps from running versions to those of `cluster.toml` that the components support.

use thiserror::Error;

use super::versions::{Release, Versions, newest_cilium};
use crate::config::diagnostics::Mistake;

/// The versions that run, as far as they are known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Running {
    /// Of the node's kubelet.
    pub k3s: Option<Release>,
    pub cilium: Option<Release>,
    pub cert_manager: Option<Release>,
}

impl Running {
    /// Reads the version of a kubelet, such as `v1.36.4+k3s1`.
    #[must_use]
    pub fn kubelet(version: &str) -> Option<Release> {
        Release::parse(version.split('+').next()?)
    }

    /// Reads the tag of an image, such as `quay.io/cilium/cilium:v1.20.0@sha256:…`.
    #[must_use]
    pub fn image(image: &str) -> Option<Release> {
        let name = image.split('@').next()?.rsplit('/').next()?;
        Release::parse(name.split_once(':')?.1)
    }
}

/// A step that a component does not support.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnsupportedStep {
    #[error("{what} {running} runs, and the step to {wanted} skips a minor release")]
    Skips { what: &'static str, key: &'static str, running: Release, wanted: Release, next: Option<Release> },
    #[error("{what} {running} runs, and {wanted} is older")]
    Older { what: &'static str, key: &'static str, running: Release, wanted: Release },
}

impl Mistake for UnsupportedStep {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Skips { key, next: Some(next), .. } => {
                format!("write `{key} = \"{next}\"` in `[versions]` first, and deploy that to all nodes: docs/upgrades.md")
            }
            Self::Skips { .. } => {
                "go through the releases between them by hand, as docs/upgrades.md describes: `rk1` does not know them".to_owned()
            }
            Self::Older { key, running, .. } => {
                format!("write `{key} = \"{}.{}\"` in `[versions]`, or restore a snapshot of etcd: docs/recovery.md", running.major, running.minor)
            }
        })
    }
}

impl Versions {
    /// Returns the first step from the running versions to these that a component does not support.
    ///
    /// Kubernetes: the API server goes from one minor release to the next, never back, because etcd then has newer objects
    /// (kubernetes.io, "Version Skew Policy"). Cilium: upgrades and rollbacks between consecutive minor releases (its "Upgrade
    /// Guide"). cert-manager: upgrades one minor release at a time.
    #[must_use]
    pub fn unsupported_step(&self, running: &Running) -> Option<UnsupportedStep> {
        let k3s = running.k3s.and_then(|running| {
            let next = Release { major: running.major, minor: running.minor + 1, patch: None };
            let older = UnsupportedStep::Older { what: "k3s", key: "k3s", running, wanted: self.k3s };
            match distance(running, self.k3s) {
                ..0 => Some(older),
                0 | 1 => None,
                2.. => Some(skips("k3s", "k3s", running, self.k3s, Some(next))),
            }
        });
        let cilium = running.cilium.and_then(|running| {
            let steps = distance(running, self.cilium);
            let next = if steps < 0 { running.minor.checked_sub(1) } else { Some(running.minor + 1) };
            let next = next.and_then(newest_cilium);
            (steps.abs() > 1).then(|| skips("Cilium", "cilium", running, self.cilium, next))
        });
        let cert_manager = running.cert_manager.and_then(|running| {
            let is_skip = distance(running, self.cert_manager) > 1;
            is_skip.then(|| skips("cert-manager", "cert-manager", running, self.cert_manager, None))
        });
        k3s.or(cilium).or(cert_manager)
    }

    /// Whether the node gets a newer minor release of Kubernetes than it runs.
    #[must_use]
    pub fn raise_kubernetes(&self, running: &Running) -> bool {
        running.k3s.is_some_and(|running| distance(running, self.k3s) > 0)
    }
}

fn skips(
    what: &'static str,
    key: &'static str,
    running: Release,
    wanted: Release,
    next: Option<Release>,
) -> UnsupportedStep {
    UnsupportedStep::Skips { what, key, running, wanted, next }
}

/// The minor releases from one release to another, which is negative for an older one. Major releases count as many.
fn distance(from: Release, to: Release) -> i32 {
    let place = |release: Release| i32::from(release.major) * 1000 + i32::from(release.minor);
    place(to) - place(from)
}

#[cfg(test)]
mod tests {
    use super::{Release, Running};
    use crate::config::cluster::Cluster;
    use crate::config::diagnostics::{Mistake, Problems};
    use crate::config::source::Source;

    #[test]
    fn versions_are_read_as_kubernetes_writes_them() {
        assert_eq!(Running::kubelet("v1.36.4+k3s1"), Release::parse("1.36.4"));
        assert_eq!(Running::image("quay.io/cilium/cilium:v1.20.0@sha256:00ff"), Release::parse("1.20.0"));
        assert_eq!(Running::image("registry:5000/cilium/cilium:v1.20.0"), Release::parse("1.20.0"));
        for image in
            ["", "quay.io/cilium/cilium", "quay.io/cilium/cilium@sha256:00ff", "a:latest", "localhost:5000/a"]
        {
            assert_eq!(Running::image(image), None, "{image}");
        }
        assert_eq!(Running::kubelet(""), None);
    }

    /// The example wants k3s 1.36, Cilium 1.20.0 and cert-manager 1.21.1.
    #[test]
    fn each_component_goes_one_minor_release_at_a_time() {
        let text = include_str!("../../../cluster.toml").to_owned();
        let source = Source { name: "cluster.toml".to_owned(), text };
        let cluster = Cluster::parse(&source, &mut Problems::default()).expect("a valid cluster");
        let step = |k3s: &str, cilium: &str, cert_manager: &str| {
            let running = Running {
                k3s: Running::kubelet(k3s),
                cilium: Release::parse(cilium),
                cert_manager: Release::parse(cert_manager),
            };
            let step = cluster.versions.unsupported_step(&running);
            step.map(|step| format!("{step}; {}", step.hint().unwrap_or_default()))
        };
        for (k3s, cilium, cert_manager) in [
            ("", "", ""),
            ("v1.36.4+k3s1", "1.20.2", "1.21.1"),
            ("v1.35.9+k3s2", "1.19.0", "1.20.4"),
            ("v1.36.0+k3s1", "1.21.0", "1.25.0"),
        ] {
            assert_eq!(step(k3s, cilium, cert_manager), None, "{k3s} {cilium} {cert_manager}");
        }
        let cases = [
            (
                ("v1.34.1+k3s1", "", ""),
                "k3s 1.34.1 runs, and the step to 1.36 skips a minor release; write `k3s = \"1.35\"` in `[versions]` first, and \
                 deploy that to all nodes: docs/upgrades.md",
            ),
            (
                ("v1.37.0+k3s1", "", ""),
                "k3s 1.37.0 runs, and 1.36 is older; write `k3s = \"1.37\"` in `[versions]`, or restore a snapshot of etcd: \
                 docs/recovery.md",
            ),
            (
                ("", "1.18.12", ""),
                "Cilium 1.18.12 runs, and the step to 1.20.0 skips a minor release; write `cilium = \"1.19.6\"` in `[versions]` \
                 first, and deploy that to all nodes: docs/upgrades.md",
            ),
            (
                ("", "1.16.1", ""),
                "Cilium 1.16.1 runs, and the step to 1.20.0 skips a minor release; go through the releases between them by hand, \
                 as docs/upgrades.md describes: `rk1` does not know them",
            ),
            (
                ("", "", "1.15.3"),
                "cert-manager 1.15.3 runs, and the step to 1.21.1 skips a minor release; go through the releases between them by \
                 hand, as docs/upgrades.md describes: `rk1` does not know them",
            ),
        ];
        for ((k3s, cilium, cert_manager), expected) in cases {
            assert_eq!(step(k3s, cilium, cert_manager).as_deref(), Some(expected));
        }
    }
}
