//! Invented packages: clean in every edition, numbers with right check digits, and people who come again in the next month.

use std::collections::{BTreeMap, BTreeSet};

use puomp::flk::Verdict;
use puomp::generate::{Generator, Options, Packing};
use puomp::registry::encoding::Encoding;
use puomp::registry::format::{Family, Formats, PERSONS};
use puomp::rules::{RULE_TABLES, load};
use puomp::tables::RuleFiles;
use puomp::values::{Date, Month};

use crate::samples::judged;

/// Every kind of file with a person file: letters, family, and the months in which an edition of it or a rule begins or ends, and those beside.
pub(crate) fn kinds(formats: &Formats) -> Vec<(String, Family, Month)> {
    let mut kinds = Vec::new();
    let rules = border_months();
    for family in formats.families().filter(|f| *f != PERSONS && formats.has_persons(*f)) {
        let of_editions = formats.editions(family).iter().flat_map(|f| [f.edition.from, f.edition.until]).flatten();
        let known = |month: &Month| formats.editions(family).iter().any(|f| f.edition.in_force(*month));
        let months: BTreeSet<Month> = of_editions.chain(rules.iter().copied()).filter(known).collect();
        for month in months {
            let in_force = formats.prefixes().iter().filter(|p| p.from.is_none_or(|f| f <= month) && p.until.is_none_or(|u| month <= u));
            kinds.extend(in_force.filter(|p| p.family == family).map(|p| (p.letters.clone(), family, month)));
        }
    }
    kinds
}

/// The months on both sides of every day on which a rule begins or ends.
fn border_months() -> BTreeSet<Month> {
    let month = |day: Date| Month::new(day.parts().0, day.parts().1).expect("a month");
    let rows = load(&RuleFiles::embedded(), RULE_TABLES).expect("sound");
    let days = rows.iter().flat_map(|row| [row.from, row.until.map(Date::day_after)]).flatten();
    days.flat_map(|day| [month(day.day_before()), month(day), month(day).next()]).collect()
}

/// Texts of the main file and the person file.
fn texts(options: &Options) -> (String, String) {
    let files = RuleFiles::embedded();
    let formats = Formats::load(&files).expect("sound");
    let generator = Generator::new(&files, &formats, options).expect("known");
    let (mut main, mut persons) = (Vec::new(), Vec::new());
    generator.write_main(&mut main, &mut |_| Ok(())).expect("written");
    generator.write_persons(&mut persons, &mut |_| Ok(())).expect("written");
    (String::from_utf8(main).expect("UTF-8"), String::from_utf8(persons).expect("UTF-8"))
}

fn options(letters: &str, family: Family, period: Month, cases: u64, seed: u64) -> Options {
    Options { letters: Some(letters.to_owned()), encoding: Encoding::Utf8, ..Options::new(family, period, cases, seed) }
}

fn values<'t>(text: &'t str, element: &str) -> Vec<&'t str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    text.split(&open).skip(1).map(|rest| rest.split_once(&close).expect("closed").0).collect()
}

#[test]
fn every_kind_of_file_is_clean_in_every_edition() {
    let files = RuleFiles::embedded();
    let formats = Formats::load(&files).expect("sound");
    let folder = tempfile::tempdir().expect("a folder");
    let kinds = kinds(&formats);
    assert!(kinds.len() > 100, "{}", kinds.len());
    for (letters, family, month) in &kinds {
        let options = Options { encoding: Encoding::Windows1251, ..options(letters, *family, *month, 25, 11) };
        let generator = Generator::new(&files, &formats, &options).expect("known");
        generator.write_into(&folder.path().join(format!("{letters} {month}")), Packing::Zip).expect("written");
    }
    let judged = judged(folder.path());
    assert_eq!(judged.len(), kinds.len());
    for (verdict, rules) in judged {
        assert_eq!((verdict, rules), (Verdict::Clean, BTreeSet::new()));
    }
}

/// The algorithm of Luhn, by the table of doubled digits.
fn is_right_enp(text: &str) -> bool {
    const DOUBLED: [u32; 10] = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let digits: Vec<u32> = text.chars().map(|c| c.to_digit(10).expect("a digit")).collect();
    let sum: u32 = digits.chunks(2).map(|pair| DOUBLED[pair[0] as usize] + pair[1]).sum();
    digits.len() == 16 && sum.is_multiple_of(10)
}

/// The check of the Pension Fund: 101 and less are compared as they are, where 100 and 101 are 00.
fn is_right_snils(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let mut sum = 0;
    for (place, digit) in digits[..9].iter().enumerate() {
        sum += digit * (9 - place as u32);
    }
    while sum > 101 {
        sum -= 101;
    }
    let check = if sum > 99 { 0 } else { sum };
    digits.len() == 11 && digits[9] * 10 + digits[10] == check
}

#[test]
fn the_checks_of_this_test_know_right_from_wrong() {
    // 112-233-445 95 is the example of the Pension Fund, 4111… one that every bank knows.
    assert!(is_right_snils("112-233-445 95") && is_right_snils("08765430300") && !is_right_snils("112-233-454 95"));
    assert!(is_right_enp("4111111111111111") && !is_right_enp("4111111111111112") && !is_right_enp("1411111111111111"));
}

#[test]
fn every_enp_and_snils_has_its_check_digits() {
    let formats = Formats::load(&RuleFiles::embedded()).expect("sound");
    let (mut policies, mut people, mut doctors) = (0, 0, 0);
    for (letters, family, month) in kinds(&formats).into_iter().step_by(3) {
        let (main, persons) = texts(&options(&letters, family, month, 60, 5));
        let numbers = ["NPOLIS", "ENP"].into_iter().flat_map(|element| values(&main, element)).filter(|n| n.len() == 16);
        for number in numbers {
            assert!(is_right_enp(number) && number.starts_with("9999"), "{letters} {month}: {number}");
            policies += 1;
        }
        for number in values(&persons, "SNILS") {
            assert!(is_right_snils(number) && number.starts_with("000-"), "{letters} {month}: {number}");
            people += 1;
        }
        for number in ["IDDOKT", "CODE_MD", "NAZ_IDDOKT"].into_iter().flat_map(|element| values(&main, element)) {
            assert!(is_right_snils(number) && number.starts_with("000"), "{letters} {month}: {number}");
            doctors += 1;
        }
    }
    assert!(policies > 1_000 && people > 500 && doctors > 1_000, "{policies} {people} {doctors}");
}

/// ID_PAC, and all that the person file says.
fn people(letters: &str, month: &str, seed: u64, clinic: &str) -> BTreeMap<String, String> {
    let family = Family(letters.chars().next().expect("a letter"));
    let options = Options { clinic: Some(clinic.to_owned()), ..options(letters, family, month.parse().expect("a month"), 1_000, seed) };
    let (_, persons) = texts(&options);
    values(&persons, "PERS").into_iter().map(|person| (values(person, "ID_PAC")[0].to_owned(), person.to_owned())).collect()
}

fn shared<'p>(a: &'p BTreeMap<String, String>, b: &BTreeMap<String, String>) -> Vec<&'p String> {
    a.keys().filter(|id| b.contains_key(*id)).collect()
}

#[test]
fn people_come_again_in_the_next_month() {
    for (letters, first, second) in [("H", "2021-02", "2021-03"), ("H", "2021-12", "2022-01"), ("C", "2025-06", "2025-07"), ("DF", "2021-07", "2021-08")] {
        let (before, after) = (people(letters, first, 1, "140001"), people(letters, second, 1, "140001"));
        let same = shared(&before, &after);
        assert!(same.len() * 100 >= before.len() * 93, "{letters} {first}: {} of {}", same.len(), before.len());
        for id in same {
            assert_eq!(before[id], after[id], "the person file says the same of a person");
        }
        for (what, others) in [("another seed", people(letters, first, 2, "140001")), ("another clinic", people(letters, first, 1, "140002"))] {
            assert_eq!(shared(&before, &others), Vec::<&String>::new(), "{letters} {first}: {what}");
        }
    }
    // Families share people: cancer is a matter of the same grown people and children.
    let (all, cancer) = (people("H", "2021-02", 1, "140001"), people("C", "2021-02", 1, "140001"));
    assert!(shared(&cancer, &all).len() * 100 >= cancer.len() * 90);
}

#[test]
fn nobody_has_the_policy_or_the_card_of_another() {
    let (mut policies, mut cards) = (BTreeMap::new(), BTreeSet::new());
    for clinic in ["140001", "140002"] {
        for (letters, month, seed) in
            [("H", "2021-02", 1), ("H", "2021-03", 1), ("C", "2021-03", 1), ("DP", "2021-03", 1), ("DF", "2021-03", 1), ("H", "2021-03", 2)]
        {
            let family = Family(letters.chars().next().expect("a letter"));
            let options = options(letters, family, month.parse().expect("a month"), 500, seed);
            let (main, persons) = texts(&Options { clinic: Some(clinic.to_owned()), ..options });
            for person in values(&persons, "PERS") {
                for number in values(person, "SNILS") {
                    let key = format!("{clinic} {seed} {number}");
                    let id = values(person, "ID_PAC")[0];
                    assert_eq!(policies.entry(key).or_insert_with(|| id.to_owned()), id, "{number}");
                }
            }
            for record in values(&main, "ZAP") {
                let (person, policy) = (values(record, "ID_PAC")[0], values(record, "NPOLIS")[0]);
                let owner = policies.entry(policy.to_owned()).or_insert_with(|| person.to_owned());
                assert_eq!(owner, person, "{policy}");
            }
            for number in values(&main, "NHISTORY") {
                assert!(cards.insert((clinic, seed, number.to_owned())) || main.matches(&format!(">{number}<")).count() > 1, "{number}");
            }
        }
    }
}
