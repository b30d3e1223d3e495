//! A full disk and a bad sector at the Nth write: a clear message, an exit code that is not 0, and the state intact.
//!
//! The calls of the C library are refused by a shim (`fault.c`); SQLite lives in the same process, so its calls are refused too.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use crate::support::clinic::{Clinic, said};
use crate::support::say::say;
use crate::support::state::{State, Step, is_wanted, steps, walk};

/// Writes that are refused, each in a run of its own.
const CALLS: u32 = 100;

/// Builds the shim.
fn shim(folder: &Path) -> PathBuf {
    let library = folder.join("fault.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workspace/fault.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).arg("-ldl").output().expect("cc, a C compiler, runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    library
}

/// Family names and policies of the people in the package.
fn personal_data(clinic: &Clinic) -> Vec<String> {
    let mut found = Vec::new();
    for file in walk(&clinic.path("in")) {
        let mut archive = zip::ZipArchive::new(fs::File::open(file).expect("a file")).expect("an archive");
        for index in 0..archive.len() {
            let mut bytes = Vec::new();
            archive.by_index(index).expect("an entry").read_to_end(&mut bytes).expect("read");
            let (text, ..) = encoding_rs::WINDOWS_1251.decode(&bytes);
            for tag in ["<FAM>", "<NPOLIS>", "<ENP>", "<SNILS>"] {
                let values = text.split(tag).skip(1).filter_map(|rest| rest.split('<').next());
                found.extend(values.filter(|v| v.chars().count() >= 4).map(str::to_owned));
            }
        }
    }
    found.sort();
    found.dedup();
    assert!(found.len() >= 60, "people have names: {}", found.len());
    found
}

struct Faults<'f> {
    shim: &'f Path,
    is_full: bool,
    people: &'f [String],
    hit: AtomicU32,
    refused: AtomicU32,
    done: AtomicU32,
}

impl Faults<'_> {
    /// One run with the Nth call refused; whether there was one.
    fn run(&self, step: &Step, at: u32) -> bool {
        let clinic = step.before.twin();
        let report = clinic.path("refused calls");
        let mut command = clinic.command(&step.args());
        command.env("LD_PRELOAD", self.shim).env("PUOMP_FAULT_AT", at.to_string()).env("PUOMP_FAULT_LOG", &report);
        if self.is_full {
            command.env("PUOMP_FAULT_FULL", "1");
        }
        let said = said(&command.output().expect("the program runs"));
        let Ok(calls) = fs::read_to_string(&report) else {
            assert_eq!(said.code, 0, "{} with nothing refused: {said:?}", step.name);
            return false;
        };
        fs::remove_file(&report).expect("removed");
        let how = format!("{} at call {at} ({})", if self.is_full { "ENOSPC" } else { "EIO" }, calls.lines().next().unwrap_or_default());
        let found = State::of(&clinic);
        let was_done = found == step.new;
        assert!(was_done || found == step.old, "{} {how}: a state between: {}; {said:?}", step.name, found.difference(&step.old));
        if said.code == 0 {
            assert!(was_done, "{} {how}: says that it was done, and it was not: {said:?}", step.name);
            self.done.fetch_add(1, Ordering::Relaxed);
        } else {
            assert!(said.code == 2, "{} {how}: {said:?}", step.name);
            assert!(said.err.starts_with("puomp: ") && said.err.chars().count() > 20, "{} {how}: {said:?}", step.name);
            let bad = ["внутренняя ошибка", "panicked", "Problem", "Database("];
            assert!(bad.iter().all(|word| !said.err.contains(word)), "{} {how}: {said:?}", step.name);
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        assert!(self.people.iter().all(|value| !said.err.contains(value)), "{} {how}: personal data in a message", step.name);
        self.hit.fetch_add(1, Ordering::Relaxed);
        // What is left behind is put right by the next run, and the command ends as if nothing had been.
        if at % 4 == 1 {
            step.repeat(&clinic, was_done, &how);
        }
        true
    }
}

#[test]
#[ignore = "needs cc"]
fn a_disk_that_fails_leaves_the_state_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let shim = shim(folder.path());
    let steps = steps(Clinic::new());
    let people = personal_data(&steps[0].before);
    for step in steps[..3].iter().chain(steps.last()).filter(|step| is_wanted(step)) {
        for is_full in [false, true] {
            let faults = Faults { shim: &shim, is_full, people: &people, hit: AtomicU32::new(0), refused: AtomicU32::new(0), done: AtomicU32::new(0) };
            let next = AtomicU32::new(1);
            thread::scope(|scope| {
                for _ in 0..2 {
                    scope.spawn(|| {
                        // Once nothing is refused any more, the command makes fewer calls than that.
                        loop {
                            let at = next.fetch_add(1, Ordering::Relaxed);
                            if at > CALLS || !faults.run(step, at) {
                                break;
                            }
                        }
                    });
                }
            });
            let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
            let (hit, refused, done) = (count(&faults.hit), count(&faults.refused), count(&faults.done));
            say(&format!("{}, {}: {hit} faults, {refused} refused, {done} done all the same", step.name, if is_full { "disk full" } else { "I/O error" }));
            assert!(hit >= 10 && refused >= 5, "{}: the shim was not felt", step.name);
        }
    }
}

/// Packages of the folder that is watched.
const WATCHED: usize = 3;

/// Packages and protocols below a folder: the name of each file, wherever it was moved, and how often it is there.
fn kept(clinic: &Clinic) -> Vec<String> {
    let mut names: Vec<String> = walk(&clinic.path("in")).iter().map(|path| path.file_name().expect("a name").to_string_lossy().into_owned()).collect();
    names.retain(|name| name.ends_with(".zip"));
    names.sort();
    names
}

#[test]
#[ignore = "needs cc"]
fn a_watch_on_a_disk_that_fails_loses_nothing() {
    const WATCH: [&str; 5] = ["watch", "in", "--once", "--every", "0.1"];
    let folder = tempfile::tempdir().expect("a folder");
    let shim = shim(folder.path());
    let before = Clinic::new();
    for packet in 1..=WATCHED {
        before.package("in", 2, &["--period", "2021-02", "--seed", &packet.to_string(), "--packet", &packet.to_string()]);
    }
    let names = kept(&before);
    let whole = before.twin();
    assert_eq!(whole.run(&WATCH).code, 0);
    let files = |clinic: &Clinic| -> Vec<(PathBuf, Vec<u8>)> {
        let below = clinic.path("in");
        let file = |path: PathBuf| (path.strip_prefix(&below).expect("below it").to_owned(), fs::read(&path).expect("read"));
        walk(&below).into_iter().map(file).collect()
    };
    let due = files(&whole);
    for is_full in [false, true] {
        let (mut hit, mut refused) = (0, 0);
        for at in 1..=CALLS {
            let clinic = before.twin();
            let report = clinic.path("refused calls");
            let mut command = clinic.command(&WATCH);
            command.env("LD_PRELOAD", &shim).env("PUOMP_FAULT_AT", at.to_string()).env("PUOMP_FAULT_LOG", &report);
            if is_full {
                command.env("PUOMP_FAULT_FULL", "1");
            }
            let run = said(&command.output().expect("the program runs"));
            let Ok(calls) = fs::read_to_string(&report) else { break };
            fs::remove_file(&report).expect("removed");
            let how = format!("{} at call {at} ({}): {run:?}", if is_full { "ENOSPC" } else { "EIO" }, calls.lines().next().unwrap_or_default());
            assert!(matches!(run.code, 0..=2), "{how}");
            assert_eq!(kept(&clinic), names, "{how}: a package is gone or there twice");
            hit += 1;
            refused += u32::from(run.code == 2);
            let again = clinic.run(&WATCH);
            assert!(again.code <= 1, "{how}; {again:?}");
            assert_eq!(clinic.outside("free").0 as usize, 2 * WATCHED, "{how}; {again:?}");
            assert_eq!(kept(&clinic), names, "{how}; {again:?}");
            let found = files(&clinic);
            assert!(due.iter().all(|file| found.contains(file)), "{how}; {again:?}: {:?}", found.iter().map(|(name, _)| name).collect::<Vec<_>>());
        }
        say(&format!("watch, {}: {hit} faults, {refused} refused", if is_full { "disk full" } else { "I/O error" }));
        assert!(hit >= 10, "the shim was not felt");
    }
}
