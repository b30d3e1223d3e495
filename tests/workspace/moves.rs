//! What the workflow does not allow is refused with what is allowed now, and changes nothing.
//!
//! Every pair of statuses and commands with every role is tried in the library (`src/workspace/workflow/tests.rs`); here the program is asked.

use crate::support::clinic::Clinic;
use crate::support::state::State;

/// Commands that are refused where the registry stands now, and what the refusal must say.
fn refuse(clinic: &Clinic, refused: &[(&str, &str)]) {
    let before = State::of(clinic);
    for (command, says) in refused {
        let args: Vec<&str> = command.split(' ').collect();
        let said = clinic.refused(&args, 4);
        assert!(said.contains(says), "puomp {command}: «{says}» is due: {said}");
        assert!(!said.contains("внутренняя ошибка") && !said.contains('{'), "puomp {command}: {said}");
        let after = State::of(clinic);
        assert!(after == before, "puomp {command} was refused and changed something: {}", before.difference(&after));
    }
}

on_each_store!(a_move_that_is_not_allowed_says_which_are_and_changes_nothing);
fn a_move_that_is_not_allowed_says_which_are_and_changes_nothing(clinic: &Clinic) {
    clinic.package("in", 20, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "outpatient"]);
    let submit = "puomp submit 2102-1";
    refuse(
        clinic,
        &[
            ("review start 2102-1 --role insurer", submit),
            ("review accept 2102-1 --role insurer", submit),
            ("review return 2102-1 --reason x --role insurer", submit),
            ("review pay 2102-1 --role fund", submit),
            ("withdraw 2102-1 --reason x", submit),
            ("submit 2102-1 --role insurer", "исполнитель МО"),
            ("form --cancel 2102-1 --role head", "исполнитель МО"),
        ],
    );
    clinic.done(&["submit", "2102-1"]);
    let accept = "puomp review accept 2102-1";
    refuse(
        clinic,
        &[
            ("form --again 2102-1", accept),
            ("form --cancel 2102-1", accept),
            ("review pay 2102-1 --role insurer", accept),
            ("review unpay 2102-1 --reason x --role insurer", accept),
            ("review start 2102-1", "СМО"),
            ("review accept 2102-1 --role head", "СМО"),
            ("review return 2102-1 --role insurer", "--reason"),
            ("withdraw 2102-1 --reason x --role insurer", "исполнитель МО"),
        ],
    );
    clinic.done(&["review", "accept", "2102-1", "--role", "insurer"]);
    let back = "puomp review return 2102-1";
    refuse(
        clinic,
        &[
            ("form --again 2102-1", back),
            ("withdraw 2102-1 --reason x", back),
            ("review start 2102-1 --role insurer", back),
            ("review pay 2102-1 --role insurer", back),
        ],
    );
    clinic.done(&["review", "return", "2102-1", "--reason", "тариф", "--role", "insurer"]);
    let again = "puomp form --again 2102-1";
    refuse(
        clinic,
        &[
            ("submit 2102-1", again),
            ("withdraw 2102-1 --reason x", again),
            ("review accept 2102-1 --role insurer", again),
            ("form --again 2102-1 --role fund", "исполнитель МО"),
        ],
    );
    clinic.done(&["form", "--cancel", "2102-1"]);
    let end = "путь реестра окончен";
    refuse(
        clinic,
        &[
            ("submit 2102-1", end),
            ("form --again 2102-1", end),
            ("form --cancel 2102-1", end),
            ("withdraw 2102-1 --reason x", end),
            ("review accept 2102-1 --role insurer", end),
            ("review unpay 2102-1 --reason x --role fund", end),
        ],
    );
}

on_each_store!(a_package_whose_place_is_taken_waits_and_says_so);
fn a_package_whose_place_is_taken_waits_and_says_so(clinic: &Clinic) {
    clinic.package("in", 20, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "outpatient"]);
    let row = clinic.status()["registries"][0].clone();
    let word = |name: &str| row[name].as_str().expect("a word").to_owned();
    // Somebody's folder stands where the package is to be.
    let taken = clinic.path("outbox").join(word("payer")).join(format!("{}.zip", word("file")));
    std::fs::create_dir_all(taken.join("somebody's")).expect("a folder");
    let said = clinic.refused(&["submit", "2102-1"], 2);
    for part in ["реестр 2102-1 отправлен", "outbox", "это папка", "puomp submit 2102-1"] {
        assert!(said.contains(part), "«{part}»: {said}");
    }
    assert_eq!(clinic.registries()[0].1, "sent");
    // Until there is room, every command that changes something says the same and does its own work.
    clinic.package("other", 3, &["--period", "2021-03"]);
    let again = clinic.run(&["load", "other"]);
    assert_eq!((again.code, again.err), (0, said.clone()));
    assert!(again.out.contains("загружено"), "{}", again.out);
    // A repeat succeeds only when the package is in its place.
    let again = clinic.refused(&["submit", "2102-1"], 2);
    assert!(again.contains(&said), "{again}");
    std::fs::remove_dir_all(&taken).expect("removed");
    let said = clinic.run(&["submit", "2102-1"]);
    assert!(said.code == 0 && said.err.contains("уже отправлен") && !said.err.contains("не положен"), "{said:?}");
    assert!(taken.is_file(), "the package is in its place");
    clinic.done(&["journal", "--verify"]);
    clinic.done(&["review", "accept", "2102-1", "--role", "insurer"]);
}

on_each_store!(a_registry_that_does_not_pass_leaves_its_cases_free);
/// A case that was let in passes no control when it is formed: the registries before it stay, its own cases and those behind are free.
fn a_registry_that_does_not_pass_leaves_its_cases_free(clinic: &Clinic) {
    clinic.package("in", 60, &["--period", "2021-02", "--plain"]);
    let file = std::fs::read_dir(clinic.path("in")).expect("a folder").flatten().map(|e| e.path());
    let main = file.into_iter().find(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("HM"))).expect("the main file");
    let text = encoding_rs::WINDOWS_1251.decode(&std::fs::read(&main).expect("read")).0.into_owned();
    let spoil = |record: &str| if record.contains("<USL_OK>4<") { record.replacen("<FOR_POM>", "<FOR_POM>9", 1) } else { record.to_owned() };
    let text: String = text.split_inclusive("</ZAP>").map(spoil).collect();
    std::fs::write(&main, encoding_rs::WINDOWS_1251.encode(&text).0).expect("written");
    // What a federal rule says first, the structure says when that is ignored.
    let mut rules: Vec<String> = Vec::new();
    loop {
        let ignored = rules.join(",");
        let mut args = vec!["validate", "in", "--format", "json"];
        if !rules.is_empty() {
            args.extend(["--ignore", &ignored]);
        }
        let said = clinic.run(&args);
        let report: serde_json::Value = serde_json::from_str(&said.out).expect("a report");
        let found: Vec<&str> = report["findings"].as_array().expect("a list").iter().filter_map(|f| f["rule"].as_str()).collect();
        if found.is_empty() {
            break;
        }
        assert!(!rules.iter().any(|rule| found.contains(&rule.as_str())), "what is ignored is not found: {found:?}");
        rules.extend(found.into_iter().map(str::to_owned));
        rules.dedup();
    }
    assert!(!rules.is_empty(), "the package is spoilt");
    let ignored = rules.join(",");
    clinic.done(&["load", "in", "--ignore", &ignored]);
    let said = clinic.refused(&["form", "--period", "2021-02"], 1);
    assert!(rules.iter().any(|rule| said.contains(rule.as_str())), "{said}");
    let formed = clinic.registries();
    let cases: i64 = formed.iter().map(|(_, _, cases, _)| cases).sum();
    assert!(!formed.is_empty() && cases < 60, "some were formed before it: {formed:?}");
    assert_eq!(clinic.outside("free").0, 60 - cases);
    State::of(clinic);
    clinic.done(&["form", "--period", "2021-02", "--ignore", &ignored]);
    assert_eq!(clinic.registries().iter().map(|(_, _, cases, _)| cases).sum::<i64>(), 60);
    assert_eq!(clinic.outside("free").0, 0);
    State::of(clinic);
}

/// What an option says about a plan does not let another option act.
#[test]
fn a_trial_run_changes_nothing_with_any_option() {
    let clinic = Clinic::new();
    clinic.package("in", 20, &["--period", "2021-02"]);
    clinic.done(&["load", "in"]);
    clinic.done(&["form", "--period", "2021-02", "--kind", "outpatient"]);
    let before = State::of(&clinic);
    for act in ["--cancel", "--again"] {
        for option in [&["--dry-run"][..], &["--payer", "14003"], &["--kind", "ambulance"], &["--subdivision", "1"], &["--mo", "140001"]] {
            clinic.refused(&[&["form", act, "2102-1"], option].concat(), 2);
        }
    }
    clinic.done(&["form", "--period", "2021-02", "--dry-run"]);
    assert!(State::of(&clinic) == before);
}
