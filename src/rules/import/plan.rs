//! Compares a packet with the present rule tables, row by row.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::values::hex;

use super::ahead::{self, Ahead};
use super::express::{Side, Unexpressed};
use super::packet::{Packet, PublishedRow};
use super::{Edition, Importer, PlanError, Refusal, Scope, TableRow, eve};
use crate::rules::published::Repair;
use crate::texts::Lang;
use crate::values::Date;

pub(super) const EDITIONS: &str = "flk/editions.csv";
/// Reason key in `flk/inferred.csv` for rows that a newer edition no longer has.
const ENDED: &str = "edition";

/// Letters of the file families in the rule book.
pub(super) const LETTERS: [&str; 8] = ["C", "H", "T", "X", "L", "D", "R", "A"];

/// A column of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the columns of the rule tables")]
pub enum Field {
    Files,
    Element,
    When,
    Require,
    From,
    Until,
}

impl Field {
    /// The column's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Element => "element",
            Self::When => "when",
            Self::Require => "require",
            Self::From => "from",
            Self::Until => "until",
        }
    }
}

/// How a packet changes a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// The packet has the same rule.
    Same,
    /// The rule is new.
    New,
    /// The rule is present, but differs.
    Changed,
    /// The rule is present, but not in the packet, and ends.
    Ended,
    /// The rule is present and stays, although it is not in the packet: e.g. it is later than the packet.
    Kept,
    /// The rule could not be expressed; it is stored and shown, but not executed.
    Unexpressed,
}

impl Change {
    /// All changes, in the order of reports.
    pub const ALL: [Self; 6] = [Self::New, Self::Changed, Self::Ended, Self::Unexpressed, Self::Kept, Self::Same];

    /// The word for the change.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::New => "new",
            Self::Changed => "changed",
            Self::Ended => "ended",
            Self::Kept => "kept",
            Self::Unexpressed => "unexpressed",
        }
    }
}

/// A column that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The column.
    pub field: Field,
    /// The present text.
    pub ours: String,
    /// The packet's text in the rule language.
    pub theirs: String,
}

/// Outcome of the import for one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowOutcome {
    /// Id of the rule.
    pub id: String,
    /// How the packet changes the rule.
    pub change: Change,
    /// Columns that differ.
    pub differences: Vec<Difference>,
    /// Repairs that the published texts needed.
    pub repairs: Vec<(Field, Repair)>,
    /// Published texts that a person has translated, each with the reason: slip, prose, reading.
    pub readings: Vec<(Field, String)>,
    /// Why the rule could not be expressed, if it could not.
    pub why: Vec<(Field, Unexpressed)>,
    /// Whether its present dates are inferred, not published.
    pub inferred: bool,
}

/// The changes that a packet would make.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Book, edition and date of the packet.
    pub edition: Edition,
    /// Territory of the rules.
    pub scope: Scope,
    /// Every rule that is in the packet or present, by id.
    pub rows: Vec<RowOutcome>,
    /// Tables that differ from the present ones: name under `rules/`, and text.
    pub tables: Vec<(String, String)>,
}

impl Plan {
    /// Number of rules with a change.
    pub fn count(&self, change: Change) -> usize {
        self.rows.iter().filter(|r| r.change == change).count()
    }
}

/// Fingerprint of one side of a published row, by which texts that a person has translated are recognised.
pub(super) fn fingerprint(row: &PublishedRow, field: Field) -> String {
    let text = match field {
        Field::When => row.condition.clone(),
        _ => [&row.value, &row.book, &row.field, &row.shortest, &row.longest, &row.mask, &row.comment].map(String::as_str).join("\u{1f}"),
    };
    hex(&Sha256::digest(text.as_bytes())[..8])
}

pub(super) fn plan(importer: &Importer, packet: &Packet, force: bool) -> Result<Plan, PlanError> {
    let Some(kind) = importer.kinds.iter().find(|k| k.kind == packet.kind) else {
        return Err(PlanError::Refused(Refusal::UnknownKind(packet.kind.chars().take(40).collect())));
    };
    let edition = Edition { book: kind.book.clone(), edition: packet.version.clone(), date: packet.date.to_string() };
    let editions: Vec<Edition> = importer.files.rows(EDITIONS)?.into_iter().map(|(_, e)| e).collect();
    let known = editions.iter().find(|e| e.book == edition.book);
    if let Some(known) = known
        && known.date > edition.date
        && !force
    {
        let say = |e: &Edition| format!("{} {}", e.edition, e.date);
        return Err(PlanError::Refused(Refusal::Older { known: say(known), given: say(&edition) }));
    }
    // A newer edition overrides dates that were inferred for the present one.
    let newer = known.is_none_or(|k| k.date < edition.date);
    let mut work = Work { importer, packet, edition: &edition, newer, table: String::new(), rows: Vec::new(), outcomes: Vec::new() };
    let mut tables = Vec::new();
    match kind.scope {
        Scope::Federal => {
            let families: BTreeSet<&str> = packet.rows.iter().filter_map(|r| importer.express.family(r.category())).collect();
            for family in families {
                for table in importer.express.tables(family).collect::<Vec<_>>() {
                    let category = table.rsplit('/').next().unwrap_or("").trim_end_matches(".csv").to_owned();
                    let published: Vec<&PublishedRow> = packet.rows.iter().filter(|r| r.category() == category).collect();
                    let text = work.table(&table, &published)?;
                    tables.extend(text.map(|t| (table, t)));
                }
            }
        }
        // Rules of each region are kept in tables of their own.
        Scope::Regional => {
            let mut by_table: BTreeMap<String, Vec<&PublishedRow>> = BTreeMap::new();
            for row in &packet.rows {
                if let Some(table) = importer.express.table(row.category()) {
                    by_table.entry(format!("regions/{}/{}", row.region(), table)).or_default().push(row);
                }
            }
            for (table, published) in by_table {
                let text = work.table(&table, &published)?;
                tables.extend(text.map(|t| (table, t)));
            }
        }
    }
    for row in packet.rows.iter().filter(|r| importer.express.family(r.category()).is_none()) {
        let why = vec![(Field::Require, Unexpressed::Category(row.category().to_owned()))];
        work.outcomes.push(RowOutcome { why, ..outcome(&row.id, Change::Unexpressed) });
    }
    let Work { mut outcomes, .. } = work;
    outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    let mut editions: Vec<Edition> = editions.into_iter().filter(|e| e.book != edition.book).collect();
    editions.push(edition.clone());
    editions.sort_by(|a, b| a.book.cmp(&b.book));
    tables.push((EDITIONS.to_owned(), csv_text(&editions)));
    Ok(Plan { edition, scope: kind.scope, rows: outcomes, tables })
}

struct Work<'a> {
    importer: &'a Importer,
    packet: &'a Packet,
    edition: &'a Edition,
    newer: bool,
    /// Name of the table under construction.
    table: String,
    /// Rows of the table under construction.
    rows: Vec<TableRow>,
    outcomes: Vec<RowOutcome>,
}

impl Work<'_> {
    /// The new text of a table; `None` if it does not change.
    fn table(&mut self, table: &str, published: &[&PublishedRow]) -> Result<Option<String>, PlanError> {
        let at_hand: Vec<TableRow> = match self.importer.files.rows(table) {
            Ok(rows) => rows.into_iter().map(|(_, r)| r).collect(),
            // A book that is imported for the first time has no table yet.
            Err(error) if error.line == 0 && self.importer.files.text(table).is_err() => Vec::new(),
            Err(error) => return Err(error.into()),
        };
        let mut groups: BTreeMap<&str, (Vec<&TableRow>, Vec<&PublishedRow>)> = BTreeMap::new();
        for row in &at_hand {
            groups.entry(&row.id).or_default().0.push(row);
        }
        for row in published {
            groups.entry(&row.id).or_default().1.push(row);
        }
        self.rows.clear();
        table.clone_into(&mut self.table);
        for (id, (ours, theirs)) in groups {
            match theirs.as_slice() {
                [] => self.absent(id, &ours),
                [one] => self.row(one, &ours),
                // One id for several families or dates: the packet's rows replace the present ones.
                many => {
                    let begin = self.rows.len();
                    for row in many {
                        self.row(row, &[]);
                        self.drop_twin(begin);
                    }
                    let new = self.rows.split_off(begin);
                    let ahead = Ahead::of(&ours, &self.packet.date.to_string());
                    self.rows.extend(new.into_iter().flat_map(|row| ahead.bounded(row)).chain(ahead.rows()));
                    let same = self.rows[begin..].iter().eq(ours.iter().copied());
                    for outcome in self.outcomes.iter_mut().filter(|o| o.id == id && o.change == Change::New && !ours.is_empty()) {
                        outcome.change = if same { Change::Same } else { Change::Changed };
                    }
                }
            }
        }
        self.rows.sort_by(|a, b| (&a.id, &a.from).cmp(&(&b.id, &b.from)));
        Ok((self.rows != at_hand).then(|| csv_text(&self.rows)))
    }

    /// Removes the last row if an earlier row of the same id covers the same files on the same days.
    fn drop_twin(&mut self, begin: usize) {
        let Some((last, earlier)) = self.rows[begin..].split_last() else { return };
        let end = |row: &TableRow| if row.until.is_empty() { "9999-12-31".to_owned() } else { row.until.clone() };
        let overlap = |other: &TableRow| {
            let files = last.files.split(' ').any(|f| other.files.split(' ').any(|o| o == f));
            files && last.from <= end(other) && other.from <= end(last)
        };
        if earlier.iter().any(overlap) {
            self.rows.pop();
            if let Some(outcome) = self.outcomes.last_mut() {
                outcome.change = Change::Unexpressed;
                outcome.why.push((Field::Files, Unexpressed::Twice));
            }
        }
    }

    /// Ends or keeps a present rule that the packet does not have.
    fn absent(&mut self, id: &str, ours: &[&TableRow]) {
        let published = self.packet.date.to_string();
        // A packet does not end a row that begins after the packet's date, or that is known from a later year than the packet.
        let inferred = |row: &TableRow| !row.inferred.is_empty() && !row.source.starts_with(&self.edition.book);
        let unknown = |row: &&TableRow| row.from.as_str() > published.as_str() || inferred(row) && ahead::known_in(row) > published.get(..4).map(str::to_owned);
        let stays = |row: &&TableRow| unknown(row) || !row.until.is_empty();
        if !self.newer || ours.iter().all(stays) {
            let inferred = ours.iter().any(|r| !r.inferred.is_empty());
            self.outcomes.push(RowOutcome { inferred, ..outcome(id, Change::Kept) });
            self.rows.extend(ours.iter().map(|r| (*r).clone()));
            return;
        }
        let until = eve(self.packet.date).to_string();
        let ended = ours.iter().map(|row| if unknown(row) { (*row).clone() } else { ended(row, &until) });
        let differences = vec![Difference { field: Field::Until, ours: String::new(), theirs: until.clone() }];
        self.rows.extend(ended);
        self.outcomes.push(RowOutcome { differences, inferred: true, ..outcome(id, Change::Ended) });
    }

    /// One side of a published row, as a person has translated it, else as the grammar reads it; `None` if it cannot be expressed.
    fn side(&self, row: &PublishedRow, field: Field, ours: &[&TableRow], out: &mut RowOutcome) -> Option<String> {
        let side = if field == Field::When { self.importer.express.when(row) } else { self.importer.express.require(row) };
        if let Ok(side) = &side {
            out.repairs.extend(side.repairs.iter().map(|r| (field, *r)));
        }
        let known = self.importer.readings.get(&(row.id.clone(), field)).filter(|(source, _)| *source == fingerprint(row, field));
        if let (Some((_, kind)), Some(first)) = (known, ours.first()) {
            out.readings.push((field, kind.clone()));
            return Some(if field == Field::When { first.when.clone() } else { first.require.clone() });
        }
        match side {
            Ok(Side { text, .. }) => Some(text),
            Err(why) => {
                out.why.push((field, why));
                None
            }
        }
    }

    /// Takes a published row; what we infer for days after the packet's date stays.
    fn row(&mut self, row: &PublishedRow, ours: &[&TableRow]) {
        let (ahead, begin) = (Ahead::of(ours, &self.packet.date.to_string()), self.rows.len());
        self.compared(row, &ahead);
        let new = self.rows.split_off(begin);
        self.rows.extend(new.into_iter().flat_map(|row| ahead.bounded(row)).chain(ahead.rows()));
    }

    fn compared(&mut self, row: &PublishedRow, ahead: &Ahead<'_>) {
        let ours: &[&TableRow] = &ahead.of_the_day;
        let mut out = outcome(&row.id, Change::Same);
        out.inferred = ours.iter().any(|r| !r.inferred.is_empty());
        let when = self.side(row, Field::When, ours, &mut out);
        let require = self.side(row, Field::Require, ours, &mut out);
        let day = |date: Option<Date>| date.map_or_else(String::new, |d| d.to_string());
        let (from, until) = (day(row.from), day(row.until));
        let files = row.files.join(" ");
        let (Some(when), Some(require)) = (when, require) else { return self.unexpressed(row, ours, out) };
        let Some(first) = ours.first() else {
            out.change = Change::New;
            let new = self.new_row(row, when, require, files, from, until);
            return self.add(new, row, ours, out);
        };
        let mut differ = |field: Field, ours: &str, theirs: &str| {
            if ours != theirs {
                out.differences.push(Difference { field, ours: ours.to_owned(), theirs: theirs.to_owned() });
            }
        };
        let letters = |text: &str| text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        let all: Vec<&str> = ours.iter().flat_map(|r| r.files.split(' ')).collect();
        if letters(&all.join(" ")) != letters(&files) {
            differ(Field::Files, &all.join(" "), &files);
        }
        differ(Field::Element, &first.element, &row.element);
        differ(Field::When, &first.when, &when);
        differ(Field::Require, &first.require, &require);
        for our in ours {
            // An inferred date stays until a newer edition changes it.
            let settled = our.inferred.is_empty() || self.newer;
            if settled {
                differ(Field::From, &our.from, &from);
            }
            // An inferred end after the packet's date stands until a later edition refutes it.
            let stands = ahead.stands(our) && (until.is_empty() || until > our.until);
            if !stands && (settled || !until.is_empty() && our.until > until) {
                differ(Field::Until, &our.until, &until);
            }
        }
        out.differences.dedup();
        if out.differences.is_empty() {
            self.rows.extend(ours.iter().map(|r| (*r).clone()));
        } else {
            out.change = Change::Changed;
            let same_text = first.when == when && first.require == require;
            let mut new = self.new_row(row, when, require, files, from, until);
            if same_text {
                let kept = (*first).clone();
                new = TableRow {
                    ru: kept.ru,
                    en: kept.en,
                    advice_ru: kept.advice_ru,
                    advice_en: kept.advice_en,
                    note_ru: kept.note_ru,
                    note_en: kept.note_en,
                    severity: kept.severity,
                    kind: kept.kind,
                    twin: kept.twin,
                    ..new
                };
            }
            return self.add(new, row, ours, out);
        }
        self.outcomes.push(out);
    }

    /// Adds a new row if it compiles; a table with a row that does not would stop the program.
    fn add(&mut self, new: TableRow, row: &PublishedRow, ours: &[&TableRow], mut out: RowOutcome) {
        let unknown = new.files.split(' ').any(|f| !LETTERS.contains(&f));
        let why = match self.importer.standing(&new, &self.table) {
            _ if unknown => (Field::Files, Unexpressed::Files(new.files.clone())),
            Err(message) => (Field::Require, Unexpressed::Compile(message)),
            Ok(_) => {
                self.rows.push(new);
                self.outcomes.push(out);
                return;
            }
        };
        out.differences.clear();
        out.why.push(why);
        self.unexpressed(row, ours, out);
    }

    /// Ends the present rows on the day before this edition; from its date on the rule is shown as not executed.
    fn unexpressed(&mut self, row: &PublishedRow, ours: &[&TableRow], mut out: RowOutcome) {
        let day = |date: Option<Date>| date.map_or_else(String::new, |d| d.to_string());
        let end = eve(self.packet.date).to_string();
        self.rows.extend(ours.iter().filter(|r| r.from <= end).map(|r| ended(r, &end)));
        let begin = if ours.is_empty() { day(row.from) } else { self.packet.date.to_string() };
        let new = self.new_row(row, String::new(), String::new(), row.files.join(" "), begin, day(row.until));
        // A row of a table needs an element and known families; without them the rule is only reported.
        let files: Vec<&str> = new.files.split(' ').filter(|f| LETTERS.contains(f)).collect();
        if !new.element.is_empty() && !files.is_empty() {
            let files = files.join(" ");
            self.rows.push(TableRow { kind: "prose".to_owned(), files, ..new });
        }
        out.change = Change::Unexpressed;
        self.outcomes.push(out);
    }

    fn new_row(&self, row: &PublishedRow, when: String, require: String, files: String, from: String, until: String) -> TableRow {
        // The fund's description of the error, else its comment, else the requirement. Braces would be read as slots.
        let plain = |text: &str| text.replace('{', "(").replace('}', ")");
        let said = [&row.description, &row.comment, &require].into_iter().find(|t| !t.is_empty()).map_or("", |t| t.as_str());
        let slots: [(&str, &str); 4] = [("element", row.name()), ("id", &row.id), ("said", &plain(said)), ("require", &plain(&require))];
        let text = |key: &str, lang: Lang| self.importer.text(key, lang, &slots);
        TableRow {
            id: row.id.clone(),
            files,
            element: row.element.clone(),
            kind: kind(&when, &require).to_owned(),
            when,
            require,
            from,
            until,
            inferred: String::new(),
            severity: "error".to_owned(),
            twin: String::new(),
            note_ru: String::new(),
            note_en: String::new(),
            ru: text("row", Lang::Ru),
            en: text("row", Lang::En),
            advice_ru: text("row.advice", Lang::Ru),
            advice_en: text("row.advice", Lang::En),
            source: format!("{} {}", self.edition.book, self.edition.edition),
        }
    }
}

/// The row with `until` (inclusive) as its last day; a row that ended earlier stays as it is.
fn ended(row: &TableRow, until: &str) -> TableRow {
    if !row.until.is_empty() && row.until.as_str() <= until {
        return row.clone();
    }
    TableRow { until: until.to_owned(), inferred: ENDED.to_owned(), ..row.clone() }
}

fn outcome(id: &str, change: Change) -> RowOutcome {
    RowOutcome { id: id.to_owned(), change, differences: Vec::new(), repairs: Vec::new(), readings: Vec::new(), why: Vec::new(), inferred: false }
}

/// How a rule runs, by the functions that it calls: core, builtin or external.
fn kind(when: &str, require: &str) -> &'static str {
    const PLAIN: [&str; 10] = ["PRESENT", "ABSENT", "BOOK", "LEN", "MASK", "DATE", "DIGITS", "DECIMAL", "IN", "NOT"];
    let text = format!("{when} {require}");
    if text.contains("REGIONAL_BOOK(") {
        return "external";
    }
    let mut builtin = false;
    for (at, _) in text.match_indices('(') {
        let name: String = text[..at].chars().rev().take_while(|c| c.is_ascii_uppercase() || *c == '_' || c.is_ascii_digit()).collect();
        let name: String = name.chars().rev().collect();
        builtin |= !name.is_empty() && !PLAIN.contains(&name.as_str());
    }
    if builtin { "builtin" } else { "core" }
}

fn csv_text<T: serde::Serialize>(rows: &[T]) -> String {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).expect("memory takes it");
    }
    String::from_utf8(writer.into_inner().expect("memory takes it")).expect("made of texts")
}
