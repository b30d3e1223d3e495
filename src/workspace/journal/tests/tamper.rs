//! Journals of several chains that were tampered with at random.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::book::{Book, found_in};
use super::*;

/// A journal of a few lines with everything that a journal may have.
fn rich() -> Book {
    let mut book = Book::default();
    (0..3).for_each(|_| book.add(&Chain::Old));
    book.close();
    let odd = clinic("\"б\\\n");
    for (day, count) in [("2026-11-25", 3), ("2026-11-26", 2), ("2026-11-27", 1)] {
        for chain in [clinic(""), odd.clone(), clinic("140001")] {
            (0..count).for_each(|_| book.add(&chain));
        }
        book.day(day);
    }
    book.add(&odd);
    book
}

#[test]
fn every_changed_byte_of_several_chains_is_noticed() {
    let entries = rich().entries();
    let bytes = export(&entries);
    assert!(verify_jsonl(bytes.as_slice(), None).expect("read").is_sound());
    let flips = AtomicU64::new(0);
    (0..bytes.len()).into_par_iter().for_each(|changed| {
        let mut text = bytes.clone();
        let bits = if changed % 8 == 0 { 0..8 } else { changed * 5 % 8..changed * 5 % 8 + 1 };
        for bit in bits {
            text[changed] ^= 1 << bit;
            assert!(!verify_jsonl(text.as_slice(), None).expect("read").is_sound(), "byte {changed}, bit {bit}: not noticed");
            text[changed] ^= 1 << bit;
            flips.fetch_add(1, Ordering::Relaxed);
        }
        if changed % 4 > 0 {
            return;
        }
        // A byte taken out or put in.
        text.remove(changed);
        assert!(!verify_jsonl(text.as_slice(), None).expect("read").is_sound(), "byte {changed} is gone: not noticed");
        text.insert(changed, bytes[changed]);
        text.insert(changed, b' ');
        assert!(!verify_jsonl(text.as_slice(), None).expect("read").is_sound(), "byte {changed} pushed aside: not noticed");
    });
    println_counts(&format!("{} bytes, {} changes, all noticed", bytes.len(), flips.into_inner()));
}

/// A way to tamper with a journal of several chains.
#[derive(Debug, Clone)]
enum Misdeed {
    Cut(usize, usize),
    Swap(usize, usize),
    Copy(usize, usize),
    Alter(usize),
    Reseal(usize),
    Renumber(usize, u64),
    Rechain(usize, usize),
    Relink(usize, usize),
    Turn(usize, usize),
    TailOff(usize),
}

fn misdeed() -> impl Strategy<Value = Misdeed> {
    let place = 0..50_usize;
    let two = (place.clone(), place.clone());
    prop_oneof![
        (place.clone(), 1..5_usize).prop_map(|(at, n)| Misdeed::Cut(at, n)),
        two.clone().prop_map(|(a, b)| Misdeed::Swap(a, b)),
        two.clone().prop_map(|(a, b)| Misdeed::Copy(a, b)),
        place.clone().prop_map(Misdeed::Alter),
        place.clone().prop_map(Misdeed::Reseal),
        (place.clone(), prop_oneof![0..60_u64, Just(u64::MAX)]).prop_map(|(a, n)| Misdeed::Renumber(a, n)),
        two.clone().prop_map(|(a, b)| Misdeed::Rechain(a, b)),
        two.clone().prop_map(|(a, b)| Misdeed::Relink(a, b)),
        two.prop_map(|(a, b)| Misdeed::Turn(a, b)),
        place.prop_map(Misdeed::TailOff),
    ]
}

fn tamper(entries: &mut Vec<Entry>, misdeed: &Misdeed) {
    let n = entries.len();
    match *misdeed {
        _ if n == 0 => {}
        Misdeed::Cut(at, length) => {
            entries.drain(at % n..(at % n + length).min(n));
        }
        Misdeed::Swap(a, b) => entries.swap(a % n, b % n),
        Misdeed::Copy(a, b) => {
            let copy = entries[a % n].clone();
            entries.insert(b % (n + 1), copy);
        }
        Misdeed::Alter(at) => entries[at % n].draft.details.push(' '),
        Misdeed::Reseal(at) => {
            entries[at % n].draft.after.push('!');
            reseal(&mut entries[at % n]);
        }
        Misdeed::Renumber(at, seq) => {
            entries[at % n].seq = seq;
            reseal(&mut entries[at % n]);
        }
        Misdeed::Rechain(a, b) => {
            entries[a % n].chain = entries[b % n].chain.clone();
            reseal(&mut entries[a % n]);
        }
        Misdeed::Relink(a, b) => {
            entries[a % n].prev = entries[b % n].hash;
            reseal(&mut entries[a % n]);
        }
        Misdeed::Turn(a, b) => entries.rotate_left((a + b) % n),
        // The last entry of a chain goes.
        Misdeed::TailOff(at) => {
            let chain = entries[at % n].chain.clone();
            if let Some(last) = entries.iter().rposition(|e| e.chain == chain) {
                entries.remove(last);
            }
        }
    }
}

fn by_chain(entries: &[Entry]) -> BTreeMap<&Chain, Vec<&Entry>> {
    let mut chains: BTreeMap<&Chain, Vec<&Entry>> = BTreeMap::new();
    for entry in entries {
        chains.entry(&entry.chain).or_default().push(entry);
    }
    chains
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// Whatever is done in whatever order: what neither a head nor a day proves may be cut off, and its last entry rewritten; nothing else.
    #[test]
    fn nothing_goes_unnoticed_between_chains(misdeeds in prop::collection::vec(misdeed(), 1..5)) {
        let original = Book::migrated().entries();
        let mut entries = original.clone();
        misdeeds.iter().for_each(|misdeed| tamper(&mut entries, misdeed));
        let (due, now) = (by_chain(&original), by_chain(&entries));
        let verdict = verify(&entries);
        let against = verify_against(&entries, &JournalHead::of(&original, ""));
        let jsonl = verify_jsonl(export(&entries).as_slice(), None).expect("read");
        prop_assert_eq!(&jsonl, &verdict);
        // The head proves all; a chain that is new is not proven by anything.
        let is_whole = due.iter().all(|(chain, entries)| now.get(chain) == Some(entries));
        prop_assert_eq!(against.is_sound(), is_whole, "{:?}", found_in(&against));
        // How many entries of a chain must be there: those that the last day that is left names; of the old chain all, if another chain is left.
        let days = now.get(&Chain::Days).map_or(0, Vec::len);
        let named = |chain: &Chain| match chain {
            Chain::Old => if now.keys().any(|chain| **chain != Chain::Old) { 9 } else { 0 },
            Chain::Days => 0,
            Chain::Clinic(mo) => [0, 5, 8, 9][days.min(3)] * usize::from(mo == "140001") + [0, 4, 4, 6][days.min(3)] * usize::from(mo == "140002"),
        };
        let fits = |chain: &Chain| {
            let (due, now) = (&due[chain], now.get(chain).map_or(&[][..], Vec::as_slice));
            let known = now.len().saturating_sub(1);
            let is_last = now.last().is_none_or(|e| e.is_intact() && e.seq == now.len() as u64 && due.get(known).is_some_and(|due| due.prev == e.prev));
            now.len() <= due.len() && now[..known] == due[..known] && is_last && now.len() >= named(chain) && now[..named(chain)] == due[..named(chain)]
        };
        if is_whole {
            prop_assert!(verdict.is_sound(), "{:?}", found_in(&verdict));
        }
        // A daily entry that was rewritten at the tail may name anything, so only the other direction holds for it.
        let days_are_true = now.get(&Chain::Days).is_none_or(|now| now[..] == due[&Chain::Days][..now.len().min(3)]);
        let only_the_tails = due.keys().all(|chain| fits(chain));
        if days_are_true {
            prop_assert_eq!(verdict.is_sound(), only_the_tails, "{:?}", found_in(&verdict));
        } else if verdict.is_sound() {
            prop_assert!(due.keys().filter(|chain| matches!(chain, Chain::Old | Chain::Days)).all(|chain| fits(chain)));
        }
        for (_, fault) in verdict.faults() {
            prop_assert!(fault.at() >= 1 && fault.at() <= entries.len() as u64, "{:?}", fault);
        }
    }

    /// Any bytes and any lines get a verdict.
    #[test]
    fn nothing_makes_the_verification_fail(
        pieces in prop::collection::vec((0..33_usize, 0..400_usize, 0..400_usize, any::<u8>(), 0..6_u8), 0..40),
    ) {
        let entries = Book::migrated().entries();
        let lines: Vec<Vec<u8>> = entries.iter().map(|entry| export(std::slice::from_ref(entry))).collect();
        let mut text = Vec::new();
        for (line, from, to, byte, how) in pieces {
            let line = &lines[line % lines.len()];
            match how {
                0..3 => text.extend(line),
                3 => text.extend(&line[from.min(to).min(line.len())..from.max(to).min(line.len())]),
                4 => { let mut line = line.clone(); let at = from % line.len(); line[at] = byte; text.extend(line); }
                _ => text.extend([byte, b'\n']),
            }
        }
        let count = read_jsonl(text.as_slice()).count() as u64;
        for head in [None, Some(JournalHead::of(&entries, ""))] {
            let verdict = verify_jsonl(text.as_slice(), head.as_ref()).expect("read");
            prop_assert_eq!((verdict.looked_at, verdict.chains.iter().map(|c| c.verdict.looked_at).sum::<u64>()), (count, count));
            prop_assert!(verdict.faults().all(|(_, fault)| fault.at() >= 1 && (fault.at() <= count || fault.at() == u64::MAX)));
        }
    }
}
