//! The index of a Helm repository: the versions of each chart and their addresses.
//!
//! Source: Helm's documentation, "The Chart Repository Guide", "The index file".

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;
use url::Url;

use super::sri::{Sri, SriError};
use crate::config::cluster::Release;

#[derive(Debug, Deserialize)]
pub struct Index {
    entries: BTreeMap<String, Vec<Entry>>,
}

#[derive(Debug, Deserialize)]
pub struct Entry {
    version: String,
    #[serde(default)]
    urls: Vec<String>,
    digest: Option<String>,
}

/// The address of a chart, and its hash if the index has one.
#[derive(Debug, PartialEq, Eq)]
pub struct Listed {
    pub url: Url,
    pub hash: Option<Sri>,
}

#[derive(Debug, Error)]
pub enum IndexError {
    #[error("it is not an index of a Helm repository")]
    Format(#[from] Box<serde_saphyr::Error>),
    #[error("it has no chart `{chart}`")]
    NoChart { chart: String },
    #[error("it has no {chart} {release}; the newest is {newest}")]
    NoRelease { chart: String, release: Release, newest: String },
    #[error("its entry for {chart} {release} has no usable address")]
    NoAddress { chart: String, release: Release },
    #[error("its digest for {chart} {release} is malformed")]
    Digest { chart: String, release: Release, source: SriError },
}

impl Index {
    pub fn parse(text: &str) -> Result<Self, IndexError> {
        // An old repository's index exceeds the parser's default limits for untrusted text.
        let options = serde_saphyr::options! { budget: None };
        serde_saphyr::from_str_with_options(text, options).map_err(|error| Box::new(error).into())
    }

    /// Returns the entry of a release. Relative addresses are below `base`.
    pub fn find(&self, chart: &str, release: Release, base: &Url) -> Result<Listed, IndexError> {
        let name = || chart.to_owned();
        let entries = self.entries.get(chart).ok_or_else(|| IndexError::NoChart { chart: name() })?;
        let entry = entries.iter().find(|entry| Release::parse(&entry.version) == Some(release));
        let Some(entry) = entry else {
            let newest = self.newest(chart).map_or_else(|| "none".to_owned(), |newest| newest.to_string());
            return Err(IndexError::NoRelease { chart: name(), release, newest });
        };
        let is_web = |url: &Url| match base.scheme() {
            "https" => url.scheme() == "https",
            _ => matches!(url.scheme(), "http" | "https"),
        };
        let url = entry.urls.first().and_then(|address| base.join(address).ok()).filter(is_web);
        let digest = entry.digest.as_deref().map(Sri::from_hexadecimal).transpose();
        Ok(Listed {
            url: url.ok_or_else(|| IndexError::NoAddress { chart: name(), release })?,
            hash: digest.map_err(|source| IndexError::Digest { chart: name(), release, source })?,
        })
    }

    /// Returns the newest release of a chart. Previews, whose version has more than numbers, do not count.
    #[must_use]
    pub fn newest(&self, chart: &str) -> Option<Release> {
        self.releases(chart).max()
    }

    /// Returns the newest release of the same minor version.
    #[must_use]
    pub fn newest_patch(&self, chart: &str, release: Release) -> Option<Release> {
        self.releases(chart)
            .filter(|other| (other.major, other.minor) == (release.major, release.minor))
            .max()
    }

    fn releases(&self, chart: &str) -> impl Iterator<Item = Release> {
        self.entries.get(chart).into_iter().flatten().filter_map(|entry| Release::parse(&entry.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::common::mutation;

    const INDEX: &str = "apiVersion: v1
entries:
  cilium:
    - &newest
      version: 1.20.3
      urls: [https://helm.example/cilium-1.20.3.tgz]
    - version: 1.20.0
      digest: 5e7f1a0c93b1d4a86f2e0d7c4b3a29180716253443526170f0e1d2c3b4a59687
      urls: [charts/cilium-1.20.0.tgz]
    - *newest
";

    fn release(text: &str) -> Release {
        Release::parse(text).expect("a release")
    }

    fn base() -> Url {
        "https://helm.example/".parse().expect("a URL")
    }

    #[test]
    fn an_address_that_is_not_encrypted_is_not_usable() {
        let find = |address: &str| {
            let text = INDEX.replace("charts/cilium-1.20.0.tgz", address);
            Index::parse(&text).expect("an index").find("cilium", release("1.20.0"), &base())
        };
        assert!(find("charts/cilium-1.20.0.tgz").is_ok());
        assert!(find("https://mirror.example/cilium-1.20.0.tgz").is_ok());
        for address in ["http://helm.example/cilium-1.20.0.tgz", "file:///etc/passwd", "\"data:,x\""] {
            assert!(matches!(find(address), Err(IndexError::NoAddress { .. })), "{address}");
        }
    }

    #[test]
    fn mutations_of_an_index_are_read_or_refused() {
        let words = [
            "*newest",
            "<<: *newest",
            "- &b [*newest, *newest]",
            "!!binary ",
            "http:",
            "file:",
            "..",
            "1.20",
        ];
        let (mut found, mut refused) = (0, 0);
        mutation::for_each(&[INDEX.as_bytes()], &words, |bytes| {
            let Ok(index) = Index::parse(&String::from_utf8_lossy(bytes)) else {
                refused += 1;
                return;
            };
            let _ = (index.newest("cilium"), index.newest_patch("cilium", release("1.20.0")));
            if let Ok(listed) = index.find("cilium", release("1.20.0"), &base()) {
                assert_eq!(listed.url.scheme(), "https");
                found += 1;
            }
        });
        assert!(found > 500 && refused > 1000, "{found} found, {refused} refused");
    }
}
