//! Hostile archives end within 64 MB, counted in a process of its own.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use crate::support::forge::{Forged, MAIN, archive, end, end64};
use crate::support::process::{is_run_alone, peak};
use puomp::registry::archive::Limits;
use puomp::registry::format::Formats;
use puomp::registry::package::{Input, discover};
use puomp::tables::RuleFiles;

fn deflated_zeros(size: u64) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut io::Read::take(io::repeat(0), size), &mut encoder).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

fn a_million_entries(path: &Path, counted: bool) {
    let mut file = io::BufWriter::new(File::create(path).expect("created"));
    let one = Forged::stored("a", b"");
    let (local, central) = (one.local(), one.central(0));
    file.write_all(&local).expect("written");
    for _ in 0..1_000_000 {
        file.write_all(&central).expect("written");
    }
    let (at, size) = (local.len() as u64, central.len() as u64 * 1_000_000);
    let tail = if counted { end64(1_000_000, size, at, at + size) } else { end(2, size as u32, at as u32) };
    file.write_all(&tail).expect("written");
}

#[test]
fn hostile_archives_end_within_64_megabytes() {
    if is_run_alone(hostile_archives_end_within_64_megabytes) {
        return;
    }
    let formats = Formats::load(&RuleFiles::embedded()).expect("the built-in tables are sound");
    let folder = tempfile::tempdir().expect("a folder");
    let put = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).expect("written");
    let data = deflated_zeros(1 << 30);
    let bomb = Forged { packed: data.len() as u64, size: 1 << 30, data, ..Forged::deflated("HM140001S14002_19031.xml", b"") };
    put("honest-bomb.zip", archive(std::slice::from_ref(&bomb)));
    put("lying-bomb.zip", archive(&[Forged { size: 1000, ..bomb.clone() }]));
    put("near-bomb.zip", archive(&[Forged { size: bomb.packed * 199, ..bomb }]));
    let text = [MAIN, &[b' '; 1000]].concat();
    put("long-names.zip", archive(&(0..64).map(|n| Forged::stored(&format!("{n}{}", "x".repeat(60_000)), &text)).collect::<Vec<_>>()));
    a_million_entries(&folder.path().join("million.zip"), true);
    a_million_entries(&folder.path().join("million-uncounted.zip"), false);
    let packages = discover(&[Input::named(folder.path())], &formats, &Limits::default());
    assert_eq!(packages.len(), 6);
    for package in &packages {
        assert!(!package.faults.is_empty() || package.main.as_ref().is_some_and(|m| m.head.is_err()), "{package:?}");
        if let Some(main) = &package.main {
            let mut stream = main.source.open().expect("opens");
            assert!(io::copy(&mut stream, &mut io::sink()).is_err());
        }
    }
    if let Some(peak) = peak() {
        assert!(peak < 64 << 10, "{peak} KB");
    }
}
