//! The configuration file, whose keys are the names of the flags.

use super::arguments::{
    AddressesArgument, DirectionArgument, FormatArgument, HookArgument, HookArguments, MacArgument,
    RunArguments, SinkArgument, XdpModeArgument, parse_duration, parse_listen, parse_size,
};
use crate::filter::Expression;
use serde::{Deserialize, Deserializer, de::Error as _};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The keys of the file. Each is optional, and an unknown key is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct ConfigFile {
    pub interface: Vec<String>,
    pub address: Option<IpAddr>,
    pub sink: Option<SinkArgument>,
    pub url: Option<String>,
    pub token_file: Option<PathBuf>,
    pub stream: Option<String>,
    pub allow_plain_http: bool,
    pub format: Option<FormatArgument>,
    pub hook: Option<HookArgument>,
    pub xdp_mode: Option<XdpModeArgument>,
    pub direction: Option<DirectionArgument>,
    #[serde(deserialize_with = "filter")]
    pub filter: Option<Expression>,
    pub all_multicast: bool,
    pub promiscuous: bool,
    pub exit_on_detach: bool,
    pub budget: Option<u32>,
    #[serde(deserialize_with = "duration")]
    pub interval: Option<Duration>,
    pub talkers: Option<usize>,
    #[serde(deserialize_with = "size")]
    pub buffer: Option<usize>,
    #[serde(deserialize_with = "listen")]
    pub metrics: Option<SocketAddr>,
    pub addresses: Option<AddressesArgument>,
    pub hash_key_file: Option<PathBuf>,
    pub mac: Option<MacArgument>,
    pub no_ports: bool,
    pub host: Option<String>,
}

fn filter<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Expression>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    parse_size(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    parse_listen(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file `{}`", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// The message of the parser shows the line.
    #[error("`{}`: {message}", path.display())]
    Wrong { path: PathBuf, message: String },
}

impl ConfigFile {
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        toml::from_str(&text).map_err(|error| ConfigError::Wrong {
            path: path.to_owned(),
            message: error.to_string().trim_end().to_owned(),
        })
    }
}

impl RunArguments {
    /// Completes the flags with the settings of the file.
    ///
    /// A flag that changes the kind of sink, the hook or the privacy also replaces the settings of the file that belong to
    /// the other kind: `--sink stdout` over a file with a URL is no contradiction.
    #[must_use]
    pub fn over(self, mut file: ConfigFile) -> Self {
        // The name and the address of an interface have the same meaning: a flag for one of them replaces both.
        let (interface, address) = if self.interface.is_empty() && self.address.is_none() {
            (file.interface, file.address)
        } else {
            (self.interface, self.address)
        };
        if self.sink == Some(SinkArgument::Stdout) || self.format.is_some() {
            (file.sink, file.url, file.token_file, file.stream) = (None, None, None, None);
            file.allow_plain_http = false;
        }
        if self.sink.is_some_and(|sink| sink != SinkArgument::Stdout) || self.url.is_some() {
            file.format = None;
        }
        if self.sink == Some(SinkArgument::Influx) || self.url.is_some() {
            file.stream = None;
        }
        if self.hook.hook == Some(HookArgument::Tcx) {
            file.xdp_mode = None;
        }
        if self.hook.xdp_mode.is_some() {
            file.hook = None;
        }
        if self.addresses.is_some_and(|addresses| addresses != AddressesArgument::Hash) {
            file.hash_key_file = None;
        }
        Self {
            interface,
            address,
            sink: self.sink.or(file.sink),
            url: self.url.or(file.url),
            token_file: self.token_file.or(file.token_file),
            stream: self.stream.or(file.stream),
            allow_plain_http: self.allow_plain_http || file.allow_plain_http,
            format: self.format.or(file.format),
            hook: HookArguments {
                hook: self.hook.hook.or(file.hook),
                xdp_mode: self.hook.xdp_mode.or(file.xdp_mode),
                direction: self.hook.direction.or(file.direction),
                filter: self.hook.filter.or(file.filter),
                all_multicast: self.hook.all_multicast || file.all_multicast,
                promiscuous: self.hook.promiscuous || file.promiscuous,
            },
            budget: self.budget.or(file.budget),
            interval: self.interval.or(file.interval),
            talkers: self.talkers.or(file.talkers),
            buffer: self.buffer.or(file.buffer),
            metrics: self.metrics.or(file.metrics),
            addresses: self.addresses.or(file.addresses),
            hash_key_file: self.hash_key_file.or(file.hash_key_file),
            mac: self.mac.or(file.mac),
            no_ports: self.no_ports || file.no_ports,
            host: self.host.or(file.host),
            write: self.write,
            snaplen: self.snaplen,
            rotate: self.rotate,
            keep: self.keep,
            duration: self.duration,
            exit_on_detach: self.exit_on_detach || file.exit_on_detach,
            once: self.once,
            config: self.config,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, file};

    fn read(text: &str) -> Result<ConfigFile, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        ConfigFile::read(file.path())
            .map_err(|error| error.to_string().replace(&file.path().display().to_string(), "FILE"))
    }

    #[test]
    fn keys_are_the_names_of_the_flags() {
        let file = read("interface = [\"end0\"]\nsink = \"grafana\"\ninterval = \"200ms\"\nbuffer = \"1MiB\"\nno-ports = true\nmetrics = \"127.0.0.1:9469\"\n").unwrap();
        assert_eq!(file.interface, ["end0"]);
        assert_eq!(
            (file.interval, file.buffer, file.no_ports),
            (Some(Duration::from_millis(200)), Some(1 << 20), true)
        );
    }

    #[test]
    fn an_unknown_key_is_shown_with_its_line() {
        let error = read("sink = \"grafana\"\nintervall = \"200ms\"\n").unwrap_err();
        assert_data_eq!(error + "\n", file!["snapshots/unknown_key.txt"].raw());
    }
}
