//! Replaces the secrets of a node that differ from the operator's.
//!
//! The node first compares hashes that a new key makes useless to anybody else, so that a secret which has not changed is not
//! sent. Everything goes through the standard input of ssh; the node's side is `modules/replace-secrets.sh`.

use std::collections::BTreeMap;
use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use rustls::crypto::ring;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::config::cluster::{Label, Node, SecretName};

/// The secrets of each node that a deploy may replace.
#[derive(Debug, Default)]
pub struct NodeSecrets(pub BTreeMap<Label, Vec<NodeSecret>>);

/// A secret with its bytes.
#[derive(Clone)]
pub struct NodeSecret {
    pub name: SecretName,
    pub bytes: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for NodeSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NodeSecret").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What became of a node's secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// These differed, and were replaced.
    Names(Vec<String>),
    /// The node's system is older than the program that replaces secrets.
    NoProgram,
}

/// The bytes of the key of hashes.
const KEY_LENGTH: usize = 32;

impl NodeSecrets {
    pub(super) fn of(&self, node: &Node) -> &[NodeSecret] {
        self.0.get(&node.name).map_or(&[], Vec::as_slice)
    }
}

/// Returns a new key, or `None` if this machine has no random numbers.
pub(super) fn key() -> Option<String> {
    let mut bytes = [0; KEY_LENGTH];
    ring::default_provider().secure_random.fill(&mut bytes).ok()?;
    Some(HEXLOWER.encode(&bytes))
}

/// Returns the input of `rk1-secrets compare`.
pub(super) fn hashes(key: &str, secrets: &[NodeSecret]) -> String {
    let hash = |secret: &NodeSecret| {
        let hash = Sha256::new().chain_update(key).chain_update(secret.bytes.as_slice()).finalize();
        format!("{} {}\n", secret.name.as_str(), HEXLOWER.encode(&hash))
    };
    std::iter::once(format!("{key}\n")).chain(secrets.iter().map(hash)).collect()
}

/// Returns the secrets that the answer of `rk1-secrets compare` names. Any other line is ignored: a node gets no secret that is
/// not its own.
pub(super) fn differing<'a>(answer: &str, secrets: &'a [NodeSecret]) -> Vec<&'a NodeSecret> {
    secrets.iter().filter(|secret| answer.lines().any(|line| line == secret.name.as_str())).collect()
}

/// Returns the input of `rk1-secrets replace`.
pub(super) fn contents(secrets: &[&NodeSecret]) -> Zeroizing<String> {
    let length =
        secrets.iter().map(|secret| secret.name.as_str().len() + BASE64.encode_len(secret.bytes.len()) + 2);
    // Never moved, so that no copy stays behind.
    let mut text = Zeroizing::new(String::with_capacity(length.sum()));
    for secret in secrets {
        text.push_str(secret.name.as_str());
        text.push(' ');
        BASE64.encode_append(&secret.bytes, &mut text);
        text.push('\n');
    }
    text
}
