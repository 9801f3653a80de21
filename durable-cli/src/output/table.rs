//! Columns that stand below each other.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Output, Style, plain};
use crate::exit::CliError;

const GAP: &str = "  ";
/// No column is made narrower than this.
const NARROWEST: usize = 8;

/// A table that is printed part by part. The widths of its columns are settled by the first part, so
/// that a table of any length needs little memory; later rows that are wider stand out.
#[derive(Debug)]
pub(crate) struct Table {
    titles: Vec<&'static str>,
    /// The column that gives way where the terminal is too narrow.
    elastic: usize,
    rows: Vec<Vec<Cell>>,
    widths: Option<Vec<usize>>,
}

#[derive(Debug)]
struct Cell {
    text: String,
    style: Style,
}

impl Table {
    pub(crate) fn new(titles: impl Into<Vec<&'static str>>, elastic: usize) -> Self {
        Self {
            titles: titles.into(),
            elastic,
            rows: Vec::new(),
            widths: None,
        }
    }

    /// Adds a row; it is printed with the next part.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = (Style, String)>) {
        let cell = |(style, text): (Style, String)| Cell {
            text: plain(&text),
            style,
        };
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    /// Prints the rows that were added since the last part.
    pub(crate) fn print(&mut self, output: &mut Output) -> Result<(), CliError> {
        for line in self.lines(output) {
            output.line(&line)?;
        }
        Ok(())
    }

    /// The lines of the next part.
    pub(crate) fn lines(&mut self, output: &Output) -> Vec<String> {
        let rows = std::mem::take(&mut self.rows);
        let mut lines = Vec::with_capacity(rows.len() + 1);
        let widths = if let Some(widths) = &self.widths {
            widths.clone()
        } else {
            let widths = self.fit(&rows, output.width());
            let titles = self.titles.iter().map(|title| Cell {
                text: (*title).to_owned(),
                style: Style::Bold,
            });
            let titles: Vec<_> = titles.collect();
            lines.push(line(&titles, &widths, output));
            widths
        };
        lines.extend(rows.iter().map(|row| line(row, &widths, output)));
        self.widths = Some(widths);
        lines
    }

    /// The widths that the columns need, or less where there is not enough room.
    fn fit(&self, rows: &[Vec<Cell>], room: Option<usize>) -> Vec<usize> {
        let mut widths: Vec<usize> = self.titles.iter().map(|title| title.width()).collect();
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.width());
            }
        }
        if let Some(room) = room {
            let gaps = GAP.len() * (widths.len() - 1);
            let others: usize = widths.iter().sum::<usize>() - widths[self.elastic];
            let left = room.saturating_sub(gaps + others).max(NARROWEST);
            widths[self.elastic] = widths[self.elastic].min(left);
        }
        widths
    }
}

fn line(cells: &[Cell], widths: &[usize], output: &Output) -> String {
    let mut line = String::new();
    for (at, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let is_last = at + 1 == cells.len();
        let text = if output.is_terminal() {
            shorten(&cell.text, *width)
        } else {
            cell.text.clone()
        };
        let padding = width.saturating_sub(text.width());
        line.push_str(&output.paint(cell.style, &text));
        if !is_last {
            line.push_str(&" ".repeat(padding));
            line.push_str(GAP);
        }
    }
    line
}

/// As much of the text as has room, with `…` for the rest.
pub(super) fn shorten(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= room
    };
    let mut shortened: String = text.chars().take_while(fits).collect();
    shortened.push('…');
    shortened
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_by_their_width() {
        assert_eq!(shorten("order-42", 8), "order-42");
        assert_eq!(shorten("order-42", 5), "orde…");
        assert_eq!(shorten("東京東京", 5), "東京…");
        assert_eq!(shorten("東京東京", 4), "東…");
        assert_eq!(shorten("abc", 0), "…");
    }

    #[test]
    fn the_elastic_column_gives_way() {
        let mut table = Table::new(["ID", "NAME"], 0);
        table.row([
            (Style::Plain, "x".repeat(50)),
            (Style::Plain, "hello".to_owned()),
        ]);
        assert_eq!(table.fit(&table.rows, None), [50, 5]);
        assert_eq!(table.fit(&table.rows, Some(30)), [23, 5]);
        assert_eq!(table.fit(&table.rows, Some(3)), [NARROWEST, 5]);
    }
}
