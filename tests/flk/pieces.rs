//! The same findings for any size of pieces and any number of threads.

use puomp::flk::Config;
use rayon::ThreadPoolBuilder;

use crate::support::pair::{Chance, MAIN, PERSONS, Pair, many, today};
use crate::support::soak::tries;

const SIZES: [usize; 6] = [1, 150, 700, 2500, 9000, 60_000];

fn lines(pair: &Pair, piece: usize) -> Vec<String> {
    let checked = pair.check_with(&Config { piece, ..Config::on(today()) });
    let report = &checked.report;
    let counted = format!("{:?} {} {} {} {:?} {:?}", report.verdict, report.records, report.cases, report.services, report.sum_kopecks, report.sha256);
    [vec![counted], checked.lines()].concat()
}

/// The first line in which a small piece says something else than a single one.
fn differs(pair: &Pair, sizes: &[usize]) -> Option<String> {
    let whole = lines(pair, 1 << 20);
    sizes.iter().find_map(|piece| {
        let cut = lines(pair, *piece);
        let at = cut.iter().zip(&whole).position(|(a, b)| a != b).or_else(|| (cut.len() != whole.len()).then(|| cut.len().min(whole.len())))?;
        Some(format!("pieces of {piece}: line {at}: {:?}, in one piece {:?}", cut.get(at), whole.get(at)))
    })
}

fn inserted(text: &str, before: &str, what: &str) -> String {
    let at = text.find(before).unwrap_or_else(|| panic!("no «{before}»"));
    format!("{}{what}{}", &text[..at], &text[at..])
}

/// A main file of 30 records made into files whose records do not end where they seem to, each with what was done to it.
pub(crate) fn tangled(main: &str) -> Vec<(&'static str, String)> {
    let tenth = "<ZAP>\n<N_ZAP>10<";
    let twentieth = "<ZAP>\n<N_ZAP>20<";
    let wrapped = inserted(&inserted(main, twentieth, "</X>"), tenth, "<X>\n");
    let to_the_end = inserted(&inserted(main, "</ZL_LIST>", "</X>"), tenth, "<X>");
    let header = inserted(main, twentieth, "<ZGLV><VERSION>3.1</VERSION></ZGLV><SCHET/>text");
    let in_part = main.replacen("<IDSP>29", "<USL><ZAP></ZAP><ZAP></ZAP></USL><IDSP>29", 9);
    let in_record = inserted(main, "<PR_NOV>1", "<ZAP><N_ZAP>5</N_ZAP></ZAP><ZAP></ZAP><БЯ/>");
    let ten_without_number = main.replacen("<N_ZAP>10</N_ZAP>", "<БЯ/><ZAP></ZAP><ZAP></ZAP>", 1);
    let eleven = ten_without_number.find("<ZAP>\n<N_ZAP>11").expect("it stands there");
    let end_of_ten = ten_without_number[..eleven].rfind("</ZAP>").expect("it stands there");
    let late_number = format!("{}<N_ZAP>10</N_ZAP>{}", &ten_without_number[..end_of_ten], &ten_without_number[end_of_ten..]);
    vec![
        ("clean", main.to_owned()),
        ("wrapped in an unknown element", wrapped),
        ("wrapped up to the end", to_the_end),
        ("wrapped and never closed", inserted(main, tenth, "<X>")),
        ("a second header among the records", header),
        ("text among the records, twice", inserted(&inserted(main, twentieth, "b "), tenth, "a ")),
        ("records in services", in_part),
        ("records in a record", in_record),
        ("a record without its end", main.replacen("</ZAP>\n", "", 1)),
        ("records closed twice", main.replacen("</ZAP>\n", "</ZAP></ZAP>\n", 1)),
        ("comments with records", main.replace("<PR_NOV>", "<!-- </ZAP><ZAP> --><PR_NOV>")),
        ("CDATA and instructions with records", main.replace("<USL_OK>3", "<?p </ZAP> ?><USL_OK><![CDATA[</ZAP>]]>")),
        ("spaces in end tags", main.replace("</ZAP>", "</ZAP >")),
        ("nothing but a head", main[..main.find("<ZAP>").expect("records")].to_owned()),
        ("a fault in the middle", inserted(main, twentieth, "&")),
        ("a number behind records", late_number),
    ]
}

#[test]
fn tangled_files_are_understood_in_pieces() {
    let (main, persons) = many(30, "\n");
    for (what, main) in tangled(&main) {
        let difference = differs(&Pair::new(&main, &persons), &SIZES);
        assert_eq!(difference, None, "{what}");
    }
}

const NOISE: &[&str] = &[
    "<X>",
    "</X>",
    "<ZAP>",
    "</ZAP>",
    "<Z_SL>",
    "</Z_SL>",
    "<SL>",
    "</SL>",
    "<USL/>",
    "<N_ZAP>3</N_ZAP>",
    "<N_ZAP/>",
    "<ID_PAC>p-4</ID_PAC>",
    "<IDCASE>1004</IDCASE>",
    "<SL_ID>s-1</SL_ID>",
    "<SUMV>1.00</SUMV>",
    "<SUM_M>x</SUM_M>",
    "<!-- </ZAP> -->",
    "<!-- <ZAP> -->",
    "<!--",
    "-->",
    "<![CDATA[</ZAP>]]>",
    "текст",
    "&amp;",
    "&",
    "\n",
    "\r\n",
    "<ZGLV></ZGLV>",
    "<SCHET/>",
    "</ZL_LIST>",
    "<ZAP a='1'>",
    "<DET>1</DET>",
    "\u{1}",
    "\u{98}",
    "<PERS>",
    "</PERS>",
    "<PERS><ID_PAC>p-7</ID_PAC></PERS>",
    "<FAM>Я</FAM>",
    "<X><A>\u{1}</A></X>",
    "<A=1>1</A=1>",
    "<?x </PERS>?>",
    "]]>",
];

/// Puts structural noise between tags.
pub(crate) fn noisy(text: &str, amount: usize, chance: &mut Chance) -> String {
    let mut text = text.to_owned();
    for _ in 0..amount {
        let mut at = chance.below(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        let at = text[at..].find('<').map_or(text.len(), |n| at + n);
        match chance.below(6) {
            // A tag, or an element, goes.
            0 => {
                let end = text[at..].find('>').map_or(text.len(), |n| at + n + 1);
                text.replace_range(at..end, "");
            }
            // A block stands twice.
            1 => {
                let end = text[at..].find("</").map_or(text.len(), |n| at + n);
                let again = text[at..end].to_owned();
                text.insert_str(at, &again);
            }
            // An element and its end go.
            2 => {
                let name: String = text[at..].chars().skip(1).take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                let close = format!("</{name}>");
                if let Some(end) = text[at..].find(&close).filter(|_| !name.is_empty()) {
                    text.replace_range(at..at + end + close.len(), "");
                }
            }
            // Pairs keep the document whole.
            3 => {
                let end = text[at..].find("</").map_or(text.len(), |n| at + n);
                let end = text[end..].find('>').map_or(text.len(), |n| end + n + 1);
                if text[at..].starts_with("</") || end == text.len() {
                    continue;
                }
                text.insert_str(end, "</X>");
                text.insert_str(at, "<X>");
            }
            _ => text.insert_str(at, chance.of(NOISE)),
        }
    }
    text
}

#[test]
fn noise_sounds_the_same_in_pieces() {
    let mut chance = Chance::new(42);
    let mut differences = Vec::new();
    for round in 0..tries(400) {
        let (main, persons) = many(6 + chance.below(10), chance.of(&["\n", "\r\n", ""]));
        let amount = 1 + chance.below(4);
        let main = noisy(&main, amount, &mut chance);
        let persons = noisy(&persons, amount / 2, &mut chance);
        let sizes = [SIZES[round % 4], 1];
        if let Some(difference) = differs(&Pair::new(&main, &persons), &sizes) {
            differences.push(format!("round {round}: {difference}"));
        }
    }
    assert!(differences.is_empty(), "{} differ:\n{}", differences.len(), differences[..differences.len().min(8)].join("\n"));
}

#[test]
fn threads_change_nothing() {
    let mut chance = Chance::new(5);
    let (main, persons) = many(300, "\r\n");
    // Faults would end it early.
    let spoil = |text: &str, bad: &str| text.replacen("<PR_NOV>0", bad, 150).replacen("<W>1", "<W>3", 40);
    let tangled = inserted(&inserted(&spoil(&main, "<PR_NOV>7"), "<ZAP>\n".replace('\n', "\r\n").as_str(), ""), "<N_ZAP>200<", "<ZAP></ZAP>");
    for pair in [
        Pair::new(&spoil(&main, "<Q/><PR_NOV>"), &spoil(&persons, "")),
        Pair::new(&tangled, &persons.replace("<ID_PAC>p-1", "<ID_PAC>q-1")),
        Pair::new(&noisy(&main, 3, &mut chance), &persons),
        Pair::new(MAIN, PERSONS),
    ] {
        let on = |threads: usize| ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(|| lines(&pair, 5000));
        let one = on(1);
        for threads in [2, 8] {
            assert!(on(threads) == one, "{threads} threads");
        }
    }
}
