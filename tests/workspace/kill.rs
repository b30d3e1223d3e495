//! kill -9 at any moment: the next command finds the old state or the new one, never something between, and nothing lies about.

use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::clinic::{Clinic, Lookout};
use crate::support::moments::{random, wanted};
use crate::support::say::say;
use crate::support::soak::tries;
use crate::support::state::{State, Step, is_wanted, leftovers, steps};

/// Kills of load, form, submit, review, receive, the load at the payer's desk, `cases drop` and `load --undo` on SQLite.
const KILLS: [usize; 8] = [80, 80, 50, 40, 50, 60, 30, 30];
/// On PostgreSQL, where a workspace to be killed costs a database.
const SHARED_KILLS: [usize; 8] = [10, 10, 10, 8, 10, 10, 8, 8];

/// When a program was killed and what it had done by then.
#[derive(Debug, Default)]
struct Counts {
    /// Before it took the lock.
    before: usize,
    /// While it held the lock, nothing done yet.
    in_old: usize,
    /// While it held the lock, everything done.
    in_new: usize,
    /// It had let go of the lock, or ended.
    after: usize,
    /// Files lay about.
    littered: usize,
}

fn start(clinic: &Clinic, step: &Step) -> Child {
    clinic.command(&step.args()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs")
}

/// Waits until a program works in the workspace; whether it still runs.
fn wait_for_lock(lookout: &mut Lookout, child: &mut Child) -> bool {
    while !lookout.is_changing() {
        if child.try_wait().expect("a child").is_some() {
            return false;
        }
        thread::sleep(Duration::from_micros(200));
    }
    true
}

/// How long a command usually takes until it has the lock, and then to its end.
fn usual(step: &Step) -> (Duration, Duration) {
    let mut runs: Vec<_> = (0..3)
        .map(|_| {
            let clinic = step.before.twin();
            let mut lookout = clinic.lookout();
            let begun = Instant::now();
            let mut child = start(&clinic, step);
            wait_for_lock(&mut lookout, &mut child);
            let locked = begun.elapsed();
            assert!(child.wait().expect("it ended").success());
            (locked, begun.elapsed().saturating_sub(locked))
        })
        .collect();
    runs.sort();
    runs[1]
}

/// One kill of a step. A third of them at any moment, the others while the program may change something.
fn kill(step: &Step, number: u64, (until, work): (Duration, Duration), counts: &Mutex<Counts>) {
    let clinic = step.before.twin();
    let mut lookout = clinic.lookout();
    let mut child = start(&clinic, step);
    if number.is_multiple_of(3) {
        thread::sleep((until + work).mul_f64(random(number)));
    } else if wait_for_lock(&mut lookout, &mut child) {
        thread::sleep(work.mul_f64(random(number)));
    }
    let held = lookout.is_changing();
    // SIGKILL on Unix; a program that has ended is no error.
    let _ = child.kill();
    let ended = child.wait().expect("it ended");
    clinic.wait_for_server();
    let found = State::of(&clinic);
    let how = format!("killed, number {number}, {ended}");
    assert!(found == step.old || found == step.new, "{} {how}: a state between: {} … {}", step.name, found.difference(&step.old), found.difference(&step.new));
    let was_done = found == step.new;
    {
        let mut counts = counts.lock().expect("no thread failed");
        match (held, was_done) {
            (false, false) => counts.before += 1,
            (true, false) => counts.in_old += 1,
            (true, true) => counts.in_new += 1,
            (false, true) => counts.after += 1,
        }
        counts.littered += usize::from(!leftovers(&clinic).is_empty());
    }
    step.repeat(&clinic, was_done, &how);
}

/// `in_work`: of how many kills one at least must come while the program works.
fn kills(store: &str, first: Clinic, of_step: [usize; 8], threads: usize, in_work: usize) {
    let steps = steps(first);
    let (mut moments, mut all) = (0, 0);
    for (step, (place, kills)) in steps.iter().zip(of_step.map(tries).map(wanted).into_iter().enumerate()).filter(|(step, _)| is_wanted(step)) {
        let usual = usual(step);
        let counts = Mutex::new(Counts::default());
        let next = AtomicUsize::new(0);
        let base = (place * 1_000) as u64;
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= kills {
                            break;
                        }
                        kill(step, base + number as u64, usual, &counts);
                    }
                });
            }
        });
        let Counts { before, in_old, in_new, after, littered } = counts.into_inner().expect("no thread failed");
        say(&format!(
            "{store}, {}: {kills} kills, usual time {:?} + {:?}: before {before}, in {} (nothing done {in_old}, all done {in_new}), after {after}; files lay about {littered} times",
            step.name,
            usual.0,
            usual.1,
            in_old + in_new
        ));
        assert_eq!(before + in_old + in_new + after, kills);
        moments += in_old + in_new;
        all += kills;
    }
    assert!(moments * in_work >= all, "too few programs were killed at work: {moments}");
}

#[test]
fn a_program_that_is_killed_leaves_the_old_state_or_the_new_one() {
    kills("SQLite", Clinic::new(), KILLS, 2, 10);
}

#[test]
#[ignore = "needs PUOMP_TEST_POSTGRES"]
fn nor_does_it_leave_a_state_between_on_postgres() {
    // A lock is held for some milliseconds here; most programs have ended when the kill comes.
    kills("PostgreSQL", Clinic::on_postgres(), SHARED_KILLS, 1, 48);
}
