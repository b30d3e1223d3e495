//! From the export to the payment: sums and counts agree at every step, nothing is billed twice, nothing is lost.

use std::fs;

use crate::support::clinic::Clinic;
use crate::support::state::walk;

const PERIOD: &str = "2021-02";

/// All cases and kopecks that the workspace knows: in live registries and outside.
fn total(clinic: &Clinic) -> (i64, i64) {
    let live = |status: &str| !["withdrawn", "cancelled"].contains(&status);
    let held = clinic.registries().into_iter().filter(|(_, status, ..)| live(status)).fold((0, 0), |(c, s), (_, _, cases, sum)| (c + cases, s + sum));
    ["free", "refused", "question"].iter().map(|state| clinic.outside(state)).fold(held, |(c, s), (cases, sum)| (c + cases, s + sum))
}

on_each_store!(two_clinics_from_export_to_acceptance);
fn two_clinics_from_export_to_acceptance(clinic: &Clinic) {
    clinic.package("one", 60, &["--period", PERIOD, "--clinic", "140001", "--plain"]);
    clinic.package("two", 40, &["--period", PERIOD, "--clinic", "140002", "--seed", "2"]);
    clinic.done(&["load", "one", "two"]);
    let all = total(clinic);
    assert_eq!(all.0, 100, "every case is there");
    assert_eq!(clinic.outside("free"), all);
    let again = clinic.done(&["load", "one"]);
    assert!(again.contains("уже загружен"), "{again}");

    clinic.done(&["form", "--period", PERIOD]);
    assert_eq!((total(clinic), clinic.outside("free").0), (all, 0));
    let registries = clinic.registries();
    assert!(registries.len() >= 2 && registries.iter().all(|(_, status, ..)| status == "formed"), "{registries:?}");
    assert!(clinic.refused(&["form", "--period", PERIOD], 3).contains("формировать нечего"));

    for (number, ..) in &registries {
        clinic.done(&["submit", number]);
    }
    let (number, _, cases, sum) = registries.iter().max_by_key(|(_, _, cases, _)| *cases).expect("one").clone();
    assert!(clinic.run(&["submit", &number]).err.contains("уже отправлен"));
    let sent: Vec<_> = walk(&clinic.path("outbox"));
    assert_eq!(sent.len(), registries.len(), "{sent:?}");
    for file in &sent {
        clinic.done(&["validate", "--quiet", &file.display().to_string()]);
    }

    // The payer refuses the first case whole and a kopeck of the second, and returns the registry.
    fs::write(clinic.path("sanctions.csv"), "idcase,code,sum,comment\n1,5.1.4,,тариф\n2,5.1.4,0.01,\n").expect("written");
    assert!(clinic.refused(&["review", "return", &number, "--role", "insurer"], 4).contains("--reason"));
    assert!(clinic.refused(&["review", "return", &number, "--reason", "x"], 4).contains("СМО"));
    clinic.done(&["review", "return", &number, "--reason", "тариф", "--sanctions", "sanctions.csv", "--role", "insurer"]);
    assert_eq!(total(clinic), all, "a returned registry still holds its cases");

    // Formed again before anything is corrected, the refused case leaves.
    clinic.done(&["form", "--again", &number]);
    let after: Vec<_> = clinic.registries();
    let formed = after.iter().find(|(n, ..)| *n == number).expect("it");
    assert_eq!((formed.1.as_str(), formed.2), ("formed", cases - 1), "the refused case has left");
    assert_eq!(total(clinic), all, "and is not lost");
    assert_eq!(clinic.outside("refused").0, 1);
    assert!(formed.3 < sum);

    clinic.done(&["submit", &number]);
    clinic.done(&["review", "accept", &number, "--role", "insurer"]);
    let end = clinic.registries();
    assert_eq!(end.iter().find(|(n, ..)| *n == number).map(|r| r.1.as_str()), Some("to_sign"));

    // The clinic corrects it and exports the month again: it alone is new, and goes out in a registry of its own.
    correct(clinic, "one", "corrected");
    let said = clinic.done(&["load", "corrected"]);
    assert!(said.contains("без изменений") && said.contains("вместо прежней"), "{said}");
    assert_eq!((total(clinic), clinic.outside("refused").0, clinic.outside("free").0), (all, 0, 1));
    clinic.done(&["form", "--period", PERIOD]);
    let corrected = clinic.registries().into_iter().find(|(n, ..)| registries.iter().all(|(old, ..)| old != n)).expect("a new one");
    assert_eq!((corrected.2, corrected.3), (1, sum - formed.3), "the case that was refused, for what it cost");
    clinic.done(&["submit", &corrected.0]);
    clinic.done(&["review", "accept", &corrected.0, "--role", "insurer"]);
    assert_eq!(total(clinic), all);
    clinic.done(&["journal", "--verify"]);
    let history = clinic.done(&["status", &number, "--history"]);
    assert!(history.lines().count() > 6 && !history.contains('{'), "{history}");
}

/// Exports a month again, its first outpatient case corrected (PR_NOV = 1).
fn correct(clinic: &Clinic, from: &str, to: &str) {
    copy(clinic, from, to, &|bytes| {
        let outpatient = place(bytes, b"<USL_OK>3</USL_OK>").expect("an outpatient case");
        let own = bytes[..outpatient].windows(8).rposition(|w| w == b"<PR_NOV>").expect("its record");
        bytes[own + 8] = b'1';
    });
}

/// Copies the files of a folder, the main file changed.
fn copy(clinic: &Clinic, from: &str, to: &str, change: &dyn Fn(&mut Vec<u8>)) {
    fs::create_dir(clinic.path(to)).expect("a folder");
    for file in walk(&clinic.path(from)) {
        let mut bytes = fs::read(&file).expect("read");
        if place(&bytes, b"<ZL_LIST>").is_some() {
            change(&mut bytes);
        }
        fs::write(clinic.path(to).join(file.file_name().expect("a name")), bytes).expect("written");
    }
}

fn place(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

on_each_store!(a_fault_in_what_a_registry_gets_anew_keeps_no_case_out);
fn a_fault_in_what_a_registry_gets_anew_keeps_no_case_out(clinic: &Clinic) {
    clinic.package("in", 20, &["--period", PERIOD, "--plain"]);
    for (element, stays_out) in [("<SD_Z>", false), ("<PLAT>", true)] {
        copy(clinic, "in", element.trim_matches(['<', '>']), &|bytes| {
            let at = place(bytes, element.as_bytes()).expect("in the head") + element.len();
            bytes.insert(at, b'9');
        });
        let said = clinic.run(&["load", element.trim_matches(['<', '>'])]);
        assert_eq!(said.out.contains("его случаи не войдут"), stays_out, "{element}: {said:?}");
    }
}

on_each_store!(a_cancelled_registry_frees_its_cases);
fn a_cancelled_registry_frees_its_cases(clinic: &Clinic) {
    clinic.package("in", 30, &["--period", PERIOD]);
    clinic.done(&["load", "in"]);
    let all = total(clinic);
    clinic.done(&["form", "--period", PERIOD]);
    for (number, ..) in clinic.registries() {
        clinic.done(&["form", "--cancel", &number]);
    }
    assert_eq!((clinic.outside("free"), total(clinic)), (all, all));
    clinic.done(&["form", "--period", PERIOD]);
    assert_eq!((clinic.outside("free").0, total(clinic)), (0, all));
    clinic.done(&["journal", "--verify"]);
}

on_each_store!(the_same_cases_again_are_not_billed_twice);
fn the_same_cases_again_are_not_billed_twice(clinic: &Clinic) {
    clinic.package("in", 30, &["--period", PERIOD]);
    // The same month with more cases, in another packet: what was there is met again.
    clinic.package("more", 30, &["--period", PERIOD, "--packet", "2"]);
    clinic.done(&["load", "in"]);
    let all = total(clinic);
    let said = clinic.done(&["load", "more"]);
    assert!(said.contains("без изменений"), "{said}");
    assert_eq!(total(clinic), all);
}
