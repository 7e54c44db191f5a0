//! Tables for a terminal: columns as wide as their widest cell, two spaces apart.

use std::fmt::Write;

use clap::builder::styling::Style;

/// The spaces between two columns.
const GAP: usize = 2;

/// A cell of a table. Its width is that of the text, without the style.
#[derive(Debug, Clone)]
pub struct Cell {
    pub text: String,
    pub style: Style,
}

impl Cell {
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::new() }
    }

    /// Returns the head of a column.
    #[must_use]
    pub fn head(text: &str) -> Self {
        Self { text: text.to_owned(), style: Style::new().bold() }
    }
}

/// Returns a line for each row, with the styles of its cells. Rows may be of different length; the last cell of a row is not
/// padded.
#[must_use]
pub fn lines(rows: &[Vec<Cell>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.text.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let line = |row: &Vec<Cell>| {
        let mut line = String::new();
        for (number, (Cell { text, style }, width)) in row.iter().zip(&widths).enumerate() {
            let is_last = number + 1 == row.len();
            let padding = if is_last { 0 } else { width + GAP - text.chars().count() };
            // Writing to a string does not fail.
            let _ = write!(line, "{style}{text}{style:#}{:padding$}", "");
        }
        line.truncate(line.trim_end().len());
        line
    };
    rows.iter().map(line).collect()
}

/// Returns a table as one text, each line with its line feed.
#[must_use]
pub fn text(rows: &[Vec<Cell>]) -> String {
    lines(rows).into_iter().fold(String::new(), |text, line| text + &line + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["SECRET", "STATE", "USE"], ["k3s-token", "ready", ""], ["é", "", "all"]];
        let rows = rows.map(|row| row.map(Cell::plain).into());
        assert_eq!(text(&rows), "SECRET     STATE  USE\nk3s-token  ready\né                 all\n");
    }
}
