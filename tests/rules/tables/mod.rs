//! The tables of `rules/flk/`: sound by themselves, and row by row against the checks that they were made from.

mod compile;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use puomp::registry::format::mask::Mask;
use puomp::rules::ast::{Arg, Call, Expr, Set, Term};
use puomp::rules::parse;
use puomp::tables::RuleFiles;
use serde::Deserialize;

use crate::support::needs::shared;
use crate::support::say::say;

const CATEGORIES: [&str; 6] = ["001F", "002F", "003F", "004F", "005F", "006F"];

#[derive(Deserialize)]
struct RuleRow {
    id: String,
    files: String,
    element: String,
    when: String,
    require: String,
    kind: String,
    from: String,
    until: String,
    inferred: String,
    severity: String,
    twin: String,
    note_ru: String,
    note_en: String,
    ru: String,
    en: String,
    advice_ru: String,
    advice_en: String,
    source: String,
}

impl RuleRow {
    fn families(&self) -> Vec<&str> {
        self.files.split(' ').collect()
    }

    /// Open ends compare as the ends of time.
    fn term(&self) -> (&str, &str) {
        (&self.from, if self.until.is_empty() { "9999-12-31" } else { &self.until })
    }
}

#[derive(Deserialize)]
struct Named {
    id: String,
}

fn rows() -> Vec<(String, u64, RuleRow)> {
    let files = RuleFiles::embedded();
    CATEGORIES
        .iter()
        .flat_map(|c| {
            let table = format!("flk/{c}.csv");
            files.rows::<RuleRow>(&table).expect("the table reads").into_iter().map(move |(line, row)| (table.clone(), line, row))
        })
        .collect()
}

fn ids(table: &str) -> BTreeSet<String> {
    RuleFiles::embedded().rows::<Named>(table).expect("the table reads").into_iter().map(|(_, n)| n.id).collect()
}

#[test]
fn every_row_is_sound() {
    let (inferred, charsets, lists) = (ids("flk/inferred.csv"), ids("formats/charsets.csv"), ids("flk/lists.csv"));
    let mut wrong = String::new();
    let mut used = BTreeSet::new();
    let mut last = (String::new(), String::new());
    for (table, line, row) in rows() {
        let mut complain = |text: &str| writeln!(wrong, "{table}:{line} {}: {text}", row.id).expect("a string takes it");
        if !row.id.starts_with(&table["flk/".len()..table.len() - ".csv".len()]) {
            complain("in the wrong table");
        }
        let place = (row.id.clone(), row.from.clone());
        if place < last {
            complain("out of order");
        }
        last = place;
        for (name, text) in [("when", &row.when), ("require", &row.require)] {
            if text.is_empty() {
                continue;
            }
            match parse(text) {
                Err(e) => complain(&format!("{name}: {e}")),
                Ok(expr) => {
                    if expr.to_string() != *text {
                        complain(&format!("{name} is spelt «{expr}»"));
                    }
                    walk(&expr, &mut |part| match part {
                        Part::Call(call) if call.name == "CHARSET" || call.name == "MASK" => {
                            let Some(Arg::Term(Term::Text(text))) = call.args.get(1) else { return };
                            if call.name == "CHARSET" && !charsets.contains(text) {
                                complain(&format!("no character set «{text}»"));
                            }
                            if call.name == "MASK"
                                && let Err(e) = Mask::compile(text)
                            {
                                complain(&format!("mask «{text}»: {e}"));
                            }
                        }
                        Part::List(list) if list.ends_with("_LIST") && !lists.contains(list) => complain(&format!("no list «{list}»")),
                        _ => {}
                    });
                }
            }
        }
        if row.require.is_empty() != (row.kind == "prose") {
            complain("a requirement is due, unless the row is prose");
        }
        if !["core", "builtin", "template", "external", "expert", "prose"].contains(&row.kind.as_str()) {
            complain("unknown kind");
        }
        if !["error", "warning"].contains(&row.severity.as_str()) {
            complain("unknown severity");
        }
        if (row.severity == "warning" && row.note_ru.is_empty()) || row.note_ru.is_empty() != row.note_en.is_empty() {
            complain("a note is missing");
        }
        for (name, text) in [("ru", &row.ru), ("en", &row.en), ("advice_ru", &row.advice_ru), ("advice_en", &row.advice_en), ("source", &row.source)] {
            if text.trim().is_empty() || text.trim() != text {
                complain(&format!("{name} is empty or has loose spaces"));
            }
        }
        if row.ru.contains("{value}") != row.en.contains("{value}") {
            complain("the slots of ru and en differ");
        }
        if !row.inferred.is_empty() {
            used.insert(row.inferred.clone());
            if !inferred.contains(&row.inferred) {
                complain("unknown reason of the dates");
            }
        }
        for date in [&row.from, &row.until] {
            let shape = date.len() == 10 && date.bytes().enumerate().all(|(i, b)| if i == 4 || i == 7 { b == b'-' } else { b.is_ascii_digit() });
            if !date.is_empty() && !shape {
                complain("a date is not YYYY-MM-DD");
            }
        }
        if row.term().0 > row.term().1 {
            complain("ends before it begins");
        }
        if row.families().iter().any(|f| !["C", "H", "T", "X", "L", "D", "R", "A"].contains(f)) {
            complain("unknown file letter");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // The importer gives this one to rules that a newer edition no longer has.
    used.insert("edition".to_owned());
    assert_eq!(used, inferred, "reasons that no row names");
}

#[test]
fn rows_of_one_id_never_overlap() {
    let rows = rows();
    for (_, line, a) in &rows {
        for (table, other, b) in rows.iter().filter(|(_, l, b)| b.id == a.id && l > line) {
            let files = a.families().iter().any(|f| b.families().contains(f));
            let dates = a.term().0 <= b.term().1 && b.term().0 <= a.term().1;
            assert!(!(files && dates), "{table}:{line} and {other}: {} twice for one file on one day", a.id);
        }
    }
}

#[derive(Deserialize)]
struct Decision {
    id: String,
    files: String,
    until: String,
    about: String,
    now: String,
    ru: String,
    en: String,
}

fn decisions() -> Vec<Decision> {
    RuleFiles::embedded().rows::<Decision>("flk/decisions.csv").expect("the table reads").into_iter().map(|(_, d)| d).collect()
}

/// A row that ends has a successor that speaks of each of its files on the next day, or a reason.
#[test]
fn every_end_is_decided() {
    let (rows, decisions, checks) = (rows(), decisions(), ids("structure.csv"));
    let mut wrong = String::new();
    for (table, line, row) in rows.iter().filter(|(_, _, r)| !r.until.is_empty()) {
        let own: Vec<&Decision> = decisions.iter().filter(|d| d.about == "ended" && (&d.id, &d.files, &d.until) == (&row.id, &row.files, &row.until)).collect();
        let [decision] = own.as_slice() else {
            writeln!(wrong, "{table}:{line} {} until {}: {} decisions", row.id, row.until, own.len()).expect("a string takes it");
            continue;
        };
        let goes_on = |file: &str, id: &str| {
            let next = |r: &RuleRow| r.from.as_str() <= day_after(&row.until).as_str() && row.until.as_str() < r.term().1;
            checks.contains(id) || rows.iter().any(|(_, _, r)| r.id == id && r.families().contains(&file) && next(r))
        };
        let ends_for = |file: &&str| !decision.now.split(' ').any(|id| goes_on(file, id));
        let without: Vec<&str> = row.families().into_iter().filter(ends_for).collect();
        if !without.is_empty() && decision.ru.is_empty() {
            writeln!(wrong, "{table}:{line} {} until {}: nothing goes on in {without:?}, and no reason is given", row.id, row.until)
                .expect("a string takes it");
        }
    }
    for decision in &decisions {
        let ends = |r: &RuleRow| (&decision.id, &decision.files, &decision.until) == (&r.id, &r.files, &r.until);
        let known = match decision.about.as_str() {
            "ended" => rows.iter().any(|(_, _, r)| ends(r)),
            "differs" => rows.iter().any(|(_, _, r)| r.id == decision.id),
            about => about == "find",
        };
        let names = decision.now.split_whitespace().all(|id| checks.contains(id) || rows.iter().any(|(_, _, r)| r.id == id));
        let told = decision.ru.is_empty() == decision.en.is_empty() && (decision.about == "ended" || !decision.ru.is_empty());
        if !known || !names || !told {
            writeln!(wrong, "decisions.csv {} {}: stands for nothing, names nothing, or says nothing", decision.id, decision.until).expect("a string takes it");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

fn day_after(day: &str) -> String {
    puomp::values::Date::parse(day).expect("a day").day_after().to_string()
}

/// What is inferred with little confidence is a warning, and names its witnesses.
#[test]
fn what_is_not_sure_is_a_warning() {
    #[derive(Deserialize)]
    struct Reason {
        id: String,
        confidence: String,
    }
    let reasons = RuleFiles::embedded().rows::<Reason>("flk/inferred.csv").expect("the table reads");
    let confidence: BTreeMap<String, String> = reasons.into_iter().map(|(_, r)| (r.id, r.confidence)).collect();
    for (table, line, row) in rows() {
        let low = confidence.get(&row.inferred).is_some_and(|c| c == "low");
        // Of a rule that is known by its code alone nothing runs.
        assert!(!low || row.severity == "warning" || row.kind == "prose", "{table}:{line} {}: low confidence is a warning", row.id);
        let of_the_book = row.source.starts_with("Q015");
        assert!(of_the_book || row.source.split("; ").all(|w| w.contains('/') && w.ends_with(|c: char| c.is_ascii_digit())), "{table}:{line}: {}", row.source);
        assert!(of_the_book || !row.inferred.is_empty(), "{table}:{line} {}: a row that no book has is inferred", row.id);
    }
}

/// The facts about the rows that ended and about a program of 2026: each is decided.
#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_facts_of_today_are_decided() {
    #[derive(Deserialize)]
    struct Stated {
        id: String,
        files: String,
        element: String,
        until: String,
        #[serde(default)]
        agrees: String,
    }
    let read = |name: &str| -> Vec<Stated> {
        csv::Reader::from_path(shared(name)).expect("a table").into_deserialize().collect::<Result<_, _>>().expect("sound rows")
    };
    let (rows, decisions) = (rows(), decisions());
    let of_book = |f: &Stated| f.id.len() == 12 && !f.id.starts_with('(');
    let ended = read("domain/ended-rules.csv");
    let lost: BTreeSet<&str> = ended.iter().filter(|f| of_book(f) && !decisions.iter().any(|d| d.id == f.id)).map(|f| f.id.as_str()).collect();
    assert!(lost.iter().all(|id| rows.iter().any(|(_, _, r)| r.id == *id && r.until.is_empty())), "an ended row is neither decided nor open again: {lost:?}");
    // A find became a row of its element, or has its reason.
    let finds: Vec<&Stated> = ended.iter().filter(|f| !of_book(f)).collect();
    for find in &finds {
        let name = find.element.rsplit('/').next().expect("a name");
        let decided = decisions.iter().any(|d| d.id == name || find.id.contains(&d.id));
        assert!(decided || rows.iter().any(|(_, _, r)| r.element == find.element && !r.inferred.is_empty()), "{} {} {}", find.id, find.files, find.until);
    }
    let today = read("domain/current-rules.csv");
    let differs: Vec<&Stated> = today.iter().filter(|f| f.agrees != "same").collect();
    for fact in &differs {
        assert!(decisions.iter().any(|d| d.about == "differs" && d.id == fact.id), "{}: a difference that nobody decided", fact.id);
    }
    let count = |about: &str, with: bool| decisions.iter().filter(|d| d.about == about && d.now.is_empty() != with).count();
    say(&format!(
        "rules_today: {} ends with a successor, {} with a reason; {} facts of today: {} agree, {} differ and are decided ({} with another row, {} as before); {} finds",
        count("ended", true),
        count("ended", false),
        today.len(),
        today.len() - differs.len(),
        differs.len(),
        count("differs", true),
        count("differs", false),
        finds.len()
    ));
}

enum Part<'a> {
    Call(&'a Call),
    List(&'a str),
}

fn walk<'a>(expr: &'a Expr, see: &mut impl FnMut(Part<'a>)) {
    match expr {
        Expr::And(parts) | Expr::Or(parts) => parts.iter().for_each(|p| walk(p, see)),
        Expr::Not(inner) => walk(inner, see),
        Expr::Quantified { condition, .. } => walk(condition, see),
        Expr::Call(call) => walk_call(call, see),
        Expr::Compare(_, left, right) => [left, right].into_iter().for_each(|t| walk_term(t, see)),
        Expr::In { term, set, .. } => {
            walk_term(term, see);
            if let Set::Named(name) = set {
                see(Part::List(&name.name));
            }
        }
        Expr::Like(term, _) => walk_term(term, see),
        Expr::Present(_) | Expr::Absent(_) => {}
    }
}

fn walk_term<'a>(term: &'a Term, see: &mut impl FnMut(Part<'a>)) {
    match term {
        Term::Call(call) => walk_call(call, see),
        Term::Arithmetic(_, left, right) => [left, right].into_iter().for_each(|t| walk_term(t, see)),
        Term::Ref(_) | Term::Number(_) | Term::Text(_) => {}
    }
}

fn walk_call<'a>(call: &'a Call, see: &mut impl FnMut(Part<'a>)) {
    see(Part::Call(call));
    for arg in &call.args {
        match arg {
            Arg::Term(term) | Arg::Field(_, term) => walk_term(term, see),
            Arg::Where(_, condition) => walk(condition, see),
        }
    }
}

#[derive(Deserialize)]
struct Fact {
    id_test: String,
    set: String,
    file_types: String,
    element: String,
    cond_norm: String,
    req_norm: String,
    exec_class: String,
    date_from: String,
    date_to: String,
    twin_id: String,
}

/// Where our text departs from the checks on purpose: id, column.
const DEPARTURES: &[(&str, &str)] = &[
    // Inter-fund files have no PERS: the person stands in PACIENT.
    ("003F.00.0470", "when"),
    // Zero is a number there; as a text it never equals `0.00`.
    ("002F.00.0470", "require"),
    // The template of the newborn mark is one function.
    ("002F.00.0130", "require"),
    // The column `files` says it, and the reporting period, which the dates of accounts leave open.
    ("002F.00.0012", "when"),
    ("002F.00.0013", "when"),
    // Only rows of M002 with TNM 8 count.
    ("003F.00.0971", "when"),
    ("003F.00.0972", "when"),
    ("003F.00.0981", "when"),
    ("003F.00.0982", "when"),
    ("003F.00.0991", "when"),
    ("003F.00.0992", "when"),
    ("003F.00.1001", "when"),
    ("003F.00.1002", "when"),
    ("003F.00.1011", "when"),
    ("003F.00.1012", "when"),
];

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn rows_say_what_the_checks_say() {
    let path = shared("domain/checks.csv");
    let facts: Vec<Fact> = csv::Reader::from_path(&path).expect("a table").into_deserialize().collect::<Result<_, _>>().expect("sound rows");
    let mut ours: BTreeMap<String, Vec<RuleRow>> = BTreeMap::new();
    for (_, _, row) in rows() {
        ours.entry(row.id.clone()).or_default().push(row);
    }
    let mut wrong = String::new();
    let (mut compared, mut split, mut inferred, mut departures) = (0, 0, 0, BTreeSet::new());
    for fact in facts.iter().filter(|f| f.set == "Q015" || f.set == "later") {
        let Some(rows) = ours.remove(&fact.id_test) else {
            writeln!(wrong, "we lack {}", fact.id_test).expect("a string takes it");
            continue;
        };
        compared += 1;
        split += usize::from(rows.len() > 1);
        inferred += rows.iter().filter(|r| !r.inferred.is_empty()).count();
        let mut complain = |text: String| writeln!(wrong, "{}: {text}", fact.id_test).expect("a string takes it");
        let published = fact.set == "Q015";
        // What came after the book stands under the same id.
        let rows: Vec<RuleRow> = rows.into_iter().filter(|r| !published || r.source.starts_with("Q015")).collect();
        for row in &rows {
            if (&row.element, &row.kind, &row.twin) != (&fact.element, &fact.exec_class, &fact.twin_id) {
                complain(format!("{} {} {}", row.element, row.kind, row.twin));
            }
            for (column, mine, theirs) in [("when", &row.when, clean(&fact.cond_norm)), ("require", &row.require, clean(&fact.req_norm))] {
                // Masks, lookups of the later rows and quotes are spelt our own way.
                let own_spelling = column == "require" && (fact.id_test.starts_with("004F") || !published);
                if *mine != theirs && !own_spelling {
                    if DEPARTURES.contains(&(&fact.id_test, column)) {
                        departures.insert((fact.id_test.clone(), column));
                    } else {
                        complain(format!("{column} is «{mine}», by the checks «{theirs}»"));
                    }
                }
            }
            let dates = row.from == fact.date_from && row.until == fact.date_to;
            let kept = row.from == fact.date_from && (fact.date_to.is_empty() || row.until == fact.date_to);
            if published && !(if row.inferred.is_empty() { dates } else { kept }) {
                complain(format!("{}..{}, by the checks {}..{}", row.from, row.until, fact.date_from, fact.date_to));
            }
            if !published && row.inferred.is_empty() {
                complain("the dates of a later row are inferred".to_owned());
            }
        }
        if published {
            let mut files: Vec<&str> = rows.iter().flat_map(RuleRow::families).collect();
            let mut theirs: Vec<&str> = fact.file_types.split(',').collect();
            files.sort_unstable();
            theirs.sort_unstable();
            if files != theirs {
                complain(format!("files {files:?}, by the checks {theirs:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // Numbers that are not known, and one that was inferred.
    ours.retain(|id, _| !id.contains(".9") && id != "001F.00.0191");
    assert!(ours.is_empty(), "ids that the checks lack: {:?}", ours.keys());
    assert_eq!(departures.len(), DEPARTURES.len(), "a departure that is none any more");
    assert_eq!(compared, 865);
    say(&format!(
        "rules_tables: {compared} ids compared, {split} of them with rows of their own by family, {inferred} rows with inferred dates, {} departures with a reason",
        departures.len()
    ));
}

/// The normal form of the checks in the spelling of our tables.
fn clean(text: &str) -> String {
    let mut text = text.to_owned();
    for (theirs, ours) in [
        ("октябрь 2019", "2019-10"),
        ("ноябрь 2019", "2019-11"),
        ("январь 2025", "2025-01"),
        ("июль 2025", "2025-07"),
        ("BOOK(O002.TER+KOD1+KOD2+KOD3)", "BOOK(O002.TER + KOD1 + KOD2 + KOD3)"),
        ("BOOK(M001)", "BOOK(M001.MKB_CODE)"),
        ("BOOK(V001)", "BOOK(V001.S_CODE)"),
    ] {
        text = text.replace(theirs, ours);
    }
    match text.is_empty() {
        true => text,
        // One spelling: brackets and spaces of the checks do not count.
        false => parse(&text).map_or(text, |e| e.to_string()),
    }
}
