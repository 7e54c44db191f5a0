//! Settings that would have no effect beside the others. They are refused, because the user expects one.

use super::arguments::{
    AddressesArgument, HookArgument, HookArguments, MacArgument, RunArguments, SinkArgument,
};
use super::output::kind_of;

/// A setting without effect.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` has no effect {beside}\nhint: {hint}")]
pub struct NoEffect {
    pub setting: &'static str,
    pub beside: &'static str,
    pub hint: &'static str,
}

/// Refuses a mode of XDP for TCX.
pub(super) fn of_hook(wanted: &HookArguments) -> Result<(), NoEffect> {
    if wanted.hook == Some(HookArgument::Tcx) && wanted.xdp_mode.is_some() {
        return Err(NoEffect {
            setting: "xdp-mode",
            beside: "with the hook `tcx`",
            hint: "remove one of `xdp-mode` and `hook`",
        });
    }
    Ok(())
}

/// Refuses settings of files without a file, and privacy that a file of whole packets cannot have.
fn of_recording(wanted: &RunArguments) -> Result<(), NoEffect> {
    let no_effect = |setting, beside, hint| Err(NoEffect { setting, beside, hint });
    let without = "without `write`";
    if wanted.write.is_none() {
        return match (wanted.snaplen, wanted.rotate, wanted.keep) {
            (Some(_), _, _) => no_effect("snaplen", without, "add --write FILE"),
            (_, Some(_), _) => no_effect("rotate", without, "add --write FILE"),
            (_, _, Some(_)) => no_effect("keep", without, "add --write FILE"),
            (None, None, None) => Ok(()),
        };
    }
    let is_stdout = wanted.write.as_deref() == Some(std::path::Path::new("-"));
    let whole = "on the packets of `write`, which are whole";
    let remove = "remove one of them";
    match wanted {
        _ if wanted.addresses.is_some_and(|addresses| addresses != AddressesArgument::Whole) => {
            no_effect("addresses", whole, remove)
        }
        _ if wanted.mac == Some(MacArgument::Vendor) => no_effect("mac", whole, remove),
        _ if wanted.no_ports => no_effect("no-ports", whole, remove),
        _ if wanted.rotate.is_some() && is_stdout => {
            no_effect("rotate", "on standard output", "write to a file")
        }
        _ if wanted.keep.is_some() && wanted.rotate.is_none() => {
            no_effect("keep", "without `rotate`", "add --rotate SIZE")
        }
        _ => Ok(()),
    }
}

/// Returns the first setting that has no effect. `url` is the URL in use, which may come from the environment.
pub(super) fn find(wanted: &RunArguments, url: Option<&str>) -> Result<(), NoEffect> {
    of_hook(&wanted.hook)?;
    of_recording(wanted)?;
    if wanted.hash_key_file.is_some() && wanted.addresses != Some(AddressesArgument::Hash) {
        return Err(NoEffect {
            setting: "hash-key-file",
            beside: "without hashed addresses",
            hint: "add --addresses hash",
        });
    }
    let sink = wanted.sink.unwrap_or_else(|| kind_of(url));
    let (to_stdout, to_a_server) = ("when rows go to standard output", "when rows go to a server");
    let remove = "remove it, or choose another sink with `sink`";
    let no_effect = |setting, beside| Err(NoEffect { setting, beside, hint: remove });
    match sink {
        SinkArgument::Stdout if wanted.url.is_some() => no_effect("url", to_stdout),
        SinkArgument::Stdout if wanted.token_file.is_some() => no_effect("token-file", to_stdout),
        SinkArgument::Stdout if wanted.stream.is_some() => no_effect("stream", to_stdout),
        SinkArgument::Stdout if wanted.allow_plain_http => no_effect("allow-plain-http", to_stdout),
        SinkArgument::Grafana | SinkArgument::Influx if wanted.format.is_some() => {
            no_effect("format", to_a_server)
        }
        SinkArgument::Influx if wanted.stream.is_some() => no_effect("stream", "with the sink `influx`"),
        SinkArgument::Grafana
            if wanted.stream.is_some() && url.is_some_and(|url| url.contains("/api/live/push/")) =>
        {
            Err(NoEffect {
                setting: "stream",
                beside: "because the URL names a stream already",
                hint: "remove it, or the path from the URL",
            })
        }
        SinkArgument::Grafana | SinkArgument::Influx
            if wanted.allow_plain_http && url.is_some_and(|url| url.starts_with("https:")) =>
        {
            no_effect("allow-plain-http", "with an https URL")
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser as _;
    use snapbox::{assert_data_eq, file};
    use std::fmt::Write as _;

    fn check(arguments: &str) -> Result<(), NoEffect> {
        let words = ["xdp-streamer", "run"].into_iter().chain(arguments.split_whitespace());
        let cli = super::super::Cli::try_parse_from(words).unwrap();
        let super::super::Command::Run(wanted) = cli.command else { panic!("not `run`") };
        find(&wanted, wanted.url.as_deref())
    }

    #[test]
    fn a_setting_without_effect_is_refused() {
        let mut refused = String::new();
        for arguments in [
            "--hook tcx --xdp-mode driver",
            "--url https://g.example --format json",
            "--sink stdout --url https://g.example",
            "--sink stdout --token-file /nonexistent",
            "--token-file t",
            "--sink stdout --stream s",
            "--allow-plain-http",
            "--sink influx --url http://i.example --stream s",
            "--url http://i.example/write --stream s",
            "--url http://g.example/api/live/push/a --stream s",
            "--url https://g.example --allow-plain-http",
            "--snaplen 96",
            "--rotate 1h",
            "--keep 3 --write f",
            "--write - --rotate 100MiB",
            "--write f --addresses truncate",
            "--write f --mac vendor",
            "--write f --no-ports",
            "--hash-key-file k",
            "--hash-key-file k --addresses truncate",
        ] {
            let error = check(arguments).unwrap_err();
            writeln!(refused, "{arguments}\n{error}\n").unwrap();
        }
        assert_data_eq!(refused, file!["snapshots/no_effect.txt"].raw());
    }

    #[test]
    fn settings_with_an_effect_are_accepted() {
        for arguments in [
            "",
            "--hook xdp --xdp-mode driver",
            "--xdp-mode generic",
            "--format json",
            "--sink stdout --format json",
            "--url https://g.example --token-file t --stream s",
            "--sink influx --url http://i.example --token-file t --allow-plain-http",
            "--addresses hash --hash-key-file k",
            "--write f --snaplen 96 --rotate 100MiB --keep 3",
            "--write - --url https://g.example --token-file t",
        ] {
            assert_eq!(check(arguments), Ok(()), "{arguments}");
        }
    }
}
