//! Hostile markup ends as one finding about the file, within a second and 64 MB, counted in a process of its own.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::Duration;

use puomp::finding::{Catalog, Finding};
use puomp::flk::{Checker, Config, Verdict};
use puomp::registry::format::Formats;
use puomp::registry::package::Input;
use puomp::tables::RuleFiles;
use puomp::values::Date;
use puomp::watch::Unwatched;

use crate::support::process::{Stopwatch, is_run_alone, peak};

/// Bytes of a hostile run: far more than is ever kept at once.
const LARGE: usize = 72 << 20;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?>\n<ZL_LIST>\n<ZGLV><VERSION>3.1</VERSION><DATA>2019-04-02</DATA>\
    <FILENAME>HM140001S14002_19031</FILENAME><SD_Z>1</SD_Z></ZGLV>\n<SCHET><CODE>7</CODE><CODE_MO>140001</CODE_MO><YEAR>2019</YEAR><MONTH>3</MONTH>\
    <NSCHET>1</NSCHET><DSCHET>2019-04-01</DSCHET><SUMMAV>1.00</SUMMAV></SCHET>\n";
const RECORD: &str = "<ZAP><N_ZAP>1</N_ZAP><PR_NOV>0</PR_NOV><PACIENT><ID_PAC>p</ID_PAC><VPOLIS>3</VPOLIS><NPOLIS>1</NPOLIS><NOVOR>0</NOVOR></PACIENT>\
    <Z_SL><IDCASE>1</IDCASE><USL_OK>3</USL_OK><VIDPOM>11</VIDPOM><FOR_POM>3</FOR_POM><LPU>140001</LPU><DATE_Z_1>2019-03-01</DATE_Z_1>\
    <DATE_Z_2>2019-03-11</DATE_Z_2><RSLT>301</RSLT><ISHOD>302</ISHOD><SL><SL_ID>s</SL_ID><PROFIL>97</PROFIL><DET>0</DET><NHISTORY>1</NHISTORY>\
    <DATE_1>2019-03-01</DATE_1><DATE_2>2019-03-02</DATE_2><DS1>J06.9</DS1><PRVS>49</PRVS><VERS_SPEC>V021</VERS_SPEC><IDDOKT>1</IDDOKT>\
    <SUM_M>1.00</SUM_M>";
const SERVICE: &str = "<USL><IDSERV>1</IDSERV><LPU>140001</LPU><PROFIL>97</PROFIL><DET>0</DET><DATE_IN>2019-03-01</DATE_IN><DATE_OUT>2019-03-01</DATE_OUT>\
    <DS>J06.9</DS><CODE_USL>B01</CODE_USL><KOL_USL>1.00</KOL_USL><SUMV_USL>1.00</SUMV_USL><PRVS>49</PRVS><CODE_MD>1</CODE_MD></USL>";
const REST: &str = "</SL><IDSP>29</IDSP><SUMV>1.00</SUMV></Z_SL></ZAP>";
const END: &str = "</ZL_LIST>\n";
const PERSONS: &str = "<?xml version=\"1.0\" encoding=\"windows-1251\"?><PERS_LIST><ZGLV><VERSION>3.1</VERSION><DATA>2019-04-02</DATA>\
    <FILENAME>LM140001S14002_19031</FILENAME><FILENAME1>HM140001S14002_19031</FILENAME1></ZGLV><PERS><ID_PAC>p</ID_PAC><W>2</W><DR>1980-05-17</DR></PERS></PERS_LIST>";

/// A part of a file: a text so many times.
struct Times<'a>(&'a str, usize);

fn once(text: &str) -> Times<'_> {
    Times(text, 1)
}

fn fill(text: &str, bytes: usize) -> Times<'_> {
    Times(text, bytes / text.len() + 1)
}

fn write(path: &Path, parts: &[Times<'_>]) {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path).expect("created"));
    for Times(text, times) in parts {
        for _ in 0..*times {
            file.write_all(text.as_bytes()).expect("written");
        }
    }
    file.flush().expect("written");
}

/// The day on which everything runs here: what is in force must not change with the calendar.
fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

#[test]
fn hostile_markup_ends_within_a_second_and_64_megabytes() {
    if is_run_alone(hostile_markup_ends_within_a_second_and_64_megabytes) {
        return;
    }
    let files = RuleFiles::embedded();
    let (catalog, formats) = (Catalog::load(&files).expect("the table is sound"), Formats::load(&files).expect("the tables are sound"));
    let checker = Checker::new(&catalog, &formats).expect("the table fits the formats");
    let folder = tempfile::tempdir().expect("a folder");
    let (main, persons) = (folder.path().join("HM140001S14002_19031.xml"), folder.path().join("LM140001S14002_19031.xml"));
    fs::write(&persons, PERSONS).expect("written");
    let check = || {
        let mut all: Vec<(Verdict, Vec<Finding>)> = Vec::new();
        let mut each = |report: puomp::flk::PackageReport| {
            let findings = report.findings.iter()?.take(1000).collect::<Result<Vec<_>, _>>()?;
            all.push((report.verdict, findings));
            Ok(())
        };
        checker.validate(&[Input::named(&main)], &Config::on(today()), &Unwatched, &mut each).expect("temporary files work");
        assert_eq!(all.len(), 1);
        let (verdict, findings) = all.remove(0);
        (verdict, findings.iter().map(|f| format!("{} {}", catalog.rule(f.rule).id, f.place.offset)).collect::<Vec<_>>())
    };

    write(&main, &[once(HEAD), once(RECORD), once(SERVICE), once(REST), once(END)]);
    assert_eq!(check(), (Verdict::Clean, Vec::new()), "the frame of all that follows is clean");

    let long = "n".repeat(1 << 10);
    let numbered: String = (0..1_000_000).fold(String::new(), |mut out, i| {
        write!(out, " a{i}=''").expect("a string takes it");
        out
    });
    let text = format!("{RECORD}<COMENTSL>");
    let at = |more: usize| HEAD.len() + RECORD.len() + more;
    let open_text = at("<COMENTSL>".len());
    let cases: Vec<(&str, Vec<Times<'_>>, String)> = vec![
        ("a million attributes", vec![once(RECORD), once("<USL"), once(&numbered), once("></USL>"), once(REST)], format!("X009 {}", at(0))),
        ("a million times one attribute", vec![once(RECORD), once("<USL"), Times(" a=''", 1_000_000), once("/>"), once(REST)], format!("X003 {}", at(10))),
        ("an attribute without end", vec![once(RECORD), once("<USL a='"), fill(&long, LARGE)], format!("X008 {}", at(8))),
        ("a name of 10 MB", vec![once(RECORD), once("<"), fill(&long, 10 << 20), once("/>"), once(REST)], format!("X007 {}", at(1))),
        ("a name of an end tag", vec![once(&text), once("</"), fill(&long, 10 << 20)], format!("X007 {}", open_text + 2)),
        ("a name of an instruction", vec![once(RECORD), once("<?"), fill(&long, LARGE)], format!("X007 {}", at(2))),
        ("100,000 elements deep", vec![once(RECORD), Times("<SL>", 100_000), Times("</SL>", 100_000)], format!("S003 {}, X006 {}", at(0), at(48))),
        ("a text without end", vec![once(&text), fill(&long, LARGE)], format!("X008 {open_text}")),
        ("a text that ends", vec![once(&text), fill(&long, LARGE), once("</COMENTSL>"), once(REST), once(END)], format!("X008 {open_text}")),
        ("a text of references", vec![once(&text), fill("&amp;", LARGE), once("</COMENTSL>")], format!("X008 {open_text}")),
        ("a text of brackets", vec![once(&text), fill("]", LARGE)], format!("X008 {open_text}")),
        ("a text of comments", vec![once(&text), fill("<!---->", LARGE)], format!("X017 {}", HEAD.len())),
        ("a text of CDATA", vec![once(&text), fill("<![CDATA[]]>", LARGE)], format!("X017 {}", HEAD.len())),
        ("text between elements", vec![once(RECORD), fill(&long, LARGE)], format!("X008 {}", at(0))),
        ("a million instructions", vec![Times("<?a b?>", 1_000_000), once(RECORD), once(SERVICE), once(REST), once(END)], String::new()),
        ("instructions without end", vec![fill("<?a b?>", LARGE)], "X017 0".to_owned()),
        ("a million comments", vec![once(RECORD), Times("<!-- </ZAP> -->", 200_000), once(SERVICE), once(REST), once(END)], String::new()),
        ("a comment without end", vec![once(RECORD), once("<!-- "), fill(&long, LARGE)], format!("X017 {}", HEAD.len())),
        ("comments in a comment without end", vec![once(RECORD), fill("<!--", LARGE)], format!("X003 {}", at(6))),
        ("an instruction without end", vec![once(RECORD), once("<?a "), fill(&long, LARGE)], format!("X017 {}", HEAD.len())),
        ("CDATA without end", vec![once(RECORD), once("<![CDATA["), fill("</ZAP>", LARGE)], format!("X017 {}", HEAD.len())),
        ("NUL bytes", vec![once(RECORD), fill("\0", LARGE)], format!("X008 {}", at(0))),
        ("a NUL byte", vec![once(&text), once("a\0"), once("</COMENTSL>"), once(REST), once(END)], format!("X010 {}", open_text + 1)),
        ("a record without end", vec![once(RECORD), fill(SERVICE, LARGE)], format!("X017 {}", HEAD.len())),
        ("white space without end", vec![fill(" \n", LARGE)], "X017 0".to_owned()),
        (
            "white space behind the root",
            vec![once(RECORD), once(SERVICE), once(REST), once(END), fill("\n", LARGE)],
            format!("X017 {}", at(SERVICE.len() + REST.len())),
        ),
        ("a bare &", vec![once(&text), fill("&", LARGE)], format!("X005 {open_text}")),
        ("nothing but <", vec![once(RECORD), fill("<", LARGE)], format!("X003 {}", at(1))),
        ("nothing but end tags", vec![once(RECORD), fill("</SL>", LARGE)], format!("X003 {}", at(5))),
        ("a million entities", vec![once(RECORD), once("<!DOCTYPE a ["), fill("<!ENTITY b '&a;&a;'>", 10 << 20)], format!("X004 {}", at(0))),
    ];
    let (count, mut slowest) = (cases.len(), Duration::ZERO);
    for (what, parts, wanted) in cases {
        write(&main, &std::iter::once(once(HEAD)).chain(parts).collect::<Vec<_>>());
        // The best of three: the machine has other work too.
        let mut best = Duration::MAX;
        for _ in 0..3 {
            let watch = Stopwatch::start();
            let (verdict, said) = check();
            best = best.min(watch.taken());
            let verdict_due = if wanted.is_empty() { Verdict::Clean } else { Verdict::Rejected };
            assert_eq!((verdict, said.join(", ")), (verdict_due, wanted.clone()), "{what}");
            if best < Duration::from_secs(1) {
                break;
            }
        }
        slowest = slowest.max(best);
        assert!(best < Duration::from_secs(1), "{what}: {best:?}");
    }
    let peak = peak();
    let _ = writeln!(std::io::stderr(), "scan: {count} files, the slowest {slowest:?}, peak memory {} KB", peak.unwrap_or_default());
    if let Some(peak) = peak {
        assert!(peak < 64 << 10, "{peak} KB");
    }
}
