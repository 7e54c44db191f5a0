//! The content of the screen, and what keys do with it. Nothing here asks the kernel or draws.

use super::names::{Names, Source};
use crate::flow::{Flow, Volume};
use crate::packet::Packet;
use crate::row::{Origin, PacketDetails, Text, UnixNanos, table};
use packet_record::Counters;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::cmp::Reverse;
use std::collections::VecDeque;

const LAST_PACKETS: usize = 1000;
const HISTORY: usize = 300;
const LONGEST_FILTER: usize = 60;

/// The rows that one page key moves.
const PAGE: isize = 10;

/// A part of the screen that can be scrolled. A small screen shows one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pane {
    #[default]
    Talkers,
    Packets,
    Protocols,
}

impl Pane {
    const fn next(self) -> Self {
        match self {
            Self::Talkers => Self::Packets,
            Self::Packets => Self::Protocols,
            Self::Protocols => Self::Talkers,
        }
    }
}

/// The order of talkers and protocols.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sort {
    #[default]
    Bytes,
    Packets,
    Name,
}

impl Sort {
    const fn next(self) -> Self {
        match self {
            Self::Bytes => Self::Packets,
            Self::Packets => Self::Name,
            Self::Name => Self::Bytes,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Packets => "packets",
            Self::Name => "name",
        }
    }
}

/// Where keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Keys {
    #[default]
    Lists,
    /// The list of keys is on the screen.
    Help,
    Filter,
}

/// A packet and its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    pub(super) time: UnixNanos,
    pub(super) packet: Packet,
}

/// What a key asks of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    None,
    Quit,
}

/// The content of the screen.
#[derive(Debug)]
pub(super) struct View {
    pub(super) origin: Origin,
    /// Empty while the program is not attached.
    pub(super) mode: &'static str,
    /// Why the program is not attached.
    pub(super) trouble: String,
    pub(super) paused: bool,
    pub(super) sampling: u32,
    pub(super) packets_per_second: u64,
    pub(super) bits_per_second: u64,
    pub(super) totals: Counters,
    /// Packets of each of the last seconds, the newest last.
    pub(super) history: VecDeque<u64>,
    /// Packets and bytes of the last second by protocol, of the protocols that had any.
    pub(super) protocols: Vec<(&'static str, u64, u64)>,
    pub(super) talkers: Vec<(Flow, Volume)>,
    /// The newest last.
    pub(super) packets: VecDeque<Seen>,
    pub(super) pane: Pane,
    pub(super) sort: Sort,
    pub(super) filter: String,
    pub(super) keys: Keys,
    /// How many rows each pane is scrolled: from the newest for packets, from the first for the others.
    scroll: [usize; 3],
    pub(super) names: Names,
    pub(super) colours: bool,
}

impl View {
    pub(super) fn new(origin: Origin, names: Names, colours: bool) -> Self {
        Self {
            origin,
            names,
            colours,
            mode: "",
            trouble: String::new(),
            paused: false,
            sampling: 1,
            packets_per_second: 0,
            bits_per_second: 0,
            totals: Counters::default(),
            history: VecDeque::new(),
            protocols: Vec::new(),
            talkers: Vec::new(),
            packets: VecDeque::new(),
            pane: Pane::default(),
            sort: Sort::default(),
            filter: String::new(),
            keys: Keys::default(),
            scroll: [0; 3],
        }
    }

    /// Adds packets, unless the screen is paused.
    pub(super) fn add(&mut self, packets: Vec<Seen>) {
        if self.paused || packets.is_empty() {
            return;
        }
        // Whoever has scrolled back keeps what is on the screen.
        let scroll = &mut self.scroll[Pane::Packets as usize];
        if *scroll > 0 {
            *scroll += packets.len();
        }
        self.packets.extend(packets);
        let surplus = self.packets.len().saturating_sub(LAST_PACKETS);
        self.packets.drain(..surplus);
        self.clamp_scroll();
    }

    pub(super) fn add_second(&mut self, packets_per_second: u64, bits_per_second: u64) {
        self.packets_per_second = packets_per_second;
        self.bits_per_second = bits_per_second;
        self.history.push_back(packets_per_second);
        if self.history.len() > HISTORY {
            self.history.pop_front();
        }
    }

    /// Returns the time and the text of a packet.
    pub(super) fn line(&self, seen: &Seen) -> String {
        let details = PacketDetails { time: seen.time, packet: &seen.packet, origin: &self.origin };
        let mut text = Text::<512>::new();
        let _ = details.describe_with(&mut text, &|address| self.names.get(address));
        let text: String = text.as_str().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        format!("{}  {text}", table::clock(seen.time))
    }

    /// Returns both ends of a flow.
    pub(super) fn ends(&self, flow: &Flow) -> (String, String) {
        let end = |address: crate::packet::Address, port: u16| {
            let text = address.text();
            let shown = self.names.get(address).unwrap_or(text.as_str());
            match port {
                0 => shown.to_owned(),
                port if shown.contains(':') => format!("[{shown}]:{port}"),
                port => format!("{shown}:{port}"),
            }
        };
        (end(flow.source, flow.source_port), end(flow.destination, flow.destination_port))
    }

    /// Returns the packets that match the filter, the newest first, without those that are scrolled away.
    pub(super) fn visible_packets(&self) -> impl Iterator<Item = String> {
        self.matching_packets().skip(self.scroll[Pane::Packets as usize])
    }

    fn matching_packets(&self) -> impl Iterator<Item = String> {
        self.packets.iter().rev().map(|seen| self.line(seen)).filter(|line| self.matches(line))
    }

    /// Returns the talkers that match the filter, in order, without those that are scrolled away.
    pub(super) fn visible_talkers(&self) -> Vec<(String, String, Flow, Volume)> {
        let mut talkers = self.matching_talkers();
        talkers.drain(..self.scroll[Pane::Talkers as usize].min(talkers.len()));
        talkers
    }

    fn matching_talkers(&self) -> Vec<(String, String, Flow, Volume)> {
        let with_ends = |(flow, volume): &(Flow, Volume)| {
            let (from, to) = self.ends(flow);
            (from, to, *flow, *volume)
        };
        let mut talkers: Vec<_> = self.talkers.iter().map(with_ends).collect();
        talkers
            .retain(|(from, to, flow, _)| self.matches(&format!("{from} -> {to} {}", flow.protocol.name())));
        match self.sort {
            Sort::Bytes => talkers.sort_by_key(|(.., volume)| Reverse(volume.all_bytes())),
            Sort::Packets => talkers.sort_by_key(|(.., volume)| Reverse(volume.all_packets())),
            Sort::Name => talkers.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1))),
        }
        talkers
    }

    /// Returns the protocols in order, without those that are scrolled away.
    pub(super) fn visible_protocols(&self) -> Vec<(&'static str, u64, u64)> {
        let mut protocols = self.protocols.clone();
        match self.sort {
            Sort::Bytes => protocols.sort_by_key(|(.., bytes)| Reverse(*bytes)),
            Sort::Packets => protocols.sort_by_key(|(_, packets, _)| Reverse(*packets)),
            Sort::Name => protocols.sort_unstable(),
        }
        protocols.drain(..self.scroll[Pane::Protocols as usize].min(protocols.len()));
        protocols
    }

    /// Returns whether a line has every word of the filter, and none of those that begin with `!`.
    fn matches(&self, line: &str) -> bool {
        let line = line.to_lowercase();
        self.filter.to_lowercase().split_whitespace().all(|word| match word.strip_prefix('!') {
            Some("") => true,
            Some(word) => !line.contains(word),
            None => line.contains(word),
        })
    }

    /// Applies a key.
    pub(super) fn key(&mut self, key: KeyEvent) -> Action {
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            return if key.code == KeyCode::Char('c') { Action::Quit } else { Action::None };
        }
        if self.keys == Keys::Filter {
            match key.code {
                KeyCode::Enter => self.keys = Keys::Lists,
                KeyCode::Esc => (self.keys, self.filter) = (Keys::Lists, String::new()),
                KeyCode::Backspace => drop(self.filter.pop()),
                KeyCode::Char(c) if self.filter.len() < LONGEST_FILTER => self.filter.push(c),
                _ => {}
            }
            self.scroll = [0; 3];
            return Action::None;
        }
        if self.keys == Keys::Help {
            self.keys = Keys::Lists;
            return if key.code == KeyCode::Char('q') { Action::Quit } else { Action::None };
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return Action::Quit,
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.keys = Keys::Help,
            KeyCode::Char('p' | ' ') => self.paused = !self.paused,
            KeyCode::Tab => self.pane = self.pane.next(),
            KeyCode::Char('s') => self.sort = self.sort.next(),
            KeyCode::Char('/') => self.keys = Keys::Filter,
            KeyCode::Char('n') => self.names.source = self.names.source.next(),
            KeyCode::Up | KeyCode::Char('k') => self.scroll_by(-1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll_by(1),
            KeyCode::PageUp => self.scroll_by(-PAGE),
            KeyCode::PageDown => self.scroll_by(PAGE),
            KeyCode::Home => self.scroll_by(isize::MIN),
            KeyCode::End => self.scroll_by(isize::MAX),
            _ => {}
        }
        Action::None
    }

    /// Scrolls the pane: down by a positive number of rows. Packets count from the newest, which is the lowest.
    fn scroll_by(&mut self, rows: isize) {
        let scroll = &mut self.scroll[self.pane as usize];
        let rows = if self.pane == Pane::Packets { rows.saturating_neg() } else { rows };
        *scroll = scroll.saturating_add_signed(rows);
        self.clamp_scroll();
    }

    fn clamp_scroll(&mut self) {
        let last = |rows: usize| rows.saturating_sub(1);
        let lasts = [
            last(self.matching_talkers().len()),
            if self.scroll[Pane::Packets as usize] > 0 { last(self.matching_packets().count()) } else { 0 },
            last(self.protocols.len()),
        ];
        for (scroll, last) in self.scroll.iter_mut().zip(lasts) {
            *scroll = (*scroll).min(last);
        }
    }

    /// Returns whether names from DNS are wanted.
    pub(super) fn wants_dns(&self) -> bool {
        self.names.source == Source::Dns
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::packet::{Address, Fragment, Mac, Protocol};

    pub(in crate::watch) fn packet(last: u8, port: u16) -> Packet {
        Packet {
            direction: crate::packet::Direction::Received,
            has_ethernet: true,
            cast: crate::packet::Cast::Multicast,
            time: 0,
            source_mac: Mac([0x00, 0x11, 0x32, 0xe5, 0x79, 0x5c]),
            destination_mac: Mac([0x01, 0x00, 0x5e, 0x7f, 0xff, 0xfa]),
            source: Address::V4([172, 16, 10, last].into()),
            destination: Address::V4([239, 255, 255, 250].into()),
            protocol: Protocol::UDP,
            length: 129,
            frame_length: 143,
            ttl: 1,
            version: 4,
            source_port: 50085,
            destination_port: port,
            vlan: None,
            inner_vlan: None,
            tcp_flags: None,
            icmp: None,
            arp_operation: None,
            fragment: Fragment::Whole,
            fault: "",
            sampling: 1,
        }
    }

    pub(in crate::watch) fn flow(source: &str, destination: &str, protocol: Protocol) -> Flow {
        let address = |text: &str| Some(text.parse().unwrap()).into();
        Flow {
            source: address(source),
            destination: address(destination),
            protocol,
            source_port: 50085,
            destination_port: 443,
        }
    }

    pub(in crate::watch) fn view() -> View {
        let names = Names::new("172.16.10.1 router\n", Source::Hosts);
        let mut view = View::new(Origin::new("", "end0"), names, false);
        view.mode = "generic";
        view.add(
            (0..30)
                .map(|at| Seen {
                    time: 1_716_570_245_000_000_000 + i64::from(at) * 1_000_000,
                    packet: packet(at, 1900),
                })
                .collect(),
        );
        view.talkers = vec![
            (
                flow("172.16.10.1", "172.16.10.221", Protocol::TCP),
                Volume { packets: 3, bytes: 4000, ..Volume::default() },
            ),
            (
                flow("192.0.2.7", "172.16.10.221", Protocol::UDP),
                Volume { packets: 9, bytes: 900, ..Volume::default() },
            ),
            (
                flow(
                    "2001:db8:1234:5678:9abc:def0:1234:5678",
                    "2001:db8:ffff:eeee:dddd:cccc:bbbb:aaaa",
                    Protocol::TCP,
                ),
                Volume { packets: 5, bytes: 7000, ..Volume::default() },
            ),
        ];
        view.protocols = vec![("tcp_ipv4", 3, 4000), ("udp_ipv4", 9, 900), ("tcp_ipv6", 5, 7000)];
        view
    }

    fn press(view: &mut View, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '^' => KeyCode::Up,
                'v' => KeyCode::Down,
                '\u{8}' => KeyCode::Backspace,
                key => KeyCode::Char(key),
            };
            assert_eq!(view.key(KeyEvent::from(code)), Action::None, "{key:?}");
        }
    }

    fn talkers(view: &View) -> Vec<String> {
        view.visible_talkers().into_iter().map(|(from, ..)| from).collect()
    }

    #[test]
    fn talkers_are_sorted_by_bytes_packets_or_name() {
        let mut view = view();
        let long = "[2001:db8:1234:5678:9abc:def0:1234:5678]:50085";
        let (router, other) = ("router:50085", "192.0.2.7:50085");
        assert_eq!(talkers(&view), [long, router, other]);
        press(&mut view, "s");
        assert_eq!(talkers(&view), [other, long, router]);
        press(&mut view, "s");
        assert_eq!(talkers(&view), [other, long, router]);
        press(&mut view, "s");
        assert_eq!(talkers(&view), [long, router, other]);
    }

    #[test]
    fn a_filter_keeps_lines_with_all_its_words_and_without_others() {
        let mut view = view();
        press(&mut view, "/ROUTER tcp\n");
        assert_eq!(talkers(&view), ["router:50085"]);
        assert_eq!(view.visible_packets().count(), 0);
        press(&mut view, "/\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}\u{8}!router 172.16\n");
        assert_eq!(talkers(&view), ["192.0.2.7:50085"]);
        assert_eq!(view.visible_packets().count(), 29);
        press(&mut view, "/");
        view.key(KeyEvent::from(KeyCode::Esc));
        assert_eq!((talkers(&view).len(), view.keys), (3, Keys::Lists));
    }

    #[test]
    fn lists_can_be_scrolled_and_stay_within_their_rows() {
        let mut view = view();
        press(&mut view, "v");
        assert_eq!(talkers(&view).len(), 2);
        press(&mut view, "vvvvvv");
        assert_eq!(talkers(&view).len(), 1);
        press(&mut view, "\t^^");
        assert_eq!(view.visible_packets().count(), 28);
        let first = view.visible_packets().next();
        // New packets do not move what is on the screen.
        view.add(vec![Seen { time: 0, packet: packet(99, 1) }]);
        assert_eq!(view.visible_packets().next(), first);
        view.key(KeyEvent::from(KeyCode::End));
        assert!(view.visible_packets().next().unwrap().contains("172.16.10.99"));
        view.key(KeyEvent::from(KeyCode::Home));
        assert_eq!(view.visible_packets().count(), 1);
    }

    #[test]
    fn a_pause_stops_packets_and_help_hides_again() {
        let mut view = view();
        press(&mut view, "p");
        view.add(vec![Seen { time: 0, packet: packet(99, 1) }]);
        assert_eq!(view.packets.len(), 30);
        press(&mut view, "?x");
        assert_eq!((view.paused, view.keys), (true, Keys::Lists));
        assert_eq!(view.key(KeyEvent::from(KeyCode::Char('q'))), Action::Quit);
    }

    #[test]
    fn the_number_of_packets_is_bounded() {
        let mut view = view();
        view.add((0..5000).map(|_| Seen { time: 0, packet: packet(1, 1) }).collect());
        assert_eq!(view.packets.len(), LAST_PACKETS);
    }
}
