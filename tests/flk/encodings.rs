//! A file in another encoding than it says is one finding, and is checked as if it were in the right one.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding as Label, IBM866, KOI8_R};

use crate::support::needs::shared;
use crate::support::pair::{DESK, MAIN, MAIN_STEM, PERSONS, PERSONS_STEM, Pair, edited, encoded, many, today, validate};
use puomp::finding::Catalog;
use puomp::flk::{Checker, Config, Rulebook};
use puomp::registry::encoding::Encoding;
use puomp::registry::package::{Input, discover};
use puomp::tables::RuleFiles;
use puomp::watch::Unwatched;

const BOM: &str = "\u{feff}";

fn in_label(label: &'static Label, text: &str) -> Vec<u8> {
    label.encode(text).0.into_owned()
}

/// A text in each wrong encoding under the label of windows-1251, and what is found.
fn wrong(text: &str) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("cp866", in_label(IBM866, text), "X012 FILE  [,,,,] expected=windows-1251 found=cp866 (DOS)"),
        ("KOI8-R", in_label(KOI8_R, text), "X012 FILE  [,,,,] expected=windows-1251 found=KOI8-R"),
        ("UTF-8", text.as_bytes().to_vec(), "X012 FILE  [,,,,] expected=windows-1251 found=UTF-8"),
        ("a mark", [BOM.as_bytes(), &encoded(text)].concat(), "X019 FILE  [,,,,] expected=windows-1251 found=windows-1251"),
        ("cp866 that says so", in_label(IBM866, &text.replace("windows-1251", "cp866")), "X018 FILE  [,,,,] expected=windows-1251 found=cp866 (DOS)"),
        ("KOI8-R that says so", in_label(KOI8_R, &text.replace("windows-1251", "koi8-r")), "X018 FILE  [,,,,] expected=windows-1251 found=KOI8-R"),
        ("cp866 that says UTF-8", in_label(IBM866, &text.replace("windows-1251", "UTF-8")), "X012 FILE  [,,,,] expected=UTF-8 found=cp866 (DOS)"),
    ]
}

fn persons() -> String {
    let more = "<PERS><ID_PAC>p-1</ID_PAC><FAM>ВЫДУМКИНА</FAM><IM>АННА</IM><OT>СЕРГЕЕВНА</OT><W>2</W><DR>1980-05-17</DR></PERS>";
    edited(PERSONS, &[("<PERS><ID_PAC>p-1</ID_PAC><FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT><W>2</W><DR>1980-05-17</DR></PERS>", more)])
}

#[test]
fn a_person_file_is_one_finding() {
    for (what, bytes, says) in wrong(&persons()) {
        let mut pair = Pair::new(MAIN, PERSONS);
        pair.persons.1 = bytes;
        assert_eq!(pair.check().lines(), [format!("0:0@0 {}", says.replace("FILE", "persons"))], "{what}");
    }
}

#[test]
fn a_main_file_is_one_finding() {
    let main = edited(MAIN, &[("Ёж &amp; ы", "пациент жалуется на кашель, назначено лечение дома")]);
    for (what, bytes, says) in wrong(&main) {
        let mut pair = Pair::new(MAIN, PERSONS);
        pair.main.1 = bytes;
        assert_eq!(pair.check().lines(), [format!("0:0@0 {}", says.replace("FILE", "main"))], "{what}");
    }
}

/// What else is wrong is found in the real text, at the places of the file as the user has it.
#[test]
fn other_findings_are_those_of_the_real_text() {
    let text = edited(&persons(), &[("Небывалов", "Нeбывалов"), ("2015-01-31", "2015-02-31")]);
    let expected = Pair::new(MAIN, &text).check();
    assert_eq!(expected.findings.len(), 2);
    for label in [IBM866, KOI8_R] {
        let mut pair = Pair::new(MAIN, PERSONS);
        pair.persons.1 = in_label(label, &text);
        let mut lines = pair.check().lines();
        assert!(lines.remove(0).contains(" X012 persons "));
        assert_eq!(lines, expected.lines(), "{}", label.name());
    }
}

#[test]
fn an_archive_is_read_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(format!("{MAIN_STEM}.zip"));
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("created"));
    for (stem, bytes) in [(MAIN_STEM, encoded(MAIN)), (PERSONS_STEM, in_label(IBM866, PERSONS))] {
        zip.start_file(format!("{stem}.xml"), zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(&bytes).expect("written");
    }
    zip.finish().expect("packed");
    let all = validate(folder.path(), &Config::on(today()));
    assert_eq!(all[0].lines(), ["0:0@0 X012 persons  [,,,,] expected=windows-1251 found=cp866 (DOS)"]);
    // The digest is that of the file that was given.
    assert_eq!(all[0].report.sha256.as_deref(), Some(sha256(&path).as_str()));
}

fn sha256(path: &Path) -> String {
    puomp::values::sha256_of(std::fs::File::open(path).expect("there"), |_| {}).expect("read")
}

/// The first letters come after the beginning by which a file is judged: in the middle, and at the very end.
#[test]
fn letters_that_come_late() {
    let (main, persons) = many(900, "\n");
    // No letter in the head, and none but in the comment of a late record.
    let plain = main.replace("19-Ж", "19").replace("Д-71", "71").replace("Ю-7", "7").replace("Ёж &amp; ы", "");
    let plain = plain.replace("<COMENTSL></COMENTSL>", "");
    for record in [300, 900] {
        let note = "<COMENTSL>пациент жалуется на сильный кашель и одышку, назначено лечение дома</COMENTSL>";
        let at = plain.find(&format!("<N_ZAP>{record}<")).expect("there");
        let at = at + plain[at..].find("</SL>").expect("there");
        let text = format!("{}{note}{}", &plain[..at], &plain[at..]);
        assert!(text.find(note).expect("there") > 64 << 10);
        for (what, bytes, says) in wrong(&text) {
            let mut pair = Pair::new(&main, &persons);
            pair.main.1 = bytes;
            for piece in [1000, 512 << 10] {
                let checked = pair.check_with(&Config { piece, ..Config::on(today()) });
                assert_eq!(checked.lines(), [format!("0:0@0 {}", says.replace("FILE", "main"))], "{what}, record {record}, pieces of {piece}");
                assert_eq!((checked.report.cases, checked.report.records), (900, 900), "{what}");
            }
        }
        assert_eq!(Pair::new(&text, &persons).check().lines(), Vec::<String>::new(), "the right one");
    }
}

#[test]
fn a_right_file_with_few_letters_stays_as_it_is() {
    for note in ["№1", "«дом»", "…", "10\u{a0}000", "Ё", "„дом“", "—", "Щю"] {
        let text = edited(MAIN, &[("Ёж &amp; ы", note), ("19-Ж", "19"), ("Д-71", "71"), ("Ю-7", "7")]);
        assert_eq!(Pair::new(&text, PERSONS).check().lines(), Vec::<String>::new(), "{note}");
    }
    // Latin texts alone stay as they are declared.
    let latin = edited(MAIN, &[("Ёж &amp; ы", "x"), ("19-Ж", "19"), ("Д-71", "71"), ("Ю-7", "7")]);
    assert_eq!(Pair::new(&latin, PERSONS).check().lines(), Vec::<String>::new());
}

/// Cases of such a file are read in the real encoding too.
#[test]
fn persons_of_cases_have_their_names() {
    let read = |bytes: &[u8]| {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join(format!("{MAIN_STEM}.xml")), encoded(MAIN)).expect("written");
        std::fs::write(folder.path().join(format!("{PERSONS_STEM}.xml")), bytes).expect("written");
        let files = RuleFiles::embedded();
        let mut catalog = Catalog::load(&files).expect("sound");
        let rules = Rulebook::load(&files, None, &mut catalog, |_| true).expect("sound");
        let checker = Checker::new(&catalog, &DESK.formats).expect("fits").with_rules(&rules);
        let config = Config::on(today());
        let packages = discover(&[Input::named(folder.path())], &DESK.formats, &config.archives);
        let (_, _, persons) = checker.package_with_cases(&packages[0], &config, &Unwatched).expect("read");
        persons.all().iter().map(|person| (person.place(), person.names())).collect::<Vec<_>>()
    };
    assert_eq!(read(&in_label(IBM866, PERSONS)), read(&encoded(PERSONS)));
    assert_ne!(read(&in_label(IBM866, PERSONS)), read(&encoded(&PERSONS.replace("Выдумкина", "Придумкина"))));
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_case_from_the_field() {
    let folder: PathBuf = shared("cases/dos-encoding/in");
    let all = validate(&folder, &Config::on(today()));
    let lines: Vec<String> = all.iter().flat_map(|checked| checked.lines()).collect();
    assert_eq!(lines, ["0:0@0 X012 persons  [,,,,] expected=windows-1251 found=cp866 (DOS)"]);
    let bytes = std::fs::read(folder.join("LM140001S14002_26031.xml")).expect("there");
    assert!(Encoding::Windows1251.decode(&bytes).contains("FAM"));
}
