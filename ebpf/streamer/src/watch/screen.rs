//! Draws the screen: a pure function of the view.

use super::view::{Keys, Pane, View};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Cell, Clear, Paragraph, Row, Sparkline, Table};

/// From this size on, the screen shows all panes at once.
const LARGE: (u16, u16) = (120, 34);

/// A continued line of a packet begins below its protocol, after the time of day.
const INDENT: usize = 14;

const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

const HELP: [(&str, &str); 10] = [
    ("Tab", "next list: talkers, packets, protocols"),
    ("Up Down j k", "scroll the list by a row"),
    ("PgUp PgDn", "scroll it by ten rows"),
    ("Home End", "scroll to its start or end"),
    ("s", "sort by bytes, packets or name"),
    ("/", "filter: all words must be in a line, !word must not"),
    ("", "Enter keeps the filter, Esc removes it"),
    ("n", "names from /etc/hosts, and from DNS, or none"),
    ("p Space", "pause, and go on"),
    ("q Esc", "quit"),
];

pub(super) fn draw(view: &View, frame: &mut Frame<'_>) {
    let area = frame.area();
    let is_large = area.width >= LARGE.0 && area.height >= LARGE.1;
    let [head, rates, body, foot] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(if is_large { 5 } else { 3 }),
        Constraint::Fill(1),
        Constraint::Length(1),
    ])
    .areas(area);
    draw_head(view, frame, head);
    draw_history(view, frame, rates);
    if is_large {
        let [middle, packets] =
            Layout::vertical([Constraint::Percentage(45), Constraint::Fill(1)]).areas(body);
        let [talkers, protocols] =
            Layout::horizontal([Constraint::Fill(1), Constraint::Length(36)]).areas(middle);
        draw_talkers(view, frame, talkers);
        draw_protocols(view, frame, protocols);
        draw_packets(view, frame, packets);
    } else {
        match view.pane {
            Pane::Talkers | Pane::Packets => {
                let share = if view.pane == Pane::Talkers { 60 } else { 35 };
                let [talkers, packets] =
                    Layout::vertical([Constraint::Percentage(share), Constraint::Fill(1)]).areas(body);
                draw_talkers(view, frame, talkers);
                draw_packets(view, frame, packets);
            }
            Pane::Protocols => draw_protocols(view, frame, body),
        }
    }
    draw_foot(view, frame, foot);
    if view.keys == Keys::Help {
        draw_help(frame, area);
    }
}

fn draw_head(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let totals = &view.totals;
    let shown = match view.sampling {
        0 | 1 => "all shown".to_owned(),
        ratio => format!("1 of {ratio} shown"),
    };
    let interface: String =
        view.origin.interface().chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    let mut first = vec![Span::styled(format!("{interface} "), BOLD)];
    if view.mode.is_empty() {
        first.push(Span::styled(format!("({})", view.trouble), alarm(view)));
    } else {
        first.push(Span::styled(
            format!(
                "({})  {} packets/s  {}bit/s  {shown}",
                view.mode,
                view.packets_per_second,
                scaled(view.bits_per_second)
            ),
            BOLD,
        ));
    }
    if view.paused {
        first.push(Span::styled("  PAUSED", alarm(view)));
    }
    let second = format!(
        "total {} {}B  lost {}  malformed {}  multicast {}  broadcast {}",
        totals.seen().packets,
        scaled(totals.seen().bytes),
        totals.lost,
        totals.malformed,
        totals.multicast,
        totals.broadcast
    );
    frame.render_widget(Paragraph::new(vec![Line::from(first), Line::raw(second)]), area);
}

fn draw_history(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let block = Block::bordered().title("packets/s");
    let width = usize::from(block.inner(area).width);
    let newest = view.history.iter().skip(view.history.len().saturating_sub(width)).copied();
    let style = coloured(view, Color::Cyan);
    let line = Sparkline::default().block(block).style(style).data(newest.collect::<Vec<_>>());
    frame.render_widget(line, area);
}

fn draw_foot(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let line = if view.keys == Keys::Filter {
        Line::from(vec![Span::styled(format!("filter: {}_", view.filter), BOLD)])
    } else {
        let filter =
            if view.filter.is_empty() { String::new() } else { format!("filter: {}  ", view.filter) };
        Line::raw(format!("{filter}? help  q quit  p pause  Tab list  s sort  / filter  n names"))
    };
    frame.render_widget(Paragraph::new(line), area);
}

fn draw_help(frame: &mut Frame<'_>, area: Rect) {
    let rows = HELP.map(|(keys, text)| Line::raw(format!(" {keys:<12} {text} ")));
    let width = rows.iter().map(Line::width).max().unwrap_or_default() + 2;
    let height = rows.len() + 2;
    let size = |length: usize, most: u16| u16::try_from(length).unwrap_or(most).min(most);
    let (width, height) = (size(width, area.width), size(height, area.height));
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height };
    frame.render_widget(Clear, place);
    let block = Block::bordered().title("keys (any key closes this)");
    frame.render_widget(Paragraph::new(rows.to_vec()).block(block), place);
}

/// The border of a pane. The title of the pane that keys scroll is bold.
fn border(view: &View, pane: Pane, title: String) -> Block<'static> {
    let style = if view.pane == pane { BOLD } else { Style::new() };
    Block::bordered().title(Span::styled(title, style))
}

fn draw_protocols(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let rows = view.visible_protocols().into_iter().map(|(name, packets, bytes)| {
        Row::new([name.to_owned(), format!("{packets:>9}"), format!("{:>9}B", scaled(bytes))])
            .style(colour_of(view, name))
    });
    let widths = [Constraint::Fill(1), Constraint::Length(9), Constraint::Length(10)];
    let table = Table::new(rows, widths)
        .header(Row::new(["protocol", "packets/s", "   bytes/s"]).style(BOLD))
        .block(border(view, Pane::Protocols, format!("protocols by {}", view.sort.name())));
    frame.render_widget(table, area);
}

fn draw_talkers(view: &View, frame: &mut Frame<'_>, area: Rect) {
    const NUMBERS: u16 = 8 + 9 + 10 + 3;
    let block = border(
        view,
        Pane::Talkers,
        format!("top talkers by {}, {}", view.sort.name(), view.names.source.name()),
    );
    let room = usize::from(block.inner(area).width.saturating_sub(NUMBERS));
    let rows = view.visible_talkers().into_iter().map(|(from, to, flow, volume)| {
        let one_line = format!("{from} -> {to}");
        // Both addresses are always whole: what does not fit into one line has two.
        let ends = if one_line.chars().count() <= room {
            Text::raw(one_line)
        } else {
            Text::from(vec![Line::raw(from), Line::raw(format!(" -> {to}"))])
        };
        let height = if ends.height() > 1 { 2 } else { 1 };
        let protocol = flow.protocol.name().to_string();
        Row::new([
            Cell::from(ends),
            Cell::from(protocol.clone()).style(colour_of(view, &protocol)),
            Cell::from(format!("{:>9}", volume.all_packets())),
            Cell::from(format!("{:>9}B", scaled(volume.all_bytes()))),
        ])
        .height(height)
    });
    let widths = [Constraint::Fill(1), Constraint::Length(8), Constraint::Length(9), Constraint::Length(10)];
    let table = Table::new(rows, widths)
        .header(Row::new(["from -> to", "", "packets/s", "   bytes/s"]).style(BOLD))
        .block(block);
    frame.render_widget(table, area);
}

fn draw_packets(view: &View, frame: &mut Frame<'_>, area: Rect) {
    let block = border(view, Pane::Packets, "last packets (UTC)".to_owned());
    let inner = block.inner(area);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    // From the newest to the oldest, as far as there is room.
    let mut lines: Vec<Line<'_>> = Vec::new();
    for text in view.visible_packets() {
        let wrapped = wrap(&text, width);
        if lines.len() + wrapped.len() > height {
            break;
        }
        let protocol = text.split_whitespace().nth(1).unwrap_or_default();
        let style = colour_of(view, protocol);
        lines.extend(wrapped.into_iter().rev().map(|line| Line::styled(line, style)));
    }
    lines.reverse();
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

/// Cuts a line between words into lines of at most `width` characters. A word that is longer is cut itself.
fn wrap(text: &str, width: usize) -> Vec<String> {
    if text.chars().count() <= width || width <= INDENT {
        return vec![text.chars().take(width).collect()];
    }
    let indent = " ".repeat(INDENT);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_inclusive(' ') {
        let shown = word.trim_end().chars().count();
        if length + shown > width && length > INDENT {
            lines.push(std::mem::replace(&mut line, indent.clone()));
            length = INDENT;
        }
        for c in word.chars() {
            if length == width {
                if c == ' ' {
                    break;
                }
                lines.push(std::mem::replace(&mut line, indent.clone()));
                length = INDENT;
            }
            line.push(c);
            length += 1;
        }
    }
    lines.push(line);
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

fn coloured(view: &View, colour: Color) -> Style {
    if view.colours { Style::new().fg(colour) } else { Style::new() }
}

fn alarm(view: &View) -> Style {
    if view.colours { BOLD.fg(Color::Red) } else { BOLD.add_modifier(Modifier::REVERSED) }
}

fn colour_of(view: &View, protocol: &str) -> Style {
    let protocol = protocol.to_lowercase();
    let colour = match protocol.split('_').next().unwrap_or_default() {
        "tcp" => Color::Cyan,
        "udp" => Color::Green,
        "icmp" | "icmpv6" | "igmp" => Color::Yellow,
        "arp" => Color::Magenta,
        _ => return Style::new(),
    };
    coloured(view, colour)
}

/// Returns a value with one decimal and a decimal prefix: `1.2 M`.
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
    use super::super::view::tests::view;
    use super::*;
    use packet_record::{Counters, Traffic};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent};
    use snapbox::{assert_data_eq, file};

    fn drawn(view: &View, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(view, frame)).unwrap();
        terminal.backend().to_string()
    }

    fn busy() -> View {
        let mut view = view();
        view.sampling = 8;
        view.totals = Counters {
            lost: 3,
            multicast: 1_234_567,
            ..Counters::all_of(
                packet_record::Protocol::Arp,
                Traffic { packets: 99_999_999, bytes: 8_000_000_000 },
            )
        };
        for second in 0..200 {
            view.add_second(second, 9_876_543);
        }
        view
    }

    #[test]
    fn values_are_scaled() {
        assert_eq!(
            [0, 999, 1000, 1_234_567, u64::MAX].map(scaled),
            ["0 ", "999 ", "1.0 k", "1.2 M", "18446.7 P"]
        );
    }

    #[test]
    fn the_usual_terminal_shows_whole_addresses_and_the_help_key() {
        assert_data_eq!(drawn(&busy(), 80, 24), file!["snapshots/talkers_80x24.txt"].raw());
    }

    #[test]
    fn the_usual_terminal_shows_whole_packets() {
        let mut view = busy();
        view.key(KeyEvent::from(KeyCode::Tab));
        view.paused = true;
        view.filter = "!172.16.10.29".into();
        assert_data_eq!(drawn(&view, 80, 24), file!["snapshots/packets_80x24.txt"].raw());
    }

    #[test]
    fn help_lists_the_keys() {
        let mut view = busy();
        view.keys = Keys::Help;
        assert_data_eq!(drawn(&view, 80, 24), file!["snapshots/help_80x24.txt"].raw());
    }

    #[test]
    fn a_large_terminal_shows_everything_at_once() {
        assert_data_eq!(drawn(&busy(), 200, 50), file!["snapshots/screen_200x50.txt"].raw());
    }

    #[test]
    fn a_lost_interface_is_announced() {
        let mut view = busy();
        view.mode = "";
        view.trouble = "the interface is gone; waiting for it".into();
        let text = drawn(&view, 80, 24);
        assert!(text.starts_with("\"end0 (the interface is gone; waiting for it)"), "{text}");
    }

    #[test]
    fn any_size_can_be_drawn() {
        let mut view = busy();
        for keys in [Keys::Lists, Keys::Help, Keys::Filter] {
            view.keys = keys;
            for (width, height) in [(1, 1), (3, 2), (20, 5), (40, 10), (120, 34), (300, 100)] {
                drawn(&view, width, height);
            }
        }
    }

    #[test]
    fn colours_are_used_only_where_they_are_wanted() {
        let colours = |colours| {
            let mut view = busy();
            view.colours = colours;
            let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
            terminal.draw(|frame| draw(&view, frame)).unwrap();
            let cells = &terminal.backend().buffer().content;
            cells.iter().filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count()
        };
        assert_eq!(colours(false), 0);
        assert!(colours(true) > 0);
    }

    #[test]
    fn long_lines_are_wrapped_between_words() {
        let text = "12:34:56.789  TCP      aaaaaaaaaa -> bbbbbbbbbb  60 B";
        assert_eq!(wrap(text, 100), [text]);
        assert_eq!(
            wrap(text, 40),
            ["12:34:56.789  TCP      aaaaaaaaaa ->", "              bbbbbbbbbb  60 B"]
        );
        assert_eq!(wrap("12:34:56.789  aaaaaaaaaaaa", 20), ["12:34:56.789  aaaaaa", "              aaaaaa"]);
    }
}
