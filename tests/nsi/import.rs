//! Importing books: editions, damage, and everything that `../shared/nsi` holds.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use puomp::nsi::{BookFault, Books, ImportOptions, Importer, Origin, Refusal, Taken};
use puomp::tables::RuleFiles;
use puomp::values::Date;

use crate::support::needs::shared;
use crate::support::say::say;

/// The day on which everything runs here: what is in force must not change with the calendar.
fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

fn date(text: &str) -> Date {
    Date::parse(text).unwrap()
}

/// A folder for compiled books and one for what is imported.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn books(&self) -> PathBuf {
        self.folder.path().join("книги")
    }

    fn importer(&self) -> Importer {
        Importer::new(&RuleFiles::embedded(), &self.books(), today()).unwrap()
    }

    fn load(&self) -> Books {
        Books::load(&RuleFiles::embedded(), Some(&self.books())).unwrap()
    }

    fn take(&self, name: &str, content: impl AsRef<[u8]>, wish: &ImportOptions) -> Result<Taken, Refusal> {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        let mut outcomes = Vec::new();
        self.importer().take(&path, wish, |i| outcomes.push(i.outcome));
        assert_eq!(outcomes.len(), 1);
        outcomes.remove(0)
    }
}

fn force() -> ImportOptions {
    ImportOptions { force: true, ..ImportOptions::default() }
}

/// A packet of profiles: head and rows of code, first and last day.
fn profiles(version: &str, day: &str, rows: &[(&str, &str, &str)]) -> String {
    let mut text =
        format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<packet>\n<zglv><type>ProfOt</type><version>{version}</version><date>{day}</date></zglv>\n");
    for (code, from, until) in rows {
        writeln!(text, "<zap><IDPR>{code}</IDPR><PRNAME>профиль {code}</PRNAME><DATEBEG>{from}</DATEBEG><DATEEND>{until}</DATEEND></zap>").unwrap();
    }
    text + "</packet>\n"
}

/// As many profiles as the embedded book has, and some.
fn many(version: &str, day: &str) -> String {
    let codes: Vec<String> = (1..=250).map(|n| n.to_string()).collect();
    let rows: Vec<_> = codes.iter().map(|c| (c.as_str(), "01.01.2011", "")).collect();
    profiles(version, day, &rows)
}

#[test]
fn a_newer_edition_takes_the_place_of_the_embedded_one() {
    let place = Place::new();
    let taken = place.take("x.xml", many("5.0", "30.01.2026"), &ImportOptions::default()).unwrap();
    assert_eq!((taken.book.edition.as_str(), taken.book.rows, taken.replaced.unwrap().edition.as_str()), ("5.0", 250, "3.0"));
    let books = place.load();
    let book = books.get("V002").unwrap();
    assert!(matches!(book.origin(), Origin::Imported(_)));
    assert!(book.index(book.key()).holds("250", date("2026-02-01")));
    assert_eq!(book.describe().source, "x.xml");
}

#[test]
fn an_older_edition_needs_to_be_told() {
    let place = Place::new();
    place.take("a.xml", many("5.0", "30.01.2026"), &ImportOptions::default()).unwrap();
    let before = fs::read(place.books().join("V002.nsi")).unwrap();
    for (version, day) in [("4.9", "29.01.2026"), ("4.9", "30.01.2026"), ("9.0", "01.01.2020")] {
        let refusal = place.take("b.xml", many(version, day), &ImportOptions::default()).unwrap_err();
        assert!(matches!(refusal, Refusal::Older { .. }) && refusal.yields_to_force(), "{refusal}");
    }
    assert_eq!(fs::read(place.books().join("V002.nsi")).unwrap(), before);
    // The same edition again, and a later one of the same day, are taken.
    place.take("c.xml", many("5.0", "30.01.2026"), &ImportOptions::default()).unwrap();
    place.take("c.xml", many("5.10", "30.01.2026"), &ImportOptions::default()).unwrap();
    // Told to, an older one is taken and used, although the embedded one is newer.
    place.take("d.xml", many("1.0", "01.01.2012"), &force()).unwrap();
    let books = place.load();
    assert_eq!(books.get("V002").unwrap().describe().edition, "1.0");
}

#[test]
fn a_part_does_not_pass_for_the_whole() {
    let place = Place::new();
    let few = profiles("6.0", "30.01.2026", &[("97", "01.01.2011", ""), ("136", "01.01.2011", "")]);
    let refusal = place.take("x.xml", &few, &ImportOptions::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::Shrinks { after: 2, .. }), "{refusal}");
    assert!(!place.books().exists());
    place.take("x.xml", &few, &force()).unwrap();
    // As many rows, but other codes.
    let other: Vec<String> = (1000..1250).map(|n| n.to_string()).collect();
    let rows: Vec<_> = other.iter().map(|c| (c.as_str(), "01.01.2011", "")).collect();
    let place = Place::new();
    assert!(matches!(place.take("x.xml", profiles("6.0", "30.01.2026", &rows), &ImportOptions::default()), Err(Refusal::Shrinks { after: 0, .. })));
    // Half of a book of eight lines.
    let half = "ID_TLek_L,TLek_NAME_L,DATEBEG,DATEEND\n1,а,2026-01-01,\n2,б,2026-01-01,\n3,в,2026-01-01,\n4,г,2026-01-01,\n";
    assert!(matches!(place.take("N015.csv", half, &ImportOptions::default()), Err(Refusal::Shrinks { before: 8, after: 4, .. })));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let place = Place::new();
    let refuse = |name: &str, content: &[u8], code: &str| {
        let refusal = place.take(name, content, &ImportOptions::default()).unwrap_err();
        assert_eq!(refusal.code(), code, "{name}: {refusal}");
    };
    let good = many("5.0", "30.01.2026");
    refuse("x.xml", good.replace("<IDPR>7</IDPR>", "<IDPR> </IDPR>").as_bytes(), "empty-key");
    refuse("x.xml", good.replace("IDPR", "CODE").as_bytes(), "no-key");
    refuse("x.xml", good.replacen("01.01.2011", "31.02.2011", 1).as_bytes(), "bad-date");
    refuse("x.xml", good.replace("30.01.2026", "30.13.2026").as_bytes(), "bad-edition-date");
    refuse("x.xml", good.replace("30.01.2026", "30.01.2926").as_bytes(), "bad-edition-date");
    refuse("x.xml", good.trim_end().trim_end_matches("</packet>").as_bytes(), "broken");
    refuse("x.xml", profiles("5.0", "30.01.2026", &[]).as_bytes(), "no-key");
    refuse("x.xml", b"<html><body><p>503</p></body></html>", "unknown");
    refuse("V002.csv", b"IDPR,PRNAME\n", "empty");
    refuse("x.xml", b"", "not-a-book");
    refuse("x.xml", b"\x00\x01\x02\x03", "encoding");
    refuse("x.zip", b"PK\x03\x04", "archive");
    refuse("Q015.xml", b"<packet><zglv><type>FLK_MPF</type></zglv><zap><ID_TEST>1</ID_TEST></zap></packet>", "rules");
    let other = ImportOptions { book: Some("V009".to_owned()), ..ImportOptions::default() };
    assert_eq!(place.take("x.xml", &good, &other).unwrap_err().code(), "other-book");
    assert!(!place.books().exists());
    assert_eq!(place.take("нет/такого.xml".rsplit('/').next().unwrap(), &good, &ImportOptions::default()).unwrap().book.rows, 250);
}

#[test]
fn a_file_that_says_no_date_is_dated_by_its_rows() {
    let place = Place::new();
    let csv = "IDHVID;HVIDNAME;DATEBEG;DATEEND\n01.00;один;01.01.2020;\n02.00;два;2021-03-01;31.12.2021\n";
    let taken = place.take("V018.csv", csv, &ImportOptions::default()).unwrap();
    assert_eq!((taken.book.date, taken.book.dated_by_rows, taken.replaced), (Some(date("2021-12-31")), true, None));
    let books = place.load();
    let book = books.get("V018").unwrap();
    let index = book.index(book.key());
    assert!(index.holds("02.00", date("2021-12-31")) && !index.holds("02.00", date("2022-01-01")) && index.holds("01.00", date("2026-01-01")));
    // Of the same age by its rows, but with a code less: a part, or an older state.
    let less = "IDHVID;HVIDNAME;DATEBEG;DATEEND\n01.00;один;01.01.2020;31.12.2020\n02.00;два;2021-03-01;31.12.2021\n";
    let refusal = place.take("V018.csv", less, &ImportOptions::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::Shrinks { before: 1, after: 0, .. }), "{refusal}");
    // No date at all cannot take the place of a dated edition.
    let refusal = place.take("V018.csv", "IDHVID;HVIDNAME\n01.00;x\n02.00;y\n", &ImportOptions::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::Undated { .. }), "{refusal}");
}

#[test]
fn registers_without_days_of_rows_are_dated_by_their_edits() {
    let place = Place::new();
    let taken = place.take("F002.csv", "smocod,Ogrn,d_edit\n14002,1,20200728\n14003,2,20210607\n", &ImportOptions::default()).unwrap();
    assert_eq!(taken.book.date, Some(date("2021-06-07")));
    let books = place.load();
    let book = books.get("F002").unwrap();
    assert!(["2011-01-01", "2099-01-01"].iter().all(|d| book.index(book.key()).holds("14002", date(d))));
}

#[test]
fn an_addition_adds_what_is_new() {
    let place = Place::new();
    let rows = "ID_TLek_L,TLek_NAME_L,DATEBEG,DATEEND\n8,известная,2018-09-01,\n9,новая,2024-01-01,\n";
    let taken = place.take("N015_add.csv", rows, &ImportOptions::default()).unwrap();
    assert_eq!(taken.book.rows, 9);
    let books = place.load();
    let book = books.get("N015").unwrap();
    assert!(["1", "8", "9"].iter().all(|c| book.index(book.key()).holds(c, date("2024-01-01"))));
    assert_eq!(place.take("N015_add.csv", rows, &ImportOptions::default()).unwrap_err(), Refusal::NothingNew);
}

#[test]
fn registers_of_persons_keep_their_codes_alone() {
    let place = Place::new();
    let text = "<packet><zap><UIDEKMP>111</UIDEKMP><FAM>Иванов</FAM><OKTMO_P>98</OKTMO_P><DATEBEG>01.01.2024</DATEBEG></zap></packet>";
    place.take("F042.xml", text, &ImportOptions::default()).unwrap();
    let books = place.load();
    let book = books.get("F042").unwrap();
    assert_eq!(book.fields().map(|f| book.name(f).to_owned()).collect::<Vec<_>>(), ["UIDEKMP", "OKTMO_P"]);
    let compiled = fs::read(place.books().join("F042.nsi")).unwrap();
    assert!(!compiled.windows("Иванов".len()).any(|w| w == "Иванов".as_bytes()));
}

#[test]
fn a_book_unknown_to_the_table_is_taken_when_named() {
    let place = Place::new();
    assert_eq!(place.take("T001.csv", "S_CODE,NAME\n10,x\n", &ImportOptions::default()).unwrap_err(), Refusal::Unknown);
    let named = ImportOptions { book: Some("t001".to_owned()), ..ImportOptions::default() };
    place.take("T001.csv", "S_CODE,NAME\n10,x\n", &named).unwrap();
    let books = place.load();
    let book = books.get("T001").unwrap();
    assert!(book.index(book.field("s_code").unwrap()).holds("10", date("2026-01-01")));
}

#[test]
fn archives_give_each_of_their_books() {
    let place = Place::new();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in [("V002.xml", many("5.0", "30.01.2026")), ("readme.txt", "x".to_owned()), ("bad.xml", "<a>".to_owned())] {
        archive.start_file(name, options).unwrap();
        std::io::Write::write_all(&mut archive, content.as_bytes()).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    let path = place.folder.path().join("V002_5.0.zip");
    fs::write(&path, &bytes).unwrap();
    let mut outcomes = Vec::new();
    place.importer().take(&path, &ImportOptions::default(), |i| {
        outcomes.push((i.file.rsplit('/').next().unwrap().to_owned(), i.outcome.map(|t| t.book.rows).map_err(|r| r.code())))
    });
    assert_eq!(outcomes, [("V002.xml".to_owned(), Ok(250)), ("bad.xml".to_owned(), Err("broken"))]);
}

#[test]
fn a_damaged_compiled_book_is_told_and_the_embedded_one_used() {
    let place = Place::new();
    place.take("x.xml", many("5.0", "30.01.2026"), &ImportOptions::default()).unwrap();
    place.take("V018.csv", "IDHVID,DATEBEG\n01,2020-01-01\n", &ImportOptions::default()).unwrap();
    for name in ["V002.nsi", "V018.nsi"] {
        let path = place.books().join(name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
    }
    fs::write(place.books().join("V005.nsi"), "").unwrap();
    fs::copy(place.books().join("V018.nsi"), place.books().join("V019.nsi")).unwrap();
    let books = place.load();
    assert_eq!(books.get("V002").unwrap().describe().edition, "3.0");
    assert!(books.get("V018").is_none() && books.get("V019").is_none());
    assert_eq!(books.get("V005").unwrap().len(), 2);
    let faults: Vec<_> = books.faults().map(|f| matches!(f, BookFault::Damaged { .. })).collect();
    assert_eq!(faults, [true; 4]);
    // An import repairs it.
    place.take("x.xml", many("5.0", "30.01.2026"), &ImportOptions::default()).unwrap();
    assert_eq!(place.load().get("V002").unwrap().describe().edition, "5.0");
}

/// Deterministic noise (xorshift).
struct Noise(u64);

impl Noise {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}

fn damage(good: &[u8], noise: &mut Noise) -> Vec<u8> {
    let mut bad = good.to_vec();
    for _ in 0..=noise.below(3) {
        let at = noise.below(bad.len());
        match noise.below(5) {
            0 => bad.truncate(at),
            1 => bad.drain(at..(at + 1 + noise.below(200)).min(bad.len())).for_each(drop),
            2 => bad.get_mut(at).into_iter().for_each(|b| *b ^= 1 << noise.below(8)),
            3 => bad.splice(at..at, (0..noise.below(20)).map(|i| (i * 37) as u8).collect::<Vec<_>>()).for_each(drop),
            _ => {
                let end = (at + noise.below(300)).min(bad.len());
                let piece = bad[at..end].to_vec();
                bad.splice(at..at, piece).for_each(drop);
            }
        }
        if bad.is_empty() {
            bad.push(b'<');
        }
    }
    bad
}

#[test]
fn a_thousand_damaged_packets_never_half_import() {
    let place = Place::new();
    let importer = place.importer();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("V002.xml", zip::write::SimpleFileOptions::default()).unwrap();
    std::io::Write::write_all(&mut archive, many("5.0", "30.01.2026").as_bytes()).unwrap();
    let zipped = archive.finish().unwrap().into_inner();
    let attributes = (1..=250).fold("<packet><zglv type=\"ProfOt\" version=\"5.0\" date=\"30.01.2026\"/>".to_owned(), |mut s, i| {
        write!(s, "<zap IDPR=\"{i}\" PRNAME=\"п\" DATEBEG=\"01.01.2011\" DATEEND=\"\"/>").unwrap();
        s
    }) + "</packet>";
    let csv = (1..=250).fold("IDPR;PRNAME;DATEBEG;DATEEND\n".to_owned(), |mut s, i| {
        writeln!(s, "{i};п;01.01.2026;").unwrap();
        s
    });
    let goods = [many("5.0", "30.01.2026").into_bytes(), attributes.into_bytes(), csv.into_bytes(), zipped];
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15);
    let path = place.folder.path().join("V002.bin");
    let (mut taken, mut refused) = (0, 0);
    for round in 0..1000 {
        fs::write(&path, damage(&goods[round % goods.len()], &mut noise)).unwrap();
        let compiled = place.books().join("V002.nsi");
        let before = fs::read(&compiled).ok();
        let mut ok = 0;
        importer.take(&path, &ImportOptions::default(), |i| ok += usize::from(i.outcome.is_ok()));
        if ok == 0 {
            refused += 1;
            assert_eq!(fs::read(&compiled).ok(), before, "round {round}: a refusal changed the book");
        } else {
            taken += 1;
        }
        // Whatever was taken is whole and holds more than half of what was there.
        let books = place.load();
        let book = books.get("V002").unwrap();
        assert_eq!(books.faults().count(), 0, "round {round}");
        assert!(book.len() > 90 && book.rows().all(|r| !book.value(r, book.key()).is_empty()), "round {round}");
        let leftovers = fs::read_dir(place.books()).map_or(0, |d| d.flatten().filter(|e| e.path().extension().is_none_or(|x| x != "nsi")).count());
        assert_eq!(leftovers, 0, "round {round}");
    }
    say(&format!("{taken} of 1000 damaged packets were still whole books, {refused} were refused"));
    assert!(refused > 500 && taken > 0);
}

fn every_file(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().flatten().map(|e| e.path()).collect();
    entries.sort();
    entries.into_iter().flat_map(|p| if p.is_dir() { every_file(&p) } else { vec![p] }).collect()
}

/// What must come of each file: the reason, or nothing when it is taken.
fn expected(name: &str) -> Option<&'static str> {
    match name {
        "Q015.xml" | "Q016.xml" | "Q022.xml" | "Q023.xml" => Some("rules"),
        n if n.ends_with(".xlsx") || n.ends_with(".txt") || n.ends_with(".md") => Some("not-a-book"),
        _ => None,
    }
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn every_shared_file_imports_or_is_refused_with_a_reason() {
    let nsi = shared("nsi");
    // Each alone, into an empty folder: only the embedded books stand against it.
    let mut table = String::new();
    let (mut taken, mut refused) = (0, 0);
    for path in every_file(&nsi) {
        let place = Place::new();
        let name = path.strip_prefix(&nsi).unwrap().display().to_string();
        place.importer().take(&path, &ImportOptions::default(), |import| {
            match &import.outcome {
                Ok(t) => {
                    taken += 1;
                    writeln!(table, "{name:<58} {} · {} rows{}", t.book, t.book.rows, if t.book.dated_by_rows { " · dated by rows" } else { "" }).unwrap();
                }
                Err(r) => {
                    refused += 1;
                    writeln!(table, "{name:<58} refused: {r}").unwrap();
                }
            }
            let code = import.outcome.as_ref().err().map(Refusal::code);
            if let Some(reason) = expected(&name) {
                assert_eq!(code, Some(reason), "{name}");
            }
            let reasons = ["rules", "not-a-book", "older", "undated", "shrinks", "ambiguous", "unknown", "nothing-new"];
            assert!(code.is_none_or(|c| reasons.contains(&c)), "{name}: {:?}", import.outcome);
        });
    }
    say(&format!("{table}{taken} taken, {refused} refused"));
    // What rules need and the binary does not carry.
    for name in ["F002", "F003", "V018", "V019", "V023", "V026", "N020", "N021", "V001"] {
        let line = table.lines().find(|l| l.contains(&format!("/{name}."))).unwrap();
        assert!(!line.contains("refused"), "{line}");
    }
}

/// The codes of a file with their days, read without our importer.
fn csv_rows(path: &Path, separator: u8, key: &str, from: &str, until: &str) -> Vec<(String, String, String)> {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_path(path).unwrap();
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|h| h == name);
    let cell = |r: &csv::StringRecord, name: &str| at(name).map_or(String::new(), |i| r[i].to_owned());
    reader.records().map(|r| r.unwrap()).map(|r| (cell(&r, key), cell(&r, from), cell(&r, until))).collect()
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn embedded_books_agree_with_the_shared_ones() {
    let nsi = shared("nsi");
    let books = Books::load(&RuleFiles::embedded(), None).unwrap();
    let mut checked = 0;
    let mut check = |id: &str, rows: &[(String, String, String)]| {
        let book = books.get(id).unwrap();
        let index = book.index(book.key());
        for (code, from, until) in rows.iter().filter(|r| !r.0.is_empty()) {
            let day = |text: &str| Date::parse(text);
            for on in [day(from), day(until)].into_iter().flatten() {
                assert!(index.holds(code, on), "{id} {code} on {on}");
                checked += 1;
            }
            assert!(index.knows(code), "{id} {code}");
        }
    };
    let plain = [
        "F006", "F014", "N001", "N003", "N004", "N005", "N006", "N007", "N008", "N009", "N010", "N011", "N012", "N013", "N014", "N015", "N016", "N017", "N018",
        "N019", "V008", "V010", "V017", "V024", "V025", "V027", "V028", "V029",
    ];
    for id in plain {
        let path = nsi.join(format!("embedded-csv/{id}.csv"));
        let key = books.get(id).unwrap().info().key.to_string();
        check(id, &csv_rows(&path, b',', &key, "DATEBEG", "DATEEND"));
    }
    check("N006", &csv_rows(&nsi.join("embedded-csv/N006_add.csv"), b',', "code", "startdate", "-"));
    check("N015", &csv_rows(&nsi.join("embedded-csv/N015_add.csv"), b',', "ID_TLek_L", "DATEBEG", "DATEEND"));
    for (id, file) in [("V016", "V016"), ("V017", "V017_2018"), ("V020", "V020")] {
        check(id, &csv_rows(&nsi.join(format!("embedded-csv/{file}.csv")), b',', "code", "startDate", "-"));
    }
    check("V021", &csv_rows(&nsi.join("embedded-csv/V021.csv"), b',', "code", "startdate", "-"));
    let codes = csv_rows(&nsi.join("M001_1.2.643.5.1.13.13.11.1005_2.27.csv"), b';', "MKB_CODE", "-", "-");
    let is_code = |c: &str| c.len() >= 3 && c.as_bytes()[1].is_ascii_digit() && !c.contains('-');
    let codes: Vec<_> = codes.into_iter().filter(|(c, ..)| is_code(c)).collect();
    assert_eq!(books.get("M001").unwrap().len(), codes.len());
    check("M001", &codes);
    // Packets, by the importer: every row of the embedded book's source is in it, on its first and last day.
    for (id, file) in [
        ("V002", "V002.xml"),
        ("V009", "V009.xml"),
        ("N002", "N002.xml"),
        ("V002", "xml-legacy/V002.xml"),
        ("F010", "xml-legacy/F010.xml"),
        ("F011", "xml-legacy/F011.xml"),
        ("V012", "xml-legacy/V012.xml"),
        ("V016", "xml-legacy/V016.xml"),
    ] {
        let place = Place::new();
        place.importer().take(&nsi.join(file), &force(), |i| assert!(i.outcome.is_ok(), "{file}: {:?}", i.outcome));
        let published = place.load();
        let book = published.get(id).unwrap();
        let rows: Vec<_> = book.rows().map(|r| (book.value(r, book.key()).to_owned(), book.span(r))).collect();
        // What a later copy corrected of an earlier one: 113 ended with the edition of 2013.
        let rows: Vec<_> =
            rows.into_iter().map(|(c, s)| (c, s.from.to_string(), if s.until < Date::MAX { s.until.to_string() } else { String::new() })).collect();
        check(id, &rows);
    }
    say(&format!("{checked} days of embedded rows agree with ../shared/nsi"));
}
