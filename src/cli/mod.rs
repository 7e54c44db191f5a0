//! The command line: one file for each subcommand, arguments in, screens out. Only this module prints.

mod arguments;
mod check;
mod cluster_file;
mod completions;
mod deploy;
mod diagram;
mod doctor;
mod duration;
mod flash;
mod init;
mod inspect;
mod join;
mod lab;
mod man;
mod outcome;
mod output;
mod pin;
mod progress;
mod question;
mod render;
mod runtime;
mod schema;
mod secrets;
mod status;

pub use arguments::Arguments;
