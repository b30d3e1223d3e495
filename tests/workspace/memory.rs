//! How much memory `load` and `form` take for each case: a package of a million cases must not need a large machine.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::clinic::Clinic;
use crate::support::process::peak_of;

/// The runs of a life: a package is loaded, then a corrected export of it, whose cases are all known, and then its registries are formed.
const RUNS: [&[&str]; 3] = [&["load", "in"], &["load", "mended"], &["form", "--period", "2026-01"]];

/// What a run took: the peak of its memory and the size of the store after it, in bytes.
#[derive(Debug, Clone, Copy)]
struct Taken {
    peak: u64,
    store: u64,
}

/// The life of a package of so many cases.
fn life(cases: u32) -> [Taken; 3] {
    let clinic = Clinic::new();
    clinic.package("in", cases, &["--family", "H", "--period", "2026-01", "--seed", "7", "--plain"]);
    fs::create_dir(clinic.path("mended")).expect("a folder");
    for file in fs::read_dir(clinic.path("in")).expect("a folder") {
        let file = file.expect("a file");
        let mut mended = BufWriter::new(File::create(clinic.path("mended").join(file.file_name())).expect("made"));
        for line in BufReader::new(File::open(file.path()).expect("opened")).split(b'\n') {
            let mut line = line.expect("read");
            // Other bytes of the same meaning.
            if line.starts_with(b"</Z_SL>") {
                line.insert(0, b' ');
            }
            line.push(b'\n');
            mended.write_all(&line).expect("written");
        }
    }
    RUNS.map(|args| {
        let mut child = clinic.command(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
        let (process, mut peak) = (child.id().to_string(), 0);
        let code = loop {
            // A process that has ended has no peak any more.
            peak = peak_of(&process).unwrap_or(0).max(peak);
            match child.try_wait().expect("it is ours") {
                Some(status) => break status.code(),
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        assert!(matches!(code, Some(0 | 1)) && peak > 0, "{args:?}: {code:?}, {peak} KB");
        let store = fs::metadata(clinic.path(".puomp/store.sqlite")).expect("a store").len();
        Taken { peak: peak << 10, store }
    })
}

/// A million cases fit in 200 MB if each takes less than this, besides what SQLite keeps of its file in memory, which is 48 MB at most.
const FOR_EACH_CASE: u64 = 300;

#[test]
fn a_case_takes_few_bytes() {
    let (few, many) = (life(30_000), life(60_000));
    for ((run, few), many) in RUNS.iter().zip(few).zip(many) {
        let growth = many.peak.saturating_sub(few.peak);
        let cached = many.store.saturating_sub(few.store);
        assert!(growth < cached + 30_000 * FOR_EACH_CASE, "{run:?}: {few:?}, {many:?}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what was measured is the result")]
#[ignore = "a measurement of minutes, with ten gigabytes of disk"]
fn a_million_cases_take_200_megabytes() {
    let life = life(1_000_000);
    RUNS.iter().zip(life).for_each(|(run, taken)| println!("{run:?}: {} MB", taken.peak >> 20));
    assert!(life.iter().all(|taken| taken.peak < 200 << 20), "{life:?}");
}
