//! What people read about a journal.

use super::book::Book;
use super::*;
use crate::tables::RuleFiles;
use crate::texts::{Lang, Texts};
use crate::values::Date;

fn texts() -> Texts {
    Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound")
}

fn verdict_of(chains: Vec<(Chain, Vec<Fault>)>) -> JournalVerdict {
    let of = |(chain, faults)| ChainVerdict { chain, verdict: Verdict { looked_at: 98, last: None, faults, more: 600 } };
    JournalVerdict { looked_at: 98, chains: chains.into_iter().map(of).collect() }
}

#[test]
fn every_fault_has_words() {
    let texts = texts();
    let day = Date::new(2026, 11, 25).expect("a day");
    let of_one = vec![
        Fault::Altered { seq: 57, at: 57 },
        Fault::Rewritten { seq: 58, at: 59 },
        Fault::Cut { from: 1, to: 4, at: 1 },
        Fault::Cut { from: 60, to: 60, at: 61 },
        Fault::Moved { from: 70, to: 72, at: 90 },
        Fault::Doubled { from: 80, to: 80, at: 82 },
        Fault::Inserted { from: 91, to: 91, at: 91 },
        Fault::Unreadable { at: 95 },
        Fault::NotAsWritten { seq: 96, at: 96 },
        Fault::HeadDiffers { seq: 97, at: 97 },
        Fault::Destroyed { at: 98 },
        Fault::TailCut { from: 1, to: 100 },
        Fault::TailCut { from: 99, to: 100 },
    ];
    let between = vec![
        (Chain::Old, vec![Fault::EndDiffers { at: 12 }, Fault::Continued { from: 9, to: 11, at: 9 }]),
        (Chain::Days, vec![Fault::DayUnreadable { seq: 3, at: 14 }, Fault::DayLate { day, at: 15 }, Fault::TooMany { at: 16 }]),
        (
            clinic("140001"),
            vec![
                Fault::Detached { seq: 1, at: 17 },
                Fault::DayTailCut { from: 1, to: 4, day, at: 14 },
                Fault::DayTailCut { from: 3, to: 4, day, at: 14 },
                Fault::DayDiffers { seq: 2, day, at: 18 },
                Fault::DayBack { seq: 2, before: 4, day, at: 15 },
            ],
        ),
        (clinic(""), vec![Fault::Altered { seq: 1, at: 30 }]),
        (clinic(&format!("14\u{1b}[31m\n{}", "0".repeat(50))), vec![Fault::Altered { seq: 1, at: 31 }]),
    ];
    let mut page = String::new();
    for lang in [Lang::Ru, Lang::En] {
        let heads =
            [HeadError::NotAHead { file: "head.json".to_owned(), reason: "EOF".to_owned() }, HeadError::Schema { file: "head.json".to_owned(), found: 9 }]
                .map(|e| texts.error(&e, lang));
        for broken in [verdict_of(vec![(clinic("140001"), of_one.clone())]), verdict_of(between.clone())] {
            page += &(broken.text(&texts, lang).join("\n") + "\n");
        }
        page += &format!("{}\n\n", heads.join("\n"));
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a_sound_journal_is_told_by_what_it_has() {
    let texts = texts();
    let told = |entries: &[Entry]| [Lang::Ru, Lang::En].map(|lang| verify(entries).text(&texts, lang).join("\n").replace('\u{a0}', " "));
    assert_eq!(told(&[]), ["в журнале ещё нет записей", "the journal has no entries yet"]);
    for entries in journals(3) {
        assert_eq!(told(&entries), ["журнал цел: 3 записи, последняя — № 3", "the journal is whole: 3 entries, the last is no. 3"]);
    }
    let mut book = Book::of(&[clinic("140001"), clinic("140001")]);
    book.day("2026-11-25");
    assert_eq!(
        told(&book.entries()),
        ["журнал цел: 2 записи, последняя — № 2; по дням — 1 запись", "the journal is whole: 2 entries, the last is no. 2; daily: 1 entry"]
    );
    book.add(&clinic("140002"));
    assert_eq!(told(&book.entries()), ["журнал цел: 4 записи, 3 цепи", "the journal is whole: 4 entries in 3 chains"]);
}

#[test]
fn a_clinic_is_named_where_there_are_several() {
    let texts = texts();
    let told = |mut entries: Vec<Entry>, mo: &str| {
        let entry = entries.iter_mut().find(|e| e.chain == clinic(mo)).expect("there");
        entry.draft.after = "paid".to_owned();
        verify(&entries).text(&texts, Lang::Ru)[0].clone()
    };
    let one = "запись № 1 (строка 1) изменена: её хеш не подходит к содержанию";
    assert_eq!(told(journal(3), "140001"), one);
    let mut book = Book::of(&[clinic("140001")]);
    book.day("2026-11-25");
    assert_eq!(told(book.entries(), "140001"), one.replace("строка 1", "строка 2"), "there is no other clinic");
    book.add(&clinic(""));
    assert_eq!(told(book.entries(), "140001"), format!("МО 140001: {}", one.replace("строка 1", "строка 3")));
    assert_eq!(told(book.entries(), ""), format!("МО без кода: {}", one.replace("строка 1", "строка 2")));
    // A clinic that is gone altogether is named, though no other is there.
    let mut book = Book::of(&[clinic("140001")]);
    book.day("2026-11-25");
    let text = verify(&book.entries()[..1]).text(&texts, Lang::Ru)[0].clone();
    assert_eq!(text, "МО 140001: записей нет, а запись за 25.11.2026 (строка 1) знает № 1");
}

#[test]
fn of_many_faults_a_thousand_are_told() {
    let chain = |n: u64| (clinic(&n.to_string()), (1..=300).map(|at| Fault::Unreadable { at }).collect());
    let verdict = verdict_of((0..5).map(chain).collect());
    let lines = verdict.text(&texts(), Lang::Ru);
    assert_eq!((lines.len(), lines[1000].as_str()), (1002, "и ещё 3\u{a0}500"));
}
