//! The screen of a flash: a bar on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::prompt;
use crate::cli::output::say;
use crate::cli::progress::{self, human};
use crate::config::cluster::{Cluster, Label};
use crate::config::modules::Hardware;
use crate::operate::status::{ProbeOptions, connect};
use crate::provision::bmc::Password;
use crate::provision::flash::{Console, InUse, Notice, PasswordPrompt, Phase, ReadPurpose};

/// The time between two lines about the same activity.
const PAUSE: Duration = Duration::from_secs(10);
/// The time limit for Kubernetes to answer whether a node is ready.
const KUBERNETES_LIMIT: Duration = Duration::from_secs(5);

/// The screen of one command.
#[derive(Debug)]
pub(super) struct Screen<'a> {
    cluster: &'a Cluster,
    folder: &'a Path,
    /// The number of bytes of the flash, while one is running.
    length: Option<u64>,
    activity: Option<Activity>,
}

/// Something that takes a while.
#[derive(Debug)]
struct Activity {
    what: &'static str,
    /// `None` if standard error is not a terminal.
    bar: Option<ProgressBar>,
    began: Instant,
    shown: Instant,
}

impl Console for Screen<'_> {
    fn show(&mut self, node: &Label, notice: Notice<'_>) {
        match notice {
            Notice::ReadingBegins(reading) => self.begin(
                node,
                match reading {
                    ReadPurpose::Inspecting => "inspecting the image",
                    ReadPurpose::Hashing => "hashing the image with its secrets",
                    ReadPurpose::Writing => "writing",
                },
            ),
            Notice::Read(bytes) => self.advance(node, bytes),
            Notice::ReadingEnds => self.end(),
            Notice::ImageAccepted { image, hardware } => self.line(
                node,
                &format!("{} would boot on {} and is the image of this host", image.display(), hardware.indefinite()),
            ),
            Notice::Measured { length, sha256 } => {
                self.line(node, &format!("{} with its secrets, SHA-256 {sha256}", human(length)));
            }
            Notice::JoinsBlindly => self.line(
                node,
                "its token does not name the cluster's authority, so it joins any server that answers: docs/secrets.md",
            ),
            Notice::HostKeyRecorded { file } => {
                self.line(node, &format!("wrote its host key to {}", file.display()));
            }
            Notice::CertificatePinned { address, fingerprint, file } => {
                self.line(node, &format!("first connection to the BMC at {address}: its certificate is {fingerprint}"));
                self.line(node, &format!("this certificate is pinned in {}, and no other is accepted", file.display()));
            }
            Notice::WaitingForLogin { address, limit } => self.line(
                node,
                &format!(
                    "the BMC at {address} does not answer, probably because it is receiving an image; waiting up to {} s",
                    limit.as_secs()
                ),
            ),
            Notice::LoggedIn { address, version } => {
                let version = version.map_or("an unknown version", |version| version.as_str());
                self.line(node, &format!("logged in to the BMC at {address}: bmcd {version}"));
            }
            Notice::Overwriting(in_use) => {
                self.line(node, &format!("the node is in use and will be overwritten: {in_use}"));
            }
            Notice::FlashBegins { length } => self.length = Some(length),
            Notice::Flashing(phase) => self.show_phase(node, phase),
            Notice::FlashEnds => {
                self.end();
                self.length = None;
            }
            Notice::Booting { address } => {
                self.line(node, &format!("powered on; waiting for SSH at {address}"));
            }
            Notice::Booted(took) => self.line(node, &format!("SSH answers after {} s", took.as_secs())),
        }
    }

    async fn ask_password(&mut self, prompt: PasswordPrompt<'_>) -> io::Result<Option<Password>> {
        prompt::password(prompt).await
    }

    async fn confirm_overwrite(
        &mut self,
        node: &Label,
        in_use: &InUse,
        hardware: &'static Hardware,
    ) -> Option<bool> {
        prompt::overwrite(node, in_use, hardware.boot_disk.name).await
    }

    async fn find_ready(&self, node: &Label) -> Option<String> {
        let options =
            ProbeOptions { kubeconfig: None, folder: self.folder.to_owned(), limit: KUBERNETES_LIMIT };
        let connection = connect(self.cluster, &options).await.ok()?;
        connection.is_ready(node).then_some(connection.server)
    }
}

impl<'a> Screen<'a> {
    pub(super) fn new(cluster: &'a Cluster, folder: &'a Path) -> Self {
        Self { cluster, folder, length: None, activity: None }
    }

    /// Prints a line that stays.
    pub(super) fn line(&self, node: &Label, text: &str) {
        let print = || say!("{node}: {text}");
        match self.activity.as_ref().and_then(|activity| activity.bar.as_ref()) {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn show_phase(&mut self, node: &Label, phase: Phase) {
        match phase {
            Phase::ReadingState => {}
            Phase::WaitingForBoard => self.say(node, "waiting for the end of another transfer on the board"),
            Phase::LoggingInAgain => self.say(node, "the BMC has forgotten the login: logging in again"),
            Phase::Starting => self.say(node, "starting the flash: the BMC switches the node off"),
            Phase::Sending(bytes) => self.go_on(node, "sending", bytes),
            Phase::Writing(bytes) => {
                self.say_sent(node);
                self.go_on(node, "the BMC is writing", bytes);
            }
            Phase::Verifying(bytes) => self.go_on(node, "the BMC is reading back", bytes),
            Phase::PoweringOn => {
                self.say_sent(node);
                self.say(node, "written and read back; powering on");
            }
            Phase::CleaningUp => self.say(node, "cleaning up: switching the node off"),
        }
    }

    /// Prints one line, unless it is the last one already.
    fn say(&mut self, node: &Label, what: &'static str) {
        if self.activity.as_ref().is_none_or(|activity| activity.what != what) {
            self.end();
            self.line(node, what);
            let now = Instant::now();
            self.activity = Some(Activity { what, bar: None, began: now, shown: now });
        }
    }

    fn say_sent(&mut self, node: &Label) {
        let Some(Activity { what: "sending", began, .. }) = self.activity else { return };
        self.end();
        let length = self.length.unwrap_or_default();
        let took = began.elapsed();
        self.line(node, &format!("sent {} in {} s, {}/s", human(length), took.as_secs(), rate(length, took)));
    }

    fn go_on(&mut self, node: &Label, what: &'static str, bytes: u64) {
        if self.activity.as_ref().is_none_or(|activity| activity.what != what) {
            self.begin(node, what);
        }
        self.advance(node, bytes);
    }

    fn begin(&mut self, node: &Label, what: &'static str) {
        self.end();
        let bar = io::stderr().is_terminal().then(|| progress::bar(node.as_str(), what, self.length));
        if bar.is_none() {
            self.line(node, what);
        }
        let now = Instant::now();
        self.activity = Some(Activity { what, bar, began: now, shown: now });
    }

    fn end(&mut self) {
        if let Some(Activity { bar: Some(bar), .. }) = self.activity.take() {
            bar.finish_and_clear();
        }
    }

    fn advance(&mut self, node: &Label, bytes: u64) {
        let length = self.length;
        let Some(activity) = &mut self.activity else { return };
        if let Some(bar) = &activity.bar {
            // A BMC that decodes writes more than was sent, and then the end is not known.
            if length.is_some_and(|length| bytes > length) {
                bar.unset_length();
            }
            bar.set_position(bytes);
            return;
        }
        if activity.shown.elapsed() < PAUSE {
            return;
        }
        activity.shown = Instant::now();
        let (what, took) = (activity.what, activity.began.elapsed());
        let line = match length {
            Some(length) if bytes <= length => {
                let left = left(bytes, length, took);
                format!("{what}: {} of {}, {}/s{left}", human(bytes), human(length), rate(bytes, took))
            }
            _ => format!("{what}: {}, {}/s", human(bytes), rate(bytes, took)),
        };
        self.line(node, &line);
    }
}

/// Formats the number of bytes per second.
fn rate(bytes: u64, took: Duration) -> String {
    let milliseconds = took.as_millis().max(1);
    human(u64::try_from(u128::from(bytes) * 1000 / milliseconds).unwrap_or(u64::MAX))
}

/// Formats the time left at the rate so far. It is empty while there is no rate.
fn left(bytes: u64, length: u64, took: Duration) -> String {
    let remaining = u128::from(length.saturating_sub(bytes)) * took.as_millis();
    match remaining.checked_div(u128::from(bytes)) {
        Some(milliseconds) => format!(", {} s left", milliseconds / 1000),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_and_the_time_left_are_averages_since_the_beginning() {
        let ten = Duration::from_secs(10);
        assert_eq!(rate(50 << 20, ten), "5 MiB");
        assert_eq!(left(50 << 20, 150 << 20, ten), ", 20 s left");
        assert_eq!(left(0, 150 << 20, ten), "");
        assert_eq!(rate(1, Duration::ZERO), "1000 B");
    }
}
