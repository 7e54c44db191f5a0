use std::fmt;

/// What is going on, to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Looking,
    Starting,
    /// The bytes that are sent so far.
    Sending(u64),
    /// The bytes that are written so far.
    Writing(u64),
    /// The bytes that are read back so far.
    Verifying(u64),
    PoweringOn,
    CleaningUp,
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Looking => formatter.write_str("looked at"),
            Self::Starting => formatter.write_str("starting"),
            Self::Sending(bytes) => write!(formatter, "receiving, after {bytes} bytes"),
            Self::Writing(bytes) => write!(formatter, "writing, after {bytes} bytes"),
            Self::Verifying(bytes) => write!(formatter, "reading back, after {bytes} bytes"),
            Self::PoweringOn => formatter.write_str("powering on"),
            Self::CleaningUp => formatter.write_str("cleaning up"),
        }
    }
}
