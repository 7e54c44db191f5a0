//! A stand-in for bmcd 2.3.7 and the board behind it: its answers, and what they do to the nodes.
//!
//! It behaves as recorded from the real one: while it receives an upload it answers no other request, an upload that
//! breaks cancels the transfer, and a restart forgets all logins. It asks clients on the loopback interface for a login
//! as well, which the real one does not.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::course::{Course, State, Upload};

pub(crate) const PASSWORD: &str = "open-sesame";
const TOKEN: &str = "Zm9yIHRlc3RzIG9ubHksIG5vIHRva2VuIG9mIGFueWJvZHkgYXQgYWxs01234567";
const ATTEMPTS: u32 = 5;

/// A request, as far as the board looks at it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) query_text: String,
    pub(crate) authorization: Option<String>,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug)]
pub(crate) enum Reply {
    Json(u16, Value),
    /// A text/plain answer without an envelope.
    Text(u16, String),
    Empty,
    /// Closes the connection without an answer.
    Drop,
}

#[derive(Debug)]
struct Flash {
    handle: u32,
    slot: usize,
    length: u64,
    sha256: Option<String>,
    has_arrived: bool,
    after: VecDeque<State>,
}

/// What an upload meets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) length: u64,
    pub(crate) upload: Upload,
}

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of one test")]
pub(crate) struct Board {
    /// The course of each flash. The last one is that of all later flashes.
    courses: VecDeque<Course>,
    pub(crate) power: [bool; 4],
    /// Whether a node is wired for flashing.
    pub(crate) is_wired: [bool; 4],
    transfer: Value,
    usb: u64,
    flash: Option<Flash>,
    next_handle: u32,
    token: Option<&'static str>,
    failures: u32,
    /// The BMC refuses connections until then.
    pub(crate) away: Option<Instant>,
    /// The requests. Equal ones that follow each other are listed once.
    pub(crate) log: Vec<String>,
    /// The number of bytes of the current upload.
    pub(crate) received: u64,
    /// An upload that has arrived is not answered while this is set.
    pub(crate) holds: bool,
    /// A word to search in the uploads, and whether it was found.
    pub(crate) watches_for: Option<&'static str>,
    pub(crate) has_seen: bool,
    /// How often the state of a flash was read after its upload.
    pub(crate) polls: u32,
    pub(crate) connections: u32,
    /// An upload is being received: bmcd holds a lock that every other request needs.
    pub(crate) is_locked: bool,
    /// The BMC answers nothing while this is set, and counts the requests.
    pub(crate) is_mute: bool,
    pub(crate) ignored: u32,
    /// How often a client connected to the SSH server of a node that is on.
    pub(crate) knocks: u32,
    /// No node boots.
    pub(crate) never_boots: bool,
}

impl Board {
    pub(crate) fn new(courses: impl Into<VecDeque<Course>>) -> Self {
        Self {
            courses: courses.into(),
            power: [false; 4],
            is_wired: [false; 4],
            transfer: json!("Ready"),
            usb: 1,
            flash: None,
            next_handle: 1000,
            token: None,
            failures: 0,
            away: None,
            log: Vec::new(),
            received: 0,
            holds: false,
            watches_for: None,
            has_seen: false,
            polls: 0,
            connections: 0,
            is_locked: false,
            is_mute: false,
            ignored: 0,
            knocks: 0,
            never_boots: false,
        }
    }

    /// Starts with the state that an earlier flash has left.
    pub(crate) fn left_with(mut self, transfer: Value) -> Self {
        self.transfer = transfer;
        self
    }

    /// Starts after so many failed logins.
    pub(crate) fn after_failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    pub(crate) fn with_power(mut self, slot: usize) -> Self {
        self.power[slot] = true;
        self
    }

    pub(crate) fn stale() -> Value {
        json!({ "Done": [{ "secs": 140, "nanos": 7 }, 37_748_736] })
    }

    /// Returns whether the system of a node is running.
    pub(crate) fn runs(&self, slot: usize) -> bool {
        self.power[slot] && !self.is_wired[slot]
    }

    /// Returns whether the SSH server of a node greets.
    pub(crate) fn greets(&self, slot: usize) -> bool {
        self.runs(slot) && !self.never_boots
    }

    fn course(&mut self) -> Course {
        let course =
            if self.courses.len() > 1 { self.courses.pop_front() } else { self.courses.front().cloned() };
        course.expect("a course")
    }

    pub(crate) fn answer(&mut self, request: &Request) -> Reply {
        self.note(request);
        if request.path == "/api/bmc/authenticate" {
            return self.authenticate(&request.body);
        }
        if let Some(refusal) = self.refusal(request.authorization.as_deref()) {
            return refusal;
        }
        if request.path.ends_with("/cancel") {
            self.transfer = json!({ "Error": "cancelled by user" });
            self.stop(false);
            return Reply::Empty;
        }
        let get = |name: &str| request.query.get(name).map(String::as_str);
        match (get("opt"), get("type")) {
            (Some("get"), Some("about")) => {
                result(json!({ "api": "1.1", "bmcd_version": "2.3.7", "version": "2.3.7" }))
            }
            (Some("get"), Some("info")) => result(json!({ "ip": [], "storage": [] })),
            (Some("get"), Some("power")) => {
                let states = (1..)
                    .zip(self.power)
                    .map(|(number, on)| (format!("node{number}"), json!(u8::from(on).to_string())));
                result(json!([states.collect::<serde_json::Map<_, _>>()]))
            }
            (Some("set"), Some("power")) => self.set_power(&request.query),
            (Some("get"), Some("usb")) => result(json!([
                { "mode": "Device", "node": "Node 1", "route": "AlternativePort", "bus_type": "Usb hub" }
            ])),
            (Some("set"), Some("usb")) => {
                self.usb = get("mode").expect("a mode").parse().expect("a number");
                self.is_wired = [false; 4];
                result(json!("ok"))
            }
            (Some("get"), Some("flash")) => self.transfer(),
            (Some("set"), Some("flash")) => self.start(&request.query),
            (_, kind) => {
                let text = format!("Invalid `type` parameter {}", kind.unwrap_or_default());
                Reply::Json(400, json!({ "response": [{ "result": text }] }))
            }
        }
    }

    fn note(&mut self, request: &Request) {
        let mut line = format!("{} {}", request.method, request.path);
        if !request.query_text.is_empty() {
            line = format!("{line}?{}", request.query_text);
        }
        if self.log.last() != Some(&line) {
            self.log.push(line);
        }
    }

    fn authenticate(&mut self, body: &[u8]) -> Reply {
        let login: Value = serde_json::from_slice(body).unwrap_or_default();
        if self.failures >= ATTEMPTS {
            let banned = "Exceeded allowed authentication attempts. Access blocked for 59s 998ms";
            return Reply::Text(403, banned.to_owned());
        }
        if login["username"] != "root" || login["password"] != PASSWORD {
            self.failures += 1;
            return Reply::Text(403, "credentials incorrect".to_owned());
        }
        self.failures = 0;
        self.token = Some(TOKEN);
        let session =
            json!({ "id": TOKEN, "name": "User Session", "description": "User Session", "username": "root" });
        Reply::Json(200, session)
    }

    fn refusal(&mut self, authorization: Option<&str>) -> Option<Reply> {
        let Some(given) = authorization.and_then(|text| text.strip_prefix("Bearer ")) else {
            return Some(Reply::Text(401, "no authorization header provided".to_owned()));
        };
        if self.token == Some(given) {
            return None;
        }
        self.failures += 1;
        Some(Reply::Text(401, format!("token {given} is not registered")))
    }

    fn set_power(&mut self, query: &BTreeMap<String, String>) -> Reply {
        for slot in 0..4 {
            match query.get(&format!("node{}", slot + 1)).map(String::as_str) {
                Some("1") => self.power[slot] = true,
                Some("0") => self.power[slot] = false,
                Some(value) => {
                    let text = format!("Invalid value `{value}` for parameter `node{}`", slot + 1);
                    return Reply::Json(400, json!({ "response": [{ "result": text }] }));
                }
                None => {}
            }
        }
        result(json!("ok"))
    }

    fn start(&mut self, query: &BTreeMap<String, String>) -> Reply {
        let course = self.course();
        if let Some(text) = course.start {
            return Reply::Text(500, text.to_owned());
        }
        let slot: usize = query["node"].parse().expect("a slot");
        let extension = Path::new(&query["file"]).extension();
        assert!(extension.is_some_and(|name| name == "img"), "the name says that the bytes are raw");
        let handle = self.next_handle;
        self.next_handle += 1;
        let flash = Flash {
            handle,
            slot,
            length: query["length"].parse().expect("a length"),
            sha256: query.get("sha256").cloned(),
            has_arrived: false,
            after: course.after.clone().into(),
        };
        self.courses.push_front(course);
        self.power[slot] = true;
        self.is_wired[slot] = true;
        self.transfer = transferring(handle, slot, flash.length, 0);
        self.flash = Some(flash);
        Reply::Json(200, json!({ "handle": handle }))
    }

    /// Begins an upload, which locks the BMC until it has ended.
    pub(crate) fn begin_upload(&mut self, request: &Request, handle: u32) -> Result<Plan, Reply> {
        self.note(request);
        if let Some(refusal) = self.refusal(request.authorization.as_deref()) {
            return Err(refusal);
        }
        let upload = self.course_in_use().upload;
        let flash = self.flash.as_ref().expect("a flash was started");
        assert_eq!(flash.handle, handle, "the upload belongs to the flash that was started");
        let length = flash.length;
        if matches!(upload, Upload::TooLate) {
            self.fail("Send timeout");
            let text = "cannot execute command in current state. current=Error, expected=Transferring";
            return Err(Reply::Text(500, text.to_owned()));
        }
        self.received = 0;
        self.is_locked = true;
        Ok(Plan { length, upload })
    }

    fn course_in_use(&self) -> Course {
        self.courses.front().cloned().expect("a course")
    }

    /// Ends an upload. Its bytes must be those that were announced.
    pub(crate) fn end_upload(&mut self, sha256: &str) -> Reply {
        let flash = self.flash.as_mut().expect("a flash was started");
        flash.has_arrived = true;
        self.is_locked = false;
        assert_eq!(flash.sha256.as_deref(), Some(sha256), "the digest is that of the upload");
        Reply::Empty
    }

    /// Ends an upload because the worker has failed. The state of the flash says why.
    pub(crate) fn fail_upload(&mut self) {
        self.is_locked = false;
        if let Some(flash) = &mut self.flash {
            flash.has_arrived = true;
        }
    }

    /// Ends an upload whose client is gone. bmcd cancels the transfer then.
    pub(crate) fn break_upload(&mut self) {
        self.is_locked = false;
        self.fail("cancelled by user");
    }

    /// Restarts the daemon: it forgets its logins and its transfer, and the nodes stay as they are.
    pub(crate) fn restart(&mut self, away: Duration) {
        self.is_locked = false;
        self.token = None;
        self.flash = None;
        self.transfer = json!("Ready");
        self.away = Some(Instant::now() + away);
    }

    pub(crate) fn set_transfer(&mut self, transfer: Value) {
        self.transfer = transfer;
    }

    fn transfer(&mut self) -> Reply {
        let is_waiting = self.flash.as_ref().is_none_or(|flash| !flash.has_arrived);
        if is_waiting || self.transfer.get("Error").is_some() {
            return Reply::Json(200, self.transfer.clone());
        }
        self.polls += 1;
        let flash = self.flash.as_mut().expect("a flash was started");
        let state =
            if flash.after.len() > 1 { flash.after.pop_front() } else { flash.after.front().copied() };
        let (handle, slot, length) = (flash.handle, flash.slot, flash.length);
        match state.expect("a state") {
            State::Transferring(part) => {
                self.transfer = transferring(handle, slot, length, length * part / 1000);
            }
            State::Done => {
                self.transfer = json!({ "Done": [{ "secs": 3, "nanos": handle }, length] });
                self.stop(false);
            }
            State::Stale => return Reply::Json(200, Self::stale()),
            State::Error(text) => self.fail(text),
            State::Other => return Reply::Json(200, transferring(77, slot, 5, 1)),
            State::Away(time) => {
                self.away = Some(Instant::now() + time);
                return Reply::Drop;
            }
            State::Restarted(time) => {
                self.restart(time);
                return Reply::Drop;
            }
        }
        Reply::Json(200, self.transfer.clone())
    }

    fn fail(&mut self, text: &str) {
        self.transfer = json!({ "Error": text });
        let stays_on = self.course_in_use().stays_on;
        self.stop(stays_on);
    }

    /// Ends the worker. The node is off and USB is wired as before, unless the worker has failed early.
    fn stop(&mut self, stays_on: bool) {
        let Some(flash) = &self.flash else { return };
        if !stays_on {
            self.power[flash.slot] = false;
            self.is_wired[flash.slot] = false;
        }
        if self.courses.len() > 1 {
            self.courses.pop_front();
        }
    }
}

fn result(value: impl Into<Value>) -> Reply {
    let value = value.into();
    Reply::Json(200, json!({ "response": [{ "result": value }] }))
}

fn transferring(id: u32, slot: usize, size: u64, bytes_written: u64) -> Value {
    let process_name = format!("Node {} os install service", slot + 1);
    json!({ "Transferring": {
        "id": id, "process_name": process_name, "size": size, "cancelled": false, "bytes_written": bytes_written,
    } })
}
