//! Answers as payers really write them: nothing unknown is consent, a refusal is of the cases that it names, and what does not agree is told with its numbers.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use crate::support::clinic::Clinic;
use crate::support::sent::{Sent, between, kopecks, protocol, roubles, sent, sent_of, sent_of_loaded, shared_case, stands, write};

/// A workspace in which the registry of a case was sent.
fn sent_as_in(name: &str) -> (Clinic, PathBuf) {
    let (clinic, case) = (Clinic::new(), shared_case(name));
    clinic.done(&["load", case.join("package").to_str().expect("a plain path")]);
    clinic.done(&["form", "--period", "2026-03"]);
    clinic.done(&["submit", "2603-1"]);
    (clinic, case)
}

#[test]
#[ignore = "needs PUOMP_SHARED"]
fn the_known_cases_come_out_right() {
    let receive = |clinic: &Clinic, case: &std::path::Path, name: &str| clinic.run(&["receive", case.join(name).to_str().expect("a plain path")]);
    let status = |clinic: &Clinic| stands(clinic, "2603-1");

    let (clinic, case) = sent_as_in("protocol-of-another-layout");
    assert_eq!(receive(&clinic, &case, "answer.xml").code, 0);
    assert_eq!((status(&clinic).0.as_str(), status(&clinic).1, clinic.outside("refused").0), ("in_review", 3, 1));

    let (clinic, case) = sent_as_in("answer-with-two-protocols");
    assert_eq!(receive(&clinic, &case, "answer.zip").code, 0);
    assert_eq!((status(&clinic).0.as_str(), status(&clinic).1, clinic.outside("refused").0), ("in_review", 3, 1));

    let (clinic, case) = sent_as_in("protocol-again-after-refusal");
    assert_eq!(receive(&clinic, &case, "answer1.xml").code, 0);
    assert_eq!(status(&clinic).0, "returned");
    assert_eq!(receive(&clinic, &case, "answer2.xml").code, 0);
    assert_eq!(status(&clinic).0, "in_review");

    let (clinic, case) = sent_as_in("case-key-that-is-not-unique");
    let said = receive(&clinic, &case, "answer.xml");
    assert!(said.code == 6 && said.err.contains("SL_ID") && said.err.contains("1, 2, 3, 4"), "{said:?}");
    assert_eq!((status(&clinic).0.as_str(), clinic.outside("refused").0), ("sent", 0));

    let (clinic, case) = sent_as_in("two-sanctions-of-one-case");
    let said = receive(&clinic, &case, "answer.xml");
    assert!(said.code == 0 && said.out.replace('\u{a0}', " ").contains("150,00"), "{said:?}");
    assert_eq!(status(&clinic), ("to_sign".to_owned(), 4, 295_700));
}

/// Adds files to an archive of an answer.
fn archive(clinic: &Clinic, name: &str, files: &[(&str, &str)]) {
    let mut zip = zip::ZipWriter::new(fs::File::create(clinic.path(name)).expect("created"));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(&encoding_rs::WINDOWS_1251.encode(text).0).expect("written");
    }
    zip.finish().expect("finished");
}

/// The name of the person file of a registry.
fn persons(sent: &Sent) -> String {
    format!("L{}", &sent.stem[1..])
}

on_each_store!(protocols_of_both_files_are_one_answer);
fn protocols_of_both_files_are_one_answer(clinic: &Clinic) {
    let sent = sent(clinic);
    let clean = |file: &str| protocol(file, "");
    // The protocol of the person file alone says nothing of the main file.
    write(clinic, "l.xml", &clean(&persons(&sent)));
    assert!(clinic.refused(&["receive", "l.xml"], 6).contains("файла персон"));
    let of_one = "<PR><OSHIB>904</OSHIB><BAS_EL>PERS</BAS_EL><ID_PAC>nobody</ID_PAC></PR>";
    write(clinic, "l-part.xml", &protocol(&persons(&sent), of_one));
    assert!(clinic.refused(&["receive", "l-part.xml"], 6).contains("файла персон"));
    assert_eq!(stands(clinic, &sent.number).0, "sent");
    let pac = between(&sent.text, "ID_PAC");
    let of_person = sent.text.matches(&format!("<ID_PAC>{pac}</ID_PAC>")).count() as i64;
    let refusal = format!("<PR><OSHIB>904</OSHIB><IM_POL>DR</IM_POL><BAS_EL>PERS</BAS_EL><ID_PAC>{pac}</ID_PAC></PR>");
    archive(clinic, "answer.zip", &[("V.xml", &clean(&sent.stem)), ("F.xml", &protocol(&persons(&sent), &refusal))]);
    clinic.done(&["receive", "answer.zip"]);
    let (status, cases, _) = stands(clinic, &sent.number);
    assert_eq!((status.as_str(), cases), ("in_review", sent.cases - of_person), "all cases of that person, and no other");
    assert_eq!(clinic.outside("refused").0, of_person);
    assert!(clinic.done(&["receive", "answer.zip"]).contains("уже принят"));
    clinic.done(&["journal", "--verify"]);
}

#[test]
fn protocols_of_two_registries_are_not_one_answer() {
    let clinic = Clinic::new();
    let (first, second) = (sent(&clinic), sent_of(&clinic, "2021-03", "77"));
    archive(&clinic, "answer.zip", &[("V1.xml", &protocol(&first.stem, "")), ("V2.xml", &protocol(&second.stem, ""))]);
    assert!(clinic.refused(&["receive", "answer.zip"], 6).contains("V1.xml, V2.xml"));
    assert_eq!([&first, &second].map(|sent| stands(&clinic, &sent.number).0), ["sent", "sent"]);
}

on_each_store!(a_fund_repeats_the_control_of_a_file_that_it_refused);
fn a_fund_repeats_the_control_of_a_file_that_it_refused(clinic: &Clinic) {
    let sent = sent(clinic);
    let whole = "<PR><OSHIB>904</OSHIB><IM_POL>FILENAME</IM_POL></PR>";
    let one = "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>1</IDCASE></PR>";
    for (name, refusals, status) in [("1.xml", whole, "returned"), ("2.xml", "", "in_review"), ("3.xml", one, "in_review")] {
        write(clinic, name, &protocol(&sent.stem, refusals));
        clinic.done(&["receive", name]);
        assert_eq!(stands(clinic, &sent.number).0, status, "{name}");
    }
    assert_eq!(stands(clinic, &sent.number).1, sent.cases - 1);
    // What the payer returned stays returned, whatever ФЛК says later.
    clinic.done(&["review", "return", &sent.number, "--role", "insurer", "--reason", "тариф"]);
    for (name, refusals) in [("4.xml", "<!-- -->"), ("5.xml", &*one.replace('1', "2"))] {
        write(clinic, name, &protocol(&sent.stem, refusals));
        let said = clinic.refused(&["receive", name], 4);
        assert!(said.contains("вернул плательщик"), "{said}");
    }
    assert_eq!(stands(clinic, &sent.number).0, "returned");
}

on_each_store!(an_unknown_layout_changes_nothing);
fn an_unknown_layout_changes_nothing(clinic: &Clinic) {
    let sent = sent(clinic);
    let odd = "<ERRORS><ERROR><OSHIB>904</OSHIB><IDCASE>1</IDCASE></ERROR></ERRORS>";
    write(clinic, "odd.xml", &protocol(&sent.stem, odd));
    let said = clinic.refused(&["receive", "odd.xml"], 6);
    assert!(said.contains("ERRORS") && said.contains("согласием он не считается"), "{said}");
    // A region describes its layout in a folder of rules.
    let table = fs::read_to_string("rules/forms/answer-elements.csv").expect("the table");
    fs::create_dir_all(clinic.path("own/forms")).expect("made");
    let rows = "protocol,root,ERRORS,group,отказы,refusals\nprotocol,group,ERROR,record,отказ,refusal\n";
    fs::write(clinic.path("own/forms/answer-elements.csv"), table + rows).expect("written");
    clinic.done(&["receive", "odd.xml", "--rules", "own"]);
    assert_eq!((stands(clinic, &sent.number).0.as_str(), clinic.outside("refused").0), ("in_review", 1));
}

/// A clinic writes the same SL_ID into every case.
fn sent_with_one_sl_id(clinic: &Clinic) -> Sent {
    clinic.package("in", 30, &["--period", "2021-02", "--plain"]);
    let main = fs::read_dir(clinic.path("in")).expect("a folder").flatten().map(|e| e.path()).find(|p| p.to_string_lossy().contains("HM")).expect("a file");
    let text = encoding_rs::WINDOWS_1251.decode(&fs::read(&main).expect("read")).0.into_owned();
    let pieces: Vec<&str> = text.split("<SL_ID>").collect();
    let ones: Vec<String> =
        pieces.iter().enumerate().map(|(at, p)| if at == 0 { (*p).to_owned() } else { format!("1{}", &p[p.find('<').expect("an end")..]) }).collect();
    fs::write(&main, encoding_rs::WINDOWS_1251.encode(&ones.join("<SL_ID>")).0).expect("written");
    clinic.run(&["load", "in", "--doubtful", "different"]);
    sent_of_loaded(clinic, "2021-02")
}

on_each_store!(a_number_that_several_cases_have_refuses_none_of_them);
fn a_number_that_several_cases_have_refuses_none_of_them(clinic: &Clinic) {
    let sent = sent_with_one_sl_id(clinic);
    let refusal = |numbers: &str| protocol(&sent.stem, &format!("<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL>{numbers}</PR>"));
    write(clinic, "sl.xml", &refusal("<SL_ID>1</SL_ID>"));
    let said = clinic.refused(&["receive", "sl.xml"], 6);
    assert!(said.contains("SL_ID") && said.contains("IDCASE 1, 2"), "{said}");
    assert_eq!((stands(clinic, &sent.number).0.as_str(), clinic.outside("refused").0), ("sent", 0));
    // At the payer's own desk as well.
    fs::write(clinic.path("sanctions.csv"), "sl_id,code,sum\n1,5.1.4,1.00\n").expect("written");
    let said = clinic.run(&["review", "accept", &sent.number, "--role", "insurer", "--sanctions", "sanctions.csv"]);
    assert!(said.code != 0 && said.err.contains("назовите IDCASE"), "{said:?}");
    write(clinic, "zap.xml", &refusal("<SL_ID>1</SL_ID><N_ZAP>2</N_ZAP>"));
    clinic.done(&["receive", "zap.xml"]);
    assert_eq!(stands(clinic, &sent.number).1, sent.cases - 1, "both numbers together name one case");
}

/// The registry as it comes back, with sanctions on the second case.
fn decided(sent: &Sent, sanctions: &[i64], off: i64) -> String {
    crate::support::sent::decided(&sent.text, |number, _| if number == 2 { (off, sanctions.to_vec()) } else { (0, Vec::new()) }).0
}

on_each_store!(sanctions_are_added_up_or_the_largest_counts);
fn sanctions_are_added_up_or_the_largest_counts(clinic: &Clinic) {
    let sent = sent(clinic);
    write(clinic, "odd.xml", &decided(&sent, &[100, 50], 120));
    let said = clinic.refused(&["receive", "odd.xml"], 6).replace('\u{a0}', " ");
    for words in ["IDCASE 2", "SANK_IT 1,20", "вместе 1,50", "наибольшая 1,00"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    // OPLATA says that all is paid, and the sums do not.
    write(clinic, "full.xml", &decided(&sent, &[100], 100).replace("<OPLATA>3<", "<OPLATA>1<"));
    assert!(clinic.refused(&["receive", "full.xml"], 6).contains("IDCASE 2"));
    assert_eq!(stands(clinic, &sent.number).0, "sent");
    write(clinic, "added.xml", &decided(&sent, &[100, 50], 150));
    let said = clinic.done(&["receive", "added.xml"]).replace('\u{a0}', " ");
    assert!(said.contains("IDCASE 2") && said.contains("1,50") && said.contains("наибольшая из них 1,00"), "{said}");
    assert_eq!(stands(clinic, &sent.number), ("to_sign".to_owned(), sent.cases, sent.sum - 150));
}

on_each_store!(an_answer_with_the_refused_cases_alone);
/// Cases that an answer does not name are paid only if its total says so.
fn an_answer_with_the_refused_cases_alone(clinic: &Clinic) {
    let sent = sent(clinic);
    let whole = decided(&sent, &[100], 100);
    let (head, rest) = whole.split_once("<ZAP>").expect("a record");
    let records: Vec<&str> = rest.split("<ZAP>").collect();
    let second = format!("{head}<ZAP>{}</ZL_LIST>", records[1].trim_end().trim_end_matches("</ZL_LIST>"));
    let without_total = second.replace(&format!("<SUMMAP>{}</SUMMAP>", roubles(sent.sum - 100)), "");
    write(clinic, "silent.xml", &without_total);
    assert!(clinic.refused(&["receive", "silent.xml"], 6).contains("SUMMAP"));
    assert_eq!(stands(clinic, &sent.number).0, "sent");
    write(clinic, "second.xml", &second);
    clinic.done(&["receive", "second.xml"]);
    assert_eq!(stands(clinic, &sent.number), ("to_sign".to_owned(), sent.cases, sent.sum - 100));
}

on_each_store!(what_a_payer_says_is_shown);
fn what_a_payer_says_is_shown(clinic: &Clinic) {
    let sent = sent(clinic);
    let refusal = "<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SL</BAS_EL><IDCASE>2</IDCASE><COMMENT>Нет в МКБ, ЕНП 9999000000000012</COMMENT></PR>";
    write(clinic, "flk.xml", &protocol(&sent.stem, refusal));
    clinic.done(&["receive", "flk.xml"]);
    fs::write(clinic.path("sanctions.csv"), "idcase,code,sum,comment\n1,5.3.2.,0.01,тариф; округление\n").expect("written");
    clinic.done(&[
        "review",
        "return",
        &sent.number,
        "--role",
        "insurer",
        "--reason",
        "нет подписи врача,\nСНИЛС 123-456-789 00",
        "--sanctions",
        "sanctions.csv",
    ]);
    let said = clinic.done(&["status", &sent.number]).replace('\u{a0}', " ");
    for words in ["причина: нет подписи врача, СНИЛС …8900", "IDCASE", "904", "SL/DS1: Нет в МКБ, ЕНП …0012", "5.3.2.", "0,01", "тариф; округление"]
    {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!said.contains("9999000000000012"), "{said}");
    let said = clinic.done(&["status", &sent.number, "--history"]);
    // The cells of the table are folded.
    assert!(said.lines().any(|line| line.contains("вернуть на") && line.contains("нет подписи")), "{said}");
    let json: serde_json::Value = serde_json::from_str(&clinic.done(&["status", &sent.number, "--format", "json"])).expect("JSON");
    let rows: Vec<_> =
        json["sanctions"].as_array().expect("a list").iter().map(|row| (row["idcase"].as_i64(), row["code"].as_str(), row["sum_kopecks"].as_i64())).collect();
    let second = kopecks(between(sent.text.split("<Z_SL>").nth(2).expect("the case"), "SUMV"));
    assert_eq!(rows, [(Some(1), Some("5.3.2."), Some(1)), (Some(2), Some("904"), Some(second))]);
}

on_each_store!(a_protocol_of_an_earlier_file_is_not_taken_for_one_of_a_later);
fn a_protocol_of_an_earlier_file_is_not_taken_for_one_of_a_later(clinic: &Clinic) {
    let sent = sent(clinic);
    write(clinic, "whole.xml", &protocol(&sent.stem, "<PR><OSHIB>904</OSHIB><IM_POL>FILENAME</IM_POL></PR>"));
    clinic.done(&["receive", "whole.xml"]);
    // What was refused is not revived by the person file.
    write(clinic, "l.xml", &protocol(&persons(&sent), "<PR><OSHIB>904</OSHIB><BAS_EL>PERS</BAS_EL><ID_PAC>nobody</ID_PAC></PR>"));
    assert!(clinic.refused(&["receive", "l.xml"], 6).contains("файла персон"));
    assert_eq!(stands(clinic, &sent.number).0, "returned");
    clinic.done(&["form", "--again", &sent.number]);
    clinic.done(&["submit", &sent.number]);
    let account = format!("<SCHET><NSCHET>{}</NSCHET></SCHET>", sent.number);
    for refusals in [account.clone(), format!("{account}<ZAP><N_ZAP>1</N_ZAP><OTKAZ><I_TYPE>904</I_TYPE></OTKAZ></ZAP>")] {
        write(clinic, "late.xml", &protocol(&sent.stem, &refusals));
        assert!(clinic.refused(&["receive", "late.xml"], 4).contains("не от этого реестра"));
        assert_eq!(stands(clinic, &sent.number).0, "sent");
    }
}

#[test]
fn sums_beyond_all_bounds_do_not_agree() {
    let clinic = Clinic::new();
    let sent = sent(&clinic);
    write(&clinic, "huge.xml", &decided(&sent, &[9_000_000_000_000_000_000; 40], 100));
    clinic.refused(&["receive", "huge.xml"], 6);
    assert_eq!(stands(&clinic, &sent.number).0, "sent");
}

/// Files of several families differ in the first letters, and so do their person files.
#[test]
fn a_person_file_belongs_to_the_family_that_its_name_says() {
    let clinic = Clinic::new();
    for (family, seed) in [("C", "3"), ("T", "4"), ("H", "5")] {
        clinic.package(family, 6, &["--period", "2021-02", "--family", family, "--seed", seed]);
        clinic.run(&["load", family]);
    }
    clinic.done(&["form", "--period", "2021-02"]);
    let status = clinic.status();
    let files: Vec<(String, String)> = status["registries"]
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| (row["number"].as_str().expect("a number").to_owned(), row["file"].as_str().expect("a name").to_owned()))
        .filter(|(_, file)| file.ends_with("_21021"))
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    for (number, file) in &files {
        clinic.done(&["submit", number]);
        let persons = format!("L{}", file.strip_prefix('H').unwrap_or(file));
        let name = format!("{file}.zip");
        archive(&clinic, &name, &[("V.xml", &protocol(file, "")), ("F.xml", &protocol(&persons, ""))]);
        clinic.done(&["receive", &name]);
        assert_eq!(stands(&clinic, number).0, "in_review", "{file}");
    }
}

on_each_store!(numbers_that_contradict_each_other_name_no_case);
fn numbers_that_contradict_each_other_name_no_case(clinic: &Clinic) {
    let sent = sent(clinic);
    let case = |at: usize| sent.text.split("<ZAP>").nth(at).expect("a record");
    let (sl, pac) = (between(case(2), "SL_ID"), between(case(2), "ID_PAC"));
    for numbers in [
        "<N_ZAP>1</N_ZAP><IDCASE>2</IDCASE>".to_owned(),
        format!("<IDCASE>1</IDCASE><SL_ID>{sl}</SL_ID>"),
        "<IDCASE>1</IDCASE><ID_PAC>nobody</ID_PAC>".to_owned(),
        format!("<N_ZAP>1</N_ZAP><SL_ID>{sl}</SL_ID>"),
    ] {
        write(clinic, "odd.xml", &protocol(&sent.stem, &format!("<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL>{numbers}</PR>")));
        assert!(clinic.refused(&["receive", "odd.xml"], 4).contains("не от этого реестра"), "{numbers}");
    }
    fs::write(clinic.path("sanctions.csv"), "idcase,n_zap,code,sum\n1,2,5.1.4.,\n").expect("written");
    assert_ne!(clinic.run(&["review", "accept", &sent.number, "--role", "insurer", "--sanctions", "sanctions.csv"]).code, 0);
    assert_eq!(stands(clinic, &sent.number).0, "sent");
    write(
        clinic,
        "right.xml",
        &protocol(&sent.stem, &format!("<PR><OSHIB>904</OSHIB><N_ZAP>2</N_ZAP><IDCASE>2</IDCASE><SL_ID>{sl}</SL_ID><ID_PAC>{pac}</ID_PAC></PR>")),
    );
    clinic.done(&["receive", "right.xml"]);
    // Refused whole and then passed: what was refused before stays so.
    for (name, refusals) in [("whole.xml", "<PR><OSHIB>801</OSHIB><IM_POL>FILENAME</IM_POL></PR>"), ("passed.xml", "")] {
        write(clinic, name, &protocol(&sent.stem, refusals));
        clinic.done(&["receive", name]);
    }
    assert_eq!((stands(clinic, &sent.number).0.as_str(), stands(clinic, &sent.number).1), ("in_review", sent.cases - 1));
    // What is in a registry no more is not counted as if it were.
    let said = clinic.run(&["form", "--period", "2021-02", "--dry-run"]);
    let counted = format!("уже в реестре {}: {}", sent.number, sent.cases - 1);
    assert!(format!("{}{}", said.out, said.err).replace('\u{a0}', " ").contains(&counted), "{said:?}");
}

#[test]
fn a_registry_that_comes_back_says_how_to_send_it_again() {
    let clinic = Clinic::new();
    let sent = sent(&clinic);
    let one = "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>1</IDCASE></PR><PR><OSHIB>801</OSHIB><IM_POL>FILENAME</IM_POL></PR>";
    write(&clinic, "whole.xml", &protocol(&sent.stem, one));
    let said = clinic.done(&["receive", "whole.xml"]);
    assert!(said.contains(&format!("puomp form --again {}", sent.number)), "{said}");
    clinic.done(&["form", "--again", &sent.number]);
    let said = clinic.done(&["status", &sent.number]);
    assert!(said.contains("по прежним подачам") && !said.contains("904"), "{said}");
    assert!(clinic.done(&["status", &sent.number, "--history"]).contains("904"));
}

on_each_store!(a_withdrawn_registry_accepts_nothing);
fn a_withdrawn_registry_accepts_nothing(clinic: &Clinic) {
    let sent = sent(clinic);
    write(clinic, "part.xml", &protocol(&sent.stem, "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>1</IDCASE></PR>"));
    clinic.done(&["receive", "part.xml"]);
    assert_eq!(stands(clinic, &sent.number).1, sent.cases - 1);
    clinic.done(&["withdraw", &sent.number, "--reason", "рано"]);
    assert_eq!(stands(clinic, &sent.number), ("withdrawn".to_owned(), 0, 0));
    clinic.done(&["journal", "--verify"]);
    assert!(clinic.done(&["status", "--period", "2099-01"]).contains("в этом месяце ничего нет"));
}
