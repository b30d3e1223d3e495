//! Import of the published rule books: the difference to the tables at hand, and packets that are damaged.

use std::collections::BTreeMap;

use puomp::rules::import::{Change, Importer, Plan, PlanError, Refusal, Terms, plan_file, read_bytes, store};
use puomp::tables::RuleFiles;
use puomp::values::Date;

use crate::support::needs::shared;
use crate::support::say::say;

/// On a day after all editions of these tests.
fn as_it_comes() -> Terms {
    Terms { today: Date::new(2030, 6, 1).expect("a day"), force: false }
}

fn by_force() -> Terms {
    Terms { force: true, ..as_it_comes() }
}

fn importer() -> Importer {
    Importer::new(&RuleFiles::embedded(), None).expect("the tables")
}

fn summary(plan: &Plan) -> String {
    let mut counts = String::new();
    for change in Change::ALL {
        counts += &format!(" {} {},", plan.count(change), change.as_str());
    }
    let mut repairs: BTreeMap<&str, usize> = BTreeMap::new();
    let mut readings: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &plan.rows {
        row.repairs.iter().for_each(|(_, r)| *repairs.entry(r.as_str()).or_default() += 1);
        row.readings.iter().for_each(|(_, r)| *readings.entry(r).or_default() += 1);
    }
    format!("{} {}:{counts} repairs {repairs:?}, read by a person {readings:?}", plan.edition.book, plan.edition.edition)
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_edition_at_hand_brings_nothing_new() {
    let path = shared("nsi/Q015.xml");
    let plan = plan_file(&importer(), &path, as_it_comes()).expect("a plan");
    let wrong: Vec<String> = plan
        .rows
        .iter()
        .filter(|r| !matches!(r.change, Change::Same | Change::Kept))
        .map(|r| format!("{} {:?} {:?} {:?}", r.id, r.change, r.differences, r.why))
        .collect();
    say(&format!("rules_import: {}", summary(&plan)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((plan.count(Change::Same), plan.count(Change::Kept)), (800, 83));
    let repairs: usize = plan.rows.iter().map(|r| r.repairs.len()).sum();
    assert_eq!(repairs, 30, "36 in Q015 and Q016 together, 6 of them in Q016");
    assert_eq!(plan.tables, [], "no table differs");
}

/// A small packet of our own: one row of each outcome.
fn packet(date: &str, rows: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><packet><zglv><type>FLK_MPF</type><version>9.9</version><date>{date}</date></zglv>{rows}</packet>")
        .into_bytes()
}

fn zap(id: &str, element: &str, files: &str, rest: &str) -> String {
    let files: String = files.chars().map(|c| format!("<TYPE_D>{c}</TYPE_D>")).collect();
    format!("<zap><ID_TEST>{id}</ID_TEST><ID_EL>{element}</ID_EL><TYPE_MD>{files}</TYPE_MD>{rest}</zap>")
}

/// The published form of some rows at hand, and what a later edition makes of them.
fn later_edition() -> Vec<u8> {
    let from = "<DATEBEG>01.11.2019</DATEBEG>";
    let rows = [
        // As at hand.
        zap("003F.00.0120", "ZL_LIST/ZAP/PACIENT/SMO", "CHTX", &format!("<USL_TEST>PLAT присутствует</USL_TEST>{from}")),
        // It ends; another set of files.
        zap("003F.00.0660", "ZL_LIST/ZAP/Z_SL/SL/P_CEL", "CH", &format!("<USL_TEST>USL_OK=3</USL_TEST>{from}<DATEEND>31.12.2029</DATEEND>")),
        // A new id, with what must be cleaned.
        zap("003F.00.9990", "ZL_LIST/ZAP/Z_SL/SL/DN", "H", &format!("<USL_TEST>USL_0K=3или P_CEL=1.3</USL_TEST>{from}")),
        // The dates that we inferred are published now.
        zap("002F.00.0146", "ZL_LIST/ZAP/PACIENT/SOC", "CHTX", "<VAL_EL>{000, 035, 065, 083}</VAL_EL><DATEBEG>01.04.2025</DATEBEG>"),
        // A sentence, and a mistake.
        zap("006F.00.0110", "ZL_LIST/ZGLV/SD_Z", "CHTX", &format!("<VAL_EL>Сколько случаев, столько и здесь</VAL_EL>{from}")),
        zap("006F.00.9991", "ZL_LIST/ZAP/Z_SL/SUMV", "H", &format!("<VAL_EL>SUMV=</VAL_EL>{from}")),
        zap("009F.00.0010", "ZL_LIST/ZAP/Z_SL/SUMV", "H", from),
        // A name that no format knows, a family that nobody knows, a row twice, a row without an element.
        zap("003F.00.9992", "ZL_LIST/ZAP/Z_SL/SL/DN", "H", &format!("<USL_TEST>NOTHING=1</USL_TEST>{from}")),
        zap("003F.00.9993", "ZL_LIST/ZAP/Z_SL/SL/DN", "HQ", from),
        zap("003F.00.9994", "ZL_LIST/ZAP/Z_SL/SL/DN", "H", from),
        zap("003F.00.9994", "ZL_LIST/ZAP/Z_SL/SL/DN", "HC", from),
        zap("003F.00.9995", "", "H", from),
    ];
    packet("01.02.2030", &rows.concat())
}

#[test]
fn a_later_edition_is_told_row_by_row_and_stored_as_an_overlay() {
    let importer = importer();
    let plan = importer.plan(&read_bytes(&later_edition()).expect("a packet"), by_force()).expect("a plan");
    let of = |id: &str| plan.rows.iter().find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"));
    let changes: Vec<Change> = ["003F.00.0120", "003F.00.0660", "003F.00.9990", "002F.00.0146", "006F.00.0110", "006F.00.9991", "009F.00.0010", "003F.00.0130"]
        .map(|id| of(id).change)
        .to_vec();
    use Change::{Changed, Ended, New, Same, Unexpressed};
    assert_eq!(changes, [Same, Changed, New, Changed, Unexpressed, Unexpressed, Unexpressed, Ended]);
    let why = |id: &str| plan.rows.iter().filter(|r| r.id == id).flat_map(|r| &r.why).map(|(_, w)| w.as_str()).collect::<Vec<_>>();
    assert_eq!(
        ["003F.00.9992", "003F.00.9993", "003F.00.9994", "006F.00.9991"].map(|id| why(id).join(" ")),
        ["why.compile", "why.files", "why.twice", "why.syntax"]
    );
    let fields: Vec<&str> = of("003F.00.0660").differences.iter().map(|d| d.field.as_str()).collect();
    assert_eq!(fields, ["files", "until"]);
    assert_eq!(of("003F.00.9990").repairs.iter().map(|(_, r)| r.as_str()).collect::<Vec<_>>(), ["typo", "glued"]);
    assert_eq!(Change::ALL.iter().map(|c| plan.count(*c)).sum::<usize>(), plan.rows.len());

    let folder = tempfile::tempdir().expect("a folder");
    let overlay = folder.path().join("rules");
    std::fs::create_dir_all(overlay.join("flk")).expect("a folder");
    std::fs::write(overlay.join("flk/mine.csv"), "kept\n").expect("written");
    store(&plan, &overlay).expect("stored");
    assert_eq!(std::fs::read_to_string(overlay.join("flk/mine.csv")).expect("kept"), "kept\n");
    assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside the overlay");
    let files = RuleFiles::with_overlay(&overlay);
    puomp::rules::load(&files, puomp::rules::RULE_TABLES).expect("the program starts with the overlay");
    let rows = files.rows::<puomp::rules::import::TableRow>("flk/003F.csv").expect("a table");
    let row = |id: &str| rows.iter().map(|(_, r)| r).find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"));
    assert_eq!((row("003F.00.9990").when.as_str(), row("003F.00.9990").require.as_str()), ("USL_OK = 3 OR P_CEL = 1.3", "PRESENT(DN)"));
    let of_h: Vec<&str> = rows.iter().filter(|(_, r)| r.id == "003F.00.0130").map(|(_, r)| r.until.as_str()).collect();
    assert_eq!(of_h, ["2030-01-31", "2021-12-31", "2021-07-31"], "what has ended before stays as it is");
    assert_eq!((row("003F.00.0660").files.as_str(), row("003F.00.0660").until.as_str()), ("C H", "2029-12-31"));
    assert_eq!(row("003F.00.0660").ru, rows_at_hand("flk/003F.csv", "003F.00.0660").ru, "the text stays with the formula");
    // A formula that the new edition puts in other words ends with the old one; the sentence is shown as not executed.
    let counts = files.rows::<puomp::rules::import::TableRow>("flk/006F.csv").expect("a table");
    let of_count: Vec<(&str, &str, &str)> =
        counts.iter().filter(|(_, r)| r.id == "006F.00.0110").map(|(_, r)| (r.kind.as_str(), r.from.as_str(), r.until.as_str())).collect();
    assert_eq!(of_count, [("template", "2020-04-01", "2030-01-31"), ("unread", "2030-02-01", "")]);
    // The overlay is an edition now: an older packet is refused, the same one changes nothing.
    let importer = Importer::new(&files, None).expect("the overlay's tables");
    let again = importer.plan(&read_bytes(&later_edition()).expect("a packet"), as_it_comes()).expect("a plan");
    let moved: Vec<_> = again.rows.iter().filter(|r| matches!(r.change, Changed | Ended | New)).collect();
    assert!(moved.is_empty(), "{moved:?}");
    let old = packet("31.01.2030", &zap("003F.00.0120", "ZL_LIST/ZAP/PACIENT/SMO", "CHTX", ""));
    let refused = importer.plan(&read_bytes(&old).expect("a packet"), as_it_comes());
    assert!(matches!(refused, Err(PlanError::Refused(Refusal::Older { .. }))));
    assert!(importer.plan(&read_bytes(&old).expect("a packet"), by_force()).is_ok());
}

#[test]
fn an_inferred_end_is_refuted_by_a_later_edition_alone() {
    let importer = importer();
    let from = "<DATEBEG>01.11.2019</DATEBEG>";
    let of_age = "<USL_TEST>DS1_T=0 и возраст пациента на DATE_Z_1 больше или равен 18 лет</USL_TEST>";
    let rows = [
        // Its end of June 2025 is inferred, and so is what comes then.
        zap("003F.00.0990", "ZL_LIST/ZAP/Z_SL/SL/ONK_SL/ONK_T", "CTDR", &format!("{of_age}{from}")),
        // Its ends of 2021 to 2024 are inferred.
        zap("003F.00.2170", "ZL_LIST/ZAP/PACIENT/NPOLIS", "CHTX", from),
    ]
    .concat();
    let after = |date: &str| {
        let plan = importer.plan(&read_bytes(&packet(date, &rows)).expect("a packet"), by_force()).expect("a plan");
        let folder = tempfile::tempdir().expect("a folder");
        let overlay = folder.path().join("rules");
        store(&plan, &overlay).expect("stored");
        let files = RuleFiles::with_overlay(&overlay);
        puomp::rules::load(&files, puomp::rules::RULE_TABLES).expect("the program starts with the overlay");
        let rows = files.rows::<puomp::rules::import::TableRow>("flk/003F.csv").expect("a table");
        let of = |id: &str| rows.iter().filter(|(_, r)| r.id == id).map(|(_, r)| (r.files.clone(), r.from.clone(), r.until.clone())).collect::<Vec<_>>();
        ["003F.00.0990", "003F.00.0991", "003F.00.2170", "003F.00.9050"].map(of)
    };
    let row = |files: &str, from: &str, until: &str| (files.to_owned(), from.to_owned(), until.to_owned());
    // A book of February 2025 knows nothing of July: the end and what comes then stay. The earlier ends it refutes.
    let [staging, then, policy, referral] = after("18.02.2025");
    assert_eq!(staging, [row("C T", "2019-11-01", "2025-06-30"), row("D R", "2019-11-01", "")]);
    assert_eq!(then, [row("C T", "2025-07-01", "")]);
    assert_eq!(policy, [row("C H T X", "2019-11-01", "")]);
    assert_eq!(referral, [row("C H T", "2026-01-01", "")]);
    // A book of March 2026 knows better, and ends what we inferred and it lacks.
    let [staging, then, _, referral] = after("01.03.2026");
    assert_eq!(staging, [row("C T D R", "2019-11-01", "")]);
    assert_eq!(then, [row("C T", "2025-07-01", "2026-02-28")]);
    assert_eq!(referral, [row("C H T", "2026-01-01", "2026-02-28")]);
}

fn rows_at_hand(table: &str, id: &str) -> puomp::rules::import::TableRow {
    let rows = RuleFiles::embedded().rows::<puomp::rules::import::TableRow>(table).expect("a table");
    rows.into_iter().map(|(_, r)| r).find(|r| r.id == id).unwrap_or_else(|| panic!("{id}"))
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn every_book_of_rules_can_be_taken() {
    let importer = importer();
    for name in ["Q016.xml", "Q022.xml", "Q023.xml"] {
        let path = shared("nsi").join(name);
        let plan = plan_file(&importer, &path, as_it_comes()).expect("a plan");
        say(&format!("rules_import: {}", summary(&plan)));
        assert!(plan.rows.iter().all(|r| matches!(r.change, Change::New | Change::Unexpressed)), "{name}");
        assert!(
            plan.tables
                .iter()
                .all(|(table, text)| text.is_some() && (table.starts_with("mek/") || table.starts_with("regions/") || table == "flk/editions.csv"))
        );
    }
}

/// Bytes that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound.max(1)
    }
}

#[test]
fn a_thousand_damaged_packets_break_nothing() {
    let importer = importer();
    let whole = later_edition();
    let folder = tempfile::tempdir().expect("a folder");
    let overlay = folder.path().join("rules");
    let mut dice = Dice(20_261_123);
    let (mut refused, mut taken) = (0, 0);
    for round in 0..1_000 {
        let mut bytes = whole.clone();
        for _ in 0..=dice.roll(4) {
            // Half of the damage is done to the text of rules alone: the packet stays XML.
            let inside = round % 2 == 1;
            let texts: Vec<usize> = (0..bytes.len()).filter(|i| bytes[..*i].ends_with(b"<USL_TEST>") || bytes[..*i].ends_with(b"<VAL_EL>")).collect();
            let at = if inside && !texts.is_empty() { (texts[dice.roll(texts.len())] + dice.roll(14)).min(bytes.len() - 1) } else { dice.roll(bytes.len()) };
            if inside {
                let words = ["(", ")", " и ", " или ", "{", "}", "=", "\"", "-", " отсутствует", "Т", "C00.0", " лет", "1"];
                let word = words[dice.roll(words.len())];
                // Not within a letter of two bytes.
                let at = (at..bytes.len()).find(|i| bytes[*i] & 0xC0 != 0x80).unwrap_or(bytes.len());
                bytes.splice(at..at, word.bytes());
                continue;
            }
            match dice.roll(5) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes[at] = dice.roll(256) as u8,
                2 => {
                    let end = (at + dice.roll(60)).min(bytes.len());
                    bytes.drain(at..end);
                }
                3 => {
                    let end = (at + dice.roll(60)).min(bytes.len());
                    let piece = bytes[at..end].to_vec();
                    let to = dice.roll(bytes.len());
                    bytes.splice(to..to, piece);
                }
                _ => {
                    let word = ["(", "и", "<", "{", "&#0;", "\"", "]]>", "<zap>", "-"][dice.roll(9)];
                    bytes.splice(at..at, word.bytes());
                }
            }
            if bytes.is_empty() {
                bytes.push(b'<');
            }
        }
        match read_bytes(&bytes).map_err(PlanError::Refused).and_then(|p| importer.plan(&p, if round % 3 == 0 { as_it_comes() } else { by_force() })) {
            Ok(plan) => {
                taken += 1;
                // What is taken is sound: the program starts with it, and every rule is in the language.
                if taken % 6 == 0 {
                    store(&plan, &overlay).expect("stored");
                    puomp::rules::load(&RuleFiles::with_overlay(&overlay), puomp::rules::RULE_TABLES).unwrap_or_else(|e| panic!("round {round}: {e}"));
                    std::fs::remove_dir_all(&overlay).expect("removed");
                }
                for (table, text) in plan.tables.iter().filter_map(|(table, text)| Some((table, text.as_ref()?))) {
                    for row in csv::Reader::from_reader(text.as_bytes()).into_deserialize::<puomp::rules::import::TableRow>() {
                        let Ok(row) = row else {
                            assert_eq!(table, "flk/editions.csv");
                            continue;
                        };
                        for text in [&row.when, &row.require].into_iter().filter(|_| row.kind != puomp::rules::UNREAD) {
                            assert!(text.is_empty() || puomp::rules::parse(text).is_ok(), "round {round}: {} «{text}»", row.id);
                        }
                    }
                }
            }
            Err(_) => refused += 1,
        }
        assert!(!overlay.exists(), "a plan writes nothing");
    }
    say(&format!("rules_import: 1000 damaged packets: {refused} refused, {taken} read as packets"));
    assert!(refused > 100 && taken > 100);
}
