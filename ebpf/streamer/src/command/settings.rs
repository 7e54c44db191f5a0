//! Everything `run` needs, complete and checked.

use super::arguments::{
    AddressesArgument, HookArgument, HookArguments, MacArgument, RunArguments, XdpModeArgument,
};
use super::config::{ConfigError, ConfigFile};
use super::output::{Output, OutputError};
use crate::capture::{HolderError, Hook, Interfaces, XdpMode};
use crate::privacy::{Addresses, HashKey, HashKeyError, Privacy};
use crate::row::Origin;
use std::collections::HashSet;
use std::net::SocketAddr;
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

#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    HashKey(#[from] HashKeyError),
    #[error(transparent)]
    Output(#[from] OutputError),
    #[error(transparent)]
    Holder(#[from] HolderError),
    #[error("both an interface and an address are given\nhint: leave out one of `interface` and `address`")]
    TwoPlaces,
    #[error(
        "no interface is named\nhint: add --interface IFACE, or --address ADDR for the interface that has it"
    )]
    NoInterface,
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
        let wanted = typed.over(file);
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let interval = wanted.interval.unwrap_or(Duration::from_millis(250));
        if interval < Duration::from_millis(200) {
            return Err(SettingsError::Interval(interval.as_millis()));
        }
        Ok(Self {
            interfaces: interfaces(&wanted, &variable)?,
            output: Output::choose(&wanted, &variable, terminal)?,
            privacy: privacy(&wanted)?,
            host: wanted.host.unwrap_or_else(system_host),
            hook: wanted.hook.resolve(),
            budget: wanted.budget.unwrap_or(500),
            interval,
            talkers: wanted.talkers.unwrap_or(10),
            buffer: wanted.buffer.unwrap_or(8 << 20),
            duration: wanted.duration,
            once: wanted.once,
            metrics: wanted.metrics,
        })
    }

    #[must_use]
    pub fn origin(&self, interface: &str) -> Origin {
        Origin::new(self.host.clone(), interface.to_owned())
    }
}

/// Those that are named, each once, or the one that has the address.
fn interfaces(
    wanted: &RunArguments,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<String>, SettingsError> {
    let mut interfaces = match (wanted.interface.as_slice(), wanted.address) {
        ([], Some(address)) => vec![Interfaces::open().map_err(HolderError::from)?.holder(address)?],
        (_, Some(_)) => return Err(SettingsError::TwoPlaces),
        ([], None) => variable("INTERFACE_NAME").into_iter().collect(),
        (named, None) => named.to_vec(),
    };
    let mut seen = HashSet::new();
    interfaces.retain(|name| seen.insert(name.clone()));
    if interfaces.is_empty() { Err(SettingsError::NoInterface) } else { Ok(interfaces) }
}

fn privacy(wanted: &RunArguments) -> Result<Privacy, SettingsError> {
    let addresses = match wanted.addresses {
        None | Some(AddressesArgument::Whole) => Addresses::Whole,
        Some(AddressesArgument::Truncate) => Addresses::Truncated,
        Some(AddressesArgument::Hash) => {
            let path = wanted.hash_key_file.as_ref().ok_or(SettingsError::NoHashKey)?;
            Addresses::Hashed(HashKey::read(path)?)
        }
    };
    Ok(Privacy { addresses, ports: !wanted.no_ports, whole_mac: wanted.mac != Some(MacArgument::Vendor) })
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

fn system_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::arguments::SinkArgument;
    use super::super::output::TokenOrigin;
    use super::*;
    use crate::sink::Target;
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
