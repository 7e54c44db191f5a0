//! Filters in the language of tcpdump (pcap-filter(7)), compiled for the packet program.
//!
//! The tests of a filter read the same fields in the same order as those of libpcap, so that the two decide alike. On a
//! packet that ends within a header that a filter reads, the decision is that of libpcap without its optimizer
//! (`tcpdump -O`), which changes the order of the tests.

mod compile;
mod parse;
mod primitive;
mod token;

pub use token::FilterError;

use crate::capture::LinkType;
use packet_record::Filter;

/// A filter expression that is known to be valid for Ethernet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(String);

impl std::str::FromStr for Expression {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        compile(text, LinkType::Ethernet)?;
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Expression {
    /// Compiles the expression for an interface.
    pub fn compile(&self, link: LinkType) -> Result<Filter, FilterError> {
        compile(&self.0, link)
    }
}

fn compile(text: &str, link: LinkType) -> Result<Filter, FilterError> {
    compile::tests(&parse::parse(text, link)?, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use snapbox::{assert_data_eq, file};
    use std::fmt::Write as _;

    fn error(text: &str) -> String {
        text.parse::<Expression>().map_or_else(|error| error.to_string(), |_| panic!("`{text}` is accepted"))
    }

    #[test]
    fn an_unsupported_word_is_refused_with_its_place() {
        let refused = [
            "",
            "   ",
            "tcp[tcpflags] & tcp-syn != 0",
            "tcp port http",
            "port 70000",
            "portrange 9",
            "portrange 9-70000",
            "host example.org",
            "tcp host 192.0.2.1",
            "net 192.0.2.1/24",
            "net 192.0.2.0/33",
            "net 2001:db8::1/32",
            "ether host 192.0.2.1",
            "host 02:00:00:00:00:01",
            "ether host 02:00:00:00:00",
            "ip6 host 192.0.2.1",
            "ip host ::1",
            "ip broadcast",
            "gateway router",
            "inbound",
            "mpls 5",
            "vlan 4096",
            "ether proto 100",
            "ip proto nosuch",
            "(tcp",
            "tcp)",
            "tcp udp",
            "tcp and",
            "not",
            "src",
            "src tcp",
            "tcp or 80",
            "less x",
            "arp port 5",
            "src proto 6",
        ];
        let mut text = String::new();
        for expression in refused {
            writeln!(text, "{}\n", error(expression)).unwrap();
        }
        assert_data_eq!(text, file!["snapshots/refused_filters.txt"].raw());
    }

    #[test]
    fn without_ethernet_there_are_no_mac_addresses() {
        for text in ["ether host 02:00:00:00:00:01", "broadcast", "multicast", "vlan 5"] {
            let expression: Expression = text.parse().unwrap();
            assert!(expression.compile(LinkType::Ip).is_err(), "{text}");
        }
        let expression: Expression = "tcp port 443 and not host 192.0.2.1".parse().unwrap();
        assert!(expression.compile(LinkType::Ip).is_ok());
    }

    #[test]
    fn a_filter_that_is_too_long_is_refused() {
        let long = vec!["port 1"; 20].join(" or ");
        assert!(error(&long).contains("too long"), "{}", error(&long));
        let deep = "(".repeat(300) + "tcp" + &")".repeat(300);
        assert!(error(&deep).contains("too deep"), "{}", error(&deep));
    }
}
