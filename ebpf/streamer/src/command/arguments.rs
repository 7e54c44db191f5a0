//! What can be typed. Completions and the man page are made from the same definitions.

#![expect(clippy::doc_markdown, reason = "these comments are the help texts")]

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Shows every received packet live in Grafana.
#[derive(Debug, Parser)]
#[command(
    name = "xdp-streamer",
    version,
    about,
    max_term_width = 100,
    after_help = "Needs root, or CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON. Packets are only read, never changed."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Stream packets to a sink until stopped
    Run(Box<RunArguments>),
    /// Show packets in the terminal
    Watch {
        /// The interface to watch
        interface: String,
        #[command(flatten)]
        hook: HookArguments,
    },
    /// Say what would work on an interface, and why not
    Check {
        /// The interface to look at
        interface: String,
    },
    /// Write shell completions or the man page to standard output
    #[command(subcommand)]
    Generate(Generate),
}

#[derive(Debug, Subcommand)]
pub enum Generate {
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
    /// The man page, or the one of a subcommand
    Man {
        #[arg(value_parser = ["run", "watch", "check"])]
        subcommand: Option<String>,
    },
}

/// Where the program is attached.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct HookArguments {
    /// The kernel's hook: XDP, or TCX where another XDP program is on the interface
    #[arg(long, value_enum)]
    pub hook: Option<HookArgument>,
    /// XDP's mode: the driver's, the kernel's generic one, or the first of them that works
    #[arg(long, value_enum, value_name = "MODE")]
    pub xdp_mode: Option<XdpModeArgument>,
}

/// What `run` was asked for. Whatever is absent comes from the configuration file, the environment or the default.
#[derive(Debug, Default, Args)]
pub struct RunArguments {
    /// An interface to stream; may be given more than once [env: INTERFACE_NAME]
    #[arg(long, short, value_name = "IFACE")]
    pub interface: Vec<String>,
    /// Stream the interface that has this address, in place of one that is named
    #[arg(long, value_name = "ADDR", conflicts_with = "interface")]
    pub address: Option<IpAddr>,
    /// Where rows go [default: by the URL; stdout without one]
    #[arg(long, value_enum)]
    pub sink: Option<SinkArgument>,
    /// The sink's URL: Grafana's own, or a whole push URL; InfluxDB's with its query [env: GRAFANA_URL]
    #[arg(long)]
    pub url: Option<String>,
    /// A file that holds the sink's token; read again when it changes [default:
    /// $CREDENTIALS_DIRECTORY/token, then the variable GRAFANA_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Grafana's stream id [default: <host>-<interface>]
    #[arg(long)]
    pub stream: Option<String>,
    /// Send tokens and rows over plain http beyond private addresses
    #[arg(long)]
    pub allow_plain_http: bool,
    /// How rows are written on standard output [default: table on a terminal, else line]
    #[arg(long, value_enum)]
    pub format: Option<FormatArgument>,
    #[command(flatten)]
    pub hook: HookArguments,
    /// Most packets shown a second; the rest is sampled, the totals stay exact [default: 500]
    #[arg(long, value_name = "ROWS_PER_S")]
    pub budget: Option<u32>,
    /// Time between pushes, 200 ms or more [default: 250ms]
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub interval: Option<std::time::Duration>,
    /// Flows of top_talkers each second; 0 switches the adding up in the kernel off [default: 10]
    #[arg(long, value_name = "COUNT")]
    pub talkers: Option<usize>,
    /// Most memory for rows that wait for the sink, for each interface [default: 8MiB]
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    pub buffer: Option<usize>,
    /// Stop after this time
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub duration: Option<std::time::Duration>,
    /// Stop after the first second's rows
    #[arg(long)]
    pub once: bool,
    /// Serve Prometheus metrics at /metrics of this address
    #[arg(long, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// How IP addresses are shown; groups and broadcasts always whole [default: whole]
    #[arg(long, value_enum)]
    pub addresses: Option<AddressesArgument>,
    /// The key for --addresses hash, 16 bytes or more
    #[arg(long, value_name = "FILE")]
    pub hash_key_file: Option<PathBuf>,
    /// How MAC addresses are shown: whole, or the vendor's half only [default: whole]
    #[arg(long, value_enum)]
    pub mac: Option<MacArgument>,
    /// Show no ports
    #[arg(long)]
    pub no_ports: bool,
    /// The host's name in each row [default: the system's]
    #[arg(long)]
    pub host: Option<String>,
    /// A TOML file with the same settings: `interface = ["end0"]`, `token-file = "…"`
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SinkArgument {
    Stdout,
    Grafana,
    Influx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatArgument {
    Line,
    Table,
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HookArgument {
    Xdp,
    Tcx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum XdpModeArgument {
    Auto,
    Driver,
    Generic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressesArgument {
    Whole,
    /// The first 24 bits of IPv4, 48 of IPv6
    Truncate,
    /// A hash with the key of --hash-key-file
    Hash,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacArgument {
    Whole,
    Vendor,
}

/// `250ms`, `5s`, `2m` or `1h`.
pub(super) fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds: u64 = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err("write a whole number and ms, s, m or h: `250ms`".into()),
    };
    let number: u64 = number.parse().map_err(|_| "write a whole number and ms, s, m or h: `250ms`")?;
    let total = number.checked_mul(milliseconds).ok_or("that is longer than any time")?;
    if total == 0 {
        Err("it must be longer than nothing".into())
    } else {
        Ok(std::time::Duration::from_millis(total))
    }
}

/// `512KiB`, `8MiB`, or bytes.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let bytes: usize = match unit.trim() {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        _ => return Err("write a whole number and KiB, MiB or GiB: `8MiB`".into()),
    };
    let number: usize = number.parse().map_err(|_| "write a whole number and KiB, MiB or GiB: `8MiB`")?;
    let total = number.checked_mul(bytes).ok_or("that is more than any memory")?;
    if total < 64 << 10 { Err("64KiB is the least".into()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;
    use snapbox::{assert_data_eq, file};
    use std::time::Duration;

    #[test]
    fn the_definitions_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn times_and_sizes_have_units() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert!(
            ["", "5", "s", "-1s", "0s", "1.5s", "99999999999999999h"]
                .iter()
                .all(|text| parse_duration(text).is_err())
        );
        assert_eq!(parse_size("8MiB"), Ok(8 << 20));
        assert!(["", "1KiB", "MiB", "8 parsecs"].iter().all(|text| parse_size(text).is_err()));
    }

    #[test]
    fn help_tells_every_flag() {
        let mut command = Cli::command();
        let run = command.find_subcommand_mut("run").unwrap().render_long_help().to_string();
        assert_data_eq!(run, file!["snapshots/run_help.txt"].raw());
    }
}
