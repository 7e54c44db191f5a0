//! The grammar: `and` and `or` have the same precedence and group from the left, `not` binds tighter (pcap-filter(7)).

use super::compile::Node;
use super::primitive::{self as primitive, ARP, Ends, IPV4, IPV6, RARP, Tags};
use super::token::{FilterError, Kind, Token, tokens};
use crate::capture::LinkType;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

/// The deepest nesting of parentheses and `not`.
const MOST_DEPTH: usize = 100;

/// Protocols by name, with their number and whether the name alone means IPv4, IPv6 or both.
const PROTOCOLS: [(&str, u8, Versions); 10] = [
    ("tcp", 6, Versions::Both),
    ("udp", 17, Versions::Both),
    ("sctp", 132, Versions::Both),
    ("icmp", 1, Versions::Four),
    ("icmp6", 58, Versions::Six),
    ("igmp", 2, Versions::Four),
    ("pim", 103, Versions::Both),
    ("vrrp", 112, Versions::Four),
    ("ah", 51, Versions::Both),
    ("esp", 50, Versions::Both),
];

/// The `EtherType` of each protocol with a name.
const ETHERTYPES: [(&str, u16); 4] = [("ip", IPV4), ("ip6", IPV6), ("arp", ARP), ("rarp", RARP)];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versions {
    Four,
    Six,
    Both,
}

/// What stands before the value of a primitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Qualifiers {
    protocol: Option<&'static str>,
    ends: Option<Ends>,
    kind: ValueKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ValueKind {
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
}

const WORDS: &str = "the words are host, net, port, portrange, proto, vlan, ether, ip, ip6, arp, rarp, tcp, udp, sctp, icmp, \
                     icmp6, igmp, broadcast, multicast, less, greater, src, dst, and, or, not";

/// Parses an expression into a condition.
pub(super) fn parse(text: &str, link: LinkType) -> Result<Node, FilterError> {
    let mut parser = Parser { text, link, tokens: tokens(text), at: 0, depth: 0, tags: Tags(0), last: None };
    if parser.tokens.is_empty() {
        return Err(parser.error(0..0, "the filter is empty", "write an expression such as `tcp port 443`"));
    }
    let node = parser.expression()?;
    match parser.peek() {
        None => Ok(node),
        Some(Token { kind: Kind::Close, place }) => {
            Err(parser.error(place.clone(), "this parenthesis is not open", ""))
        }
        Some(token) => Err(parser.error(token.place.clone(), "`and` or `or` is missing before this", "")),
    }
}

struct Parser<'a> {
    text: &'a str,
    link: LinkType,
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    tags: Tags,
    /// The qualifiers of the last value, which the next value has too if it has none itself.
    last: Option<Qualifiers>,
}

type Parsed<T> = Result<T, FilterError>;

impl Parser<'_> {
    fn error(&self, place: Range<usize>, message: impl Into<String>, hint: &'static str) -> FilterError {
        FilterError::new(self.text, place, message, hint)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn peek_word(&self) -> Option<&str> {
        match self.peek() {
            Some(Token { kind: Kind::Word(word), .. }) => Some(word),
            _ => None,
        }
    }

    /// Skips the next token if it is of this kind.
    fn skip(&mut self, kind: &Kind) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == *kind);
        self.at += usize::from(found);
        found
    }

    /// Skips the next word if it is one of a list, and returns it.
    fn skip_word<'w>(&mut self, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
        let next = self.peek_word()?;
        let word = words.into_iter().find(|word| *word == next)?;
        self.at += 1;
        Some(word)
    }

    /// The end of the text, for errors about something that is missing.
    fn end(&self) -> Range<usize> {
        self.peek().map_or(self.text.len()..self.text.len(), |token| token.place.clone())
    }

    fn expression(&mut self) -> Parsed<Node> {
        let mut node = self.term()?;
        loop {
            if self.skip(&Kind::And) {
                node = node.and(self.term()?);
            } else if self.skip(&Kind::Or) {
                node = node.or(self.term()?);
            } else {
                return Ok(node);
            }
        }
    }

    fn term(&mut self) -> Parsed<Node> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.error(self.end(), "the filter is nested too deep", ""));
        }
        let node = if self.skip(&Kind::Not) {
            self.term()?.not()
        } else if self.skip(&Kind::Open) {
            let open = self.tokens.get(self.at - 1).map_or(0..0, |token| token.place.clone());
            let node = self.expression()?;
            if !self.skip(&Kind::Close) {
                return Err(self.error(open, "this parenthesis is not closed", ""));
            }
            node
        } else {
            self.primitive()?
        };
        self.depth -= 1;
        Ok(node)
    }

    fn primitive(&mut self) -> Parsed<Node> {
        let start = self.end();
        let names = PROTOCOLS.iter().map(|row| row.0).chain(ETHERTYPES.iter().map(|row| row.0));
        let protocol = self.skip_word(names.chain(["ether"]));
        let after_protocol = self.end();
        let ends = self.ends()?;
        if ends.is_none()
            && let Some(node) = self.without_value(protocol, start.clone())?
        {
            self.last = None;
            return Ok(node);
        }
        let kinds = ["host", "net", "port", "portrange", "proto"];
        let kind = self.skip_word(kinds).map(|word| match word {
            "net" => ValueKind::Net,
            "port" => ValueKind::Port,
            "portrange" => ValueKind::PortRange,
            "proto" => ValueKind::Protocol,
            _ => ValueKind::Host,
        });
        if protocol.is_none() && ends.is_none() && kind.is_none() {
            let Some(last) = self.last else { return self.bare_value() };
            return self.value(last, start);
        }
        if kind.is_none() && ends.is_none() {
            // A protocol alone: `tcp`.
            self.last = None;
            return self.protocol_alone(protocol.unwrap_or_default(), start);
        }
        let kind = kind.unwrap_or(ValueKind::Host);
        let qualifiers = Qualifiers { protocol, ends, kind };
        if kind == ValueKind::Protocol && ends.is_some() {
            return Err(self.error(
                after_protocol,
                "`proto` has no source and destination",
                "remove `src` or `dst`",
            ));
        }
        let node = self.value(qualifiers, start)?;
        self.last = Some(qualifiers);
        Ok(node)
    }

    /// Reads `src`, `dst`, and their combinations.
    fn ends(&mut self) -> Parsed<Option<Ends>> {
        let Some(first) = self.skip_word(["src", "dst"]) else { return Ok(None) };
        let combination = match self.peek().map(|token| &token.kind) {
            Some(Kind::And) => Ends::Both,
            Some(Kind::Or) => Ends::Either,
            _ => return Ok(Some(if first == "src" { Ends::Source } else { Ends::Destination })),
        };
        self.at += 1;
        let other = if first == "src" { "dst" } else { "src" };
        match self.skip_word([other]) {
            Some(_) => Ok(Some(combination)),
            None => Err(self.error(self.end(), format!("`{other}` is missing here"), "")),
        }
    }

    /// Reads a primitive that needs no value of an address or a port.
    fn without_value(&mut self, protocol: Option<&str>, start: Range<usize>) -> Parsed<Option<Node>> {
        let place = self.end();
        let Some(word) = self.skip_word(["broadcast", "multicast", "vlan", "less", "greater"]) else {
            return Ok(None);
        };
        let node = match (protocol, word) {
            (None | Some("ether"), "broadcast") => {
                self.wants_ethernet(place)?;
                primitive::mac_hosts([0xff; 6], Ends::Destination)
            }
            (None | Some("ether"), "multicast") => {
                self.wants_ethernet(place)?;
                primitive::mac_multicast()
            }
            (Some("ip"), "multicast") => self.tags.ip_multicast(),
            (Some("ip6"), "multicast") => self.tags.ip6_multicast(),
            (None, "vlan") => {
                self.wants_ethernet(place)?;
                let id = match self.peek_word().and_then(number) {
                    None => None,
                    Some(id) => {
                        let place = self.end();
                        self.at += 1;
                        let id = u16::try_from(id).ok().filter(|id| *id <= 0x0fff);
                        Some(id.ok_or_else(|| self.error(place, "a VLAN id is at most 4095", ""))?)
                    }
                };
                self.tags.vlan(id)
            }
            (None, "less" | "greater") => {
                let place = self.end();
                let length = self.peek_word().and_then(number);
                let Some(length) = length else {
                    return Err(self.error(place, "a number of bytes is missing here", ""));
                };
                self.at += 1;
                if word == "greater" {
                    primitive::at_least(length)
                } else {
                    primitive::at_least(length.saturating_add(1)).not()
                }
            }
            (Some("ip"), "broadcast") => {
                return Err(self.error(
                    start.start..place.end,
                    "`ip broadcast` is not supported, because the netmask is not known",
                    "use `ether broadcast`, or `dst host` with the broadcast address",
                ));
            }
            (Some(protocol), _) => {
                return Err(self.error(start, format!("`{protocol}` does not go with `{word}`"), ""));
            }
            (None, _) => return Ok(None),
        };
        Ok(Some(node))
    }

    fn protocol_alone(&self, name: &str, place: Range<usize>) -> Parsed<Node> {
        if let Some((_, number, versions)) = PROTOCOLS.iter().find(|row| row.0 == name) {
            return Ok(self.protocol(*number, *versions));
        }
        if let Some((_, number)) = ETHERTYPES.iter().find(|row| row.0 == name) {
            return Ok(self.tags.ethertype(*number));
        }
        Err(self.error(place, "`host`, `proto`, `broadcast` or `multicast` is missing after this", ""))
    }

    fn protocol(&self, number: u8, versions: Versions) -> Node {
        match versions {
            Versions::Four => self.tags.ip_protocol(number),
            Versions::Six => self.tags.ip6_protocol(number),
            Versions::Both => self.tags.ip_protocol(number).or(self.tags.ip6_protocol(number)),
        }
    }

    fn wants_ethernet(&self, place: Range<usize>) -> Parsed<()> {
        if self.link == LinkType::Ethernet {
            return Ok(());
        }
        Err(self.error(
            place,
            "this interface has no Ethernet header, and so no MAC addresses and VLAN tags",
            "",
        ))
    }

    /// Reads a word without qualifiers at a place where none can be taken over: a host, or an unknown word.
    fn bare_value(&mut self) -> Parsed<Node> {
        let place = self.end();
        match self.peek() {
            None => Err(self.error(place, "an expression is missing here", "")),
            Some(Token { kind: Kind::Word(word), .. }) => {
                if word.parse::<Ipv4Addr>().is_ok() || word.parse::<Ipv6Addr>().is_ok() {
                    let host = Qualifiers { protocol: None, ends: None, kind: ValueKind::Host };
                    let node = self.value(host, place)?;
                    self.last = Some(host);
                    return Ok(node);
                }
                Err(self.error(place, format!("`{word}` is not supported here"), WORDS))
            }
            Some(_) => Err(self.error(place, "an expression is missing before this", "")),
        }
    }

    /// Reads the value of a primitive, which begins at `start`.
    fn value(&mut self, qualifiers: Qualifiers, start: Range<usize>) -> Parsed<Node> {
        let place = self.end();
        let Some(word) = self.peek_word().map(str::to_owned) else {
            return Err(self.error(place, "a value is missing here", ""));
        };
        self.at += 1;
        let Qualifiers { protocol, ends, kind } = qualifiers;
        let ends = ends.unwrap_or(Ends::Either);
        let text = self.text;
        let mismatch = |kind: &str| {
            let protocol = protocol.unwrap_or_default();
            let message = format!("`{protocol}` does not go with `{kind}`");
            FilterError::new(text, start.clone(), message, "")
        };
        match kind {
            ValueKind::Host if protocol == Some("ether") => {
                self.wants_ethernet(start)?;
                let mac = mac(&word).ok_or_else(|| {
                    self.error(
                        place,
                        format!("`{word}` is not a MAC address"),
                        "write six bytes: `02:00:00:00:00:01`",
                    )
                })?;
                Ok(primitive::mac_hosts(mac, ends))
            }
            ValueKind::Host => {
                self.host(protocol, ends, &word, place).unwrap_or_else(|| Err(mismatch("host")))
            }
            ValueKind::Net => self.net(protocol, ends, &word, place).unwrap_or_else(|| Err(mismatch("net"))),
            ValueKind::Port | ValueKind::PortRange => {
                let number = match protocol {
                    None => None,
                    Some("tcp") => Some(6),
                    Some("udp") => Some(17),
                    Some("sctp") => Some(132),
                    Some(_) => return Err(mismatch("port")),
                };
                let (first, last) = if kind == ValueKind::Port {
                    let port = port(&word).ok_or_else(|| {
                        self.error(place, format!("`{word}` is not a port"), "write a number up to 65535")
                    })?;
                    (port, port)
                } else {
                    let range = word.split_once('-').and_then(|(a, b)| Some((port(a)?, port(b)?)));
                    let (a, b) = range.ok_or_else(|| {
                        self.error(
                            place,
                            format!("`{word}` is not a range of ports"),
                            "write two numbers: `6000-6008`",
                        )
                    })?;
                    (a.min(b), a.max(b))
                };
                Ok(self.tags.ports(number, first, last, ends))
            }
            ValueKind::Protocol => {
                self.protocol_value(protocol, &word, place).unwrap_or_else(|| Err(mismatch("proto")))
            }
        }
    }

    /// Returns None if the protocol does not go with a host.
    fn host(
        &self,
        protocol: Option<&str>,
        ends: Ends,
        word: &str,
        place: Range<usize>,
    ) -> Option<Parsed<Node>> {
        if !matches!(protocol, None | Some("ip" | "ip6" | "arp" | "rarp")) {
            return None;
        }
        if let (Ok(address), true) = (word.parse::<Ipv4Addr>(), protocol != Some("ip6")) {
            return Some(Ok(self.ipv4(protocol, address, u32::MAX, ends)));
        }
        if let (Ok(address), None | Some("ip6")) = (word.parse::<Ipv6Addr>(), protocol) {
            return Some(Ok(self.tags.ipv6_hosts(address, u128::MAX, ends)));
        }
        let hint = if mac(word).is_some() {
            "use `ether host` for a MAC address"
        } else {
            "write an address, because names are not looked up"
        };
        let version = match protocol {
            Some("ip6") => "an IPv6 address",
            Some(_) => "an IPv4 address",
            None => "an IP address",
        };
        Some(Err(self.error(place, format!("`{word}` is not {version}"), hint)))
    }

    /// IPv4 addresses, which ARP has too.
    fn ipv4(&self, protocol: Option<&str>, address: Ipv4Addr, mask: u32, ends: Ends) -> Node {
        let of = |ethertype| self.tags.ipv4_hosts(ethertype, address, mask, ends);
        match protocol {
            Some("ip") => of(IPV4),
            Some("arp") => of(ARP),
            Some("rarp") => of(RARP),
            _ => of(IPV4).or(of(ARP)).or(of(RARP)),
        }
    }

    /// Returns None if the protocol does not go with a net.
    fn net(
        &mut self,
        protocol: Option<&str>,
        ends: Ends,
        word: &str,
        place: Range<usize>,
    ) -> Option<Parsed<Node>> {
        if !matches!(protocol, None | Some("ip" | "ip6" | "arp" | "rarp")) {
            return None;
        }
        let hint = "write an address with its prefix length: `192.0.2.0/24`";
        let wrong = |parser: &Self| parser.error(place.clone(), format!("`{word}` is not a net"), hint);
        let set = |parser: &Self| {
            parser.error(
                place.clone(),
                format!("`{word}` has bits set behind its prefix"),
                "write the net's own address",
            )
        };
        let (address, length) = word.split_once('/').map_or((word, None), |(a, b)| (a, Some(b)));
        if let (Ok(address), None | Some("ip6")) = (address.parse::<Ipv6Addr>(), protocol) {
            let length =
                length.map_or(Some(128), |length| length.parse::<u32>().ok().filter(|length| *length <= 128));
            let Some(length) = length else { return Some(Err(wrong(self))) };
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            if address.to_bits() & !mask != 0 {
                return Some(Err(set(self)));
            }
            return Some(Ok(self.tags.ipv6_hosts(address, mask, ends)));
        }
        let Some((bits, octets)) = dotted(address).filter(|_| protocol != Some("ip6")) else {
            return Some(Err(wrong(self)));
        };
        let mask = if let Some(length) = length {
            let length = length.parse::<u32>().ok().filter(|length| *length <= 32);
            let Some(length) = length else { return Some(Err(wrong(self))) };
            u32::MAX.checked_shl(32 - length).unwrap_or(0)
        } else if self.skip_word(["mask"]).is_some() {
            let mask_place = self.end();
            let mask = self.peek_word().and_then(|word| word.parse::<Ipv4Addr>().ok());
            let Some(mask) = mask else {
                return Some(Err(self.error(
                    mask_place,
                    "a netmask is missing here",
                    "write it as `255.255.255.0`",
                )));
            };
            self.at += 1;
            mask.to_bits()
        } else {
            // A net of one to three octets has a prefix of as many.
            u32::MAX.checked_shl(32 - 8 * octets).unwrap_or(0)
        };
        if bits & !mask != 0 {
            return Some(Err(set(self)));
        }
        Some(Ok(self.ipv4(protocol, Ipv4Addr::from_bits(bits), mask, ends)))
    }

    /// Returns None if the protocol does not go with `proto`.
    fn protocol_value(
        &self,
        protocol: Option<&str>,
        word: &str,
        place: Range<usize>,
    ) -> Option<Parsed<Node>> {
        let name = word.strip_prefix('\\').unwrap_or(word);
        if protocol == Some("ether") {
            let known = ETHERTYPES.iter().find(|row| row.0 == name).map(|row| row.1);
            let ethertype = known.or_else(|| {
                number(name).and_then(|number| u16::try_from(number).ok()).filter(|number| *number > 1500)
            });
            return Some(ethertype.map(|number| self.tags.ethertype(number)).ok_or_else(|| {
                self.error(
                    place,
                    format!("`{word}` is not an EtherType"),
                    "write a number from 0x05dd on, such as `0x88cc`",
                )
            }));
        }
        let known = PROTOCOLS.iter().find(|row| row.0 == name).map(|row| row.1);
        let number = known.or_else(|| number(name).and_then(|number| u8::try_from(number).ok()));
        let versions = match protocol {
            None => Versions::Both,
            Some("ip") => Versions::Four,
            Some("ip6") => Versions::Six,
            Some(_) => return None,
        };
        Some(number.map(|number| self.protocol(number, versions)).ok_or_else(|| {
            self.error(
                place,
                format!("`{word}` is not an IP protocol"),
                "write a number up to 255, or a name such as `tcp`",
            )
        }))
    }
}

/// Parses a number as C writes it: decimal, or hexadecimal with `0x`.
fn number(word: &str) -> Option<u32> {
    let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
    match digits {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

fn port(word: &str) -> Option<u16> {
    word.parse().ok()
}

fn mac(word: &str) -> Option<[u8; 6]> {
    let mut bytes = word
        .split([':', '-'])
        .map(|byte| u8::from_str_radix(byte, 16).ok().filter(|_| byte.len() <= 2 && !byte.starts_with('+')));
    let mut mac = [0; 6];
    for byte in &mut mac {
        *byte = bytes.next()??;
    }
    bytes.next().is_none().then_some(mac)
}

/// Parses one to four octets, and returns them as the high bits of an address, and their number.
fn dotted(word: &str) -> Option<(u32, u32)> {
    let mut bits = 0;
    let mut count = 0;
    for octet in word.split('.') {
        let octet: u8 = octet.parse().ok()?;
        bits = bits << 8 | u32::from(octet);
        count += 1;
        if count > 4 {
            return None;
        }
    }
    Some((bits << (32 - 8 * count), count))
}
