//! What is known of the deliveries to one sink.

/// How the last attempt went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SinkState {
    /// Nothing was sent yet.
    #[default]
    Starting,
    Delivering,
    /// No connection, no name, no answer in time, or an answer that says "later".
    Unavailable,
    /// 401 or 403.
    Unauthorised,
    /// The rows themselves were refused.
    Refusing,
}

impl SinkState {
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

/// Counts since the start; `waiting` is the moment's. All but `pushes` and `failures` count rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deliveries {
    pub state: SinkState,
    pub delivered: u64,
    /// The oldest rows of a full queue.
    pub dropped: u64,
    /// Rows that the sink did not take, alone and repeatedly.
    pub refused: u64,
    pub waiting: u64,
    pub waiting_bytes: u64,
    pub pushes: u64,
    pub failures: u64,
}
