//! The drill of an edition: a made-up one is imported over the tables and taken back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use puomp::rules::import::{Change, Importer, Kept, Plan, PlanError, Refusal, Terms, last, read_bytes, store, take_back};
use puomp::rules::{RULE_TABLES, load, rows};
use puomp::tables::RuleFiles;
use puomp::texts::Lang;
use puomp::values::Date;

use crate::support::book::{Book, Zap};
use crate::support::needs::shared;
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
    book.rows.push(new("002F.00.8014").with("DATEBEG", "32.13.2021"));
    book.rows.push(new("002F.00.8015").with("DATEEND", "когда-нибудь"));
    book.rows.push(new("002F.00.801"));
    book.rows.push(new("002F.00.8017").with("VAL_EL", &"1".repeat(70_000)));
    book.rows.push(new("002F.00.8018").with("DATEBEG", ""));
    book.rows.push(Zap::new("002F.00.8019", element, "").with("VAL_EL", "{301}"));
    book.rows.push(new("002F.0A.8020"));
    // A rule at hand goes on as it was.
    let known = book.row("002F.00.0220");
    *known = known.clone().with("DATEBEG", "31.02.2021");
    let plan = import(&book, &overlay, as_it_comes());
    let of = |id: &str| plan.rows.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"));
    let importer = Importer::new(&files(&overlay), None).expect("the tables");
    let why = |id: &str| of(id).why.iter().map(|(field, why)| format!("{}: {}", field.as_str(), importer.why(why, puomp::texts::Lang::En))).collect::<String>();
    assert_eq!(why("002F.00.8014"), "from: DATEBEG «32.13.2021» is no date");
    assert_eq!(why("002F.00.8015"), "until: DATEEND «когда-нибудь» is no date");
    assert_eq!(why("002F.00.801"), "id: «002F.00.801» is no id of a rule");
    assert_eq!(why("002F.00.8017"), "require: the text of VAL_EL is longer than any published one");
    assert_eq!(why("002F.00.8018"), "from: the field DATEBEG is empty, and the rule cannot be checked without it");
    assert_eq!(why("002F.00.8019"), "files: the field TYPE_MD is empty, and the rule cannot be checked without it");
    assert_eq!(why("002F.0A.8020"), "id: «002F.0A.8020» is no id of a rule");
    assert_eq!(plan.count(Change::NotTaken), 8);
    let at_hand = |files: &RuleFiles, id: &str| rows(files).expect("sound").into_iter().filter(|r| r.id == id).collect::<Vec<_>>();
    assert_eq!(at_hand(&files(&overlay), "002F.00.0220"), at_hand(&RuleFiles::embedded(), "002F.00.0220"));
    // A new one is shown with the reason.
    let [shown] = at_hand(&files(&overlay), "002F.00.8014").try_into().expect("one row");
    assert_eq!((shown.kind.as_str(), shown.when.as_str(), shown.require.as_str()), ("unread", "USL_OK=3", "{301, 302}"));
    assert!(shown.note_ru.contains("32.13.2021") && shown.note_en.contains("32.13.2021"), "{shown:?}");
}

#[test]
fn an_older_edition_by_force_is_that_edition_and_each_import_is_taken_back() {
    let (folder, overlay) = place();
    // A folder of the clinic's own with a text, a table that nobody reads, and a rule of the region.
    std::fs::create_dir_all(overlay.join("flk")).expect("a folder");
    let own = "006F.14.0010,H C,ZL_LIST/ZAP/Z_SL/SL/DATE_1,USL_OK = 3,DATE_1 >= DATE_Z_1,template,2019-11-01,,,error,,,,начало {value},start {value},дата,date,own,\n";
    let table = RuleFiles::embedded().text("flk/006F.csv").expect("a table").into_owned();
    std::fs::write(overlay.join("flk/006F.csv"), table + own).expect("written");
    std::fs::write(overlay.join("mine.txt"), "kept\n").expect("written");
    let mut states = vec![bytes_of(&overlay)];

    let mut newer = Book::at_hand("5.2", "18.02.2025");
    newer.rows.push(Zap::new("002F.00.8001", "ZL_LIST/ZAP/Z_SL/SL/PROFIL", "H").with("VAL_EL", "{97, 999}"));
    let plan = import(&newer, &overlay, as_it_comes());
    assert_eq!(plan.count(Change::New), 1, "{:?}", changes(&plan));
    assert!(plan.rows.iter().filter(|r| r.change == Change::Ended).all(|r| is_inferred(&r.id)), "{:?}", changes(&plan));
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
    assert_eq!((of("002F.00.8001"), of("006F.00.0400"), of("006F.14.0010")), (Change::Removed, Change::Same, Change::Kept));
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
    load(&files(&overlay), RULE_TABLES).expect("the tables are sound all the same");
}

/// A made-up edition: rules that are new, changed, ended and gone, elements and a book that nobody knows, rows that nobody can read.
fn edition_six() -> Book {
    let mut book = Book::at_hand("6.0", "15.01.2026");
    let (sl, z_sl) = ("ZL_LIST/ZAP/Z_SL/SL", "ZL_LIST/ZAP/Z_SL");
    book.rows.retain(|r| !["003F.00.0130", "003F.00.0150"].contains(&r.id.as_str()));
    let mut change = |id: &str, field: &'static str, text: &str| {
        let row = book.row(id);
        *row = row.clone().with(field, text);
    };
    change("003F.00.0660", "USL_TEST", "USL_OK={1, 3}");
    change("002F.00.0080", "VAL_EL", "{0}");
    change("003F.00.0120", "DATEEND", "31.12.2025");
    change("003F.00.0670", "USL_TEST", "(USL_OK<>3");
    book.rows.extend([
        Zap::new("001F.00.8003", &format!("{sl}/PROFIL"), "H").with("USL_TEST", "USL_OK=3").with("NSI_OBJ", "V002").with("NSI_EL", "IDPR"),
        Zap::new("001F.00.8020", &format!("{sl}/PROFIL"), "H").with("NSI_OBJ", "R901").with("NSI_EL", "CODE"),
        Zap::new("001F.00.8021", &format!("{sl}/LPU_1"), "H").with("NSI_OBJ", "F032").with("NSI_EL", "MCOD"),
        Zap::new("002F.00.8001", &format!("{sl}/PROFIL"), "H").with("VAL_EL", "{97, 999}"),
        Zap::new("002F.00.8006", &format!("{sl}/ED_COL"), "H").with("USL_TEST", "USL_OK=3 и не (DET=1)").with("VAL_EL", "((1"),
        Zap::new("002F.00.8014", &format!("{z_sl}/ISHOD"), "H").with("VAL_EL", "{301}").with("DATEBEG", "32.13.2021"),
        Zap::new("002F.00.8016", &format!("{z_sl}/ISHOD"), "H").with("USL_TEST", "USL_OK=3 и NOSUCH=1").with("VAL_EL", "{301}"),
        Zap::new("002F.00.8017", &format!("{z_sl}/ISHOD"), "H").with("VAL_EL", "{301}").with("DATEBEG", "01.02.2025").with("DATEEND", "31.01.2025"),
        Zap::new("003F.00.8002", &format!("{sl}/DN"), "H").with("USL_TEST", "USL_OK=3 и C00.0<=DS1<D10"),
        Zap::new("003F.00.8004", &format!("{sl}/DN"), "H").with("USL_TEST", "VIDPOM<>{31, 32}").with("COMMENT", "Элемент должен отсутствовать"),
        Zap::new("003F.00.8005", &format!("{sl}/KSG_KPG/NEWEL"), "H").with("USL_TEST", "KSG_PG=0"),
        Zap::new("004F.00.8010", &format!("{sl}/NHISTORY"), "H").with("MIN_LEN", "1").with("MAX_LEN", "4").with("COMMENT", "Допустимы цифры"),
        Zap::new("007F.00.0010", &format!("{sl}/DN"), "H"),
    ]);
    book
}

#[test]
fn imports_at_once_wait_for_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let puomp = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_puomp"));
        command.current_dir(&folder).args(args).stdout(Stdio::null());
        command.spawn().expect("it starts")
    };
    assert!(puomp(&["init", "."]).wait().expect("it ends").success());
    std::fs::write(folder.path().join("book.xml"), edition_six().xml()).expect("written");
    let at_once: Vec<_> = (0..3).map(|_| puomp(&["rules", "import", "book.xml"])).collect();
    for mut import in at_once {
        assert!(import.wait().expect("it ends").success());
    }
    let overlay = folder.path().join(".puomp/rules");
    assert!(last(&overlay).expect("readable").is_some(), "the first one left its record");
    while last(&overlay).expect("readable").is_some() {
        assert!(puomp(&["rules", "import", "--undo"]).wait().expect("it ends").success());
    }
    assert!(bytes_of(&overlay).is_empty(), "all of them are taken back");
}

/// Whether a built-in rule was inferred, not published: it ends with a book that lacks it.
fn is_inferred(id: &str) -> bool {
    rows(&RuleFiles::embedded()).expect("sound").iter().any(|r| r.id == id && !r.inferred.is_empty())
}

#[test]
fn a_made_up_edition_is_told_row_by_row_and_taken_back() {
    let (_folder, overlay) = place();
    std::fs::create_dir_all(overlay.join("flk")).expect("a folder");
    std::fs::write(overlay.join("flk/words.csv"), RuleFiles::embedded().text("flk/words.csv").expect("a table").as_bytes()).expect("written");
    let (before, rules_before) = (bytes_of(&overlay), rows(&files(&overlay)).expect("sound"));
    let plan = import(&edition_six(), &overlay, as_it_comes());
    say(&format!("rules_drill: edition 6.0: {:?}", changes(&plan)));

    // The report, row by row.
    let importer = Importer::new(&files(&overlay), None).expect("the tables");
    let of = |id: &str| {
        let row = plan.rows.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"));
        let differences = row.differences.iter().map(|d| format!("{} {} → {}", d.field.as_str(), d.ours, d.theirs));
        let why = row.why.iter().map(|(field, why)| format!("{}: {}", field.as_str(), importer.why(why, Lang::En)));
        let lacks = row.lacks.iter().map(|(_, reason)| reason.en.clone());
        format!("{}; {}", row.change.as_str(), differences.chain(why).chain(lacks).collect::<Vec<_>>().join("; "))
    };
    for (id, due) in [
        ("001F.00.8003", "new; "),
        ("001F.00.8021", "new; book F032 is not there: puomp nsi import or puomp nsi update"),
        ("002F.00.0080", "changed; require PR_NOV IN {0, 1} → PR_NOV IN {0}"),
        ("002F.00.8001", "new; "),
        (
            "002F.00.8006",
            "unexpressed; when: column 12: an element, a number or a code is due, «не» stands there; require: column 4: a closing bracket is due, «» stands \
             there",
        ),
        ("002F.00.8014", "not-taken; from: DATEBEG «32.13.2021» is no date"),
        ("002F.00.8017", "new; the last day lies before the first one: the rule is never in force"),
        ("003F.00.0120", "changed; until  → 2025-12-31"),
        ("003F.00.0130", "ended; until  → 2026-01-14"),
        ("003F.00.0660", "changed; when USL_OK = 3 → USL_OK IN {1, 3}"),
        ("003F.00.0670", "unexpressed; when: column 11: a closing bracket is due, «» stands there"),
        ("003F.00.8002", "new; "),
        ("003F.00.8005", "new; no format has this element"),
        ("004F.00.8010", "new; "),
        ("007F.00.0010", "unexpressed; require: unknown category 007F"),
    ] {
        assert_eq!(of(id), due, "{id}");
    }
    assert!(of("001F.00.8020").starts_with("new; book R901 is not there"), "{}", of("001F.00.8020"));
    assert!(of("002F.00.8016").starts_with("unexpressed; ") && of("002F.00.8016").contains("unknown name NOSUCH"), "{}", of("002F.00.8016"));
    assert_eq!(Change::ALL.iter().map(|c| plan.count(*c)).sum::<usize>(), plan.rows.len());
    let published = edition_six().rows.len();
    assert!(plan.rows.iter().filter(|r| !matches!(r.change, Change::Kept | Change::Ended)).count() >= published, "every row of the book has its line");

    // Texts as the built-in rows have them.
    let now = rows(&files(&overlay)).expect("sound");
    let texts = |id: &str| now.iter().filter(|r| r.id == id).map(|r| (r.ru.clone(), r.en.clone())).next_back().unwrap_or_else(|| panic!("{id}"));
    let due = |ru: &str, en: &str| (ru.to_owned(), en.to_owned());
    assert_eq!(
        texts("004F.00.8010"),
        due(
            "NHISTORY «{value}» (номер истории болезни или талона): ожидается от 1 до 4 знаков; цифры",
            "NHISTORY «{value}» (medical record number): expected 1 to 4 characters; digits"
        )
    );
    assert_eq!(
        texts("001F.00.8003"),
        due(
            "PROFIL {value} (профиль медицинской помощи): нет в справочнике V002 на дату окончания законченного случая; условие: USL_OK = 3 (амбулаторно)",
            "PROFIL {value} (profile of care): not in book V002 on the end date of the completed case; condition: USL_OK = 3 (outpatient)"
        )
    );
    let (ru, en) = texts("003F.00.8002");
    assert!(ru.starts_with("нет элемента DN (") && ru.ends_with("обязателен при условии: USL_OK = 3 (амбулаторно) и DS1 из C00–D09"), "{ru}");
    assert!(en.starts_with("there is no element DN (") && en.ends_with("obligatory when USL_OK = 3 (outpatient) and DS1 is in C00–D09"), "{en}");
    let (ru, en) = texts("003F.00.8004");
    assert!(ru.starts_with("лишний элемент DN (") && ru.ends_with("не передаётся при условии: VIDPOM — любое значение, кроме 31 и 32"), "{ru}");
    assert!(en.ends_with("must not stand when VIDPOM is not 31 or 32"), "{en}");
    let (ru, _) = texts("003F.00.0660");
    assert!(ru.ends_with("обязателен при условии: USL_OK — 1 или 3 (стационар, амбулаторно)"), "{ru}");
    assert!(texts("002F.00.0080").0.ends_with("допустимо только 0"), "{}", texts("002F.00.0080").0);

    // What cannot run says why.
    let covered = puomp::rules::coverage(&files(&overlay), None).expect("sound");
    let reason = |id: &str| covered.iter().find(|r| r.id == id).and_then(|r| r.reason.as_ref()).map_or("", |r| r.en.as_str());
    assert!(reason("002F.00.8006").starts_with("the row of the book could not be read: column 12: an element"), "{}", reason("002F.00.8006"));
    assert!(reason("002F.00.8016").contains("unknown name NOSUCH"), "{}", reason("002F.00.8016"));
    assert_eq!([reason("003F.00.8005"), reason("002F.00.8001")], ["no format has this element", ""]);

    // The same edition again changes nothing, and nothing is told as if it were new.
    let stored = bytes_of(&overlay);
    let again = import(&edition_six(), &overlay, as_it_comes());
    let changed: Vec<_> = again.tables.iter().map(|(table, _)| table.as_str()).collect();
    assert!(changed.is_empty() && bytes_of(&overlay) == stored, "{changed:?}");
    for (row, first) in again.rows.iter().filter_map(|row| Some((row, plan.rows.iter().find(|first| first.id == row.id)?))) {
        let as_before =
            matches!(row.change, Change::Same | Change::Kept) || matches!(row.change, Change::Unexpressed | Change::NotTaken) && row.change == first.change;
        assert!(as_before, "{}: {:?}, first {:?}", row.id, row.change, first.change);
    }

    // Taken back: the tables and their bytes are as before.
    take_back(&last(&overlay).expect("sound").expect("a record"), &overlay, false).expect("taken back");
    assert!(bytes_of(&overlay) == before && rows(&files(&overlay)).expect("sound") == rules_before);
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_published_book_by_force_in_place_of_a_newer_one_leaves_the_built_in_tables() {
    let (_folder, overlay) = place();
    let bytes = std::fs::read(shared("nsi/Q015.xml")).expect("the book");
    let text = encoding_rs::WINDOWS_1251.decode(&bytes).0.into_owned();
    let newer = text.replace("<version>2.2<", "<version>5.2<").replace("<date>12.02.2021<", "<date>18.02.2025<").replace("windows-1251", "utf-8");
    let import = |bytes: &[u8], terms| {
        let importer = Importer::new(&files(&overlay), None).expect("the tables");
        let plan = importer.plan(&read_bytes(bytes).expect("a packet"), terms).expect("a plan");
        store(&plan, &overlay).expect("stored");
        plan
    };
    let plan = import(newer.as_bytes(), as_it_comes());
    assert_eq!((plan.count(Change::Unexpressed), plan.count(Change::NotTaken)), (0, 0));
    assert!(plan.rows.iter().filter(|r| r.change == Change::Ended).all(|r| is_inferred(&r.id)), "{:?}", changes(&plan));
    import(&bytes, by_force());
    assert_eq!(rows(&files(&overlay)).expect("sound"), rows(&RuleFiles::embedded()).expect("sound"));
}
