//! The programs that print secrets, as `[secrets]` writes them: `command`, `sops` or `age`.

use thiserror::Error;

use crate::common::secret_source::SecretProgram;
use crate::config::diagnostics::redact::looks_like_secret;
use crate::config::diagnostics::{Mistake, Problems};
use crate::config::source::Span;
use crate::config::written::{self, Text};

#[derive(Debug, Error)]
enum ProgramMistake {
    #[error("nothing says where the secret `{name}` comes from")]
    Nothing { name: String },
    #[error("several programs print the secret `{name}`")]
    Several { name: String },
    #[error("`{key}` belongs to `{owner}`")]
    Stray { key: &'static str, owner: &'static str },
    #[error("the command is empty")]
    EmptyCommand,
    #[error("`age` lacks `identity`")]
    NoIdentity,
    #[error("`{path}` begins with `~`, which only a shell expands")]
    Home { path: String },
    #[error("`{path}` is not the name of a file that a program can take as an argument")]
    Option { path: String },
    #[error("this looks like the secret itself, not like a part of a command")]
    Inline,
    #[error("`{key}` is not a key of a file of sops")]
    Key { key: String },
}

impl Mistake for ProgramMistake {
    fn hint(&self) -> Option<String> {
        let instead = match self {
            Self::Nothing { .. } | Self::EmptyCommand => {
                "write a program and its arguments: `command = [\"op\", \"read\", \"op://home/grafana/token\"]`"
            }
            Self::Several { .. } => "write one of `command`, `sops` and `age`",
            Self::Stray { .. } => "remove it, or write the key that it belongs to",
            Self::NoIdentity => "write the file with the identity, such as `identity = \"/home/me/age.txt\"`",
            Self::Home { .. } => "write the absolute path, or a path relative to cluster.toml",
            Self::Option { .. } => "write the path of the file, such as `secrets.yaml`",
            Self::Inline => {
                "write the command that prints the secret. A secret that was written here may have leaked: replace it"
            }
            Self::Key { .. } => {
                "write the key as it is in the file, without quotes, brackets and line breaks"
            }
        };
        Some(instead.to_owned())
    }

    fn marks_secret(&self) -> bool {
        matches!(self, Self::Inline)
    }
}

/// Returns the program, or notes a problem. `name` and `span` are those of the secret.
pub(super) fn resolve(
    name: &Text,
    written: &written::SecretProgram,
    problems: &mut Problems,
) -> Option<SecretProgram> {
    let written::SecretProgram { command, sops, key, age, identity, .. } = written;
    let count = usize::from(command.is_some()) + usize::from(sops.is_some()) + usize::from(age.is_some());
    if count != 1 {
        let name_text = name.value.clone();
        let mistake = if count == 0 {
            ProgramMistake::Nothing { name: name_text }
        } else {
            ProgramMistake::Several { name: name_text }
        };
        problems.error(name.span, mistake);
        return None;
    }
    if let Some(key) = key.as_ref().filter(|_| sops.is_none()) {
        problems.error(key.span, ProgramMistake::Stray { key: "key", owner: "sops" });
        return None;
    }
    if let Some(identity) = identity.as_ref().filter(|_| age.is_none()) {
        problems.error(identity.span, ProgramMistake::Stray { key: "identity", owner: "age" });
        return None;
    }
    match (command, sops, age) {
        (Some(words), ..) => from_command(words, name.span, problems),
        (_, Some(file), _) => {
            let file = problems.take(file.span, argument(file))?;
            let mut arguments = vec!["decrypt".to_owned()];
            if let Some(key) = key {
                let path = problems.take(key.span, sops_path(&key.value))?;
                arguments.extend(["--extract".to_owned(), path]);
            }
            arguments.push(file);
            Some(SecretProgram { program: "sops".to_owned(), arguments })
        }
        (_, _, Some(file)) => {
            let Some(identity) = identity else {
                problems.error(file.span, ProgramMistake::NoIdentity);
                return None;
            };
            let (file, identity) =
                (problems.take(file.span, argument(file)), problems.take(identity.span, argument(identity)));
            let arguments = vec!["--decrypt".to_owned(), "--identity".to_owned(), identity?, file?];
            Some(SecretProgram { program: "age".to_owned(), arguments })
        }
        _ => None,
    }
}

fn from_command(words: &[Text], span: Span, problems: &mut Problems) -> Option<SecretProgram> {
    for word in words.iter().filter(|word| looks_like_secret(&word.value)) {
        problems.error(word.span, ProgramMistake::Inline);
    }
    let (program, arguments) = match words.split_first() {
        Some((program, arguments)) if !program.value.is_empty() => (program, arguments),
        _ => {
            problems.error(span, ProgramMistake::EmptyCommand);
            return None;
        }
    };
    if program.value.starts_with('~') {
        problems.error(program.span, ProgramMistake::Home { path: program.value.clone() });
    }
    Some(SecretProgram {
        program: program.value.clone(),
        arguments: arguments.iter().map(|word| word.value.clone()).collect(),
    })
}

/// Checks the path of a file, which must not be taken for an option.
fn argument(path: &Text) -> Result<String, ProgramMistake> {
    let text = path.value.clone();
    if text.starts_with('~') {
        Err(ProgramMistake::Home { path: text })
    } else if text.is_empty() || text.starts_with('-') {
        Err(ProgramMistake::Option { path: text })
    } else {
        Ok(text)
    }
}

/// Returns the path of a key as `sops decrypt --extract` takes it.
fn sops_path(key: &str) -> Result<String, ProgramMistake> {
    let is_plain = |character: char| !character.is_control() && !"\"\\[]".contains(character);
    if key.is_empty() || !key.chars().all(is_plain) {
        return Err(ProgramMistake::Key { key: key.to_owned() });
    }
    Ok(format!("[\"{key}\"]"))
}
