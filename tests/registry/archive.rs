//! Archives that are hostile or broken end as one fault, soon; honest ones are read as other programs read them.

use std::io::{self, Cursor, Read, Write as _};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use crate::support::forge::{Forged, MAIN, PERSONS, archive, end, end64, package};
use crate::support::soak::tries;
use proptest::prelude::*;
use puomp::finding::Check;
use puomp::registry::archive::{Archive, Limits};
use puomp::registry::fault::Fault;
use puomp::registry::format::Formats;
use puomp::registry::package::{Input, discover};
use puomp::registry::source::Source;
use puomp::tables::RuleFiles;

static FORMATS: LazyLock<Formats> = LazyLock::new(|| Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound"));

/// Everything that can be said of an archive in memory: the bytes of each entry, or the first fault. Within a second.
fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Fault> {
    within_a_second(|| {
        let mut archive = Archive::new(Cursor::new(bytes), &Limits::default())?;
        archive.refuse_nested()?;
        let mut all = Vec::new();
        for index in 0..archive.entries().len() {
            let entry = &archive.entries()[index];
            if !entry.is_folder() {
                let name = entry.name.clone();
                let mut content = Vec::new();
                archive.entry(index)?.read_to_end(&mut content)?;
                all.push((name, content));
            }
        }
        Ok(all)
    })
}

fn within_a_second<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let answer = work();
    let taken = start.elapsed();
    assert!(taken < Duration::from_secs(1), "{taken:?}");
    answer
}

fn check(bytes: &[u8]) -> Check {
    read(bytes).expect_err("hostile").check
}

fn named(name: &str) -> Vec<u8> {
    archive(&[Forged::stored(name, MAIN)])
}

#[test]
fn honest_archives_pass() {
    let stored = Forged::stored("папка/LM140001S14002_19031.xml", PERSONS);
    let stored = Forged { flags: 1 << 11, local_flags: 1 << 11, ..stored };
    let wide = Forged { zip64: true, ..Forged::deflated("HM140001S14002_19031.xml", MAIN) };
    let empty = Forged { method: 8, ..Forged::stored("empty.txt", b"") };
    let all = read(&archive(&[wide, Forged::stored("folder/", b""), stored, empty])).expect("honest");
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["HM140001S14002_19031.xml", "папка/LM140001S14002_19031.xml", "empty.txt"]);
    assert_eq!((all[0].1.as_slice(), all[1].1.as_slice(), all[2].1.len()), (MAIN, PERSONS, 0));
}

#[test]
fn bytes_after_the_archive_and_comments_are_no_harm() {
    let mut bytes = archive(&package());
    bytes.extend([0; 300]);
    assert!(read(&bytes).is_ok());
    let mut bytes = archive(&package());
    let comment = b"an archive of one's own";
    let at = bytes.len() - 2;
    bytes[at..].copy_from_slice(&(comment.len() as u16).to_le_bytes());
    bytes.extend(comment);
    assert!(read(&bytes).is_ok());
}

#[test]
fn a_bomb_by_ratio() {
    let zeros = vec![0; 20 << 20];
    let fault = read(&archive(&[Forged::deflated("HM140001S14002_19031.xml", &zeros)])).expect_err("a bomb");
    assert_eq!((fault.check, fault.expected.as_deref()), (Check::ZipRatio, Some("200")));
    // A small file may shrink as it likes; the same ratio.
    assert!(read(&archive(&[Forged::deflated("a.txt", &zeros[..1 << 20])])).is_ok());
    // Half random, half zeros: under 200 as a whole, but it must not be held against it either.
    let mut seed = 1u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    let mixed: Vec<u8> = noise.take(200 << 10).chain(vec![0; 10 << 20]).collect();
    assert!(read(&archive(&[Forged::deflated("a.txt", &mixed)])).is_ok());
}

#[test]
fn a_bomb_that_lies_about_its_size() {
    let zeros = vec![0; 20 << 20];
    let bomb = Forged::deflated("HM140001S14002_19031.xml", &zeros);
    // The directory looks harmless; the stream is stopped before it hands out what was not declared.
    let fault = read(&archive(&[Forged { size: 1000, ..bomb.clone() }])).expect_err("a lie");
    assert_eq!((fault.check, fault.found.as_deref()), (Check::ZipDamaged, Some("size")));
    // Just under the ratio by the directory, far over it by the stream.
    let fault = read(&archive(&[Forged { size: bomb.packed * 199, ..bomb.clone() }])).expect_err("a lie");
    assert_eq!(fault.check, Check::ZipRatio);
    // More declared than there is.
    let honest = Forged::deflated("HM140001S14002_19031.xml", MAIN);
    assert_eq!(check(&archive(&[Forged { size: honest.size + 1, ..honest.clone() }])), Check::ZipDamaged);
    assert_eq!(check(&archive(&[Forged { size: honest.size - 1, ..honest }])), Check::ZipDamaged);
    let stored = Forged::stored("HM140001S14002_19031.xml", MAIN);
    assert_eq!(check(&archive(&[Forged { size: stored.size + 1, ..stored }])), Check::ZipDamaged);
}

#[test]
fn more_than_four_gibibytes_in_all() {
    let wide = |name: &str, size: u64| Forged { zip64: true, size, ..Forged::deflated(name, MAIN) };
    let fault = read(&archive(&[wide("a.xml", 3 << 30), wide("b.xml", 2 << 30)])).expect_err("too large");
    assert_eq!((fault.check, fault.expected.as_deref(), fault.found.as_deref()), (Check::ZipTotal, Some("4294967296"), Some("5368709120")));
    assert_eq!(check(&archive(&[wide("a.xml", u64::MAX), wide("b.xml", u64::MAX)])), Check::ZipTotal);
    // A stream is held to the total too, whatever its directory said.
    let small = Limits { total: 1 << 20, ..Limits::default() };
    let mut opened = Archive::new(Cursor::new(archive(&[Forged::deflated("a.txt", &[b'a'; 1 << 20])])), &small).expect("at the limit");
    assert_eq!(opened.entry(0).and_then(|mut e| Ok(io::copy(&mut e, &mut io::sink())?)), Ok(1 << 20));
}

#[test]
fn entries_that_share_bytes() {
    // Two entries of the directory at one local header.
    let first = Forged::deflated("HM140001S14002_19031.xml", MAIN);
    let second = Forged { local_at: Some(0), ..Forged::deflated("LM140001S14002_19031.xml", MAIN) };
    assert_eq!(check(&archive(&[first.clone(), second])), Check::ZipOverlap);
    // The first entry quotes the second with its header as its own content.
    let inner = Forged::deflated("b.txt", MAIN);
    let outer = Forged::stored("a.txt", &inner.local());
    let mut bytes = outer.local();
    let inner_at = (bytes.len() - inner.local().len()) as u64;
    let directory = [outer.central(0), inner.central(inner_at)].concat();
    let at = bytes.len() as u32;
    bytes.extend(&directory);
    bytes.extend(end(2, directory.len() as u32, at));
    assert_eq!(check(&bytes), Check::ZipOverlap);
    // An entry that reaches into the directory.
    assert_eq!(check(&archive(&[Forged { packed: first.packed + 10, ..first }])), Check::ZipDamaged);
}

#[test]
fn too_many_entries() {
    let entries: Vec<Forged> = (0..65).map(|n| Forged::stored(&format!("{n}.txt"), b"x")).collect();
    let fault = read(&archive(&entries)).expect_err("too many");
    assert_eq!((fault.check, fault.expected.as_deref(), fault.found.as_deref()), (Check::ZipEntries, Some("64"), Some("65")));
    assert!(read(&archive(&entries[..64])).is_ok());
    // The end record says two.
    let mut bytes = archive(&entries);
    let at = bytes.len() - 14;
    bytes[at..at + 4].copy_from_slice(&[2, 0, 2, 0]);
    assert_eq!(check(&bytes), Check::ZipEntries);
    // The end record says three where two are.
    let mut bytes = archive(&entries[..2]);
    let at = bytes.len() - 14;
    bytes[at..at + 4].copy_from_slice(&[3, 0, 3, 0]);
    assert_eq!(check(&bytes), Check::ZipDamaged);
}

#[test]
fn a_million_entries() {
    let one = Forged::stored("a", b"");
    let local = one.local();
    let central = one.central(0);
    let mut bytes = local;
    let at = bytes.len() as u64;
    for _ in 0..1_000_000 {
        bytes.extend(&central);
    }
    let size = bytes.len() as u64 - at;
    let here = bytes.len() as u64;
    let mut honest = bytes.clone();
    honest.extend(end64(1_000_000, size, at, here));
    let fault = read(&honest).expect_err("too many");
    assert_eq!((fault.check, fault.found.as_deref()), (Check::ZipEntries, Some("1000000")));
    // The plain record cannot count that far: it says 16,960.
    let mut plain = bytes;
    plain.extend(end((1_000_000u32 & 0xFFFF) as u16, size as u32, at as u32));
    assert_eq!(check(&plain), Check::ZipEntries);
    let lying = plain.len() - 14;
    plain[lying..lying + 4].copy_from_slice(&[2, 0, 2, 0]);
    assert_eq!(check(&plain), Check::ZipDamaged);
}

#[test]
fn names_that_lead_out_of_the_folder() {
    for name in [
        "../x.xml",
        "a/../../x.xml",
        "/x.xml",
        "\\x.xml",
        "C:\\x.xml",
        "c:x.xml",
        "..\\x.xml",
        "a/..\\x.xml",
        "\\\\host\\x.xml",
        "x\0.xml",
        "..",
        ". ./x",
        "x.xml:s",
        "",
    ] {
        assert_eq!(check(&named(name)), Check::ZipName, "{name:?}");
    }
    for name in ["x.xml", "a/b/x.xml", "a\\x.xml", "..x.xml", "x..xml"] {
        assert!(read(&named(name)).is_ok(), "{name:?}");
    }
}

#[test]
fn two_entries_of_one_name() {
    for (a, b) in [("a.xml", "a.xml"), ("a.xml", "A.XML"), ("a.xml", "folder/a.xml"), ("x/a.xml", "y\\a.xml")] {
        let fault = read(&archive(&[Forged::stored(a, b"1"), Forged::stored(b, b"2")])).expect_err("twice");
        assert_eq!(fault.check, Check::ZipDuplicate, "{a} {b}");
    }
    // Two folders of one name are one folder.
    let folder = Forged::stored("a/", b"");
    assert!(read(&archive(&[folder.clone(), folder])).is_ok());
}

#[test]
fn archives_inside_archives() {
    let inner = archive(&package());
    for name in ["x.zip", "x.OMS", "a/x.7z", "x.rar"] {
        assert_eq!(check(&archive(&[Forged::stored(name, b"x")])), Check::ZipNested, "{name}");
    }
    let fault = read(&archive(&[Forged::stored("a.txt", b"x"), Forged::stored("HM.xml", &inner)])).expect_err("nested");
    assert_eq!((fault.check, fault.value.as_deref()), (Check::ZipNested, Some("HM.xml")));
    assert_eq!(check(&archive(&[Forged::deflated("HM.xml", &inner)])), Check::ZipNested);
    assert!(read(&archive(&[Forged::deflated("zip.xml", b"PK is no archive")])).is_ok());
}

#[test]
fn locked_or_packed_in_another_way() {
    let entry = Forged::deflated("HM140001S14002_19031.xml", MAIN);
    let spoiled = [
        Forged { flags: 1, local_flags: 1, ..entry.clone() },
        Forged { flags: 1, ..entry.clone() },
        Forged { local_flags: 1, ..entry.clone() },
        Forged { flags: 1 << 13, ..entry.clone() },
        Forged { method: 12, ..entry.clone() },
        Forged { method: 99, ..entry.clone() },
    ];
    for forged in spoiled {
        let fault = read(&archive(&[forged])).expect_err("locked");
        assert_eq!((fault.check, fault.value.as_deref()), (Check::ZipMethod, Some("HM140001S14002_19031.xml")));
    }
    assert!(read(&archive(&[entry])).is_ok());
}

#[test]
fn damage_is_told_after_the_sound_bytes() {
    let text = b"<A>\n".repeat(50_000);
    let honest = Forged::deflated("a.xml", &text);
    let wrong = archive(&[Forged { crc: honest.crc ^ 1, ..honest.clone() }]);
    let mut opened = Archive::new(Cursor::new(&wrong), &Limits::default()).expect("the directory is sound");
    let mut bytes = Vec::new();
    let error = opened.entry(0).expect("there is one").read_to_end(&mut bytes).expect_err("a wrong checksum");
    assert_eq!(bytes, text);
    let fault = Fault::from(error);
    assert_eq!((fault.check, fault.found.as_deref(), fault.value.as_deref()), (Check::ZipDamaged, Some("CRC-32"), Some("a.xml")));
    // Bytes after the end of the packed data; packed data that ends early.
    let mut longer = honest.clone();
    longer.data.push(0);
    longer.packed += 1;
    assert_eq!(check(&archive(&[longer])), Check::ZipDamaged);
    let mut shorter = honest;
    shorter.data.pop();
    shorter.packed -= 1;
    assert_eq!(check(&archive(&[shorter])), Check::ZipDamaged);
}

#[test]
fn directories_that_point_nowhere() {
    let entry = Forged::deflated("a.xml", MAIN);
    assert_eq!(check(&archive(&[Forged { local_at: Some(5), ..entry.clone() }])), Check::ZipDamaged);
    assert_eq!(check(&archive(&[Forged { local_at: Some(1 << 30), ..entry.clone() }])), Check::ZipDamaged);
    assert_eq!(check(&archive(&[Forged { local_name: b"b.xml".to_vec(), ..entry.clone() }])), Check::ZipDamaged);
    for record in [end(1, 100, 0), end(1, 0, 0), end(1, u32::MAX - 1, 0), end(1, 0, u32::MAX), end(u16::MAX, 0, 0)] {
        let fault = read(&[entry.local(), record.clone()].concat());
        assert!(matches!(&fault, Err(f) if f.check == Check::ZipDamaged), "{record:?} {fault:?}");
    }
    for (size, at, here) in [(u64::MAX, 0, 0), (0, u64::MAX, 0), (0, 0, u64::MAX), (0, 0, 1 << 40), (60, 0, 0)] {
        assert_eq!(check(&end64(1, size, at, here)), Check::ZipDamaged, "{size} {at} {here}");
    }
    let mut volumes = archive(&[entry]);
    let at = volumes.len() - 18;
    volumes[at] = 3;
    assert_eq!(check(&volumes), Check::ZipDamaged);
}

#[test]
fn cut_archives() {
    let bytes = archive(&package());
    for cut in (0..bytes.len()).step_by(7) {
        assert_eq!(check(&bytes[..cut]), Check::ZipDamaged, "{cut}");
    }
    assert!(read(&bytes).is_ok());
}

#[test]
fn cut_archives_as_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = archive(&package());
    let cuts: Vec<usize> = (0..bytes.len()).step_by(7).collect();
    for cut in &cuts {
        std::fs::write(folder.path().join(format!("{cut:05}.zip")), &bytes[..*cut]).expect("written");
    }
    std::fs::write(folder.path().join("whole.zip"), &bytes).expect("written");
    std::fs::write(folder.path().join("zero.zip"), archive(&[])).expect("written");
    let packages = within_a_second(|| discover(&[Input::named(folder.path())], &FORMATS, &Limits::default()));
    assert_eq!(packages.len(), cuts.len() + 2);
    for package in &packages[..cuts.len()] {
        let checks: Vec<Check> = package.faults.iter().map(|f| f.check).collect();
        assert!(matches!(checks.as_slice(), [Check::ZipDamaged | Check::EmptyFile]), "{package:?}");
        assert!(package.main.is_none() && package.persons.is_none());
    }
    let [whole, zero] = &packages[cuts.len()..] else { panic!("two are left") };
    assert!(whole.faults.is_empty() && whole.main.is_some() && whole.persons.is_some());
    assert_eq!(zero.faults, [Fault::new(Check::NoMainFile)]);
}

#[test]
fn hostile_files_are_packages_with_one_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let bomb = Forged::deflated("HM140001S14002_19031.xml", &vec![0; 20 << 20]);
    let cases = [
        ("bomb", archive(std::slice::from_ref(&bomb)), Check::ZipRatio),
        ("liar", archive(&[Forged { size: 1000, ..bomb }]), Check::ZipDamaged),
        ("name", named("../HM140001S14002_19031.xml"), Check::ZipName),
        ("nested", archive(&[Forged::stored("HM140001S14002_19031.xml", &archive(&package()))]), Check::ZipNested),
    ];
    for (name, bytes, _) in &cases {
        std::fs::write(folder.path().join(name), bytes).expect("written");
    }
    for (name, _, check) in cases {
        let packages = within_a_second(|| discover(&[Input::named(folder.path().join(name))], &FORMATS, &Limits::default()));
        let [package] = packages.as_slice() else { panic!("{packages:?}") };
        assert!(package.main.is_none() && matches!(package.faults.as_slice(), [fault] if fault.check == check), "{name} {package:?}");
    }
}

#[test]
fn an_archive_that_changes_after_the_first_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.zip");
    std::fs::write(&path, archive(&package())).expect("written");
    let source = Source::Entry { archive: path.clone(), index: 1, name: "LM140001S14002_19031.xml".to_owned() };
    let mut bytes = Vec::new();
    source.open().expect("opens").read_to_end(&mut bytes).expect("reads");
    assert_eq!(bytes, PERSONS);
    std::fs::write(&path, archive(&package()[..1])).expect("written");
    let error = source.open().map(|_| ()).expect_err("the entry is gone");
    assert_eq!(Fault::from(error).check, Check::ZipDamaged);
}

/// What another implementation writes: streamed (sizes after the data), with zip64 fields, stored or deflated.
fn written_by_zip(entries: &[(String, Vec<u8>, bool, bool)], streamed: bool) -> Vec<u8> {
    fn fill<W: io::Write + io::Seek>(mut writer: zip::ZipWriter<W>, entries: &[(String, Vec<u8>, bool, bool)]) -> W {
        for (name, bytes, stored, large) in entries {
            let method = if *stored { zip::CompressionMethod::Stored } else { zip::CompressionMethod::Deflated };
            let options = zip::write::SimpleFileOptions::default().compression_method(method).large_file(*large);
            writer.start_file(name.as_str(), options).expect("started");
            writer.write_all(bytes).expect("written");
        }
        writer.finish().expect("finished")
    }
    if streamed {
        fill(zip::ZipWriter::new_stream(Vec::new()), entries).into_inner()
    } else {
        fill(zip::ZipWriter::new(Cursor::new(Vec::new())), entries).into_inner()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(tries(200) as u32))]

    #[test]
    fn what_others_write_is_read_alike(
        contents in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..5000), 1..40usize, any::<bool>(), any::<bool>()), 0..6),
        streamed in any::<bool>(),
    ) {
        let entries: Vec<_> = contents.into_iter().enumerate().map(|(n, (bytes, times, stored, large))| (format!("файл {n}.xml"), [b"<", &*bytes.repeat(times)].concat(), stored, large)).collect();
        let expected: Vec<_> = entries.iter().map(|(name, bytes, ..)| (name.clone(), bytes.clone())).collect();
        prop_assert_eq!(read(&written_by_zip(&entries, streamed)), Ok(expected));
    }

    #[test]
    fn any_bytes_are_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&bytes);
        let _ = read(&[bytes.as_slice(), &end(1, bytes.len() as u32, 0)].concat());
    }

    #[test]
    fn any_spoiled_archive_is_an_answer(changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..6)) {
        let mut bytes = archive(&package());
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = read(&bytes);
    }
}

#[test]
fn every_flipped_byte_is_an_answer() {
    let bytes = archive(&package());
    let honest = read(&bytes).expect("honest");
    for at in 0..bytes.len() {
        let mut spoiled = bytes.clone();
        spoiled[at] ^= 0xFF;
        // Content that differs is never handed out as sound; dates and versions may differ.
        if let Ok(all) = read(&spoiled) {
            let contents = |all: &[(String, Vec<u8>)]| all.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
            assert_eq!(contents(&all), contents(&honest), "{at}");
        }
    }
}
