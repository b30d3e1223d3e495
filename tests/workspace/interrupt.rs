//! Ctrl-C at any moment of load and form: exit code 130, the workspace as before, nothing left over.

use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::support::clinic::Clinic;
use crate::support::interrupt::{at_a_terminal, interrupt};
use crate::support::moments::random;
use crate::support::say::say;
use crate::support::soak::tries;
use crate::support::state::{State, Step, leftovers, steps};

/// Interrupts of each of the two commands that are to hit it at work.
const HITS: usize = if cfg!(windows) { 6 } else { 15 };

/// What an interrupted command said and left.
struct Interrupted {
    code: Option<i32>,
    error: String,
    found: State,
    leftovers: Vec<PathBuf>,
}

fn interrupted(step: &Step, after: Duration) -> (Interrupted, Clinic) {
    let clinic = step.before.twin();
    let mut command = at_a_terminal(clinic.command(&step.args()));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program runs");
    thread::sleep(after);
    interrupt(&child);
    let output = child.wait_with_output().expect("it ended");
    let (found, leftovers) = (State::of(&clinic), leftovers(&clinic));
    (Interrupted { code: output.status.code(), error: String::from_utf8_lossy(&output.stderr).into_owned(), found, leftovers }, clinic)
}

/// How long a command takes when nobody interrupts it.
fn usual(step: &Step) -> Duration {
    let clinic = step.before.twin();
    let begun = Instant::now();
    clinic.done(&step.args());
    begun.elapsed()
}

#[test]
#[cfg_attr(windows, ignore = "needs a console of its own")]
fn ctrl_c_leaves_everything_as_before() {
    for (place, step) in steps(Clinic::new()).iter().take(2).enumerate() {
        let (usual, wanted) = (usual(step), tries(HITS));
        let (mut hits, mut early, mut late) = (0, 0, 0);
        for number in 0..wanted as u64 * 8 {
            let after = usual.mul_f64(random((place as u64) << 32 | number) * 1.1);
            let (said, clinic) = interrupted(step, after);
            let how = format!("{}, interrupted after {after:?}: exit {:?}", step.name, said.code);
            match said.code {
                Some(130) => {
                    hits += 1;
                    assert!(said.found == step.old, "{how}: {}", said.found.difference(&step.old));
                    assert!(said.error.contains("прервана"), "{how}: {}", said.error);
                    assert_eq!(said.leftovers, Vec::<PathBuf>::new(), "{how}");
                    step.repeat(&clinic, false, &how);
                }
                // It did not listen yet, and Wine's own handler says 0.
                Some(0) if cfg!(windows) && said.found == step.old => early += 1,
                // It was faster.
                Some(0) => {
                    late += 1;
                    assert!(said.found == step.new, "{how}: {}", said.found.difference(&step.new));
                }
                // It did not listen yet: the system ended it. Unix says so by a signal, Windows by 0xC000013A.
                None | Some(-1_073_741_510) => {
                    early += 1;
                    assert!(said.found == step.old, "{how}: {}", said.found.difference(&step.old));
                }
                Some(_) => panic!("{how}: {}", said.error),
            }
            if hits == wanted {
                break;
            }
        }
        say(&format!("{}, usual time {usual:?}: {hits} times stopped with 130, {early} times before it listened, {late} times it was faster", step.name));
        assert_eq!(hits, wanted, "{}: the program was seldom hit at work", step.name);
    }
}

/// A command that only waits for another one ends at once.
#[test]
#[cfg_attr(windows, ignore = "needs a console of its own")]
fn ctrl_c_ends_the_wait_for_another_program() {
    let clinic = Clinic::new();
    clinic.package("in", 2, &["--period", "2021-02"]);
    let lock = std::fs::File::options().read(true).write(true).create(true).truncate(false).open(clinic.path(".puomp/lock")).expect("a file");
    lock.lock().expect("nobody has it");
    let mut command = at_a_terminal(clinic.command(&["load", "in", "--wait", "60"]));
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program runs");
    thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    interrupt(&child);
    let output = child.wait_with_output().expect("it ended");
    assert_eq!(output.status.code(), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

/// A command that writes one file leaves no half of it.
#[test]
#[cfg_attr(windows, ignore = "needs a console of its own")]
fn ctrl_c_leaves_no_half_of_a_file() {
    let clinic = Clinic::new();
    let mut hits = 0;
    for number in 0..6 {
        let folder = clinic.path(&format!("out{number}"));
        let mut command = at_a_terminal(clinic.command(&["generate", "--cases", "200000"]));
        let child = command.arg(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program runs");
        thread::sleep(Duration::from_millis(200 + number * 150));
        interrupt(&child);
        let output = child.wait_with_output().expect("it ended");
        if output.status.code() == Some(130) {
            hits += 1;
            let left: Vec<_> = std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
            assert_eq!(left, Vec::<PathBuf>::new());
        }
    }
    assert!(hits > 0, "the program was too fast");
}
