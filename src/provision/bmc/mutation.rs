//! Mutated answers of a BMC are values or errors, never a panic, and what they say is printable.

use reqwest::StatusCode;
use serde_json::Value;
use zeroize::Zeroizing;

use super::envelope::Envelope;
use super::error::BmcError;
use super::power::Power;
use super::transfer::Transfer;
use super::usb::Usb;
use crate::common::mutation::Numbers;

/// Answers as recorded from bmcd.
const ANSWERS: [&str; 8] = [
    r#"{"response":[{"result":[{"node1":"0","node2":"1","node3":"0","node4":"1"}]}]}"#,
    r#"{"response":[{"result":[{"mode":"Device","node":"Node 1","route":"AlternativePort","bus_type":"Usb hub"}]}]}"#,
    r#"{"Transferring":{"id":7,"process_name":"Node 1 os install service","size":100,"cancelled":false,"bytes_written":40}}"#,
    r#"{"Done":[{"secs":12,"nanos":5},100]}"#,
    r#"{"Error":"Compute module's USB interface not found or supported"}"#,
    r#""Ready""#,
    r#"{"handle":7}"#,
    r#"{"response":[{"result":"Missing `opt` parameter"}]}"#,
];

const INPUTS: usize = 20_000;

/// Changes, removes or repeats parts of an answer, and inserts what numbers and terminals trip over.
fn mutate(answer: &str, numbers: &mut Numbers) -> String {
    const PARTS: [&str; 10] = [
        "18446744073709551616",
        "-1",
        "1e999",
        "\u{1b}[2J",
        "\r\n",
        "null",
        "[[[[",
        "\"\"",
        "\u{202e}",
        "{}",
    ];
    let mut bytes = answer.as_bytes().to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(4) {
            0 => bytes.truncate(at),
            1 => drop(bytes.splice(at..at, PARTS[numbers.below(PARTS.len())].bytes())),
            2 if at < bytes.len() => bytes[at] = numbers.below(256).to_le_bytes()[0],
            _ => {
                let end = at + numbers.below(bytes.len() - at + 1);
                let part = bytes[at..end].to_vec();
                bytes.splice(at..at, part);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
#[test]
fn mutated_answers_are_values_or_printable_errors() {
    let mut numbers = Numbers::new();
    let (mut values, mut errors) = (0, 0);
    for round in 0..INPUTS {
        let body = mutate(ANSWERS[round % ANSWERS.len()], &mut numbers);
        let status = [200, 200, 200, 400, 401, 403, 500][numbers.below(7)];
        let status = StatusCode::from_u16(status).expect("a status");
        let envelope = Envelope { status, body: Zeroizing::new(body) };
        let parsed = envelope.parse::<Value>();
        let results: [Result<(), BmcError>; 4] = match parsed {
            Ok(value) => [
                Power::parse(&value).map(drop),
                Usb::parse(&value).map(drop),
                Transfer::parse(&value).map(drop),
                envelope.accept(),
            ],
            Err(error) => [Err(error), envelope.accept(), envelope.accept(), envelope.accept()],
        };
        for result in results {
            match result {
                Ok(()) => values += 1,
                Err(error) => {
                    errors += 1;
                    let said = error.to_string();
                    assert!(!said.chars().any(char::is_control), "{said:?}");
                    assert!(said.chars().count() < 500, "{said:?}");
                }
            }
        }
    }
    assert!(values > INPUTS / 10 && errors > INPUTS / 10, "{values} values, {errors} errors");
}
