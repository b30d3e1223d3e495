//! What the present tables infer for days after a packet's date. A book cannot refute what came after it.

use std::collections::BTreeMap;

use super::TableRow;
use crate::values::Date;

/// The last day of time, as open ends compare.
const OPEN: &str = "9999-12-31";

/// The rows of one id, told apart by a packet's date.
#[derive(Debug)]
pub(super) struct Ahead<'t> {
    published: String,
    /// Rows of which the packet can know.
    pub(super) of_the_day: Vec<&'t TableRow>,
    /// Inferred rows that begin after the packet's date.
    later: Vec<&'t TableRow>,
}

impl<'t> Ahead<'t> {
    /// Tells the rows of an id apart. A packet that has the id, while all of our rows begin later, refutes their beginnings.
    pub(super) fn of(ours: &[&'t TableRow], published: &str) -> Self {
        let (later, of_the_day): (Vec<&TableRow>, Vec<&TableRow>) = ours.iter().partition(|row| !row.inferred.is_empty() && row.from.as_str() > published);
        let published = published.to_owned();
        if of_the_day.is_empty() { Self { published, of_the_day: later, later: of_the_day } } else { Self { published, of_the_day, later } }
    }

    /// Whether the end of a row is inferred and later than the packet.
    pub(super) fn stands(&self, row: &TableRow) -> bool {
        !row.inferred.is_empty() && row.until > self.published
    }

    /// The inferred rows that begin after the packet's date.
    pub(super) fn rows(&self) -> impl Iterator<Item = TableRow> {
        self.later.iter().map(|row| (*row).clone())
    }

    /// A new row with the ends that stand, as a row for the families of each of them.
    pub(super) fn bounded(&self, row: TableRow) -> Vec<TableRow> {
        let mut by_end: BTreeMap<Option<(String, String)>, Vec<&str>> = BTreeMap::new();
        for letter in row.files.split(' ') {
            by_end.entry(self.end(letter, &row)).or_default().push(letter);
        }
        let part = |(end, letters): (Option<(String, String)>, Vec<&str>)| {
            let (until, inferred) = end.unwrap_or_else(|| (row.until.clone(), row.inferred.clone()));
            TableRow { files: letters.join(" "), until, inferred, ..row.clone() }
        };
        by_end.into_iter().map(part).collect()
    }

    /// The end of a new row for a family, and its reason, where one of ours stands that is earlier than its own.
    fn end(&self, letter: &str, new: &TableRow) -> Option<(String, String)> {
        let speaks = |row: &&&TableRow| row.files.split(' ').any(|f| f == letter);
        let own = self.of_the_day.iter().filter(speaks).filter(|row| self.stands(row)).map(|row| (row.until.clone(), row.inferred.clone()));
        let eve = |row: &&TableRow| Some((Date::parse(&row.from)?.day_before().to_string(), row.inferred.clone()));
        let before = self.later.iter().filter(speaks).filter_map(eve);
        let until = if new.until.is_empty() { OPEN } else { &new.until };
        own.chain(before).filter(|(end, _)| new.from <= *end && end.as_str() < until).min()
    }
}

/// The last year that the source of a row names: the year from which the row is known.
pub(super) fn known_in(row: &TableRow) -> Option<String> {
    let years = row.source.split(|c: char| !c.is_ascii_digit()).filter(|word| word.len() == 4);
    years.max().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(files: &str, from: &str, until: &str, inferred: &str) -> TableRow {
        let text = || "x".to_owned();
        TableRow {
            id: text(),
            files: files.to_owned(),
            element: text(),
            when: String::new(),
            require: text(),
            kind: text(),
            from: from.to_owned(),
            until: until.to_owned(),
            inferred: inferred.to_owned(),
            severity: text(),
            twin: String::new(),
            note_ru: String::new(),
            note_en: String::new(),
            ru: text(),
            en: text(),
            advice_ru: text(),
            advice_en: text(),
            source: "Q015 2.2".to_owned(),
            mends: String::new(),
        }
    }

    fn told(rows: &[TableRow]) -> Vec<(&str, &str, &str, &str)> {
        rows.iter().map(|r| (r.files.as_str(), r.from.as_str(), r.until.as_str(), r.inferred.as_str())).collect()
    }

    #[test]
    fn an_end_after_the_book_stands_and_an_earlier_one_does_not() {
        let ours = [row("C", "2019-11-01", "2024-02-29", "a"), row("H X", "2019-11-01", "2025-12-31", "b"), row("H X", "2026-01-01", "", "b")];
        let ahead = Ahead::of(&ours.iter().collect::<Vec<_>>(), "2025-02-18");
        assert_eq!(ahead.of_the_day.len(), 2);
        let new = ahead.bounded(row("C H T X", "2019-11-01", "", ""));
        assert_eq!(told(&new), [("C T", "2019-11-01", "", ""), ("H X", "2019-11-01", "2025-12-31", "b")]);
        assert_eq!(told(&ahead.rows().collect::<Vec<_>>()), [("H X", "2026-01-01", "", "b")]);
        // A later edition refutes both, and an earlier end of its own counts.
        let later = Ahead::of(&ours.iter().collect::<Vec<_>>(), "2026-02-18");
        assert_eq!(told(&later.bounded(row("C H T X", "2019-11-01", "", ""))), [("C H T X", "2019-11-01", "", "")]);
        assert_eq!(told(&ahead.bounded(row("H", "2019-11-01", "2025-03-31", ""))), [("H", "2019-11-01", "2025-03-31", "")]);
    }

    #[test]
    fn a_book_that_has_the_id_refutes_a_later_beginning() {
        let ours = [row("H", "2026-01-01", "", "a")];
        let ahead = Ahead::of(&[&ours[0]], "2025-02-18");
        assert_eq!((ahead.of_the_day.len(), ahead.rows().count()), (1, 0));
    }
}
