//! Who comes at the same time, and who may do what.

use std::thread;

use crate::clinic::said;
use crate::on_each_store;

#[test]
fn of_eight_who_form_one_does() {
    on_each_store(|clinic| {
        clinic.package("in", 30, &["--period", "2021-02"]);
        clinic.done(&["load", "in"]);
        let runs: Vec<_> = (0..8).map(|_| clinic.command(&["form", "--period", "2021-02", "--wait", "120"])).collect();
        let ends: Vec<_> = runs.into_iter().map(|mut c| thread::spawn(move || said(&c.output().expect("the program runs")))).collect();
        let ends: Vec<_> = ends.into_iter().map(|t| t.join().expect("it ended")).collect();
        assert_eq!(ends.iter().filter(|s| s.code == 0).count(), 1, "{ends:?}");
        assert!(ends.iter().filter(|s| s.code != 0).all(|s| s.code == 3 && s.err.contains("формировать нечего")), "{ends:?}");
        assert_eq!(clinic.outside("free").0, 0);
        clinic.done(&["journal", "--verify"]);
    });
}

#[test]
fn who_does_not_wait_is_told_who_works() {
    on_each_store(|clinic| {
        clinic.package("in", 10, &["--period", "2021-02"]);
        let lock = std::fs::File::options().read(true).write(true).open(clinic.path(".puomp/lock")).expect("a lock");
        lock.lock().expect("free");
        std::fs::write(clinic.path(".puomp/lock"), "Анна@касса (pid 7): puomp form").expect("written");
        let said = clinic.refused(&["load", "in", "--wait", "0.1"], 7);
        assert!(said.contains("Анна@касса"), "{said}");
    });
}
