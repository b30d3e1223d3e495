//! Files that are right in every way of writing, and files that are wrong.

use std::fs;

use super::*;
use crate::registers::{Register, StoredError, path_of};
use crate::registry::encoding::to_windows_1251;
use crate::sys::is_private;
use crate::tables::RuleFiles;
use crate::texts::{Lang, Texts};

const ENP: &str = "9900000000000001";

struct Shelf {
    folder: tempfile::TempDir,
    layouts: Layouts,
}

impl Shelf {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), layouts: Layouts::load(&RuleFiles::embedded()).expect("sound") }
    }

    fn path(&self, id: &str) -> std::path::PathBuf {
        path_of(self.folder.path(), id)
    }

    fn bytes(&self, id: &str) -> Vec<u8> {
        fs::read(self.path(id)).expect("there")
    }

    fn import(&self, id: &str, csv: impl AsRef<[u8]>) -> Result<Taken, ImportError> {
        let layout = self.layouts.get(id).expect("known");
        import(layout, csv.as_ref(), &keys(7), &self.path(id), Date::new(2026, 12, 1).expect("a day"))
    }

    fn open(&self, id: &str, secret: u8) -> Result<Option<Register>, StoredError> {
        Register::open(self.folder.path(), id, || Some(keys(secret).secret()))
    }
}

fn keys(secret: u8) -> PersonKeys {
    PersonKeys::new(&[secret; 32])
}

/// A right file of each register.
const RIGHT: [(&str, &str); 8] = [
    (
        "insured",
        "enp;vpolis;spolis;npolis;smo;date_from;date_to;fam;im;ot;dr;w;snils\n\
         9900000000000001;3;;9900000000000001;14002;2012-05-01;2021-04-30;Незабудкина;Алёна;Иннокентьевна;1951-07-23;2;900-555-176 61\n\
         9900000000000002;1;ЖЩ;7755330111;14005;;;Жаворонков;Пётр;;1980-02-29;1;\n",
    ),
    ("deaths", "enp;death_date\n9900000000000001;2026-03-02\n"),
    ("attachment", "enp;mo;date_from;date_to\n9900000000000001;140001;2020-01-01;\n"),
    ("licences", "mo;usl_ok;vidpom;profil;date_from;date_to\n140001;1;31;97;2020-01-01;\n140001;3;;;;2026-12-31\n"),
    ("levels", "mo;level;usl_ok;date_from;date_to\n140001;2.1;;2020-01-01;\n"),
    (
        "tariffs",
        "code;tariff;level;usl_ok;idsp;profil;prvs;p_cel;date_from;date_to\nTARIF;1204.50;1;3;30;97;76;1.0;2026-01-01;2026-12-31\nBZTSZ;24750;;;;;;;;\n",
    ),
    ("plan", "mo;smo;usl_ok;vidpom;profil;disp;date_from;date_to;unit;qty;sum\n140001;14002;3;12;97;ДВ4;2026-01-01;2026-01-31;case;10;1000.5\n"),
    ("doctors", "doctor;prvs;date_from;date_to\n900-555-176 61;76;2020-01-01;\nД-17;39;;\n"),
];

/// What tells who somebody is in those files.
const SECRETS: [&str; 9] = ["990000000000000", "7755330111", "ЖЩ", "Незабудкина", "НЕЗАБУДКИНА", "Жаворонков", "1951-07-23", "900-555-176 61", "Д-17"];

#[test]
fn a_right_file_is_known_by_its_header_and_taken() {
    let shelf = Shelf::new();
    for (id, csv) in RIGHT {
        match recognise(&shelf.layouts, csv.as_bytes(), None) {
            Recognised::Register(layout) => assert_eq!(layout.id, id),
            other => panic!("{id}: {other:?}"),
        }
        let rows = csv.lines().count() as u64 - 1;
        assert_eq!(shelf.import(id, csv).expect(id), Taken { id: id.to_owned(), rows, repeated: 0, replaced: None });
        let register = shelf.open(id, 7).expect("sound").expect("there");
        assert_eq!((register.id(), register.rows(), register.day().to_string()), (id, rows, "2026-12-01".to_owned()));
        assert!(is_private(&shelf.path(id)).expect("asked"), "{id}");
    }
}

#[test]
fn the_way_of_writing_changes_nothing() {
    let shelf = Shelf::new();
    for (id, csv) in RIGHT {
        shelf.import(id, csv).expect(id);
        let due = shelf.bytes(id);
        let lines: Vec<Vec<&str>> = csv.lines().map(|line| line.split(';').collect()).collect();
        let written = |cell: &dyn Fn(&str) -> String, separator: &str, end: &str| {
            lines.iter().map(|line| line.iter().map(|c| cell(c)).collect::<Vec<_>>().join(separator) + end).collect::<String>()
        };
        let plain = |cell: &str| cell.to_owned();
        let russian = |cell: &str| match Date::of_iso(cell.as_bytes()) {
            Some(date) => format!("{2:02}.{1:02}.{0:04}", date.parts().0, date.parts().1, date.parts().2),
            None => cell.to_owned(),
        };
        let widened: String = lines.iter().enumerate().map(|(at, line)| format!("further {at};{}\n", line.join(";"))).collect();
        let turned: String = lines.iter().map(|line| line.iter().rev().copied().collect::<Vec<_>>().join(";") + "\n").collect();
        let reordered =
            [&csv.lines().take(1).collect::<Vec<_>>()[..], &csv.lines().skip(1).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>()].concat().join("\n");
        for (how, text) in [
            ("commas", written(&plain, ",", "\n")),
            ("quotes", written(&|cell| format!("\"{cell}\""), ";", "\r\n")),
            ("blanks", written(&|cell| format!(" {cell} "), ";", "\r\n")),
            ("dates", written(&russian, ";", "\n")),
            ("mark", format!("\u{feff}{csv}")),
            ("capitals", csv.replacen(csv.lines().next().expect("a header"), &csv.lines().next().expect("a header").to_uppercase(), 1)),
            ("a further column", widened),
            ("columns turned", turned),
            ("rows turned", reordered),
            ("empty lines", csv.replace('\n', "\n\n") + &";".repeat(lines[0].len() - 1)),
        ] {
            for bytes in [text.clone().into_bytes(), to_windows_1251(&text.replace('\u{feff}', "")).expect("its letters").into_owned()] {
                shelf.import(id, bytes).unwrap_or_else(|error| panic!("{id}, {how}: {error}"));
                assert!(shelf.bytes(id) == due, "{id}, {how}");
            }
        }
    }
}

#[test]
fn nothing_that_tells_a_person_is_stored() {
    let shelf = Shelf::new();
    let mut needles: Vec<Vec<u8>> =
        SECRETS.iter().flat_map(|secret| [secret.as_bytes().to_vec(), to_windows_1251(secret).expect("its letters").into_owned()]).collect();
    needles.push(9_900_000_000_000_001_u64.to_be_bytes().to_vec());
    needles.push(19_510_723_u32.to_be_bytes().to_vec());
    for (id, csv) in RIGHT {
        shelf.import(id, csv).expect(id);
        let bytes = shelf.bytes(id);
        for needle in &needles {
            assert!(memchr::memmem::find(&bytes, needle).is_none(), "{id}: {:?}", String::from_utf8_lossy(needle));
        }
    }
    // The search finds what is there.
    assert!(memchr::memmem::find(&shelf.bytes("insured"), b"14002").is_some());
}

/// A register, a change of its right file, and what is said of it.
const WRONG: &[(&str, &str, &str, &str)] = &[
    (
        "insured",
        ";9900000000000001;14002",
        ";990000000000001;14002",
        "line 2, column npolis: the number of a unified policy (vpolis 3) is the ЕНП: npolis and enp must agree",
    ),
    ("insured", "\n9900000000000002", "\n990000000000002", "line 3, column enp: 16 characters are due, there are 15"),
    ("insured", "\n9900000000000002", "\n99000000000000O2", "line 3, column enp: digits alone are due, and character 15 is none"),
    ("insured", "02;1;ЖЩ", "02;4;ЖЩ", "line 3, column vpolis: one of these values is due: 1, 2, 3"),
    ("insured", ";14005;", ";1405;", "line 3, column smo: 5 characters are due, there are 4"),
    ("insured", ";14005;", ";;", "line 3, column smo: empty, and a value is due"),
    ("insured", "2012-05-01;2021-04-30", "2021-05-01;2021-04-30", "line 2, column date_to: the last day is before the first"),
    ("insured", "2012-05-01", "2012-05-32", "line 2, column date_from: a date such as YYYY-MM-DD or DD.MM.YYYY is due"),
    ("insured", "1980-02-29", "1981-02-29", "line 3, column dr: a date such as YYYY-MM-DD or DD.MM.YYYY is due"),
    ("insured", ";Алёна;", ";", "line 2: 12 cells, and the header has 13 columns"),
    (
        "insured",
        "Жаворонков",
        "\"Жаворонков",
        "line 3: a quote is opened and not closed (neither before the end of the file nor within 65536 bytes): close it, and double a quote inside a value",
    ),
    ("insured", "Жаворонков", "\"Жаво\"ронков", "line 3: a separator is due behind a closing quote; double a quote inside a value"),
    ("insured", "Жаворонков", "Жаво\0ронков", "line 3: a byte 0: this is no text in UTF-8 or windows-1251"),
    ("deaths", "2026-03-02", "", "line 2, column death_date: empty, and a value is due"),
    ("attachment", "140001", "14000А", "line 2, column mo: digits alone are due, and character 6 is none"),
    ("licences", ";31;97;", ";31;нет;", "line 2, column profil: digits alone are due, and character 1 is none; it is «нет»"),
    ("licences", "140001;3", ";3", "line 3, column mo: empty, and a value is due"),
    ("levels", "2.1", "уровень второй", "line 2, column level: 1–10 characters are due, there are 14; it is «уровень второй»"),
    (
        "tariffs",
        "1204.50",
        "1204,50",
        "line 2, column tariff: a number without a sign is due, with a point and two digits behind it at most: 1204.50; it is «1204,50»",
    ),
    ("tariffs", "1204.50", "12345678901", "12345678901"),
    ("plan", ";case;", ";койка;", "line 2, column unit: one of these values is due: case, visit, day; it is «койка»"),
    ("plan", ";10;", ";-10;", "line 2, column qty: a number without a sign is due, with a point and two digits behind it at most: 1204.50; it is «-10»"),
    ("doctors", ";39;", ";терапевт Незабудкина;", "line 3, column prvs: 1–9 characters are due, there are 20"),
];

#[test]
fn a_wrong_file_is_refused_whole_and_its_fault_named() {
    let shelf = Shelf::new();
    for (id, from, to, message) in WRONG {
        let good = RIGHT.iter().find(|(known, _)| known == id).expect("known").1;
        assert_eq!(good.matches(from).count(), 1, "{id}: «{from}»");
        shelf.import(id, good).expect(id);
        let before = shelf.bytes(id);
        let wrong = good.replace(from, to);
        match shelf.import(id, &wrong) {
            // A number of many digits is a price, not a person.
            Ok(_) if *message == "12345678901" => continue,
            Ok(_) => panic!("{id}: «{to}» was taken"),
            Err(error) => {
                assert_eq!(error.to_string(), *message, "{id}");
                let said = [Texts::built_in().error(&error, Lang::Ru), error.to_string(), error.details()];
                assert!(!said.iter().any(|text| SECRETS.iter().any(|secret| text.contains(secret))), "{said:?}");
                assert!(said[0].contains(|c: char| ('а'..='я').contains(&c)) && !error.code().contains('.'), "{said:?}");
            }
        }
        assert!(shelf.bytes(id) == before, "{id}: «{to}» changed the register");
    }
}

#[test]
fn headers_that_fit_none_or_several_are_named() {
    let shelf = Shelf::new();
    for (header, asked, message) in [
        ("enp;vpolis;npolis;date_from;date_to", None, "it resembles most: insured (lacks smo)"),
        ("mo;date_from;date_to", None, "attachment (lacks enp), levels (lacks level)"),
        ("enp;date", None, "deaths (lacks death_date)"),
        ("enp;mo;vpolis;npolis;smo;date_from;date_to", None, "fits several registers (insured, attachment): say which by --book"),
        ("mo;level;date_from;date_to", Some("plan"), "plan (lacks unit, qty, sum)"),
        ("", Some("plan"), "no row of data"),
    ] {
        match recognise(&shelf.layouts, format!("{header}\n").as_bytes(), asked) {
            Recognised::Refused(error) => assert!(error.to_string().contains(message), "{error}"),
            other => panic!("{header}: {other:?}"),
        }
    }
    for foreign in [
        "",
        "CODE;NAME;DATEBEG;DATEEND\n",
        "CODE;NAME;DATE_FROM;DATE_TO\n",
        "<?xml version=\"1.0\"?>",
        "date_from;date_to\n",
        "\0\0\0",
        "\"",
        "PK\u{3}\u{4}",
        "один\nдва\n",
    ] {
        assert!(matches!(recognise(&shelf.layouts, foreign.as_bytes(), None), Recognised::Foreign), "{foreign}");
    }
    assert!(matches!(recognise(&shelf.layouts, RIGHT[1].1.as_bytes(), Some("V002")), Recognised::Foreign), "another book was asked for");
    let both = "enp;mo;vpolis;npolis;smo;date_from;date_to\n";
    assert!(matches!(recognise(&shelf.layouts, both.as_bytes(), Some("Attachment")), Recognised::Register(layout) if layout.id == "attachment"));
    let twice = shelf.import("deaths", format!("enp;death_date;ENP\n{ENP};2026-01-01;{ENP}\n")).expect_err("twice");
    assert_eq!(twice.to_string(), "the header has the column enp twice: leave one");
    assert!(shelf.import("deaths", format!("enp;x;death_date;x\n{ENP};1;2026-01-01;2\n")).is_ok(), "a column that nobody reads may be there twice");
    for empty in ["enp;death_date\n", "enp;death_date", "enp;death_date\n;\n\n"] {
        assert!(matches!(shelf.import("deaths", empty), Err(ImportError::NoRows)), "{empty}");
    }
}

#[test]
fn another_import_replaces_the_register_and_repeated_rows_are_counted() {
    let shelf = Shelf::new();
    shelf.import("deaths", RIGHT[1].1).expect("taken");
    let again = shelf.import("deaths", format!("enp;death_date\n{ENP};2026-03-02\n{ENP};2026-03-02\n{ENP};2026-03-03\n")).expect("taken");
    assert_eq!((again.rows, again.repeated, again.replaced), (3, 1, Some((Date::new(2026, 12, 1).expect("a day"), 1))));
    // Rows of one policy with two numbers are no repetition, although the register says the same of the person.
    let csv = "enp;vpolis;npolis;smo;date_from;date_to\n9900000000000002;1;1;14002;;\n9900000000000002;1;2;14002;;\n";
    assert_eq!(shelf.import("insured", csv).expect("taken").repeated, 0);
}

#[test]
fn a_stored_register_that_is_not_whole_or_not_ours_is_refused() {
    let shelf = Shelf::new();
    for (id, csv) in RIGHT {
        shelf.import(id, csv).expect(id);
        let good = shelf.bytes(id);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            fs::write(shelf.path(id), &bad).expect("written");
            assert!(matches!(shelf.open(id, 7), Err(StoredError::Damaged(..))), "{id}, byte {at}");
            fs::write(shelf.path(id), &good[..at]).expect("written");
            assert!(matches!(shelf.open(id, 7), Err(StoredError::Damaged(..))), "{id}, cut at {at}");
        }
        fs::write(shelf.path(id), [&good[..], b"x"].concat()).expect("written");
        assert!(matches!(shelf.open(id, 7), Err(StoredError::Damaged(..))), "{id}, longer");
        fs::write(shelf.path(id), &good).expect("written");
        let is_personal = shelf.layouts.get(id).expect("known").is_personal;
        assert_eq!(matches!(shelf.open(id, 8), Err(StoredError::OtherSecret(..))), is_personal, "{id}");
        fs::copy(shelf.path(id), shelf.path("other")).expect("copied");
        assert!(matches!(shelf.open("other", 7), Err(StoredError::Damaged(..))), "{id} under another name");
    }
    assert!(shelf.open("nothing", 7).expect("asked").is_none());
    let error = shelf.open("insured", 8).expect_err("another secret").to_string();
    assert!(error.contains("puomp nsi import insured.csv"), "{error}");
}

/// A forger knows the digest too: what he writes is read without a panic.
#[test]
fn a_forged_register_is_read_without_harm() {
    use sha2::Digest as _;
    let shelf = Shelf::new();
    for (id, csv) in RIGHT {
        shelf.import(id, csv).expect(id);
        let good = shelf.bytes(id);
        let content = &good[..good.len() - 32];
        for at in 0..content.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut bad = content.to_vec();
                bad[at] ^= change;
                let digest = sha2::Sha256::digest(&bad);
                bad.extend_from_slice(&digest);
                fs::write(shelf.path(id), &bad).expect("written");
                if let Ok(Some(register)) = shelf.open(id, 7) {
                    register.days();
                    register.of_person(keys(7).of_enp(ENP)).for_each(|row| {
                        let _ = row.days();
                    });
                }
            }
        }
    }
}

#[test]
fn what_a_killed_import_left_goes_with_the_next() {
    let shelf = Shelf::new();
    let left = shelf.folder.path().join(format!("{}x.tmp", crate::sys::TEMPORARY));
    fs::write(&left, "half").expect("written");
    shelf.import("deaths", RIGHT[1].1).expect("taken");
    assert!(!left.exists());
    let mut names: Vec<_> = fs::read_dir(shelf.folder.path()).expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
    names.sort();
    assert_eq!(names, ["deaths.reg", "lock"]);
}
