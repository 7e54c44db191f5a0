//! The state of the deliveries to one sink.

/// The outcome of the last push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SinkState {
    /// Nothing was sent yet.
    #[default]
    Starting,
    Delivering,
    /// No connection, no such name, no answer in time, or an answer that asks to try again later.
    Unavailable,
    /// The sink does not accept the token, or an authentication proxy answers instead of it.
    Unauthorised,
    /// The sink refuses the rows themselves.
    Refusing,
}

impl SinkState {
    pub const ALL: [Self; 5] =
        [Self::Starting, Self::Delivering, Self::Unavailable, Self::Unauthorised, Self::Refusing];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Delivering => "delivering",
            Self::Unavailable => "unavailable",
            Self::Unauthorised => "unauthorised",
            Self::Refusing => "refusing",
        }
    }
}

/// Counts since the start. All but `pushes` and `failures` count rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deliveries {
    pub state: SinkState,
    pub delivered: u64,
    /// The oldest rows of a full queue, which were never sent.
    pub dropped: u64,
    /// Rows that the sink refused.
    pub refused: u64,
    /// Rows in the queue now.
    pub waiting: u64,
    pub waiting_bytes: u64,
    pub pushes: u64,
    pub failures: u64,
    /// Unix time in seconds of the last push that the sink accepted; 0 if there was none.
    pub last_success: u64,
}
