use super::*;
use crate::finding::{FileRole, Keys, RuleIx};
use crate::texts::Text;

fn rule(id: &str) -> Rule {
    let text = || Text { ru: "т".into(), en: "t".into() };
    let (element, other, same) = (Vec::new(), Vec::new(), Vec::new());
    Rule {
        id: id.into(),
        check: None,
        element,
        other,
        severity: Severity::Error,
        cause: None,
        yields: false,
        f012: "904".into(),
        text: text(),
        advice: text(),
        same,
        mends: Mends::Clinic,
    }
}

fn finding(value: &str) -> Finding {
    let keys = Keys { n_zap: Some("57".into()), idcase: Some("58".into()), ..Keys::default() };
    Finding { path: "ZL_LIST/ZAP/Z_SL/SL/PROFIL".into(), keys, value: Some(value.into()), ..Finding::of_file(RuleIx(0), FileRole::Main) }
}

const MAIN: &str = "HM140001S14002_21027.xml";
const NAMES: Names<'_> = Names { file: Some(MAIN), package: MAIN };

fn day(text: &str) -> Date {
    Date::parse(text).expect("a day")
}

fn suppression() -> Suppression {
    let reason = "письмо фонда".to_owned();
    Suppression { rule: "001F".into(), reason, until: day("2021-03-31"), file: None, element: None, idcase: None, n_zap: None }
}

fn suppressed(suppression: Suppression, today: &str) -> Verdict {
    Policy::new(vec![], vec![], vec![], vec![suppression], day(today)).judge(&finding("999"), &rule("001F.00.0270"), NAMES)
}

#[test]
fn the_longer_prefix_decides_and_a_tie_ignores() {
    let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
    let cases: &[(&[&str], &[&str], &str, bool)] = &[
        (&[], &[], "S001", true),
        (&["006F"], &[], "S001", false),
        (&["006F"], &[], "006F.00.0400", true),
        (&[], &["006F"], "006F.00.0400", false),
        (&["006F.00.0400"], &["006F"], "006F.00.0400", true),
        (&["006F"], &["006F.00.0400"], "006F.00.0400", false),
        (&["006F"], &["006F"], "006F.00.0400", false),
    ];
    for (select, ignore, id, runs) in cases {
        let control = Policy::new(list(select), list(ignore), vec![], vec![], day("2021-02-01"));
        assert_eq!(control.runs(id), *runs, "{select:?} {ignore:?} {id}");
        assert_eq!(control.judge(&finding("1"), &rule(id), NAMES) == Verdict::Keep, *runs);
        assert_eq!(control.is_in_force(), !(select.is_empty() && ignore.is_empty()));
    }
}

#[test]
fn levels_by_the_longest_prefix_then_by_the_last() {
    let levels = [("006F", Level::Off), ("006F.00.0400", Level::As(Severity::Info)), ("S", Level::As(Severity::Info)), ("S", Level::As(Severity::Warning))];
    let control = Policy::new(vec![], vec![], levels.map(|(p, l)| (p.to_owned(), l)).into(), vec![], day("2021-02-01"));
    assert!(!control.runs("006F.00.0310"));
    assert!(control.runs("006F.00.0400"));
    assert_eq!(control.severity("006F.00.0400", Severity::Error), Severity::Info);
    assert_eq!(control.severity("S001", Severity::Error), Severity::Warning);
    assert_eq!(control.severity("001F.00.0270", Severity::Error), Severity::Error);
}

#[test]
fn a_suppression_holds_through_its_last_day() {
    assert_eq!(suppressed(suppression(), "2021-03-31"), Verdict::Suppressed);
    assert_eq!(suppressed(suppression(), "2021-04-01"), Verdict::Keep);
    let control = Policy::new(vec![], vec![], vec![], vec![suppression()], day("2021-04-01"));
    assert_eq!(control.expired().len(), 1);
    assert!(!control.is_in_force());
}

#[test]
fn a_suppression_is_narrowed() {
    let text = |t: &str| Some(t.to_owned());
    let glob = |p: &str| Some(Pattern::new(p).expect("a pattern"));
    let cases = [
        (Suppression { rule: "006F".into(), ..suppression() }, Verdict::Keep),
        (Suppression { file: glob("hm140001*.XML"), ..suppression() }, Verdict::Suppressed),
        (Suppression { file: glob("LM*"), ..suppression() }, Verdict::Keep),
        (Suppression { element: text("PROFIL"), ..suppression() }, Verdict::Suppressed),
        (Suppression { element: text("ZL_LIST/ZAP/Z_SL/SL/PROFIL"), ..suppression() }, Verdict::Suppressed),
        (Suppression { element: text("SL"), ..suppression() }, Verdict::Keep),
        (Suppression { idcase: text("58"), n_zap: text("57"), ..suppression() }, Verdict::Suppressed),
        (Suppression { idcase: text("57"), ..suppression() }, Verdict::Keep),
        (Suppression { n_zap: text("58"), ..suppression() }, Verdict::Keep),
    ];
    for (suppression, verdict) in cases {
        assert_eq!(suppressed(suppression.clone(), "2021-02-01"), verdict, "{suppression:?}");
    }
}

#[test]
fn a_baseline_goes_to_a_file_and_back_and_hides_by_multiplicity() {
    let rule = rule("001F.00.0270");
    let mut baseline = Baseline::default();
    baseline.add(&finding("999"), &rule, MAIN);
    baseline.add(&finding("999"), &rule, MAIN);
    baseline.add(&finding("998"), &rule, MAIN);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("было.txt");
    baseline.write(&path).expect("written");
    let read = Baseline::parse(&std::fs::read_to_string(&path).expect("read")).expect("of the shape");
    assert_eq!((&read, read.len()), (&baseline, 3));
    let control = Policy::default().with_baseline(read);
    // The next packet of the month; the finding is elsewhere in the file.
    let names = Names { package: "hm140001s14002_21028.XML", ..NAMES };
    let mut moved = finding("999");
    moved.place.line = 5;
    let verdicts = [0; 3].map(|_| control.judge(&moved, &rule, names));
    assert_eq!(verdicts, [Verdict::Baseline, Verdict::Baseline, Verdict::Keep]);
    assert_eq!(control.judge(&finding("997"), &rule, names), Verdict::Keep, "the value changed");
    assert_eq!(control.judge(&finding("998"), &rule, Names { package: "HM140001S14002_21037.xml", ..NAMES }), Verdict::Keep, "another month");
    assert_eq!(control.gone(), Some(1));
    assert_eq!(Policy::default().gone(), None);
}

#[test]
fn an_absent_value_is_not_an_empty_one() {
    let rule = rule("S001");
    let none = Finding { value: None, ..finding("") };
    assert_ne!(Fingerprint::of(&none, &rule, MAIN), Fingerprint::of(&finding(""), &rule, MAIN));
}

#[test]
fn nothing_personal_goes_into_a_fingerprint() {
    let rule = rule("S001");
    let personal = |value: &str| Finding { personal: true, ..finding(value) };
    let print = |finding: &Finding| Fingerprint::of(finding, &rule, MAIN);
    assert_eq!(print(&personal("112-233-445 95")), print(&personal("112-233-445 95").masked()));
    assert_ne!(print(&personal("998-1")), print(&finding("998-1")));
    // A number of a person is masked in any place, so it gives the same fingerprint there.
    assert_eq!(print(&personal("112-233-445 95")), print(&finding("112-233-445 95")));
}

#[test]
fn a_damaged_baseline_names_its_line() {
    let (a, b) = ("0".repeat(32), "f".repeat(32));
    let file = |body: &str| Baseline::parse(&format!("{HEADER}\n{body}"));
    assert!(file("").expect("empty").is_empty());
    assert!(file(&format!("{a} 1\n{b} 2\n")).is_ok());
    assert_eq!(Baseline::parse(""), Err(1));
    assert_eq!(Baseline::parse("puomp baseline 2\n"), Err(1));
    for (body, line) in [
        (format!("{a}\n"), 2),
        (format!("{a} 0\n"), 2),
        (format!("{a} 1\n{b} x\n"), 3),
        (format!("{b} 1\n{a} 1\n"), 3),
        (format!("{a} 1\n{a} 1\n"), 3),
        (format!("{} 1\n", "F".repeat(32)), 2),
        (format!("{a} 99999999999\n"), 2),
    ] {
        assert_eq!(file(&body), Err(line), "{body}");
    }
}
