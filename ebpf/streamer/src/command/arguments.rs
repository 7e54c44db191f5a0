//! The arguments of the command line. Completions and manual pages are made from the same definitions.

#![expect(clippy::doc_markdown, reason = "these comments are help texts")]

use super::recording::Rotation;
use crate::filter::Expression;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Show received packets live in Grafana
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
    Watch(WatchArguments),
    /// Check what works on an interface, and why something does not
    Check {
        /// Interface to check
        interface: String,
    },
    /// Print shell completions or a manual page
    #[command(subcommand)]
    Generate(Generate),
}

#[derive(Debug, Args)]
pub struct WatchArguments {
    /// Interface to watch
    pub interface: String,
    /// Look up names in DNS; without it, only /etc/hosts is read
    #[arg(long)]
    pub dns: bool,
    #[command(flatten)]
    pub hook: HookArguments,
}

#[derive(Debug, Subcommand)]
pub enum Generate {
    /// Print completions for a shell
    Completions { shell: clap_complete::Shell },
    /// Print the manual page of the program or of a subcommand
    Man {
        #[arg(value_parser = ["run", "watch", "check"])]
        subcommand: Option<String>,
    },
}

/// Where the program is attached, and which packets it shows.
#[derive(Debug, Clone, Default, Args)]
pub struct HookArguments {
    /// Attach to this hook of the kernel [default: the one that suits the interface]
    #[arg(long, value_enum)]
    pub hook: Option<HookArgument>,
    /// Attach in this XDP mode [default: auto]
    #[arg(long, value_enum, value_name = "MODE")]
    pub xdp_mode: Option<XdpModeArgument>,
    /// Watch received packets, sent packets, or both [default: in]
    #[arg(long, value_enum)]
    pub direction: Option<DirectionArgument>,
    /// Show only packets that match this expression of tcpdump, such as `tcp port 443 and not host 192.0.2.1`; totals stay
    /// of all packets
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<Expression>,
    /// Receive every multicast group while running, also groups that nobody on this host has joined
    #[arg(long)]
    pub all_multicast: bool,
    /// Receive frames for every address while running
    #[arg(long)]
    pub promiscuous: bool,
}

/// The arguments of `run`. A value that is absent comes from the configuration file, the environment or the default.
#[derive(Debug, Default, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct RunArguments {
    /// Stream this interface, all that match a pattern such as `veth*`, or `any`; may be repeated [env: INTERFACE_NAME]
    #[arg(long, short, value_name = "IFACE", value_delimiter = ',')]
    pub interface: Vec<String>,
    /// Stream the interface that has this address
    #[arg(long, value_name = "ADDR", conflicts_with = "interface")]
    pub address: Option<IpAddr>,
    /// Send rows to this kind of sink [default: decided by the URL; stdout without one]
    #[arg(long, value_enum)]
    pub sink: Option<SinkArgument>,
    /// Send rows to this URL: Grafana's address or a whole push URL, or InfluxDB's with its query [env: GRAFANA_URL]
    #[arg(long)]
    pub url: Option<String>,
    /// Read the sink's token from this file, again when it changes [default: $CREDENTIALS_DIRECTORY/token,
    /// then the variable GRAFANA_TOKEN]
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Use this stream id in Grafana [default: <host>-<interface>]
    #[arg(long)]
    pub stream: Option<String>,
    /// Allow plain http to public addresses, which shows the token and all rows to others
    #[arg(long)]
    pub allow_plain_http: bool,
    /// Write rows to standard output in this format [default: table on a terminal, line elsewhere]
    #[arg(long, value_enum)]
    pub format: Option<FormatArgument>,
    #[command(flatten)]
    pub hook: HookArguments,
    /// Show at most this many packets a second; more are sampled, and totals stay exact [default: 500]
    #[arg(long, value_name = "ROWS_PER_S")]
    pub budget: Option<u32>,
    /// Wait this long between pushes, 200ms to 1m, unless a whole push waits [default: 250ms]
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub interval: Option<std::time::Duration>,
    /// Report this many of the largest flows each second; 0 turns flows off [default: 10]
    #[arg(long, value_name = "COUNT")]
    pub talkers: Option<usize>,
    /// Keep at most this much memory of rows that wait for the sink, for each interface [default: 8MiB]
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    pub buffer: Option<usize>,
    /// Stop after this time
    #[arg(long, value_parser = parse_duration, value_name = "TIME")]
    pub duration: Option<std::time::Duration>,
    /// Stop with an error when somebody else detaches the program [default: attach it again]
    #[arg(long)]
    pub exit_on_detach: bool,
    /// Stop after the rows of the first second
    #[arg(long, conflicts_with = "duration")]
    pub once: bool,
    /// Write packets to this pcapng file, `-` for standard output; without --sink or --url, no rows are sent
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Write at most this many bytes of each packet [default: 65535]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(14..=65_535))]
    pub snaplen: Option<u32>,
    /// Start a new file after this size or time, such as `100MiB` or `1h`; the name gets the time
    #[arg(long, value_name = "SIZE|TIME", value_parser = parse_rotation)]
    pub rotate: Option<Rotation>,
    /// Keep only this many of the files that --rotate writes
    #[arg(long, value_name = "COUNT", value_parser = parse_count)]
    pub keep: Option<usize>,
    /// Serve Prometheus metrics at /metrics of this address
    #[arg(long, value_parser = parse_listen, value_name = "ADDR:PORT")]
    pub metrics: Option<SocketAddr>,
    /// Show IP addresses like this; groups and broadcasts stay whole [default: whole]
    #[arg(long, value_enum)]
    pub addresses: Option<AddressesArgument>,
    /// Read the key for --addresses hash from this file, 16 bytes or more
    #[arg(long, value_name = "FILE")]
    pub hash_key_file: Option<PathBuf>,
    /// Show MAC addresses like this: whole, or only the vendor's half [default: whole]
    #[arg(long, value_enum)]
    pub mac: Option<MacArgument>,
    /// Show no ports
    #[arg(long)]
    pub no_ports: bool,
    /// Use this host name in each row [default: the system's]
    #[arg(long)]
    pub host: Option<String>,
    /// Read settings from this TOML file: `interface = ["end0"]`, `token-file = "…"`
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
    /// Before the network stack; one program for each interface
    Xdp,
    /// After XDP, beside other programs
    Tcx,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DirectionArgument {
    In,
    Out,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum XdpModeArgument {
    /// With --hook xdp, the driver's mode if it works, else the generic mode; without, the hook and mode that suit the
    /// interface
    Auto,
    Driver,
    Generic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressesArgument {
    Whole,
    /// The first 24 bits of IPv4, the first 48 of IPv6
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

/// Splits a text such as `250ms` into its number and its unit.
fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    Some((number.parse().ok()?, unit.trim()))
}

/// Parses a time such as `250ms`, `5s`, `2m` or `1h`.
pub(super) fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    const HINT: &str = "use a whole number and ms, s, m or h, such as `250ms`";
    let (number, unit) = number_and_unit(text).ok_or(HINT)?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        _ => return Err(HINT.into()),
    };
    match number.checked_mul(milliseconds) {
        None => Err("the time is too long".into()),
        Some(0) => Err("the time must be longer than 0".into()),
        Some(total) => Ok(std::time::Duration::from_millis(total)),
    }
}

/// Parses a size such as `512KiB` or `8MiB`, or a number of bytes.
pub(super) fn parse_size(text: &str) -> Result<usize, String> {
    const HINT: &str = "use a whole number and KiB, MiB or GiB, such as `8MiB`";
    let (number, unit) = number_and_unit(text).ok_or(HINT)?;
    let bytes: u64 = match unit {
        "" | "B" => 1,
        "K" | "KiB" => 1 << 10,
        "M" | "MiB" => 1 << 20,
        "G" | "GiB" => 1 << 30,
        _ => return Err(HINT.into()),
    };
    let total = number.checked_mul(bytes).and_then(|total| usize::try_from(total).ok());
    let total = total.ok_or("the size is too large")?;
    if total < 64 << 10 { Err("the size must be at least 64KiB".into()) } else { Ok(total) }
}

/// Parses the size or the time after which a new file begins.
fn parse_rotation(text: &str) -> Result<Rotation, String> {
    match (parse_size(text), parse_duration(text)) {
        (_, Ok(time)) => Ok(Rotation::Time(time)),
        (Ok(size), _) => Ok(Rotation::Size(size as u64)),
        (Err(_), Err(_)) => Err("use a size of 64KiB or more, or a time, such as `100MiB` or `1h`".into()),
    }
}

/// Parses a number of files.
fn parse_count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("use a whole number of 1 or more".into()),
        Ok(count) => Ok(count),
    }
}

/// Parses the address and the port of the metrics server.
pub(super) fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it must be an IP address and a port: 127.0.0.1:9469 for this host alone, [::]:9469 for every address".into()
    })
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
    fn times_and_sizes_need_units() {
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(parse_duration("2m"), Ok(Duration::from_mins(2)));
        assert!(
            ["", "5", "s", "-1s", "0s", "1.5s", "99999999999999999h"]
                .iter()
                .all(|text| parse_duration(text).is_err())
        );
        assert_eq!(parse_size("8MiB"), Ok(8 << 20));
        assert!(
            ["", "1KiB", "MiB", "8 parsecs", "99999999999999GiB"]
                .iter()
                .all(|text| parse_size(text).is_err())
        );
    }

    #[test]
    fn a_wrong_metrics_address_is_refused_with_a_hint() {
        assert_eq!(parse_listen("[::1]:9469"), Ok("[::1]:9469".parse().unwrap()));
        for text in ["localhost:9469", ":9469", "9469", "127.0.0.1"] {
            let error = parse_listen(text).unwrap_err();
            assert!(error.contains("127.0.0.1:9469 for this host alone"), "{error}");
        }
    }

    #[test]
    fn the_help_lists_every_flag() {
        let mut command = Cli::command();
        let run = command.find_subcommand_mut("run").unwrap().render_long_help().to_string();
        assert_data_eq!(run, file!["snapshots/run_help.txt"].raw());
    }
}
