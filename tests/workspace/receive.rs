//! Answers of the payer: each goes to its registry, each finding to its case, and none counts twice.

use std::fs;

use crate::support::clinic::Clinic;
use crate::support::sent::{Sent, between, kopecks, protocol, roubles, sent, stands, write};

/// The registry as it comes back; of two sanctions the second is smaller: the largest is taken off, not the sum.
fn decided(sent: &Sent, off: impl Fn(usize, i64) -> i64) -> (String, i64) {
    crate::support::sent::decided(&sent.text, |number, all| match off(number, all) {
        0 => (0, Vec::new()),
        taken => (taken, vec![taken, taken / 2]),
    })
}

on_each_store!(a_protocol_then_a_decision_in_part);
fn a_protocol_then_a_decision_in_part(clinic: &Clinic) {
    let sent = sent(clinic);
    // The letter differs, as those of answers do; the first record is refused.
    let sl_id = between(&sent.text, "SL_ID");
    let refusal = format!("<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SL</BAS_EL><N_ZAP>1</N_ZAP><IDCASE>1</IDCASE><SL_ID>{sl_id}</SL_ID></PR>");
    write(clinic, "flk.xml", &protocol(&format!("V{}", &sent.stem[1..]), &refusal));
    let said = clinic.done(&["receive", "flk.xml"]);
    assert!(said.contains(&sent.number), "{said}");
    let first = kopecks(between(&sent.text, "SUMV"));
    assert_eq!(stands(clinic, &sent.number), ("in_review".to_owned(), sent.cases - 1, sent.sum - first));
    assert_eq!(clinic.outside("refused"), (1, first));
    assert!(clinic.done(&["receive", "flk.xml"]).contains("уже принят"));
    assert_eq!(clinic.outside("refused"), (1, first), "nothing twice");

    // МЭК refuses the first once more, the second whole, and a kopeck of the third.
    let (text, accepted) = decided(&sent, |number, all| match number {
        1 | 2 => all,
        3 => 1,
        _ => 0,
    });
    write(clinic, "wrong.xml", &text.replace(&format!("<SUMMAP>{}", roubles(accepted)), &format!("<SUMMAP>{}", roubles(accepted + 1))));
    assert!(clinic.refused(&["receive", "wrong.xml"], 6).contains("SUMMAP"));
    assert_eq!(stands(clinic, &sent.number).0, "in_review", "a refused answer changes nothing");
    write(clinic, "decision.xml", &text);
    clinic.done(&["receive", "decision.xml"]);
    assert_eq!(stands(clinic, &sent.number), ("to_sign".to_owned(), sent.cases - 2, accepted));
    assert_eq!(clinic.outside("refused").0, 2);
    assert_eq!(accepted + clinic.outside("refused").1 + 1, sent.sum, "neither lost nor doubled");
    assert!(clinic.done(&["receive", "decision.xml"]).contains("уже принят"));
    clinic.done(&["journal", "--verify"]);
}

on_each_store!(a_protocol_in_part_then_a_review);
/// A case that the protocol refused has left the registry: the payer cannot accept it, nor refuse it a second time.
fn a_protocol_in_part_then_a_review(clinic: &Clinic) {
    let sent = sent(clinic);
    let refusal = "<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SL</BAS_EL><N_ZAP>1</N_ZAP><IDCASE>1</IDCASE></PR>";
    write(clinic, "flk.xml", &protocol(&sent.stem, refusal));
    clinic.done(&["receive", "flk.xml"]);
    let (status, cases, sum) = stands(clinic, &sent.number);
    assert_eq!((status.as_str(), cases, sum), ("in_review", sent.cases - 1, sent.sum - clinic.outside("refused").1));
    // Both are taken off whole, but the first is the registry's no more.
    fs::write(clinic.path("sanctions.csv"), "idcase,code,sum\n1,5.1.4,\n2,5.1.4,\n").expect("written");
    let said = clinic.done(&["review", "accept", &sent.number, "--role", "insurer", "--sanctions", "sanctions.csv"]);
    assert!(said.replace('\u{a0}', " ").contains("полностью отказано: 1 случай"), "{said}");
    let (refused, of_refused) = clinic.outside("refused");
    assert_eq!(refused, 2);
    assert_eq!(stands(clinic, &sent.number), ("to_sign".to_owned(), sent.cases - 2, sent.sum - of_refused));
}

#[test]
fn a_protocol_in_part_then_all_the_rest_accepted_or_refused() {
    let clinic = Clinic::new();
    let sent = sent(&clinic);
    let refusal = "<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SL</BAS_EL><N_ZAP>1</N_ZAP><IDCASE>1</IDCASE></PR>";
    write(&clinic, "flk.xml", &protocol(&sent.stem, refusal));
    clinic.done(&["receive", "flk.xml"]);
    let rest: String = (2..=sent.cases).map(|idcase| format!("{idcase},5.1.4,\n")).collect();
    fs::write(clinic.path("all.csv"), format!("idcase,code,sum\n{rest}")).expect("written");
    clinic.refused(&["review", "accept", &sent.number, "--role", "insurer", "--sanctions", "all.csv"], 4);
    assert_eq!(stands(&clinic, &sent.number).0, "in_review", "no case would be left");
    clinic.done(&["review", "accept", &sent.number, "--role", "insurer"]);
    assert_eq!(stands(&clinic, &sent.number), ("to_sign".to_owned(), sent.cases - 1, sent.sum - clinic.outside("refused").1));
}

on_each_store!(accepted_in_full_and_returned_whole);
fn accepted_in_full_and_returned_whole(clinic: &Clinic) {
    let sent = sent(clinic);
    write(clinic, "own.xml", &sent.text);
    assert!(clinic.refused(&["receive", "own.xml"], 6).contains("решения плательщика"));
    write(clinic, "passed.xml", &protocol(&sent.stem, ""));
    clinic.done(&["receive", "passed.xml"]);
    assert_eq!(stands(clinic, &sent.number).0, "in_review");
    let (text, accepted) = decided(&sent, |_, _| 0);
    assert_eq!(accepted, sent.sum);
    write(clinic, "full.xml", &text);
    clinic.done(&["receive", "full.xml"]);
    assert_eq!(stands(clinic, &sent.number), ("to_sign".to_owned(), sent.cases, sent.sum));
    assert_eq!(clinic.outside("refused").0, 0);

    // Later all is refused: the registry comes back with its cases.
    let (text, _) = decided(&sent, |_, all| all);
    write(clinic, "none.xml", &text);
    clinic.done(&["receive", "none.xml"]);
    assert_eq!(stands(clinic, &sent.number), ("returned".to_owned(), 0, 0));
    assert_eq!(clinic.outside("refused").0, 0, "the returned registry still holds them");
    clinic.done(&["journal", "--verify"]);
}

on_each_store!(a_refused_file_and_notices);
fn a_refused_file_and_notices(clinic: &Clinic) {
    let sent = sent(clinic);
    write(clinic, "refused.xml", &protocol(&sent.stem, "<PR><OSHIB>801</OSHIB><IM_POL>FILENAME</IM_POL></PR>"));
    clinic.done(&["receive", "refused.xml"]);
    assert_eq!(stands(clinic, &sent.number).0, "returned");
    clinic.done(&["form", "--again", &sent.number]);
    clinic.done(&["submit", &sent.number]);
    let date = between(&sent.text, "DSCHET");
    let notice = |number: &str, date: &str, action: &str| {
        format!("{{\"schema\":1,\"kind\":\"notice\",\"number\":\"{number}\",\"date\":\"{date}\",\"action\":\"{action}\",\"reason\":\"\"}}")
    };
    for (name, text, code, words) in [
        ("paid.json", notice(&sent.number, date, "paid"), 4, "нельзя"),
        ("date.json", notice(&sent.number, "1999-01-01", "accepted"), 4, "не от этого реестра"),
        ("other.json", notice("9999-9", date, "accepted"), 2, "9999-9"),
        ("broken.json", notice(&sent.number, date, "Иванов"), 6, "broken.json"),
    ] {
        fs::write(clinic.path(name), text).expect("written");
        let said = clinic.refused(&["receive", name], code);
        assert!(said.contains(words) && !said.contains("Иванов"), "{said}");
    }
    fs::write(clinic.path("accepted.json"), notice(&sent.number, date, "accepted")).expect("written");
    clinic.done(&["receive", "accepted.json"]);
    assert_eq!(stands(clinic, &sent.number), ("to_sign".to_owned(), sent.cases, sent.sum));
}

on_each_store!(an_answer_of_another_registry_is_refused);
fn an_answer_of_another_registry_is_refused(clinic: &Clinic) {
    let sent = sent(clinic);
    write(clinic, "foreign.xml", &protocol("HM999999S99999_21021", ""));
    assert!(clinic.refused(&["receive", "foreign.xml"], 2).contains("HM999999S99999_21021"));
    let absent = "<PR><OSHIB>904</OSHIB><BAS_EL>SL</BAS_EL><IDCASE>99999</IDCASE></PR>";
    write(clinic, "absent.xml", &protocol(&sent.stem, absent));
    assert!(clinic.refused(&["receive", "absent.xml"], 4).contains("не от этого реестра"));
    let (text, _) = decided(&sent, |_, _| 0);
    write(clinic, "clinic.xml", &text.replace("<CODE_MO>", "<CODE_MO>9"));
    assert!(clinic.refused(&["receive", "clinic.xml"], 4).contains("не от этого реестра"));
    assert_eq!(stands(clinic, &sent.number), ("sent".to_owned(), 0, 0));
    // A bad file does not keep the good one out, and the bad one is told.
    write(clinic, "passed.xml", &protocol(&sent.stem, ""));
    assert!(clinic.refused(&["receive", "absent.xml", "passed.xml"], 4).contains("не от этого реестра"));
    assert_eq!(stands(clinic, &sent.number).0, "in_review");
}
