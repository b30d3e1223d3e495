//! One chain whose entries were altered, cut, moved, doubled or inserted.

use proptest::prelude::*;

use super::*;

#[test]
fn an_altered_entry_is_named_whatever_field_it_is() {
    for entries in journals(60) {
        for place in 0..entries.len() {
            let due = vec![Fault::Altered { seq: at(place), at: at(place) }];
            let mut tried = 0;
            let mut alter = |change: &dyn Fn(&mut Entry)| {
                let mut altered = entries.clone();
                change(&mut altered[place]);
                assert_eq!(faults(&altered), due, "{tried} at {place}");
                tried += 1;
            };
            for field in 0..10 {
                alter(&|e: &mut Entry| {
                    let mut fields = e.draft.fields().map(str::to_owned);
                    fields[field].push('0');
                    *e = with_fields(e, &fields);
                });
            }
            alter(&|e| e.hash = Digest::from([7; 32]));
            alter(&|e| e.prev = Digest::from([7; 32]));
            // One whose chain was altered too belongs to the chain of its neighbours, but for the first, which has nothing before it.
            if place > 0 {
                for chain in [Chain::Old, Chain::Days, clinic(""), clinic("140002")].into_iter().filter(|chain| *chain != entries[0].chain) {
                    alter(&|e| e.chain = chain.clone());
                }
            }
            for seq in [0, 1, 30, 59, 60, 61, 1 << 40, u64::MAX] {
                if seq != at(place) {
                    alter(&|e| e.seq = seq);
                }
            }
        }
    }
}

#[test]
fn an_entry_rewritten_with_its_hash_is_named() {
    for entries in journals(60) {
        for place in 0..entries.len() {
            let mut content = entries.clone();
            content[place].draft.after = "paid".to_owned();
            reseal(&mut content[place]);
            let mut link = content.clone();
            link[place].prev = Digest::from([7; 32]);
            reseal(&mut link[place]);
            let due = vec![Fault::Rewritten { seq: at(place), at: at(place) }];
            if place + 1 < entries.len() {
                assert_eq!(faults(&content), due, "{place}");
                assert_eq!(faults(&link), due, "{place}");
            } else {
                // No entry follows that knows the hash of the last one: only the head shows the change.
                assert_eq!(faults(&content), []);
                let head = JournalHead::of(&entries, "");
                assert_eq!(faults_against(&content, &head), [Fault::HeadDiffers { seq: 60, at: 60 }]);
            }
            // All following entries are sealed again: only the head shows the change.
            let mut all: Vec<Entry> = entries[..place].to_vec();
            for entry in &content[place..] {
                all.push(next(&entry.chain, all.last(), entry.draft.clone()));
            }
            assert_eq!(faults(&all), []);
            let head = JournalHead::of(&entries, "");
            assert_eq!(faults_against(&all, &head), [Fault::HeadDiffers { seq: 60, at: 60 }]);
            let earlier = JournalHead::of(&entries[..place], "");
            assert!(verify_against(&all, &earlier).is_sound(), "a head of before says nothing of what came after");
        }
    }
}

#[test]
fn a_cut_is_named_at_every_place() {
    let entries = journal(LONG);
    for place in 0..entries.len() - 1 {
        for length in [1, 2, 7].into_iter().filter(|l| place + l < entries.len()) {
            let mut cut = entries.clone();
            cut.drain(place..place + length);
            assert_eq!(faults(&cut), [Fault::Cut { from: at(place), to: at(place + length - 1), at: at(place) }]);
        }
    }
}

#[test]
fn exchanged_neighbours_are_named_at_every_place() {
    let entries = journal(LONG);
    for place in 0..entries.len() - 1 {
        let mut moved = entries.clone();
        moved.swap(place, place + 1);
        assert_eq!(faults(&moved), [Fault::Moved { from: at(place), to: at(place), at: at(place + 1) }], "{place}");
    }
}

#[test]
fn a_moved_entry_is_named_wherever_it_went() {
    let entries = journal(40);
    for from in 0..entries.len() {
        for to in (0..entries.len()).filter(|to| from.abs_diff(*to) > 1) {
            let mut moved = entries.clone();
            let entry = moved.remove(from);
            moved.insert(to, entry);
            assert_eq!(faults(&moved), [Fault::Moved { from: at(from), to: at(from), at: at(to) }], "{from} → {to}");
        }
    }
    // Two that changed places far apart, and a block.
    let mut moved = entries.clone();
    moved.swap(5, 30);
    assert_eq!(faults(&moved), [Fault::Moved { from: 31, to: 31, at: 6 }, Fault::Moved { from: 6, to: 6, at: 31 }]);
    let mut moved = entries.clone();
    moved[10..30].rotate_left(5);
    assert_eq!(faults(&moved), [Fault::Moved { from: 11, to: 15, at: 26 }]);
}

#[test]
fn a_doubled_entry_is_named_at_every_place() {
    let entries = journal(LONG);
    for place in 0..entries.len() {
        let mut doubled = entries.clone();
        doubled.insert(place + 1, entries[place].clone());
        assert_eq!(faults(&doubled), [Fault::Doubled { from: at(place), to: at(place), at: at(place + 1) }], "{place}");
    }
    let entries = journal(40);
    for place in 0..entries.len() {
        for to in place + 2..=entries.len() {
            let mut doubled = entries.clone();
            doubled.insert(to, entries[place].clone());
            assert_eq!(faults(&doubled), [Fault::Doubled { from: at(place), to: at(place), at: at(to) }], "{place} → {to}");
        }
    }
    let mut block = entries.clone();
    block.splice(20..20, entries[5..9].iter().cloned());
    assert_eq!(faults(&block), [Fault::Doubled { from: 6, to: 9, at: 21 }]);
}

#[test]
fn an_inserted_entry_is_named_at_every_place() {
    for entries in journals(60) {
        let chain = &entries[0].chain;
        for place in 0..entries.len() {
            let before = place.checked_sub(1).map(|p| &entries[p]);
            // It has the number of the entry that it pushes aside, and the right link to its predecessor.
            let linked = next(chain, before, draft(777));
            // Its number is unused, its link is right.
            let mut odd = linked.clone();
            odd.seq = 100_000;
            reseal(&mut odd);
            // Its number is right, its link is invented.
            let mut loose = linked.clone();
            loose.prev = Digest::from([7; 32]);
            reseal(&mut loose);
            for forged in [linked, odd, loose] {
                let mut more = entries.clone();
                more.insert(place, forged.clone());
                // Of two last entries that both link to their predecessor nothing tells which is the true one.
                let undecided = place + 1 == entries.len() && forged.seq == at(place) && forged.prev == entries[place].prev;
                let due = vec![Fault::Inserted { from: forged.seq, to: forged.seq, at: at(place) + u64::from(undecided) }];
                assert_eq!(faults(&more), due, "{place} {}", forged.seq);
            }
            // Inserted after the true entry, so that the successor does not link to it.
            if place + 1 < entries.len() {
                let mut more = entries.clone();
                more.insert(place + 1, next(chain, before, draft(777)));
                assert_eq!(faults(&more), [Fault::Inserted { from: at(place), to: at(place), at: at(place + 1) }], "{place}");
            }
        }
    }
}

#[test]
fn several_misdeeds_are_told_apart() {
    let mut entries = journal(300);
    entries[9].draft.user = "nobody".to_owned();
    entries.drain(49..52);
    entries.swap(100, 101);
    entries.insert(150, entries[149].clone());
    let due = [
        Fault::Altered { seq: 10, at: 10 },
        Fault::Cut { from: 50, to: 52, at: 50 },
        Fault::Moved { from: 104, to: 104, at: 102 },
        Fault::Doubled { from: 153, to: 153, at: 151 },
    ];
    assert_eq!(faults(&entries), due);
}

#[test]
fn a_destroyed_journal_is_called_so_in_bounded_memory() {
    let mut entries = journal(12_000);
    entries.reverse();
    let found = faults(&entries);
    assert!(matches!(found.as_slice(), [Fault::Destroyed { .. }]), "{:?}", found.len());
    // Every line has another form: all faults are counted, but not all are kept.
    let text = String::from_utf8(export(&journal(3000))).expect("UTF-8").replace('\n', "\r\n");
    let verdict = verify_jsonl(text.as_bytes(), None).expect("read");
    let kept = faults_of(&verdict).len();
    assert_eq!((kept as u64 + verdict.more(), kept), (3000, 1000));
}

/// A way to tamper with the order or the content of entries.
#[derive(Debug, Clone)]
enum Misdeed {
    Cut(usize, usize),
    Swap(usize, usize),
    Copy(usize, usize),
    Alter(usize),
    Reseal(usize),
    Renumber(usize, u64),
}

fn misdeed() -> impl Strategy<Value = Misdeed> {
    let place = 0..50_usize;
    prop_oneof![
        (place.clone(), 1..5_usize).prop_map(|(at, n)| Misdeed::Cut(at, n)),
        (place.clone(), place.clone()).prop_map(|(a, b)| Misdeed::Swap(a, b)),
        (place.clone(), place.clone()).prop_map(|(a, b)| Misdeed::Copy(a, b)),
        place.clone().prop_map(Misdeed::Alter),
        place.clone().prop_map(Misdeed::Reseal),
        (place, prop_oneof![0..60_u64, Just(u64::MAX)]).prop_map(|(a, n)| Misdeed::Renumber(a, n)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order: a journal found sound is the original, its beginning, or differs in its last entry only.
    #[test]
    fn nothing_goes_unnoticed(misdeeds in prop::collection::vec(misdeed(), 1..6)) {
        let original = journal(40);
        let mut entries = original.clone();
        for misdeed in misdeeds {
            let n = entries.len();
            if n == 0 { break }
            match misdeed {
                Misdeed::Cut(at, length) => { entries.drain(at % n..(at % n + length).min(n)); }
                Misdeed::Swap(a, b) => entries.swap(a % n, b % n),
                Misdeed::Copy(a, b) => { let copy = entries[a % n].clone(); entries.insert(b % (n + 1), copy); }
                Misdeed::Alter(at) => entries[at % n].draft.details.push(' '),
                Misdeed::Reseal(at) => { entries[at % n].draft.after.push('!'); reseal(&mut entries[at % n]); }
                Misdeed::Renumber(at, seq) => { entries[at % n].seq = seq; reseal(&mut entries[at % n]); }
            }
        }
        let verdict = verify(&entries);
        let found = faults_of(&verdict);
        let head = JournalHead::of(&original, "");
        let against = verify_against(&entries, &head);
        if entries == original {
            prop_assert!(verdict.is_sound() && against.is_sound());
        } else {
            prop_assert!(!against.is_sound(), "{:?}", entries.iter().map(|e| e.seq).collect::<Vec<_>>());
            let known = entries.len().saturating_sub(1);
            let only_the_tail = entries.len() <= original.len() && entries[..known] == original[..known]
                && entries.last().is_none_or(|e| e.is_intact() && e.seq == entries.len() as u64 && e.prev == original[known].prev);
            prop_assert_eq!(verdict.is_sound(), only_the_tail, "{:?}", found);
        }
        for fault in found {
            prop_assert!(fault.at() >= 1 && fault.at() <= entries.len() as u64, "{:?}", fault);
        }
    }
}
