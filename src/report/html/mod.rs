//! `--format html`: one page with totals, pictures, and a table that is filtered and sorted in the browser.
//!
//! The page is `page.html` with `page.css` and `page.js` in it; the data are JSON in script elements that no browser runs. Rows arrive package by
//! package and wait in a temporary file, because the counts stand before them in the page.

mod data;

use std::io::{self, Seek as _, SeekFrom, Write};

use serde::Serialize;
use tempfile::SpooledTempFile;

use super::book::in_general;
use super::counts::{Count, Counts, Doctors};
use super::wire::TOOL;
use super::{Ending, Report, RuleSet, Tally, shown, tidy};
use crate::finding::{Catalog, Fact, Finding};
use crate::flk::{PackageReport, Verdict};
use crate::texts::{Key, Lang, Severity, Texts};
use crate::values::Date;
use data::{MOST, Rows, element};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// Bytes of rows that are kept in memory.
const IN_MEMORY: usize = 4 << 20;

/// Texts of the page, by the names under which the script asks for them.
const TEXTS: &[(&str, Key)] = &[
    ("list", Key::PageList),
    ("search", Key::PageSearch),
    ("search-in", Key::PageSearchIn),
    ("severity", Key::PageSeverity),
    ("rule", Key::PageRule),
    ("what", Key::PageWhat),
    ("record", Key::PageRecord),
    ("case", Key::PageCase),
    ("card", Key::PageCard),
    ("doctor", Key::PageDoctor),
    ("unit", Key::PageUnit),
    ("profile", Key::PageProfile),
    ("days", Key::PageDays),
    ("place", Key::PagePlace),
    ("file", Key::PageFile),
    ("element", Key::PageElement),
    ("value", Key::PageValue),
    ("advice", Key::PageAdvice),
    ("more", Key::PageMore),
    ("all", Key::PageAll),
    ("absent", Key::PageAbsent),
    ("reset", Key::PageReset),
    ("sort", Key::PageSort),
    ("count", Key::PageCount),
    ("cut", Key::PageCut),
    ("none", Key::PageNone),
    ("keys", Key::PageKeys),
    ("line", Key::PlaceLine),
    ("printed", Key::PagePrinted),
    ("others", Key::PageOthers),
    ("packages", Key::PagePackages),
    ("packages-cut", Key::PagePackagesCut),
    ("package", Key::PagePackage),
    ("cases", Key::PageCases),
    ("errors", Key::PageErrors),
    ("warnings", Key::PageWarnings),
    ("infos", Key::PageInfos),
    ("unread", Key::PackageRejected),
    ("by-rule", Key::PageByRule),
    ("by-unit", Key::PageByUnit),
    ("by-doctor", Key::PageByDoctor),
    ("error", Key::SeverityError),
    ("warning", Key::SeverityWarning),
    ("info", Key::SeverityInfo),
];

/// What the page holds besides its rows.
#[derive(Serialize)]
struct Data<'a> {
    lang: &'a str,
    texts: std::collections::BTreeMap<&'static str, &'a str>,
    meta: Vec<String>,
    /// The word for a total with its number, the number, and the severity that it is of.
    totals: Vec<(String, u64, &'static str)>,
    rows: u64,
    all: u64,
    lines: u32,
    severities: [u64; 3],
    packages: &'a [OfPackage],
    packages_all: usize,
    /// Id, severity (0 to 2), text, advice, count, and the text without values.
    rules: Vec<(&'a str, u8, &'a str, &'a str, i64, String)>,
    kinds: &'a [data::Kind],
    files: &'a [String],
    doctors: &'a [String],
    doctor_sizes: Vec<i64>,
    units: &'a [String],
    unit_sizes: Vec<i64>,
    profiles: &'a [String],
    days: &'a [String],
}

/// Most packages that the page lists: those with the most errors.
const PACKAGES: usize = 200;

/// A package: its path, cases, findings by severity (error, warning, info), and whether it could not be read to its end.
#[derive(Debug, Serialize)]
struct OfPackage(String, u64, u64, u64, u64, bool);

/// Writes the page.
#[derive(Debug)]
pub struct Html<'a, W> {
    out: W,
    rules: &'a RuleSet,
    catalog: &'a Catalog,
    texts: &'a Texts,
    lang: Lang,
    show_personal: bool,
    rows: Rows,
    doctors: Doctors,
    counts: Counts,
    packages: Vec<OfPackage>,
    waiting: io::BufWriter<SpooledTempFile>,
}

impl<'a, W: Write> Html<'a, W> {
    /// Begins the page.
    pub fn new(out: W, rules: &'a RuleSet, texts: &'a Texts, lang: Lang, catalog: &'a Catalog, show_personal: bool) -> Self {
        let waiting = io::BufWriter::new(tempfile::spooled_tempfile(IN_MEMORY));
        let (rows, doctors, counts) = (Rows::default(), Doctors::new(show_personal), Counts::default());
        Self { out, rules, catalog, texts, lang, show_personal, rows, doctors, counts, packages: Vec::new(), waiting }
    }

    fn finding(&mut self, finding: Finding, report: &PackageReport) -> io::Result<()> {
        let doctor = finding.fact(Fact::Doctor).map(str::to_owned);
        let finding = shown(finding, self.show_personal);
        let label = doctor.as_deref().map_or("", |code| self.doctors.label(code));
        self.counts.finding(&finding, self.catalog, label);
        if self.rows.count < MOST {
            let (texts, lang) = (self.texts, self.lang);
            let day = |text: &str| Date::parse(text).map_or_else(|| text.to_owned(), |day| texts.day(lang, day));
            let unit = unit_name(finding.fact(Fact::Subdivision).unwrap_or_default(), finding.fact(Fact::Unit).unwrap_or_default());
            if let Some(part) = self.rows.add(&finding, report.file_name(finding.file), label, &unit, day) {
                self.waiting.write_all(part.as_bytes())?;
            }
        }
        Ok(())
    }

    /// The totals; those of severities are always there, but for notes.
    fn totals(&self, tally: &Tally) -> Vec<(String, u64, &'static str)> {
        let (texts, lang) = (self.texts, self.lang);
        // The page shows the number larger than its word.
        let word = |counted: &str, number: u64| counted.strip_prefix(&texts.number(lang, number)).unwrap_or(counted).trim_start().to_owned();
        let of = |severity: Severity| {
            let number = tally.of(severity);
            (word(&texts.count_severity(severity, lang, number), number), number, severity.as_str())
        };
        let counted = |key, number| (word(&texts.count(key, lang, number), number), number, "");
        let mut totals = vec![of(Severity::Error), of(Severity::Warning)];
        totals.extend((tally.infos > 0).then(|| of(Severity::Info)));
        totals.push(counted(Key::CountPackage, tally.packages));
        totals.extend((tally.rejected > 0).then(|| (texts.get(Key::PageRejected, lang).to_owned(), tally.rejected, "")));
        totals.push(counted(Key::CountCase, tally.cases));
        totals
    }

    /// The lines below the title: what made the page, and what it leaves out.
    fn meta(&self, ending: &Ending<'_>) -> Vec<String> {
        let (texts, lang) = (self.texts, self.lang);
        let mut meta = vec![format!("{} {}", TOOL.name(), TOOL.version())];
        let editions = self.rules.editions.iter().map(|e| {
            let date = Date::parse(&e.date).map_or_else(|| e.date.clone(), |day| texts.day(lang, day));
            texts.fill(Key::ReportRules, lang, &[("book", &e.book), ("edition", e.number(texts, lang)), ("date", &date)])
        });
        meta.extend(editions.take(1));
        let idle = ending.tally.not_executed.len() as u64;
        if idle > 0 {
            meta.push(texts.count(Key::CountRuleIdle, lang, idle));
        }
        let hidden = ending.hidden.map_or(0, |h| h.suppressed + h.baseline + h.off);
        if hidden > 0 {
            meta.push(texts.fill(Key::PageHidden, lang, &[("count", &texts.number(lang, hidden))]));
        }
        if !self.show_personal {
            meta.push(texts.get(Key::PageMasked, lang).to_owned());
        }
        meta
    }
}

/// What a unit is called: its subdivision and its department.
fn unit_name(subdivision: &str, unit: &str) -> String {
    [subdivision, unit].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A text as it stands in the markup of the page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn grade(severity: Severity) -> u8 {
    match severity {
        Severity::Info => 0,
        Severity::Warning => 1,
        Severity::Error => 2,
    }
}

impl<W: Write> Report for Html<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        self.counts.package(report.findings.counts());
        let of = |severity| report.count(self.catalog, severity);
        let (errors, warnings, infos) = (of(Severity::Error), of(Severity::Warning), of(Severity::Info));
        self.packages.push(OfPackage(tidy(&report.path).into_owned(), report.cases, errors, warnings, infos, report.verdict == Verdict::Rejected));
        for finding in report.findings.iter()? {
            let finding = finding?;
            // What follows from another finding goes with its cause.
            if finding.follows_from.is_none() {
                self.finding(finding, report)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        if let Some(part) = self.rows.part() {
            self.waiting.write_all(part.as_bytes())?;
        }
        for rule in self.counts.rules.keys() {
            self.rows.rule(*rule);
        }
        let (texts, lang, tally) = (self.texts, self.lang, ending.tally);
        let word = |key| texts.get(key, lang);
        let rules = self.rows.rules.iter().map(|ix| {
            let (rule, count) = (self.catalog.rule(*ix), self.counts.rules.get(ix).map_or(0, |of| of.findings));
            let text = rule.text.get(lang);
            (rule.id.as_str(), grade(rule.severity), text, rule.advice.get(lang), count, in_general(text))
        });
        let sizes = |names: &[String], of: &dyn Fn(&str) -> i64| names.iter().map(|name| of(name)).collect::<Vec<_>>();
        let mut by_unit: std::collections::BTreeMap<String, i64> = std::collections::BTreeMap::new();
        for ((subdivision, unit), count) in &self.counts.units {
            *by_unit.entry(unit_name(subdivision, unit)).or_default() += count.all();
        }
        let packages_all = self.packages.len();
        // Those with the most errors first, else in the order in which they were checked.
        self.packages.sort_by_key(|package| std::cmp::Reverse((package.5, package.2, package.3, package.4)));
        self.packages.truncate(PACKAGES);
        let data = Data {
            lang: match lang {
                Lang::Ru => "ru",
                Lang::En => "en",
            },
            texts: TEXTS.iter().map(|(name, key)| (*name, word(*key))).collect(),
            meta: self.meta(ending),
            totals: self.totals(ending.tally),
            rows: self.rows.count,
            all: tally.errors + tally.warnings + tally.infos,
            lines: self.rows.lines,
            severities: [tally.infos, tally.warnings, tally.errors],
            packages: &self.packages,
            packages_all,
            rules: rules.collect(),
            kinds: &self.rows.kinds,
            files: &self.rows.files.texts,
            doctors: &self.rows.doctors.texts,
            doctor_sizes: sizes(&self.rows.doctors.texts, &|name| self.counts.doctors.get(name).map_or(0, Count::all)),
            units: &self.rows.units.texts,
            unit_sizes: sizes(&self.rows.units.texts, &|name| by_unit.get(name).copied().unwrap_or(0)),
            profiles: &self.rows.profiles.texts,
            days: &self.rows.days.texts,
        };
        let (head, tail) = PAGE.split_once("@data@").unwrap_or((PAGE, ""));
        let filled = |part: &str| {
            let part = part.replace("@lang@", data.lang).replace("@title@", &escaped(word(Key::PageTitle)));
            part.replace("@noscript@", &escaped(word(Key::PageNoscript))).replace("@css@", STYLE).replace("@js@", SCRIPT)
        };
        self.out.write_all(filled(head).as_bytes())?;
        self.out.write_all(element("id=\"data\"", &data).as_bytes())?;
        self.waiting.flush()?;
        let waiting = self.waiting.get_mut();
        waiting.seek(SeekFrom::Start(0))?;
        io::copy(waiting, &mut self.out)?;
        self.out.write_all(filled(tail).as_bytes())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;

    fn page(packages: &[PackageReport], lang: Lang) -> String {
        let desk = Desk::new();
        let mut out = Vec::new();
        let mut report = Html::new(&mut out, &desk.rules, &desk.texts, lang, &desk.catalog, false);
        desk.run(&mut report, packages, None);
        drop(report);
        String::from_utf8(out).expect("UTF-8")
    }

    /// The JSON in the elements of a page, the first of which is not rows.
    fn parts(page: &str) -> Vec<serde_json::Value> {
        let elements = page.split("<script type=\"application/json\" ").skip(1);
        elements.map(|e| serde_json::from_str(e.split_once('>').expect("content").1.split("</script>").next().expect("an end")).expect("JSON")).collect()
    }

    #[test]
    fn the_rows_are_columns_that_the_page_can_unpack() {
        let desk = Desk::new();
        let page = page(&[samples::mixed(&desk), samples::damaged(&desk)], Lang::Ru);
        let [data, rows] = parts(&page).try_into().expect("data and one part of rows");
        let due = samples::mixed(&desk).findings.len() + 1;
        assert_eq!((data["rows"].as_u64(), data["all"].as_u64()), (Some(due), Some(due)));
        let columns = ["k", "l", "o", "v", "f"].map(|name| rows[name].as_array().expect(name).len() as u64);
        assert_eq!(columns, [due; 5]);
        let cases = rows["c"].as_str().expect("a text").matches('1').count();
        assert_eq!(["z", "i", "h", "d", "u", "p", "b", "e"].map(|name| rows[name].as_array().expect(name).len()), [cases; 8]);
        let lines: i64 = rows["l"].as_array().expect("lines").iter().filter_map(serde_json::Value::as_i64).sum();
        assert_eq!(lines, 0, "the last finding is about a file as a whole");
        let doctors = data["doctors"].as_array().expect("doctors");
        assert!(doctors.iter().any(|d| d == "…7161"), "{doctors:?}");
        assert_eq!(data["totals"][0], serde_json::json!(["ошибок", 11, "error"]));
        let counted: i64 = data["rules"].as_array().expect("rules").iter().filter_map(|rule| rule[4].as_i64()).sum();
        assert_eq!(counted as u64, due);
        assert!(!page.contains("Кириллов") && page.contains("********"));
        let listed = data["packages"].as_array().expect("packages");
        assert_eq!((listed[0][0].as_str(), &listed[0][5]), (Some("выгрузка/битый архив.zip"), &serde_json::json!(true)));
        let sums: Vec<u64> = (2..5).rev().map(|at| listed.iter().filter_map(|package| package[at].as_u64()).sum()).collect();
        assert_eq!((serde_json::json!(sums), listed.len()), (data["severities"].clone(), 2), "the findings of the packages are all findings");
        let titles = [Lang::Ru, Lang::En].map(|lang| self::page(&[samples::clean()], lang).contains("<html lang=\"ru\">"));
        assert_eq!(titles, [true, false]);
    }

    #[test]
    fn a_value_cannot_leave_its_element() {
        let desk = Desk::new();
        let mut report = samples::clean();
        let value = "</script><script>alert(1)</script><!--";
        let finding = Finding { value: Some(value.into()), ..samples::finding(&desk, "not-in-list", "ZL_LIST/ZAP/Z_SL/SL/DET") };
        report.findings.push(finding).expect("pushed");
        let page = page(&[report], Lang::En);
        assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
        assert!(!page.contains("alert(1)</script>") && parts(&page)[1]["v"][0] == value, "the value is whole, but no markup");
    }

    #[test]
    fn nothing_is_fetched_and_data_are_no_markup() {
        assert!(PAGE.contains("default-src 'none'"));
        for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "XMLHttpRequest", "import("] {
            assert!(!SCRIPT.contains(word), "{word}");
        }
        assert!(!STYLE.contains("url(") && !STYLE.contains("@import") && !PAGE.contains("src="));
    }
}
