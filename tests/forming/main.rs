//! Registries formed of packages: nothing in them is found wrong, nothing is lost, and nothing else is changed.

#[path = "../support"]
mod support {
    pub(crate) mod forming;
}

use puomp::generate::Packing;
use puomp::registry::encoding::Encoding;
use puomp::registry::writer::Layout;

use puomp::forming::{FormError, Piece};
use puomp::texts::{Lang, Texts, plain};

use support::forming::{Kind, Way, bytes, cases, edit, edited, form, form_as, heading, origin, package, same, values};

const KINDS: &[Kind] = &[
    Kind('H', "2.1", "2017-05"),
    Kind('H', "3.0", "2018-06"),
    Kind('H', "3.1", "2021-02"),
    Kind('H', "3.2", "2022-04"),
    Kind('H', "4.0", "2024-05"),
    Kind('H', "5.0", "2025-03"),
    Kind('H', "6.0", "2026-02"),
    Kind('C', "3.1", "2019-12"),
    Kind('C', "4.0", "2024-06"),
    Kind('C', "5.1", "2025-09"),
    Kind('C', "6.0", "2026-01"),
    Kind('T', "2.1", "2016-11"),
    Kind('T', "3.0", "2018-03"),
    Kind('T', "3.1", "2022-10"),
    Kind('T', "5.1", "2025-08"),
    Kind('T', "6.0", "2026-03"),
    Kind('D', "2.1", "2017-09"),
    Kind('D', "3.0", "2018-10"),
    Kind('D', "3.1-2020-04", "2020-12"),
    Kind('D', "3.1-2021-08", "2023-07"),
    Kind('D', "5.0", "2025-06"),
    Kind('D', "6.0", "2026-02"),
];

#[test]
fn all_cases_and_half_of_them_in_every_family_and_edition() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in KINDS {
        let origins = [origin(&package(folder.path(), *kind, Way::new(40, 7, 1)))];
        let all = cases(0, &origins[0], *kind);
        assert!(all.len() >= 40, "{kind:?}");
        let registry = form(*kind, &origins, &all).unwrap_or_else(|e| panic!("{kind:?} {e}"));
        registry.must_be_clean(&all);
        let half: Vec<_> = all.iter().step_by(2).cloned().collect();
        let registry = form(*kind, &origins, &half).expect("formed");
        registry.must_be_clean(&half);
        let again = form(*kind, &origins, &half).expect("formed");
        assert!(registry.bytes == again.bytes, "{kind:?}: the same bytes");
    }
}

const H: Kind = Kind('H', "3.1", "2021-02");

/// Cases of several packages, in order.
fn all_of(origins: &[puomp::forming::Origin], kind: Kind) -> Vec<Piece> {
    origins.iter().enumerate().flat_map(|(i, o)| cases(i, o, kind)).collect()
}

#[test]
fn packages_whose_numbers_and_persons_clash() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in [H, Kind('D', "2.1", "2017-09"), Kind('C', "6.0", "2026-01")] {
        let first = origin(&package(folder.path(), kind, Way::new(30, 1, 1)));
        let text = |o: &puomp::forming::Origin| Encoding::Windows1251.decode(&bytes(o.persons.as_ref().expect("persons"))).into_owned();
        let taken = values(&text(&first), "ID_PAC")[4].to_owned();
        // Somebody else has the ID_PAC of the first package's fifth person.
        let second = edited(folder.path(), kind, Way::new(30, 2, 2), same, same);
        let own = values(&text(&second), "ID_PAC")[7].to_owned();
        let rename = |t: &str| t.replace(&format!("<ID_PAC>{own}<"), &format!("<ID_PAC>{taken}<"));
        edit(&second.main, rename);
        edit(second.persons.as_ref().expect("persons"), rename);
        let origins = [first, second];
        let pieces = all_of(&origins, kind);
        let registry = form(kind, &origins, &pieces).expect("formed");
        registry.must_be_clean(&pieces);
        let (main, persons) = registry.texts();
        let new = format!("{}-2", &taken[..taken.len().min(34)]);
        let of_persons = values(&persons, "ID_PAC");
        assert_eq!((of_persons.iter().filter(|id| **id == new).count(), of_persons.iter().filter(|id| **id == taken).count()), (1, 1));
        assert_eq!(of_persons.len() as u64, registry.formed.persons);
        let in_main = values(&main, "ID_PAC").iter().filter(|id| **id == new).count();
        assert!(in_main > 0, "{kind:?}");
        assert_eq!(registry.numbers.iter().filter(|n| n.id_pac.as_deref() == Some(new.as_str())).count(), in_main);
        // People of another seed have ID_PAC of their own.
        let firsts = text(&origins[0]);
        let firsts = values(&firsts, "ID_PAC");
        let seconds = Encoding::Windows1251.decode(&bytes(&origins[1].main)).into_owned();
        let clashing = values(&seconds, "ID_PAC").iter().filter(|id| firsts.contains(id)).count();
        assert_eq!(registry.numbers.iter().filter(|n| n.id_pac.is_some()).count(), clashing, "nobody else is renamed");
        assert_eq!(values(&main, "N_ZAP"), (1..=pieces.len()).map(|n| n.to_string()).collect::<Vec<_>>());
        assert_eq!((registry.numbers[30].n_zap, registry.numbers[30].idcase), (31, 31));
    }
}

#[test]
fn one_person_in_two_packages_is_one_entry() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = edited(folder.path(), H, Way::new(20, 5, 1), same, same);
    let count = values(&Encoding::Windows1251.decode(&bytes(first.persons.as_ref().expect("persons"))), "ID_PAC").len();
    // The same people in the next packet; of one the place of birth is not known, of one it is told otherwise, one has another ID_PAC.
    let second = edited(folder.path(), H, Way::new(20, 5, 2), same, same);
    let persons = second.persons.as_ref().expect("persons");
    let text = Encoding::Windows1251.decode(&bytes(persons)).into_owned();
    let entries: Vec<&str> = text.split("<PERS>").skip(1).collect();
    let with = |element: &str, not: &[usize]| (0..entries.len()).find(|i| !not.contains(i) && entries[*i].contains(&format!("<{element}>"))).expect("somebody");
    let (poorer, other, moved) = (with("SNILS", &[]), with("SNILS", &[with("SNILS", &[])]), entries.len() - 1);
    assert!(poorer != other && other != moved && poorer != moved);
    let old_id = values(entries[moved], "ID_PAC")[0];
    let snils = |i: usize| format!("<SNILS>{}</SNILS>\r\n", values(entries[i], "SNILS")[0]);
    edit(persons, |t| {
        let t = t.replace(&snils(poorer), "").replace(&snils(other), "<SNILS>000-000-000 00</SNILS>\r\n");
        t.replace(&format!("<ID_PAC>{old_id}<"), "<ID_PAC>other-card<")
    });
    edit(&second.main, |t| t.replace(&format!("<ID_PAC>{old_id}<"), "<ID_PAC>other-card<"));
    let origins = [first, second];
    let pieces = all_of(&origins, H);
    let registry = form(H, &origins, &pieces).expect("formed");
    registry.must_be_clean(&pieces);
    let (main, persons) = registry.texts();
    assert_eq!((registry.formed.persons as usize, values(&persons, "ID_PAC").len()), (count, count));
    assert!(persons.contains(&snils(poorer)), "who says more is kept");
    assert!(!persons.contains(&snils(other)) && persons.contains("<SNILS>000-000-000 00</SNILS>"), "the later of equals is kept");
    assert!(!persons.contains("other-card") && !main.contains("other-card"), "one card of two that say the same");
    assert!(registry.numbers.iter().any(|n| n.piece >= 20 && n.id_pac.as_deref() == Some(old_id)));
}

#[test]
fn the_same_cases_give_the_same_bytes_however_they_came() {
    let folder = tempfile::tempdir().expect("a folder");
    let way = Way::new(700, 3, 1);
    let mut archives = Vec::new();
    for (i, way) in [way, Way { packing: Packing::Plain, ..way }, Way { encoding: Encoding::Utf8, ..way }].into_iter().enumerate() {
        let origins = [origin(&package(&folder.path().join(i.to_string()), H, way))];
        let pieces = cases(0, &origins[0], H);
        for threads in [1, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            archives.push(pool.install(|| form(H, &origins, &pieces)).expect("formed"));
        }
    }
    assert!(archives[..4].windows(2).all(|a| a[0].bytes == a[1].bytes), "zipped and plain; one thread and five");
    // Longer in UTF-8, they are packed in other pieces.
    assert!(archives[4].bytes == archives[5].bytes && archives[4].texts() == archives[0].texts());
    let compact = [origin(&package(&folder.path().join("compact"), H, Way { layout: Layout::Compact, ..way }))];
    let pieces = cases(0, &compact[0], H);
    form(H, &compact, &pieces).expect("formed").must_be_clean(&pieces);
}

#[test]
fn a_mark_of_utf_8_counts_in_offsets() {
    let folder = tempfile::tempdir().expect("a folder");
    let origins = [origin(&package(folder.path(), H, Way { encoding: Encoding::Utf8, packing: Packing::Plain, ..Way::new(9, 3, 1) }))];
    let plain = form(H, &origins, &cases(0, &origins[0], H)).expect("formed").bytes;
    for source in [&origins[0].main, origins[0].persons.as_ref().expect("persons")] {
        let path = source.container();
        std::fs::write(path, [b"\xEF\xBB\xBF".as_slice(), &std::fs::read(path).expect("read")].concat()).expect("written");
    }
    let pieces = cases(0, &origins[0], H);
    assert!(form(H, &origins, &pieces).expect("formed").bytes == plain);
}

/// Where a clinic lets files in the encoding of DOS pass, its registries are in windows-1251 all the same.
#[test]
fn files_in_cp866_are_formed_in_windows_1251() {
    let folder = tempfile::tempdir().expect("a folder");
    let origins = [origin(&package(folder.path(), H, Way { packing: Packing::Plain, ..Way::new(9, 3, 1) }))];
    let pieces = cases(0, &origins[0], H);
    let right = form(H, &origins, &pieces).expect("formed").bytes;
    // The main file has one word alone, which is no proof of another encoding.
    let persons = origins[0].persons.as_ref().expect("persons");
    let text = Encoding::Windows1251.decode(&bytes(persons)).into_owned();
    std::fs::write(persons.container(), encoding_rs::IBM866.encode(&text).0).expect("written");
    assert!(form(H, &origins, &pieces).expect("formed").bytes == right);
}

#[test]
fn comments_character_data_and_references_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let spoil = |t: &str| {
        let t = t.replace("<PR_NOV>0</PR_NOV>", "<!-- </ZAP><Z_SL><IDCASE>9</IDCASE> --><PR_NOV><![CDATA[0]]></PR_NOV>");
        t.replace("<NHISTORY>", "<NHISTORY>&#x31;<?p </ZAP>?>").replace("<IDCASE>", "<IDCASE >").replace("<N_ZAP>", "<N_ZAP>&#48;")
    };
    let origins = [edited(folder.path(), H, Way::new(25, 4, 1), spoil, same)];
    let pieces = cases(0, &origins[0], H);
    assert_eq!(pieces.len(), 25);
    let registry = form(H, &origins, &pieces).expect("formed");
    registry.must_be_clean(&pieces);
    let (main, _) = registry.texts();
    assert_eq!(main.matches("<!-- </ZAP><Z_SL><IDCASE >9</IDCASE> --><PR_NOV><![CDATA[0]]></PR_NOV>").count(), 25);
    assert_eq!(main.matches("<NHISTORY>&#x31;<?p </ZAP>?>").count(), main.matches("<NHISTORY>").count());
    assert_eq!(values(&main, "N_ZAP")[8], "9", "not &#48;9");
}

#[test]
fn what_an_answer_put_in_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let sanction = "<SANK>\r\n<S_CODE>a</S_CODE>\r\n<S_SUM>1.00</S_SUM>\r\n<S_TIP>1</S_TIP>\r\n</SANK>\r\n";
    for kind in [H, Kind('H', "3.0", "2018-06"), Kind('H', "2.1", "2017-05"), Kind('T', "6.0", "2026-03")] {
        let clean = edited(&folder.path().join("clean"), kind, Way::new(12, 6, 1), same, same);
        let pieces = cases(0, &clean, kind);
        let plain = form(kind, &[clean], &pieces).expect("formed").bytes;
        let answered = |t: &str| {
            let head = "<SUMMAP>1.00</SUMMAP>\r\n<SANK_MEK>1.00</SANK_MEK>\r\n<SANK_MEE>0.00</SANK_MEE>\r\n<SANK_EKMP>0.00</SANK_EKMP>\r\n</SCHET>";
            let t = t.replace("</SCHET>", head);
            if kind.1 == "3.0" {
                return t
                    .replace("</SL>", &format!("{sanction}</SL>"))
                    .replace("</SUMV>\r\n", "</SUMV>\r\n<OPLATA>1</OPLATA>\r\n<SUMP>1.00</SUMP>\r\n<SANK_IT>0.00</SANK_IT>\r\n");
            }
            t.replace("</SUMV>\r\n", &format!("</SUMV>\r\n  <OPLATA>3</OPLATA>\r\n\t<SUMP/>\r\n{sanction}{sanction}<SANK_IT>1.00</SANK_IT>\r\n"))
        };
        let origins = [edited(&folder.path().join("answered"), kind, Way::new(12, 6, 1), answered, same)];
        let pieces = cases(0, &origins[0], kind);
        let registry = form(kind, &origins, &pieces).expect("formed");
        registry.must_be_clean(&pieces);
        assert!(registry.bytes == plain, "{kind:?}");
    }
}

#[test]
fn cases_of_one_record_of_2_1_stay_in_one_record() {
    let kind = Kind('H', "2.1", "2017-05");
    let folder = tempfile::tempdir().expect("a folder");
    // The cases of each three records in the first of them; the others go.
    let join = |t: &str| {
        let (head, rest) = t.split_at(t.find("<ZAP>").expect("records"));
        let (records, tail) = rest.split_at(rest.rfind("</ZAP>").expect("records") + 6);
        let records: Vec<&str> = records.split("</ZAP>").filter(|r| r.contains("<ZAP>")).collect();
        let cases = |r: &&str| r[r.find("<SLUCH>").expect("a case")..].to_owned();
        let joined = records.chunks(3).map(|three| format!("{}{}</ZAP>", three[0], three[1..].iter().map(cases).collect::<String>()));
        format!("{head}{}{tail}", joined.collect::<String>())
    };
    let origins = [edited(folder.path(), kind, Way::new(30, 8, 1), join, same)];
    let all = cases(0, &origins[0], kind);
    assert_eq!(all.len(), 30);
    let registry = form(kind, &origins, &all).expect("formed");
    assert_eq!((registry.formed.records, registry.formed.cases), (10, 30));
    assert_eq!(registry.numbers.iter().map(|n| n.n_zap).collect::<Vec<_>>(), (0..30).map(|i| i / 3 + 1).collect::<Vec<_>>());
    let chosen: Vec<Piece> = all.iter().enumerate().filter(|(i, _)| i % 3 != 1).map(|(_, p)| p.clone()).collect();
    let registry = form(kind, &origins, &chosen).expect("formed");
    assert_eq!((registry.formed.records, registry.formed.cases), (10, 20));
    let (main, _) = registry.texts();
    assert_eq!(values(&main, "IDCASE"), (1..=20).map(|n| n.to_string()).collect::<Vec<_>>());
    let old = Encoding::Windows1251.decode(&bytes(&origins[0].main)).into_owned();
    let histories = |text: &str| values(text, "NHISTORY").iter().map(|h| (*h).to_owned()).collect::<Vec<_>>();
    let wanted: Vec<String> = histories(&old).into_iter().enumerate().filter(|(i, _)| i % 3 != 1).map(|(_, h)| h).collect();
    assert_eq!(histories(&main), wanted, "the chosen cases and no others");
}

#[test]
fn two_cases_in_a_record_that_may_hold_one_get_a_record_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let double = |t: &str| {
        let from = t.find("<Z_SL>\r\n<IDCASE>").expect("a case");
        let to = t[from..].find("</ZAP>").expect("a record") + from;
        format!("{}{}{}", &t[..to], &t[from..to], &t[to..])
    };
    let origins = [edited(folder.path(), H, Way::new(3, 8, 1), double, same)];
    let pieces = cases(0, &origins[0], H);
    assert_eq!((pieces.len(), &pieces[0].place.record), (4, &pieces[1].place.record));
    let registry = form(H, &origins, &pieces).expect("formed");
    registry.must_be_clean(&pieces);
    assert_eq!(registry.formed.records, 4);
}

#[test]
fn a_character_that_windows_1251_lacks_is_named_without_the_value() {
    let folder = tempfile::tempdir().expect("a folder");
    let way = Way { encoding: Encoding::Utf8, packing: Packing::Plain, ..Way::new(10, 3, 1) };
    let origins = [origin(&package(folder.path(), H, way))];
    let persons = origins[0].persons.as_ref().expect("persons");
    let text = String::from_utf8(bytes(persons)).expect("UTF-8");
    let (id, surname) = (values(&text, "ID_PAC")[3].to_owned(), values(&text, "FAM")[3].to_owned());
    let at = text.find(&format!("<ID_PAC>{id}")).expect("stands");
    let at = at + text[at..].find("<FAM>").expect("stands") + 5;
    std::fs::write(persons.container(), format!("{}Ө{}", &text[..at], &text[at..])).expect("written");
    let error = form(H, &origins, &cases(0, &origins[0], H)).err().expect("refused");
    let said = error.to_string();
    let FormError::Character { record, element, offset, code, .. } = error else { panic!("{said}") };
    assert_eq!((record, element.as_str(), offset, code.as_str()), (id, "FAM", at as u64, "U+04E8"));
    assert!(!said.contains(&surname));
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let new = |seed, packet| edited(folder.path(), H, Way::new(10, seed, packet), same, same);
    let refused = |origins: &[puomp::forming::Origin], pieces: &[Piece]| plain(&form(H, origins, pieces).err().expect("refused"));
    let origins = [new(1, 1)];
    let pieces = cases(0, &origins[0], H);
    assert_eq!(refused(&origins, &[]), "form.empty");
    assert_eq!(refused(&origins, &[pieces[1].clone(), pieces[0].clone()]), "form.order piece=1");
    assert_eq!(refused(&origins, &[pieces[1].clone(), pieces[1].clone()]), "form.order piece=1");
    let with = |change: &dyn Fn(&mut Piece)| {
        let mut pieces = pieces.clone();
        change(&mut pieces[4]);
        pieces
    };
    assert!(refused(&origins, &with(&|p| p.place.person = None)).starts_with("form.no-person file=HM"));
    assert!(refused(&origins, &with(&|p| p.sum_kopecks += 1)).starts_with("form.sum file=HM"));
    assert!(refused(&origins, &with(&|p| p.place.case.start += 1)).starts_with("form.changed file=HM"));
    assert!(refused(&origins, &with(&|p| p.place.record.start -= 1)).starts_with("form.changed"));
    assert_eq!(refused(&origins, &with(&|p| p.place.record.start -= 3)), "form.order piece=4");
    let stranger = pieces.iter().find(|p| p.place.person != pieces[4].place.person).expect("somebody else").place.person.clone();
    assert!(refused(&origins, &with(&|p| p.place.person = stranger.clone())).starts_with("form.person-differs file=HM"));

    let mut title = heading(&origins, H);
    title.number = "1234567890123456".to_owned();
    assert_eq!(plain(&form_as(H, &title, &origins, &pieces).err().expect("refused")), "form.heading element=NSCHET value=1234567890123456 expected=T(15)");
    title.name.letters = "Q".to_owned();
    title.name.family = None;
    assert_eq!(plain(&form_as(H, &title, &origins, &pieces).err().expect("refused")), "form.letters letters=Q");
    let other = Kind('H', "3.2", "2022-04");
    let told = plain(&form(other, &origins, &pieces).err().expect("refused"));
    assert!(told.starts_with("form.edition file=HM") && told.ends_with("found=3.1 expected=3.2"), "{told}");

    // Of two clinics.
    let both = [new(1, 1), new(2, 2)];
    edit(&both[1].main, |t| t.replace("<CODE_MO>140001<", "<CODE_MO>140002<"));
    let told = refused(&both, &all_of(&both, H));
    assert!(told.starts_with("form.binding file=HM") && told.ends_with("element=CODE_MO found=140002 expected=140001"), "{told}");

    // The file is another one than when its cases were found.
    edit(&origins[0].main, |t| t.replacen("<N_ZAP>3<", "<N_ZAP>33<", 1));
    assert!(refused(&origins, &pieces).starts_with("form.changed file=HM"));
    edit(&origins[0].main, |t| t[..t.len() / 2].to_owned());
    assert!(refused(&origins, &pieces).starts_with("form.changed file=HM"));
    std::fs::remove_file(origins[0].main.container()).expect("removed");
    assert!(refused(&origins, &pieces).starts_with("form.origin file=HM"));
}

#[test]
fn who_is_told_the_numbers_can_stop_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let origins = [origin(&package(folder.path(), H, Way::new(10, 1, 1)))];
    let pieces = cases(0, &origins[0], H);
    let title = heading(&origins, H);
    let order = puomp::forming::Order { format: H.format(), persons: Some(H.persons()), heading: &title, origins: &origins, pieces: &pieces.as_slice() };
    let mut out = Vec::new();
    let stopped = support::forming::write(&order, &mut out, |_| Err(std::io::ErrorKind::Interrupted.into()));
    assert!(matches!(stopped, Err(FormError::Write(_))) && out.is_empty());
}

#[test]
fn every_error_has_its_text_in_both_languages() {
    use puomp::registry::fault::Fault;
    let file = || "HM140001S14002_21021.xml".to_owned();
    let text = || "1".to_owned();
    let place = |error: fn(String, u64) -> FormError| error(file(), 7);
    let errors = [
        FormError::Table(puomp::tables::TableError::new("forms/forming.csv", 2, "broken")),
        FormError::Empty,
        FormError::Letters { letters: text() },
        FormError::Origin { file: file(), fault: Fault::new(puomp::finding::Check::NotFound) },
        place(|file, offset| FormError::Changed { file, offset }),
        FormError::Order { piece: 1 },
        FormError::Edition { file: file(), found: text(), expected: text() },
        FormError::Binding { file: file(), first: file().into(), element: text().into(), found: text(), expected: text() },
        place(|file, offset| FormError::NoPerson { file, offset }),
        place(|file, offset| FormError::PersonDiffers { file, offset }),
        FormError::Sum { file: file(), offset: 7, expected: 100, found: text() },
        FormError::Element { file: file(), offset: 7, element: text(), format: text() },
        FormError::Character { file: file(), record: text(), element: text(), offset: 7, code: text() },
        FormError::Heading { element: text(), value: text(), expected: text() },
        FormError::TooMany { cases: 7 },
        place(|file, offset| FormError::IdPac { file, offset }),
        FormError::Write(std::io::ErrorKind::StorageFull.into()),
    ];
    let texts = Texts::load(&support::forming::DESK.files).expect("sound");
    for error in errors {
        for lang in [Lang::Ru, Lang::En] {
            let said = texts.error(&error, lang);
            assert!(!said.contains('{'), "{said}");
        }
    }
}

/// Time and memory of a large registry; run by hand:
/// `FORMING_CASES=100000 cargo test --release --test forming -- --ignored --nocapture`.
#[test]
#[expect(clippy::print_stdout, reason = "what was measured is the result")]
#[ignore = "a measurement of seconds to minutes, not a proof"]
fn speed() {
    use std::time::Instant;
    let count = std::env::var("FORMING_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a folder");
    for packing in [Packing::Zip, Packing::Plain] {
        let origins = [origin(&package(folder.path(), H, Way { packing, ..Way::new(count, 1, 1) }))];
        let pieces = cases(0, &origins[0], H);
        let title = heading(&origins, H);
        for chosen in [pieces.clone(), pieces.iter().step_by(2).cloned().collect(), pieces.iter().step_by(97).cloned().collect()] {
            let order =
                puomp::forming::Order { format: H.format(), persons: Some(H.persons()), heading: &title, origins: &origins, pieces: &chosen.as_slice() };
            for _ in 0..3 {
                support::forming::forget_peak();
                let before = support::forming::memory("VmRSS");
                let mut file = std::fs::File::create(folder.path().join("out.zip")).expect("a file");
                let start = Instant::now();
                let formed = support::forming::write(&order, &mut file, |_| Ok(())).expect("formed");
                let time = start.elapsed().as_secs_f64();
                let packed = file.metadata().expect("there").len();
                println!(
                    "{packing:?} {} cases of {count}: {time:.3} s, {} MB in, {:.1} MB packed, peak +{} MB",
                    formed.cases,
                    formed.bytes >> 20,
                    packed as f64 / 1e6,
                    (support::forming::memory("VmHWM") - before) >> 10
                );
            }
        }
        if packing == Packing::Plain {
            let main = bytes(&origins[0].main);
            let part = &main[..main.len().min(64 << 20)];
            for level in 1..=6 {
                let start = Instant::now();
                let packed: usize = part.chunks(512 << 10).map(|c| deflated(c, level)).sum();
                println!(
                    "level {level}: {:.0} MB/s, to {:.1} %",
                    part.len() as f64 / 1e6 / start.elapsed().as_secs_f64(),
                    packed as f64 * 100.0 / part.len() as f64
                );
            }
        }
    }
}

fn deflated(bytes: &[u8], level: u32) -> usize {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::new(level));
    std::io::Write::write_all(&mut encoder, bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it").len()
}
