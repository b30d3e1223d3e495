//! One fragment that passes and one that fails for every row of `rules/structure.csv`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use puomp::finding::{Catalog, Check, FileRole};
use puomp::flk::{Checker, Config, PackageReport, Rulebook, Verdict, check_document};
use puomp::nsi::{ImportOptions, Importer};
use puomp::registry::encoding::Encoding;
use puomp::registry::fault::Fault;
use puomp::registry::package::Input;
use puomp::registry::scan::ScanLimits;
use puomp::tables::RuleFiles;
use puomp::watch::Unwatched;

use crate::support::pair::{DESK, MAIN, MAIN_STEM, PERSONS, PERSONS_STEM, Pair, edited, encoded, line, naive_place, today, validate};

use On::{Main, Persons};

#[derive(Clone, Copy, PartialEq, Eq)]
enum On {
    Main,
    Persons,
}

type Edits = &'static [(&'static str, &'static str)];

/// A check shown by edits of the clean package.
struct Case {
    id: &'static str,
    on: On,
    /// Edits that come close and break nothing.
    good: Edits,
    bad: Edits,
    /// All that is to be found in the bad one: where (a text that stands once and at whose head the finding stands; empty for the file as
    /// a whole), and what is said.
    says: &'static [(&'static str, &'static str)],
}

const fn case(id: &'static str, on: On, good: Edits, bad: Edits, says: &'static [(&'static str, &'static str)]) -> Case {
    Case { id, on, good, bad, says }
}

const ZAP1: &str = "<ZAP>\n<N_ZAP>1<";

/// What one document shows: markup, structure, values.
const DOCUMENT: &[Case] = &[
    case(
        "X002",
        Main,
        &[("</ZL_LIST>\n", "</ZL_LIST>\r\n \n<!-- -->")],
        &[("</Z_SL>\n</ZAP>\n</ZL_LIST>\n", "</Z_SL>\n</ZAP>\n")],
        &[("", "X002 main  [,,,,] expected=ZL_LIST")],
    ),
    case("X002", Main, &[], &[("</SUMV></Z_SL>\n</ZAP>\n</ZL_LIST>\n", "</SU")], &[("", "X002 main  [,,,,] expected=SUMV")]),
    case(
        "X003",
        Main,
        &[("<N_ZAP>1</N_ZAP>", "<N_ZAP\n>1</N_ZAP >"), ("<DET>1</DET>", "<DET>1<!-- > - --></DET>")],
        &[("<N_ZAP>1</N_ZAP>", "<N_ZAP>1</N_ZPA>")],
        &[("</N_ZPA>", "X003 main  [,,,,] found=<N_ZAP>…</N_ZPA>")],
    ),
    case("X003", Main, &[("&amp; ы", "]] > ы")], &[("&amp; ы", "]]> ы")], &[("]]> ы", "X003 main  [,,,,] found=]]>")]),
    case("X003", Main, &[], &[("<DET>1</DET>", "<DET>1</DET><!-- a -- b -->")], &[("-- b", "X003 main  [,,,,] found=<!-- -- ")]),
    case("X003", Main, &[], &[("<DET>1</DET>", "<DE=T>1</DE=T>")], &[("=T>1", "X003 main  [,,,,] found=<DE…")]),
    case("X003", Main, &[], &[("<DET>1</DET>", "<Кот ям>1</Кот>")], &[("ям>1</Кот>", "X003 main  [,,,,] found=**…")]),
    case("X003", Main, &[], &[("<ZAP>\n<N_ZAP>2", "<?xml version='1.0'?><ZAP>\n<N_ZAP>2")], &[("<?xml version='", "X003 main  [,,,,] found=…<?xml")]),
    case("X003", Main, &[], &[("</ZL_LIST>\n", "</ZL_LIST>\nконец")], &[("конец", "X003 main  [,,,,] found=…")]),
    case("X005", Main, &[("&amp; ы", "&#1071;&#x41;&lt;&gt;&apos;&quot;")], &[("&amp; ы", "&nbsp; ы")], &[("&nbsp;", "X005 main  [,,,,] found=&nbsp;")]),
    case("X005", Main, &[], &[("&amp; ы", "a & b; ы")], &[("& b;", "X005 main  [,,,,] found=&")]),
    case("X005", Main, &[], &[("<DET>1</DET>", "<DET a='&x;'>1</DET>")], &[("&x;", "X005 main  [,,,,] found=&x;")]),
    case(
        "X006",
        Main,
        &[],
        &[("<DET>1</DET>", "<A><A><A><A><A><A><A><A><A><A><A><A><Б>1</Б></A></A></A></A></A></A></A></A></A></A></A></A>")],
        &[
            ("<A><A><A><A><A><A><A><A><A><A><A><A><Б>", "S002 main ZL_LIST/ZAP/Z_SL/SL/A [2,12,s-1,,p-2] expected=H 3.1"),
            ("<Б>", "X006 main  [,,,,] expected=16"),
        ],
    ),
    case(
        "X007",
        Main,
        &[],
        &[("<DET>1</DET>", "<ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDE/>")],
        &[("ABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDEFGHIJABCDE/>", "X007 main  [,,,,] expected=64")],
    ),
    case("X009", Main, &[], &[("<DET>1</DET>", "<DET a='' b='' c='' d='' e='' f='' g='' h='' i=''>1</DET>")], &[("<DET a", "X009 main  [,,,,] expected=8")]),
    case("X010", Main, &[("&amp; ы", "&#9;\tы")], &[("&amp; ы", "Я\u{1} ы")], &[("\u{1} ы", "X010 main  [,,,,] found=1")]),
    case("X010", Main, &[], &[("<DET>1</DET>", "<DET>1</DET><!-- \u{0} -->")], &[("\u{0} -->", "X010 main  [,,,,] found=0")]),
    case(
        "X013",
        Main,
        &[("Ёж", "№—")],
        &[("Ёж", "Ё\u{98}")],
        &[("<COMENTSL>", "X013 main ZL_LIST/ZAP/Z_SL/SL/COMENTSL [2,12,s-1,,p-2] value=Ё\u{fffd} & ы found=0x98")],
    ),
    case("X016", Main, &[], &[("<ZL_LIST>", "<ZL_LIST xmlns='urn:x'>")], &[("<ZL_LIST xmlns", "X016 main ZL_LIST [,,,,] found=xmlns")]),
    case("S001", Main, &[("<PLAT>14002</PLAT>", "")], &[("<PR_NOV>0</PR_NOV>", "")], &[(ZAP1, "S001 main ZL_LIST/ZAP/PR_NOV [1,,,,p-1]")]),
    case("S001", Main, &[], &[("<IDSERV>u-2</IDSERV>", "")], &[("<USL><LPU>", "S001 main ZL_LIST/ZAP/Z_SL/SL/USL/IDSERV [1,11,s-1,,p-1]")]),
    case(
        "S001",
        Main,
        &[],
        &[("<PROFIL>97</PROFIL><DET>0</DET><NHI", "<DET>0</DET><NHI")],
        &[("<SL><SL_ID>s-1</SL_ID><DET>", "S001 main ZL_LIST/ZAP/Z_SL/SL/PROFIL [1,11,s-1,,p-1]")],
    ),
    case("S001", Persons, &[("<OT>Ивановна</OT>", "")], &[("<DR>1980-05-17</DR>", "")], &[("<PERS><ID_PAC>p-1", "S001 persons PERS_LIST/PERS/DR [1,,,,p-1]")]),
    // A sum without all of its addends is not compared.
    case("S001", Main, &[], &[("<SUM_M>40.50</SUM_M>", "")], &[("<SL><SL_ID>s-2", "S001 main ZL_LIST/ZAP/Z_SL/SL/SUM_M [1,11,s-2,,p-1]")]),
    case("S001", Main, &[], &[("<SUMV>250.00</SUMV>", "")], &[("<Z_SL><IDCASE>12", "S001 main ZL_LIST/ZAP/Z_SL/SUMV [2,12,,,p-2]")]),
    case(
        "S002",
        Main,
        &[("<PR_NOV>0</PR_NOV>", "<PR_NOV>0</PR_NOV><!-- <X>1</X> -->")],
        &[("<PR_NOV>0</PR_NOV>", "<PR_NOV>0</PR_NOV><НОВ>1</НОВ>")],
        &[("<НОВ>", "S002 main ZL_LIST/ZAP/НОВ [1,,,,p-1] expected=H 3.1")],
    ),
    // An unknown block is one finding, whatever is in it; outside a record there are no numbers.
    case(
        "S002",
        Main,
        &[],
        &[("</ZAP>\n<ZAP>", "</ZAP>\n<BAD><N_ZAP>1</N_ZAP><X y='z'>Я</X><ZAP></ZAP>text</BAD><ZAP>")],
        &[("<BAD>", "S002 main ZL_LIST/BAD [,,,,] expected=H 3.1")],
    ),
    case(
        "S003",
        Main,
        &[],
        &[("<PR_NOV>0</PR_NOV>", "<PR_NOV>0</PR_NOV><DS1>A09</DS1>")],
        &[("<DS1>A09</DS1>\n", "S003 main ZL_LIST/ZAP/DS1 [1,,,,p-1] expected=ZL_LIST/ZAP/Z_SL/SL/DS1")],
    ),
    case(
        "S004",
        Main,
        &[("<DS1>A09</DS1>", "<DS1>A09</DS1><DS2>A09</DS2><DS2>A08</DS2>")],
        &[("<DS1>A09</DS1>", "<DS1>A09</DS1><DS1>A08</DS1>")],
        &[("<DS1>A08", "S004 main ZL_LIST/ZAP/Z_SL/SL/DS1 [2,12,s-1,,p-2]")],
    ),
    case(
        "S005",
        Main,
        &[],
        &[("<IDSP>30</IDSP><SUMV>250.00</SUMV>", "<SUMV>250.00</SUMV><IDSP>30</IDSP>")],
        &[("<IDSP>30", "S005 main ZL_LIST/ZAP/Z_SL/IDSP [2,12,,,p-2] found=SUMV")],
    ),
    case(
        "S006",
        Main,
        &[("<PLAT>14002</PLAT>", "")],
        &[("<NHISTORY>73</NHISTORY>", "<NHISTORY></NHISTORY>")],
        &[("<NHISTORY><", "S006 main ZL_LIST/ZAP/Z_SL/SL/NHISTORY [2,12,s-1,,p-2]")],
    ),
    case("S006", Main, &[], &[("<N_ZAP>2</N_ZAP>", "<N_ZAP/>")], &[("<N_ZAP/>", "S006 main ZL_LIST/ZAP/N_ZAP [,,,,p-2]")]),
    case(
        "S007",
        Main,
        &[("<PACIENT><ID_PAC>p-1", "<PACIENT>\r\n\t <ID_PAC>p-1")],
        &[("<PACIENT><ID_PAC>p-1", "<PACIENT> Ы <ID_PAC>p-1")],
        &[("Ы <ID", "S007 main ZL_LIST/ZAP/PACIENT [1,,,,p-1]")],
    ),
    case("S007", Main, &[], &[("</ZAP>\n<ZAP>", "</ZAP>\n, <ZAP>")], &[(", <ZAP>", "S007 main ZL_LIST [,,,,]")]),
    case(
        "S008",
        Main,
        &[("<DET>1</DET>", "<DET><![CDATA[1]]></DET>")],
        &[("<DET>1</DET>", "<DET><A>1</A></DET>")],
        &[("<DET><A>", "S008 main ZL_LIST/ZAP/Z_SL/SL/DET [2,12,s-1,,p-2]")],
    ),
    case("S009", Main, &[], &[("<DET>1</DET>", "<DET n = \"1\">1</DET>")], &[("<DET n", "S009 main ZL_LIST/ZAP/Z_SL/SL/DET [2,12,s-1,,p-2] found=n")]),
    case("S009", Main, &[], &[("<Z_SL><IDCASE>12", "<Z_SL я='1'><IDCASE>12")], &[("<Z_SL я", "S009 main ZL_LIST/ZAP/Z_SL [2,12,,,p-2] found=я")]),
    case(
        "V001",
        Main,
        &[],
        &[("<RSLT>301</RSLT><ISHOD>301", "<RSLT>30I</RSLT><ISHOD>301")],
        &[("<RSLT>30I", "V001 main ZL_LIST/ZAP/Z_SL/RSLT [2,12,,,p-2] value=30I expected=N(3)")],
    ),
    case(
        "V001",
        Main,
        &[],
        &[("<SUM_M>250.00", "<SUM_M>250,00")],
        &[("<SUM_M>250,00", "V001 main ZL_LIST/ZAP/Z_SL/SL/SUM_M [2,12,s-1,,p-2] value=250,00 expected=N(15.2)")],
    ),
    case(
        "V002",
        Main,
        &[],
        &[("<SUM_M>250.00", "<SUM_M>250.0")],
        &[("<SUM_M>250.0<", "V002 main ZL_LIST/ZAP/Z_SL/SL/SUM_M [2,12,s-1,,p-2] value=250.0 expected=2 found=1")],
    ),
    case(
        "V003",
        Main,
        &[],
        &[("<DSCHET>2019-04-01", "<DSCHET>01.04.2019")],
        &[("<DSCHET>", "V003 main ZL_LIST/SCHET/DSCHET [,,,,] value=01.04.2019 expected=YYYY-MM-DD")],
    ),
    case(
        "V004",
        Main,
        &[("<DSCHET>2019-04-01", "<DSCHET>2020-02-29")],
        &[("<DSCHET>2019-04-01", "<DSCHET>2019-02-29")],
        &[("<DSCHET>", "V004 main ZL_LIST/SCHET/DSCHET [,,,,] value=2019-02-29")],
    ),
    case("V004", Persons, &[], &[("<DR>2015-01-31", "<DR>2015-01-32")], &[("<DR>2015-01-32", "V004 persons PERS_LIST/PERS/DR [2,,,,p-2] value=2015-01-32")]),
    case(
        "V005",
        Main,
        &[("<SPOLIS>Ю-7<", "<SPOLIS>ЮЮЮЮЮ 7777<")],
        &[("<SPOLIS>Ю-7<", "<SPOLIS>ЮЮЮЮЮ 77777<")],
        &[("<SPOLIS>", "V005 main ZL_LIST/ZAP/PACIENT/SPOLIS [2,,,,p-2] value=ЮЮЮЮЮ 77777 expected=T(10) found=11")],
    ),
    case(
        "V006",
        Main,
        &[("<SPOLIS>Ю-7</SPOLIS><NPOLIS>22</NPOLIS><NOVOR>0</NOVOR>", "<NPOLIS>22</NPOLIS><NOVOR>0</NOVOR><VNOV_D>900</VNOV_D>")],
        &[("<SPOLIS>Ю-7</SPOLIS><NPOLIS>22</NPOLIS><NOVOR>0</NOVOR>", "<NPOLIS>22</NPOLIS><NOVOR>0</NOVOR><VNOV_D>90</VNOV_D>")],
        &[("<VNOV_D>", "V006 main ZL_LIST/ZAP/PACIENT/VNOV_D [2,,,,p-2] value=90 expected=N(3-4) found=2")],
    ),
    case(
        "V007",
        Main,
        &[("<NSCHET>19-Ж<", "<NSCHET>Ё/z\\9<")],
        &[("<NSCHET>19-Ж<", "<NSCHET>19 Ж<")],
        &[("<NSCHET>", "V007 main ZL_LIST/SCHET/NSCHET [,,,,] value=19 Ж expected=А-Я а-я Ё ё A-Z a-z 0-9 - – — / \\")],
    ),
    case(
        "V008",
        Main,
        &[("<DS1>A09<", "<DS1>A09.12<")],
        &[("<DS1>A09<", "<DS1>A9.1<")],
        &[("<DS1>A9.1", "V008 main ZL_LIST/ZAP/Z_SL/SL/DS1 [2,12,s-1,,p-2] value=A9.1 expected=A99[.9[9]]")],
    ),
    case(
        "V009",
        Main,
        &[("<PR_NOV>0<", "<PR_NOV>1<")],
        &[("<PR_NOV>0<", "<PR_NOV>2<")],
        &[("<PR_NOV>2", "V009 main ZL_LIST/ZAP/PR_NOV [1,,,,p-1] value=2 expected=0, 1")],
    ),
    case(
        "R003",
        Main,
        &[],
        &[("<SL_ID>s-2", "<SL_ID>s-1")],
        &[("<SL_ID>s-1</SL_ID><PROFIL>98", "R003 main ZL_LIST/ZAP/Z_SL/SL/SL_ID [1,11,s-1,,p-1] value=s-1")],
    ),
    case(
        "R004",
        Main,
        &[],
        &[("<IDSERV>u-2", "<IDSERV>u-1")],
        &[(
            "<IDSERV>u-1</IDSERV><LPU>140001</LPU><PROFIL>97</PROFIL><DET>0</DET><DATE_IN>2019-03-02",
            "R004 main ZL_LIST/ZAP/Z_SL/SL/USL/IDSERV [1,11,s-1,u-1,p-1] value=u-1",
        )],
    ),
    case(
        "R011",
        Main,
        &[("<SUM_M>40.50", "<SUM_M>40.40"), ("<SUM_M>60.00", "<SUM_M>60.10")],
        &[("<SUM_M>40.50", "<SUM_M>40.49")],
        &[("<SUMV>100.50", "R011 main ZL_LIST/ZAP/Z_SL/SUMV [1,11,,,p-1] value=100.50 found=100.49")],
    ),
];

/// What only a package shows: names, periods, relations over a file or over both.
const PACKAGE: &[Case] = &[
    case(
        "P019",
        Main,
        &[("<FILENAME>HM140001S14002_19031", "<FILENAME>hm140001s14002_19031")],
        &[("<FILENAME>HM140001S14002_19031", "<FILENAME>HM140001S14002_19032")],
        &[("<FILENAME>", "P019 main ZL_LIST/ZGLV/FILENAME [,,,,] value=HM140001S14002_19032 expected=HM140001S14002_19031")],
    ),
    case(
        "P020",
        Persons,
        &[],
        &[("<FILENAME1>HM140001S14002_19031", "<FILENAME1>HM140001S14002_19032")],
        &[("<FILENAME1>", "P020 persons PERS_LIST/ZGLV/FILENAME1 [,,,,] value=HM140001S14002_19032 expected=HM140001S14002_19031")],
    ),
    case(
        "E002",
        Main,
        &[],
        &[("<VERSION>3.1", "<VERSION>3.7")],
        &[("<VERSION>", "E002 main ZL_LIST/ZGLV/VERSION [,,,,] value=3.7 expected=3.1 found=2019-03")],
    ),
    case(
        "E002",
        Persons,
        &[],
        &[("<VERSION>3.1", "<VERSION>9.9")],
        &[("<VERSION>", "E002 persons PERS_LIST/ZGLV/VERSION [,,,,] value=9.9 expected=3.1 found=2019-03")],
    ),
    case(
        "E003",
        Persons,
        &[],
        &[("<VERSION>3.1", "<VERSION>3.2")],
        &[("<VERSION>", "E003 persons PERS_LIST/ZGLV/VERSION [,,,,] value=3.2 expected=3.1 found=2019-03")],
    ),
    case("R001", Main, &[("<N_ZAP>2", "<N_ZAP>3")], &[("<N_ZAP>2", "<N_ZAP>01")], &[("<N_ZAP>01", "R001 main ZL_LIST/ZAP/N_ZAP [01,,,,p-2] value=01")]),
    case(
        "R002",
        Main,
        &[],
        &[("<IDCASE>12", "<IDCASE>11"), ("<PR_NOV>1", "<!-- <ZAP> --><PR_NOV>1")],
        &[("<IDCASE>11</IDCASE><USL_OK>3</USL_OK><VIDPOM>12", "R002 main ZL_LIST/ZAP/Z_SL/IDCASE [2,11,,,p-2] value=11")],
    ),
    case(
        "R005",
        Persons,
        &[],
        &[("</PERS_LIST>", "<PERS><ID_PAC>p-1</ID_PAC><FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT><W>2</W><DR>1980-05-17</DR></PERS>\n</PERS_LIST>")],
        &[(
            "<ID_PAC>p-1</ID_PAC><FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT><W>2</W><DR>1980-05-17</DR></PERS>\n</PERS_LIST>",
            "R005 persons PERS_LIST/PERS/ID_PAC [,,,,p-1] value=p-1",
        )],
    ),
    case(
        "R006",
        Persons,
        // Nobody is the same without a name.
        &[
            ("<ID_PAC>p-2</ID_PAC><FAM>Небывалов</FAM><IM>Пётр</IM><W>1</W><DR>2015-01-31</DR>", "<ID_PAC>p-2</ID_PAC><W>2</W><DR>1980-05-17</DR>"),
            ("<FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT>", ""),
        ],
        &[("<FAM>Небывалов</FAM><IM>Пётр</IM><W>1</W><DR>2015-01-31</DR>", "<FAM>Выдумкина</FAM><IM>Анна</IM><OT>Ивановна</OT><W>2</W><DR>1980-05-17</DR>")],
        &[("<ID_PAC>p-2", "R006 persons PERS_LIST/PERS/ID_PAC [,,,,p-2] value=p-2")],
    ),
    case("R009", Main, &[("<SD_Z>2", "<SD_Z>002")], &[("<SD_Z>2", "<SD_Z>3")], &[("<SD_Z>", "R009 main ZL_LIST/ZGLV/SD_Z [,,,,] value=3 found=2")]),
    case("R010", Main, &[], &[("<SUMMAV>350.50", "<SUMMAV>350.05")], &[("<SUMMAV>", "R010 main ZL_LIST/SCHET/SUMMAV [,,,,] value=350.05 found=350.50")]),
    case("R012", Main, &[], &[("<CODE_MO>140001", "<CODE_MO>140002")], &[("<CODE_MO>", "R012 main ZL_LIST/SCHET/CODE_MO [,,,,] value=140002 expected=140001")]),
    case(
        "R013",
        Main,
        &[("<PLAT>14002</PLAT>", "")],
        &[("<PLAT>14002", "<PLAT>14003")],
        &[("<PLAT>", "R013 main ZL_LIST/SCHET/PLAT [,,,,] value=14003 expected=14002")],
    ),
    case(
        "R015",
        Main,
        &[("<MONTH>3<", "<MONTH>03<")],
        &[("<MONTH>3<", "<MONTH>4<")],
        &[("<MONTH>", "R015 main ZL_LIST/SCHET/MONTH [,,,,] value=4 expected=3")],
    ),
];

fn pair(case: &Case, edits: Edits) -> (Pair, String) {
    let source = if case.on == Main { MAIN } else { PERSONS };
    let text = edited(source, edits);
    (if case.on == Main { Pair::new(&text, PERSONS) } else { Pair::new(MAIN, &text) }, text)
}

/// What is to be said, with places counted the long way.
fn wanted(case: &Case, text: &str) -> Vec<String> {
    let bytes = encoded(text);
    let one = |(marker, saying): &(&str, &str)| {
        let at = match *marker {
            "" => bytes.len(),
            marker => {
                assert_eq!(text.matches(marker).count(), 1, "{}: «{marker}» must stand once", case.id);
                encoded(&text[..text.find(marker).expect("it stands there")]).len()
            }
        };
        let (line, column) = naive_place(&bytes, at, Encoding::Windows1251);
        format!("{line}:{column}@{at} {saying}")
    };
    case.says.iter().map(one).collect()
}

#[test]
fn the_package_is_clean() {
    let checked = Pair::new(MAIN, PERSONS).check();
    assert_eq!((checked.lines(), checked.report.verdict), (Vec::<String>::new(), Verdict::Clean));
    assert_eq!((checked.report.records, checked.report.cases, checked.report.services, checked.report.sum_kopecks), (2, 2, 3, Some(35_050)));
}

#[test]
fn each_check_passes_and_fails() {
    let mut wrong = String::new();
    for case in DOCUMENT.iter().chain(PACKAGE) {
        let (good, _) = pair(case, case.good);
        let lines = good.check().lines();
        if !lines.is_empty() {
            writeln!(wrong, "{}: what is right passes, but {lines:#?}", case.id).expect("a string takes it");
        }
        let (bad, text) = pair(case, case.bad);
        let (lines, wanted) = (bad.check().lines(), wanted(case, &text));
        if lines != wanted {
            writeln!(wrong, "{}: we say {lines:#?}, not {wanted:#?}", case.id).expect("a string takes it");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Shown by a test of its own below.
const ALONE: &[&str] = &[
    "P001", "P002", "P003", "P015", "P016", "P017", "P018", "P021", "P022", "P023", "P024", "X001", "X004", "X008", "X011", "X012", "X014", "X015", "X017",
    "E001", "E003", "E004", "E005", "E006", "R007", "R008", "R014",
];

/// Shown by the tests of archives: id, file, and the words there.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("X018", "tests/flk/encodings.rs", "X018 FILE"),
    ("X019", "tests/flk/encodings.rs", "X019 FILE"),
    ("P004", "tests/registry/archive.rs", "Check::ZipDamaged"),
    ("P005", "tests/registry/archive.rs", "Check::ZipEntries"),
    ("P006", "tests/registry/archive.rs", "Check::ZipRatio"),
    ("P007", "tests/registry/archive.rs", "Check::ZipTotal"),
    ("P008", "tests/registry/archive.rs", "Check::ZipOverlap"),
    ("P009", "tests/registry/archive.rs", "Check::ZipName"),
    ("P010", "tests/registry/archive.rs", "Check::ZipDuplicate"),
    ("P011", "tests/registry/archive.rs", "Check::ZipNested"),
    ("P012", "tests/registry/archive.rs", "Check::ZipMethod"),
    ("P013", "src/registry/package/tests.rs", "zip-extra"),
    ("P014", "tests/registry/archive.rs", "Check::NoMainFile"),
    ("L036", "tests/flk/sense/mod.rs", "a_copy_of_a_package_is_named"),
];

#[test]
fn every_row_of_the_table_is_shown() {
    let mut shown: BTreeSet<&str> = DOCUMENT.iter().chain(PACKAGE).map(|c| c.id).chain(ALONE.iter().copied()).collect();
    for (id, file, words) in ELSEWHERE {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).expect("the file is there");
        assert!(text.contains(words), "{id}: no «{words}» in {file}");
        shown.insert(id);
    }
    let rows: BTreeSet<&str> = DESK.catalog.rules().map(|(_, rule)| &*rule.id).collect();
    assert_eq!(rows.difference(&shown).collect::<Vec<_>>(), Vec::<&&str>::new(), "rows that no test shows");
    assert_eq!(shown.difference(&rows).collect::<Vec<_>>(), Vec::<&&str>::new(), "tests of rows that are gone");
}

#[test]
fn a_document_alone_says_the_same() {
    for case in DOCUMENT.iter() {
        let (_, text) = pair(case, case.bad);
        let (family, edition) = if case.on == Main { ('H', "3.1") } else { ('L', "3.1") };
        let mut findings = check_document(&encoded(&text), Encoding::Windows1251, DESK.format(family, edition), &DESK.catalog).expect("the tables are sound");
        findings.iter_mut().filter(|_| case.on == Persons).for_each(|f| f.file = FileRole::Persons);
        let lines: Vec<String> = findings.iter().map(line).collect();
        // Without the main file nobody knows the records of a person.
        let alone = |line: String| if case.on == Persons { line.replace("[1,,,,p-", "[,,,,p-").replace("[2,,,,p-", "[,,,,p-") } else { line };
        let wanted: Vec<String> = wanted(case, &text).into_iter().map(alone).collect();
        assert_eq!(lines, wanted, "{}", case.id);
    }
}

/// What is said of a folder of these files: of each package, in order.
fn said(files: &[(&str, Vec<u8>)], config: &Config) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).expect("written");
    }
    validate(folder.path(), config).iter().flat_map(|c| c.findings.iter().map(line)).collect()
}

fn both(main: &str, persons: &str) -> Vec<(&'static str, Vec<u8>)> {
    vec![("HM140001S14002_19031.xml", encoded(main)), ("LM140001S14002_19031.xml", encoded(persons))]
}

fn said_of(main: &str, persons: &str) -> Vec<String> {
    said(&both(main, persons), &Config::on(today()))
}

fn with_main(bytes: impl Into<Vec<u8>>) -> Vec<String> {
    said(&[("HM140001S14002_19031.xml", bytes.into()), ("LM140001S14002_19031.xml", encoded(PERSONS))], &Config::on(today()))
}

#[test]
fn files_that_are_no_registries() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |name: &str, bytes: Option<&[u8]>| {
        let path = folder.path().join(name);
        if let Some(bytes) = bytes {
            fs::write(&path, bytes).expect("written");
        }
        let all = validate(&path, &Config::on(today()));
        assert_eq!((all.len(), all[0].report.verdict), (1, Verdict::Rejected));
        all[0].lines()
    };
    assert_eq!(of("absent.xml", None), ["0:0@0 P021 container  [,,,,]"]);
    // A folder without rights stops nobody who is root: the way from the system's answer to the check is what can be shown everywhere.
    let checks = [ErrorKind::PermissionDenied, ErrorKind::TimedOut].map(|kind| Fault::from(std::io::Error::from(kind)).check);
    assert_eq!(checks, [Check::NoAccess, Check::Unreadable]);
    #[cfg(unix)]
    assert_eq!(validate(Path::new("/dev/null"), &Config::on(today()))[0].lines(), ["0:0@0 P023 container  [,,,,]"]);
    assert_eq!(of("empty.xml", Some(b"")), ["0:0@0 P002 main  [,,,,]"]);
    assert_eq!(of("HM140001S14002_19031.xml", Some(b" \r\n")), ["0:0@0 P002 main  [,,,,]"]);
    assert_eq!(of("registry.oms", Some(b"MZ\x90")), ["0:0@0 P003 container  [,,,,]"]);
    assert_eq!(of("registry.xml", Some(b"%PDF-1.5")), ["1:1@0 X001 main  [,,,,] found=25 50 44 46"]);
    assert_eq!(of("a.xml", Some(b"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>")), ["2:1@22 X004 main  [,,,,]"]);
    assert_eq!(of("b.xml", Some("<?xml version='1.0' encoding='iso-8859-5'?><ZL_LIST/>".as_bytes())), ["0:0@0 X011 main  [,,,,] found=iso-8859-5"]);
    assert_eq!(of("c.xml", Some("\n <!-- Я --><html><p>b</p></html>".as_bytes())), ["0:0@0 X015 main  [,,,,] expected=PERS_LIST, ZL_LIST found=html"]);
    assert_eq!(of("d.xml", Some("\u{feff}<!-- Я -->\n<!-- Я --><?xml version='1.0'?><ZL_LIST/>".as_bytes())), ["2:11@26 X003 main  [,,,,] found=…<?xml"]);
}

#[test]
fn halves_and_names() {
    let only = |name: &'static str, text: &str| said(&[(name, encoded(text))], &Config::on(today()));
    assert_eq!(only("HM140001S14002_19031.xml", MAIN), ["0:0@0 P015 container  [,,,,] expected=LM140001S14002_19031.xml"]);
    assert_eq!(only("LM140001S14002_19031.xml", PERSONS), ["0:0@0 P016 container  [,,,,] expected=HM140001S14002_19031.xml"]);
    let renamed = |name: &str| {
        [
            edited(MAIN, &[("<FILENAME>HM140001S14002_19031", &format!("<FILENAME>{name}"))]),
            edited(PERSONS, &[("<FILENAME1>HM140001S14002_19031", &format!("<FILENAME1>{name}"))]),
        ]
    };
    let [main, persons] = renamed("HM140001S14002-19031");
    let files = [("HM140001S14002-19031.xml", encoded(&main)), ("LM140001S14002_19031.xml", encoded(&persons))];
    let lines = said(&files, &Config::on(today()));
    assert!(lines.iter().any(|l| l == "0:0@0 P018 main  [,,,,] value=HM140001S14002-19031"), "{lines:#?}");
    // The dash is no character of FILENAME either.
    assert!(lines.iter().all(|l| [" P018 ", " V007 "].iter().any(|id| l.contains(id))), "{lines:#?}");
    let [main, persons] = renamed("XQM140001S14002_19031");
    let files = [("XQM140001S14002_19031.xml", encoded(&main)), ("LM140001S14002_19031.xml", encoded(&persons))];
    assert_eq!(said(&files, &Config::on(today())), ["0:0@0 E001 main  [,,,,] value=XQ"]);
    let twice = [both(MAIN, PERSONS), vec![("HM140001S14002_19031.XML", encoded(MAIN)), ("LM140001S14002_19031.XML", encoded(PERSONS))]].concat();
    assert_eq!(said(&twice, &Config::on(today())), ["0:0@0 P017 container  [,,,,] value=HM140001S14002_19031.xml"]);
}

#[test]
fn encodings() {
    let utf8 = MAIN.replace("windows-1251", "UTF-8");
    assert_eq!(with_main(utf8.clone()), ["0:0@0 X014 main  [,,,,] expected=windows-1251 found=UTF-8"]);
    assert_eq!(with_main(format!("\u{feff}{utf8}")), ["0:0@0 X014 main  [,,,,] expected=windows-1251 found=UTF-8"]);
    assert_eq!(with_main(MAIN), ["0:0@0 X012 main  [,,,,] expected=windows-1251 found=UTF-8"]);
    assert_eq!(with_main(encoded(&utf8)), ["0:0@0 X012 main  [,,,,] expected=UTF-8 found=windows-1251"]);
    // Columns are characters, offsets are bytes, the mark at the head is neither line nor column.
    let bad = format!("\u{feff}{}", edited(&utf8, &[("Ёж &amp; ы</COMENTSL>", "Ёж &amp; ы</COMENTSL><X/>")]));
    let at = bad.find("<X/>").expect("it stands there");
    let (line, column) = naive_place(&bad.as_bytes()[3..], at - 3, Encoding::Utf8);
    assert_eq!(with_main(bad)[1], format!("{line}:{column}@{at} S002 main ZL_LIST/ZAP/Z_SL/SL/X [2,12,s-1,,p-2] expected=H 3.1"));
    // A byte that is no character of UTF-8.
    let mut broken = utf8.into_bytes();
    let at = broken.windows(4).position(|w| w == "Ёж".as_bytes()).expect("it stands there");
    broken[at + 1] = b' ';
    let lines = with_main(broken);
    assert!(lines[1].ends_with("X013 main ZL_LIST/ZAP/Z_SL/SL/COMENTSL [2,12,s-1,,p-2] value=\u{fffd} ж & ы found=0xD0"), "{lines:#?}");
}

#[test]
fn texts_and_records_have_bounds() {
    let with_comment = |length: usize| edited(MAIN, &[("Ёж &amp; ы", &"ы".repeat(length))]);
    let lines = said_of(&with_comment(64 << 10), PERSONS);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].contains("V005") && lines[0].ends_with("… expected=T(250) found=65536"), "{}", lines[0]);
    let lines = said_of(&with_comment((64 << 10) + 1), PERSONS);
    let at = MAIN.find("Ёж").expect("it stands there");
    let at = encoded(&MAIN[..at]).len();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].ends_with(&format!("@{at} X008 main  [,,,,] expected=65536")), "{}", lines[0]);
    // A record that does not end, and one that is only too long.
    let config = Config { markup: ScanLimits { record: 4000, ..ScanLimits::default() }, piece: 1000, ..Config::on(today()) };
    assert_eq!(said(&both(MAIN, PERSONS), &config), Vec::<String>::new());
    let long = edited(MAIN, &[("<PR_NOV>1", "<!-- <ZAP></ZAP> --><PR_NOV>1"), ("Ёж &amp; ы</COMENTSL>", &format!("Ёж</COMENTSL>{}", "<!-- -->".repeat(500)))]);
    let unclosed = edited(&long, &[("</ZAP>\n</ZL_LIST>", "</ZL_LIST>")]);
    let at = encoded(&long[..long.find("<ZAP>\n<N_ZAP>2").expect("it stands there")]).len();
    for text in [long, unclosed] {
        let (line, column) = naive_place(&encoded(&text), at, Encoding::Windows1251);
        assert_eq!(said(&both(&text, PERSONS), &config), [format!("{line}:{column}@{at} X017 main  [,,,,] expected=4000")]);
    }
}

#[test]
fn periods_and_editions() {
    let main = edited(MAIN, &[("<YEAR>2019", "<YEAR>2025"), ("<MONTH>3", "<MONTH>2"), ("<VERSION>3.1", "<VERSION>3.1")]);
    let lines = said_of(&main, PERSONS);
    let of = |id: &str| lines.iter().filter(|l| l.contains(&format!(" {id} "))).map(String::as_str).collect::<Vec<_>>();
    assert_eq!(
        of("E003"),
        [
            "3:7@64 E003 persons PERS_LIST/ZGLV/VERSION [,,,,] value=3.1 expected=3.2 found=2025-02",
            "3:7@62 E003 main ZL_LIST/ZGLV/VERSION [,,,,] value=3.1 expected=5.0 found=2025-02",
        ]
    );
    assert_eq!((of("R014").len(), of("R015").len()), (1, 1));
    let lines = said_of(&edited(MAIN, &[("<YEAR>2019", "<YEAR>201O")]), PERSONS);
    let of = |id: &str| lines.iter().filter(|l| l.contains(&format!(" {id} "))).map(String::as_str).collect::<Vec<_>>();
    assert!(of("E004")[0].ends_with("E004 main ZL_LIST/SCHET/YEAR [,,,,] value=201O expected=3.1"), "{lines:#?}");
    let lines = said_of(&edited(MAIN, &[("<YEAR>2019</YEAR>", "")]), PERSONS);
    assert_eq!(lines, ["4:1@170 S001 main ZL_LIST/SCHET/YEAR [,,,,]", "0:0@0 E004 main  [,,,,] expected=3.1"]);
}

#[test]
fn what_is_found_of_a_person_names_the_first_record() {
    let of_person = |line: &String| line.split_once(" V009 ").map(|(_, rest)| rest.split(" value").next().unwrap_or(rest).to_owned());
    // Two records of one person, the first after that of another; the files are in different encodings.
    let (first, second) = (MAIN.find("<ZAP>\n<N_ZAP>1").expect("there"), MAIN.find("<ZAP>\n<N_ZAP>2").expect("there"));
    let end = MAIN.find("</ZL_LIST>").expect("there");
    let again = MAIN[second..end].replace("<N_ZAP>2", "<N_ZAP>3").replace("<IDCASE>12", "<IDCASE>13");
    let main = format!("{}{}{}{again}{}", &MAIN[..first], &MAIN[second..end], &MAIN[first..second], &MAIN[end..]).replace("p-2", "п-2");
    let persons = edited(PERSONS, &[("p-2", "п-2"), ("<W>1", "<W>3"), ("<W>2", "<W>4"), ("windows-1251", "UTF-8")]);
    let nobody = "<PERS><ID_PAC>p-9</ID_PAC><FAM>Лишний</FAM><IM>Илья</IM><W>7</W><DR>1999-01-01</DR></PERS>\n</PERS_LIST>";
    let persons = edited(&persons, &[("</PERS_LIST>", nobody)]);
    for piece in [200, 1 << 20] {
        let files = [(MAIN_STEM, encoded(&main)), (PERSONS_STEM, persons.clone().into_bytes())].map(|(stem, bytes)| (format!("{stem}.xml"), bytes));
        let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
        let lines: Vec<String> = said(&files, &Config { piece, ..Config::on(today()) }).iter().filter_map(of_person).collect();
        assert_eq!(
            lines,
            ["persons PERS_LIST/PERS/W [1,,,,p-1]", "persons PERS_LIST/PERS/W [2,,,,п-2]", "persons PERS_LIST/PERS/W [,,,,p-9]"],
            "pieces of {piece}"
        );
    }
}

/// What the rules of these ids say of two persons, the second one with more elements; `books` is the folder of imported books.
/// Rule, file, N_ZAP and ID_PAC of a finding.
type Said = (String, FileRole, Option<Box<str>>, Option<Box<str>>);

fn said_of_persons(ids: &[&str], more: &str, books: Option<&Path>) -> Vec<Said> {
    let (files, mut catalog) = (RuleFiles::embedded(), Catalog::load(&RuleFiles::embedded()).expect("sound"));
    let rules = Rulebook::load(&files, books, &mut catalog, |id| ids.contains(&id)).expect("sound");
    let checker = Checker::new(&catalog, &DESK.formats).expect("sound").with_rules(&rules);
    let folder = tempfile::tempdir().expect("a folder");
    let main = edited(MAIN, &[("<YEAR>2019</YEAR><MONTH>3<", "<YEAR>2020</YEAR><MONTH>4<"), ("<DSCHET>2019-04-01", "<DSCHET>2020-05-01")]);
    let persons = edited(PERSONS, &[("<SNILS>000-000-000 00</SNILS>", more)]);
    for (stem, text) in [(MAIN_STEM, &main), (PERSONS_STEM, &persons)] {
        fs::write(folder.path().join(format!("{stem}.xml")), encoded(text)).expect("written");
    }
    let (mut found, mut partly) = (Vec::new(), Vec::new());
    let mut each = |report: PackageReport| {
        for finding in report.findings.iter()? {
            let finding = finding?;
            found.push((catalog.rule(finding.rule).id.clone(), finding.file, finding.keys.n_zap, finding.keys.id_pac));
        }
        partly.extend(report.not_executed.into_iter().filter(|n| n.partly).map(|n| (n.rule, n.book)));
        Ok(())
    };
    checker.validate(&[Input::named(folder.path())], &Config::on(today()), &Unwatched, &mut each).expect("temporary files work");
    let expected = if books.is_some() { Vec::new() } else { vec![Some("O002".to_owned()); ids.iter().filter(|id| id.starts_with("001F")).count()] };
    assert_eq!(partly.into_iter().map(|p| p.1).collect::<Vec<_>>(), expected, "{ids:?}");
    found.retain(|f| ids.contains(&f.0.as_str()));
    found
}

#[test]
fn what_a_federal_rule_finds_of_a_person_names_the_record() {
    let found = said_of_persons(&["004F.00.1700"], "<DOCTYPE>14</DOCTYPE><DOCSER>98Ж04</DOCSER>", None);
    assert_eq!(found, [("004F.00.1700".to_owned(), FileRole::Persons, Some("2".into()), Some("p-2".into()))]);
}

#[test]
fn a_territory_is_looked_up_by_its_region_until_the_whole_book_is_there() {
    let ids = ["001F.00.0730", "001F.00.0740"];
    let said = |okatog: &str, okatop: &str, books: Option<&Path>| -> Vec<String> {
        let found = said_of_persons(&ids, &format!("<OKATOG>{okatog}</OKATOG><OKATOP>{okatop}</OKATOP>"), books);
        found.into_iter().map(|f| f.0).collect()
    };
    // 00 and 02 are no regions; a district that does not exist passes as long as only regions are known.
    assert_eq!(said("98401000000", "98999000000", None), [""; 0]);
    assert_eq!(said("00401000000", "02401000000", None), ids);
    let folder = tempfile::tempdir().expect("a folder");
    let importer = Importer::new(&RuleFiles::embedded(), folder.path(), today()).expect("sound");
    let packet = "<packet><zglv><type>OKATO</type><version>1.0</version><date>01.01.2020</date></zglv>\
        <zap><TER>98</TER><KOD1>401</KOD1><KOD2>000</KOD2><KOD3>000</KOD3><NAME1>a</NAME1><DATEBEG>01.01.2011</DATEBEG><DATEEND/></zap>\
        <zap><TER>45</TER><KOD1>000</KOD1><KOD2>000</KOD2><KOD3>000</KOD3><NAME1>b</NAME1><DATEBEG>01.01.2011</DATEBEG><DATEEND/></zap></packet>";
    importer.take_bytes("O002.xml", "O002", packet.as_bytes(), &ImportOptions::default()).expect("a book");
    assert_eq!(said("98401000000", "45000000000", Some(folder.path())), [""; 0]);
    assert_eq!(said("98401000000", "98999000000", Some(folder.path())), [ids[1]]);
    assert_eq!(said("00401000000", "45999000000", Some(folder.path())), ids);
}

#[test]
fn persons_are_joined() {
    let lines = said_of(&edited(MAIN, &[("<ID_PAC>p-2", "<ID_PAC>p-3")]), PERSONS);
    assert_eq!(
        lines.iter().map(|l| l.split_once(' ').expect("a place").1).collect::<Vec<_>>(),
        ["R008 persons PERS_LIST/PERS/ID_PAC [,,,,p-2] value=p-2", "R007 main ZL_LIST/ZAP/PACIENT/ID_PAC [2,,,,p-3] value=p-3",]
    );
    // One person may have several records; a leading zero makes another key.
    assert_eq!(said_of(&edited(MAIN, &[("<ID_PAC>p-2", "<ID_PAC>p-1")]), PERSONS).len(), 1);
    let numbers =
        |zero: &str| said_of(&edited(MAIN, &[("<ID_PAC>p-2", "<ID_PAC>42")]), &edited(PERSONS, &[("<ID_PAC>p-2", &format!("<ID_PAC>{zero}42"))])).len();
    assert_eq!((numbers(""), numbers("0")), (0, 2));
    // Whoever cannot be read is not joined.
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join(format!("{MAIN_STEM}.xml")), encoded(&edited(MAIN, &[("<PR_NOV>0</PR_NOV>", "")]))).expect("written");
    fs::write(folder.path().join(format!("{PERSONS_STEM}.xml")), encoded(&PERSONS[..PERSONS.find("-01-31").expect("it stands there")])).expect("written");
    let all = validate(folder.path(), &Config::on(today()));
    let skipped: Vec<(&str, &str)> = all[0].report.not_executed.iter().map(|n| (n.rule.as_str(), n.reason.en.as_str())).collect();
    assert_eq!(skipped, [("R007", "the file ends early: element DR is not closed"), ("R008", "the file ends early: element DR is not closed")]);
}
