//! Where rows go.

mod address;
mod answer;
mod endpoint;
mod http;
mod resolver;
mod stdout;
mod token;

pub use address::is_private;
pub use endpoint::{Endpoint, EndpointError, Target, writes};
pub use http::{HttpError, HttpSink};
pub use resolver::OwnAddresses;
pub use stdout::Stdout;
pub use token::{Token, TokenError, TokenSource};

use crate::row::Batch;
use std::fmt;

/// What a push came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Delivered,
    /// The rows were not taken as they are. `certain` if the answer can mean nothing else.
    Refused {
        reason: String,
        certain: bool,
    },
    /// Too much at once.
    TooLarge(String),
    /// Try again later.
    Unavailable(String),
    /// The token is not accepted.
    Unauthorised(String),
    /// Nobody reads any more, and nobody will.
    Gone,
}

/// One place that rows go to.
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
