//! The sink that the settings ask for.

use super::arguments::{FormatArgument, RunArguments, SinkArgument};
use crate::row::{Encoding, Origin};
use crate::sink::{
    Endpoint, EndpointError, HttpError, HttpSink, OwnAddresses, Sink, Stdout, Target, Token, TokenError,
    TokenSource,
};
use std::path::PathBuf;

/// A sink that is not opened yet.
#[derive(Debug)]
pub enum Output {
    /// Packets are written to a file, and no rows are sent.
    None,
    Stdout(Encoding),
    Http {
        url: String,
        target: Target,
        stream: Option<String>,
        allow_plain: bool,
        token: TokenOrigin,
    },
}

/// Where the token comes from.
#[derive(Debug)]
pub enum TokenOrigin {
    None,
    File(PathBuf),
    Variable(Token),
}

#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    #[error("the sink `{0}` needs a URL\nhint: add --url URL")]
    NoUrl(&'static str),
    #[error("Grafana needs a token\nhint: write it to a file, and add --token-file FILE")]
    NoToken,
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Http(#[from] HttpError),
}

impl Output {
    /// Returns the sink that was asked for. Without `--sink`, the URL decides.
    pub(super) fn choose(
        wanted: &RunArguments,
        variable: &dyn Fn(&str) -> Option<String>,
        terminal: bool,
    ) -> Result<Self, OutputError> {
        if !Self::wants_rows(wanted) {
            return Ok(Self::None);
        }
        let url = Self::url(wanted, variable);
        let http = |target: Target, name: &'static str, stream: Option<String>, token: TokenOrigin| {
            let url = url.clone().ok_or(OutputError::NoUrl(name))?;
            Ok(Self::Http { url, target, stream, allow_plain: wanted.allow_plain_http, token })
        };
        match wanted.sink.unwrap_or_else(|| kind_of(url.as_deref())) {
            SinkArgument::Stdout => Ok(Self::Stdout(encoding(wanted.format, terminal))),
            SinkArgument::Grafana => match grafana_token(wanted, variable)? {
                TokenOrigin::None => Err(OutputError::NoToken),
                token => http(Target::Grafana, "grafana", wanted.stream.clone(), token),
            },
            SinkArgument::Influx => http(Target::Influx, "influx", None, token_file(wanted, variable)),
        }
    }

    /// Returns whether rows are sent: a file of packets is enough by itself.
    pub(super) fn wants_rows(wanted: &RunArguments) -> bool {
        wanted.write.is_none() || wanted.sink.is_some() || wanted.url.is_some() || wanted.format.is_some()
    }

    /// Returns the URL of the sink: the environment's is Grafana's.
    pub(super) fn url(wanted: &RunArguments, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
        wanted.url.clone().or_else(|| match (wanted.sink, wanted.format) {
            (None, None) | (Some(SinkArgument::Grafana), _) => variable("GRAFANA_URL"),
            _ => None,
        })
    }

    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match self {
            Self::Stdout(encoding) => *encoding,
            Self::None | Self::Http { .. } => Encoding::Line,
        }
    }

    /// Opens the sink for one interface. The addresses of its server are ours: the packet program leaves them out.
    pub fn open(&self, origin: &Origin) -> Result<(Option<Sink>, OwnAddresses), OutputError> {
        let own = OwnAddresses::default();
        let sink = match self {
            Self::None => return Ok((None, own)),
            Self::Stdout(_) => Sink::Stdout(Stdout::default()),
            Self::Http { url, target, stream, allow_plain, token } => {
                let endpoint = Endpoint::new(url, *target, stream.as_deref(), origin, *allow_plain)?;
                let token = match token {
                    TokenOrigin::None => TokenSource::None,
                    TokenOrigin::File(path) => TokenSource::file(path)?,
                    TokenOrigin::Variable(token) => TokenSource::Fixed(token.clone()),
                };
                Sink::Http(Box::new(HttpSink::new(endpoint, token, own.clone())?))
            }
        };
        Ok((Some(sink), own))
    }
}

/// Returns the file of `--token-file`, or the credential of the service manager.
fn token_file(wanted: &RunArguments, variable: &dyn Fn(&str) -> Option<String>) -> TokenOrigin {
    let credential = || {
        let path = PathBuf::from(variable("CREDENTIALS_DIRECTORY")?).join("token");
        path.exists().then_some(path)
    };
    wanted.token_file.clone().or_else(credential).map_or(TokenOrigin::None, TokenOrigin::File)
}

fn grafana_token(
    wanted: &RunArguments,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<TokenOrigin, OutputError> {
    match (token_file(wanted, variable), variable("GRAFANA_TOKEN")) {
        (TokenOrigin::None, Some(token)) => Ok(TokenOrigin::Variable(Token::parse(&token)?)),
        (origin, _) => Ok(origin),
    }
}

/// Returns the kind of sink that a URL belongs to: a write URL is `InfluxDB`'s, any other is Grafana's.
pub(super) fn kind_of(url: Option<&str>) -> SinkArgument {
    match url {
        None => SinkArgument::Stdout,
        Some(url) if url.split(['?', '#']).next().is_some_and(crate::sink::writes) => SinkArgument::Influx,
        Some(_) => SinkArgument::Grafana,
    }
}

fn encoding(format: Option<FormatArgument>, terminal: bool) -> Encoding {
    let fallback = if terminal { FormatArgument::Table } else { FormatArgument::Line };
    match format.unwrap_or(fallback) {
        FormatArgument::Line => Encoding::Line,
        FormatArgument::Json => Encoding::Json,
        FormatArgument::Table => Encoding::Table,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_decides_the_sink() {
        assert_eq!(kind_of(None), SinkArgument::Stdout);
        assert_eq!(kind_of(Some("http://127.0.0.1:3000")), SinkArgument::Grafana);
        assert_eq!(kind_of(Some("http://127.0.0.1:8086/api/v2/write?org=a&bucket=b")), SinkArgument::Influx);
        assert_eq!(kind_of(Some("http://127.0.0.1:8181/api/v3/write_lp?db=a")), SinkArgument::Influx);
    }
}
