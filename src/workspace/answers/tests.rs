use super::*;
use crate::registry::encoding::to_windows_1251;
use std::io::Write;

fn read_bytes(name: &str, bytes: &[u8]) -> Result<Answer, AnswerError> {
    read_parts(name, bytes).map(|mut parts| {
        assert_eq!(parts.len(), 1);
        parts.remove(0).answer
    })
}

fn read_parts(name: &str, bytes: &[u8]) -> Result<Vec<Part>, AnswerError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    read(&DiskFile::at(path), &Elements::load(&crate::tables::RuleFiles::embedded()).expect("a sound table"))
}

fn xml(text: &str) -> Result<Answer, AnswerError> {
    let in_1251 = format!("<?xml version=\"1.0\" encoding=\"windows-1251\"?>\r\n{text}");
    let first = read_bytes("a.xml", &to_windows_1251(&in_1251).expect("of windows-1251"));
    let second = read_bytes("a.xml", format!("\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n{text}").as_bytes());
    let third = read_bytes(
        "a.zip",
        &zipped(&[("b/a.xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{text}").as_bytes()), ("LM1.xml", b"<PERS_LIST/>"), ("a.sig", b"\x30\x82")]),
    );
    assert!(first == second && second == third, "{first:?} {second:?} {third:?}");
    first
}

fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, zip::write::SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("finished").into_inner()
}

const HEAD: &str = "<FLK_P><FNAME>VHM140001S14002_21021</FNAME><FNAME_I>HM140001S14002_21021</FNAME_I>";

#[test]
fn protocols_of_both_layouts() {
    let passed = xml(&format!("{HEAD}</FLK_P>")).expect("an answer");
    assert_eq!((passed.decision, passed.file_name.as_str(), passed.cases.len()), (Decision::Passed, "HM140001S14002_21021", 0));

    let old = xml(&format!("{HEAD}<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SLUCH</BAS_EL><N_ZAP>7</N_ZAP><COMMENT>Иванов</COMMENT></PR></FLK_P>"))
        .expect("an answer");
    assert_eq!((old.decision, old.cases[0].n_zap, old.cases[0].sanctions[0].code.as_str()), (Decision::Partial, Some(7), "904"));
    assert_eq!(old.cases[0].sanctions[0].comment, "SLUCH/DS1: Иванов", "what the payer says is kept");

    let new = "<PR><OSHIB>002F.00.0010</OSHIB><IM_POL>DS1</IM_POL><ZN_POL>Z</ZN_POL><NSCHET>2102-1</NSCHET><BAS_EL>SL</BAS_EL><N_ZAP>3</N_ZAP><ID_PAC>p</ID_PAC>\
               <IDCASE>4</IDCASE><SL_ID>4-1</SL_ID></PR>";
    let new_one = xml(&format!("{HEAD}{new}</FLK_P>")).expect("an answer");
    let case = &new_one.cases[0];
    assert_eq!((case.idcase, case.n_zap, case.sl_id.as_str(), case.id_pac.as_str(), new_one.number.as_str()), (Some(4), Some(3), "4-1", "p", "2102-1"));

    let whole = xml(&format!("{HEAD}{new}<PR><OSHIB>801</OSHIB><IM_POL>FILENAME</IM_POL></PR></FLK_P>")).expect("an answer");
    assert_eq!((whole.decision, whole.reason.as_str(), whole.cases.len()), (Decision::Refused, "801", 1));
    let head = xml(&format!("{HEAD}<PR><OSHIB>903</OSHIB><IM_POL>NSCHET</IM_POL><BAS_EL>SCHET</BAS_EL></PR></FLK_P>")).expect("an answer");
    assert_eq!(head.decision, Decision::Refused, "an error of the account names no record");
}

fn registry(account: &str, cases: &str) -> String {
    format!(
        "<ZL_LIST><ZGLV><FILENAME>TM14S14002_21021</FILENAME></ZGLV><SCHET><CODE_MO>140001</CODE_MO><NSCHET>2102-1</NSCHET><DSCHET>2021-03-01</DSCHET>\
         <PLAT>14002</PLAT>{account}</SCHET>{cases}</ZL_LIST>"
    )
}

fn case(n: u32, decision: &str) -> String {
    format!(
        "<ZAP><N_ZAP>{n}</N_ZAP><PACIENT><ID_PAC>x</ID_PAC></PACIENT><Z_SL><IDCASE>{n}</IDCASE><SL><SL_ID>s{n}</SL_ID></SL><SUMV>100.00</SUMV>{decision}</Z_SL></ZAP>"
    )
}

#[test]
fn a_registry_with_its_decision() {
    let sanction = "<OPLATA>3</OPLATA><SUMP>40.00</SUMP><SANK_IT>60.00</SANK_IT><SANK><S_CODE>1</S_CODE><S_SUM>60.00</S_SUM><S_OSN>43</S_OSN><S_COM>тариф</S_COM></SANK>\
                    <SANK><S_CODE>2</S_CODE><S_SUM>20,5</S_SUM><S_OSN>44</S_OSN></SANK>";
    let full = "<OPLATA>1</OPLATA><SUMP>100.00</SUMP>";
    let answer = xml(&registry("<SUMMAP>140.00</SUMMAP>", &(case(1, full) + &case(2, sanction)))).expect("an answer");
    assert_eq!((answer.decision, answer.number.as_str(), answer.date.as_str(), answer.accepted), (Decision::Accepted, "2102-1", "2021-03-01", Some(14_000)));
    assert_eq!((answer.clinic.as_str(), answer.payer.as_str()), ("140001", "14002"));
    let second = &answer.cases[1];
    assert_eq!((second.idcase, second.n_zap, second.sl_id.as_str(), second.verdict), (Some(2), Some(2), "s2", Some(Verdict::Partial)));
    let said: Vec<_> = second.sanctions.iter().map(|s| (s.code.as_str(), s.sum, s.comment.as_str())).collect();
    assert_eq!(said, [("43", Some(6_000), "тариф"), ("44", Some(2_050), "")]);

    let refused = "<OPLATA>2</OPLATA><SUMP>0.00</SUMP><SANK_IT>100.00</SANK_IT>";
    assert_eq!(xml(&registry("", &(case(1, refused) + &case(2, refused)))).expect("an answer").decision, Decision::Returned);
}

#[test]
fn what_is_no_decision() {
    assert_eq!(xml(&registry("", &case(1, ""))), Err(AnswerError::Undecided), "as it was sent");
    assert_eq!(xml(&registry("", &case(1, "<OPLATA>0</OPLATA><SUMP>0.00</SUMP>"))), Err(AnswerError::Undecided));
    let half = case(1, "<OPLATA>1</OPLATA><SUMP>100.00</SUMP>") + &case(2, "");
    assert_eq!(xml(&registry("", &half)), Err(AnswerError::Undecided), "silence about a case is no consent");
    assert!(xml(&registry("<SUMMAP>200.00</SUMMAP>", &half)).is_ok(), "unless the total says so");
    assert_eq!(xml(&registry("<SUMMAP>0.00</SUMMAP>", "")), Err(AnswerError::Lacks("Z_SL".to_owned())));
    assert_eq!(xml("<FLK_P/>"), Err(AnswerError::Lacks("FNAME_I".to_owned())));
    assert_eq!(xml("<html/>"), Err(AnswerError::NoAnswer));
}

/// The layout of Primorye: refusals stand inside records and cases.
#[test]
fn a_protocol_whose_refusals_stand_inside_records() {
    let account = "<SCHET><CODE>1</CODE><CODE_MO>140001</CODE_MO><NSCHET>2603-1</NSCHET><DSCHET>2026-04-02</DSCHET></SCHET>";
    let refusal = |code: &str| format!("<OTKAZ><I_TYPE>{code}</I_TYPE><COMMENT>Иванов</COMMENT></OTKAZ>");
    let records = format!(
        "<ZAP><N_ZAP>2</N_ZAP><SL>{}{}<SL_ID>s2</SL_ID><IDCASE>2</IDCASE><NHISTORY>7</NHISTORY><CARD /></SL></ZAP><ZAP>{}<N_ZAP>3</N_ZAP></ZAP>\
         <ZAP><N_ZAP>4</N_ZAP><SL><SL_ID>s4</SL_ID></SL></ZAP>",
        refusal("910"),
        refusal("903"),
        refusal("904"),
    );
    let answer = xml(&format!("{HEAD}{account}{records}</FLK_P>")).expect("an answer");
    assert_eq!((answer.decision, answer.number.as_str(), answer.date.as_str(), answer.clinic.as_str()), (Decision::Partial, "2603-1", "2026-04-02", "140001"));
    let read: Vec<_> = answer.cases.iter().map(|c| (c.n_zap, c.idcase, c.sl_id.as_str(), c.is_wide, c.sanctions[0].code.as_str())).collect();
    assert_eq!(read, [(Some(2), Some(2), "s2", false, "910"), (Some(2), Some(2), "s2", false, "903"), (Some(3), None, "", true, "904")]);
    assert_eq!(xml(&format!("{HEAD}{account}</FLK_P>")).expect("an answer").decision, Decision::Passed);
    // Longer than what is read at once.
    let many: String = (1..60_000).map(|n| format!("<ZAP><N_ZAP>{n}</N_ZAP>{}</ZAP>\n", refusal("910"))).collect();
    let answer = read_bytes("a.xml", format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{HEAD}{many}</FLK_P>").as_bytes()).expect("an answer");
    assert_eq!(answer.cases.len(), 59_999);
}

/// Whatever may be a refusal is not read as consent.
#[test]
fn an_unknown_layout_is_no_consent() {
    let unknown = |inner: &str| match xml(&format!("{HEAD}{inner}</FLK_P>")) {
        Err(AnswerError::Unknown(names)) => names,
        other => panic!("{inner}: {other:?}"),
    };
    let pr = "<PR><OSHIB>904</OSHIB><IM_POL>DS1</IM_POL><BAS_EL>SL</BAS_EL><N_ZAP>7</N_ZAP></PR>";
    assert_eq!(unknown("<ERRORS><ERR><CODE>1</CODE></ERR></ERRORS>"), ["ERRORS"]);
    assert_eq!(unknown("<OTKAZ><I_TYPE>1</I_TYPE></OTKAZ><RESULT>нет</RESULT>"), ["OTKAZ", "RESULT"]);
    assert_eq!(unknown(&format!("{pr}<ERROR N_ZAP=\"8\">x</ERROR>")), ["ERROR"], "nor are the known refusals all of them");
    assert_eq!(unknown("<ZAP><N_ZAP>1</N_ZAP><SL><SL_ID>1</SL_ID><REFREASON>5</REFREASON></SL></ZAP>"), ["REFREASON"]);
    assert_eq!(unknown("<SCHET><NSCHET>1</NSCHET></SCHET><ZAP><SLUCH><IDCASE>1</IDCASE></SLUCH></ZAP>"), ["SLUCH"]);
    assert!(xml(&format!("{HEAD}<ERRORS/><RESULT> </RESULT></FLK_P>")).is_ok(), "what is empty refuses nothing");
    assert_eq!(unknown("<OSHIBKA KOD=\"904\"/>"), ["OSHIBKA"], "unless it has an attribute");
    assert_eq!(unknown("<ZAP><N_ZAP>1</N_ZAP><PACIENT><ID_PAC>1</ID_PAC><ENP><OTKAZ>1</OTKAZ></ENP></PACIENT></ZAP>"), ["ENP"], "a value has no content");
    let of_patient = "<ZAP><N_ZAP>1</N_ZAP><PACIENT><ID_PAC>1</ID_PAC><OTKAZ><I_TYPE>904</I_TYPE></OTKAZ></PACIENT></ZAP>";
    let read = xml(&format!("{HEAD}{of_patient}</FLK_P>")).expect("an answer").cases.remove(0);
    assert_eq!((read.n_zap, read.id_pac.as_str(), read.is_wide), (Some(1), "1", true));
    assert_eq!(xml(&format!("{HEAD}<PR/></FLK_P>")), Err(AnswerError::Lacks("OSHIB".to_owned())), "a refusal that says nothing");
    assert!(xml(&format!("{HEAD}<PR><COMMENT>нет ошибок</COMMENT></PR></FLK_P>")).is_err(), "nor does this name anything");
    let further = xml(&format!("{HEAD}{}</FLK_P>", pr.replace("<OSHIB>", "<LEVEL>1</LEVEL><OSHIB>"))).expect("a refusal says more");
    assert_eq!(further.cases.len(), 1);
    // The schema of 2.1 nests refusals by mistake.
    let nested = pr.replace("</PR>", &format!("{}</PR>", pr.replace("<N_ZAP>7", "<N_ZAP>8")));
    assert_eq!(xml(&format!("{HEAD}{nested}</FLK_P>")).expect("an answer").cases.iter().map(|c| c.n_zap).collect::<Vec<_>>(), [Some(8), Some(7)]);

    let whole = format!("{HEAD}</FLK_P>");
    let beside = |name: &str, bytes: &[u8]| read_parts("a.zip", &zipped(&[("v.xml", whole.as_bytes()), (name, bytes)])).map(|parts| parts.len());
    assert_eq!(beside("otkaz.xml", b"<OTKAZY><CASE>1</CASE></OTKAZY>"), Err(AnswerError::UnknownFiles(vec!["otkaz.xml".to_owned()])));
    assert!(matches!(beside("otkaz.xml", b"<FLK_P><FNAME_I>x</FNAME_I>"), Err(AnswerError::Fault(_))));
    assert!(matches!(beside("otkaz.xml", b"<FLK_P"), Err(AnswerError::Fault(_))));
    let wide: Vec<u8> = std::iter::once(0xfeff).chain("<FLK_P/>".encode_utf16()).flat_map(u16::to_le_bytes).collect();
    for unread in [&b""[..], &wide, &wide[2..]] {
        assert!(beside("L.XML", unread).is_err(), "{unread:?}");
    }
    assert_eq!([beside("LM1.xml", b"<PERS_LIST/>"), beside("a.pdf", b"%PDF"), beside("l.xml", whole.as_bytes())], [Ok(1), Ok(1), Ok(2)]);
}

#[test]
fn a_refusal_says_how_many_cases_it_may_be_of() {
    let one = |inner: &str| xml(&format!("{HEAD}<PR><OSHIB>904</OSHIB>{inner}</PR></FLK_P>")).expect("an answer");
    for (inner, is_wide) in [
        ("<BAS_EL>SL</BAS_EL><SL_ID>1</SL_ID>", false),
        ("<BAS_EL>Z_SL</BAS_EL><N_ZAP>1</N_ZAP>", false),
        ("<BAS_EL>PERS</BAS_EL><ID_PAC>1</ID_PAC>", true),
        ("<BAS_EL>PACIENT</BAS_EL><N_ZAP>1</N_ZAP>", true),
        ("<N_ZAP>1</N_ZAP>", true),
        ("<N_ZAP>1</N_ZAP><IDCASE>1</IDCASE>", false),
    ] {
        let answer = one(inner);
        assert_eq!((answer.decision, answer.cases[0].is_wide), (Decision::Partial, is_wide), "{inner}");
    }
    assert_eq!(one("<BAS_EL>SL</BAS_EL>").decision, Decision::Refused, "it names no case");
}

#[test]
fn the_decision_of_the_payer_goes_before_that_of_the_fund() {
    let fund = "<OPLATA>1</OPLATA><SUMP>100.00</SUMP><SANK_IT>0.00</SANK_IT>";
    let read = |account: &str, payer: &str| {
        let answer = xml(&registry(account, &case(1, &format!("{fund}{payer}")))).expect("an answer");
        let case = &answer.cases[0];
        (answer.accepted, case.accepted, case.taken_off, case.verdict)
    };
    let by_fund = (None, Some(10_000), Some(0), Some(Verdict::Full));
    assert_eq!(read("", "<SMO_SUMP>0.00</SMO_SUMP><SMO_SANK_IT>0.00</SMO_SANK_IT>"), by_fund, "not decided yet");
    assert_eq!(read("", "<SMO_SUMP>100.00</SMO_SUMP><SMO_SANK_IT>0.00</SMO_SANK_IT>"), by_fund);
    let both = "<SMO_SUMP>40.00</SMO_SUMP><SMO_SANK_IT>60.00</SMO_SANK_IT>";
    assert_eq!(read("<SUMMAP>100.00</SUMMAP><SMO_SUMMAP>40.00</SMO_SUMMAP>", both), (Some(4_000), Some(4_000), Some(6_000), None));
    assert_eq!(read("<SMO_SUMMAP>40.00</SMO_SUMMAP>", "<SMO_SUMP>40.00</SMO_SUMP>"), (Some(4_000), Some(4_000), None, None), "one of the sums is enough");
    assert_eq!(read("", "<SMO_SANK_IT>100.00</SMO_SANK_IT>"), (None, None, Some(10_000), None));
    let half = case(1, &format!("{fund}{both}")) + &case(2, fund);
    assert_eq!(xml(&registry("", &half)), Err(AnswerError::Undecided), "the payer has not decided on the second");
    assert_eq!(xml(&registry("<SMO_SUMMAP>40.00</SMO_SUMMAP>", &case(1, fund))), Err(AnswerError::Undecided));
}

#[test]
fn notices() {
    let good = r#"{"schema":1,"kind":"notice","number":"2102-1","date":"2021-03-01","action":"returned","reason":"тариф"}"#;
    let answer = read_bytes("a.json", good.as_bytes()).expect("an answer");
    assert_eq!((answer.decision, answer.is_notice, answer.number.as_str(), answer.reason.as_str()), (Decision::Returned, true, "2102-1", "тариф"));
    assert!(matches!(read_bytes("a.json", good.replace("returned", "Иванов").as_bytes()), Err(AnswerError::Notice(1, _))));
    assert_eq!(read_bytes("a.json", good.replace("\"schema\":1", "\"schema\":2").as_bytes()), Err(AnswerError::Value("schema".to_owned(), 1)));
    let long = good.replace("тариф", &"x".repeat(70_000));
    assert_eq!(read_bytes("a.json", long.as_bytes()), Err(AnswerError::NoAnswer));
}

#[test]
fn broken_and_hostile_files_say_what_and_never_quote() {
    assert!(matches!(read_bytes("a.xml", b""), Err(AnswerError::Fault(Fault { check: Check::EmptyFile, .. }))));
    assert_eq!(read_bytes("a.xml", b"%PDF-1.4"), Err(AnswerError::NoAnswer));
    assert!(matches!(read_bytes("a.xml", b"<!DOCTYPE a [<!ENTITY b 'c'>]><FLK_P/>"), Err(AnswerError::Fault(Fault { check: Check::XmlDoctype, .. }))));
    assert!(matches!(read_bytes("a.xml", HEAD.as_bytes()), Err(AnswerError::Fault(Fault { check: Check::XmlTruncated, .. }))));
    assert_eq!(read_bytes("a.zip", &zipped(&[("a.pdf", b"%PDF")])), Err(AnswerError::NoAnswer));
    let whole = format!("{HEAD}</FLK_P>");
    let notice = r#"{"schema":1,"kind":"notice","number":"2102-1","date":"2021-03-01","action":"paid"}"#;
    let two = zipped(&[("a.xml", whole.as_bytes()), ("b.json", notice.as_bytes())]);
    assert_eq!(read_bytes("a.zip", &two), Err(AnswerError::Several(vec!["a.xml".to_owned(), "b.json".to_owned()])));
    assert!(matches!(read_bytes("a.zip", &two[..two.len() - 30]), Err(AnswerError::Fault(_))));
    let nested = zipped(&[("a.zip", two.as_slice())]);
    assert!(matches!(read_bytes("a.zip", &nested), Err(AnswerError::Fault(Fault { check: Check::ZipNested, .. }))));
    for bad in ["<OPLATA>Иванов</OPLATA>", "<SUMP>Иванов</SUMP>", "<SUMP>-1.00</SUMP>", "<SUMP>99999999999999999999.00</SUMP>"] {
        let error = xml(&registry("", &case(1, bad))).expect_err("a broken value");
        assert!(matches!(error, AnswerError::Value(..)) && !format!("{error:?}").contains("Иванов"), "{error:?}");
    }
}
