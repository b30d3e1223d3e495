//! Cases as people work with them: lists, the story of one, what is dropped, set aside, released and taken back, and when two are the same.

use std::fs;

use serde_json::Value;

use crate::support::clinic::Clinic;
use crate::support::sent::{between, decided, main_file, write};

/// A plain export of some cases, and its main file as text.
struct Export<'c> {
    clinic: &'c Clinic,
    folder: &'static str,
}

impl<'c> Export<'c> {
    /// Generates an export.
    fn new(clinic: &'c Clinic, folder: &'static str, cases: u32, more: &[&str]) -> Self {
        let options: Vec<&str> = ["--period", "2026-03", "--plain"].into_iter().chain(more.iter().copied()).collect();
        clinic.package(folder, cases, &options);
        Self { clinic, folder }
    }

    /// The same export in another folder, with one of its files changed.
    fn changed(&self, folder: &'static str, letters: &str, change: impl FnOnce(&mut String)) -> Self {
        fs::create_dir_all(self.clinic.path(folder)).expect("made");
        let mut change = Some(change);
        for file in fs::read_dir(self.clinic.path(self.folder)).expect("a folder").flatten().map(|entry| entry.path()) {
            let mut text = encoding_rs::WINDOWS_1251.decode(&fs::read(&file).expect("read")).0.into_owned();
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with(letters) {
                change.take().expect("one file")(&mut text);
            }
            fs::write(self.clinic.path(folder).join(name), encoding_rs::WINDOWS_1251.encode(&text).0).expect("written");
        }
        assert!(change.is_none(), "there is a file {letters}");
        Self { clinic: self.clinic, folder }
    }

    /// Loads it and returns what was said.
    fn load(&self, more: &[&str]) -> String {
        let line: Vec<&str> = ["load", self.folder].into_iter().chain(more.iter().copied()).collect();
        let said = self.clinic.run(&line);
        assert!(said.code < 2, "{said:?}");
        said.out + &said.err
    }
}

/// Replaces the first value of an element after the n-th record (from 1).
fn set(text: &mut String, record: usize, element: &str, value: &str) {
    let at = text.match_indices("<ZAP>").nth(record - 1).expect("a record").0;
    let open = format!("<{element}>");
    let start = at + text[at..].find(&open).expect(element) + open.len();
    let end = start + text[start..].find('<').expect("an end");
    text.replace_range(start..end, value);
}

/// Takes the n-th record (from 1) out of a main file and makes its head agree.
fn delete(text: &mut String, record: usize) {
    let start = text.match_indices("<ZAP>").nth(record - 1).expect("a record").0;
    let end = start + text[start..].find("</ZAP>").expect("an end") + "</ZAP>".len();
    let sum: f64 = between(&text[start..end], "SUMV").parse().expect("a sum");
    text.replace_range(start..end, "");
    let all: f64 = between(text, "SUMMAV").parse().expect("a sum");
    let (old_sum, new_sum) = (format!("<SUMMAV>{}", between(text, "SUMMAV")), format!("<SUMMAV>{:.2}", all - sum));
    let number: u32 = between(text, "SD_Z").parse().expect("a number");
    *text = text.replacen(&old_sum, &new_sum, 1).replacen(&format!("<SD_Z>{number}"), &format!("<SD_Z>{}", number - 1), 1);
}

/// The cases of a list.
fn cases(clinic: &Clinic, more: &[&str]) -> Vec<Value> {
    let line: Vec<&str> = ["cases", "--format", "json"].into_iter().chain(more.iter().copied()).collect();
    serde_json::from_str::<Value>(&clinic.done(&line)).expect("JSON")["cases"].as_array().expect("rows").clone()
}

/// Names of the cases in a state.
fn in_state(clinic: &Clinic, state: &str) -> Vec<String> {
    cases(clinic, &["--state", state]).iter().map(|case| case["case"].as_str().expect("a name").to_owned()).collect()
}

fn sound(clinic: &Clinic) {
    clinic.done(&["journal", "--verify"]);
}

on_each_store!(what_is_dropped_or_set_aside_is_not_formed_until_it_is_released);
fn what_is_dropped_or_set_aside_is_not_formed_until_it_is_released(clinic: &Clinic) {
    Export::new(clinic, "in", 6, &[]).load(&[]);
    let refused = clinic.run(&["cases", "drop", "c1"]);
    assert_eq!(refused.code, 2, "a reason is due: {refused:?}");
    clinic.done(&["cases", "drop", "c1", "c2", "--reason", "задвоены в МИС"]);
    clinic.done(&["cases", "hold", "c3", "--reason", "врач не подписал"]);
    assert_eq!((in_state(clinic, "dropped"), in_state(clinic, "aside")), (vec!["c1".to_owned(), "c2".to_owned()], vec!["c3".to_owned()]));
    let all = cases(clinic, &["--state", "dropped"]);
    assert_eq!(all[0]["reasons"][0]["values"][0], "задвоены в МИС");
    sound(clinic);
    // All or none.
    let refused = clinic.run(&["cases", "hold", "c4", "c3", "--reason", "нет"]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.err.contains("c3") && !refused.err.contains("c4"), "{}", refused.err);
    assert_eq!(in_state(clinic, "aside"), ["c3"]);
    clinic.done(&["form", "--period", "2026-03"]);
    assert_eq!(in_state(clinic, "held").len(), 3);
    let held = clinic.run(&["cases", "drop", "c4", "--reason", "нет"]);
    assert!(held.code == 4 && held.err.contains("--cancel"), "{held:?}");
    // The same export once more changes nothing of it, and says so.
    let again = Export { clinic, folder: "in" }.changed("touched", "L", |text| text.push('\n')).load(&[]);
    assert!(again.contains("отложены,") && again.contains("сняты,"), "{again}");
    clinic.done(&["cases", "release", "c1", "c3", "--reason", "вернули"]);
    clinic.done(&["form", "--period", "2026-03"]);
    assert_eq!((in_state(clinic, "held").len(), in_state(clinic, "dropped")), (5, vec!["c2".to_owned()]));
    sound(clinic);
}

on_each_store!(a_refused_case_that_was_dropped_comes_back_as_refused);
fn a_refused_case_that_was_dropped_comes_back_as_refused(clinic: &Clinic) {
    Export::new(clinic, "in", 4, &["--family", "DP"]).load(&[]);
    clinic.done(&["form", "--period", "2026-03"]);
    let number = clinic.registries()[0].0.clone();
    clinic.done(&["submit", &number]);
    let (answer, _) = decided(&main_file(clinic, &number), |at, all| (if at == 1 { all } else { 0 }, Vec::new()));
    write(clinic, "answer.xml", &answer);
    clinic.done(&["receive", "answer.xml"]);
    clinic.done(&["review", "return", &number, "--reason", "исправьте", "--role", "insurer"]);
    let refused = in_state(clinic, "refused");
    assert_eq!(refused.len(), 1, "{refused:?}");
    clinic.done(&["cases", "drop", &refused[0], "--reason", "не наш"]);
    clinic.done(&["cases", "release", &refused[0], "--reason", "наш"]);
    assert_eq!(in_state(clinic, "refused"), refused, "without a correction it is not billed again");
    sound(clinic);
}

on_each_store!(another_person_under_the_same_key_is_a_question_that_shows_both);
fn another_person_under_the_same_key_is_a_question_that_shows_both(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 4, &[]);
    export.load(&[]);
    // The case of another patient gets the first record's SL_ID: the МИС has mixed them up.
    let mut mixed_up = 0;
    let mixed = export.changed("mixed", "H", |text| {
        let (sl_id, patient) = (between(text, "SL_ID").to_owned(), between(text, "ID_PAC").to_owned());
        let records: Vec<&str> = text.split("<ZAP>").skip(1).collect();
        let other = 1 + records.iter().position(|record| between(record, "ID_PAC") != patient).expect("another patient");
        set(text, other, "SL_ID", &sl_id);
        mixed_up = other - 1;
        delete(text, 1);
    });
    let said = mixed.load(&[]);
    let question = cases(clinic, &["--state", "question"]);
    assert_eq!(question.len(), 1, "{said}");
    assert_eq!(question[0]["reasons"][0]["kind"], "person", "{question:?}");
    assert_eq!(question[0]["reasons"][0]["values"][0], "c1");
    let name = question[0]["case"].as_str().expect("a name");
    assert!(said.contains(name) && said.contains("c1 "), "both cases are shown: {said}");
    assert_eq!(cases(clinic, &["--state", "free"]).len(), 4, "nobody's case was eaten");
    // Said to be the same, it takes the place of the other; said to be different, it stands beside it.
    mixed.load(&["--doubtful", "different"]);
    assert_eq!(cases(clinic, &["--state", "free"]).len(), 5);
    // From now on each new version goes to its own person.
    let corrected = mixed.changed("corrected", "H", |text| set(text, mixed_up, "NHISTORY", "777"));
    corrected.load(&[]);
    let now = cases(clinic, &[]);
    let of = |id: &str| now.iter().filter(|case| case["case"] == id).count();
    assert_eq!((of(name), of("c1")), (0, 1), "{now:?}");
    assert!(in_state(clinic, "question").is_empty());
    sound(clinic);
}

on_each_store!(a_replacement_is_always_said);
fn a_replacement_is_always_said(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 4, &[]);
    export.load(&[]);
    let corrected = export.changed("corrected", "H", |text| set(text, 2, "NHISTORY", "777"));
    let said = clinic.run(&["load", "-q", corrected.folder]);
    assert!(said.code == 0 && said.out.contains("1\u{a0}случай") && said.out.lines().count() <= 2, "{said:?}");
    let entries = clinic.done(&["journal", "--format", "jsonl"]);
    assert!(entries.lines().last().is_some_and(|entry| entry.contains("replaced\\\":1")), "{entries}");
    // The story tells both versions.
    let story: Value = serde_json::from_str(&clinic.done(&["cases", "777", "--format", "json"])).expect("JSON");
    let states: Vec<&str> = story["versions"].as_array().expect("versions").iter().map(|one| one["state"].as_str().expect("a state")).collect();
    assert_eq!(states, ["replaced", "free"]);
}

on_each_store!(a_load_is_undone_and_what_it_replaced_counts_again);
fn a_load_is_undone_and_what_it_replaced_counts_again(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 5, &[]);
    export.load(&[]);
    let total = |clinic: &Clinic| cases(clinic, &[]).iter().map(|case| case["sum_kopecks"].as_i64().expect("a sum")).sum::<i64>();
    let before = total(clinic);
    let name = main_name(clinic, "in");
    let wrong = export.changed("wrong", "H", |text| {
        set(text, 2, "NHISTORY", "777");
        set(text, 3, "NHISTORY", "778");
        delete(text, 5);
    });
    wrong.load(&[]);
    // The first file stands below the second one, which has the same cases.
    let digest = |folder| digest_of(clinic, folder);
    let several = clinic.run(&["load", "--undo", &name]);
    assert!(several.code == 2 && several.err.contains(&digest("wrong")[..8]), "{several:?}");
    let below = clinic.run(&["load", "--undo", &digest("in")]);
    assert!(below.code == 4 && below.err.contains(&name), "{below:?}");
    let said = clinic.done(&["load", "--undo", &digest("wrong"), "--reason", "не тот файл"]);
    assert!(said.contains("2\u{a0}случая"), "{said}");
    assert_eq!((total(clinic), cases(clinic, &["--state", "free"]).len(), in_state(clinic, "undone").len()), (before, 5, 2));
    sound(clinic);
    // It can be loaded again.
    wrong.load(&[]);
    assert_eq!(in_state(clinic, "replaced").len(), 2);
    clinic.done(&["load", "--undo", &digest("wrong")]);
    clinic.done(&["form", "--period", "2026-03"]);
    let held = clinic.run(&["load", "--undo", &digest("in")]);
    assert!(held.code == 4 && held.err.contains("2603-"), "{held:?}");
    for (number, ..) in clinic.registries() {
        clinic.done(&["form", "--cancel", &number]);
    }
    clinic.done(&["load", "--undo", &digest("in")]);
    assert!(cases(clinic, &[]).is_empty());
    sound(clinic);
}

on_each_store!(a_version_that_was_taken_back_never_comes_back);
fn a_version_that_was_taken_back_never_comes_back(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 1, &[]);
    export.load(&[]);
    clinic.done(&["form", "--period", "2026-03"]);
    // Two corrections wait for the registry one after the other, and both turn out to be wrong.
    let loads = ["second", "third"].map(|folder| {
        export.changed(folder, "H", |text| set(text, 1, "NHISTORY", folder)).load(&[]);
        let file = fs::read_dir(clinic.path(folder)).expect("a folder").flatten().map(|file| file.path()).find(|path| path.to_string_lossy().contains("HM"));
        use sha2::Digest as _;
        puomp::values::hex(&sha2::Sha256::digest(fs::read(file.expect("a main file")).expect("read")))[..12].to_owned()
    });
    for load in loads {
        clinic.done(&["load", "--undo", &load]);
    }
    assert!(in_state(clinic, "waiting").is_empty(), "{:?}", cases(clinic, &[]));
    assert_eq!(in_state(clinic, "held"), ["c1"]);
    let number = clinic.registries()[0].0.clone();
    clinic.done(&["form", "--again", &number]);
    assert_eq!(in_state(clinic, "held"), ["c1"]);
    sound(clinic);
}

on_each_store!(a_complete_export_shows_what_it_no_longer_has);
fn a_complete_export_shows_what_it_no_longer_has(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 5, &[]);
    export.load(&[]);
    clinic.package("other", 3, &["--period", "2026-02", "--seed", "8"]);
    clinic.done(&["load", "other"]);
    let shorter = export.changed("shorter", "H", |text| delete(text, 4));
    let asked = clinic.run(&["load", "--complete", shorter.folder]);
    assert_eq!(asked.code, 1, "nobody agreed: {asked:?}");
    assert!(asked.out.contains("c4 ") && asked.err.contains("--yes"), "{asked:?}");
    assert!(in_state(clinic, "dropped").is_empty());
    // The same files are known by now; what they hold is known from them.
    let said = clinic.done(&["load", "--complete", "--yes", shorter.folder]);
    assert!(said.contains("c4 "), "{said}");
    assert_eq!(in_state(clinic, "dropped"), ["c4"]);
    assert_eq!(cases(clinic, &["--period", "2026-02"]).len(), 3, "another month is left alone");
    clinic.done(&["load", "--complete", shorter.folder]);
    sound(clinic);
}

on_each_store!(lists_are_filtered_and_numbers_of_persons_hidden);
fn lists_are_filtered_and_numbers_of_persons_hidden(clinic: &Clinic) {
    let export = Export::new(clinic, "first", 5, &[]);
    let export = export.changed("in", "H", |text| {
        set(text, 1, "IDDOKT", "12345678964");
        set(text, 2, "IDDOKT", "57");
        set(text, 2, "NHISTORY", "9999000000000012");
    });
    export.load(&[]);
    let all = cases(clinic, &[]);
    let (doctor, card) = (all[0]["doctor"].as_str().expect("a code"), all[1]["card"].as_str().expect("a number"));
    assert!(doctor.starts_with("…8964·") && card.starts_with("…0012·") && all[1]["doctor"] == "57", "{all:?}");
    for asked in ["12345678964", doctor, doctor.rsplit('·').next().expect("a key")] {
        assert_eq!(cases(clinic, &["--doctor", asked]).len(), 1, "{asked}");
    }
    assert_eq!(cases(clinic, &["--show-personal"])[0]["doctor"], "12345678964");
    for text in [clinic.done(&["cases"]), clinic.done(&["cases", "--format", "csv"]), clinic.done(&["cases", card])] {
        assert!(!text.contains("12345678964") && !text.contains("9999000000000012"), "{text}");
        assert!(text.contains("0012·"), "{text}");
    }
    assert_eq!(cases(clinic, &["--period", "2026-02"]).len(), 0);
    assert!(clinic.done(&["cases", "--period", "2026-02"]).contains("нет"));
    let lines = clinic.done(&["cases"]);
    assert!(lines.lines().all(|line| line.chars().count() <= 80), "{lines}");
    // The list of a day has what came and what went.
    clinic.done(&["cases", "drop", "c2", "--reason", "нет"]);
    let since = cases(clinic, &["--since", "2020-01-01"]);
    let changes: Vec<&str> = since.iter().map(|case| case["change"].as_str().expect("a change")).collect();
    assert_eq!(changes, ["new", "gone", "new", "new", "new"]);
    assert!(cases(clinic, &["--since", "2999-01-01"]).is_empty());
}

on_each_store!(a_mended_file_frees_what_it_has_not_changed);
fn a_mended_file_frees_what_it_has_not_changed(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 4, &[]);
    // An element that no edition knows: nothing of the file may be formed.
    let broken =
        |folder, more: &'static str| export.changed(folder, "H", move |text| *text = text.replacen("</SCHET>", &format!("<NOTE>1</NOTE>\n</SCHET>{more}"), 1));
    broken("broken", "").load(&[]);
    assert_eq!(clinic.run(&["form", "--period", "2026-03"]).code, 3);
    export.load(&[]);
    assert_eq!((in_state(clinic, "free").len(), in_state(clinic, "replaced").len()), (4, 4));
    // A broken file takes nothing out of the sound one.
    let said = broken("broken-again", "\n").load(&[]);
    assert!(said.contains("без изменений: 4"), "{said}");
    clinic.done(&["form", "--period", "2026-03"]);
    assert_eq!(in_state(clinic, "held").len(), 4);
    sound(clinic);
}

on_each_store!(questions_about_a_dropped_case_and_another_are_answered_at_once);
fn questions_about_a_dropped_case_and_another_are_answered_at_once(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 4, &[]);
    export.load(&[]);
    clinic.done(&["cases", "drop", "c1", "--reason", "нет"]);
    // A new version of the dropped case, and one of another case under a new key.
    let changed = export.changed("changed", "H", |text| {
        set(text, 1, "NHISTORY", "777");
        set(text, 2, "SL_ID", "6f9619ff-8b86-d011-b42d-00cf4fc964ff");
    });
    changed.load(&[]);
    assert_eq!(in_state(clinic, "question").len(), 2);
    changed.load(&["--doubtful", "same"]);
    assert_eq!((in_state(clinic, "free").len(), in_state(clinic, "replaced").len()), (4, 2));
    sound(clinic);
}

on_each_store!(a_case_is_not_released_beside_the_version_that_counts_in_its_place);
fn a_case_is_not_released_beside_the_version_that_counts_in_its_place(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 3, &[]);
    export.load(&[]);
    clinic.done(&["cases", "drop", "c1", "--reason", "нет"]);
    let changed = export.changed("changed", "H", |text| set(text, 1, "NHISTORY", "777"));
    changed.load(&[]);
    changed.load(&["--doubtful", "different"]);
    let refused = clinic.refused(&["cases", "release", "c1", "--reason", "наш"], 4);
    assert!(refused.contains("c4"), "{refused}");
    clinic.done(&["cases", "drop", "c4", "--reason", "не наш"]);
    clinic.done(&["cases", "release", "c1", "--reason", "наш"]);
    assert_eq!(in_state(clinic, "free"), ["c1", "c2", "c3"]);
    sound(clinic);
}

on_each_store!(what_was_dropped_or_refused_stays_so_when_its_correction_is_undone);
fn what_was_dropped_or_refused_stays_so_when_its_correction_is_undone(clinic: &Clinic) {
    let export = Export::new(clinic, "in", 3, &[]);
    export.load(&[]);
    let changed = export.changed("changed", "H", |text| set(text, 1, "NHISTORY", "777"));
    changed.load(&[]);
    clinic.done(&["cases", "drop", "c4", "--reason", "нет"]);
    clinic.done(&["load", "--undo", &digest_of(clinic, "changed")]);
    assert_eq!((in_state(clinic, "dropped"), in_state(clinic, "free")), (vec!["c1".to_owned()], vec!["c2".to_owned(), "c3".to_owned()]));
    sound(clinic);
}

/// The name of the main file in a folder.
fn main_name(clinic: &Clinic, folder: &str) -> String {
    let names = fs::read_dir(clinic.path(folder)).expect("a folder").flatten().map(|file| file.file_name().to_string_lossy().into_owned());
    names.into_iter().find(|name| name.starts_with('H')).expect("a main file")
}

/// The beginning of the SHA-256 of the main file in a folder.
fn digest_of(clinic: &Clinic, folder: &str) -> String {
    use sha2::Digest as _;
    puomp::values::hex(&sha2::Sha256::digest(fs::read(clinic.path(folder).join(main_name(clinic, folder))).expect("read")))[..12].to_owned()
}
