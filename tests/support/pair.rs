//! A small clean package, and findings as lines of text.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use puomp::finding::{Catalog, FileRole, Finding};
use puomp::flk::{Checker, Config, PackageReport};
use puomp::registry::encoding::{Encoding, to_windows_1251};
use puomp::registry::format::{Family, Format, Formats};
use puomp::registry::package::Input;
use puomp::tables::RuleFiles;
use puomp::values::Date;
use puomp::watch::Unwatched;

/// The tables, read once.
pub(crate) struct Desk {
    pub(crate) formats: Formats,
    pub(crate) catalog: Catalog,
}

pub(crate) static DESK: LazyLock<Desk> = LazyLock::new(|| {
    let files = RuleFiles::embedded();
    Desk { formats: Formats::load(&files).expect("the tables are sound"), catalog: Catalog::load(&files).expect("the table is sound") }
});

static CHECKER: LazyLock<Checker<'static>> = LazyLock::new(|| Checker::new(&DESK.catalog, &DESK.formats).expect("the table fits the formats"));

impl Desk {
    pub(crate) fn format(&self, family: char, edition: &str) -> &Format {
        self.formats.get(Family(family), edition).expect("a format of the tables")
    }

    pub(crate) fn id(&self, finding: &Finding) -> &str {
        &self.catalog.rule(finding.rule).id
    }
}

pub(crate) const MAIN_STEM: &str = "HM140001S14002_19031";
pub(crate) const PERSONS_STEM: &str = "LM140001S14002_19031";

/// Two records: two parts and three services in the first, Cyrillic values in the second. All people are invented.
pub(crate) const MAIN: &str = r#"<?xml version="1.0" encoding="windows-1251"?>
<ZL_LIST>
<ZGLV><VERSION>3.1</VERSION><DATA>2019-04-02</DATA><FILENAME>HM140001S14002_19031</FILENAME><SD_Z>2</SD_Z></ZGLV>
<SCHET><CODE>7</CODE><CODE_MO>140001</CODE_MO><YEAR>2019</YEAR><MONTH>3</MONTH><NSCHET>19-Ж</NSCHET><DSCHET>2019-04-01</DSCHET><PLAT>14002</PLAT><SUMMAV>350.50</SUMMAV></SCHET>
<ZAP>
<N_ZAP>1</N_ZAP><PR_NOV>0</PR_NOV>
<PACIENT><ID_PAC>p-1</ID_PAC><VPOLIS>3</VPOLIS><NPOLIS>1400000000000011</NPOLIS><NOVOR>0</NOVOR></PACIENT>
<Z_SL><IDCASE>11</IDCASE><USL_OK>3</USL_OK><VIDPOM>11</VIDPOM><FOR_POM>3</FOR_POM><LPU>140001</LPU><DATE_Z_1>2019-03-01</DATE_Z_1><DATE_Z_2>2019-03-11</DATE_Z_2><RSLT>301</RSLT><ISHOD>302</ISHOD>
<SL><SL_ID>s-1</SL_ID><PROFIL>97</PROFIL><DET>0</DET><NHISTORY>Д-71</NHISTORY><DATE_1>2019-03-01</DATE_1><DATE_2>2019-03-02</DATE_2><DS1>J06.9</DS1><PRVS>49</PRVS><VERS_SPEC>V021</VERS_SPEC><IDDOKT>101</IDDOKT><SUM_M>60.00</SUM_M>
<USL><IDSERV>u-1</IDSERV><LPU>140001</LPU><PROFIL>97</PROFIL><DET>0</DET><DATE_IN>2019-03-01</DATE_IN><DATE_OUT>2019-03-01</DATE_OUT><DS>J06.9</DS><CODE_USL>B01.047.001</CODE_USL><KOL_USL>1.00</KOL_USL><SUMV_USL>30.00</SUMV_USL><PRVS>49</PRVS><CODE_MD>101</CODE_MD></USL>
<USL><IDSERV>u-2</IDSERV><LPU>140001</LPU><PROFIL>97</PROFIL><DET>0</DET><DATE_IN>2019-03-02</DATE_IN><DATE_OUT>2019-03-02</DATE_OUT><DS>J06.9</DS><CODE_USL>B01.047.002</CODE_USL><KOL_USL>1.00</KOL_USL><SUMV_USL>30.00</SUMV_USL><PRVS>49</PRVS><CODE_MD>101</CODE_MD></USL></SL>
<SL><SL_ID>s-2</SL_ID><PROFIL>98</PROFIL><DET>0</DET><NHISTORY>72</NHISTORY><DATE_1>2019-03-10</DATE_1><DATE_2>2019-03-11</DATE_2><DS1>J06.9</DS1><PRVS>49</PRVS><VERS_SPEC>V021</VERS_SPEC><IDDOKT>101</IDDOKT><SUM_M>40.50</SUM_M>
<USL><IDSERV>u-1</IDSERV><LPU>140001</LPU><PROFIL>98</PROFIL><DET>0</DET><DATE_IN>2019-03-10</DATE_IN><DATE_OUT>2019-03-10</DATE_OUT><DS>J06.9</DS><CODE_USL>B01.047.003</CODE_USL><KOL_USL>1.00</KOL_USL><SUMV_USL>40.50</SUMV_USL><PRVS>49</PRVS><CODE_MD>101</CODE_MD></USL></SL>
<IDSP>29</IDSP><SUMV>100.50</SUMV></Z_SL>
</ZAP>
<ZAP>
<N_ZAP>2</N_ZAP><PR_NOV>1</PR_NOV>
<PACIENT><ID_PAC>p-2</ID_PAC><VPOLIS>1</VPOLIS><SPOLIS>Ю-7</SPOLIS><NPOLIS>22</NPOLIS><NOVOR>0</NOVOR></PACIENT>
<Z_SL><IDCASE>12</IDCASE><USL_OK>3</USL_OK><VIDPOM>12</VIDPOM><FOR_POM>3</FOR_POM><LPU>140001</LPU><DATE_Z_1>2019-03-05</DATE_Z_1><DATE_Z_2>2019-03-05</DATE_Z_2><RSLT>301</RSLT><ISHOD>301</ISHOD>
<SL><SL_ID>s-1</SL_ID><PROFIL>68</PROFIL><DET>1</DET><NHISTORY>73</NHISTORY><DATE_1>2019-03-05</DATE_1><DATE_2>2019-03-05</DATE_2><DS1>A09</DS1><PRVS>22</PRVS><VERS_SPEC>V021</VERS_SPEC><IDDOKT>102</IDDOKT><SUM_M>250.00</SUM_M><COMENTSL>Ёж &amp; ы</COMENTSL></SL>
<IDSP>30</IDSP><SUMV>250.00</SUMV></Z_SL>
</ZAP>
</ZL_LIST>
"#;

/// The persons of [`MAIN`].
pub(crate) const PERSONS: &str = r#"<?xml version="1.0" encoding="windows-1251"?>
<PERS_LIST>
<ZGLV><VERSION>3.1</VERSION><DATA>2019-04-02</DATA><FILENAME>LM140001S14002_19031</FILENAME><FILENAME1>HM140001S14002_19031</FILENAME1></ZGLV>
<PERS><ID_PAC>p-1</ID_PAC><FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT><W>2</W><DR>1980-05-17</DR></PERS>
<PERS><ID_PAC>p-2</ID_PAC><FAM>Небывалов</FAM><IM>Пётр</IM><W>1</W><DR>2015-01-31</DR><SNILS>000-000-000 00</SNILS></PERS>
</PERS_LIST>
"#;

/// Replaces pieces of a text; each must occur exactly once.
pub(crate) fn edited(text: &str, edits: &[(&str, &str)]) -> String {
    edits.iter().fold(text.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "«{from}» must stand once");
        text.replacen(from, to, 1)
    })
}

/// The fixed day of all these tests: the rules in force must not change with the calendar.
pub(crate) fn today() -> Date {
    Date::new(2026, 6, 1).expect("a day")
}

/// A text as bytes of windows-1251; U+0098 stands for the byte that the encoding does not define.
pub(crate) fn encoded(text: &str) -> Vec<u8> {
    to_windows_1251(text).expect("a text of windows-1251").into_owned()
}

/// A main file and a person file: names and bytes.
pub(crate) struct Pair {
    pub(crate) main: (String, Vec<u8>),
    pub(crate) persons: (String, Vec<u8>),
}

impl Pair {
    pub(crate) fn new(main: &str, persons: &str) -> Self {
        Self { main: (format!("{MAIN_STEM}.xml"), encoded(main)), persons: (format!("{PERSONS_STEM}.xml"), encoded(persons)) }
    }

    pub(crate) fn check(&self) -> Checked {
        self.check_with(&Config::on(today()))
    }

    pub(crate) fn check_with(&self, config: &Config) -> Checked {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, bytes) in [&self.main, &self.persons] {
            fs::write(folder.path().join(name), bytes).expect("written");
        }
        let mut all = validate(folder.path(), config);
        assert_eq!(all.len(), 1, "one package");
        all.remove(0)
    }
}

/// The result of controlling a package.
pub(crate) struct Checked {
    pub(crate) report: PackageReport,
    pub(crate) findings: Vec<Finding>,
}

impl Checked {
    pub(crate) fn lines(&self) -> Vec<String> {
        self.findings.iter().map(line).collect()
    }
}

/// Controls every package under a path, in order.
pub(crate) fn validate(path: &Path, config: &Config) -> Vec<Checked> {
    let mut all = Vec::new();
    let mut each = |report: PackageReport| {
        let findings = report.findings.iter()?.collect::<Result<_, _>>()?;
        all.push(Checked { report, findings });
        Ok(())
    };
    CHECKER.validate(&[Input::named(path)], config, &Unwatched, &mut each).expect("temporary files work");
    all
}

/// The text of a finding without its place.
pub(crate) fn saying(finding: &Finding) -> String {
    let file = match finding.file {
        FileRole::Container => "container",
        FileRole::Persons => "persons",
        FileRole::Main => "main",
    };
    let keys = &finding.keys;
    let keys = [&keys.n_zap, &keys.idcase, &keys.sl_id, &keys.idserv, &keys.id_pac].map(|k| k.as_deref().unwrap_or("")).join(",");
    let mut line = format!("{} {file} {} [{keys}]", DESK.id(finding), finding.path);
    for (name, part) in [("value", &finding.value), ("expected", &finding.expected), ("found", &finding.found)] {
        if let Some(part) = part {
            line.push_str(&format!(" {name}={part}"));
        }
    }
    line
}

/// The text of a finding with its place.
pub(crate) fn line(finding: &Finding) -> String {
    let place = finding.place;
    format!("{}:{}@{} {}", place.line, place.column, place.offset, saying(finding))
}

/// Line and column of an offset, counted character by character.
pub(crate) fn naive_place(bytes: &[u8], offset: usize, encoding: Encoding) -> (u32, u32) {
    let (mut line, mut column) = (1, 1);
    let text = match encoding {
        Encoding::Windows1251 => bytes[..offset].iter().map(|b| if *b == b'\n' { '\n' } else { 'x' }).collect(),
        Encoding::Utf8 => std::str::from_utf8(&bytes[..offset]).expect("the offset is of a character").to_owned(),
    };
    for c in text.chars() {
        if c == '\n' {
            (line, column) = (line + 1, 1);
        } else {
            column += 1;
        }
    }
    (line, column)
}

/// A small deterministic source of chance.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits by SplitMix64.
    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.bits() % bound.max(1) as u64) as usize
    }

    /// True once in `n` times.
    pub(crate) fn once_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn of<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

/// A main file of many records and its person file, both without errors. `line_end` replaces the line breaks of the fragments.
pub(crate) fn many(records: usize, line_end: &str) -> (String, String) {
    let cut = |text: &'static str, from: &str, to: &str| {
        let from = text.find(from).expect("it stands there");
        &text[from..from + text[from..].find(to).expect("it stands there") + to.len()]
    };
    let (first, second) = (cut(MAIN, "<ZAP>\n<N_ZAP>1", "</ZAP>\n"), cut(MAIN, "<ZAP>\n<N_ZAP>2", "</ZAP>\n"));
    let (woman, boy) = (cut(PERSONS, "<PERS><ID_PAC>p-1", "</PERS>\n"), cut(PERSONS, "<PERS><ID_PAC>p-2", "</PERS>\n"));
    let (mut main, mut persons, mut kopecks) = (String::new(), String::new(), 0);
    for i in 1..=records {
        let (record, person, number, sum) = if i % 3 == 0 { (second, boy, 2, 25_000) } else { (first, woman, 1, 10_050) };
        let record = record.replace(&format!("<N_ZAP>{number}"), &format!("<N_ZAP>{i}")).replace(&format!("p-{number}"), &format!("p-{i}"));
        main.push_str(&record.replace(&format!("<IDCASE>1{number}"), &format!("<IDCASE>{}", 1000 + i)));
        persons.push_str(
            &person.replace(&format!("p-{number}"), &format!("p-{i}")).replace("Ивановна", &format!("Ивановна-{i}")).replace("Пётр", &format!("Пётр {i}")),
        );
        kopecks += sum;
    }
    let head = |text: &str, end: &str| text[..text.find(end).expect("it stands there")].to_owned();
    let main_head = edited(&head(MAIN, "<ZAP>"), &[("<SD_Z>2", &format!("<SD_Z>{records}")), ("350.50", &format!("{}.{:02}", kopecks / 100, kopecks % 100))]);
    let main = format!("{main_head}{main}</ZL_LIST>\n");
    let persons = format!("{}{persons}</PERS_LIST>\n", head(PERSONS, "<PERS>"));
    (main.replace('\n', line_end), persons.replace('\n', line_end))
}
