//! `[[board]]`: the Turing Pi 2 boards.

use std::net::Ipv4Addr;

use thiserror::Error;

use super::address::parse_address;
use super::dual::parsed;
use super::first_use::FirstUse;
use super::name::Label;
use super::secrets::{SecretLookup, SecretName};
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Spanned;
use crate::config::written;

/// A Turing Pi 2 board.
#[derive(Debug, Clone)]
pub struct Board {
    pub name: Label,
    /// The address of its management controller (BMC).
    pub bmc: Spanned<Ipv4Addr>,
    /// The user that `rk1` logs in as on the BMC.
    pub user: String,
    pub password: Option<SecretName>,
}

/// The word for a node that is in no board.
pub(super) const NO_BOARD: &str = "none";

/// The number of slots of a board.
pub const SLOTS: u8 = 4;

/// The default user of the BMC's firmware.
const BMC_USER: &str = "root";

#[derive(Debug, Error)]
enum BoardMistake {
    #[error("two boards have the name `{name}`")]
    DuplicateName { name: Label },
    #[error("two boards have their BMC at `{address}`")]
    DuplicateBmc { address: Ipv4Addr },
    #[error("a board cannot have the name `none`")]
    ReservedName,
    #[error("this is not a user name")]
    NotAUser,
}

impl Mistake for BoardMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::DuplicateName { .. } => "give each board its own name",
            Self::DuplicateBmc { .. } => "give each board the address of its own BMC",
            Self::ReservedName => {
                "write another name: `board = \"none\"` stands for a node that is in no board"
            }
            Self::NotAUser => {
                "write a name of a-z, 0-9, `-` and `_` that begins with a letter or `_`, such as `root`"
            }
        };
        Some(instead.to_owned())
    }
}

/// The boards, in the order of the file. One that could not be resolved is `None`.
pub(super) fn resolve(
    boards: &[written::Board],
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Vec<Option<Board>> {
    let resolved: Vec<_> = boards.iter().map(|board| resolve_board(board, secrets, problems)).collect();
    note_duplicates(boards, &resolved, problems);
    resolved
}

fn resolve_board(
    board: &written::Board,
    secrets: &mut SecretLookup<'_>,
    problems: &mut Problems,
) -> Option<Board> {
    let name = board.name.as_ref().and_then(|text| {
        let name = problems.take(text.span, Label::parse(&text.value))?;
        if name.as_str() == NO_BOARD {
            problems.error(text.span, BoardMistake::ReservedName);
        }
        Some(name)
    });
    let bmc = board.bmc.as_ref().and_then(|text| parsed(text, parse_address::<Ipv4Addr>, problems));
    let user = match &board.user {
        Some(text) => problems.take(text.span, parse_linux_user(&text.value)),
        None => Some(BMC_USER.to_owned()),
    };
    let password = secrets.find_optional(board.password.as_ref(), problems);
    Some(Board { name: name?, bmc: bmc?, user: user?, password: password.ok()? })
}

/// A user name that Linux accepts (shadow-utils, `useradd(8)`).
fn parse_linux_user(text: &str) -> Result<String, BoardMistake> {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let is_user = (1..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && text.bytes().all(is_allowed);
    if is_user { Ok(text.to_owned()) } else { Err(BoardMistake::NotAUser) }
}

fn note_duplicates(boards: &[written::Board], resolved: &[Option<Board>], problems: &mut Problems) {
    let mut names = FirstUse::default();
    let mut addresses = FirstUse::default();
    for (written, board) in boards.iter().zip(resolved) {
        let (Some(name), Some(board)) = (written.name.as_ref(), board) else { continue };
        if let Some(first) = names.earlier(&board.name, name.span) {
            let mistake = BoardMistake::DuplicateName { name: board.name.clone() };
            problems.collision(name.span, mistake, first, "first used here");
        }
        if let Some(first) = addresses.earlier(board.bmc.value, board.bmc.span) {
            let mistake = BoardMistake::DuplicateBmc { address: board.bmc.value };
            problems.collision(board.bmc.span, mistake, first, "first used here");
        }
    }
}
