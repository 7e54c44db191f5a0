//! The screen itself: a pure function of what is to be shown.

use super::app::View;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;
use ratatui::widgets::{Block, List, Paragraph, Row, Sparkline, Table};

/// No colours: what matters is said in words, and the terminal's own two are always readable.
const HEAD: Style = Style::new().add_modifier(Modifier::BOLD);

pub(super) fn draw(view: &View, frame: &mut Frame<'_>) {
    let [head, rates, middle, packets] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(4),
        Constraint::Percentage(40),
        Constraint::Fill(1),
    ])
    .areas(frame.area());
    let [protocols, talkers] =
        Layout::horizontal([Constraint::Length(34), Constraint::Fill(1)]).areas(middle);
    draw_head(view, frame, head);
    draw_history(view, frame, rates);
    draw_protocols(view, frame, protocols);
    draw_talkers(view, frame, talkers);
    draw_packets(view, frame, packets);
}

fn draw_head(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let totals = &view.totals;
    let shown = match view.sampling {
        0 | 1 => "every packet shown".to_owned(),
        ratio => format!("1 packet of {ratio} shown"),
    };
    let state = if view.paused { "  PAUSED" } else { "" };
    let lines = [
        Line::styled(
            format!(
                "{} ({})  {} packets/s  {}bit/s  {shown}{state}",
                view.interface,
                view.mode,
                view.packets_per_second,
                scaled(view.bits_per_second)
            ),
            HEAD,
        ),
        Line::raw(format!(
            "total {} packets, {}B  lost {}  malformed {}  multicast {}  broadcast {}   q quit, p pause",
            totals.seen().packets,
            scaled(totals.seen().bytes),
            totals.lost,
            totals.malformed,
            totals.multicast,
            totals.broadcast
        )),
    ];
    frame.render_widget(Paragraph::new(lines.to_vec()), area);
}

fn draw_history(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title("packets/s");
    let width = usize::from(block.inner(area).width);
    let newest = view.history.iter().skip(view.history.len().saturating_sub(width)).copied();
    frame.render_widget(Sparkline::default().block(block).data(newest.collect::<Vec<_>>()), area);
}

fn draw_protocols(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let rows = view.protocols.iter().map(|(name, packets, bytes)| {
        Row::new([(*name).to_owned(), format!("{packets:>8}"), format!("{:>8}B", scaled(*bytes))])
    });
    let widths = [Constraint::Fill(1), Constraint::Length(9), Constraint::Length(10)];
    let table = Table::new(rows, widths)
        .header(Row::new(["protocol", "packets/s", "  bytes/s"]).style(HEAD))
        .block(Block::bordered().title("protocols"));
    frame.render_widget(table, area);
}

fn draw_talkers(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let end = |address: crate::packet::Address, port: u16| match port {
        0 => address.text().to_string(),
        port => format!("{} {port}", address.text()),
    };
    let rows = view.talkers.iter().map(|(flow, volume)| {
        Row::new([
            end(flow.source, flow.source_port),
            end(flow.destination, flow.destination_port),
            flow.protocol.name().to_string(),
            format!("{:>8}", volume.packets),
            format!("{:>8}B", scaled(volume.bytes)),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Fill(1),
        Constraint::Length(8),
        Constraint::Length(9),
        Constraint::Length(10),
    ];
    let table = Table::new(rows, widths)
        .header(Row::new(["from", "to", "", "  packets", "    bytes"]).style(HEAD))
        .block(Block::bordered().title("top talkers of the last second"));
    frame.render_widget(table, area);
}

fn draw_packets(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title("last packets (UTC)");
    let height = usize::from(block.inner(area).height);
    let newest = view.packets.iter().skip(view.packets.len().saturating_sub(height));
    frame.render_widget(List::new(newest.map(String::as_str)).block(block), area);
}

/// `1.2 M`: three digits and a decimal prefix.
fn scaled(value: u64) -> String {
    const PREFIXES: [&str; 6] = ["", "k", "M", "G", "T", "P"];
    let mut scale = 0;
    let mut unit = 1_u64;
    while value / unit >= 1000 && scale + 1 < PREFIXES.len() {
        unit *= 1000;
        scale += 1;
    }
    if scale == 0 {
        return format!("{value} ");
    }
    format!("{}.{} {}", value / unit, value % unit * 10 / unit, PREFIXES[scale])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{Flow, Volume};
    use crate::packet::{Address, Protocol};
    use packet_record::{Counters, Traffic};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use snapbox::{assert_data_eq, file};

    #[test]
    fn values_are_scaled() {
        assert_eq!(
            [0, 999, 1000, 1_234_567, u64::MAX].map(scaled),
            ["0 ", "999 ", "1.0 k", "1.2 M", "18446.7 P"]
        );
    }

    #[test]
    fn the_screen_shows_all_of_the_view() {
        let flow = Flow {
            source: Address::V4([172, 16, 10, 208].into()),
            destination: Address::V4([239, 255, 255, 250].into()),
            protocol: Protocol::UDP,
            source_port: 50085,
            destination_port: 1900,
        };
        let view = View {
            interface: "end0".into(),
            mode: "generic",
            paused: true,
            sampling: 8,
            packets_per_second: 1234,
            bits_per_second: 9_876_543,
            totals: Counters {
                lost: 3,
                ..Counters::all_of(
                    packet_record::Protocol::Arp,
                    Traffic { packets: 99_999, bytes: 8_000_000 },
                )
            },
            history: (0..200).collect(),
            protocols: vec![("udp_ipv4", 1200, 150_000), ("arp", 34, 2040)],
            talkers: vec![(flow, Volume { packets: 4, bytes: 516 })],
            packets: (0..30).map(|number| format!("packet {number}")).collect(),
        };
        let mut terminal = Terminal::new(TestBackend::new(110, 30)).unwrap();
        terminal.draw(|frame| draw(&view, frame)).unwrap();
        assert_data_eq!(terminal.backend().to_string(), file!["snapshots/screen.txt"].raw());
    }

    #[test]
    fn a_tiny_terminal_is_no_trouble() {
        let mut terminal = Terminal::new(TestBackend::new(3, 2)).unwrap();
        terminal.draw(|frame| draw(&View::default(), frame)).unwrap();
    }
}
