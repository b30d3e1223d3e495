use super::*;
use crate::cli::formats::FormatsError;
use crate::finding::Check;
use crate::forming::FormError;
use crate::generate;
use crate::nsi::update::{BadAddress, Fault as UpdateFault, NoWay, Trouble};
use crate::nsi::{BookFault, Books, Description, ImageError, NoBook, Refusal as BookRefusal};
use crate::registry::fault::Fault;
use crate::registry::format::{Edition, Family};
use crate::rules::import::{PlanError, Refusal as RulesRefusal};
use crate::tables::RuleFiles;
use crate::texts::Text;
use crate::values::Date;
use crate::workspace::journal::{Fault as JournalFault, HeadError};
use crate::workspace::workflow::{Move, Need, Refused, Workflow};
use crate::workspace::{
    AnswerError, BackupError, CaseSums, Damage, Damaged, Problem, RowFault, SanctionColumn, SanctionColumns, SanctionError, SanctionFault, SanctionTrouble,
};

#[test]
fn json_is_told_to_whoever_asks_for_it() {
    let voice = |line: &str| Voice::of(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
    for line in ["puomp status --format json", "puomp journal --format=jsonl", "puomp --format csv x --format json", "puomp frmt --format json --nothing"] {
        assert_eq!(voice(line), Voice::Json, "{line}");
    }
    for line in ["puomp status", "puomp status --format", "puomp status --format human", "puomp validate -- --format json", "puomp status --format jsonx"] {
        assert_eq!(voice(line), Voice::Text, "{line}");
    }
}

#[test]
fn every_class_has_a_code_of_its_own() {
    let mut codes: Vec<u8> = ErrorClass::ALL.map(|class| Exit::from(class).code()).into();
    codes.dedup();
    assert_eq!(codes, [1, 2, 3, 4, 5, 6, 7, 70, 130]);
}

fn s() -> String {
    "x".to_owned()
}

fn of_forms() -> Vec<FormError> {
    let (file, offset) = (s, 7);
    vec![
        FormError::Table(TableError::new("x.csv", 3, "odd")),
        FormError::Empty,
        FormError::Letters { letters: s() },
        FormError::Origin { file: file(), fault: Fault::new(Check::XmlTruncated) },
        FormError::Changed { file: file(), offset },
        FormError::Order { piece: 1 },
        FormError::Edition { file: file(), found: s(), expected: s() },
        FormError::Binding { file: file(), first: "y".into(), element: "PLAT".into(), found: s(), expected: s() },
        FormError::NoPerson { file: file(), offset },
        FormError::PersonDiffers { file: file(), offset },
        FormError::Sum { file: file(), offset, expected: 123_456, found: s() },
        FormError::Element { file: file(), offset, element: s(), format: s() },
        FormError::Character { file: file(), record: s(), element: s(), offset, code: s() },
        FormError::Heading { element: s(), value: s(), expected: s() },
        FormError::TooMany { cases: 7 },
        FormError::IdPac { file: file(), offset },
        FormError::Write(io::ErrorKind::StorageFull.into()),
        FormError::Write(Stopped.into()),
    ]
}

fn of_workspaces() -> Vec<Problem> {
    let full = || io::Error::from(io::ErrorKind::StorageFull);
    let workflow = Workflow::load(&RuleFiles::embedded()).expect("the built-in table is sound");
    let refused = |status, by, role| {
        let refusal = workflow.ask(status, by, role).expect_err("not allowed").for_registry("R-1");
        Problem::Refused(Box::new(Refused::new(refusal, &workflow)))
    };
    let status = workflow.statuses()[0].id.clone();
    let role = workflow.roles()[0].id.clone();
    let words = |need: Need| (need, Text { ru: workflow.need(need, Lang::Ru).to_owned(), en: workflow.need(need, Lang::En).to_owned() });
    let mut all = vec![
        Problem::NoWorkspace("here".into()),
        Problem::NotReady("here".into()),
        Problem::Busy(s()),
        Problem::Busy(String::new()),
        Problem::Io("file".into(), full()),
        Problem::Unread("file".into(), io::ErrorKind::NotFound.into()),
        Problem::Stream(full()),
        Problem::Stream(Stopped.into()),
        Problem::Stream(io::Error::other(TableError::new("x.csv", 3, "odd"))),
        Problem::Runtime(io::Error::other("odd")),
        sqlx::Error::PoolTimedOut.into(),
        sqlx::Error::Io(full()).into(),
        sqlx::Error::Configuration("secret".into()).into(),
        Problem::Newer(99, 2),
        Problem::Orphans("cases".to_owned(), 3),
        Problem::Overtaken("140001".to_owned()),
        Problem::NoRegistry(s()),
        Problem::ManyRegistries(s(), vec!["x1".to_owned(), "x2".to_owned()]),
        refused(Some(&status), Move::ReviewPay, &role),
        refused(Some("nowhere"), Move::Submit, &role),
        refused(None, Move::Submit, &role),
        refused(None, Move::FormNew, "nobody"),
        Problem::AlreadySent(s(), "2026-11-25T09:00:00Z".to_owned()),
        Problem::NoName(s(), "outbox/CON/HM1.zip".to_owned()),
        Problem::Unplaced(s(), "out".into(), Box::new(Problem::Io("out".into(), full()))),
        Problem::Unplaced(s(), "out".into(), Box::new(sqlx::Error::PoolTimedOut.into())),
        Problem::Unplaced(s(), "out".into(), Box::new(Problem::NoRegistry(s()))),
        Problem::Unmet("R-1".to_owned(), vec![words(Need::Reason), words(Need::CasesLeft)]),
        Problem::NotClean("H.xml".to_owned(), "S001".to_owned()),
        Problem::Damaged(Damaged { name: s(), damage: Damage::Missing }),
        Problem::Damaged(Damaged { name: s(), damage: Damage::NotAFile }),
        Problem::Damaged(Damaged { name: s(), damage: Damage::Changed }),
        Problem::Damaged(Damaged { name: s(), damage: Damage::Unread(full()) }),
        Problem::Table(TableError::new("x.csv", 0, "odd")),
        Problem::Journal(s()),
    ];
    let answers = [
        AnswerError::Fault(Fault::new(Check::ZipDamaged).found("CRC")),
        AnswerError::NoAnswer,
        AnswerError::Several(vec![s(), s()]),
        AnswerError::Lacks(s()),
        AnswerError::Value(s(), 7),
        AnswerError::Notice(7, 8),
        AnswerError::Undecided,
        AnswerError::Unknown(vec![s(), s()]),
        AnswerError::UnknownFiles(vec![s()]),
        AnswerError::PersonsOnly,
        AnswerError::Ambiguous(s(), vec![1, 2]),
        AnswerError::Sums(Box::new(CaseSums { idcase: 2, sum: 100, ..CaseSums::default() })),
        AnswerError::Total(100, 200),
    ];
    all.extend(answers.map(|error| Problem::Answer("answer.xml".to_owned(), Box::new(error))));
    let backups = [
        BackupError::Inside(".puomp/x.zip".into()),
        BackupError::NotAFile("x".into()),
        BackupError::Foreign("x".into()),
        BackupError::TooMany(8, 7),
        BackupError::Name("rules/x:y".into()),
        BackupError::Unsound,
        BackupError::ForeignPart("view v".to_owned()),
        BackupError::StoreBroken(s()),
        BackupError::NotABackup("x.zip".into(), Fault::new(Check::ZipDamaged).found("CRC")),
        BackupError::Manifest("x.zip".into(), s()),
        BackupError::Schema("x.zip".into(), 9, 1),
        BackupError::Entry("store.sqlite".to_owned()),
        BackupError::Changed("store.sqlite".to_owned()),
        BackupError::OtherJournal,
        BackupError::CopyUnsound,
        BackupError::Occupied("clinic".into()),
        BackupError::OtherStore,
    ];
    all.extend(backups.map(Problem::from));
    all.extend(of_forms().into_iter().map(|error| Problem::Form(Box::new(error))));
    all
}

fn of_books() -> Vec<Box<dyn Coded>> {
    let book = |edition: &str, dated_by_rows| {
        let (date, rows) = (crate::values::Date::parse("2026-01-30"), 7);
        Box::new(Description { id: "V002".into(), edition: edition.into(), date, dated_by_rows, complete_until: None, rows, imported: true, source: s() })
    };
    let refusals = [
        BookRefusal::Unreadable(io::ErrorKind::NotFound),
        BookRefusal::Archive(Fault::new(Check::ZipDamaged).found("CRC")),
        BookRefusal::TooLarge,
        BookRefusal::Encoding,
        BookRefusal::Broken { at: 7, what: s() },
        BookRefusal::NotABook,
        BookRefusal::Unknown,
        BookRefusal::Ambiguous(vec![s(), s()]),
        BookRefusal::Rules { id: s() },
        BookRefusal::OtherBook { asked: s(), found: s() },
        BookRefusal::NoKey { id: s(), key: s() },
        BookRefusal::EmptyKey { key: s(), row: 7 },
        BookRefusal::BadDate { row: 7, value: s() },
        BookRefusal::BadEditionDate { value: s() },
        BookRefusal::Empty,
        BookRefusal::NothingNew,
        BookRefusal::Older { offered: book("1", false), current: book("2", true) },
        BookRefusal::Undated { current: book("", false) },
        BookRefusal::Shrinks { before: 9, after: 1, current: book("2", false) },
        BookRefusal::NotWritten(io::ErrorKind::StorageFull),
        BookRefusal::Table(TableError::new("x.csv", 3, "odd")),
    ];
    let troubles = [
        Trouble::Unreachable(s()),
        Trouble::Timeout,
        Trouble::Cut,
        Trouble::Status(503),
        Trouble::Redirect,
        Trouble::TooLarge { limit: 64 << 20 },
        Trouble::Endless,
        Trouble::NotKept(io::ErrorKind::PermissionDenied),
    ];
    let faults = [
        UpdateFault::List,
        UpdateFault::Page,
        UpdateFault::NotAPacket,
        UpdateFault::OtherEdition { promised: s(), found: s() },
        UpdateFault::Refused(BookRefusal::NotABook),
        UpdateFault::Refused(BookRefusal::NotWritten(io::ErrorKind::StorageFull)),
        UpdateFault::Rules(Keyed::new(ErrorClass::Input, Key::RefusedCutShort, &[])),
        UpdateFault::NotListed,
        UpdateFault::Trouble(Trouble::Cut),
    ];
    let unusable = [ImageError::Foreign, ImageError::Newer, ImageError::Digest, ImageError::Structure];
    let unusable = unusable.map(|error| BookFault::Damaged { id: s(), path: "V002.nsi".into(), error });
    let unread = [
        BookFault::Unreadable { id: s(), path: "V002.nsi".into(), error: io::ErrorKind::PermissionDenied },
        BookFault::Table(TableError::new("x.csv", 3, "odd")),
    ];
    let books = Books::load(&RuleFiles::embedded(), None).expect("the built-in table is sound");
    let absent = books.catalog().get("V002").cloned().expect("a book of the table");
    let none = [NoBook::Unknown(s()), NoBook::Rules(s()), NoBook::Absent(absent)];
    let ways = [NoWay::Proxy, NoWay::Certificates("ca.pem".into()), NoWay::Client(s())];
    let addresses = [BadAddress("ftp://anna:secret@host".to_owned()), BadAddress("anna:secret@host".to_owned()), BadAddress(s())];
    let mut all: Vec<Box<dyn Coded>> = Vec::new();
    all.extend(refusals.map(boxed));
    all.extend(troubles.map(boxed));
    all.extend(faults.map(boxed));
    all.extend(unusable.map(boxed));
    all.extend(unread.map(boxed));
    all.extend(none.map(boxed));
    all.extend(ways.map(boxed));
    all.extend(addresses.map(boxed));
    all
}

fn of_sanctions() -> Vec<Box<dyn Coded>> {
    let columns = SanctionColumns::load(&RuleFiles::embedded()).expect("the built-in table is sound");
    let faults = [
        SanctionFault::TooLarge,
        SanctionFault::NotText,
        SanctionFault::Empty,
        SanctionFault::NoColumn(1, SanctionColumn::Code),
        SanctionFault::Twice(1, SanctionColumn::Sum),
        SanctionFault::Cells(7, 3, 4),
        SanctionFault::Value(7, SanctionColumn::Code),
    ];
    let whole = columns.errors("s.csv", &faults[5..]);
    let misfits = [SanctionTrouble::NoCase(7), SanctionTrouble::TooMuch(7, 120_433_050, 100)].map(|trouble| SanctionError::misfit("s.csv", trouble));
    columns.errors("s.csv", &faults).0.into_iter().map(boxed).chain(misfits.map(boxed)).chain([boxed(whole)]).collect()
}

fn of_journals() -> Vec<Box<dyn Coded>> {
    let (seq, at, from, to) = (7, 8, 5, 9);
    let day = Date::new(2026, 11, 25).expect("a day");
    let faults = [
        JournalFault::Altered { seq, at },
        JournalFault::Rewritten { seq, at },
        JournalFault::Cut { from: 1, to, at },
        JournalFault::Cut { from, to, at },
        JournalFault::Moved { from, to, at },
        JournalFault::Doubled { from, to, at },
        JournalFault::Inserted { from, to, at },
        JournalFault::Unreadable { at },
        JournalFault::NotAsWritten { seq, at },
        JournalFault::HeadDiffers { seq, at },
        JournalFault::Destroyed { at },
        JournalFault::TailCut { from: 1, to },
        JournalFault::TailCut { from, to },
        JournalFault::Detached { seq, at },
        JournalFault::EndDiffers { at },
        JournalFault::Continued { from, to, at },
        JournalFault::DayTailCut { from: 1, to, day, at },
        JournalFault::DayTailCut { from, to, day, at },
        JournalFault::DayDiffers { seq, day, at },
        JournalFault::DayBack { seq, before: to, day, at },
        JournalFault::DayUnreadable { seq, at },
        JournalFault::DayLate { day, at },
        JournalFault::TooMany { at },
    ];
    let heads = [HeadError::NotAHead { file: s(), reason: s() }, HeadError::Schema { file: s(), found: 9 }];
    let mo = || "140001".to_owned();
    let rows = [
        RowFault::Changed { mo: mo(), part: "members".to_owned() },
        RowFault::NoJournal { mo: mo() },
        RowFault::Miscounted { mo: mo(), packages: vec![7, 8] },
        RowFault::Status { mo: mo(), registry: s(), is: "paid".to_owned(), due: "sent".to_owned() },
        RowFault::Total { mo: mo(), registry: s(), is: (3, 120_050), due: (3, 120_000) },
    ];
    faults.map(boxed).into_iter().chain(heads.map(boxed)).chain(rows.map(boxed)).collect()
}

fn of_rules() -> Vec<Box<dyn Coded>> {
    let refusals = [
        RulesRefusal::Unreadable(io::ErrorKind::NotFound),
        RulesRefusal::TooLarge,
        RulesRefusal::Archive(Fault::new(Check::ZipDamaged)),
        RulesRefusal::NotOneFile,
        RulesRefusal::Encoding,
        RulesRefusal::Broken { at: 7, what: s() },
        RulesRefusal::CutShort,
        RulesRefusal::NotARuleBook,
        RulesRefusal::UnknownKind(s()),
        RulesRefusal::Older { known: s(), given: s() },
    ];
    let plans = [PlanError::Refused(RulesRefusal::CutShort), PlanError::Table(TableError::new("x.csv", 3, "odd"))];
    refusals.map(boxed).into_iter().chain(plans.map(boxed)).collect()
}

/// An edition outside of its months: with both ends, with one, with none.
fn of_editions() -> [generate::Error; 4] {
    [("2019-01", "2020-03"), ("2026-01", ""), ("", "2017-12"), ("", "")].map(|(from, until)| {
        let edition = Edition { id: s(), version: s(), from: from.parse().ok(), until: until.parse().ok(), basis: s(), source: s() };
        let period = "2021-01".parse().expect("a month");
        generate::Error::NotInForce { family: s(), edition: Box::new(edition), period, fitting: vec![s(), s()] }
    })
}

fn of_commands() -> Vec<Box<dyn Coded>> {
    let known = || vec![s(), s()];
    let formats = [
        FormatsError::Family { given: s(), known: known() },
        FormatsError::Edition { family: Family('H'), given: s(), known: known() },
        FormatsError::Element { family: Family('H'), edition: s(), given: s(), similar: known(), elsewhere: known() },
        FormatsError::File { path: "H.xsd".into(), error: io::ErrorKind::StorageFull.into() },
        FormatsError::Output(io::Error::other("odd")),
    ];
    use generate::Choice::{Code, Edition, Family as OfFamily, Letters, Period};
    let choices = [OfFamily, Edition, Period, Letters, Code].map(|what| generate::Error::Unknown { what, given: s(), known: known() });
    let tables = [generate::Error::Table(TableError::new("x.csv", 3, "odd")), generate::Error::Io(io::Error::other("odd"))];
    let failures = [
        Failure::Write("out".into(), io::ErrorKind::PermissionDenied.into()),
        Failure::Read("in".into(), io::ErrorKind::NotFound.into()),
        Failure::NoFolder("out".into()),
        Failure::Pattern("[".to_owned(), s()),
        Failure::Value(s(), s()),
        Failure::Nothing,
        Failure::Threads,
        Failure::Stream(io::Error::other("odd")),
        Failure::Pipe,
        Failure::of(TooMany),
        Failure::from(io::Error::other(TooMany)),
        Failure::from(io::Error::from(Stopped)),
        Failure::from(TableError::new("x.csv", 3, "odd")),
    ];
    formats.map(boxed).into_iter().chain(choices.map(boxed)).chain(of_editions().map(boxed)).chain(tables.map(boxed)).chain(failures.map(boxed)).collect()
}

fn boxed(error: impl Coded + 'static) -> Box<dyn Coded> {
    Box::new(error)
}

fn all() -> Vec<Box<dyn Coded>> {
    let groups = [of_workspaces().into_iter().map(boxed).collect(), of_sanctions(), of_journals(), of_books(), of_rules(), of_commands()];
    groups.into_iter().flatten().collect()
}

#[test]
fn every_error_has_a_code_a_class_and_words_in_both_languages() {
    let texts = Texts::built_in();
    let mut page = String::new();
    for error in all() {
        let (ru, en) = (texts.error(&*error, Lang::Ru), texts.error(&*error, Lang::En));
        let said = error.to_string();
        // The slots' values here contain no braces: a remaining brace means an empty slot or a Debug form.
        assert!(![&ru, &en, &said].iter().any(|text| text.contains(['{', '}'])), "{ru}\n{en}\n{said}");
        assert_eq!(said, en);
        let json = json(&*error, texts);
        assert!(!json.contains("secret") && !ru.contains("secret"), "{json}");
        assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        page += &format!("{} {} {}\n  {}\n  {}\n", error.key().as_str(), error.class().as_str(), Exit::from(error.class()).code(), lines(&ru), lines(&en));
    }
    insta::assert_snapshot!(page);
}

fn lines(text: &str) -> String {
    text.replace('\n', "\n  | ").replace('\u{a0}', " ")
}

#[test]
fn every_fault_of_a_file_has_the_words_of_its_check() {
    let texts = Texts::built_in();
    let mut told = 0;
    for check in Check::ALL {
        let fault = Fault::new(*check).value("H.xml").expected("1").found("2");
        // Checks whose text names an element concern records, never a whole file.
        if ["{element}", "{parent}"].iter().any(|slot| texts.get(fault.key(), Lang::En).contains(slot)) {
            continue;
        }
        for lang in [Lang::Ru, Lang::En] {
            let said = texts.error(&fault, lang);
            assert!(!said.is_empty() && !said.contains(['{', '}']), "{said}");
        }
        told += 1;
    }
    assert!(told > 30, "{told}");
}

#[test]
fn the_line_for_programs() {
    let texts = Texts::built_in();
    let workspaces = of_workspaces();
    let refused = workspaces.iter().find(|problem| problem.key() == Key::WorkflowStatus).expect("one of them");
    let lines = [
        json(&Problem::Answer("answer.zip".to_owned(), Box::new(AnswerError::Fault(Fault::new(Check::ZipDamaged).found("CRC")))), texts),
        json(refused, texts),
        json(&Problem::AlreadySent("R-1".to_owned(), "2026-11-25T09:00:00Z".to_owned()), texts),
        json(&SanctionError::misfit("s.csv", SanctionTrouble::TooMuch(7, 120_433_050, 100)), texts),
    ];
    insta::assert_snapshot!(lines.join("\n").replace('\u{a0}', " "));
}
