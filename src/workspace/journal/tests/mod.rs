use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
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

fn journal(length: u64) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    for n in 1..=length {
        entries.push(Entry::seal(entries.last(), draft(n)));
    }
    entries
}

fn export(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::new();
    write_jsonl(&mut out, entries).expect("memory takes it");
    out
}

fn at(place: usize) -> u64 {
    place as u64 + 1
}

fn faults(entries: &[Entry]) -> Vec<Fault> {
    verify(entries).faults
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
    let first = Entry::seal(None, draft.clone());
    let second = Entry::seal(Some(&first), draft);
    assert_eq!((first.seq, first.prev, first.hash.to_string().as_str()), (1, Digest::NONE, "b10f1f545ed8f8c57f3da34a08f237977f292ad12f0945569ef7e6d758d00a8e"));
    assert_eq!(
        (second.seq, second.prev, second.hash.to_string().as_str()),
        (2, first.hash, "992c1c41f47cfe900067629da62e10412a5827a8e6f3c864837cd7e15a130d8a")
    );
    assert_eq!(Entry::seal_after(Some((1, first.hash)), second.draft.clone()), second);
    assert_eq!(second.hash.to_string().parse(), Ok(second.hash));
    for bad in ["", "0", &"0".repeat(63), &"0".repeat(65), &"A".repeat(64), &"g".repeat(64)] {
        assert_eq!(bad.parse::<Digest>(), Err(NotADigest), "{bad}");
    }
}

#[test]
fn no_two_contents_share_an_encoding() {
    let base = Entry::seal(None, draft(3));
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
        let entries = journal(length);
        let verdict = verify(&entries);
        assert!(verdict.is_sound(), "{verdict:?}");
        assert_eq!((verdict.looked_at, verdict.last), (length, entries.last().map(|e| (e.seq, e.hash))));
        let bytes = export(&entries);
        assert_eq!(verify_jsonl(bytes.as_slice(), None).expect("read"), verdict);
        let head = JournalHead::of(entries.last(), "2026-11-25T12:00:00Z");
        assert!(verify_against(&entries, &head).is_sound());
        assert!(verify_jsonl(bytes.as_slice(), Some(&head)).expect("read").is_sound());
        let back: Vec<Entry> = read_jsonl(bytes.as_slice()).map(|l| matches_entry(l.expect("read"))).collect();
        assert_eq!(back, entries);
    }
}

fn matches_entry(line: Line) -> Entry {
    match line {
        Line::Entry { entry, as_written: true } => *entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_long_journal_needs_no_memory() {
    let mut verifier = Verifier::new();
    let mut last: Option<Entry> = None;
    for n in 1..=20_000 {
        let entry = Entry::seal(last.as_ref(), draft(n));
        verifier.push(&entry);
        last = Some(entry);
    }
    assert_eq!(verifier.kept(), 0);
    assert!(verifier.finish().is_sound());
}

/// The faults found from the changed line on. Only this line and the next one are read: a change reaches no further.
fn local(entries: &[Entry], lines: &[usize], text: &[u8], changed: usize) -> Vec<Fault> {
    let line = lines.partition_point(|start| *start <= changed) - 1;
    let end = lines.get(line + 2).copied().unwrap_or(text.len());
    let mut verifier = line.checked_sub(1).map_or_else(Verifier::new, |before| Verifier::after(&entries[before]));
    for line in read_jsonl(&text[lines[line]..end]) {
        verifier.line(&line.expect("memory is read"));
    }
    verifier.finish().faults
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
                    let far = verify_jsonl(all.as_slice(), None).expect("read").faults;
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
            | Self::Destroyed { at } => *at += lines,
            Self::TailCut { .. } => {}
        }
        fault
    }
}

#[test]
fn an_altered_entry_is_named_whatever_field_it_is() {
    let entries = journal(60);
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
        for seq in [0, 1, 30, 59, 60, 61, 1 << 40, u64::MAX] {
            if seq != at(place) {
                alter(&|e| e.seq = seq);
            }
        }
    }
}

#[test]
fn an_entry_rewritten_with_its_hash_is_named() {
    let entries = journal(60);
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
            let head = JournalHead::of(entries.last(), "");
            assert_eq!(verify_against(&content, &head).faults, [Fault::HeadDiffers { seq: 60, at: 60 }]);
        }
        // All following entries are sealed again: only the head shows the change.
        let mut all: Vec<Entry> = entries[..place].to_vec();
        for entry in &content[place..] {
            all.push(Entry::seal(all.last(), entry.draft.clone()));
        }
        assert_eq!(faults(&all), []);
        let head = JournalHead::of(entries.last(), "");
        assert_eq!(verify_against(&all, &head).faults, [Fault::HeadDiffers { seq: 60, at: 60 }]);
        let earlier = JournalHead::of(place.checked_sub(1).map(|p| &entries[p]), "");
        assert!(verify_against(&all, &earlier).is_sound(), "a head of before says nothing of what came after");
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
fn a_cut_tail_is_noticed_against_the_head_and_only_against_it() {
    let entries = journal(LONG);
    let head = JournalHead::of(entries.last(), "2026-11-25T12:00:00Z");
    for left in 0..entries.len() {
        assert_eq!(faults(&entries[..left]), []);
        assert_eq!(verify_against(&entries[..left], &head).faults, [Fault::TailCut { from: at(left), to: LONG }]);
    }
    // A head stays valid when the journal grows.
    let early = JournalHead::of(Some(&entries[400]), "");
    assert!(verify_against(&entries, &early).is_sound());
    assert!(verify_against(&entries[..401], &early).is_sound());
    assert_eq!(verify_against(&entries[..400], &early).faults, [Fault::TailCut { from: 401, to: 401 }]);
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
    let entries = journal(60);
    for place in 0..entries.len() {
        let before = place.checked_sub(1).map(|p| &entries[p]);
        // It has the number of the entry that it pushes aside, and the right link to its predecessor.
        let linked = Entry::seal(before, draft(777));
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
            more.insert(place + 1, Entry::seal(before, draft(777)));
            assert_eq!(faults(&more), [Fault::Inserted { from: at(place), to: at(place), at: at(place + 1) }], "{place}");
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
fn lines_that_are_no_entries_hide_no_more_than_they_held() {
    let entries = journal(20);
    let text = String::from_utf8(export(&entries)).expect("UTF-8");
    let verdict = |text: &str| verify_jsonl(text.as_bytes(), None).expect("read").faults;
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
        for (from, to) in [("\"seq\":", "\"seq\": "), ("}\n", "}\r\n"), ("\"schema\":1,", ""), ("mis-01", "mis\\u002d01")] {
            let found = verdict(&with(&lines[place].replacen(from, to, 1)));
            let due = if to.is_empty() { Fault::Unreadable { at: at(place) } } else { Fault::NotAsWritten { seq: at(place), at: at(place) } };
            assert_eq!(found, [due], "{from} → {to}");
        }
    }
    assert_eq!(verdict(&text.replace("\"schema\":1", "\"schema\":2")).len(), 20);
}

#[test]
fn a_destroyed_journal_is_called_so_in_bounded_memory() {
    let mut entries = journal(12_000);
    entries.reverse();
    let verdict = verify(&entries);
    assert!(matches!(verdict.faults.as_slice(), [Fault::Destroyed { .. }]), "{:?}", verdict.faults.len());
    // Every line has another form: all faults are counted, but not all are kept.
    let text = String::from_utf8(export(&journal(3000))).expect("UTF-8").replace('\n', "\r\n");
    let verdict = verify_jsonl(text.as_bytes(), None).expect("read");
    assert_eq!((verdict.faults.len() as u64 + verdict.more, verdict.faults.len()), (3000, 1000));
}

#[test]
fn an_entry_too_long_to_be_read_back_is_not_written() {
    let entry = Entry::seal(None, Draft { details: "x".repeat(MAX_LINE), ..draft(1) });
    let error = write_jsonl(&mut Vec::new(), [&entry]).expect_err("too long");
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
}

#[test]
fn a_head_goes_out_and_comes_back() {
    let entries = journal(3);
    for last in [None, entries.last()] {
        let head = JournalHead::of(last, "2026-11-25T12:00:00Z");
        assert_eq!(JournalHead::import("head.json", head.export().as_bytes()), Ok(head.clone()));
        // A signing tool may lay out the JSON in another way; the content is the same.
        let pretty = serde_json::to_string_pretty(&head).expect("JSON");
        assert_eq!(JournalHead::import("head.json", pretty.as_bytes()), Ok(head));
    }
    let good = JournalHead::of(entries.last(), "2026-11-25T12:00:00Z").export();
    assert_eq!(
        JournalHead::import("head.json", good.replace("\"schema\":1", "\"schema\":9").as_bytes()),
        Err(HeadError::Schema { file: "head.json".to_owned(), found: 9 })
    );
    for (from, to) in [("\"seq\":3", "\"seq\":0"), ("\"seq\":3", "\"seq\":-3"), ("\"at\"", "\"when\""), ("\"hash\":\"", "\"hash\":\"0"), ("}", "")] {
        let found = JournalHead::import("head.json", good.replacen(from, to, 1).as_bytes());
        assert!(matches!(found, Err(HeadError::NotAHead { .. })), "{to}: {found:?}");
    }
    // Every changed bit of an exported head makes it unreadable, or unfit for the journal, or only changes its time.
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            if let Ok(head) = JournalHead::import("head.json", &bytes) {
                let only_time = head.at != "2026-11-25T12:00:00Z" && (head.seq, head.hash) == (3, entries[2].hash);
                let same = head == JournalHead::of(entries.last(), "2026-11-25T12:00:00Z");
                assert!(only_time || same || !verify_against(&entries, &head).is_sound(), "byte {place} bit {bit}");
            }
        }
    }
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
        let head = JournalHead::of(original.last(), "");
        let against = verify_against(&entries, &head);
        if entries == original {
            prop_assert!(verdict.is_sound() && against.is_sound());
        } else {
            prop_assert!(!against.is_sound(), "{:?}", entries.iter().map(|e| e.seq).collect::<Vec<_>>());
            let known = entries.len().saturating_sub(1);
            let only_the_tail = entries.len() <= original.len() && entries[..known] == original[..known]
                && entries.last().is_none_or(|e| e.is_intact() && e.seq == entries.len() as u64 && e.prev == original[known].prev);
            prop_assert_eq!(verdict.is_sound(), only_the_tail, "{:?}", verdict.faults);
        }
        for fault in verdict.faults {
            prop_assert!(fault.at() >= 1 && fault.at() <= entries.len() as u64, "{:?}", fault);
        }
    }
}
// WORDS BEGIN

#[test]
fn every_fault_has_words() {
    use crate::tables::RuleFiles;
    use crate::texts::{Lang, Texts};

    let texts = Texts::load(&RuleFiles::embedded()).expect("the built-in table is sound");
    let faults = vec![
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
    let broken = Verdict { looked_at: 98, last: None, faults, more: 1200 };
    let mut page = String::new();
    for lang in [Lang::Ru, Lang::En] {
        let sound = [verify(&journal(3)), verify(&[])].map(|v| v.text(&texts, lang).join("\n"));
        let heads =
            [HeadError::NotAHead { file: "head.json".to_owned(), reason: "EOF".to_owned() }, HeadError::Schema { file: "head.json".to_owned(), found: 9 }]
                .map(|e| texts.error(&e, lang));
        page += &format!("{}\n{}\n{}\n\n", broken.text(&texts, lang).join("\n"), sound.join("\n"), heads.join("\n"));
    }
    insta::assert_snapshot!(page);
}
// WORDS END
