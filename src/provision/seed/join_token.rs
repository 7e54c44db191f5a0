//! Tokens with which nodes join: the short form of the operator's file becomes the full form, by which the joining node
//! recognizes the cluster before it sends anything.

use thiserror::Error;
use zeroize::Zeroizing;

use super::server_ca::AuthorityHash;
use crate::config::written::Role;

/// The prefix of a full token: `K10<hash of the authority>::<user>:<password>` (docs.k3s.io/cli/token).
const FULL: &str = "K10";
/// The hexadecimal digits of the hash.
const HASH_LENGTH: usize = 64;

/// What is wrong with a token. It holds no byte of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JoinTokenMistake {
    #[error("is not one line of text without spaces")]
    NotALine,
    #[error("begins with `K10`, but is not a full token of k3s")]
    NotFull,
    #[error("is a token of servers, and agents would get it")]
    OfServers,
    #[error("is a token of agents, with which no server joins")]
    OfAgents,
    #[error("names another certificate authority than that of the cluster")]
    OtherAuthority,
    #[error("is the same for servers and agents")]
    Shared,
}

/// Returns the user that a token of nodes of this role names. k3s makes both users (`genUsers` in its `pkg/daemons/control`).
fn user(role: Role) -> &'static str {
    match role {
        Role::Server => "server",
        Role::Agent => "node",
    }
}

/// A token in its parts.
struct Token<'a> {
    /// The authority that it names, in its full form.
    authority: Option<&'a str>,
    user: Option<&'a str>,
    password: &'a str,
}

impl<'a> Token<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, JoinTokenMistake> {
        let text = std::str::from_utf8(bytes).map_err(|_| JoinTokenMistake::NotALine)?.trim();
        if text.is_empty()
            || text.contains(|character: char| character.is_whitespace() || character.is_control())
        {
            return Err(JoinTokenMistake::NotALine);
        }
        let Some(full) = text.strip_prefix(FULL) else {
            return Ok(Self { authority: None, user: None, password: text });
        };
        let parts =
            full.split_once("::").and_then(|(hash, credentials)| Some((hash, credentials.split_once(':')?)));
        match parts {
            Some((hash, (user, password)))
                if hash.len() == HASH_LENGTH
                    && hash.bytes().all(|digit| digit.is_ascii_hexdigit())
                    && !password.is_empty() =>
            {
                Ok(Self { authority: Some(hash), user: Some(user), password })
            }
            _ => Err(JoinTokenMistake::NotFull),
        }
    }
}

/// Returns the token in its full form, if the authority is known, and otherwise as it is.
///
/// `role` is that of the nodes that join with it: `None` if both do.
pub(super) fn complete(
    bytes: &[u8],
    role: Option<Role>,
    authority: Option<&AuthorityHash>,
) -> Result<Zeroizing<Vec<u8>>, JoinTokenMistake> {
    let token = Token::parse(bytes)?;
    match (token.user, role) {
        (Some(found), Some(Role::Agent)) if found == user(Role::Server) => {
            return Err(JoinTokenMistake::OfServers);
        }
        (Some(found), Some(Role::Server) | None) if found == user(Role::Agent) => {
            return Err(JoinTokenMistake::OfAgents);
        }
        _ => {}
    }
    match (token.authority, authority) {
        (Some(named), Some(known)) if !named.eq_ignore_ascii_case(known.as_str()) => {
            Err(JoinTokenMistake::OtherAuthority)
        }
        (None, Some(known)) => {
            let user = user(role.unwrap_or(Role::Server));
            let parts = [FULL, known.as_str(), "::", user, ":", token.password];
            // All at once: a vector that grows would leave copies behind.
            let mut full = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
            for part in parts {
                full.extend_from_slice(part.as_bytes());
            }
            Ok(full)
        }
        _ => Ok(Zeroizing::new(bytes.to_vec())),
    }
}

/// Returns the authority of the servers that a token names, if it is in its full form.
pub(super) fn authority(bytes: &[u8]) -> Option<AuthorityHash> {
    Token::parse(bytes).ok()?.authority.map(AuthorityHash::named)
}

/// Returns whether two tokens, which have been checked, have the same password: who has one then has the other.
pub(super) fn is_shared(one: &[u8], other: &[u8]) -> bool {
    match (Token::parse(one), Token::parse(other)) {
        (Ok(one), Ok(other)) => one.password == other.password,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OTHER: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

    fn authority() -> AuthorityHash {
        let file = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n\
                    -----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        AuthorityHash::of(file.as_bytes()).expect("an authority")
    }

    fn completed(text: &str, role: Option<Role>) -> Result<String, JoinTokenMistake> {
        complete(text.as_bytes(), role, Some(&authority()))
            .map(|token| String::from_utf8(token.to_vec()).expect("text"))
    }

    #[test]
    fn a_short_token_gets_the_hash_and_the_user() {
        // printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' | sha256sum
        let hash = "7cc358aa45100f42d57b76e9b235253bfc6fc830b3e45858d2bc473657aae3f7";
        assert_eq!(authority().as_str(), hash);
        let full = |user: &str| Ok(format!("K10{hash}::{user}:password"));
        assert_eq!(completed("password\n", Some(Role::Server)), full("server"));
        assert_eq!(completed("password", Some(Role::Agent)), full("node"));
        assert_eq!(completed("password", None), full("server"));
        // A full one stays as it is.
        let whole = format!("K10{hash}::node:password\n");
        assert_eq!(completed(&whole, Some(Role::Agent)), Ok(whole.clone()));
        assert_eq!(
            complete(b"password\n", None, None).as_deref().map(Vec::as_slice),
            Ok(b"password\n".as_slice())
        );
    }

    #[test]
    fn tokens_that_do_not_fit_are_refused() {
        let of = |user: &str| format!("K10{}::{user}:password", authority().as_str());
        for (text, role, expected) in [
            ("two words".to_owned(), Role::Server, JoinTokenMistake::NotALine),
            ("\n".to_owned(), Role::Server, JoinTokenMistake::NotALine),
            ("K10abc::server:x".to_owned(), Role::Server, JoinTokenMistake::NotFull),
            (format!("K10{OTHER}::server:"), Role::Server, JoinTokenMistake::NotFull),
            (format!("K10{OTHER}::server:x"), Role::Server, JoinTokenMistake::OtherAuthority),
            (of("server"), Role::Agent, JoinTokenMistake::OfServers),
            (of("node"), Role::Server, JoinTokenMistake::OfAgents),
        ] {
            assert_eq!(completed(&text, Some(role)), Err(expected), "{text}");
        }
        assert!(is_shared(b"password\n", of("server").as_bytes()));
        assert!(!is_shared(b"password", b"another"));
    }
}
