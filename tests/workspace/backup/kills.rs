//! kill -9 during a backup and a restoration: the earlier backup or the new one, no workspace or a whole one.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{FILE, assert_same, busy, objects, restored, text_of};
use crate::support::clinic::Clinic;
use crate::support::moments::{random, wanted};
use crate::support::say::say;
use crate::support::soak::tries;
use crate::support::state::State;

/// Kills of each of the two commands.
const KILLS: usize = 12;

/// Runs a command and kills it after a while; whether it had ended before.
fn killed(mut command: Command, after: Duration) -> bool {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the program runs");
    thread::sleep(after);
    // A program that has ended is no error.
    let _ = child.kill();
    child.wait().expect("it ended").success()
}

/// How long a command takes.
fn usual(mut command: Command) -> Duration {
    let begun = Instant::now();
    assert!(command.stdout(Stdio::null()).status().expect("it runs").success());
    begun.elapsed()
}

fn unfinished(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with(".puomp-")).collect()
}

#[test]
fn a_backup_that_is_killed_leaves_the_earlier_one_or_a_new_one() {
    let clinic = busy();
    clinic.done(&["backup", FILE]);
    let earlier = clinic.twin();
    clinic.package("more", 8, &["--period", "2021-03", "--seed", "5"]);
    clinic.done(&["load", "more"]);
    let sound = fs::read(earlier.path(FILE)).expect("read");
    let mut file = clinic.path(FILE);
    let usual = usual(clinic.command(&["backup", "x.zip"]));
    let (mut old, mut new, mut littered) = (0, 0, 0);
    for number in 0..wanted(tries(KILLS)) as u64 {
        fs::write(&file, &sound).expect("written");
        killed(clinic.command(&["backup", FILE]), usual.mul_f64(random(700 + number) * 1.1));
        littered += usize::from(!unfinished(&clinic.path(".puomp")).is_empty());
        if fs::read(&file).expect("there") == sound {
            old += 1;
        } else {
            new += 1;
            assert_same(&clinic, &restored(&file), "killed");
        }
        let state = State::of(&clinic);
        clinic.done(&["backup", "x.zip"]);
        assert!(State::of(&clinic) == state && unfinished(&clinic.path(".puomp")).is_empty(), "kill {number}");
    }
    file.set_file_name("x.zip");
    assert_same(&clinic, &restored(&file), "repeated");
    say(&format!("backup, usual time {usual:?}: {old} times the earlier file stood, {new} times the new one; files lay about {littered} times"));
    assert!(old > 0);
}

#[test]
fn a_restoration_that_is_killed_leaves_no_workspace_or_a_whole_one() {
    let clinic = busy();
    fs::write(clinic.path("puomp.toml"), "limit = 7\n").expect("written");
    clinic.done(&["backup", FILE]);
    let file = text_of(&clinic.path(FILE));
    let restore = ["restore", file.as_str(), "."];
    let usual = usual(Clinic::empty().command(&restore));
    let (mut none, mut whole, mut half) = (0, 0, 0);
    for number in 0..wanted(tries(KILLS)) as u64 {
        let room = Clinic::empty();
        killed(room.command(&restore), usual.mul_f64(random(800 + number) * 1.1));
        half += usize::from(!unfinished(&room.root()).is_empty());
        let is_whole = room.path(".puomp").exists();
        if is_whole {
            whole += 1
        } else {
            none += 1
        }
        assert_eq!(room.run(&restore).code, if is_whole { 2 } else { 0 }, "kill {number}");
        assert!(State::of(&room) == State::of(&clinic) && objects(&room) == objects(&clinic), "kill {number}");
        assert_eq!(fs::read_to_string(room.path("puomp.toml")).expect("there"), "limit = 7\n");
        // Any change removes what was left.
        let elsewhere = Clinic::empty();
        room.done(&["backup", &text_of(&elsewhere.path("x.zip"))]);
        assert_eq!(unfinished(&room.root()), Vec::<String>::new(), "kill {number}");
    }
    say(&format!("restore, usual time {usual:?}: {none} times there was no workspace, {whole} times a whole one; unfinished work lay there {half} times"));
    assert!(none > 0);
}
