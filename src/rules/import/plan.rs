//! Compares a packet with the present rule tables, row by row.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::values::hex;

use super::ahead::{self, Ahead};
use super::express::{Side, Unexpressed};
use super::field::Field;
use super::message::Message;
use super::outcome::{Change, Difference, Plan, RowOutcome, Scope};
use super::packet::{Packet, PublishedRow};
use super::{Edition, Importer, PlanError, Refusal, TableRow, Terms, eve};
use crate::rules::UNREAD;
use crate::tables::RuleFiles;
use crate::texts::{Lang, Text};
use crate::values::Date;

pub(super) const EDITIONS: &str = "flk/editions.csv";
/// Reason key in `flk/inferred.csv` for rows that a newer edition no longer has.
const ENDED: &str = "edition";

/// Letters of the file families in the rule book.
pub(super) const LETTERS: [&str; 8] = ["C", "H", "T", "X", "L", "D", "R", "A"];

/// Fingerprint of one side of a published row, by which texts that a person has translated are recognised.
pub(super) fn fingerprint(row: &PublishedRow, field: Field) -> String {
    let text = match field {
        Field::When => row.condition.clone(),
        _ => [&row.value, &row.book, &row.field, &row.shortest, &row.longest, &row.mask, &row.comment].map(String::as_str).join("\u{1f}"),
    };
    hex(&Sha256::digest(text.as_bytes())[..8])
}

pub(super) fn plan(importer: &Importer, packet: &Packet, terms: Terms) -> Result<Plan, PlanError> {
    let Some(kind) = importer.kinds.iter().find(|k| k.kind == packet.kind) else {
        return Err(PlanError::Refused(Refusal::UnknownKind(packet.kind.chars().take(40).collect())));
    };
    let edition = Edition { book: kind.book.clone(), edition: packet.version.clone(), date: packet.date.to_string() };
    let editions: Vec<Edition> = importer.files.rows(EDITIONS)?.into_iter().map(|(_, e)| e).collect();
    let say = |e: &Edition| format!("{} {}", e.edition, e.date).trim_start().to_owned();
    let newer = editions.iter().find(|e| e.book == edition.book && e.date > edition.date);
    if let (Some(known), false) = (newer, terms.force) {
        return Err(PlanError::Refused(Refusal::Older { known: say(known), given: say(&edition) }));
    }
    if packet.date > terms.today && !terms.force {
        return Err(PlanError::Refused(Refusal::Future { given: say(&edition), today: terms.today.to_string() }));
    }
    // An older edition replaces the newer one, so it is compared with the tables from before the newer one.
    let base = match newer {
        Some(_) => importer.before(&edition.book)?,
        None => importer.files.clone(),
    };
    let known = base.rows::<Edition>(EDITIONS)?.into_iter().map(|(_, e)| e).find(|e| e.book == edition.book);
    let regions = packet.rows.iter().map(PublishedRow::region).collect();
    let mut work = Work {
        importer,
        packet,
        edition: &edition,
        base: &base,
        goes_back: newer.is_some(),
        // A newer edition overrides dates that were inferred for the present one.
        newer: known.is_none_or(|k| k.date < edition.date),
        regions,
        table: String::new(),
        rows: Vec::new(),
        outcomes: Vec::new(),
    };
    let (speaks_of, strangers) = published(importer, packet, kind.scope);
    let back = if newer.is_some() { importer.tables_of(&edition.book)? } else { Vec::new() };
    let all: BTreeSet<&String> = speaks_of.keys().chain(&back).filter(|t| *t != EDITIONS).collect();
    let mut tables = Vec::new();
    for table in all {
        let changed = work.table(table, speaks_of.get(table).map_or(&[], Vec::as_slice))?;
        tables.extend(changed.map(|text| (table.clone(), text)));
    }
    for row in strangers {
        work.outcomes.push(if row.misread.is_empty() {
            let why = vec![(Field::Require, Unexpressed::Category(row.category().to_owned()))];
            RowOutcome { why, ..RowOutcome::new(&row.id, Change::Unexpressed) }
        } else {
            not_taken(row)
        });
    }
    let Work { mut outcomes, .. } = work;
    outcomes.sort_by(|a, b| a.id.cmp(&b.id));
    let mut now: Vec<Edition> = editions.iter().filter(|e| e.book != edition.book).cloned().collect();
    now.push(edition.clone());
    now.sort_by(|a, b| a.book.cmp(&b.book));
    if now != editions {
        let built_in = || RuleFiles::embedded().rows::<Edition>(EDITIONS).is_ok_and(|rows| rows.into_iter().map(|(_, e)| e).eq(now.iter().cloned()));
        let text = if newer.is_some() && built_in() { None } else { Some(csv_text(&now)) };
        tables.push((EDITIONS.to_owned(), text));
    }
    let plan = Plan { edition, scope: kind.scope, rows: outcomes, tables, speaks_of: speaks_of.into_keys().collect() };
    if let (Some(refusal), false) = (part(&plan, kind.loses), terms.force) {
        return Err(PlanError::Refused(refusal));
    }
    Ok(plan)
}

/// The tables that a packet speaks of, each with its rows in the packet, and the rows that no table takes.
fn published<'p>(importer: &Importer, packet: &'p Packet, scope: Scope) -> (BTreeMap<String, Vec<&'p PublishedRow>>, Vec<&'p PublishedRow>) {
    let mut tables: BTreeMap<String, Vec<&PublishedRow>> = BTreeMap::new();
    let mut strangers = Vec::new();
    for row in &packet.rows {
        match (importer.express.table(row.category()), scope) {
            (Some(table), Scope::Federal) if row.has_id() => tables.entry(table).or_default().push(row),
            // Rules of each region are kept in tables of their own.
            (Some(table), Scope::Regional) if row.has_id() => tables.entry(format!("regions/{}/{table}", row.region())).or_default().push(row),
            _ => strangers.push(row),
        }
    }
    if scope == Scope::Federal {
        // A category without a single row in the packet is compared too.
        let families: BTreeSet<&str> = packet.rows.iter().filter_map(|r| importer.express.family(r.category())).collect();
        for table in families.into_iter().flat_map(|family| importer.express.tables(family)) {
            tables.entry(table).or_default();
        }
    }
    (tables, strangers)
}

/// The refusal of a packet that would stop more than `loses` in a hundred of the rules in force: a part must not replace the whole.
fn part(plan: &Plan, loses: usize) -> Option<Refusal> {
    let before = plan.rows.iter().filter(|r| r.ran).count();
    let lost = plan.rows.iter().filter(|r| r.ran && matches!(r.change, Change::Ended | Change::Unexpressed)).count();
    (lost * 100 > before * loses).then(|| Refusal::Part { before, after: before - lost })
}

/// The outcome of a row with a field that cannot be read.
fn not_taken(row: &PublishedRow) -> RowOutcome {
    let why = row.misread.iter().map(|m| (m.column, Unexpressed::Misread(m.clone()))).collect();
    RowOutcome { why, ..RowOutcome::new(&row.id, Change::NotTaken) }
}

struct Work<'a> {
    importer: &'a Importer,
    packet: &'a Packet,
    edition: &'a Edition,
    /// The tables that the packet is compared with.
    base: &'a RuleFiles,
    /// Whether those are not the present ones, because an older edition replaces a newer one.
    goes_back: bool,
    newer: bool,
    /// Region codes in the ids of the packet. It says nothing of rules of other regions.
    regions: BTreeSet<&'a str>,
    /// Name of the table under construction.
    table: String,
    /// Rows of the table under construction.
    rows: Vec<TableRow>,
    outcomes: Vec<RowOutcome>,
}

impl Work<'_> {
    /// The new text of a table, as [`Plan::tables`] holds it; `None` if it does not change.
    fn table(&mut self, table: &str, published: &[&PublishedRow]) -> Result<Option<Option<String>>, PlanError> {
        let (at_hand, begin) = (rows_of(self.base, table)?, self.outcomes.len());
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
            let first = self.outcomes.len();
            let (sound, misread): (Vec<&PublishedRow>, Vec<&PublishedRow>) = theirs.into_iter().partition(|r| r.misread.is_empty());
            match sound.as_slice() {
                [] if misread.is_empty() => self.absent(id, &ours),
                // One row that cannot be read leaves the whole rule as it was.
                others if !misread.is_empty() => {
                    self.rows.extend(ours.iter().map(|r| (*r).clone()));
                    let why: Vec<_> = misread.iter().flat_map(|row| not_taken(row).why).collect();
                    self.outcomes.extend(others.iter().map(|row| RowOutcome { why: why.clone(), ..RowOutcome::new(&row.id, Change::NotTaken) }));
                }
                [] => {}
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
            for row in misread {
                self.misread(row);
            }
            // What was inferred, not published, is no part of a book.
            let ran =
                ours.iter().any(|r| r.inferred.is_empty() && !r.require.is_empty() && r.kind != UNREAD && (r.until.is_empty() || r.until >= self.edition.date));
            if let Some(outcome) = self.outcomes.get_mut(first) {
                let of_book = ours.iter().any(|r| r.source.starts_with(&self.edition.book));
                outcome.ran = ran && (of_book || outcome.change != Change::Kept);
            }
        }
        self.rows.sort_by(|a, b| (&a.id, &a.from).cmp(&(&b.id, &b.from)));
        if !self.goes_back {
            return Ok((self.rows != at_hand).then(|| Some(csv_text(&self.rows))));
        }
        let present = rows_of(&self.importer.files, table)?;
        self.restate(&present, begin);
        let own = self.base.overrides(&[table]);
        let text = match self.rows == at_hand {
            true if own => Some(self.base.text(table)?.into_owned()),
            true => None,
            false => Some(csv_text(&self.rows)),
        };
        Ok((self.rows != present).then_some(text))
    }

    /// Puts the outcomes since `begin`, which compare the packet with older tables, as changes of the present rows.
    fn restate(&mut self, present: &[TableRow], begin: usize) {
        let by_id = |rows: &[TableRow]| {
            let mut all: BTreeMap<String, Vec<TableRow>> = BTreeMap::new();
            rows.iter().for_each(|r| all.entry(r.id.clone()).or_default().push(r.clone()));
            all
        };
        let (before, after) = (by_id(present), by_id(&self.rows));
        let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for id in ids {
            let (change, differences) = match (before.get(id), after.get(id)) {
                (None, _) => (Change::New, Vec::new()),
                (_, None) => (Change::Removed, Vec::new()),
                (Some(ours), Some(theirs)) if ours == theirs => (Change::Same, Vec::new()),
                (Some(ours), Some(theirs)) => (Change::Changed, differences(&ours[0], &theirs[0])),
            };
            let mut told = false;
            for outcome in self.outcomes[begin..].iter_mut().filter(|o| o.id == *id) {
                told = true;
                if !matches!(outcome.change, Change::Unexpressed | Change::NotTaken) && (change, outcome.change) != (Change::Same, Change::Kept) {
                    (outcome.change, outcome.differences) = (change, differences.clone());
                }
            }
            if !told {
                self.outcomes.push(RowOutcome { differences, ..RowOutcome::new(id, change) });
            }
        }
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
        let foreign = !self.regions.contains(id.split('.').nth(1).unwrap_or(""));
        // A packet does not end a row that begins after the packet's date, or that is known from a later year than the packet.
        let inferred = |row: &TableRow| !row.inferred.is_empty() && !row.source.starts_with(&self.edition.book);
        let unknown = |row: &&TableRow| row.from.as_str() > published.as_str() || inferred(row) && ahead::known_in(row) > published.get(..4).map(str::to_owned);
        let stays = |row: &&TableRow| unknown(row) || !row.until.is_empty();
        if !self.newer || foreign || ours.iter().all(stays) {
            let inferred = ours.iter().any(|r| !r.inferred.is_empty());
            self.outcomes.push(RowOutcome { inferred, ..RowOutcome::new(id, Change::Kept) });
            self.rows.extend(ours.iter().map(|r| (*r).clone()));
            return;
        }
        let until = eve(self.packet.date).to_string();
        let ended = ours.iter().map(|row| if unknown(row) { (*row).clone() } else { ended(row, &until) });
        let differences = vec![Difference { field: Field::Until, ours: String::new(), theirs: until.clone() }];
        self.rows.extend(ended);
        self.outcomes.push(RowOutcome { differences, inferred: true, ..RowOutcome::new(id, Change::Ended) });
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
        let mut out = RowOutcome::new(&row.id, Change::Same);
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
            let new = self.new_row(row, when, require, files, from, until);
            let new = self.with_what_fits(new, first);
            return self.add(new, row, ours, out);
        }
        self.outcomes.push(out);
    }

    /// Adds a new row if it compiles; a table with a row that does not would stop the program.
    fn add(&mut self, new: TableRow, row: &PublishedRow, ours: &[&TableRow], mut out: RowOutcome) {
        let unknown = new.files.split(' ').any(|f| !LETTERS.contains(&f));
        let why = match self.importer.lacks(&new, &self.table) {
            _ if unknown => (Field::Files, Unexpressed::Files(new.files.clone())),
            Err(message) => (Field::Require, Unexpressed::Compile(message)),
            Ok(lacks) => {
                out.lacks = lacks;
                self.rows.push(new);
                self.outcomes.push(out);
                return;
            }
        };
        out.differences.clear();
        out.why.push(why);
        self.unexpressed(row, ours, out);
    }

    /// Stores a row with a field that cannot be read, so that it is shown as not executed, unless there are rows of its id.
    fn misread(&mut self, row: &PublishedRow) {
        let out = not_taken(row);
        if !self.rows.iter().any(|r| r.id == row.id) {
            let from = row.from.unwrap_or(self.packet.date).to_string();
            self.show(row, &out, from);
        }
        self.outcomes.push(out);
    }

    /// Ends the present rows on the day before this edition; from its date on the rule is shown as not executed.
    fn unexpressed(&mut self, row: &PublishedRow, ours: &[&TableRow], mut out: RowOutcome) {
        // What an import showed as unread before stays as it is while it reads the same.
        let (begin, _) = (self.rows.len(), self.show(row, &out, String::new()));
        let shown = self.rows.split_off(begin);
        let is_shown = |ours: &TableRow, new: &TableRow| TableRow { from: String::new(), source: new.source.clone(), ..ours.clone() } == *new;
        if ours.iter().any(|our| shown.iter().any(|new| is_shown(our, new))) {
            self.rows.extend(ours.iter().map(|r| (*r).clone()));
            out.change = Change::Unexpressed;
            return self.outcomes.push(out);
        }
        let day = |date: Option<Date>| date.map_or_else(String::new, |d| d.to_string());
        let end = eve(self.packet.date).to_string();
        self.rows.extend(ours.iter().filter(|r| r.from <= end).map(|r| ended(r, &end)));
        let begin = if ours.is_empty() { day(row.from) } else { self.packet.date.to_string() };
        self.show(row, &out, begin);
        out.change = Change::Unexpressed;
        self.outcomes.push(out);
    }

    /// Adds a row that is shown as not executed: with the published texts and the reason.
    fn show(&mut self, row: &PublishedRow, out: &RowOutcome, from: String) {
        // A row of a table needs an element and known families; without them the rule is only reported.
        let files: Vec<&str> = row.files.iter().map(String::as_str).filter(|f| LETTERS.contains(f)).collect();
        if !row.element.is_empty() && !files.is_empty() {
            let until = row.until.map_or_else(String::new, |d| d.to_string());
            let new = self.new_row(row, String::new(), String::new(), files.join(" "), from, until);
            let why = |lang| out.why.iter().map(|(_, why)| self.importer.why(why, lang)).collect::<Vec<_>>().join("; ");
            let (note_ru, note_en) = (why(Lang::Ru), why(Lang::En));
            let (require, plain) = (row.requirement(), |text: &str| text.replace('{', "(").replace('}', ")"));
            let said = plain(if row.description.is_empty() { &require } else { &row.description });
            let text = |key: &str, lang| self.importer.text(key, lang, &[("id", &row.id), ("said", &said)]);
            let (ru, en) = (text("row.unread", Lang::Ru), text("row.unread", Lang::En));
            let (advice_ru, advice_en) = (text("row.unread.advice", Lang::Ru), text("row.unread.advice", Lang::En));
            let kind = UNREAD.to_owned();
            self.rows.push(TableRow { when: row.condition.clone(), require, kind, note_ru, note_en, ru, en, advice_ru, advice_en, ..new });
        }
    }

    /// A changed row with those texts of the present one that still fit.
    fn with_what_fits(&self, new: TableRow, first: &TableRow) -> TableRow {
        let same = first.element == new.element && first.when == new.when && first.require == new.require;
        let fixed = |row: &TableRow| self.importer.messages().of(&row.element, &row.when, &row.require);
        // A text made by hand stays while the requirement does; one that states the condition is made anew.
        let text_fits = same || first.element == new.element && first.require == new.require && fixed(&new).is_none();
        // The advice goes with the kind of requirement: who fills the element in, and where.
        let advice_fits = text_fits || first.element == new.element && fixed(first).is_some_and(|old| old.advice.ru != first.advice_ru);
        let TableRow { ru, en, advice_ru, advice_en, note_ru, note_en, severity, kind, twin, mends, .. } = first.clone();
        let mut kept = new;
        if text_fits {
            (kept.ru, kept.en) = (ru, en);
        }
        if advice_fits {
            (kept.advice_ru, kept.advice_en) = (advice_ru, advice_en);
        }
        if same { TableRow { note_ru, note_en, severity, kind, twin, mends, ..kept } } else { TableRow { severity, twin, mends, ..kept } }
    }

    fn new_row(&self, row: &PublishedRow, when: String, require: String, files: String, from: String, until: String) -> TableRow {
        // The fund's description of the error, else its comment, else the requirement. Braces would be read as slots.
        let plain = |text: &str| text.replace('{', "(").replace('}', ")");
        let said = [&row.description, &row.comment, &require].into_iter().find(|t| !t.is_empty()).map_or("", |t| t.as_str());
        let slots: [(&str, &str); 4] = [("element", row.name()), ("id", &row.id), ("said", &plain(said)), ("require", &plain(&require))];
        let text = |key: &str, lang: Lang| self.importer.text(key, lang, &slots);
        let fixed = self.importer.messages().of(&row.element, &when, &require);
        let message = fixed.unwrap_or_else(|| Message {
            text: Text { ru: text("row", Lang::Ru), en: text("row", Lang::En) },
            advice: Text { ru: text("row.advice", Lang::Ru), en: text("row.advice", Lang::En) },
        });
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
            ru: message.text.ru,
            en: message.text.en,
            advice_ru: message.advice.ru,
            advice_en: message.advice.en,
            source: format!("{} {}", self.edition.book, self.edition.edition),
            // `rules/mends.csv` says it.
            mends: String::new(),
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

/// The columns in which two rows of one id differ.
fn differences(ours: &TableRow, theirs: &TableRow) -> Vec<Difference> {
    let columns = [
        (Field::Files, &ours.files, &theirs.files),
        (Field::Element, &ours.element, &theirs.element),
        (Field::When, &ours.when, &theirs.when),
        (Field::Require, &ours.require, &theirs.require),
        (Field::From, &ours.from, &theirs.from),
        (Field::Until, &ours.until, &theirs.until),
    ];
    let differ = columns.into_iter().filter(|(_, ours, theirs)| ours != theirs);
    differ.map(|(field, ours, theirs)| Difference { field, ours: ours.clone(), theirs: theirs.clone() }).collect()
}

/// The rows of a table; none if a book is imported for the first time and has no table yet.
fn rows_of(files: &RuleFiles, table: &str) -> Result<Vec<TableRow>, PlanError> {
    match files.rows(table) {
        Ok(rows) => Ok(rows.into_iter().map(|(_, r)| r).collect()),
        Err(error) if error.line == 0 && files.text(table).is_err() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
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
