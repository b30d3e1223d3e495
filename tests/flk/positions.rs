//! Places: offset, line and column are those of the bytes that the user has, whatever the encoding, the line ends and the pieces.

use std::io::Write as _;

use puomp::finding::{FileRole, Finding};
use puomp::flk::Config;
use puomp::registry::encoding::Encoding;

use crate::support::pair::{Chance, DESK, Pair, encoded, line, many, naive_place, today};

/// A defect at an element: what is put there, and what must be said at its `<`.
fn defect(leaf: &str, chance: &mut Chance) -> Option<(String, &'static str)> {
    let (name, rest) = leaf[1..].split_once('>')?;
    let value = rest.split_once('<')?.0;
    match chance.below(6) {
        0 => Some((format!("<ЫЮ>Я</ЫЮ>{leaf}"), "S002")),
        1 => Some((format!("<{name} я='Ю'>{value}</{name}>"), "S009")),
        2 => Some((format!("<{name}></{name}>"), "S006")),
        3 => Some((format!("<{name}><Ж/></{name}>"), "S008")),
        4 => Some((format!("Ы{leaf}"), "S007")),
        // What a doctor's code is made of is left to rules and regions.
        _ if value.bytes().all(|b| b.is_ascii_digit()) && value.len() < 9 && !["IDDOKT", "CODE_MD"].contains(&name) => {
            Some((format!("<{name}>{value}Ё~</{name}>"), "V"))
        }
        _ => None,
    }
}

struct Planned {
    offset: usize,
    id: &'static str,
}

/// Spoils a share of the leaves of a file; offsets are of the text in its encoding.
fn spoiled(text: &str, one_in: usize, chance: &mut Chance, length: impl Fn(&str) -> usize) -> (String, Vec<Planned>) {
    let (mut out, mut bytes, mut planned) = (String::new(), 0, Vec::new());
    let mut rest = text;
    let put = |out: &mut String, bytes: &mut usize, part: &str| {
        out.push_str(part);
        *bytes += length(part);
    };
    while let Some(at) = rest.find('<') {
        put(&mut out, &mut bytes, &rest[..at]);
        rest = &rest[at..];
        let tag_end = rest.find('>').expect("tags are closed") + 1;
        let close = rest[tag_end..].find('<').map(|n| tag_end + n);
        let is_leaf = rest.as_bytes()[1].is_ascii_alphabetic() && close.is_some_and(|c| rest[c..].starts_with("</"));
        let end = match close {
            Some(close) if is_leaf => close + rest[close..].find('>').expect("tags are closed") + 1,
            _ => tag_end,
        };
        let (part, later) = rest.split_at(end);
        rest = later;
        // The keys of records stay as they are: other findings are told apart by them.
        let kept = ["<N_ZAP", "<ID_PAC", "<VERSION", "<FILENAME", "<YEAR", "<MONTH"].iter().any(|k| part.starts_with(k));
        match if is_leaf && !kept && chance.once_in(one_in) { defect(part, chance) } else { None } {
            Some((with, id)) => {
                planned.push(Planned { offset: bytes, id });
                put(&mut out, &mut bytes, &with);
            }
            None => put(&mut out, &mut bytes, part),
        }
    }
    put(&mut out, &mut bytes, rest);
    (out, planned)
}

/// Every finding stands where a naive count says.
fn judge(findings: &[Finding], role: FileRole, bytes: &[u8], encoding: Encoding, skip: usize) -> usize {
    let own = findings.iter().filter(|f| f.file == role && f.place.line > 0);
    own.map(|f| {
        let at = f.place.offset as usize;
        assert_eq!((f.place.line, f.place.column), naive_place(&bytes[skip..], at - skip, encoding), "{}", line(f));
    })
    .count()
}

fn run(encoding: Encoding, bom: bool, wanted: usize, seed: u64) -> (usize, usize) {
    let mut chance = Chance::new(seed);
    let (mut made, mut judged, mut round) = (0, 0, 0);
    while made < wanted {
        round += 1;
        let line_end = chance.of(&["\n", "\r\n", ""]);
        let (main, persons) = many(12 + chance.below(40), line_end);
        let to_bytes = |text: &str| match encoding {
            Encoding::Windows1251 => encoded(text),
            Encoding::Utf8 => {
                let text = text.replacen("windows-1251", "UTF-8", 1);
                if bom { format!("\u{feff}{text}").into_bytes() } else { text.into_bytes() }
            }
        };
        let mark = if bom { 3 } else { 0 };
        // `windows-1251` and `UTF-8` differ in length.
        let shift = mark as isize + if encoding == Encoding::Utf8 { -7 } else { 0 };
        let length = |text: &str| if encoding == Encoding::Utf8 { text.len() } else { text.chars().count() };
        let one_in = 20 + chance.below(200);
        let (main, planned_main) = spoiled(&main, one_in, &mut chance, length);
        let (persons, planned_persons) = spoiled(&persons, one_in, &mut chance, length);
        let pair = Pair { main: ("HM140001S14002_19031.xml".into(), to_bytes(&main)), persons: ("LM140001S14002_19031.xml".into(), to_bytes(&persons)) };
        let piece = [512 << 10, 700, 3000, 1][round % 4];
        let checked = pair.check_with(&Config { piece, ..Config::on(today()) });
        for (role, planned, bytes) in [(FileRole::Main, &planned_main, &pair.main.1), (FileRole::Persons, &planned_persons, &pair.persons.1)] {
            judged += judge(&checked.findings, role, bytes, encoding, mark);
            // Of the texts in one block, only the first is said.
            for plan in planned.iter().filter(|p| p.id != "S007") {
                let offset = plan.offset.checked_add_signed(shift).expect("behind the head") as u64;
                let met = checked.findings.iter().any(|f| f.file == role && f.place.offset == offset && DESK.id(f).starts_with(plan.id));
                assert!(met, "{} at {offset} in {:?}", plan.id, checked.lines().into_iter().take(20).collect::<Vec<_>>());
                made += 1;
            }
        }
    }
    (made, judged)
}

#[test]
fn a_thousand_defects_stand_where_they_are() {
    for (encoding, bom) in [(Encoding::Windows1251, false), (Encoding::Utf8, false), (Encoding::Utf8, true)] {
        let (made, judged) = run(encoding, bom, 1000, 7);
        let mark = if bom { " with its mark" } else { "" };
        let _ = writeln!(std::io::stderr(), "positions: {encoding}{mark}: {made} defects found at their byte; {judged} places as counted by hand");
        assert!(made >= 1000 && judged >= made);
    }
}

#[test]
fn relations_stand_where_they_are() {
    let mut chance = Chance::new(11);
    let (mut made, mut judged) = (0, 0);
    for round in 0..40 {
        let line_end = chance.of(&["\n", "\r\n", ""]);
        let count = 30;
        let (mut main, mut persons) = many(count, line_end);
        let mut wanted = Vec::new();
        // Later records take what the first one has, or nobody's key.
        for i in (2..=count).filter(|_| chance.once_in(3)).collect::<Vec<_>>() {
            let (text, from, to, id) = match chance.below(5) {
                0 => (&mut main, format!("<N_ZAP>{i}<"), "<N_ZAP>1<", "R001"),
                1 => (&mut main, format!("<IDCASE>{}<", 1000 + i), "<IDCASE>1001<", "R002"),
                2 => (&mut main, format!("<ID_PAC>p-{i}<"), "<ID_PAC>x<", "R007"),
                3 => (&mut persons, format!("<ID_PAC>p-{i}<"), "<ID_PAC>p-1<", "R005"),
                _ => (&mut persons, format!("<ID_PAC>p-{i}<"), "<ID_PAC>y<", "R008"),
            };
            let at = text.find(&from).expect("it stands there");
            // What looks like a record but is none, before the element.
            let with = if chance.once_in(3) { format!("<!-- <ZAP><PERS> -->{to}") } else { to.to_owned() };
            *text = text.replacen(&from, &with, 1);
            wanted.push((std::ptr::eq(text, &main), at, with.len() - to.len(), id));
        }
        // The offsets of what was put in first move with what came after: look for them again by what stands there.
        let utf8 = round % 2 == 0;
        let bytes = |text: &str| if utf8 { text.replacen("windows-1251", "UTF-8", 1).into_bytes() } else { encoded(text) };
        let pair = Pair { main: ("HM140001S14002_19031.xml".into(), bytes(&main)), persons: ("LM140001S14002_19031.xml".into(), bytes(&persons)) };
        let piece = [512 << 10, 500, 2000, 1][round / 2 % 4];
        let checked = pair.check_with(&Config { piece, ..Config::on(today()) });
        let encoding = if utf8 { Encoding::Utf8 } else { Encoding::Windows1251 };
        judged += judge(&checked.findings, FileRole::Main, &pair.main.1, encoding, 0);
        judged += judge(&checked.findings, FileRole::Persons, &pair.persons.1, encoding, 0);
        for id in ["R001", "R002", "R005", "R007", "R008"] {
            let said = checked.findings.iter().filter(|f| DESK.id(f) == id).collect::<Vec<_>>();
            let planned = wanted.iter().filter(|w| w.3 == id).count();
            // Whoever takes another's key leaves his own without its other half.
            assert!(said.len() >= planned, "{id}: {planned} planned, {:#?}", checked.lines());
            for finding in said {
                let bytes = if finding.file == FileRole::Main { &pair.main.1 } else { &pair.persons.1 };
                let element = format!("<{}>{}<", finding.element(), finding.value.as_deref().expect("a key"));
                assert!(bytes[finding.place.offset as usize..].starts_with(element.as_bytes()), "{}", line(finding));
            }
            made += planned;
        }
    }
    let _ = writeln!(std::io::stderr(), "positions: {made} broken relations found at their elements; {judged} places as counted by hand");
    assert!(made > 300);
}
