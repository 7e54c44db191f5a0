//! What of a system takes effect after a reboot only, and whether to reboot.

use std::fmt;

use serde::{Serialize, Serializer};

/// Whether a deploy reboots nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reboot {
    /// Into each new system.
    Always,
    /// Where only a reboot makes the new system effective, if the user agrees.
    Ask,
}

/// A part of a system that a switch cannot change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Kernel,
    KernelModules,
    KernelParameters,
    DeviceTree,
    /// `NixOS` refuses to switch between systems that differ in this part.
    Inhibitor(String),
    /// A newer guard's word.
    Other(String),
}

impl Part {
    fn parse(line: &str) -> Self {
        match line {
            "kernel" => Self::Kernel,
            "kernel-modules" => Self::KernelModules,
            "kernel-params" => Self::KernelParameters,
            "dtbs" => Self::DeviceTree,
            line => match line.strip_prefix("refuses-switch ") {
                Some(name) => Self::Inhibitor(name.to_owned()),
                None => Self::Other(line.to_owned()),
            },
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kernel => formatter.write_str("the kernel"),
            Self::KernelModules => formatter.write_str("kernel modules"),
            Self::KernelParameters => formatter.write_str("kernel parameters"),
            Self::DeviceTree => formatter.write_str("the device tree"),
            Self::Inhibitor(name) => write!(formatter, "`{name}`"),
            Self::Other(word) => formatter.write_str(word),
        }
    }
}

/// The parts of a system that take effect after a reboot only, as the guard names them. Empty where a switch suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RebootReasons(Vec<Part>);

impl RebootReasons {
    /// Reads the answer of `rk1-guard needs-reboot`: a part on each line.
    #[must_use]
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Self(lines.map(Part::parse).collect())
    }

    #[must_use]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the parts because of which `NixOS` refuses to switch, or nothing.
    #[must_use]
    pub(super) fn inhibitors(&self) -> Self {
        Self(self.0.iter().filter(|part| matches!(part, Part::Inhibitor(_))).cloned().collect())
    }
}

impl fmt::Display for RebootReasons {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.0.iter().enumerate() {
            formatter.write_str(if number == 0 { "" } else { ", " })?;
            part.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Serialize for RebootReasons {
    /// Writes a list of words.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

#[cfg(test)]
mod tests {
    use super::RebootReasons;

    #[test]
    fn the_answer_of_the_guard_is_read() {
        let reasons = RebootReasons::parse(
            "kernel\nkernel-modules\nkernel-params\ndtbs\nrefuses-switch dbus-implementation\nfirmware\n",
        );
        assert_eq!(
            reasons.to_string(),
            "the kernel, kernel modules, kernel parameters, the device tree, `dbus-implementation`, firmware"
        );
        assert_eq!(reasons.inhibitors().to_string(), "`dbus-implementation`");
        assert!(RebootReasons::parse("").is_empty());
    }
}
