//! Heads that were exported, and journals compared with them.

use std::collections::BTreeSet;

use super::book::Book;
use super::*;

#[test]
fn a_cut_tail_is_noticed_against_the_head_and_only_against_it() {
    let entries = journal(LONG);
    let head = JournalHead::of(&entries, "2026-11-25T12:00:00Z");
    for left in 0..entries.len() {
        assert_eq!(faults(&entries[..left]), []);
        assert_eq!(faults_against(&entries[..left], &head), [Fault::TailCut { from: at(left), to: LONG }]);
    }
    // A head stays valid when the journal grows.
    let early = JournalHead::of(&entries[400..401], "");
    assert!(verify_against(&entries, &early).is_sound());
    assert!(verify_against(&entries[..401], &early).is_sound());
    assert_eq!(faults_against(&entries[..400], &early), [Fault::TailCut { from: 401, to: 401 }]);
}

const AT: &str = "2026-11-25T12:00:00Z";

#[test]
fn a_head_goes_out_and_comes_back() {
    let odd = Book::of(&[Chain::Old, Chain::Days, clinic(""), clinic("\"б\n"), clinic("140001")]);
    for entries in [Vec::new(), journal(3), Book::migrated().entries(), odd.entries()] {
        let head = JournalHead::of(&entries, AT);
        assert_eq!(head.heads.len(), entries.iter().map(|e| &e.chain).collect::<BTreeSet<_>>().len());
        let text = head.export();
        assert_eq!(JournalHead::import("head.json", text.as_bytes()), Ok(head.clone()));
        // The order in which heads are given or entries stand does not matter.
        let turned: Vec<Entry> = entries.iter().rev().cloned().collect();
        assert_eq!(JournalHead::of(&turned, AT).export(), text);
        assert_eq!(JournalHead::new(head.heads.iter().rev().cloned().collect(), AT).export(), text);
        // A signing tool may lay out the JSON in another way; the content is the same.
        let pretty: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let pretty = serde_json::to_string_pretty(&pretty).expect("JSON");
        assert_eq!(JournalHead::import("head.json", pretty.as_bytes()), Ok(head.clone()));
        assert!(verify_against(&entries, &head).is_sound());
    }
    let old = next(&Chain::Old, None, draft(1));
    let clinic = Entry::seal(clinic("\"б"), Some((6, old.hash)), Digest::NONE, draft(2));
    assert_eq!(
        JournalHead::of([&clinic, &old], AT).export(),
        format!(
            "{{\"schema\":2,\"at\":\"{AT}\",\"heads\":[{{\"chain\":\"old\",\"mo\":\"\",\"seq\":1,\"hash\":\"{}\"}},\
             {{\"chain\":\"clinic\",\"mo\":\"\\\"б\",\"seq\":7,\"hash\":\"{}\"}}]}}\n",
            old.hash, clinic.hash
        )
    );
}

#[test]
fn what_is_no_head_is_refused() {
    let entries = Book::migrated().entries();
    let good = JournalHead::of(&entries, AT).export();
    let import = |text: &str| JournalHead::import("head.json", text.as_bytes());
    for schema in [0, 3, 9] {
        let found = import(&good.replace("\"schema\":2", &format!("\"schema\":{schema}")));
        assert_eq!(found, Err(HeadError::Schema { file: "head.json".to_owned(), found: schema }));
    }
    let changes = [
        ("\"schema\":2", "\"schema\":1"),
        ("\"seq\":9", "\"seq\":0"),
        ("\"seq\":9", "\"seq\":-9"),
        ("\"at\"", "\"when\""),
        ("\"hash\":\"", "\"hash\":\"0"),
        ("}", ""),
        ("\"chain\":\"old\",\"mo\":\"\"", "\"chain\":\"old\",\"mo\":\"140001\""),
        ("\"chain\":\"days\"", "\"chain\":\"weeks\""),
        ("\"chain\":\"days\"", "\"chain\":\"old\""),
        ("\"140001\"", "\"140002\""),
        ("\"140001\"", "\"140003\""),
        ("\"mo\":\"\",", ""),
    ];
    for (from, to) in changes {
        let found = import(&good.replacen(from, to, 1));
        assert!(good.contains(from) && matches!(found, Err(HeadError::NotAHead { .. })), "{from} → {to}: {found:?}");
    }
    let zeros = good.replace(&entries[8].hash.to_string(), &Digest::NONE.to_string());
    assert!(zeros != good && matches!(import(&zeros), Err(HeadError::NotAHead { .. })));
}

#[test]
fn every_changed_bit_of_a_head_is_noticed() {
    let entries = Book::migrated().entries();
    let due = JournalHead::of(&entries, AT);
    let good = due.export();
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            // It becomes unreadable, or unfit for the journal, or only changes its time.
            if let Ok(head) = JournalHead::import("head.json", &bytes) {
                assert!(head.heads == due.heads || !verify_against(&entries, &head).is_sound(), "byte {place} bit {bit}");
            }
        }
    }
}

/// The head of schema 1 that a program of version 1 exported.
fn once(seq: u64, hash: Digest) -> Result<JournalHead, HeadError> {
    JournalHead::import("head.json", format!("{{\"schema\":1,\"seq\":{seq},\"hash\":\"{hash}\",\"at\":\"{AT}\"}}\n").as_bytes())
}

#[test]
fn a_head_of_schema_1_proves_the_old_chain() {
    let old = journal_of(&Chain::Old, 8);
    let head = once(5, old[4].hash).expect("a head");
    assert_eq!(head.heads, [ChainHead { chain: Chain::Old, seq: 5, hash: old[4].hash }]);
    assert_eq!((faults_against(&old, &head), faults_against(&old[..5], &head)), (vec![], vec![]));
    assert_eq!(faults_against(&old[..4], &head), [Fault::TailCut { from: 5, to: 5 }]);
    let other = once(5, old[5].hash).expect("a head");
    assert_eq!(faults_against(&old, &other), [Fault::HeadDiffers { seq: 5, at: 5 }]);
    // After the migration it still holds, as the old chain was kept.
    let entries = Book::migrated().entries();
    assert!(verify_against(&entries, &once(7, entries[6].hash).expect("a head")).is_sound());
    // A journal without the old chain is another one.
    for entries in [journal(20), Vec::new()] {
        let verdict = verify_against(&entries, &head);
        assert_eq!(verdict.of(&Chain::Old).map(|of| of.faults.clone()), Some(vec![Fault::TailCut { from: 1, to: 5 }]));
    }
    // The head of an empty journal proves nothing.
    let empty = once(0, Digest::NONE).expect("a head");
    assert!(verify_against(&entries, &empty).is_sound() && verify_against(&[], &empty).is_sound());
    assert!(once(0, old[0].hash).is_err() && once(1, Digest::NONE).is_err());
}

#[test]
fn a_head_proves_every_chain() {
    let book = Book::migrated();
    let entries = book.entries();
    let head = JournalHead::of(&entries, AT);
    // A head stays valid when chains grow and new ones come.
    let mut more = Book::migrated();
    for chain in [Chain::Days, clinic("140001"), clinic("140003")] {
        more.add(&chain);
    }
    assert!(verify_against(&more.entries(), &head).is_sound());
    for of in &head.heads {
        let left: Vec<Entry> = entries.iter().filter(|e| e.chain != of.chain || e.seq < of.seq).cloned().collect();
        let verdict = verify_against(&left, &head);
        assert!(verdict.of(&of.chain).is_some_and(|of_chain| of_chain.faults.contains(&Fault::TailCut { from: of.seq, to: of.seq })), "{verdict:?}");
        let none: Vec<Entry> = entries.iter().filter(|e| e.chain != of.chain).cloned().collect();
        let verdict = verify_against(&none, &head);
        assert!(verdict.of(&of.chain).is_some_and(|of_chain| of_chain.faults.contains(&Fault::TailCut { from: 1, to: of.seq })), "{verdict:?}");
        // The last entry is another one: for a clinic whose last entry no day names, only the head shows it.
        let mut other = entries.clone();
        let (place, entry) = other.iter_mut().enumerate().find(|(_, e)| e.chain == of.chain && e.seq == of.seq).expect("there");
        entry.draft.after = "paid".to_owned();
        reseal(entry);
        let differs = Fault::HeadDiffers { seq: of.seq, at: at(place) };
        let verdict = verify_against(&other, &head);
        assert!(verdict.of(&of.chain).is_some_and(|of_chain| of_chain.faults.contains(&differs)), "{verdict:?}");
    }
}
