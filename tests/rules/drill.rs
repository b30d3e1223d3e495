//! The drill of an edition: a made-up one is imported over the tables and taken back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use puomp::rules::import::{Change, Importer, Kept, Plan, PlanError, Refusal, Terms, last, read_bytes, store, take_back};
use puomp::rules::{FLK_TABLES, load, rows};
use puomp::tables::RuleFiles;
use puomp::values::Date;

use crate::support::book::{Book, Zap};
use crate::support::say::say;

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn as_it_comes() -> Terms {
    Terms { today: day("2026-11-01"), force: false }
}

fn by_force() -> Terms {
    Terms { force: true, ..as_it_comes() }
}

/// The built-in tables, or those of an overlay.
fn files(overlay: &Path) -> RuleFiles {
    if overlay.is_dir() { RuleFiles::with_overlay(overlay) } else { RuleFiles::embedded() }
}

fn plan(book: &Book, overlay: &Path, terms: Terms) -> Result<Plan, PlanError> {
    let importer = Importer::new(&files(overlay), None).expect("the tables");
    importer.plan(&read_bytes(book.xml().as_bytes()).expect("a packet"), terms)
}

fn import(book: &Book, overlay: &Path, terms: Terms) -> Plan {
    let plan = plan(book, overlay, terms).unwrap_or_else(|e| panic!("{} {}: {e}", book.edition, book.date));
    store(&plan, overlay).expect("stored");
    plan
}

/// Every file below a folder with its bytes.
fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(bytes_of(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("bytes"));
        }
    }
    found
}

fn changes(plan: &Plan) -> BTreeMap<&'static str, usize> {
    Change::ALL.into_iter().map(|c| (c.as_str(), plan.count(c))).filter(|(_, count)| *count > 0).collect()
}

/// A place for an overlay, which is not there yet.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let overlay = folder.path().join("rules");
    (folder, overlay)
}

#[test]
fn the_book_at_hand_in_published_spelling_is_the_book_at_hand() {
    let (_folder, overlay) = place();
    let plan = plan(&Book::at_hand("2.2", "12.02.2021"), &overlay, by_force()).expect("a plan");
    let odd: Vec<String> =
        plan.rows.iter().filter(|r| !matches!(r.change, Change::Same | Change::Kept)).map(|r| format!("{} {:?} {:?}", r.id, r.differences, r.why)).collect();
    say(&format!("rules_drill: the book at hand in published spelling: {:?}", changes(&plan)));
    // Some requirements of the book are sentences, for which the tables have formulas that its spelling has no words for.
    assert!(odd.len() < 30, "{}\n{}", odd.len(), odd.join("\n"));
}

#[test]
fn a_part_and_a_book_of_the_future_are_refused() {
    let (_folder, overlay) = place();
    let whole = Book::at_hand("5.2", "18.02.2025");
    let refusal = |book: &Book, terms| match plan(book, &overlay, terms) {
        Err(PlanError::Refused(refusal)) => Some(refusal),
        _ => None,
    };
    let with = |rows: usize| Book { rows: whole.rows.iter().take(rows).cloned().collect(), ..whole.clone() };
    let Some(Refusal::Part { before, after }) = refusal(&with(1), as_it_comes()) else { panic!("one row is a part") };
    // Four rules have an end already and stay.
    assert!(before > 600 && after <= 5, "{after} of {before}");
    let Some(Refusal::Part { before: all, after }) = refusal(&with(700), as_it_comes()) else { panic!("a hundred rows are missing") };
    assert!(all == before && after > 500, "{after} of {all}, {before}");
    // Rows that end by their own date, and a few that are gone, are an edition.
    assert_eq!(refusal(&with(790), as_it_comes()), None);
    let mut closed = whole.clone();
    closed.rows.iter_mut().step_by(5).for_each(|row| *row = row.clone().with("DATEEND", "31.12.2024"));
    assert_eq!(refusal(&closed, as_it_comes()), None);
    // Rows that cannot be read stop as well.
    let mut garbled = whole.clone();
    garbled.rows.iter_mut().filter(|r| r.id.starts_with("003F")).for_each(|row| *row = row.clone().with("USL_TEST", "(("));
    assert!(matches!(refusal(&garbled, as_it_comes()), Some(Refusal::Part { .. })));
    let future = Book { date: "02.11.2026".to_owned(), ..whole.clone() };
    assert!(matches!(refusal(&future, as_it_comes()), Some(Refusal::Future { .. })));
    assert_eq!(refusal(&Book { date: "01.11.2026".to_owned(), ..whole.clone() }, as_it_comes()), None);
    for book in [with(1), with(700), garbled, future] {
        assert_eq!(refusal(&book, by_force()), None);
    }
}

#[test]
fn a_field_that_cannot_be_read_costs_its_row_alone() {
    let (_folder, overlay) = place();
    let mut book = Book::at_hand("5.2", "18.02.2025");
    let element = "ZL_LIST/ZAP/Z_SL/ISHOD";
    let new = |id: &str| Zap::new(id, element, "H").with("USL_TEST", "USL_OK=3").with("VAL_EL", "{301, 302}");
    book.rows.push(new("002F.00.9014").with("DATEBEG", "32.13.2021"));
    book.rows.push(new("002F.00.9015").with("DATEEND", "когда-нибудь"));
    book.rows.push(new("002F.00.901"));
    book.rows.push(new("002F.00.9017").with("VAL_EL", &"1".repeat(70_000)));
    // A rule at hand goes on as it was.
    let known = book.row("002F.00.0220");
    *known = known.clone().with("DATEBEG", "31.02.2021");
    let plan = import(&book, &overlay, as_it_comes());
    let of = |id: &str| plan.rows.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"));
    let importer = Importer::new(&files(&overlay), None).expect("the tables");
    let why = |id: &str| of(id).why.iter().map(|(field, why)| format!("{}: {}", field.as_str(), importer.why(why, puomp::texts::Lang::En))).collect::<String>();
    assert_eq!(why("002F.00.9014"), "from: DATEBEG «32.13.2021» is no date");
    assert_eq!(why("002F.00.9015"), "until: DATEEND «когда-нибудь» is no date");
    assert_eq!(why("002F.00.901"), "id: «002F.00.901» is no id of a rule");
    assert_eq!(why("002F.00.9017"), "require: the text of VAL_EL is longer than any published one");
    assert_eq!(plan.count(Change::NotTaken), 5);
    let at_hand = |files: &RuleFiles, id: &str| rows(files).expect("sound").into_iter().filter(|r| r.id == id).collect::<Vec<_>>();
    assert_eq!(at_hand(&files(&overlay), "002F.00.0220"), at_hand(&RuleFiles::embedded(), "002F.00.0220"));
    // A new one is shown with the reason.
    let [shown] = at_hand(&files(&overlay), "002F.00.9014").try_into().expect("one row");
    assert_eq!((shown.kind.as_str(), shown.when.as_str(), shown.require.as_str()), ("unread", "USL_OK=3", "{301, 302}"));
    assert!(shown.note_ru.contains("32.13.2021") && shown.note_en.contains("32.13.2021"), "{shown:?}");
}

#[test]
fn an_older_edition_by_force_is_that_edition_and_each_import_is_taken_back() {
    let (folder, overlay) = place();
    // A folder of the clinic's own with a text, a table that nobody reads, and a rule of the region.
    std::fs::create_dir_all(overlay.join("flk")).expect("a folder");
    let own =
        "006F.14.0010,H C,ZL_LIST/ZAP/Z_SL/SL/DATE_1,USL_OK = 3,DATE_1 >= DATE_Z_1,template,2019-11-01,,,error,,,,начало {value},start {value},дата,date,own\n";
    let table = RuleFiles::embedded().text("flk/006F.csv").expect("a table").into_owned();
    std::fs::write(overlay.join("flk/006F.csv"), table + own).expect("written");
    std::fs::write(overlay.join("mine.txt"), "kept\n").expect("written");
    let mut states = vec![bytes_of(&overlay)];

    let mut newer = Book::at_hand("5.2", "18.02.2025");
    newer.rows.push(Zap::new("002F.00.9001", "ZL_LIST/ZAP/Z_SL/SL/PROFIL", "H").with("VAL_EL", "{97, 999}"));
    let plan = import(&newer, &overlay, as_it_comes());
    assert_eq!((plan.count(Change::New), plan.count(Change::Ended)), (1, 0), "{:?}", changes(&plan));
    assert!(
        rows(&files(&overlay)).expect("sound").iter().any(|r| r.id == "006F.14.0010" && r.until.is_empty()),
        "a federal book says nothing of the region's rule"
    );
    states.push(bytes_of(&overlay));

    // The same again changes nothing, and leaves no record.
    import(&newer, &overlay, as_it_comes());
    assert_eq!(bytes_of(&overlay), states[1]);

    let older = Book::at_hand("2.2", "12.02.2021");
    assert!(matches!(self::plan(&older, &overlay, as_it_comes()), Err(PlanError::Refused(Refusal::Older { .. }))));
    let back = import(&older, &overlay, by_force());
    let of = |id: &str| back.rows.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}")).change;
    assert_eq!((of("002F.00.9001"), of("006F.00.0400"), of("006F.14.0010")), (Change::Removed, Change::Same, Change::Kept));
    let now = rows(&files(&overlay)).expect("sound");
    let mut due = rows(&RuleFiles::embedded()).expect("sound");
    due.extend(now.iter().find(|r| r.id == "006F.14.0010").cloned());
    let sorted = |mut rows: Vec<puomp::rules::import::TableRow>| {
        rows.sort_by(|a, b| (&a.id, &a.files, &a.from).cmp(&(&b.id, &b.files, &b.from)));
        rows
    };
    let spelt_otherwise = |id: &str| back.rows.iter().any(|r| r.id == id && !matches!(r.change, Change::Same | Change::Kept | Change::Removed));
    let (now, due) = (sorted(now), sorted(due));
    for (now, due) in now.iter().filter(|r| !spelt_otherwise(&r.id)).zip(due.iter().filter(|r| !spelt_otherwise(&r.id))) {
        assert_eq!(now, due);
    }
    states.push(bytes_of(&overlay));

    // Another book on top, which has tables of its own.
    let mek = Zap::new("002K.00.0010", "ZL_LIST/ZGLV/DATA", "H").with("VAL_EL", "1");
    let q016 = Book { edition: "3.3".to_owned(), date: "15.10.2025".to_owned(), rows: vec![mek] }.xml().replace("FLK_MPF", "MEK_MPF");
    let importer = Importer::new(&files(&overlay), None).expect("the tables");
    store(&importer.plan(&read_bytes(q016.as_bytes()).expect("a packet"), as_it_comes()).expect("a plan"), &overlay).expect("stored");
    assert!(overlay.join("mek/002K.csv").is_file());

    // Taken back one by one, byte for byte.
    for state in states.into_iter().rev() {
        let record = last(&overlay).expect("sound").expect("a record");
        take_back(&record, &overlay, false).expect("taken back");
        assert_eq!(bytes_of(&overlay).keys().collect::<Vec<_>>(), state.keys().collect::<Vec<_>>());
        assert!(bytes_of(&overlay) == state, "{} {}", record.edition.book, record.edition.edition);
    }
    assert_eq!(last(&overlay).expect("sound"), None);
    assert!(!overlay.join("mek").exists() && !overlay.join("imports").exists());
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside the overlay");
}

#[test]
fn what_was_edited_since_is_not_overwritten_unasked_and_a_folder_that_an_import_made_goes_with_it() {
    let (_folder, overlay) = place();
    import(&Book::at_hand("5.2", "18.02.2025"), &overlay, as_it_comes());
    let record = last(&overlay).expect("sound").expect("a record");
    assert_eq!((record.edition.edition.as_str(), record.edition.date.as_str()), ("5.2", "2025-02-18"));
    let table = overlay.join("flk/003F.csv");
    let text = std::fs::read_to_string(&table).expect("a table");
    std::fs::write(&table, text.clone() + "\n").expect("written");
    assert!(matches!(take_back(&record, &overlay, false), Err(Kept::Edited(table)) if table == "flk/003F.csv"));
    assert!(table.is_file());
    take_back(&record, &overlay, true).expect("taken back");
    assert!(!overlay.exists());
    // A list that leads out of the overlay is refused.
    import(&Book::at_hand("5.2", "18.02.2025"), &overlay, as_it_comes());
    let list = overlay.join("imports/0001/import.csv");
    let text = std::fs::read_to_string(&list).expect("a list");
    std::fs::write(&list, text.replace("flk/003F.csv", "../003F.csv")).expect("written");
    assert!(last(&overlay).expect_err("refused").to_string().contains("../003F.csv"));
    load(&files(&overlay), FLK_TABLES).expect("the tables are sound all the same");
}
