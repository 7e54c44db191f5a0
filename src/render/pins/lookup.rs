//! Looks pins up: the releases in the repositories, and the hashes of their files.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use thiserror::Error;
use url::Url;

use super::helm::{Index, IndexError};
use super::pinned::{PinnedFile, Pins, definition_url};
use super::sri::Sri;
use crate::common::causes::innermost;
use crate::config::cluster::{GATEWAY_API, Release, Versions};
use crate::config::written::Channel;
use crate::render::yaml;

const TIMEOUT: Duration = Duration::from_mins(1);
/// Bytes of a file that are read. The index of a large Helm repository has 20 MB, a chart less than 1 MB.
const BODY_LIMIT: usize = 64 << 20;

#[derive(Debug, Error)]
pub enum LookupError {
    #[error("cannot set up TLS connections")]
    Client(#[source] reqwest::Error),
    #[error("`{url}` cannot be fetched: {reason}")]
    Fetch { url: String, reason: String },
    #[error("`{url}` answers {status}")]
    Status { url: String, status: StatusCode },
    #[error("`{url}` is longer than {} MiB", BODY_LIMIT >> 20)]
    TooLong { url: String },
    #[error("`{text}` is not a URL")]
    Address { text: String, source: url::ParseError },
    #[error("`{url}` is not a usable chart index")]
    Index { url: String, source: IndexError },
    #[error("`{url}` has the hash {found}, but {origin} says {expected}")]
    Mismatch { url: String, found: Sri, expected: Sri, origin: &'static str },
    #[error("`{url}` is not a list of definitions")]
    Definitions { url: String },
    #[error("pins.json has no chart `{chart}`")]
    NoChart { chart: &'static str },
}

/// Redirects that are followed for one file. Releases on GitHub take two.
const REDIRECTS: usize = 5;

/// Why a redirect is not followed.
#[derive(Debug, PartialEq, Eq, Error)]
enum RedirectError {
    #[error("it redirects more than {REDIRECTS} times")]
    TooMany,
    #[error("it redirects from https to `{0}`")]
    Unencrypted(String),
}

/// Judges a redirect from the last of `previous` to `next`.
fn may_follow(previous: &[Url], next: &Url) -> Result<(), RedirectError> {
    if previous.len() > REDIRECTS {
        return Err(RedirectError::TooMany);
    }
    let was_encrypted = previous.last().is_some_and(|url| url.scheme() == "https");
    if was_encrypted && next.scheme() != "https" {
        return Err(RedirectError::Unencrypted(next.to_string()));
    }
    Ok(())
}

/// The newer releases of a chart in its repository, or of the Gateway API's definitions.
#[derive(Debug, PartialEq, Eq)]
pub struct Newer {
    pub name: &'static str,
    pub used: Release,
    pub is_pinned: bool,
    /// The newest release of the same minor version, if it is newer.
    pub patch: Option<NewerRelease>,
    /// The newest release of all, if it is newer.
    pub newest: Option<NewerRelease>,
}

/// A release that a repository has, and whether it is known to work with the cluster's other versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewerRelease {
    pub release: Release,
    pub is_allowed: bool,
}

#[derive(Debug)]
pub struct Repositories {
    client: Client,
}

impl Repositories {
    pub fn new() -> Result<Self, LookupError> {
        // Fails only if a provider has been chosen already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The repositories are on the Internet, so the proxy of the environment is used, if there is one.
        let follow = Policy::custom(|attempt| match may_follow(attempt.previous(), attempt.url()) {
            Ok(()) => attempt.follow(),
            Err(refusal) => attempt.error(refusal),
        });
        let client =
            Client::builder().timeout(TIMEOUT).redirect(follow).build().map_err(LookupError::Client)?;
        Ok(Self { client })
    }

    /// Returns the releases that are newer than those of the cluster.
    pub async fn newer(&self, pins: &Pins, versions: &Versions) -> Result<Vec<Newer>, LookupError> {
        let mut all = Vec::new();
        for (chart, used) in versions.charts() {
            let (_, index) = self.index(pins, chart).await?;
            all.push(Newer {
                name: chart,
                used,
                is_pinned: pins.chart(chart, used).is_some(),
                patch: newer(versions, chart, used, index.newest_patch(chart, used)),
                newest: newer(versions, chart, used, index.newest(chart)),
            });
        }
        let (used, channel) = (versions.gateway_api, versions.gateway_api_channel);
        let releases = self.fetch(&address(&pins.gateway_api.releases)?).await?;
        let releases = listed_releases(&String::from_utf8_lossy(&releases));
        let is_patch = |release: &Release| (release.major, release.minor) == (used.major, used.minor);
        all.push(Newer {
            name: GATEWAY_API,
            used,
            is_pinned: !pins.definitions(used, channel).is_empty(),
            patch: newer(versions, GATEWAY_API, used, releases.iter().copied().filter(is_patch).max()),
            newest: newer(versions, GATEWAY_API, used, releases.iter().copied().max()),
        });
        Ok(all)
    }

    /// Returns the pins with the hashes of all files that the cluster's versions need. A file that is pinned already must
    /// have the same hash.
    pub async fn pin(&self, pins: &Pins, versions: &Versions) -> Result<Pins, LookupError> {
        let mut pinned = pins.clone();
        for (chart, release) in versions.charts() {
            let file = self.chart(pins, chart, release).await?;
            if let Some(chart) = pinned.charts.get_mut(chart) {
                chart.versions.insert(release.to_string(), file);
            }
        }
        let (release, channel) = (versions.gateway_api, versions.gateway_api_channel);
        let files = self.definitions(pins, release, channel).await?;
        let bundles = pinned.gateway_api.versions.entry(release.to_string()).or_default();
        bundles.insert(channel.word().to_owned(), files);
        Ok(pinned)
    }

    async fn chart(
        &self,
        pins: &Pins,
        chart: &'static str,
        release: Release,
    ) -> Result<PinnedFile, LookupError> {
        let (base, index) = self.index(pins, chart).await?;
        let listed = index
            .find(chart, release, &base)
            .map_err(|source| LookupError::Index { url: base.into(), source })?;
        let found = Sri::of(&self.fetch(&listed.url).await?);
        let expected = [
            (listed.hash, "the repository's index"),
            (pins.chart(chart, release).map(|file| file.hash), "pins.json"),
        ];
        for (expected, origin) in expected {
            expect(&listed.url, found, expected, origin)?;
        }
        Ok(PinnedFile { url: listed.url.into(), hash: found })
    }

    /// Returns the repository's URL, with a slash at the end, and its index.
    async fn index(&self, pins: &Pins, chart: &'static str) -> Result<(Url, Index), LookupError> {
        let repository =
            pins.charts.get(chart).map(|chart| &chart.repository).ok_or(LookupError::NoChart { chart })?;
        let base = address(&format!("{repository}/"))?;
        let url = address(&format!("{repository}/index.yaml"))?;
        let text = self.fetch(&url).await?;
        let index = Index::parse(&String::from_utf8_lossy(&text))
            .map_err(|source| LookupError::Index { url: url.into(), source })?;
        Ok((base, index))
    }

    async fn definitions(
        &self,
        pins: &Pins,
        release: Release,
        channel: Channel,
    ) -> Result<BTreeMap<String, Sri>, LookupError> {
        let repository = &pins.gateway_api.repository;
        let known = pins.gateway_api.versions.get(&release.to_string());
        let known = known.and_then(|bundles| bundles.get(channel.word())).cloned().unwrap_or_default();
        let names = if known.is_empty() {
            self.definition_names(repository, release, channel).await?
        } else {
            known.keys().cloned().collect()
        };
        let mut files = BTreeMap::new();
        for name in names {
            let url = address(&definition_url(repository, release, channel, &name))?;
            let found = Sri::of(&self.fetch(&url).await?);
            expect(&url, found, known.get(&name).copied(), "pins.json")?;
            files.insert(name, found);
        }
        Ok(files)
    }

    /// Returns the names of a bundle's files from the kustomization that lists them: that of the channel, or the one above.
    async fn definition_names(
        &self,
        repository: &str,
        release: Release,
        channel: Channel,
    ) -> Result<Vec<String>, LookupError> {
        let own = address(&definition_url(repository, release, channel, "kustomization.yaml"))?;
        let above = address(&format!("{repository}/v{release}/config/crd/kustomization.yaml"))?;
        for url in [own, above] {
            let text = match self.fetch(&url).await {
                Err(LookupError::Status { status: StatusCode::NOT_FOUND, .. }) => continue,
                answer => answer?,
            };
            let names = resources(&String::from_utf8_lossy(&text), channel);
            if !names.is_empty() {
                return Ok(names);
            }
        }
        let url = address(&format!("{repository}/v{release}/config/crd"))?;
        Err(LookupError::Definitions { url: url.into() })
    }

    async fn fetch(&self, url: &Url) -> Result<Vec<u8>, LookupError> {
        log::debug!("GET {url}");
        let failed =
            |error: reqwest::Error| LookupError::Fetch { url: url.to_string(), reason: innermost(&error) };
        let mut answer = self.client.get(url.clone()).send().await.map_err(failed)?;
        let status = answer.status();
        if !status.is_success() {
            return Err(LookupError::Status { url: url.to_string(), status });
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if bytes.len() + chunk.len() > BODY_LIMIT {
                return Err(LookupError::TooLong { url: url.to_string() });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// Returns a release if it is newer than the used one.
fn newer(versions: &Versions, part: &str, used: Release, release: Option<Release>) -> Option<NewerRelease> {
    let release = release.filter(|release| *release > used)?;
    Some(NewerRelease { release, is_allowed: versions.allow(part, release) })
}

/// Returns the releases of a list, without previews.
fn listed_releases(text: &str) -> Vec<Release> {
    let releases = text.lines().filter_map(|line| Release::parse(line.trim()));
    releases.filter(|release| release.patch.is_some()).collect()
}

fn address(text: &str) -> Result<Url, LookupError> {
    Url::parse(text).map_err(|source| LookupError::Address { text: text.to_owned(), source })
}

fn expect(url: &Url, found: Sri, expected: Option<Sri>, origin: &'static str) -> Result<(), LookupError> {
    match expected.filter(|expected| *expected != found) {
        Some(expected) => Err(LookupError::Mismatch { url: url.to_string(), found, expected, origin }),
        None => Ok(()),
    }
}

/// Returns the files of a channel in a kustomization, listed by name or below a folder named after the channel.
fn resources(text: &str, channel: Channel) -> Vec<String> {
    let documents = yaml::parse(text).unwrap_or_default();
    let resources = documents.first().and_then(|document| document["resources"].as_array());
    let names = resources.into_iter().flatten().filter_map(serde_json::Value::as_str);
    let own = names.filter_map(|name| match name.split_once('/') {
        None => Some(name),
        Some((folder, name)) => Some(name).filter(|name| folder == channel.word() && !name.contains('/')),
    });
    own.filter(|name| is_file_name(name)).map(str::to_owned).collect()
}

/// Returns whether a name is that of a YAML file and nothing more: it becomes part of a URL and of a rendered file.
fn is_file_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let stem = name.strip_suffix(".yaml").unwrap_or_default();
    (1..=250).contains(&stem.len()) && !stem.starts_with('.') && stem.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use std::slice;

    use super::*;
    use crate::common::mutation;

    fn url(text: &str) -> Url {
        text.parse().expect("a URL")
    }

    #[test]
    fn a_redirect_is_followed_a_few_times_and_never_out_of_https() {
        let (plain, secure) = (url("http://a.example/"), url("https://a.example/"));
        assert_eq!(may_follow(slice::from_ref(&plain), &plain), Ok(()));
        assert_eq!(may_follow(slice::from_ref(&plain), &secure), Ok(()));
        assert_eq!(may_follow(slice::from_ref(&secure), &secure), Ok(()));
        let downgrade = Err(RedirectError::Unencrypted("http://a.example/".to_owned()));
        assert_eq!(may_follow(&[plain.clone(), secure.clone()], &plain), downgrade);
        assert_eq!(may_follow(&vec![secure.clone(); REDIRECTS], &secure), Ok(()));
        assert_eq!(may_follow(&vec![secure.clone(); REDIRECTS + 1], &secure), Err(RedirectError::TooMany));
    }

    #[test]
    fn mutations_of_a_list_of_definitions_give_names_of_files() {
        let list = "resources:\n- standard/gateways.yaml\n- experimental/tcproutes.yaml\n- httproutes.yaml\n";
        assert_eq!(resources(list, Channel::Standard), ["gateways.yaml", "httproutes.yaml"]);
        let words = ["../", "/etc/passwd", "${x}", "\"", "- ", "resources"];
        mutation::for_each(&[list.as_bytes()], &words, |bytes| {
            let names = resources(&String::from_utf8_lossy(bytes), Channel::Standard);
            assert!(names.iter().all(|name| is_file_name(name)), "{names:?}");
        });
    }
}
