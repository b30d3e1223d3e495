//! Interregional cases go to the fund of the clinic's territory as one registry.

use std::fs;

use crate::support::clinic::Clinic;
use crate::support::desk::Package;
use crate::support::sent::main_file;

const ELSEWHERE: &str = "<SMO_OGRN>1027739051460</SMO_OGRN>\n<SMO_OK>45000</SMO_OK>\n<SMO_NAM>Медстрах</SMO_NAM>\n";

/// Packages for the fund without a payer: own insured people, those of two foreign insurers, and one whose insurer is known by name only.
fn load(clinic: &Clinic) {
    for (number, insurer) in (1..).zip(["<SMO>77001</SMO>\n", "<SMO>03101</SMO>\n", ELSEWHERE]) {
        Package::new(number).of_others(number).to("T14").insured(insurer).write(&clinic.path("in"));
    }
    clinic.done(&["load", "in"]);
}

fn registries(clinic: &Clinic) -> Vec<(String, String, i64)> {
    let status = clinic.status();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let rows = status["registries"].as_array().expect("a list").iter();
    let mut all: Vec<_> = rows.map(|r| (text(&r["payer"]), text(&r["file"]), r["cases"].as_i64().unwrap_or_default())).collect();
    all.sort();
    all
}

on_each_store!(people_insured_elsewhere_go_to_the_fund_together);
fn people_insured_elsewhere_go_to_the_fund_together(clinic: &Clinic) {
    load(clinic);
    let plan = clinic.done(&["form", "--period", "2021-03", "--dry-run"]);
    assert!(plan.contains("T14") && !plan.contains("77001") && !plan.contains("03101"), "{plan}");
    clinic.done(&["form", "--period", "2021-03", "--payer", "T14"]);
    let [(payer, file, cases)] = registries(clinic).try_into().expect("one registry");
    assert_eq!((payer.as_str(), file.as_str(), cases), ("T14", "HM140001T14_21031", 3));
    let number = clinic.registries()[0].0.clone();
    let text = main_file(clinic, &number);
    assert!(!text.contains("<PLAT>") && text.contains("<SMO>77001</SMO>") && text.contains("<SMO>03101</SMO>") && text.contains("<SMO_OK>45000"), "{text}");
    clinic.done(&["form", "--period", "2021-03"]);
    let all = registries(clinic);
    let all: Vec<_> = all.iter().map(|(payer, file, cases)| (payer.as_str(), file.as_str(), *cases)).collect();
    assert_eq!(all, [("14002", "HM140001T14_21032", 3), ("T14", "HM140001T14_21031", 3)]);
    let placed = clinic.done(&["submit", &number]);
    assert!(placed.contains("outbox/T14/HM140001T14_21031.zip"), "{placed}");
    // The fund's protocol without errors.
    let protocol = "<?xml version=\"1.0\" encoding=\"windows-1251\"?><FLK_P><FNAME>VHM140001T14_21031</FNAME><FNAME_I>HM140001T14_21031</FNAME_I></FLK_P>";
    fs::write(clinic.path("VHM140001T14_21031.xml"), protocol).expect("written");
    let received = clinic.done(&["receive", "VHM140001T14_21031.xml"]);
    assert!(received.contains(&number), "{received}");
    assert!(clinic.done(&["status", &number]).contains("T14"));
}

/// A region where each insurer gets its own.
#[test]
fn a_region_may_send_them_to_each_insurer() {
    let clinic = Clinic::new();
    fs::create_dir_all(clinic.path("rules/forms")).expect("a folder");
    fs::write(clinic.path("rules/forms/payers.csv"), "insured,payer,name_ru,name_en\nhere,insurer,,\nelsewhere,insurer,,\n").expect("written");
    Package::new(1).of_others(1).to("T14").insured("<SMO>77001</SMO>\n").write(&clinic.path("in"));
    clinic.done(&["--rules", "rules", "load", "in"]);
    clinic.done(&["--rules", "rules", "form", "--period", "2021-03"]);
    let payers: Vec<String> = registries(&clinic).into_iter().map(|(payer, ..)| payer).collect();
    assert_eq!(payers, ["14002", "77001"]);
}
