//! `[k3s.snapshots]`: snapshots of etcd.

use thiserror::Error;

use super::super::name::Label;
use super::super::number::number_or;
use super::super::secrets::{SecretLookup, SecretName};
use super::super::url::{Service, parse_url};
use super::cron;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::written::{self, Text};

/// Snapshots of etcd, as servers make them.
#[derive(Debug, Clone)]
pub struct Snapshots {
    pub enable: bool,
    /// `None` for k3s's default.
    pub schedule: Option<String>,
    /// `None` for k3s's default.
    pub retention: Option<u16>,
    pub compress: bool,
    pub s3: Option<S3>,
}

/// An S3 bucket to which snapshots are copied.
#[derive(Debug, Clone)]
pub struct S3 {
    /// Host name, with its port if it is not the default one.
    pub endpoint: String,
    /// Whether the connection is not encrypted.
    pub is_plain: bool,
    pub bucket: String,
    pub region: Option<String>,
    pub folder: String,
    pub access_key_id: String,
    pub secret_access_key: SecretName,
    pub ca: Option<SecretName>,
}

impl S3 {
    /// Returns the secrets, each with what it is for.
    pub fn secrets(&self) -> impl Iterator<Item = (&SecretName, &'static str)> {
        let ca = self.ca.iter().map(|ca| (ca, "certificate authority of the S3 service"));
        std::iter::once((&self.secret_access_key, "access key of the S3 bucket")).chain(ca)
    }
}

const ENDPOINT: &str = "s3.amazonaws.com";

const SERVICE: Service = Service {
    name: "an S3 service",
    example: "https://s3.example.org",
    secret: "snapshots of etcd",
    login: "`access-key-id` and `secret-access-key` are the login",
    may_have_path: false,
};

#[derive(Debug, Error)]
enum SnapshotMistake {
    #[error("`{text}` is not the name of a bucket")]
    Bucket { text: String },
    #[error("`{text}` is not the name of a region")]
    Region { text: String },
    #[error("`{text}` is not a folder of a bucket")]
    Folder { text: String },
    #[error("`{text}` is not the name of an access key")]
    AccessKey { text: String },
    #[error("`{key}` has no effect, because `enable` is `false`")]
    Disabled { key: &'static str },
}

impl Mistake for SnapshotMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Bucket { .. } => {
                "write 3 to 63 characters: a-z, 0-9, `-` and `.`, with a letter or digit at both ends"
            }
            Self::Region { .. } => "write a region such as `eu-central-1`",
            Self::Folder { .. } => {
                "write letters, digits, `-`, `_`, `.` and `/` between them, such as `turing-pi`"
            }
            Self::AccessKey { .. } => "write 3 to 128 letters, digits, `-`, `_`, `.`, `/`, `+` and `=`",
            Self::Disabled { .. } => "remove it, or `enable`",
        };
        Some(instead.to_owned())
    }
}

pub(super) fn resolve(
    written: Option<&written::Snapshots>,
    cluster: Option<&Label>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Snapshots> {
    let default = written::Snapshots::default();
    let written = written.unwrap_or(&default);
    let enable = written.enable.as_ref().is_none_or(|enable| enable.value);
    let schedule = match &written.schedule {
        Some(text) => problems.take(text.span, cron::parse(&text.value)).map(Some),
        None => Some(None),
    };
    let retention = match &written.retention {
        Some(_) => number_or(5, written.retention.as_ref(), "number of snapshots", &(1..=1000_u16), problems)
            .map(Some),
        None => Some(None),
    };
    if !enable {
        let schedule = written.schedule.as_ref().map(|text| ("schedule", text.span));
        let retention = written.retention.as_ref().map(|number| ("retention", number.span));
        for (key, span) in schedule.into_iter().chain(retention) {
            problems.error(span, SnapshotMistake::Disabled { key });
        }
    }
    let s3 = match &written.s3 {
        Some(s3) => resolve_s3(s3, cluster, secrets, problems).map(Some),
        None => Some(None),
    };
    Some(Snapshots {
        enable,
        schedule: schedule?,
        retention: retention?,
        compress: written.compress.as_ref().is_some_and(|compress| compress.value),
        s3: s3?,
    })
}

fn resolve_s3(
    written: &written::S3,
    cluster: Option<&Label>,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<S3> {
    let endpoint = match &written.endpoint {
        Some(text) => problems.take(text.span, parse_url(&text.value, &SERVICE)).and_then(|url| {
            let host = url.host_str()?.to_owned();
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            Some((format!("{host}{port}"), url.scheme() == "http"))
        }),
        None => Some((ENDPOINT.to_owned(), false)),
    };
    let mut word =
        |text: Option<&Text>, is_right: fn(&str) -> bool, mistake: fn(String) -> SnapshotMistake| {
            let text = text?;
            let checked =
                if is_right(&text.value) { Ok(text.value.clone()) } else { Err(mistake(text.value.clone())) };
            problems.take(text.span, checked)
        };
    let bucket = word(written.bucket.as_ref(), is_bucket, |text| SnapshotMistake::Bucket { text });
    let access_key_id =
        word(written.access_key_id.as_ref(), is_access_key, |text| SnapshotMistake::AccessKey { text });
    let region = word(written.region.as_ref(), is_region, |text| SnapshotMistake::Region { text });
    let folder = word(written.folder.as_ref(), is_folder, |text| SnapshotMistake::Folder { text });
    let secret = written.secret_access_key.as_ref().and_then(|text| secrets.find(text, problems));
    let ca = secrets.find_optional(written.ca.as_ref(), problems).ok();
    if written.region.is_some() && region.is_none() {
        return None;
    }
    let folder = match &written.folder {
        Some(_) => folder?,
        None => cluster?.to_string(),
    };
    let (endpoint, is_plain) = endpoint?;
    Some(S3 {
        endpoint,
        is_plain,
        bucket: bucket?,
        region,
        folder,
        access_key_id: access_key_id?,
        secret_access_key: secret?,
        ca: ca?,
    })
}

/// The general rules of S3 ("Bucket naming rules").
fn is_bucket(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.".contains(&byte);
    let is_outer = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    (3..=63).contains(&text.len())
        && text.bytes().all(is_inner)
        && text.starts_with(is_outer)
        && text.ends_with(is_outer)
        && !text.contains("..")
}

fn is_region(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=63).contains(&text.len()) && text.bytes().all(is_inner)
}

fn is_folder(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_inner);
    text.len() <= 255 && text.split('/').all(is_part)
}

fn is_access_key(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./+=".contains(&byte);
    (3..=128).contains(&text.len()) && text.bytes().all(is_inner)
}
