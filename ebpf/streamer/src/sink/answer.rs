//! What an answer to a push means.

use super::{Endpoint, Outcome, Target, Token};
use reqwest::StatusCode;

/// How much of an answer is read for the reason in it, in bytes.
const MOST_ANSWER: usize = 2048;

/// What we asked with, as far as an answer may repeat it.
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) token: Option<&'a Token>,
}

impl Asked<'_> {
    /// What an answer with this text means.
    ///
    /// Grafana answers 500 for any line it cannot parse (`pkg/services/live/pushhttp/push.go`) and for troubles of
    /// its own; `InfluxDB` answers 400 or 422 for a line and 5xx for itself. `VictoriaMetrics` answers 400 for a path
    /// that it does not know as well, and its `vmauth` for a token; both repeat what they do not know.
    pub(super) fn judge(&self, status: StatusCode, text: &str) -> Outcome {
        let told = self.without_secrets(text);
        let reason = if told.is_empty() { status.to_string() } else { format!("{status}: {told}") };
        match (self.endpoint.target, status.as_u16()) {
            (_, 200..300) => Outcome::Delivered,
            (_, 401 | 403) => Outcome::Unauthorised(reason),
            (_, 413) => Outcome::TooLarge(reason),
            (_, 400) if self.secret_token().is_some_and(|token| text.contains(token)) => {
                Outcome::Unauthorised(reason)
            }
            (Target::Influx, 400) if text.contains(self.endpoint.url.path()) => wrong_url(&reason),
            (Target::Grafana, 400 | 500) => Outcome::Refused { reason, certain: false },
            (Target::Influx, 400 | 422) => Outcome::Refused { reason, certain: true },
            (_, 300..400) => Outcome::Unavailable(format!("{reason} (redirects are not followed)")),
            (_, 404) => wrong_url(&reason),
            _ => Outcome::Unavailable(reason),
        }
    }

    fn secret_token(&self) -> Option<&str> {
        self.token.map(Token::expose).filter(|token| !token.is_empty())
    }

    /// The start of a text, without the token and the URL's query, which may hold a password.
    fn without_secrets(&self, text: &str) -> String {
        let query = self.endpoint.url.query().filter(|query| !query.is_empty());
        let secrets = [self.secret_token(), query];
        let text =
            secrets.into_iter().flatten().fold(text.to_owned(), |text, secret| text.replace(secret, "…"));
        text.chars().take(160).collect()
    }
}

fn wrong_url(reason: &str) -> Outcome {
    Outcome::Unavailable(format!("{reason} (is the URL right?)"))
}

/// The first line of an answer that says something, without what could disturb a log.
pub(super) async fn reason(mut response: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MOST_ANSWER {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            _ => break,
        }
    }
    bytes.truncate(MOST_ANSWER);
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().map(str::trim).find(|line| !line.is_empty());
    line.unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Origin;
    use snapbox::{assert_data_eq, file};

    fn endpoint(target: Target) -> Endpoint {
        let origin = Origin::new("rk1-01", "end0");
        let url = "http://127.0.0.1:8428/write?db=packets&p=canary";
        Endpoint::new(url, target, None, &origin, false).unwrap()
    }

    fn judged(target: Target, token: &str, status: u16, text: &str) -> Outcome {
        let (endpoint, token) = (endpoint(target), Token::parse(token).unwrap());
        let asked = Asked { endpoint: &endpoint, token: Some(&token) };
        asked.judge(StatusCode::from_u16(status).unwrap(), text)
    }

    #[test]
    fn answers_are_judged_by_who_gives_them() {
        let kind = |target, status: u16| match judged(target, "", status, "") {
            Outcome::Delivered => "delivered",
            Outcome::Refused { certain: true, .. } => "refused for certain",
            Outcome::Refused { .. } => "refused",
            Outcome::TooLarge(_) => "too large",
            Outcome::Unavailable(_) => "unavailable",
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
    fn what_an_answer_repeats_it_is_about() {
        let old = "remoteAddr: \"127.0.0.1:4\"; requestURI: /write?db=packets&p=canary&precision=ns; unsupported path";
        let new = "unsupported path requested: \"/write\"";
        for text in [old, new] {
            let outcome = judged(Target::Influx, "canary-token", 400, text);
            let Outcome::Unavailable(reason) = outcome else { panic!("{outcome:?}") };
            assert!(reason.ends_with("(is the URL right?)") && !reason.contains("canary"), "{reason}");
        }
        let text = "cannot find the provided auth token \"Bearer canary-token\" in config";
        let expected = "400 Bad Request: cannot find the provided auth token \"Bearer …\" in config";
        assert_eq!(judged(Target::Influx, "canary-token", 400, text), Outcome::Unauthorised(expected.into()));
        let broken = "cannot process influx line protocol data: incorrect influx line \"a\"";
        let outcome = judged(Target::Influx, "canary-token", 400, broken);
        assert!(matches!(outcome, Outcome::Refused { certain: true, .. }), "{outcome:?}");
    }
}
