//! Everything `run` needs, complete and checked.

use super::arguments::{
    AddressesArgument, FormatArgument, HookArgument, HookArguments, MacArgument, RunArguments, SinkArgument,
    XdpModeArgument,
};
use super::config::{ConfigError, ConfigFile};
use crate::capture::{HolderError, Hook, Interfaces, XdpMode};
use crate::privacy::{Addresses, HashKey, HashKeyError, Privacy};
use crate::row::{Encoding, Origin};
use crate::sink::{
    Endpoint, EndpointError, OwnAddresses, Sink, Stdout, Target, Token, TokenError, TokenSource,
};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// How `run` runs.
#[derive(Debug)]
pub struct Settings {
    /// At least one, none twice.
    pub interfaces: Vec<String>,
    pub host: String,
    pub output: Output,
    pub hook: Hook,
    pub budget: u32,
    pub interval: Duration,
    pub talkers: usize,
    pub buffer: usize,
    pub duration: Option<Duration>,
    pub once: bool,
    pub metrics: Option<SocketAddr>,
    pub privacy: Privacy,
}

/// Where rows go and how they are written.
#[derive(Debug)]
pub enum Output {
    Stdout(Encoding),
    Http { url: String, target: Target, stream: Option<String>, allow_plain: bool, token: TokenOrigin },
}

/// Where the token is.
#[derive(Debug)]
pub enum TokenOrigin {
    None,
    File(PathBuf),
    Variable(Token),
}

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    HashKey(#[from] HashKeyError),
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Http(#[from] crate::sink::HttpError),
    #[error(transparent)]
    Holder(#[from] HolderError),
    #[error("both an interface and an address are given\nhint: leave out one of `interface` and `address`")]
    TwoPlaces,
    #[error(
        "no interface is named\nhint: add --interface IFACE, or --address ADDR for the interface that has it"
    )]
    NoInterface,
    #[error("the sink `{0}` needs a URL\nhint: add --url URL")]
    NoUrl(&'static str),
    #[error("Grafana wants a token\nhint: put it into a file and name it with --token-file")]
    NoToken,
    #[error(
        "--interval {0} ms is too short: a panel redraws at most 5 times a second\nhint: use 200ms or more"
    )]
    Interval(u128),
    #[error("--addresses hash needs a key\nhint: head -c 32 /dev/urandom > FILE, then --hash-key-file FILE")]
    NoHashKey,
}

impl Settings {
    /// Completes what was typed: a flag wins over the configuration file, the file over the environment.
    ///
    /// `GRAFANA_URL`, `GRAFANA_TOKEN` and `INTERFACE_NAME` mean what they mean to ebpf-grafana-stream.
    pub fn complete(
        typed: RunArguments,
        environment: &dyn Fn(&str) -> Option<String>,
        terminal: bool,
    ) -> Result<Self, SettingsError> {
        let file = typed.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());

        let typed_place = (typed.interface, typed.address);
        let places = [typed_place, (file.interface, file.address)];
        let interfaces =
            match places.into_iter().find(|(names, address)| !names.is_empty() || address.is_some()) {
                Some((names, None)) => names,
                Some((names, Some(address))) if names.is_empty() => {
                    vec![Interfaces::open().map_err(HolderError::from)?.holder(address)?]
                }
                Some(_) => return Err(SettingsError::TwoPlaces),
                None => variable("INTERFACE_NAME").into_iter().collect(),
            };
        let mut seen = std::collections::HashSet::new();
        let interfaces: Vec<String> =
            interfaces.into_iter().filter(|name| seen.insert(name.clone())).collect();
        if interfaces.is_empty() {
            return Err(SettingsError::NoInterface);
        }

        let sink = typed.sink.or(file.sink);
        let url = typed.url.or(file.url).or_else(|| match sink {
            None | Some(SinkArgument::Grafana) => variable("GRAFANA_URL"),
            Some(_) => None,
        });
        let sink = sink.unwrap_or_else(|| by_url(url.as_deref()));
        let token = match (typed.token_file.or(file.token_file), variable("CREDENTIALS_DIRECTORY")) {
            (Some(path), _) => TokenOrigin::File(path),
            (None, Some(directory)) if PathBuf::from(&directory).join("token").exists() => {
                TokenOrigin::File(PathBuf::from(directory).join("token"))
            }
            _ => match variable("GRAFANA_TOKEN") {
                Some(token) if sink == SinkArgument::Grafana => TokenOrigin::Variable(Token::parse(&token)?),
                _ => TokenOrigin::None,
            },
        };
        let stream = typed.stream.or(file.stream);
        let allow_plain = typed.allow_plain_http || file.allow_plain_http;
        let output = match sink {
            SinkArgument::Stdout => Output::Stdout(encoding(typed.format.or(file.format), terminal)),
            SinkArgument::Grafana if matches!(token, TokenOrigin::None) => {
                return Err(SettingsError::NoToken);
            }
            SinkArgument::Grafana => Output::Http {
                url: url.ok_or(SettingsError::NoUrl("grafana"))?,
                target: Target::Grafana,
                stream,
                allow_plain,
                token,
            },
            SinkArgument::Influx => Output::Http {
                url: url.ok_or(SettingsError::NoUrl("influx"))?,
                target: Target::Influx,
                stream: None,
                allow_plain,
                token,
            },
        };

        let interval = typed.interval.or(file.interval).unwrap_or(Duration::from_millis(250));
        if interval < Duration::from_millis(200) {
            return Err(SettingsError::Interval(interval.as_millis()));
        }
        let addresses = match typed.addresses.or(file.addresses) {
            None | Some(AddressesArgument::Whole) => Addresses::Whole,
            Some(AddressesArgument::Truncate) => Addresses::Truncated,
            Some(AddressesArgument::Hash) => {
                let path = typed.hash_key_file.or(file.hash_key_file).ok_or(SettingsError::NoHashKey)?;
                Addresses::Hashed(HashKey::read(&path)?)
            }
        };
        let privacy = Privacy {
            addresses,
            ports: !(typed.no_ports || file.no_ports),
            whole_mac: typed.mac.or(file.mac) != Some(MacArgument::Vendor),
        };
        let hook = HookArguments {
            hook: typed.hook.hook.or(file.hook),
            xdp_mode: typed.hook.xdp_mode.or(file.xdp_mode),
        };
        Ok(Self {
            interfaces,
            host: typed.host.or(file.host).unwrap_or_else(system_host),
            output,
            hook: hook.resolve(),
            budget: typed.budget.or(file.budget).unwrap_or(500),
            interval,
            talkers: typed.talkers.or(file.talkers).unwrap_or(10),
            buffer: typed.buffer.or(file.buffer).unwrap_or(8 << 20),
            duration: typed.duration,
            once: typed.once,
            metrics: typed.metrics.or(file.metrics),
            privacy,
        })
    }

    #[must_use]
    pub fn origin(&self, interface: &str) -> Origin {
        Origin { host: self.host.clone(), interface: interface.to_owned() }
    }

    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self.output {
            Output::Stdout(encoding) => encoding,
            Output::Http { .. } => Encoding::Line,
        }
    }

    /// Opens the sink for one interface, and the list of addresses that its traffic goes to.
    pub fn sink(&self, origin: &Origin) -> Result<(Sink, OwnAddresses), SettingsError> {
        let own = OwnAddresses::default();
        let sink = match &self.output {
            Output::Stdout(_) => Sink::Stdout(Stdout::default()),
            Output::Http { url, target, stream, allow_plain, token } => {
                let endpoint = Endpoint::new(url, *target, stream.as_deref(), origin, *allow_plain)?;
                let token = match token {
                    TokenOrigin::None => TokenSource::None,
                    TokenOrigin::File(path) => TokenSource::file(path)?,
                    TokenOrigin::Variable(token) => TokenSource::Fixed(token.clone()),
                };
                Sink::Http(Box::new(crate::sink::HttpSink::new(endpoint, token, own.clone())?))
            }
        };
        Ok((sink, own))
    }
}

impl HookArguments {
    #[must_use]
    pub fn resolve(self) -> Hook {
        match (self.hook, self.xdp_mode) {
            (Some(HookArgument::Tcx), _) => Hook::Tcx,
            (_, None | Some(XdpModeArgument::Auto)) => Hook::Xdp(XdpMode::Auto),
            (_, Some(XdpModeArgument::Driver)) => Hook::Xdp(XdpMode::Driver),
            (_, Some(XdpModeArgument::Generic)) => Hook::Xdp(XdpMode::Generic),
        }
    }
}

/// A URL without a word about its sink is Grafana's, unless it writes.
fn by_url(url: Option<&str>) -> SinkArgument {
    match url {
        None => SinkArgument::Stdout,
        Some(url) if url.split(['?', '#']).next().is_some_and(crate::sink::writes) => SinkArgument::Influx,
        Some(_) => SinkArgument::Grafana,
    }
}

fn encoding(format: Option<FormatArgument>, terminal: bool) -> Encoding {
    let fallback = if terminal { FormatArgument::Table } else { FormatArgument::Line };
    match format.unwrap_or(fallback) {
        FormatArgument::Line => Encoding::Line,
        FormatArgument::Json => Encoding::Json,
        FormatArgument::Table => Encoding::Table,
    }
}

fn system_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, file};

    fn complete(typed: RunArguments, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let find =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::complete(typed, &find, false)
    }

    fn on(interface: &str) -> RunArguments {
        RunArguments { interface: vec![interface.into()], ..RunArguments::default() }
    }

    #[test]
    fn the_originals_variables_are_enough() {
        let settings = complete(
            RunArguments::default(),
            &[
                ("GRAFANA_URL", "http://127.0.0.1:3000/api/live/push/ebpf-test"),
                ("GRAFANA_TOKEN", "glsa_canary"),
                ("INTERFACE_NAME", "end0"),
            ],
        )
        .unwrap();
        assert_eq!(settings.interfaces, ["end0"]);
        let Output::Http { url, target: Target::Grafana, token: TokenOrigin::Variable(_), .. } =
            &settings.output
        else {
            panic!("{:?}", settings.output)
        };
        assert_eq!(url, "http://127.0.0.1:3000/api/live/push/ebpf-test");
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn a_flag_wins_over_the_file_and_the_file_over_the_environment() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "interface = [\"from-file\"]\nbudget = 7\ntalkers = 3\n").unwrap();
        let typed =
            RunArguments { config: Some(file.path().into()), budget: Some(9), ..RunArguments::default() };
        let settings = complete(typed, &[("INTERFACE_NAME", "from-environment")]).unwrap();
        assert_eq!(
            (settings.interfaces, settings.budget, settings.talkers),
            (vec!["from-file".into()], 9, 3)
        );
    }

    #[test]
    fn an_address_stands_for_its_interface() {
        let typed = || RunArguments { address: Some([127, 0, 0, 1].into()), ..RunArguments::default() };
        assert_eq!(complete(typed(), &[("INTERFACE_NAME", "end0")]).unwrap().interfaces, ["lo"]);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "address = \"127.0.0.1\"\n").unwrap();
        let configured = || RunArguments { config: Some(file.path().into()), ..RunArguments::default() };
        assert_eq!(complete(configured(), &[]).unwrap().interfaces, ["lo"]);
        let named = RunArguments { interface: vec!["end0".into()], ..configured() };
        assert_eq!(complete(named, &[]).unwrap().interfaces, ["end0"]);

        std::fs::write(file.path(), "address = \"127.0.0.1\"\ninterface = [\"end0\"]\n").unwrap();
        assert!(matches!(complete(configured(), &[]), Err(SettingsError::TwoPlaces)));
    }

    #[test]
    fn the_url_tells_the_sink() {
        assert_eq!(by_url(None), SinkArgument::Stdout);
        assert_eq!(by_url(Some("http://127.0.0.1:3000")), SinkArgument::Grafana);
        assert_eq!(by_url(Some("http://127.0.0.1:8086/api/v2/write?org=a&bucket=b")), SinkArgument::Influx);
        assert_eq!(by_url(Some("http://127.0.0.1:8181/api/v3/write_lp?db=a")), SinkArgument::Influx);
    }

    #[test]
    fn a_credential_of_the_service_manager_is_found() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), "glsa_x").unwrap();
        let typed = RunArguments { url: Some("https://grafana.example".into()), ..on("end0") };
        let settings =
            complete(typed, &[("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap())]).unwrap();
        let Output::Http { token: TokenOrigin::File(path), .. } = settings.output else {
            panic!("{settings:?}")
        };
        assert_eq!(path, directory.path().join("token"));
    }

    #[test]
    fn what_is_missing_is_asked_for() {
        let asked = [
            complete(RunArguments::default(), &[]),
            complete(RunArguments { sink: Some(SinkArgument::Influx), ..on("end0") }, &[]),
            complete(RunArguments { url: Some("https://grafana.example".into()), ..on("end0") }, &[]),
            complete(RunArguments { interval: Some(Duration::from_millis(50)), ..on("end0") }, &[]),
            complete(RunArguments { addresses: Some(AddressesArgument::Hash), ..on("end0") }, &[]),
        ];
        let messages: Vec<String> = asked.into_iter().map(|result| result.unwrap_err().to_string()).collect();
        assert_data_eq!(messages.join("\n\n") + "\n", file!["snapshots/missing_settings.txt"].raw());
    }
}
