//! The destinations of rows.

mod answer;
mod endpoint;
mod http;
mod resolver;
mod stdout;
mod token;

pub use endpoint::{Endpoint, EndpointError, Target, is_private, writes};
pub use http::{HttpError, HttpSink};
pub use resolver::OwnAddresses;
pub use stdout::Stdout;
pub use token::{Token, TokenError, TokenSource};

use crate::row::Batch;
use std::fmt;
use std::time::Duration;

/// The result of a push.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// The sink refused the rows. `certain` if its answer can mean nothing else.
    Refused {
        reason: String,
        certain: bool,
    },
    /// The push has too many rows.
    TooLarge(String),
    /// The sink cannot accept rows now.
    Unavailable {
        reason: String,
        /// The sink asks not to try again before this time is over.
        retry_after: Option<Duration>,
    },
    /// The sink does not accept the token.
    Unauthorised(String),
    /// The reader of standard output has ended.
    Gone,
}

/// One destination.
#[derive(Debug)]
pub enum Sink {
    Http(Box<HttpSink>),
    Stdout(Stdout),
}

impl Sink {
    pub async fn push(&mut self, batch: &Batch) -> Outcome {
        match self {
            Self::Http(http) => http.push(batch).await,
            Self::Stdout(stdout) => stdout.push(batch).await,
        }
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(http) => http.fmt(f),
            Self::Stdout(_) => f.write_str("standard output"),
        }
    }
}
