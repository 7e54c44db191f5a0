//! The meaning of a server's answer to a push.

use super::{Endpoint, Outcome, Target, Token};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Response, StatusCode};
use std::time::{Duration, SystemTime};

/// How much of an answer is read to find the reason in it, in bytes.
const MOST_ANSWER: usize = 2048;

/// How much of an answer is read so that the connection can be used again, in bytes.
const MOST_DRAINED: usize = 64 << 10;

/// The longest wait that a server can ask for: a mistake of a proxy must not stop the rows for a day.
const MOST_RETRY_AFTER: Duration = Duration::from_hours(1);

/// The parts of an answer that decide its meaning.
#[derive(Debug)]
pub(super) struct Answer {
    status: StatusCode,
    /// The first line with text, without control characters.
    text: String,
    is_web_page: bool,
    retry_after: Option<Duration>,
}

impl Answer {
    pub(super) async fn read(mut response: Response) -> Self {
        let status = response.status();
        let retry_after = retry_after(response.headers(), SystemTime::now());
        let has_html_type = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"));
        let mut bytes = Vec::new();
        let mut length = 0;
        while length < MOST_DRAINED {
            let Ok(Some(chunk)) = response.chunk().await else { break };
            length += chunk.len();
            bytes.extend(chunk.iter().take(MOST_ANSWER - bytes.len().min(MOST_ANSWER)));
        }
        let text = String::from_utf8_lossy(&bytes);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        Self {
            status,
            is_web_page: has_html_type || line.starts_with('<'),
            text: line.chars().filter(|c| !c.is_control()).collect(),
            retry_after,
        }
    }
}

/// Reads `Retry-After` (RFC 9110, section 10.2.3): a number of seconds, or a date.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(value).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(MOST_RETRY_AFTER))
}

/// The parts of a request that an answer may repeat.
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) token: Option<&'a Token>,
}

impl Asked<'_> {
    /// Returns the meaning of an answer.
    ///
    /// Grafana answers 500 for a line that it cannot parse (`pkg/services/live/pushhttp/push.go`) and for troubles of its
    /// own. `InfluxDB` answers 400 or 422 for a bad line and 5xx for its own troubles. `VictoriaMetrics` also answers 400
    /// for a path that it does not know, and its `vmauth` for a token that it does not know; both repeat it in the text.
    pub(super) fn judge(&self, answer: &Answer) -> Outcome {
        let Answer { status, text, is_web_page, retry_after } = answer;
        let shown = self.without_secrets(text);
        let reason = if shown.is_empty() { status.to_string() } else { format!("{status}: {shown}") };
        let unavailable = |reason| Outcome::Unavailable { reason, retry_after: *retry_after };
        let wrong_url = || unavailable(format!("{reason} (is the URL correct?)"));
        match (self.endpoint.target, status.as_u16()) {
            // No sink answers a push with a web page, but the login page of an authentication proxy has status 200.
            (_, 200..300) if *is_web_page => Outcome::Unauthorised(format!(
                "{status}, but with a web page: a proxy that asks for a login seems to be in front of the sink"
            )),
            (_, 200..300) => Outcome::Delivered,
            (_, 401 | 403) => Outcome::Unauthorised(reason),
            (_, 413) => Outcome::TooLarge(reason),
            (_, 400) if self.secret_token().is_some_and(|token| text.contains(token)) => {
                Outcome::Unauthorised(reason)
            }
            (Target::Influx, 400) if text.contains(self.endpoint.url.path()) => wrong_url(),
            (Target::Grafana, 400 | 500) => Outcome::Refused { reason, certain: false },
            (Target::Influx, 400 | 422) => Outcome::Refused { reason, certain: true },
            (_, 300..400) => unavailable(format!("{reason} (redirects are not followed)")),
            (_, 404) => wrong_url(),
            _ => unavailable(reason),
        }
    }

    fn secret_token(&self) -> Option<&str> {
        self.token.map(Token::expose).filter(|token| !token.is_empty())
    }

    /// Returns the start of a text without the token and without the query of the URL, which may hold a password.
    fn without_secrets(&self, text: &str) -> String {
        let query = self.endpoint.url.query().filter(|query| !query.is_empty());
        let secrets = [self.secret_token(), query];
        let text =
            secrets.into_iter().flatten().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        text.chars().take(160).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Origin;
    use reqwest::header::HeaderValue;
    use snapbox::{assert_data_eq, file};

    fn endpoint(target: Target) -> Endpoint {
        let origin = Origin::new("rk1-01", "end0");
        let url = "http://127.0.0.1:8428/write?db=packets&p=canary";
        Endpoint::new(url, target, None, &origin, false).unwrap()
    }

    fn judged(target: Target, token: &str, status: u16, text: &str, is_web_page: bool) -> Outcome {
        let (endpoint, token) = (endpoint(target), Token::parse(token).unwrap());
        let asked = Asked { endpoint: &endpoint, token: Some(&token) };
        let status = StatusCode::from_u16(status).unwrap();
        asked.judge(&Answer { status, text: text.to_owned(), is_web_page, retry_after: None })
    }

    #[test]
    fn the_meaning_of_a_status_depends_on_the_server() {
        let kind = |target, status: u16| match judged(target, "", status, "", false) {
            Outcome::Delivered => "delivered",
            Outcome::Refused { certain: true, .. } => "refused for certain",
            Outcome::Refused { .. } => "refused",
            Outcome::TooLarge(_) => "too large",
            Outcome::Unavailable { .. } => "unavailable",
            Outcome::Unauthorised(_) => "unauthorised",
            Outcome::Gone => "gone",
        };
        let table: String = [200, 204, 302, 400, 401, 403, 404, 413, 422, 429, 500, 503]
            .map(|status| {
                format!("{status}  {:<12}  {}\n", kind(Target::Grafana, status), kind(Target::Influx, status))
            })
            .concat();
        assert_data_eq!(table, file!["snapshots/http_answers.txt"].raw());
    }

    /// The texts are those of `VictoriaMetrics` 1.79.5 and 1.151.0, and of the `vmauth` of the former.
    #[test]
    fn an_answer_that_repeats_the_path_or_the_token_is_about_it() {
        let old = "remoteAddr: \"127.0.0.1:4\"; requestURI: /write?db=packets&p=canary&precision=ns; unsupported path";
        let new = "unsupported path requested: \"/write\"";
        for text in [old, new] {
            let outcome = judged(Target::Influx, "canary-token", 400, text, false);
            let Outcome::Unavailable { reason, .. } = outcome else { panic!("{outcome:?}") };
            assert!(reason.ends_with("(is the URL correct?)") && !reason.contains("canary"), "{reason}");
        }
        let text = "cannot find the provided auth token \"Bearer canary-token\" in config";
        let expected = "400 Bad Request: cannot find the provided auth token \"Bearer …\" in config";
        let outcome = judged(Target::Influx, "canary-token", 400, text, false);
        assert_eq!(outcome, Outcome::Unauthorised(expected.into()));
        let broken = "cannot process influx line protocol data: incorrect influx line \"a\"";
        let outcome = judged(Target::Influx, "canary-token", 400, broken, false);
        assert!(matches!(outcome, Outcome::Refused { certain: true, .. }), "{outcome:?}");
    }

    #[test]
    fn a_login_page_is_not_a_delivery() {
        for target in [Target::Grafana, Target::Influx] {
            let outcome = judged(target, "", 200, "<!DOCTYPE html>", true);
            assert!(matches!(outcome, Outcome::Unauthorised(_)), "{outcome:?}");
        }
    }

    #[test]
    fn retry_after_is_a_number_of_seconds_or_a_date() {
        let now = httpdate::parse_http_date("Fri, 31 Dec 1999 23:59:00 GMT").unwrap();
        for (value, seconds) in [
            ("20", Some(20)),
            (" 0 ", Some(0)),
            ("Fri, 31 Dec 1999 23:59:59 GMT", Some(59)),
            ("Fri, 31 Dec 1999 23:00:00 GMT", Some(0)),
            ("99999999", Some(3600)),
            ("soon", None),
            ("-1", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            assert_eq!(retry_after(&headers, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
