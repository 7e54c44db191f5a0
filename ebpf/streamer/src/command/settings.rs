//! The settings of `run`, complete and checked.

use super::arguments::{
    AddressesArgument, DirectionArgument, HookArgument, HookArguments, MacArgument, RunArguments,
    XdpModeArgument,
};
use super::config::{ConfigError, ConfigFile};
use super::effect::{self, NoEffect};
use super::output::{Output, OutputError};
use super::recording::{LONGEST_PACKET, Recording};
use super::selection::Selection;
use crate::capture::{CaptureOptions, Directions, HolderError, Hook, Interfaces, Reception, XdpMode};
use crate::privacy::{Addresses, HashKey, HashKeyError, Privacy};
use crate::row::Origin;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The settings of `run`.
#[derive(Debug)]
pub struct Settings {
    pub interfaces: Selection,
    pub host: String,
    pub output: Output,
    pub recording: Option<Recording>,
    pub capture: CaptureOptions,
    /// Whether to end when somebody else detaches the program.
    pub exit_on_detach: bool,
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
    #[error(transparent)]
    NoEffect(#[from] NoEffect),
    #[error(
        "rows and packets cannot both go to standard output\nhint: write packets to a file, or remove `sink` and `format`"
    )]
    TwoStreams,
    #[error("both `interface` and `address` are set\nhint: remove one of them")]
    TwoPlaces,
    #[error(
        "no interface is set\nhint: add --interface IFACE, or --address ADDR for the interface that has it"
    )]
    NoInterface,
    #[error("`interval` is {} ms, but it must be 200ms to 1m\nhint: a panel redraws at most 5 times a second", .0.as_millis())]
    Interval(Duration),
    #[error(
        "the buffer of {buffer} bytes is too small for the budget: it holds the rows of less than 100 ms\n\
         hint: use --buffer {}KiB or more, or a smaller --budget",
        least.div_ceil(1 << 10)
    )]
    Buffer { buffer: usize, least: usize },
    #[error(
        "`addresses` is `hash`, but `hash-key-file` is missing\n\
         hint: create a key with `head -c 32 /dev/urandom > FILE`, and add --hash-key-file FILE"
    )]
    NoHashKey,
}

const DEFAULT_BUDGET: u32 = 500;
const DEFAULT_BUFFER: usize = 8 << 20;
const INTERVALS: std::ops::RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_mins(1);

/// More than one processor core records, whatever the budget is. Rows a second.
const MOST_ROWS_PER_SECOND: u32 = 250_000;

/// Returns the least buffer for a budget: the rows that arrive while a push is under way, which takes up to 100 ms. A row
/// has up to about 640 bytes.
fn least_buffer(budget: u32) -> usize {
    budget.min(MOST_ROWS_PER_SECOND) as usize * 64
}

impl Settings {
    /// Completes and checks the flags: a flag wins over the configuration file, the file over the environment.
    ///
    /// `GRAFANA_URL`, `GRAFANA_TOKEN` and `INTERFACE_NAME` have the same meaning as in ebpf-grafana-stream.
    pub fn complete(
        flags: RunArguments,
        environment: &dyn Fn(&str) -> Option<String>,
        terminal: bool,
    ) -> Result<Self, SettingsError> {
        let file = flags.config.as_deref().map(ConfigFile::read).transpose()?.unwrap_or_default();
        let wanted = flags.over(file);
        let variable = |name: &str| environment(name).filter(|value| !value.is_empty());
        let interval = wanted.interval.unwrap_or(Duration::from_millis(250));
        if !INTERVALS.contains(&interval) {
            return Err(SettingsError::Interval(interval));
        }
        let talkers = wanted.talkers.unwrap_or(10);
        // A file shall have every packet.
        let default = if Output::wants_rows(&wanted) { DEFAULT_BUDGET } else { u32::MAX };
        let budget = wanted.budget.unwrap_or(default);
        let least = least_buffer(budget);
        let buffer = wanted.buffer.unwrap_or(DEFAULT_BUFFER.max(least));
        if buffer < least {
            return Err(SettingsError::Buffer { buffer, least });
        }
        effect::find(&wanted, Output::url(&wanted, &variable).as_deref())?;
        let output = Output::choose(&wanted, &variable, terminal)?;
        if matches!(output, Output::Stdout(_)) && wanted.write.as_deref() == Some(Path::new("-")) {
            return Err(SettingsError::TwoStreams);
        }
        let recording = recording(&wanted);
        let snaplen = recording.as_ref().map_or(0, |recording| recording.snaplen);
        Ok(Self {
            interfaces: interfaces(&wanted, &variable)?,
            output,
            recording,
            privacy: privacy(&wanted)?,
            host: wanted.host.unwrap_or_else(system_host),
            capture: CaptureOptions { flows: talkers > 0, snaplen, ..wanted.hook.resolve()? },
            exit_on_detach: wanted.exit_on_detach,
            budget,
            interval,
            talkers,
            buffer,
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

/// Returns the interfaces that were asked for, or the one that has the address.
fn interfaces(
    wanted: &RunArguments,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Selection, SettingsError> {
    let names = match (wanted.interface.as_slice(), wanted.address) {
        ([], Some(address)) => vec![Interfaces::open().map_err(HolderError::from)?.holder(address)?],
        (_, Some(_)) => return Err(SettingsError::TwoPlaces),
        ([], None) => variable("INTERFACE_NAME").into_iter().collect(),
        (names, None) => names.to_vec(),
    };
    Selection::parse(&names).ok_or(SettingsError::NoInterface)
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
    /// Returns what was asked for. Flows are counted.
    pub fn resolve(&self) -> Result<CaptureOptions, NoEffect> {
        effect::of_hook(self)?;
        let hook = match (self.hook, self.xdp_mode) {
            (Some(HookArgument::Tcx), _) => Hook::Tcx,
            (_, Some(XdpModeArgument::Driver)) => Hook::Xdp(XdpMode::Driver),
            (_, Some(XdpModeArgument::Generic)) => Hook::Xdp(XdpMode::Generic),
            (Some(HookArgument::Xdp), None | Some(XdpModeArgument::Auto)) => Hook::Xdp(XdpMode::Auto),
            (None, None | Some(XdpModeArgument::Auto)) => Hook::Auto,
        };
        Ok(CaptureOptions {
            hook,
            directions: match self.direction {
                None | Some(DirectionArgument::In) => Directions::Received,
                Some(DirectionArgument::Out) => Directions::Sent,
                Some(DirectionArgument::Both) => Directions::Both,
            },
            reception: Reception { all_multicast: self.all_multicast, promiscuous: self.promiscuous },
            flows: true,
            filter: self.filter.clone(),
            snaplen: 0,
        })
    }
}

fn system_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

fn recording(wanted: &RunArguments) -> Option<Recording> {
    Some(Recording {
        path: wanted.write.clone()?,
        snaplen: wanted.snaplen.unwrap_or(LONGEST_PACKET),
        rotation: wanted.rotate,
        keep: wanted.keep,
    })
}

#[cfg(test)]
mod tests {
    use super::super::arguments::SinkArgument;
    use super::super::output::TokenOrigin;
    use super::*;
    use crate::sink::Target;
    use snapbox::{assert_data_eq, file};

    fn complete(flags: RunArguments, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let find =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Settings::complete(flags, &find, false)
    }

    fn names(settings: &Settings) -> Vec<String> {
        settings.interfaces.names().map(str::to_owned).collect()
    }

    fn on(interface: &str) -> RunArguments {
        RunArguments { interface: vec![interface.into()], ..RunArguments::default() }
    }

    #[test]
    fn the_variables_of_the_original_program_are_enough() {
        let settings = complete(
            RunArguments::default(),
            &[
                ("GRAFANA_URL", "http://127.0.0.1:3000/api/live/push/ebpf-test"),
                ("GRAFANA_TOKEN", "glsa_canary"),
                ("INTERFACE_NAME", "end0"),
            ],
        )
        .unwrap();
        assert_eq!(names(&settings), ["end0"]);
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
        let flags =
            RunArguments { config: Some(file.path().into()), budget: Some(9), ..RunArguments::default() };
        let settings = complete(flags, &[("INTERFACE_NAME", "from-environment")]).unwrap();
        assert_eq!(
            (names(&settings), settings.budget, settings.talkers),
            (vec!["from-file".to_owned()], 9, 3)
        );
    }

    #[test]
    fn an_address_selects_the_interface_that_has_it() {
        let flags = || RunArguments { address: Some([127, 0, 0, 1].into()), ..RunArguments::default() };
        assert_eq!(names(&complete(flags(), &[("INTERFACE_NAME", "end0")]).unwrap()), ["lo"]);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "address = \"127.0.0.1\"\n").unwrap();
        let configured = || RunArguments { config: Some(file.path().into()), ..RunArguments::default() };
        assert_eq!(names(&complete(configured(), &[]).unwrap()), ["lo"]);
        let named = RunArguments { interface: vec!["end0".into()], ..configured() };
        assert_eq!(names(&complete(named, &[]).unwrap()), ["end0"]);

        std::fs::write(file.path(), "address = \"127.0.0.1\"\ninterface = [\"end0\"]\n").unwrap();
        assert!(matches!(complete(configured(), &[]), Err(SettingsError::TwoPlaces)));
    }

    #[test]
    fn a_credential_of_the_service_manager_is_used() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("token"), "glsa_x").unwrap();
        let flags = RunArguments { url: Some("https://grafana.example".into()), ..on("end0") };
        let settings =
            complete(flags, &[("CREDENTIALS_DIRECTORY", directory.path().to_str().unwrap())]).unwrap();
        let Output::Http { token: TokenOrigin::File(path), .. } = settings.output else {
            panic!("{settings:?}")
        };
        assert_eq!(path, directory.path().join("token"));
    }

    #[test]
    fn missing_and_impossible_settings_are_refused_with_hints() {
        let asked = [
            complete(RunArguments::default(), &[]),
            complete(RunArguments { sink: Some(SinkArgument::Influx), ..on("end0") }, &[]),
            complete(RunArguments { url: Some("https://grafana.example".into()), ..on("end0") }, &[]),
            complete(RunArguments { interval: Some(Duration::from_millis(50)), ..on("end0") }, &[]),
            complete(RunArguments { interval: Some(Duration::from_secs(61)), ..on("end0") }, &[]),
            complete(RunArguments { buffer: Some(64 << 10), budget: Some(100_000), ..on("end0") }, &[]),
            complete(RunArguments { addresses: Some(AddressesArgument::Hash), ..on("end0") }, &[]),
        ];
        let messages: Vec<String> = asked.into_iter().map(|result| result.unwrap_err().to_string()).collect();
        assert_data_eq!(messages.join("\n\n") + "\n", file!["snapshots/missing_settings.txt"].raw());
    }

    /// A URL and a key in the file do not contradict flags that choose another sink and other addresses.
    #[test]
    fn flags_replace_the_settings_of_the_file_that_belong_together() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            file.path(),
            "url = \"https://grafana.example\"\ntoken-file = \"/t\"\nstream = \"s\"\naddresses = \"hash\"\n\
             hash-key-file = \"/k\"\nxdp-mode = \"generic\"\n",
        )
        .unwrap();
        let flags = RunArguments {
            config: Some(file.path().into()),
            sink: Some(SinkArgument::Stdout),
            addresses: Some(AddressesArgument::Truncate),
            hook: HookArguments { hook: Some(HookArgument::Tcx), ..HookArguments::default() },
            ..on("end0")
        };
        let settings = complete(flags, &[("GRAFANA_URL", "https://other.example")]).unwrap();
        assert!(matches!(settings.output, Output::Stdout(_)), "{settings:?}");
        assert_eq!(settings.capture.hook, Hook::Tcx);
    }

    #[test]
    fn the_default_buffer_fits_the_budget() {
        for (budget, buffer) in
            [(500, 8 << 20), (100_000, 8 << 20), (200_000, 12_800_000), (u32::MAX, 16_000_000)]
        {
            let flags = RunArguments { budget: Some(budget), ..on("end0") };
            assert_eq!(complete(flags, &[]).unwrap().buffer, buffer, "{budget}");
        }
    }
}
