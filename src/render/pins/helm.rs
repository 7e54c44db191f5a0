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
        let url = entry.urls.first().and_then(|address| base.join(address).ok());
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
