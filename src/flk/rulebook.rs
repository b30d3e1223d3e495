//! The federal rules for one package: those in force, compiled for its formats, with the values that they take from the heads of its files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::causes::{ANYWHERE, Asked};
use super::head::Front;
use super::outcome::{Applied, NotExecuted};
use super::persons::{Keeping, Persons};
use crate::finding::hint::neighbours;
use crate::finding::{Catalog, Causes, FileRole, Finding, Mends, Requires, Rule, RuleIx, Same};
use crate::nsi::{Book, Books, StandsFor};
use crate::registry::encoding::Encoding;
use crate::registry::format::{Family, Format, Formats, PERSONS, Prefix, Role};
use crate::registry::name::FileName;
use crate::rules::import::Edition;
use crate::rules::{
    Conventions, Facts, Hit, NameParts, RULE_TABLES, Read, Reasons, RowState, RuleRow, RuleSet, Side, Sources, State, Stray, Work, ast, load, strays,
};
use crate::tables::{RuleFiles, TableError};
use crate::texts::{Severity, Text};
use crate::values::{Date, Month};

/// The function that looks the checked value up in a book.
const LOOKUP: &str = "BOOK";
const EDITIONS: &str = "flk/editions.csv";

/// The rule book with the reference books and settings that its rules use.
#[derive(Debug)]
pub struct Rulebook {
    rows: Vec<RuleRow>,
    books: Books,
    conventions: Conventions,
    edition: Option<Edition>,
    reasons: Reasons,
    /// Tables in the folder of rules that nothing reads.
    strays: Vec<Stray>,
    /// Index of the first row in the catalog; each row has an entry of each [`Kind`] there.
    first: RuleIx,
    /// Days on which the set of rules in force changes, ascending.
    borders: Vec<Date>,
    /// The first day on which any rule is in force, wanted or not.
    first_day: Option<Date>,
    compiled: Mutex<BTreeMap<Key, Arc<Compiled>>>,
}

/// Key of the compiled rules: main format, person format, and the number of borders up to the day that rules the package, inclusive.
type Key = ((Family, String), Option<String>, usize);

/// The rules of both files of a package.
#[derive(Debug)]
struct Compiled {
    main: RuleSet,
    persons: RuleSet,
    /// Rows for these formats that can never run, with the kind of the reason: no format has their element, or they are never in force.
    never: Vec<(usize, &'static str)>,
}

impl Rulebook {
    /// Reads the tables and adds the wanted rules to the catalog. `books` is the folder of imported books; `runs` says by id whether a rule is
    /// wanted.
    ///
    /// # Errors
    /// A table is invalid; the error names the table and the line.
    pub fn load(files: &RuleFiles, books: Option<&Path>, catalog: &mut Catalog, runs: impl Fn(&str) -> bool) -> Result<Self, TableError> {
        let mut rows = load(files, RULE_TABLES)?;
        let first_day = rows.iter().filter_map(|row| row.from).min();
        rows.retain(|row| runs(&row.id));
        let mut book = Self {
            books: Books::load(files, books)?,
            conventions: Conventions::load(files)?,
            edition: files.rows(EDITIONS)?.into_iter().map(|(_, e)| e).next(),
            first: RuleIx(0),
            borders: borders(&rows),
            first_day,
            compiled: Mutex::default(),
            reasons: Reasons::load(files)?,
            strays: strays(files)?,
            rows,
        };
        let causes = catalog.causes().clone();
        book.first = catalog.extend(book.rows.iter().flat_map(|row| book.entries(row, &causes)))?;
        Ok(book)
    }

    /// The uncompiled rules with their places in the tables.
    pub fn rows(&self) -> &[RuleRow] {
        &self.rows
    }

    /// Compiles every row for every format, so that an error in an edited table does not stop a run half-way.
    ///
    /// # Errors
    /// A row does not compile; the error names its table, its line and the place in it.
    pub fn prove(&self, formats: &Formats) -> Result<(), TableError> {
        let persons = formats.editions(PERSONS).last();
        formats.all().filter(|f| f.family != PERSONS).try_for_each(|format| {
            let persons = persons.filter(|_| formats.has_persons(format.family)).map(|f| &**f);
            self.compile(formats, format, persons, None).map(|_| ())
        })
    }

    /// The entries of a row, in the order of [`Kind`].
    fn entries(&self, row: &RuleRow, causes: &Causes) -> [Rule; 4] {
        let plain = self.entry(row, causes);
        // A reference book that may lack codes of the account's day proves nothing: at most a warning. Who keeps the books mends it.
        let text = self.reasons.get("stale", &[("text", &row.text)]);
        let stale = Rule { severity: row.severity.min(Severity::Warning), text, mends: Mends::Books, ..plain.clone() };
        let alone = Rule { text: self.reasons.get("alone", &[]), advice: self.reasons.get("alone-advice", &[]), ..plain.clone() };
        let empty = match requires(row) {
            Requires::Absence => Rule { advice: self.reasons.get("empty-advice", &[]), ..plain.clone() },
            _ => Rule { text: self.reasons.get("blank", &[]), advice: self.reasons.get("blank-advice", &[]), ..plain.clone() },
        };
        [plain, stale, alone, empty]
    }

    fn entry(&self, row: &RuleRow, causes: &Causes) -> Rule {
        Rule {
            id: row.id.clone(),
            check: None,
            element: Vec::new(),
            other: Vec::new(),
            severity: row.severity,
            // Today's protocol names the rule itself, where the older one had a code of book F012.
            f012: row.id.clone(),
            cause: causes.of(&row.id, requires(row)),
            yields: causes.yields(&row.id),
            text: row.text.clone(),
            advice: row.advice.clone(),
            same: Vec::new(),
            mends: row.mends,
        }
    }

    fn rule(&self, row: usize, kind: Kind) -> RuleIx {
        RuleIx(self.first.0 + 4 * row as u16 + kind as u16)
    }

    /// The index of the row that a rule of the catalog says; `None` for a check of structure.
    pub fn row_of(&self, rule: RuleIx) -> Option<usize> {
        rule.0.checked_sub(self.first.0).map(|n| usize::from(n) / 4)
    }

    fn compile(&self, formats: &Formats, format: &Format, persons: Option<&Format>, on: Option<Date>) -> Result<Compiled, TableError> {
        let sources = Sources { format, persons, formats, books: &self.books, conventions: &self.conventions };
        let own = formats.book_letter(format.family);
        let of_persons = formats.book_letter(PERSONS);
        let passes: &[_] = match persons {
            Some(_) => &[(own, Side::Own), (own, Side::PersonsFromRecords), (of_persons, Side::PersonsFromRecords)],
            None => &[(own, Side::Own)],
        };
        let main = RuleSet::compile(&self.rows, passes, on, sources)?;
        let persons = match persons {
            Some(format) => RuleSet::compile(&self.rows, &[(of_persons, Side::Own)], on, Sources { format, persons: None, ..sources })?,
            None => RuleSet::default(),
        };
        let letters = [own, of_persons];
        let ours = self.rows.iter().enumerate().filter(|(_, row)| letters.iter().any(|l| row.files.contains(l)));
        let has = |row: &RuleRow| formats.all().any(|f| row.files.contains(&formats.book_letter(f.family)) && f.find(&row.element).is_some());
        let why = |row: &RuleRow| match on.is_none_or(|day| row.in_force(day)) {
            _ if row.has_no_day() => Some("no-day"),
            true if !has(row) => Some("no-format"),
            _ => None,
        };
        let never = ours.filter_map(|(index, row)| Some((index, why(row)?))).collect();
        Ok(Compiled { main, persons, never })
    }

    /// The rules in force in the package's reporting month; none if neither the month nor the date of the account is known.
    ///
    /// # Errors
    /// A row does not compile for these formats.
    pub(super) fn for_package(
        &self,
        formats: &Formats,
        catalog: &Catalog,
        format: &Format,
        persons: Option<&Format>,
        days: Days,
    ) -> Result<PackageRules<'_>, TableError> {
        let Some(on) = days.ruling().filter(|_| !self.rows.is_empty()) else {
            return Ok(PackageRules { book: self, compiled: None, days, main: Vec::new(), persons: Vec::new(), executes: BTreeMap::new() });
        };
        let key = ((format.family, format.edition.id.clone()), persons.map(|p| p.edition.id.clone()), self.borders.partition_point(|b| *b <= on));
        let known = self.compiled.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        let compiled = match known {
            Some(compiled) => compiled,
            None => {
                let compiled = Arc::new(self.compile(formats, format, persons, Some(on))?);
                self.compiled.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&compiled));
                compiled
            }
        };
        let account = days.account.unwrap_or(on);
        let is_old = |row: &&RowState| row.books.iter().any(|b| b.complete_until().is_some_and(|until| account.days_since(until) > self.conventions.book_days));
        let aged = |set: &RuleSet| {
            let mut aged = vec![false; self.rows.len()];
            set.states().iter().filter(is_old).for_each(|row| aged[row.row] = true);
            aged
        };
        let in_force = |id: &str| {
            let states = compiled.main.states().iter().chain(compiled.persons.states());
            let row = states.map(|s| s.row).find(|row| self.rows[*row].id == id)?;
            Some(self.rule(row, Kind::Plain))
        };
        let executed = |rule: &Rule| rule.same.iter().find_map(|same| if let Same::Executes(id) = same { in_force(id) } else { None });
        let executes = catalog.rules().filter_map(|(ix, rule)| Some((ix, executed(rule)?))).collect();
        let (main, persons) = (aged(&compiled.main), aged(&compiled.persons));
        Ok(PackageRules { book: self, compiled: Some(compiled), days, main, persons, executes })
    }
}

/// How a row is said.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Plain,
    /// By a reference book that is too old for the account.
    Stale,
    /// With nothing to compare the value with.
    Alone,
    /// Of an empty element.
    Empty,
}

fn requires(row: &RuleRow) -> Requires {
    match row.require {
        Some(ast::Expr::Present(_)) => Requires::Presence,
        Some(ast::Expr::Absent(_)) => Requires::Absence,
        _ => Requires::Other,
    }
}

fn borders(rows: &[RuleRow]) -> Vec<Date> {
    let mut days: Vec<Date> = rows.iter().flat_map(|row| [row.from, row.until.map(Date::day_after)]).flatten().collect();
    days.sort_unstable();
    days.dedup();
    days
}

/// The dates that rules depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Days {
    /// The day of the control.
    pub(super) today: Date,
    /// Date of the account; `None` if unknown.
    pub(super) account: Option<Date>,
    /// The reporting month; `None` if it cannot be read.
    pub(super) period: Option<Month>,
}

impl Days {
    /// The day on which a rule must be in force: the last of the reporting month, which decides the edition of the format too. Where the month
    /// cannot be read it is the date of the account.
    fn ruling(self) -> Option<Date> {
        self.period.and_then(|m| Date::new(m.year, m.month, m.days())).or(self.account)
    }
}

/// The rules of one package.
#[derive(Debug)]
pub(super) struct PackageRules<'b> {
    book: &'b Rulebook,
    compiled: Option<Arc<Compiled>>,
    days: Days,
    /// Whether a row asks a book that is too old for the account: here in the main file, below in the person file.
    main: Vec<bool>,
    persons: Vec<bool>,
    /// Structural checks that execute a rule in force, with the entry of that rule.
    executes: BTreeMap<RuleIx, RuleIx>,
}

/// The head of a file, with its format, encoding and name.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadFacts<'h> {
    pub(super) format: &'h Format,
    pub(super) front: &'h Front,
    pub(super) encoding: Encoding,
    /// The file's own name.
    pub(super) own_name: Option<&'h FileName>,
}

impl HeadFacts<'_> {
    fn text(&self, role: Role) -> Option<String> {
        self.front.role(self.format, role).map(|t| self.encoding.decode(t).into_owned())
    }

    /// The account's date, else the day when the file was made; `None` if neither is a date.
    pub(super) fn account_date(&self) -> Option<Date> {
        [Role::AccountDate, Role::MadeOn].into_iter().find_map(|role| Date::parse(&self.text(role)?))
    }

    /// Parts of the file name that the header states; in a format without that element, of the file's own name.
    fn name(&self, prefixes: &[Prefix]) -> NameParts {
        match self.format.role(Role::FileName) {
            Some(_) => NameParts::of(self.text(Role::FileName).and_then(|text| FileName::parse(prefixes, &text).ok()).as_ref()),
            None => NameParts::of(self.own_name),
        }
    }
}

impl PackageRules<'_> {
    /// The rules of one file with the facts from its head.
    fn file<'r>(&'r self, set: &'r RuleSet, aged: &'r [bool], own: HeadFacts<'_>, shared: Shared<'_>) -> FileRules<'r> {
        let head = set.head_elements().iter().map(|id| own.front.find(*id).map(|s| s.text.clone())).collect();
        let facts = Facts {
            head,
            period: shared.period,
            name: own.name(shared.prefixes),
            persons_name: shared.persons_name,
            family: shared.family,
            encoding: own.encoding,
            today: Some(self.days.today),
            account_date: self.days.account,
        };
        FileRules { book: self.book, set, aged, facts, persons: None, persons_format: None, keeping: None }
    }

    /// The rules for the person file; `None` if no rules are in force.
    pub(super) fn of_persons(&self, own: HeadFacts<'_>, main: &Format, formats: &Formats, period: Option<Month>) -> Option<FileRules<'_>> {
        let compiled = self.compiled.as_deref()?;
        let shared = Shared { period, prefixes: formats.prefixes(), family: formats.book_letter(main.family), persons_name: NameParts::default() };
        let mut rules = self.file(&compiled.persons, &self.persons, own, shared);
        rules.keeping = Some(Keeping::new(own.format, compiled.main.person_elements()));
        Some(rules)
    }

    /// The rules for the main file; `None` if no rules are in force. `persons` are the head of the person file, and its persons if it could be read to
    /// its end.
    pub(super) fn of_main<'r>(
        &'r self,
        own: HeadFacts<'_>,
        persons: Option<(HeadFacts<'r>, Option<&'r Persons>)>,
        formats: &Formats,
        period: Option<Month>,
    ) -> Option<FileRules<'r>> {
        let compiled = self.compiled.as_deref()?;
        let persons_name = persons.map(|(head, _)| head.name(formats.prefixes())).unwrap_or_default();
        let shared = Shared { period, prefixes: formats.prefixes(), family: formats.book_letter(own.format.family), persons_name };
        let mut rules = self.file(&compiled.main, &self.main, own, shared);
        rules.persons = persons.and_then(|(_, p)| p);
        rules.persons_format = persons.map(|(head, _)| head.format);
        Some(rules)
    }

    /// Says of an element that must not stand that it is empty, if it is: the main file's walk does not know the names of persons.
    pub(super) fn refine(&self, finding: &mut Finding) {
        if let Some(row) = self.book.row_of(finding.rule)
            && finding.value.as_deref() == Some("")
            && requires(&self.book.rows[row]) == Requires::Absence
        {
            finding.rule = self.book.rule(row, Kind::Empty);
        }
    }

    /// The elements that the rule of a finding reads, in both files; of a check of structure, its own element at its place.
    pub(super) fn asked(&self, finding: &Finding, main: Option<&Format>, persons: Option<&Format>) -> Vec<Asked> {
        let mut all = vec![Asked::own(finding)];
        let (Some(row), Some(compiled)) = (self.book.row_of(finding.rule), self.compiled.as_deref()) else { return all };
        let mut add = |file, format: Option<&Format>, id| {
            all.extend(format.map(|format| Asked { file, path: Arc::clone(&format.node(id).path), within: ANYWHERE }));
        };
        for read in compiled.persons.reads(row) {
            if let Read::Own(id) = read {
                add(FileRole::Persons, persons, *id);
            }
        }
        for read in compiled.main.reads(row) {
            match read {
                Read::Own(id) => add(FileRole::Main, main, *id),
                Read::Person(id) => add(FileRole::Persons, persons, *id),
            }
        }
        all
    }

    /// How many records break a rule about the head of the main file; 0 for one about their sum or number. `None` for a rule about anything else.
    pub(super) fn blamed(&self, rule: RuleIx, work: &Work) -> Option<u64> {
        let (row, set) = (self.book.row_of(rule)?, &self.compiled.as_deref()?.main);
        set.is_of_records(row).then(|| set.blamed(row, work).map_or(0, |blamed| blamed.records))
    }

    /// The first day of the rule book, if the package is older and no rule was in force yet.
    pub(super) fn begins_later(&self) -> Option<Date> {
        let first = self.book.first_day?;
        self.days.ruling().is_some_and(|on| on < first).then_some(first)
    }

    /// The federal rule that a structural check executes.
    pub(super) fn executed_by(&self, check: RuleIx) -> Option<RuleIx> {
        self.executes.get(&check).copied()
    }

    /// Rules in force that did not run, or only in part. `persons` says whether rules about persons could run.
    pub(super) fn not_executed(&self, persons: bool) -> Vec<NotExecuted> {
        let reasons = &self.book.reasons;
        let whole_book = |reason| {
            let rule = self.book.edition.as_ref().map_or_else(String::new, |e| e.book.clone());
            vec![NotExecuted { rule, reason, book: None, partly: false }]
        };
        let Some(compiled) = self.compiled.as_deref() else {
            return if self.days.ruling().is_none() { whole_book(reasons.get("no-date", &[])) } else { Vec::new() };
        };
        if let Some(first) = self.begins_later() {
            let first = Text { ru: first.to_string(), en: first.to_string() };
            return whole_book(reasons.get("before-book", &[("what", &first)]));
        }
        let id = |row: usize| self.book.rows[row].id.as_str();
        let mut idle: BTreeMap<&str, (Text, Option<&str>)> = BTreeMap::new();
        let mut partly: BTreeMap<&str, &StandsFor> = BTreeMap::new();
        for row in compiled.main.states().iter().chain(compiled.persons.states()) {
            match &row.state {
                State::Executed => partly.extend(row.stands_in().map(|what| (id(row.row), &**what))),
                State::NotOfFormat => {}
                State::NoBook(book) => drop(idle.insert(id(row.row), (reasons.of_book(book), Some(book)))),
                State::External(kind) => drop(idle.insert(id(row.row), (reasons.of_kind(kind, &self.book.rows[row.row]), None))),
            }
        }
        for (row, kind) in &compiled.never {
            idle.entry(id(*row)).or_insert_with(|| (reasons.get(kind, &[]), None));
        }
        idle.extend(self.book.strays.iter().map(|stray| (stray.name.as_str(), (reasons.of_stray(stray), None))));
        if !persons {
            let reason = reasons.get("no-persons", &[]);
            idle.extend(compiled.main.of_persons().map(|row| (id(row), (reason.clone(), None))));
        }
        partly.retain(|rule, _| !idle.contains_key(rule));
        let entry = |rule: &str, reason: Text, book: Option<&str>, partly| NotExecuted { rule: rule.to_owned(), reason, book: book.map(str::to_owned), partly };
        let idle = idle.into_iter().map(|(rule, (reason, book))| entry(rule, reason, book, false));
        idle.chain(partly.into_iter().map(|(rule, what)| entry(rule, what.what.clone(), Some(&what.book), true))).collect()
    }

    /// Summary of the applied rules for the head of a report.
    pub(super) fn applied(&self) -> Applied {
        let account = self.days.account;
        let edition = self.book.edition.clone();
        let of_edition = edition.as_ref().and_then(|e| Date::parse(&e.date));
        let sets = self.compiled.iter().flat_map(|c| [&c.main, &c.persons]);
        let states: Vec<&RowState> = sets.flat_map(RuleSet::states).collect();
        let mut books = BTreeMap::new();
        for book in states.iter().filter(|s| s.state == State::Executed).flat_map(|s| &s.books) {
            books.entry(book.info().id.to_string()).or_insert_with(|| book.describe());
        }
        let mut rules: Vec<&str> = states.iter().filter(|s| s.state == State::Executed).map(|s| self.book.rows[s.row].id.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        Applied {
            edition,
            account,
            newer_than_edition: account.zip(of_edition).is_some_and(|(account, edition)| account.days_since(edition) > self.book.conventions.rule_days),
            book_days: self.book.conventions.book_days,
            rules: rules.len() as u64,
            books: books.into_values().collect(),
        }
    }
}

/// Facts that the rules of both files share.
struct Shared<'s> {
    period: Option<Month>,
    prefixes: &'s [Prefix],
    family: char,
    persons_name: NameParts,
}

/// The rules that run over one file.
#[derive(Debug)]
pub(super) struct FileRules<'r> {
    book: &'r Rulebook,
    pub(super) set: &'r RuleSet,
    aged: &'r [bool],
    pub(super) facts: Facts,
    /// Persons of the person file, for rules of the main file.
    pub(super) persons: Option<&'r Persons>,
    /// Format of the person file.
    pub(super) persons_format: Option<&'r Format>,
    /// In a person file, the elements of each person to keep for rules of the main file.
    pub(super) keeping: Option<Keeping>,
}

impl FileRules<'_> {
    /// The catalog entry of a rule that was broken by a value. A book that is too old softens it only where nothing else breaks it, and where a later
    /// edition may have the value.
    pub(super) fn entry(&self, hit: &Hit, value: Option<&str>) -> RuleIx {
        let may_be = || {
            // Only where the value itself is looked up is it a code of the book.
            let Some(value) = value.filter(|_| self.looks_up(hit)) else { return true };
            self.books(hit).iter().all(|book| book.may_grow_to(value))
        };
        let kind = match requires(&self.book.rows[hit.row]) {
            _ if value == Some("") => Kind::Empty,
            _ if hit.lacks.is_some() => Kind::Alone,
            _ if self.aged[hit.row] && hit.by_book && may_be() => Kind::Stale,
            _ => Kind::Plain,
        };
        self.book.rule(hit.row, kind)
    }

    /// The catalog entries of the rules that compare records with each other.
    pub(super) fn across(&self) -> impl Iterator<Item = RuleIx> + '_ {
        self.set.across().map(|row| self.book.rule(row, Kind::Plain))
    }

    /// The element that a broken rule lacks, by its name.
    pub(super) fn lacking(&self, hit: &Hit, own: &Format) -> Option<Box<str>> {
        match hit.lacks? {
            Read::Own(id) => Some(own.node(id).name.as_ref().into()),
            Read::Person(id) => self.persons_format.map(|format| format.node(id).name.as_ref().into()),
        }
    }

    /// Whether a rule asks no more than that its element's value is a code of a book.
    pub(super) fn looks_up(&self, hit: &Hit) -> bool {
        matches!(&self.book.rows[hit.row].require, Some(ast::Expr::Call(call)) if call.name == LOOKUP && call.args.len() == 1)
    }

    /// The reference books that a rule asks; none if it is not executed.
    fn books(&self, hit: &Hit) -> &[Arc<Book>] {
        let state = self.set.states().iter().find(|state| state.row == hit.row && state.state == State::Executed);
        state.map_or(&[], |state| &state.books)
    }

    /// The code that a value may stand for, which the book of a rule lacks: the only one in force on the account's day that one slip makes of it. A
    /// few hundred look-ups, whatever the size of the book. `None` if the book has the value at another time.
    pub(super) fn nearest(&self, hit: &Hit, value: &str) -> Option<String> {
        let [book] = self.books(hit) else { return None };
        if !self.looks_up(hit) {
            return None;
        }
        let (index, on) = (book.index(book.key()), self.facts.account_date?);
        if index.knows(value) {
            return None;
        }
        for codes in neighbours(value) {
            let mut found = codes.into_iter().filter(|code| index.holds(code, on));
            if let Some(code) = found.next() {
                return found.next().is_none().then_some(code);
            }
        }
        None
    }
}
