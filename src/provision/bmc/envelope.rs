//! Answers of the BMC: an envelope `{"response":[{"result":…}]}`, bare JSON, or a bare sentence.

use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroize::Zeroizing;

use super::error::BmcError;
use crate::common::printable::Line;

/// The status and body of an answer. The body may hold a token, so it is zeroed on drop.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) status: StatusCode,
    pub(super) body: Zeroizing<String>,
}

impl Envelope {
    /// Returns the sentence of an error, from the envelope if there is one.
    pub(super) fn sentence(&self) -> Line {
        let value = serde_json::from_str::<Value>(&self.body).ok();
        let inner = value.as_ref().map(|value| result(value).unwrap_or(value));
        match inner {
            Some(Value::String(text)) => Line::new(text),
            _ => Line::new(&self.body),
        }
    }

    /// Returns the body of a success.
    fn accepted(&self) -> Result<&str, BmcError> {
        match self.status {
            status if status.is_success() => Ok(&self.body),
            StatusCode::UNAUTHORIZED => Err(BmcError::LoginExpired),
            status => Err(BmcError::Refused { status, said: self.sentence() }),
        }
    }

    /// Parses the result of a success, from the envelope if there is one.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, BmcError> {
        let value: Value = serde_json::from_str(self.accepted()?).map_err(|_| self.unparsable())?;
        let value = result(&value).cloned().unwrap_or(value);
        serde_json::from_value(value).map_err(|_| self.unparsable())
    }

    /// Accepts any success: uploads and cancellations are answered with `ok` or with an empty body.
    pub(super) fn accept(&self) -> Result<(), BmcError> {
        self.accepted().map(drop)
    }

    fn unparsable(&self) -> BmcError {
        BmcError::Unparsable { said: self.sentence() }
    }
}

fn result(value: &Value) -> Option<&Value> {
    value.get("response")?.get(0)?.get("result")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(status: u16, body: &str) -> Envelope {
        let status = StatusCode::from_u16(status).expect("a status");
        Envelope { status, body: Zeroizing::new(body.to_owned()) }
    }

    #[test]
    fn a_result_is_read_with_and_without_an_envelope() {
        let answer = envelope(200, r#"{"response":[{"result":"ok"}]}"#);
        assert_eq!(answer.parse::<String>().expect("a result"), "ok");
        let bare = envelope(200, r#"{"handle":7}"#);
        assert_eq!(bare.parse::<Value>().expect("a result")["handle"], 7);
    }

    #[test]
    fn an_error_reads_the_same_with_and_without_an_envelope() {
        for (status, body, expected) in [
            (
                400,
                r#"{"response":[{"result":"Missing `opt` parameter"}]}"#,
                "the BMC answers with status 400: Missing `opt` parameter",
            ),
            (500, "missing 5 B bytes", "the BMC answers with status 500: missing 5 B bytes"),
            (500, "", "the BMC answers with status 500: (nothing)"),
            (200, "<!DOCTYPE html>\n<html>", "cannot parse the BMC's answer: <!DOCTYPE html> <html>"),
        ] {
            let error = envelope(status, body).parse::<Value>().expect_err("an error");
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn an_unknown_token_is_not_repeated() {
        let answer = envelope(401, "token 0123456789abcdef is not registered");
        let error = answer.parse::<Value>().expect_err("an error");
        assert!(!format!("{error} {error:?}").contains("0123456789abcdef"));
        assert!(error.is_auth_error());
    }
}
