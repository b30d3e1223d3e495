//! PR_NOV of a case that comes back: it follows from what happened to the case, not from the export.

use std::fs;
use std::path::PathBuf;

use crate::support::clinic::Clinic;
use crate::support::sent::{between, decided, main_file, protocol, shared_case, stands, write};

/// Families and the first letters of their main files. A program takes half a second to start under Wine, and nothing here depends on the system.
const FAMILIES: &[(&str, &str)] = if cfg!(windows) { &[("H", "HM")] } else { &[("H", "HM"), ("C", "CM"), ("T", "TM"), ("DP", "DPM")] };

/// A clinic that has sent one registry of a family.
struct Desk {
    clinic: Clinic,
    number: String,
    stem: String,
    /// The main file that was sent.
    text: String,
}

impl Desk {
    fn new(clinic: Clinic, family: &str) -> Self {
        clinic.package("in", 6, &["--period", "2021-02", "--family", family, "--plain"]);
        clinic.run(&["load", "in"]);
        let (number, stem, text) = form_and_send(&clinic);
        Self { clinic, number, stem, text }
    }

    /// The export once more, with the first case of the registry corrected. PR_NOV of the export is `says`.
    fn correct(&self, letters: &str, says: &str) {
        let sl_id = between(&self.text, "SL_ID");
        fs::create_dir_all(self.clinic.path("again")).expect("made");
        for file in fs::read_dir(self.clinic.path("in")).expect("a folder").flatten().map(|entry| entry.path()) {
            let mut text = encoding_rs::WINDOWS_1251.decode(&fs::read(&file).expect("read")).0.into_owned();
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            if name.starts_with(letters) {
                let at = text.find(sl_id).expect("the case");
                let card = at + text[at..].find("<NHISTORY>").expect("a card") + "<NHISTORY>".len();
                text.insert(card, '7');
                let record = text[..at].rfind("<PR_NOV>").expect("a record") + "<PR_NOV>".len();
                text.replace_range(record..=record, says);
            }
            fs::write(self.clinic.path("again").join(name), encoding_rs::WINDOWS_1251.encode(&text).0).expect("written");
        }
        self.clinic.run(&["load", "again"]);
    }

    /// PR_NOV of the first case in the registry of a number.
    fn pr_nov(&self, number: &str) -> String {
        let text = main_file(&self.clinic, number);
        let at = text.find(between(&self.text, "SL_ID")).expect("the case is in it");
        between(&text[text[..at].rfind("<ZAP>").expect("a record")..], "PR_NOV").to_owned()
    }

    /// Forms a new registry, sends it, and returns the number of the one with the case.
    fn sent_anew(&self) -> String {
        form_and_send(&self.clinic).0
    }
}

/// Forms and sends everything; the number, the file name and the text of the registry that has the most cases.
fn form_and_send(clinic: &Clinic) -> (String, String, String) {
    let before = clinic.registries();
    clinic.run(&["form", "--period", "2021-02"]);
    let mut new: Vec<_> = clinic.registries().into_iter().filter(|one| !before.contains(one)).collect();
    new.sort_by_key(|(_, _, cases, _)| *cases);
    for (number, ..) in &new {
        clinic.done(&["submit", number]);
    }
    let number = new.pop().expect("a registry").0;
    let row = clinic.status()["registries"].as_array().expect("rows").iter().find(|row| row["number"] == number.as_str()).expect("there").clone();
    let text = main_file(clinic, &number);
    (number, row["file"].as_str().expect("a name").to_owned(), text)
}

/// The registry as it comes back, its first case refused whole.
fn first_refused(text: &str) -> String {
    decided(text, |number, all| (if number == 1 { all } else { 0 }, Vec::new())).0
}

/// Each way back in each family.
fn ways_back(make: impl Fn() -> Clinic) {
    for (family, letters) in FAMILIES {
        let desk = || Desk::new(make(), family);
        let record = "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>1</IDCASE></PR>";

        let one = desk();
        assert_eq!(one.pr_nov(&one.number), "0", "{family}: sent for the first time");
        write(&one.clinic, "whole.xml", &protocol(&one.stem, "<PR><OSHIB>904</OSHIB><IM_POL>FILENAME</IM_POL></PR>"));
        one.clinic.done(&["receive", "whole.xml"]);
        one.correct(letters, "1");
        let said = one.clinic.done(&["form", "--again", &one.number]);
        assert!(said.contains("PR_NOV не тот"), "{said}");
        assert_eq!(one.pr_nov(&one.number), "0", "{family}: the file was refused whole");

        let one = desk();
        one.clinic.done(&["withdraw", &one.number, "--reason", "рано"]);
        one.correct(letters, "1");
        let again = one.sent_anew();
        assert_eq!(one.pr_nov(&again), "0", "{family}: withdrawn");

        let one = desk();
        write(&one.clinic, "part.xml", &protocol(&one.stem, record));
        one.clinic.done(&["receive", "part.xml"]);
        one.correct(letters, "0");
        let again = one.sent_anew();
        assert_eq!(one.pr_nov(&again), "1", "{family}: the record was refused");

        let one = desk();
        write(&one.clinic, "decision.xml", &first_refused(&one.text));
        one.clinic.done(&["receive", "decision.xml"]);
        one.correct(letters, "0");
        let again = one.sent_anew();
        assert_eq!(one.pr_nov(&again), "1", "{family}: refused by the payer");

        let one = desk();
        fs::write(one.clinic.path("sanctions.csv"), "idcase,code,sum\n1,5.3.2.,0.01\n").expect("written");
        one.clinic.done(&["review", "return", &one.number, "--role", "insurer", "--reason", "тариф", "--sanctions", "sanctions.csv"]);
        one.correct(letters, "0");
        one.clinic.done(&["form", "--again", &one.number]);
        assert_eq!(one.pr_nov(&one.number), "1", "{family}: returned with sanctions");
        assert_eq!(stands(&one.clinic, &one.number).0, "formed");
        let others = main_file(&one.clinic, &one.number).matches("<PR_NOV>0</PR_NOV>").count();
        assert!(others > 0, "{family}: the cases that nothing is held against go as before");
    }
}

#[test]
fn each_way_back_gives_its_pr_nov() {
    ways_back(Clinic::new);
}

#[test]
#[ignore = "needs PUOMP_TEST_POSTGRES"]
fn and_on_postgres() {
    ways_back(Clinic::on_postgres);
}

#[test]
fn an_export_that_calls_a_new_case_sent_before_is_told_of() {
    let clinic = Clinic::new();
    clinic.package("in", 6, &["--period", "2021-02", "--plain"]);
    let main: PathBuf =
        fs::read_dir(clinic.path("in")).expect("a folder").flatten().map(|e| e.path()).find(|p| p.to_string_lossy().contains("HM")).expect("it");
    let text = encoding_rs::WINDOWS_1251.decode(&fs::read(&main).expect("read")).0.replacen("<PR_NOV>0", "<PR_NOV>1", 2);
    fs::write(&main, encoding_rs::WINDOWS_1251.encode(&text).0).expect("written");
    let said = clinic.run(&["load", "in"]).out.replace('\u{a0}', " ");
    assert!(said.contains("PR_NOV = 1") && said.contains("2 случая"), "{said}");
    assert!(!clinic.run(&["load", "in"]).out.contains("PR_NOV"), "it is told once");
    let (number, ..) = form_and_send(&clinic);
    assert!(!main_file(&clinic, &number).contains("<PR_NOV>1"));
    // A region that trusts the export says so in its table.
    let other = Clinic::new();
    fs::create_dir_all(other.path("own/forms")).expect("made");
    let table = fs::read_to_string("rules/forms/resubmission.csv").expect("the table").replace("none,0", "none,export");
    fs::write(other.path("own/forms/resubmission.csv"), table).expect("written");
    other.run(&["load", clinic.path("in").to_str().expect("plain")]);
    other.done(&["form", "--period", "2021-02", "--rules", "own"]);
    let ones: usize = other.registries().iter().map(|(number, ..)| main_file(&other, number).matches("<PR_NOV>1").count()).sum();
    assert_eq!(ones, 2);
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_known_case_comes_out_right() {
    let case = shared_case("corrected-case-goes-as-new");
    let clinic = Clinic::new();
    let given = |name: &str| case.join(name).to_str().expect("a plain path").to_owned();
    clinic.done(&["load", &given("package")]);
    clinic.done(&["form", "--period", "2026-03"]);
    clinic.done(&["submit", "2603-1"]);
    clinic.done(&["receive", &given("answer.xml")]);
    clinic.done(&["load", &given("corrected")]);
    clinic.done(&["form", "--period", "2026-03"]);
    assert!(main_file(&clinic, "2603-2").contains("<PR_NOV>1</PR_NOV>"));
}

/// Answers are often called by the same name: what one of them says is not taken for what another says.
#[test]
fn answers_of_one_name_are_told_apart() {
    let desk = Desk::new(Clinic::new(), "H");
    let refusal = |idcase: u32| format!("<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>{idcase}</IDCASE></PR>");
    write(&desk.clinic, "answer.xml", &protocol(&desk.stem, &format!("{}<PR><OSHIB>904</OSHIB><IM_POL>FILENAME</IM_POL></PR>", refusal(1))));
    desk.clinic.done(&["receive", "answer.xml"]);
    write(&desk.clinic, "answer.xml", &protocol(&desk.stem, &refusal(2)));
    desk.clinic.done(&["receive", "answer.xml"]);
    let said = desk.clinic.done(&["status", &desk.number, "--format", "json"]);
    assert!(said.contains("\"answer.xml (2)\""), "{said}");
    desk.clinic.done(&["withdraw", &desk.number, "--reason", "рано"]);
    desk.correct("HM", "0");
    let again = desk.sent_anew();
    assert_eq!(desk.pr_nov(&again), "0", "the first case was named only when the whole file was refused");
}
