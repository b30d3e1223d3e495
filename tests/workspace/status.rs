//! What `status` writes for programs and for Excel says the same.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;

use puomp::tables::RuleFiles;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::support::clinic::{Clinic, said};

/// A cell as the file has it.
#[derive(Debug, Clone, PartialEq)]
enum Cell {
    Text(String),
    Number(f64),
    Formula(String, f64),
}

/// A sheet: cells by row and column, and its XML.
struct Sheet {
    name: String,
    cells: BTreeMap<(usize, usize), Cell>,
    xml: String,
}

impl Sheet {
    /// The cells of a row, in order; an empty one is an empty text.
    fn row(&self, row: usize, width: usize) -> Vec<Cell> {
        (0..width).map(|col| self.cells.get(&(row, col)).cloned().unwrap_or(Cell::Text(String::new()))).collect()
    }

    fn height(&self) -> usize {
        self.cells.keys().last().map_or(0, |(row, _)| row + 1)
    }
}

/// `B12` as row and column, from 0.
fn place(name: &str) -> (usize, usize) {
    let digits = name.find(|c: char| c.is_ascii_digit()).expect("a row");
    let col = name[..digits].bytes().fold(0, |n, letter| n * 26 + usize::from(letter - b'A') + 1);
    (name[digits..].parse::<usize>().expect("a row") - 1, col - 1)
}

/// Texts of elements and values of attributes, by a reader that knows nothing of the program that wrote them.
fn read(path: &std::path::Path) -> Vec<Sheet> {
    let mut archive = zip::ZipArchive::new(File::open(path).expect("the file")).expect("an archive");
    let has_shared = archive.file_names().any(|name| name.is_ok_and(|name| name == "xl/sharedStrings.xml"));
    let mut part = |name: &str| {
        let mut text = String::new();
        archive.by_name(name).expect(name).read_to_string(&mut text).expect("UTF-8");
        text
    };
    let mut strings = Vec::new();
    // A workbook that is written row by row has its texts in the cells.
    let shared = if has_shared { part("xl/sharedStrings.xml") } else { String::new() };
    walk(&shared, |path, _, text| {
        if path == "sst/si/t" && !text.is_empty() {
            strings.push(text.to_owned());
        }
    });
    let mut names = Vec::new();
    walk(&part("xl/workbook.xml"), |path, attributes, _| {
        if path == "workbook/sheets/sheet" {
            names.push(attributes["name"].clone());
        }
    });
    let sheets = names.into_iter().zip(1..).map(|(name, number)| {
        let xml = part(&format!("xl/worksheets/sheet{number}.xml"));
        let mut cells = BTreeMap::new();
        let (mut at, mut is_text, mut formula) = ((0, 0), false, String::new());
        walk(&xml, |path, attributes, text| match path {
            "worksheet/sheetData/row/c" => {
                at = place(&attributes["r"]);
                is_text = attributes.get("t").is_some_and(|t| t == "s");
                formula.clear();
            }
            "worksheet/sheetData/row/c/is/t" if !text.is_empty() => {
                cells.insert(at, Cell::Text(text.to_owned()));
            }
            "worksheet/sheetData/row/c/f" => formula.push_str(text),
            "worksheet/sheetData/row/c/v" if !text.is_empty() => {
                let number: f64 = text.parse().expect("a number");
                let cell = match (is_text, formula.is_empty()) {
                    (true, _) => Cell::Text(strings[number as usize].clone()),
                    (_, true) => Cell::Number(number),
                    (_, false) => Cell::Formula(formula.clone(), number),
                };
                cells.insert(at, cell);
            }
            _ => {}
        });
        Sheet { name, cells, xml }
    });
    sheets.collect()
}

/// Calls `see` with the path, the attributes and the text of each element: when it begins, and again when its text comes.
fn walk(xml: &str, mut see: impl FnMut(&str, &BTreeMap<String, String>, &str)) {
    let mut reader = Reader::from_str(xml);
    let (mut path, mut attributes) = (Vec::new(), BTreeMap::new());
    loop {
        let event = reader.read_event().expect("XML");
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                path.push(String::from_utf8_lossy(tag.name().as_ref().as_ref()).into_owned());
                let pairs = tag.attributes().map(|a| a.expect("an attribute"));
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                attributes = pairs.map(|a| (text(a.key.as_ref().as_ref()), text(a.value.as_ref().as_ref()))).collect();
                see(&path.join("/"), &attributes, "");
                if matches!(event, Event::Empty(_)) {
                    path.pop();
                }
            }
            Event::Text(text) => {
                let text: &str = text.as_ref();
                if !text.is_empty() {
                    see(&path.join("/"), &attributes, text);
                }
            }
            Event::End(_) => drop(path.pop()),
            Event::Eof => return,
            _ => {}
        }
    }
}

/// Days of Excel's calendar before 1970.
const EPOCH: f64 = 25_569.0;

/// A moment of CSV as Excel counts it, to the minute.
fn serial(moment: &str) -> f64 {
    let at: jiff::Timestamp = moment.parse().expect("a moment");
    EPOCH + at.as_second().div_euclid(60) as f64 / 1_440.0
}

/// Runs `status` in the time zone of Greenwich.
fn status(clinic: &Clinic, args: &[&str]) -> String {
    let said = said(&clinic.command(&[&["status"], args].concat()).env("TZ", "UTC").output().expect("the program runs"));
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{args:?}: {said:?}");
    said.out
}

on_each_store!(a_workbook_says_what_csv_says_and_adds_it_up);
fn a_workbook_says_what_csv_says_and_adds_it_up(clinic: &Clinic) {
    clinic.package("in", 30, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "outpatient"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "inpatient"]);
    clinic.done(&["submit", "2102-1"]);
    clinic.package("more", 10, &["--period", "2021-03", "--seed", "7"]);
    clinic.done(&["load", "more"]);
    let text = status(clinic, &["--format", "csv"]);
    assert_eq!(status(clinic, &["--format", "csv", "-o", "a.csv"]), "");
    assert_eq!(std::fs::read_to_string(clinic.path("a.csv")).expect("there"), text);
    let excel = text.strip_prefix('\u{feff}').expect("a byte-order mark");
    assert!(excel.ends_with("\r\n"), "{text}");
    let mut csv = csv::ReaderBuilder::new().delimiter(b';').from_reader(excel.as_bytes());
    let titles: Vec<String> = csv.headers().expect("a header").iter().map(str::to_owned).collect();
    let columns = RuleFiles::embedded().rows::<(String, String, String, String, String, String)>("forms/status-columns.csv").expect("the table is sound");
    let columns = columns.into_iter().map(|(_, row)| row).filter(|(table, ..)| table == "registries");
    let (names, ru): (Vec<String>, Vec<String>) = columns.map(|(_, name, _, _, ru, _)| (name, ru)).unzip();
    assert_eq!(titles, ru);
    let rows: Vec<csv::StringRecord> = csv.records().map(|r| r.expect("a row")).collect();
    assert!(rows.len() >= 2, "{text}");

    assert_eq!(status(clinic, &["--format", "xlsx", "--output", "Реестры за год.xlsx"]), "");
    let sheets = read(&clinic.path("Реестры за год.xlsx"));
    assert_eq!(sheets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Реестры", "Остаток"]);
    let sheet = &sheets[0];
    assert_eq!(sheet.height(), rows.len() + 2);
    let head = sheet.row(0, names.len());
    for title in ["номер", "месяц", "МО", "плательщик", "помощь", "случаев", "сумма", "статус", "с", "кто действует"]
    {
        assert!(head.contains(&Cell::Text(title.to_owned())), "{title}: {head:?}");
    }
    let mut totals = BTreeMap::<&str, f64>::new();
    for (at, row) in rows.iter().enumerate() {
        for (col, name) in names.iter().enumerate() {
            let (cell, value) = (sheet.row(at + 1, names.len())[col].clone(), &row[col]);
            match name.as_str() {
                // Words in place of ids.
                "status" | "acts" | "kind" => assert!(matches!(&cell, Cell::Text(word) if !word.is_empty() && word != value), "{name}: {cell:?}"),
                "since" | "formed_at" | "sent_at" if !value.is_empty() => {
                    assert!(matches!(cell, Cell::Number(n) if (n - serial(value)).abs() < 1e-6), "{name} {value}: {cell:?}");
                }
                "period" => assert_eq!(cell, Cell::Number(serial(&format!("{value}-01T00:00:00Z"))), "{value}"),
                "account_date" => assert_eq!(cell, Cell::Number(serial(&format!("{value}T00:00:00Z"))), "{value}"),
                "revision" | "cases" | "persons" | "sum" | "accepted_cases" | "accepted_sum" => {
                    // The decimal sign is that of the language.
                    assert!(!value.contains('.'), "{name}: {value}");
                    let number: f64 = value.replace(',', ".").parse().expect("a number");
                    assert_eq!(cell, Cell::Number(number), "{name}");
                    *totals.entry(name).or_default() += number;
                }
                _ => assert_eq!(cell, Cell::Text(value.to_owned()), "{name}"),
            }
        }
    }
    let last = rows.len() + 1;
    for (col, name) in names.iter().enumerate() {
        let cell = sheet.row(last, names.len())[col].clone();
        let Some(letter) = ["cases", "sum", "accepted_cases", "accepted_sum"].contains(&name.as_str()).then(|| char::from(b'A' + col as u8)) else {
            assert!(matches!(&cell, Cell::Text(text) if col > 0 || text == "Итого"), "{name}: {cell:?}");
            continue;
        };
        let Cell::Formula(formula, value) = cell else { panic!("{name}: {cell:?}") };
        assert_eq!(formula, format!("SUBTOTAL(109,{letter}2:{letter}{last})"));
        assert!((value - totals[name.as_str()]).abs() < 0.001, "{name}: {value} {totals:?}");
    }
    assert!(sheet.xml.contains(&format!("<autoFilter ref=\"A1:S{last}\"/>")) && sheet.xml.contains("state=\"frozen\""), "{}", sheet.xml);

    let outside: (i64, i64) = ["free", "question", "waiting", "refused"].iter().map(|s| clinic.outside(s)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    let stock = &sheets[1];
    let sums: Vec<&Cell> = stock.cells.values().filter(|c| matches!(c, Cell::Formula(..))).collect();
    let [Cell::Formula(_, cases), Cell::Formula(_, sum)] = sums.as_slice() else { panic!("{sums:?}") };
    assert_eq!((*cases as i64, (sum * 100.0).round() as i64), outside);
}

#[test]
fn a_workbook_is_the_same_each_time_and_shows_what_was_asked_for() {
    let clinic = Clinic::new();
    clinic.package("in", 20, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "outpatient"]);
    let file = |name: &str| std::fs::read(clinic.path(name)).expect("there");
    status(&clinic, &["--format", "xlsx", "-o", "1.xlsx"]);
    status(&clinic, &["--format", "xlsx", "-o", "2.xlsx"]);
    assert!(file("1.xlsx") == file("2.xlsx"), "the bytes differ");
    let piped = clinic.command(&["status", "--format", "xlsx"]).env("TZ", "UTC").output().expect("the program runs");
    assert!(piped.stdout == file("1.xlsx"), "the bytes differ in a pipe");
    status(&clinic, &["2102-1", "--history", "--format", "xlsx", "-o", "3.xlsx"]);
    let sheets = read(&clinic.path("3.xlsx"));
    assert_eq!(sheets.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(), ["Реестры", "История"]);
    assert_eq!((sheets[0].height(), sheets[1].height()), (3, 2));
    status(&clinic, &["--state", "sent", "--format", "xlsx", "-o", "4.xlsx", "--lang", "en"]);
    let sheets = read(&clinic.path("4.xlsx"));
    assert_eq!((sheets[0].name.as_str(), sheets.len(), sheets[0].height()), ("Registries", 1, 1));
    let said = clinic.run(&["status", "--format", "xlsx", "-o", "no/5.xlsx"]);
    assert!(said.code == 2 && said.err.contains("такой папки или файла нет"), "{said:?}");
}

on_each_store!(a_registry_is_called_by_its_number_its_file_or_a_unique_beginning);
fn a_registry_is_called_by_its_number_its_file_or_a_unique_beginning(clinic: &Clinic) {
    clinic.package("in", 60, &["--period", "2021-02"]);
    clinic.package("next", 20, &["--period", "2021-03", "--seed", "2"]);
    clinic.done(&["load", "in", "next"]);
    clinic.done(&["form", "--period", "2021-02"]);
    clinic.done(&["form", "--period", "2021-03", "--kind", "outpatient"]);
    let status = clinic.status();
    let rows = status["registries"].as_array().expect("a list");
    let of_march: Vec<_> = rows.iter().filter(|r| r["period"] == "2021-03").collect();
    assert!(of_march.len() == 1 && rows.len() >= 3, "{rows:?}");
    let (number, file) = (of_march[0]["number"].as_str().expect("a number"), of_march[0]["file"].as_str().expect("a name"));
    let named = [number.to_owned(), "2103".to_owned(), file.to_owned(), file.to_lowercase(), format!("outbox/14002/{file}.ZIP"), format!("x\\{file}.xml")];
    for name in named {
        let said = clinic.done(&["status", &name]);
        assert!(said.starts_with(number), "{name}: {said}");
    }
    // Of a beginning that several have, none is meant; a whole number is meant though others begin so.
    let said = clinic.refused(&["status", "2102-"], 2);
    assert!(said.contains("2102-1") && said.contains("2102-2"), "{said}");
    assert!(clinic.done(&["status", "2102-1"]).starts_with("2102-1 "));
    for name in ["", "9999", "102-1", "%", "2102_1", &file[1..]] {
        clinic.refused(&["status", name], 2);
    }
}

/// A house may say things in its own words.
#[test]
fn texts_of_a_folder_of_rules_are_heeded() {
    let clinic = Clinic::new();
    let table = std::fs::read_to_string("rules/texts.csv").expect("the table");
    std::fs::create_dir(clinic.path("own")).expect("made");
    std::fs::write(clinic.path("own/texts.csv"), table.replace("пока ничего нет", "здесь пусто")).expect("written");
    assert!(clinic.done(&["status"]).contains("пока ничего нет"));
    assert!(clinic.done(&["status", "--rules", "own"]).contains("здесь пусто"));
}
