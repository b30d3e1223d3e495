//! Journals of several chains: what the chains say of each other.

use super::book::{Book, found_in};
use super::*;
use crate::values::Date;

fn day(number: u8) -> Date {
    Date::new(2026, 11, number).expect("a day")
}

/// The faults of a journal with their chains.
fn found(entries: &[Entry]) -> Vec<(String, Fault)> {
    found_in(&verify(entries))
}

fn of(chain: &str, fault: Fault) -> (String, Fault) {
    (chain.to_owned(), fault)
}

#[test]
fn several_chains_are_sound_whatever_the_order_of_chains() {
    for book in [Book::migrated(), Book::fresh(), Book::of(&[clinic(""), clinic("\"'\\\n«»"), clinic("140001"), Chain::Days])] {
        let entries = book.entries();
        let verdict = verify(&entries);
        assert!(verdict.is_sound(), "{verdict:?}");
        assert_eq!(verdict.looked_at, entries.len() as u64);
        let counts: Vec<(Chain, u64)> = book.chains.iter().map(|(chain, entries)| (chain.clone(), entries.len() as u64)).collect();
        assert_eq!(verdict.chains.iter().map(|c| (c.chain.clone(), c.verdict.looked_at)).collect::<Vec<_>>(), counts);
        let bytes = export(&entries);
        assert_eq!(verify_jsonl(bytes.as_slice(), None).expect("read"), verdict);
        let back: Vec<Entry> = read_jsonl(bytes.as_slice()).map(|l| matches_entry(l.expect("read"))).collect();
        assert_eq!(back, entries);
        // Other orders: the last chain first, one entry of each chain in turn, by number.
        let mut turned: Vec<Entry> = book.chains.values().rev().flatten().cloned().collect();
        assert!(verify(&turned).is_sound());
        for start in 0..turned.len() {
            turned.sort_by_key(|e| (e.seq + start as u64 * u64::from(e.chain == Chain::Days), std::cmp::Reverse(e.chain.clone())));
            assert!(verify(&turned).is_sound(), "{:?}", found(&turned));
        }
    }
}

#[test]
fn the_lines_of_each_schema_are_for_ever() {
    let mut book = Book::default();
    let draft = Draft { at: "2026-11-25T09:00:00Z".to_owned(), user: "a".to_owned(), details: "{\"sum\":1}".to_owned(), ..Draft::default() };
    for chain in [Chain::Old, Chain::Days, clinic("14\"\n")] {
        book.append(&chain, draft.clone());
    }
    let rest = "\"seq\":1,\"at\":\"2026-11-25T09:00:00Z\",\"user\":\"a\",\"host\":\"\",\"role\":\"\",\"action\":\"\",\"registry\":\"\",\"subject\":\"\",\
                \"before\":\"\",\"after\":\"\",\"details\":\"{\\\"sum\\\":1}\"";
    let hashes: Vec<String> = book.entries().iter().map(|e| format!("\"prev\":\"{}\",\"hash\":\"{}\"}}\n", Digest::NONE, e.hash)).collect();
    let due = format!(
        "{{\"schema\":1,{rest},{}{{\"schema\":2,\"chain\":\"days\",\"mo\":\"\",{rest},{}{{\"schema\":2,\"chain\":\"clinic\",\"mo\":\"14\\\"\\n\",{rest},{}",
        hashes[0], hashes[1], hashes[2]
    );
    assert_eq!(String::from_utf8(export(&book.entries())).expect("UTF-8"), due);
    // Other words for the chain are no entry; a form that says the same is not as written.
    let lines: Vec<&str> = due.split_inclusive('\n').collect();
    let line = |text: &str| read_jsonl(text.as_bytes()).map(|line| line.expect("read")).collect::<Vec<_>>();
    let (old, days, clinic) = (lines[0], lines[1], lines[2]);
    for bad in [
        old.replace("\"schema\":1", "\"schema\":2"),
        old.replace("\"schema\":1", "\"schema\":1,\"chain\":\"old\",\"mo\":\"\""),
        old.replace("\"schema\":1", "\"schema\":2,\"chain\":\"old\",\"mo\":\"\""),
        days.replace("\"schema\":2", "\"schema\":1"),
        days.replace("\"mo\":\"\"", "\"mo\":\"140001\""),
        days.replace("\"mo\":\"\",", ""),
        days.replace("days", "weeks"),
        clinic.replace("\"chain\":\"clinic\",", ""),
        clinic.replace("\"mo\"", "\"mo\":\"\",\"mo\""),
    ] {
        assert_eq!(line(&bad), [Line::Unreadable], "{bad}");
    }
    for odd in [old.replace("\"schema\":1", "\"schema\":1,\"chain\":null"), clinic.replace("\\n", "\\u000a"), days.replace("\"chain\"", " \"chain\"")] {
        assert!(matches!(line(&odd).as_slice(), [Line::Entry { as_written: false, .. }]), "{odd}");
    }
}

#[test]
fn day_details_are_read_back_and_nothing_else() {
    let [one, two] = [Digest::from([1; 32]), Digest::from([2; 32])];
    let heads = [("140002".to_owned(), 12, two), (String::new(), 1, one), ("\"б\n".to_owned(), u64::MAX, one)];
    let text = day_details(&heads);
    assert_eq!(
        text,
        format!(
            "{{\"heads\":[{{\"hash\":\"{one}\",\"mo\":\"\",\"seq\":1}},{{\"hash\":\"{one}\",\"mo\":\"\\\"б\\n\",\"seq\":18446744073709551615}},\
             {{\"hash\":\"{two}\",\"mo\":\"140002\",\"seq\":12}}]}}"
        )
    );
    let mut sorted = heads.to_vec();
    sorted.sort();
    assert_eq!(day_heads(&text), Some(sorted));
    assert_eq!((day_details(&[]).as_str(), day_heads("{\"heads\":[]}")), ("{\"heads\":[]}", Some(Vec::new())));
    for (from, to) in [
        ("\"mo\":\"140002\"", "\"mo\":\"\""),
        ("\"seq\":12", "\"seq\":0"),
        ("\"seq\":12", "\"seq\":-1"),
        ("\"seq\":12", "\"seq\":12,\"more\":1"),
        ("{\"heads\"", " {\"heads\""),
        ("\"heads\"", "\"tails\""),
        (two.to_string().as_str(), Digest::NONE.to_string().as_str()),
        (two.to_string().as_str(), "02"),
    ] {
        let other = text.replacen(from, to, 1);
        assert!(other != text && day_heads(&other).is_none(), "{from} → {to}");
    }
    for text in ["", "{}", "null", "[]", "{\"heads\":null}"] {
        assert_eq!(day_heads(text), None, "{text}");
    }
}

#[test]
fn an_entry_is_not_passed_off_as_one_of_another_clinic() {
    // Old 1–9, days 10–12, 140001 at 13–23, 140002 at 24–32.
    let entries = Book::migrated().entries();
    assert_eq!((&entries[12].chain, &entries[23].chain), (&clinic("140001"), &clinic("140002")));
    // Two entries with the same number change places, each with the chain that it had.
    let mut swapped = entries.clone();
    swapped.swap(14, 25);
    assert_eq!(found(&swapped), [of("140001", Fault::Moved { from: 3, to: 3, at: 26 }), of("140002", Fault::Moved { from: 3, to: 3, at: 15 })]);
    // Their content changes places, the chains stay: no hash fits.
    let take_places = |entries: &mut Vec<Entry>| {
        entries.swap(14, 25);
        let chain = entries[14].chain.clone();
        entries[14].chain = std::mem::replace(&mut entries[25].chain, chain);
    };
    let mut passed = entries.clone();
    take_places(&mut passed);
    assert_eq!(found(&passed), [of("140001", Fault::Altered { seq: 3, at: 15 }), of("140002", Fault::Altered { seq: 3, at: 26 })]);
    // They are sealed again: their neighbours link to others.
    let mut sealed = entries.clone();
    take_places(&mut sealed);
    reseal(&mut sealed[14]);
    reseal(&mut sealed[25]);
    assert_eq!(found(&sealed), [of("140001", Fault::Rewritten { seq: 3, at: 15 }), of("140002", Fault::Rewritten { seq: 3, at: 26 })]);
    // One entry is copied into another chain.
    let mut copied = entries.clone();
    copied.insert(26, Entry { chain: clinic("140002"), ..entries[15].clone() });
    let due = [Fault::Inserted { from: 4, to: 4, at: 27 }, Fault::Altered { seq: 4, at: 27 }];
    assert_eq!(found(&copied), due.map(|fault| of("140002", fault)));
    // Only the chain of an entry is changed, whatever it becomes: it is the entry that is altered, and no other chain is blamed.
    for place in [1, 4, 10, 11, 13, 20, 24, 31] {
        for chain in [Chain::Old, Chain::Days, clinic("140001"), clinic("140002"), clinic("140003"), clinic("")] {
            let mut moved = entries.clone();
            if entries[place].chain == chain {
                continue;
            }
            moved[place].chain = chain;
            let own = if matches!(entries[place].chain, Chain::Clinic(_)) { entries[place].chain.mo() } else { entries[place].chain.word() };
            assert_eq!(found(&moved), [of(own, Fault::Altered { seq: entries[place].seq, at: at(place) })]);
        }
    }
}

#[test]
fn a_tail_cut_back_behind_a_day_is_found_without_a_head() {
    // 140001 has 5, 8, 9 at the ends of the three days and 11 now; 140002 has 4, 4, 6 and 9.
    for (mo, ends, length) in [("140001", [5, 8, 9], 11), ("140002", [4, 4, 6], 9)] {
        for left in 0..=length {
            let mut book = Book::migrated();
            book.of_chain(&clinic(mo)).truncate(left);
            let found = found(&book.entries());
            let due = Fault::DayTailCut { from: left as u64 + 1, to: ends[2] as u64, day: day(27), at: 12 };
            assert_eq!(found, if left < ends[2] { vec![of(mo, due)] } else { Vec::new() }, "{mo} {left}");
        }
        // Behind the cut the chain goes on otherwise, well sealed: the first named entry that differs is told, and what is still missing.
        for left in 0..length {
            let mut book = Book::migrated();
            book.of_chain(&clinic(mo)).truncate(left);
            (0..5).for_each(|_| book.add(&clinic(mo)));
            let entries = book.entries();
            let start = entries.iter().position(|e| e.chain == clinic(mo)).expect("there");
            let mut due = Vec::new();
            if let Some((seq, number)) = ends.into_iter().zip(25..).find(|(end, _)| (left + 1..=left + 5).contains(end)) {
                due.push(of(mo, Fault::DayDiffers { seq: seq as u64, day: day(number), at: at(start + seq - 1) }));
            }
            if left + 5 < ends[2] {
                due.insert(0, of(mo, Fault::DayTailCut { from: left as u64 + 6, to: ends[2] as u64, day: day(27), at: 12 }));
            }
            assert_eq!(found(&entries), due, "{mo} {left}");
        }
    }
    // The chain is gone altogether, and so is the chain of days.
    let mut book = Book::migrated();
    book.chains.remove(&clinic("140002"));
    assert_eq!(found(&book.entries()), [of("140002", Fault::DayTailCut { from: 1, to: 6, day: day(27), at: 12 })]);
    book.chains.remove(&Chain::Days);
    assert_eq!(found(&book.entries()), []);
}

#[test]
fn a_later_day_does_not_hide_a_cut() {
    // Between two days the chain is cut back, and the next day names what is left or what was written since.
    for (left, added) in [(3, 0), (3, 1), (3, 2), (3, 4), (0, 9)] {
        let mut book = Book::of(&[]);
        (0..5).for_each(|_| book.add(&clinic("140001")));
        book.day("2026-11-25");
        book.of_chain(&clinic("140001")).truncate(left);
        (0..added).for_each(|_| book.add(&clinic("140001")));
        book.day("2026-11-26");
        let now = left as u64 + added;
        let mut due = Vec::new();
        if now <= 5 {
            due.push(of("140001", Fault::DayBack { seq: now, before: 5, day: day(26), at: 2 }));
        }
        if now < 5 {
            due.insert(0, of("140001", Fault::DayTailCut { from: now + 1, to: 5, day: day(25), at: 1 }));
        } else {
            due.push(of("140001", Fault::DayDiffers { seq: 5, day: day(25), at: 7 }));
        }
        assert_eq!(found(&book.entries()), due, "{left} {added}");
    }
}

#[test]
fn daily_entries_are_a_chain_too() {
    let entries = Book::migrated().entries();
    let days = [9, 10, 11];
    for place in days {
        let mut less = entries.clone();
        less.remove(place);
        let seq = place as u64 - 8;
        // Of a last day that is gone only a head knows.
        let due = if place == 11 { vec![] } else { vec![of("days", Fault::Cut { from: seq, to: seq, at: at(place) })] };
        assert_eq!(found(&less), due);
        let mut altered = entries.clone();
        altered[place].draft.details = day_details(&[]);
        assert_eq!(found(&altered), [of("days", Fault::Altered { seq, at: at(place) })]);
        reseal(&mut altered[place]);
        let due = if place == 11 { vec![] } else { vec![of("days", Fault::Rewritten { seq, at: at(place) })] };
        assert_eq!(found(&altered), due);
    }
    let mut moved = entries.clone();
    moved.swap(9, 11);
    assert!(found(&moved).iter().all(|(chain, fault)| chain == "days" && matches!(fault, Fault::Moved { .. })), "{:?}", found(&moved));
    // Well sealed, but not what a day says.
    for (subject, details) in [("2026-11-31", "{\"heads\":[]}"), ("", "{\"heads\":[]}"), ("2026-11-28", ""), ("2026-11-28", "{\"heads\": []}")] {
        let mut book = Book::migrated();
        let said = Draft { action: DAY.to_owned(), subject: subject.to_owned(), details: details.to_owned(), ..draft(1) };
        book.append(&Chain::Days, said);
        assert_eq!(found(&book.entries()), [of("days", Fault::DayUnreadable { seq: 4, at: 13 })]);
    }
    // A day that names a wrong hash, or a clinic that never was.
    let mut book = Book::migrated();
    let heads = [("140001".to_owned(), 11, Digest::from([7; 32])), ("140009".to_owned(), 2, Digest::from([7; 32]))];
    book.append(&Chain::Days, Draft { action: DAY.to_owned(), subject: "2026-11-28".to_owned(), details: day_details(&heads), ..draft(1) });
    let due = [of("140001", Fault::DayDiffers { seq: 11, day: day(28), at: 24 }), of("140009", Fault::DayTailCut { from: 1, to: 2, day: day(28), at: 13 })];
    assert_eq!(found(&book.entries()), due);
}

#[test]
fn the_old_chain_ends_where_it_was_closed() {
    // Whatever is appended to it, however well sealed.
    for more in 1..4 {
        let mut book = Book::migrated();
        for n in 0..more {
            book.append(&Chain::Old, Draft { action: if n == 1 { MIGRATE } else { "form" }.to_owned(), ..draft(n) });
        }
        assert_eq!(found(&book.entries()), [of("old", Fault::Continued { from: 10, to: 9 + more, at: 10 })]);
        // In a file whose old chain stands last it is no other.
        let turned: Vec<Entry> = book.chains.values().rev().flatten().cloned().collect();
        assert_eq!(found(&turned), [of("old", Fault::Continued { from: 10, to: 9 + more, at: 33 })]);
    }
    // Its end is cut off, or it is gone: all other chains link to an entry that is not there.
    for left in 0..9 {
        let mut book = Book::migrated();
        book.of_chain(&Chain::Old).truncate(left);
        assert_eq!(found(&book.entries()), [of("old", Fault::EndDiffers { at: at(left) })], "{left}");
    }
    // The closing entry is another one.
    let mut book = Book::migrated();
    book.of_chain(&Chain::Old).truncate(8);
    book.append(&Chain::Old, Draft { action: MIGRATE.to_owned(), ..draft(77) });
    assert_eq!(found(&book.entries()), [of("old", Fault::EndDiffers { at: 10 })]);
    // It is damaged: then nothing is said of the others.
    let mut entries = Book::migrated().entries();
    entries[8].draft.user.push('x');
    assert_eq!(found(&entries), [of("old", Fault::Altered { seq: 9, at: 9 })]);
    let text = String::from_utf8(export(&Book::migrated().entries())).expect("UTF-8");
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    lines[8] = "garbage\n";
    let verdict = verify_jsonl(lines.concat().as_bytes(), None).expect("read");
    assert_eq!(found_in(&verdict), [of("old", Fault::Unreadable { at: 9 })]);
}

#[test]
fn a_chain_that_begins_elsewhere_is_found() {
    // One chain was begun anew with another origin, the others were not.
    for (book, origin) in [(Book::migrated(), Digest::NONE), (Book::migrated(), Digest::from([7; 32])), (Book::fresh(), Digest::from([7; 32]))] {
        let mut book = book;
        let other = clinic("140002");
        let written = book.chains.remove(&other).expect("there");
        book.chains.remove(&Chain::Days);
        book.origin = Some(origin);
        for entry in &written {
            book.append(&other, entry.draft.clone());
        }
        let entries = book.entries();
        let start = entries.iter().position(|e| e.chain == other).expect("there");
        assert_eq!(found(&entries), [of("140002", Fault::Detached { seq: 1, at: at(start) })]);
        // A fault further on does not hide it.
        let mut cut = entries.clone();
        cut.remove(start + 3);
        let due = [Fault::Detached { seq: 1, at: at(start) }, Fault::Cut { from: 4, to: 4, at: at(start + 3) }];
        assert_eq!(found(&cut), due.map(|fault| of("140002", fault)));
    }
    // The only chain of a journal was.
    let mut book = Book::beginning_with(Digest::from([7; 32]));
    (0..3).for_each(|_| book.add(&clinic("140001")));
    assert_eq!(found(&book.entries()), [of("140001", Fault::Detached { seq: 1, at: 1 })]);
    // So was the old chain itself.
    let mut book = Book::beginning_with(Digest::from([7; 32]));
    (0..3).for_each(|_| book.add(&Chain::Old));
    assert_eq!(found(&book.entries()), [of("old", Fault::Detached { seq: 1, at: 1 })]);
}

#[test]
fn an_export_of_version_1_still_verifies() {
    // As the program of version 1 wrote it (commit f0c2618, `write_jsonl`).
    let text = "{\"schema\":1,\"seq\":1,\"at\":\"2026-11-25T09:00:00Z\",\"user\":\"иванова\",\"host\":\"mis\",\"role\":\"executor\",\"action\":\"submit\",\
        \"registry\":\"14001-7\",\"subject\":\"\",\"before\":\"formed\",\"after\":\"sent\",\"details\":\"{\\\"sum\\\":1}\",\
        \"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\
        \"hash\":\"b10f1f545ed8f8c57f3da34a08f237977f292ad12f0945569ef7e6d758d00a8e\"}\n\
        {\"schema\":1,\"seq\":2,\"at\":\"2026-11-25T09:00:00Z\",\"user\":\"иванова\",\"host\":\"mis\",\"role\":\"executor\",\"action\":\"submit\",\
        \"registry\":\"14001-7\",\"subject\":\"\",\"before\":\"formed\",\"after\":\"sent\",\"details\":\"{\\\"sum\\\":1}\",\
        \"prev\":\"b10f1f545ed8f8c57f3da34a08f237977f292ad12f0945569ef7e6d758d00a8e\",\
        \"hash\":\"992c1c41f47cfe900067629da62e10412a5827a8e6f3c864837cd7e15a130d8a\"}\n";
    let entries: Vec<Entry> = read_jsonl(text.as_bytes()).map(|l| matches_entry(l.expect("read"))).collect();
    assert!(entries.iter().all(|e| e.chain == Chain::Old));
    assert_eq!(export(&entries), text.as_bytes());
    for end in [text.len(), text.find('\n').expect("there") + 1] {
        let verdict = verify_jsonl(&text.as_bytes()[..end], None).expect("read");
        assert!(verdict.is_sound(), "{verdict:?}");
    }
    let after = text.split_inclusive('\n').nth(1).expect("there");
    assert_eq!(faults_of(&verify_jsonl(after.as_bytes(), None).expect("read")), [Fault::Cut { from: 1, to: 1, at: 1 }]);
}

#[test]
fn an_unreadable_line_belongs_to_the_chain_before_it() {
    let entries = Book::migrated().entries();
    let text = String::from_utf8(export(&entries)).expect("UTF-8");
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let word = |chain: &Chain| if matches!(chain, Chain::Clinic(_)) { chain.mo() } else { chain.word() }.to_owned();
    for place in 0..lines.len() {
        let text = [&lines[..place], &["garbage\n"], &lines[place + 1..]].concat().concat();
        let verdict = verify_jsonl(text.as_bytes(), None).expect("read");
        // The entry that it may have been is not missed, whether it was the last of one chain or the first of the next.
        let of_chain = word(&entries[place.saturating_sub(1)].chain);
        assert_eq!(found_in(&verdict), [of(&of_chain, Fault::Unreadable { at: at(place) })], "{place}");
        assert_eq!(verdict.looked_at, entries.len() as u64);
        assert_eq!(verdict.chains.iter().map(|c| c.verdict.looked_at).sum::<u64>(), verdict.looked_at);
    }
    let verdict = verify_jsonl("a\nb\n".as_bytes(), None).expect("read");
    assert_eq!(found_in(&verdict), [of("old", Fault::Unreadable { at: 1 }), of("old", Fault::Unreadable { at: 2 })]);
    let fresh = String::from_utf8(export(&Book::fresh().entries())).expect("UTF-8");
    let verdict = verify_jsonl(format!("a\nb\n{fresh}").as_bytes(), None).expect("read");
    assert_eq!(found_in(&verdict), [of("days", Fault::Unreadable { at: 1 }), of("days", Fault::Unreadable { at: 2 })]);
}

#[test]
fn daily_entries_of_years_need_little_memory() {
    let mut book = Book::default();
    let (clinics, days) = (30, 100);
    for day in 0..days {
        for mo in 0..clinics {
            // Every third clinic works on a day.
            if (day + mo) % 3 == 0 {
                book.add(&clinic(&format!("{mo:06}")));
            }
        }
        book.day("2026-11-25");
    }
    let entries = book.entries();
    let mut verifier = JournalVerifier::new();
    let mut most = 0;
    for (place, entry) in entries.iter().enumerate() {
        verifier.push(entry);
        if place as u64 + 1 == days {
            // A head that did not change from day to day is kept once.
            assert_eq!(verifier.kept().1, 1000, "every head is due");
        }
        most = most.max(verifier.kept().0);
    }
    let (kept, due, recent) = verifier.kept();
    assert_eq!((kept, due, recent, most), (100, 0, 1000, 100));
    assert!(verifier.finish().is_sound());
}

#[test]
fn days_that_stand_too_late_are_told() {
    let mut book = Book::default();
    (0..10).for_each(|_| book.add(&clinic("140001")));
    book.day("2026-11-25");
    (0..1009).for_each(|_| book.add(&clinic("140001")));
    book.day("2026-11-26");
    assert!(verify(&book.entries()).is_sound());
    let turned: Vec<Entry> = book.chains.values().rev().flatten().cloned().collect();
    assert_eq!(found(&turned), [of("days", Fault::DayLate { day: day(25), at: 1020 })]);
    // One entry less, and the named one is still known.
    book.of_chain(&clinic("140001")).truncate(10);
    book.chains.remove(&Chain::Days);
    book.day("2026-11-25");
    (0..999).for_each(|_| book.add(&clinic("140001")));
    let turned: Vec<Entry> = book.chains.values().rev().flatten().cloned().collect();
    assert!(verify(&turned).is_sound());
    // What differs or is missing is found in this order too.
    for (left, added) in [(9, 0), (9, 1), (9, 5)] {
        let mut other = book.clone();
        other.of_chain(&clinic("140001")).truncate(left);
        (0..added).for_each(|_| other.add(&clinic("140001")));
        let turned: Vec<Entry> = other.chains.values().rev().flatten().cloned().collect();
        let place = at(left + added);
        let due =
            if added == 0 { Fault::DayTailCut { from: 10, to: 10, day: day(25), at: place } } else { Fault::DayDiffers { seq: 10, day: day(25), at: 10 } };
        assert_eq!(found(&turned), [of("140001", due)]);
    }
}

#[test]
fn too_many_chains_do_not_fill_the_memory() {
    let entries: Vec<Entry> = (0..10_005).map(|n| next(&clinic(&format!("{n:06}")), None, draft(n))).collect();
    assert!(verify(&entries[..10_000]).is_sound());
    let verdict = verify(&entries);
    assert_eq!(found_in(&verdict), [of("010000", Fault::TooMany { at: 10_001 })]);
    assert_eq!((verdict.looked_at, verdict.chains.iter().map(|c| c.verdict.looked_at).sum::<u64>()), (10_005, 10_005));
    // A day that names more of them.
    let heads: Vec<_> = entries.iter().map(|e| (e.chain.mo().to_owned(), e.seq, e.hash)).collect();
    let mut book = Book::default();
    book.append(&Chain::Days, Draft { action: DAY.to_owned(), subject: "2026-11-25".to_owned(), details: day_details(&heads), ..draft(1) });
    let named = found(&book.entries());
    assert!(named.contains(&of("days", Fault::TooMany { at: 1 })), "{:?}", named.len());
}
