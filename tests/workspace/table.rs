//! Who comes at the same time, and who may do what.

use std::thread;

use crate::support::clinic::{Clinic, lock_key, said};
use crate::support::sql::Sql;

on_each_store!(of_eight_who_form_one_does);
fn of_eight_who_form_one_does(clinic: &Clinic) {
    clinic.package("in", 30, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    let runs: Vec<_> = (0..8).map(|_| clinic.command(&["form", "--period", "2021-02", "--wait", "120"])).collect();
    let ends: Vec<_> = runs.into_iter().map(|mut c| thread::spawn(move || said(&c.output().expect("the program runs")))).collect();
    let ends: Vec<_> = ends.into_iter().map(|t| t.join().expect("it ended")).collect();
    assert_eq!(ends.iter().filter(|s| s.code == 0).count(), 1, "{ends:?}");
    assert!(ends.iter().filter(|s| s.code != 0).all(|s| s.code == 3 && s.err.contains("формировать нечего")), "{ends:?}");
    assert_eq!(clinic.outside("free").0, 0);
    clinic.done(&["journal", "--verify"]);
}

on_each_store!(who_does_not_wait_is_told_who_works);
fn who_does_not_wait_is_told_who_works(clinic: &Clinic) {
    clinic.package("in", 10, &["--period", "2021-02"]);
    let who = "anna@kassa (pid 7): puomp form";
    if clinic.store().is_some() {
        let mut other = Sql::connect(&clinic.address());
        other.rows(&format!("SELECT set_config('application_name', '{who}', false)"));
        other.rows(&format!("SELECT CAST(pg_advisory_lock(7867673, {}) AS TEXT)", lock_key("140001")));
        let said = clinic.refused(&["load", "in", "--wait", "0.1"], 7);
        assert!(said.contains(who), "{said}");
        other.close();
        return;
    }
    let lock = std::fs::File::options().read(true).write(true).open(clinic.path(".puomp/lock")).expect("a lock");
    lock.lock().expect("free");
    std::fs::write(clinic.path(".puomp/lock.holder"), who).expect("written");
    let said = clinic.refused(&["load", "in", "--wait", "0.1"], 7);
    assert!(said.contains(who), "{said}");
}

#[cfg(unix)]
on_each_store!(a_load_beside_a_load_ends_with_busy);
/// One program is stopped while it has the lock, another does not wait.
#[cfg(unix)]
fn a_load_beside_a_load_ends_with_busy(first: &Clinic) {
    use std::process::{Command, Stdio};

    first.package("in", 300, &["--period", "2021-02"]);
    let signal = |name: &str, pid: u32| Command::new("kill").args([name, &pid.to_string()]).stderr(Stdio::null()).status().expect("kill").success();
    for _ in 0..20 {
        let clinic = first.twin();
        let mut child = clinic.command(&["load", "in"]).stdout(Stdio::null()).spawn().expect("the program runs");
        let mut lookout = clinic.lookout();
        let mut is_held = || lookout.is_changing();
        while !is_held() && child.try_wait().expect("a child").is_none() {
            thread::sleep(std::time::Duration::from_micros(200));
        }
        let stopped = signal("-STOP", child.id());
        // It may have ended before it was stopped.
        if !stopped || !is_held() {
            let _ = signal("-CONT", child.id());
            child.wait().expect("it ended");
            continue;
        }
        let busy = clinic.run(&["load", "in", "--wait", "0"]);
        assert!(signal("-CONT", child.id()));
        assert!(child.wait().expect("it ended").success());
        assert_eq!(busy.code, 7, "{busy:?}");
        assert!(busy.err.contains("puomp load") && busy.err.contains(&child.id().to_string()), "{busy:?}");
        assert!(clinic.done(&["load", "in", "--wait", "0"]).contains("уже загружен"));
        clinic.done(&["journal", "--verify"]);
        return;
    }
    panic!("no program could be stopped at work");
}
