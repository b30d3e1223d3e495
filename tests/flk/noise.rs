//! Whatever the bytes: never a panic, places within the file, and either one fault or a document that others find well-formed too.

use proptest::prelude::*;
use puomp::finding::{Check, Finding};
use puomp::flk::check_document;
use puomp::registry::encoding::Encoding;
use puomp::registry::scan::{ScanLimits, Scanner, Token};

use crate::differential::{BITS, decoded, oracle};
use crate::support::pair::{Chance, DESK, MAIN, PERSONS, encoded, line, naive_place};
use crate::support::soak::tries;

/// What ends the reading of a document.
const FAULTS: &[Check] = &[
    Check::NotXml,
    Check::XmlTruncated,
    Check::XmlMalformed,
    Check::XmlDoctype,
    Check::XmlEntity,
    Check::XmlDepth,
    Check::XmlName,
    Check::XmlText,
    Check::XmlAttributes,
    Check::XmlCharacter,
    Check::XmlRecord,
    Check::WrongRoot,
];

fn check(bytes: &[u8], encoding: Encoding, family: char, edition: &str) -> Vec<Finding> {
    let findings = check_document(bytes, encoding, DESK.format(family, edition), &DESK.catalog).expect("the tables are sound");
    let is_fault = |f: &Finding| DESK.catalog.rule(f.rule).check.is_some_and(|c| FAULTS.contains(&c));
    for finding in &findings {
        assert!(finding.place.offset <= bytes.len() as u64, "{}", line(finding));
    }
    let faults = findings.iter().filter(|f| is_fault(f)).count();
    assert!(faults <= 1 && findings.iter().position(is_fault).is_none_or(|at| at + 1 == findings.len()), "one fault, and nothing behind it");
    let readable = encoding == Encoding::Windows1251 || std::str::from_utf8(bytes).is_ok();
    if readable && faults == 0 {
        let (text, offsets) = decoded(bytes, encoding);
        oracle(&text, &offsets).expect("well-formed, if there is no fault");
        for finding in &findings {
            let place = naive_place(bytes, finding.place.offset as usize, encoding);
            assert_eq!((finding.place.line, finding.place.column), place, "{}", line(finding));
        }
    }
    findings
}

fn scan(bytes: &[u8], encoding: Encoding) {
    let mut scanner = Scanner::new(bytes, encoding, ScanLimits::default(), Vec::new());
    let mut last = 0;
    loop {
        match scanner.next_token() {
            Ok(Token::Leaf { at, text_at, .. }) => {
                assert!(at >= last && text_at > at && text_at <= bytes.len());
                last = at;
            }
            Ok(Token::Open { at, .. } | Token::Close { at } | Token::Text { at, .. }) => {
                assert!(at >= last && at < bytes.len());
                last = at;
            }
            Ok(Token::End) => return,
            Err(fault) => return assert!(fault.offset.is_some_and(|at| at <= bytes.len() as u64), "{fault:?}"),
        }
    }
}

const FORMATS: &[(char, &str)] = &[('H', "3.1"), ('H', "2.1"), ('C', "6.0"), ('T', "3.0"), ('D', "3.1-2020-04"), ('L', "3.2")];

/// Words of registries and of XML, whole and torn.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        6 => prop::sample::select(BITS).prop_map(|w| w.as_bytes().to_vec()),
        3 => prop::sample::select(&["<ZL_LIST>", "</ZL_LIST>", "<ZGLV>", "<ZAP>", "<Z_SL>", "<SL>", "<USL>", "<N_ZAP>1</N_ZAP>", "<PERS_LIST>", "</PERS_LIST>", "<PERS>", "</PERS>"][..])
            .prop_map(|w| w.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(word, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: tries(3000) as u32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), utf8: bool) {
        let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Windows1251 };
        scan(&bytes, encoding);
        check(&bytes, encoding, 'H', "3.1");
    }

    #[test]
    fn word_soup(bytes in soup(), utf8: bool, format in prop::sample::select(FORMATS), head: bool) {
        let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Windows1251 };
        scan(&bytes, encoding);
        let root = if format.0 == 'L' { "<PERS_LIST>" } else { "<ZL_LIST>" };
        let document = if head { [root.as_bytes(), &bytes, root.replace('<', "</").as_bytes()].concat() } else { bytes };
        check(&document, encoding, format.0, format.1);
    }

    #[test]
    fn torn_registries(seed: u64, tears in 1usize..6, format in prop::sample::select(FORMATS)) {
        let mut chance = Chance::new(seed);
        let mut bytes = encoded(if format.0 == 'L' { PERSONS } else { MAIN });
        for _ in 0..tears {
            let at = chance.below(bytes.len());
            match chance.below(4) {
                0 => bytes[at] = chance.below(256) as u8,
                1 => drop(bytes.drain(at..(at + chance.below(200)).min(bytes.len()))),
                2 => {
                    let copy = bytes[at..(at + chance.below(300)).min(bytes.len())].to_vec();
                    let to = chance.below(bytes.len());
                    bytes.splice(to..to, copy);
                }
                _ => drop(bytes.splice(at..at, encoded(chance.of(BITS)))),
            }
            if bytes.is_empty() {
                break;
            }
        }
        scan(&bytes, Encoding::Windows1251);
        check(&bytes, Encoding::Windows1251, format.0, format.1);
    }
}
