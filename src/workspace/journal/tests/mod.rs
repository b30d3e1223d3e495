//! Tests of the journal: what all of them use, the encoding, and the export as bytes.

mod book;
mod head;
mod order;
mod several;
mod tamper;
mod words;

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use serde_json::json;

use super::*;

const LONG: u64 = 1000;

fn draft(n: u64) -> Draft {
    let details = json!({ "sum": n * 131 + 7, "cases": n % 413, "reason": if n.is_multiple_of(3) { "причина «\"\\\n" } else { "" } });
    Draft {
        at: format!("2026-11-25T{:02}:{:02}:{:02}Z", n / 3600, n / 60 % 60, n % 60),
        user: ["ivanova", "петров", "cron"][(n % 3) as usize].to_owned(),
        host: "mis-01".to_owned(),
        role: "executor".to_owned(),
        action: ["form", "submit", "accept", "return"][(n % 4) as usize].to_owned(),
        registry: if n.is_multiple_of(5) { String::new() } else { format!("14001-{}", n / 4) },
        subject: format!("HM140001S14002_2602{n}.zip"),
        before: "formed".to_owned(),
        after: "sent".to_owned(),
        details: canonical(&details),
    }
}

fn clinic(mo: &str) -> Chain {
    Chain::Clinic(mo.to_owned())
}

/// The entry of the same chain that follows another; the first one if there is none.
fn next(chain: &Chain, before: Option<&Entry>, draft: Draft) -> Entry {
    Entry::seal(chain.clone(), before.map(|e| (e.seq, e.hash)), Digest::NONE, draft)
}

/// A journal of one chain.
fn journal_of(chain: &Chain, length: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for n in 1..=length {
        entries.push(next(chain, entries.last(), draft(n)));
    }
    entries
}

/// A journal of one clinic.
fn journal(length: u64) -> Vec<Entry> {
    journal_of(&clinic("140001"), length)
}

/// A journal of one chain, for each kind of chain.
fn journals(length: u64) -> [Vec<Entry>; 3] {
    [Chain::Old, Chain::Days, clinic("140001")].map(|chain| journal_of(&chain, length))
}

fn export(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    write_jsonl(&mut out, entries).expect("memory takes it");
    out
}

fn at(place: usize) -> u64 {
    place as u64 + 1
}

/// The faults of a journal of one chain.
fn faults(entries: &[Entry]) -> Vec<Fault> {
    faults_of(&verify(entries))
}

fn faults_against(entries: &[Entry], head: &JournalHead) -> Vec<Fault> {
    faults_of(&verify_against(entries, head))
}

/// The faults of a verdict, without the chains in which they stand.
fn faults_of(verdict: &JournalVerdict) -> Vec<Fault> {
    verdict.faults().map(|(_, fault)| fault.clone()).collect()
}

/// Gives an entry the hash that fits it, as one would who knows how hashes are made.
fn reseal(entry: &mut Entry) {
    entry.hash = entry.due_hash();
}

#[test]
fn the_encoding_is_for_ever() {
    // Computed by another program (Python's hashlib and struct) from the description of `Entry::due_hash`.
    let draft = Draft {
        at: "2026-11-25T09:00:00Z".to_owned(),
        user: "иванова".to_owned(),
        host: "mis".to_owned(),
        role: "executor".to_owned(),
        action: "submit".to_owned(),
        registry: "14001-7".to_owned(),
        subject: String::new(),
        before: "formed".to_owned(),
        after: "sent".to_owned(),
        details: "{\"sum\":1}".to_owned(),
    };
    let (old, origin) = (Chain::Old, Digest::from([7; 32]));
    let first = next(&old, None, draft.clone());
    let second = next(&old, Some(&first), draft.clone());
    assert_eq!((first.seq, first.prev, first.hash.to_string().as_str()), (1, Digest::NONE, "b10f1f545ed8f8c57f3da34a08f237977f292ad12f0945569ef7e6d758d00a8e"));
    assert_eq!(
        (second.seq, second.prev, second.hash.to_string().as_str()),
        (2, first.hash, "992c1c41f47cfe900067629da62e10412a5827a8e6f3c864837cd7e15a130d8a")
    );
    // The origin is nothing but the link of a first entry.
    assert_eq!(Entry::seal(old, Some((1, first.hash)), origin, draft.clone()), second);
    for (chain, hashes) in [
        (Chain::Days, ["890de43935739371e69c6dd9e9a7358e4397cd13be50b8e6fe59c8a40cad1704", "1c37f8e1a85426d0f1f217b2893d44bde0534f62e7b27084bd8a49f3137d9e39"]),
        (
            clinic("140001"),
            ["d1849643150fe6e3967a3584b13312d2a6d9dc495bf4c3341cbb696d9c020f80", "ec09c8561cb2e4e73777543d2952cc5d3d4f2fbfe10603209acd8852ec6e8590"],
        ),
        (clinic(""), ["70f61409702297bb0baa4593bbb7fd1ed29602430786ca793dd282640009d067", "4d2c9b490f039079d0ee446c49ba2545683a6387a892080b860b957a2013c8c1"]),
        (
            clinic("\"б\n"),
            ["24a2330ef34471118d3c6b72955b241b7fc47ce30f7082b7cae326ff233b3e31", "6e6a4fe3cfe77c81fd4b58bd36d8c0d293873a89bf132f57484ddcc909b73b1a"],
        ),
    ] {
        let first = Entry::seal(chain.clone(), None, origin, draft.clone());
        let second = Entry::seal(chain.clone(), Some((1, first.hash)), origin, draft.clone());
        assert_eq!((first.seq, first.prev, second.seq, second.prev), (1, origin, 2, first.hash));
        assert_eq!([first.hash, second.hash].map(|h| h.to_string()), hashes, "{chain:?}");
    }
    assert_eq!(second.hash.to_string().parse(), Ok(second.hash));
    for bad in ["", "0", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"g".repeat(64)] {
        assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad}");
    }
}

#[test]
fn no_two_contents_share_an_encoding() {
    let base = next(&clinic("140001"), None, draft(3));
    let mut hashes = vec![base.hash];
    // Move a letter over the border between two fields.
    for border in 0..9 {
        let mut fields = base.draft.fields().map(str::to_owned);
        fields[border].push('x');
        hashes.push(with_fields(&base, &fields).due_hash());
        let mut fields = base.draft.fields().map(str::to_owned);
        fields[border + 1].insert(0, 'x');
        hashes.push(with_fields(&base, &fields).due_hash());
    }
    hashes.push(Entry { seq: 2, ..base.clone() }.due_hash());
    for chain in [Chain::Old, Chain::Days, clinic(""), clinic("14000"), clinic("1400011")] {
        hashes.push(Entry { chain, ..base.clone() }.due_hash());
    }
    hashes.push(Entry { prev: base.hash, ..base }.due_hash());
    let all = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}

fn with_fields(entry: &Entry, fields: &[String; 10]) -> Entry {
    let [at, user, host, role, action, registry, subject, before, after, details] = fields.clone();
    Entry { draft: Draft { at, user, host, role, action, registry, subject, before, after, details }, ..entry.clone() }
}

#[test]
fn canonical_json_does_not_depend_on_the_order() {
    let value: serde_json::Value = serde_json::from_str("{ \"б\": [1, {\"z\": null, \"a\": \"\\u0022\"}], \"a\": 1.50, \"Я\": true }").expect("JSON");
    assert_eq!(canonical(&value), "{\"a\":1.5,\"Я\":true,\"б\":[1,{\"a\":\"\\\"\",\"z\":null}]}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&canonical(&value)).expect("JSON"), value);
}

#[test]
fn a_whole_journal_is_sound_whatever_the_way() {
    for length in [0, 1, 2, LONG] {
        for entries in journals(length) {
            let verdict = verify(&entries);
            assert!(verdict.is_sound(), "{verdict:?}");
            assert_eq!((verdict.looked_at, verdict.chains.len()), (length, usize::from(length > 0)));
            if let Some(last) = entries.last() {
                let of = verdict.of(&last.chain).expect("its chain");
                assert_eq!((of.looked_at, of.last), (length, Some((last.seq, last.hash))));
            }
            let bytes = export(&entries);
            assert_eq!(verify_jsonl(bytes.as_slice(), None).expect("read"), verdict);
            let head = JournalHead::of(&entries, "2026-11-25T12:00:00Z");
            assert!(verify_against(&entries, &head).is_sound());
            assert!(verify_jsonl(bytes.as_slice(), Some(&head)).expect("read").is_sound());
            let back: Vec<Entry> = read_jsonl(bytes.as_slice()).map(|l| matches_entry(l.expect("read"))).collect();
            assert_eq!(back, entries);
        }
    }
}

fn matches_entry(line: Line) -> Entry {
    match line {
        Line::Entry { entry, as_written: true } => *entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_journal_needs_little_memory() {
    let mut verifier = JournalVerifier::new();
    let mut last: Option<Entry> = None;
    for n in 1..=20_000 {
        let entry = next(&clinic("140001"), last.as_ref(), draft(n));
        verifier.push(&entry);
        last = Some(entry);
    }
    assert_eq!(verifier.kept(), (0, 0, 1000), "the last entries, for daily entries that may follow");
    assert!(verifier.finish().is_sound());
}

/// The faults found from the changed line on. Only this line and the next one are read: a change reaches no further.
fn local(entries: &[Entry], lines: &[usize], text: &[u8], changed: usize) -> Vec<Fault> {
    let line = lines.partition_point(|start| *start <= changed) - 1;
    let end = lines.get(line + 2).copied().unwrap_or(text.len());
    let mut verifier = line.checked_sub(1).map_or_else(JournalVerifier::new, |before| JournalVerifier::after(&entries[before]));
    for line in read_jsonl(&text[lines[line]..end]) {
        verifier.line(&line.expect("memory is read"));
    }
    faults_of(&verifier.finish())
}

#[test]
fn every_changed_byte_of_a_thousand_entries_is_noticed() {
    let entries = journal(LONG);
    let bytes = export(&entries);
    let lines: Vec<usize> = std::iter::once(0).chain(memchr::memchr_iter(b'\n', &bytes).map(|at| at + 1)).filter(|at| *at < bytes.len()).collect();
    assert_eq!(lines.len() as u64, LONG);
    let (flips, whole) = (AtomicU64::new(0), AtomicU64::new(0));
    (0..lines.len()).into_par_iter().for_each(|line| {
        let (start, end) = (lines[line], lines.get(line + 1).copied().unwrap_or(bytes.len()));
        let after = lines.get(line + 2).copied().unwrap_or(bytes.len());
        // The text is copied up to the last line that the change can reach, so that offsets stay the same.
        let mut text = bytes[..after].to_vec();
        for changed in start..end {
            // Flip one bit of every byte, and all eight bits on every sixteenth place; which bit it is varies over the file.
            let bits = if changed % 16 == line % 16 { 0..8 } else { (changed * 5 + line) % 8..(changed * 5 + line) % 8 + 1 };
            for bit in bits {
                text[changed] ^= 1 << bit;
                let found = local(&entries, &lines, &text, changed);
                assert!(!found.is_empty(), "byte {changed}, bit {bit}: not noticed");
                flips.fetch_add(1, Ordering::Relaxed);
                if flips.load(Ordering::Relaxed) % 4001 == 0 {
                    // The verification of the whole file finds the same faults.
                    let all = [&text, &bytes[after..]].concat();
                    let far = faults_of(&verify_jsonl(all.as_slice(), None).expect("read"));
                    let shifted: Vec<String> = found.iter().map(|f| format!("{:?}", f.moved_by(line as u64))).collect();
                    let far: Vec<String> = far.iter().map(|f| format!("{f:?}")).collect();
                    assert_eq!(far, shifted, "byte {changed}, bit {bit}");
                    whole.fetch_add(1, Ordering::Relaxed);
                }
                text[changed] ^= 1 << bit;
            }
        }
    });
    let (flips, whole) = (flips.into_inner(), whole.into_inner());
    assert!(flips >= bytes.len() as u64 + bytes.len() as u64 * 7 / 16 - 7 * LONG && whole > 100, "{flips} {whole}");
    println_counts(&format!("{} bytes, {flips} changes, all noticed; {whole} of them by the whole verification too", bytes.len()));
}

#[allow(clippy::print_stdout, reason = "figures for the one who runs the test")]
fn println_counts(text: &str) {
    println!("{text}");
}

impl Fault {
    /// The same fault, so many lines further on.
    fn moved_by(&self, lines: u64) -> Self {
        let mut fault = self.clone();
        match &mut fault {
            Self::Altered { at, .. }
            | Self::Rewritten { at, .. }
            | Self::Cut { at, .. }
            | Self::Moved { at, .. }
            | Self::Doubled { at, .. }
            | Self::Inserted { at, .. }
            | Self::Unreadable { at }
            | Self::NotAsWritten { at, .. }
            | Self::HeadDiffers { at, .. }
            | Self::Destroyed { at }
            | Self::Detached { at, .. }
            | Self::EndDiffers { at }
            | Self::Continued { at, .. }
            | Self::DayTailCut { at, .. }
            | Self::DayDiffers { at, .. }
            | Self::DayBack { at, .. }
            | Self::DayUnreadable { at, .. }
            | Self::DayLate { at, .. }
            | Self::TooMany { at } => *at += lines,
            Self::TailCut { .. } => {}
        }
        fault
    }
}

#[test]
fn an_entry_too_long_to_be_read_back_is_not_written() {
    let entry = next(&Chain::Old, None, Draft { details: "x".repeat(MAX_LINE), ..draft(1) });
    let error = write_jsonl(&mut Vec::new(), [&entry]).expect_err("too long");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn lines_that_are_no_entries_hide_no_more_than_they_held() {
    for entries in journals(20) {
        let schema = format!("\"schema\":{}", if entries[0].chain == Chain::Old { OLD_SCHEMA } else { SCHEMA });
        let text = String::from_utf8(export(&entries)).expect("UTF-8");
        let verdict = |text: &str| faults_of(&verify_jsonl(text.as_bytes(), None).expect("read"));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for place in 0..lines.len() {
            let with = |line: &str| [&lines[..place], &[line], &lines[place + 1..]].concat().concat();
            assert_eq!(verdict(&with("garbage\n")), [Fault::Unreadable { at: at(place) }]);
            assert_eq!(verdict(&with("\n")), [Fault::Unreadable { at: at(place) }]);
            let long = format!("{}\n", "x".repeat(MAX_LINE + 5));
            if place == 7 {
                assert_eq!(verdict(&with(&long)), [Fault::Unreadable { at: at(place) }]);
            }
            // The line is cut in two, or joined with its neighbour.
            assert_eq!(verdict(&with(&lines[place].replacen(',', "\n", 1))), [Fault::Unreadable { at: at(place) }, Fault::Unreadable { at: at(place + 1) }]);
            assert_eq!(
                verdict(&with(lines[place].trim_end())),
                [if place + 1 < lines.len() { Fault::Unreadable { at: at(place) } } else { Fault::NotAsWritten { seq: at(place), at: at(place) } }]
            );
            // The line says the same in other bytes.
            for (from, to) in [("\"seq\":", "\"seq\": "), ("}\n", "}\r\n"), (&format!("{schema},"), ""), ("mis-01", "mis\\u002d01")] {
                let found = verdict(&with(&lines[place].replacen(from, to, 1)));
                let due = if to.is_empty() { Fault::Unreadable { at: at(place) } } else { Fault::NotAsWritten { seq: at(place), at: at(place) } };
                assert_eq!(found, [due], "{from} → {to}");
            }
        }
        for other in 0..4 {
            let other = format!("\"schema\":{other}");
            assert_eq!(verdict(&text.replace(&schema, &other)).len(), if other == schema { 0 } else { 20 });
        }
    }
}
