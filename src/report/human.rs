//! The report for people: one line for each package, findings grouped by rule with their first places, and advice.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use super::draw::Style;
use super::draw::draw;
use super::foot::Foot;
use super::group::{Group, MAX_VALUE, Ruled, Shared, by_rule, clip, clip_to, fill_common};
use super::summary::Summary;
use super::window::{Masks, Window, fetch};
use super::{Ending, Report, shown, tidy};
use crate::finding::{Catalog, Fact, FileRole, Finding, Place, Rule, mask_numbers, shown_value};
use crate::flk::{Applied, PackageReport, Verdict};
use crate::registry::format::{Formats, PERSONS, Role};
use crate::tables::{Merging, Touched, Weighing};
use crate::texts::layout::hang;
use crate::texts::{Key, Lang, Severity, Texts};
use crate::values::Date;

/// Most findings of a package for which every shown place gets a window.
const FEW: u64 = 5;
/// Most windows of a package, which are held in memory; each group of findings gets at least three.
const MAX_WINDOWS: usize = 1000;
/// Most elements shown for a rule.
const MAX_ELEMENTS: usize = 10;
/// Most columns before the text of a rule for it to go on below itself.
const MAX_BEFORE: usize = 36;
/// Characters of a line of the screen.
const LINE: usize = 80;

/// Windows by file and offset.
type Windows = BTreeMap<(FileRole, u64), Window>;

/// Options of the report.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Language of the texts.
    pub lang: Lang,
    /// Most places shown for a rule and element.
    pub limit: u64,
    /// Whether to show all places, each with a window.
    pub full: bool,
    /// Whether to show personal values unmasked.
    pub show_personal: bool,
    /// Whether to write a table by rule instead of the findings.
    pub summary: bool,
    /// Whether to write only one line for each package with findings.
    pub quiet: bool,
    /// Abilities of the terminal.
    pub style: Style,
    /// The region whose tables are merged over the federal ones.
    pub region: Option<Merging>,
    /// Folders that the user named. With a single one, packages are shown by their paths below it.
    pub folders: Vec<PathBuf>,
}

/// Writes the human report.
#[derive(Debug)]
pub struct Human<'a, W> {
    out: W,
    catalog: &'a Catalog,
    texts: &'a Texts,
    options: Options,
    masks: Masks,
    /// Names of the record keys in the format (N_ZAP, IDCASE, …).
    keys: [String; 5],
    /// Name of the card's number in the format (NHISTORY).
    card: String,
    /// Beginning of the paths in person files, to recognise findings about a person.
    persons: Option<String>,
    /// Whether it has been said that personal values are masked.
    masked: bool,
    summary: Summary,
    /// Whether the edition of the rules has been said.
    said: bool,
}

impl<'a, W: Write> Human<'a, W> {
    /// Begins the report.
    pub fn new(out: W, catalog: &'a Catalog, formats: &'a Formats, texts: &'a Texts, options: Options) -> Self {
        let name = |role| formats.names_of_role(role).first().copied().unwrap_or("").to_owned();
        let (keys, card) = ([Role::NZap, Role::IdCase, Role::SlId, Role::IdServ, Role::IdPac].map(name), name(Role::History));
        let persons = formats.editions(PERSONS).last().map(|f| format!("{}/", f.node(f.root()).name));
        Self {
            out,
            persons,
            catalog,
            texts,
            masks: Masks::new(formats, options.show_personal),
            options,
            keys,
            card,
            masked: false,
            summary: Summary::default(),
            said: false,
        }
    }

    fn text(&self, key: Key, slots: &[(&str, &str)]) -> String {
        self.texts.fill(key, self.options.lang, slots)
    }

    /// Writes a line that fits a console; the lines in which it goes on are indented by `further`.
    fn line(&mut self, line: &str, further: usize) -> io::Result<()> {
        let mut lines = String::new();
        hang(&mut lines, line, further);
        self.out.write_all(lines.as_bytes())
    }

    fn head(&self, report: &PackageReport) -> String {
        let lang = self.options.lang;
        let mut parts = Vec::new();
        if let Some(family) = report.family {
            parts.push(format!("{family} {}", report.edition.as_deref().unwrap_or("")).trim_end().to_owned());
        }
        parts.extend(report.period.map(|p| self.texts.month(lang, p)));
        if let Some(payer) = report.account.payer.as_deref().filter(|p| !p.is_empty()) {
            // The register of insurers (F002) has codes of five digits.
            let key = if payer.len() == 5 { Key::PackageSmo } else { Key::PackagePayer };
            parts.push(self.text(key, &[("code", &clip(&shown_value(payer, false)))]));
        }
        if report.family.is_some() && report.main.is_some() {
            parts.push(self.texts.count(Key::CountCase, lang, report.cases));
            parts.extend(report.sum_kopecks.map(|sum| self.texts.money(lang, sum)));
        }
        let state = match report.verdict {
            Verdict::Clean => self.paint(GREEN, self.texts.get(Key::PackageClean, lang)),
            Verdict::Rejected => self.paint(RED, self.texts.get(Key::PackageRejected, lang)),
            Verdict::Warnings | Verdict::Errors => String::new(),
        };
        if !state.is_empty() {
            parts.push(state);
        }
        // Of a file that is no package nothing but its name is known.
        format!("{}   {}", self.paint(BOLD, &tidy(&self.name(report))), parts.join(" · ")).trim_end().to_owned()
    }

    /// The path below the only folder that the user named, otherwise the path as given.
    fn name(&self, report: &PackageReport) -> String {
        let path = Path::new(&report.path);
        let below = match self.options.folders.as_slice() {
            [folder] => path.strip_prefix(folder).ok().filter(|p| !p.as_os_str().is_empty()),
            _ => None,
        };
        below.unwrap_or(path).display().to_string()
    }

    fn one_line(&mut self, report: &PackageReport) -> io::Result<()> {
        let counts = self.counts(|severity| report.count(self.catalog, severity));
        if !counts.is_empty() {
            let rejected =
                if report.verdict == Verdict::Rejected { format!(" · {}", self.texts.get(Key::PackageRejected, self.options.lang)) } else { String::new() };
            let line = format!("{}: {counts}{rejected}", tidy(&self.name(report)));
            self.line(&line, 2)?;
        }
        Ok(())
    }

    /// Counts by severity: «4 ошибки, 1 предупреждение»; empty when all are zero.
    fn counts(&self, of: impl Fn(Severity) -> u64) -> String {
        let all = [Severity::Error, Severity::Warning, Severity::Info].map(|s| (s, of(s)));
        let some = all.into_iter().filter(|(_, n)| *n > 0).map(|(s, n)| self.texts.count_severity(s, self.options.lang, n));
        some.collect::<Vec<_>>().join(", ")
    }

    fn rules(&mut self, report: &PackageReport) -> io::Result<()> {
        let limit = if self.options.full { u64::MAX } else { self.options.limit };
        let rules = by_rule(&report.findings, self.catalog, limit, self.options.show_personal, self.options.full)?;
        let windows = if self.options.full || report.findings.len() <= FEW { self.windows(report, &rules)? } else { BTreeMap::new() };
        let times = |r: &Ruled| {
            let severity = self.texts.severity(self.catalog.rule(r.rule).severity, self.options.lang);
            self.text(Key::GroupTimes, &[("severity", severity), ("count", &self.texts.number(self.options.lang, r.count))])
        };
        let times: Vec<String> = rules.iter().map(times).collect();
        let wide = |texts: &mut dyn Iterator<Item = usize>| texts.max().unwrap_or(0);
        let id_width = wide(&mut rules.iter().map(|r| self.catalog.rule(r.rule).id.chars().count()));
        let times_width = wide(&mut times.iter().map(|t| t.chars().count()));
        for (ruled, times) in rules.iter().zip(&times) {
            let rule = self.catalog.rule(ruled.rule);
            let color = match rule.severity {
                Severity::Error => RED,
                Severity::Warning => YELLOW,
                Severity::Info => CYAN,
            };
            let id = self.paint(BOLD, &format!("{:id_width$}", rule.id));
            let times = self.paint(color, &format!("{times:times_width$}"));
            let text = fill_common(rule.text.get(self.options.lang), &ruled.shared);
            let text = match ruled.follows {
                Some(cause) => self.text(Key::GroupFollows, &[("rule", &self.catalog.rule(cause).id), ("text", &text)]),
                None => text,
            };
            // Long texts go on below the text, unless little room is left there.
            let before = 2 + id_width + 2 + times_width + 3;
            self.line(&format!("  {id}  {times}   {}", tidy(&text)), if before <= MAX_BEFORE { before } else { 6 })?;
            match ruled.elements.as_slice() {
                [group] => self.places(report, group, rule, &windows, 6)?,
                groups => self.elements(report, groups, ruled, &windows)?,
            }
            let advice = fill_common(rule.advice.get(self.options.lang), &ruled.shared);
            let advice = self.text(Key::Advice, &[("text", &advice)]);
            let advice = self.paint(CYAN, &advice);
            self.line(&format!("      {advice}"), 8)?;
            if let Some(count) = report.findings.followers().get(&ruled.rule).filter(|_| !self.options.full) {
                let count = self.texts.number(self.options.lang, *count);
                self.line(&format!("      {}", self.text(Key::GroupFollowers, &[("count", &count)])), 8)?;
            }
        }
        Ok(())
    }

    /// Writes the elements at which a rule has findings, each with its first places.
    fn elements(&mut self, report: &PackageReport, groups: &[Group], ruled: &Ruled, windows: &Windows) -> io::Result<()> {
        // A user who wants no places sees the headline only.
        let shown = match self.options.limit {
            _ if self.options.full => groups.len(),
            0 => return Ok(()),
            _ => groups.len().min(MAX_ELEMENTS),
        };
        let rule = self.catalog.rule(ruled.rule);
        let text = rule.text.get(self.options.lang);
        let nameless = |shared: &Shared| fill_common(text, &shared.nameless());
        let headline = nameless(&ruled.shared);
        for group in &groups[..shown] {
            let name = match group.path.rsplit('/').take(2).collect::<Vec<_>>().as_slice() {
                _ if group.others => self.texts.get(Key::GroupOther, self.options.lang).to_owned(),
                // The rule's text shows what this group's findings have in common and the other groups do not.
                _ if nameless(&group.shared) != headline => fill_common(text, &group.shared),
                [element, parent] if self.options.show_personal => format!("{parent}/{element}"),
                [element, parent] => mask_numbers(&format!("{parent}/{element}")).into_owned(),
                _ => group.path.to_string(),
            };
            let count = self.texts.number(self.options.lang, group.count);
            let line = self.text(Key::GroupElement, &[("element", &clip(&name)), ("count", &count)]);
            self.line(&format!("      {}", tidy(&line)), 8)?;
            self.places(report, group, rule, windows, 8)?;
        }
        if shown < groups.len() {
            let more = self.texts.number(self.options.lang, (groups.len() - shown) as u64);
            writeln!(self.out, "      {}", self.text(Key::GroupMore, &[("count", &more)]))?;
        }
        Ok(())
    }

    fn places(&mut self, report: &PackageReport, group: &Group, rule: &Rule, windows: &Windows, indent: usize) -> io::Result<()> {
        for finding in group.places.iter()? {
            let finding = finding?;
            let is_masked = finding.personal && finding.value.is_some() && !self.options.show_personal;
            let finding = shown(finding, self.options.show_personal);
            let line = self.place(report, &finding, group, rule, LINE - indent);
            if !line.is_empty() {
                self.line(&format!("{:indent$}{}", "", tidy(&line)), indent + 2)?;
            }
            if let Some(window) = windows.get(&(finding.file, finding.place.offset)).filter(|_| finding.place.line > 0) {
                for line in draw(window, self.options.style).lines() {
                    writeln!(self.out, "{:indent$}{}", "", line.trim_end())?;
                }
            }
            if is_masked && !std::mem::replace(&mut self.masked, true) {
                let note = self.text(Key::TotalMasked, &[]);
                self.line(&format!("{:indent$}{note}", ""), indent + 2)?;
            }
        }
        let more = group.count - group.places.len();
        // A user who wants no places is not told about further ones.
        if more > 0 && self.options.limit > 0 {
            let more = self.text(Key::PlaceMore, &[("count", &self.texts.number(self.options.lang, more))]);
            writeln!(self.out, "{:indent$}{more}", "")?;
        }
        Ok(())
    }

    /// The place of a finding, and its details unless the headline of the group already contains them.
    fn place(&self, report: &PackageReport, finding: &Finding, group: &Group, rule: &Rule, width: usize) -> String {
        let mut parts = Vec::new();
        if finding.file != FileRole::Main && (finding.file == FileRole::Persons || group.count > 1) || finding.place.line == 0 && finding.file == FileRole::Main
        {
            parts.push(report.file_name(finding.file).to_owned());
        }
        if finding.place.line > 0 {
            let (line, column) = (finding.place.line.to_string(), finding.place.column.to_string());
            parts.push(self.text(Key::PlaceLine, &[("line", &line), ("column", &column)]));
        }
        let k = &finding.keys;
        // The person's key adds nothing when the record has a number.
        let of_person = self.persons.as_deref().is_some_and(|root| finding.path.starts_with(root));
        let id_pac = k.id_pac.as_deref().filter(|_| k.n_zap.is_none() || of_person);
        let keys = [k.n_zap.as_deref(), k.idcase.as_deref(), k.sl_id.as_deref(), k.idserv.as_deref(), id_pac];
        parts.extend(self.keys.iter().zip(keys).filter_map(|(name, value)| value.map(|v| format!("{name} {}", clip(v)))));
        let mut place = parts.join(", ");
        let hint = finding.hint.as_deref().map(|hint| hint.get(self.options.lang));
        let detail = if group.others || group.shared.expected.differs() || group.shared.found.differs() {
            clip_to(&finding.message(rule, self.options.lang), 3 * MAX_VALUE)
        } else if group.shared.value.differs() {
            let value = format!("{} {}", finding.element(), finding.value.as_deref().map_or_else(String::new, clip));
            [Some(value.trim()), hint].into_iter().flatten().collect::<Vec<_>>().join("; ")
        } else {
            hint.unwrap_or_default().to_owned()
        };
        // Users search by the card, but the line shall not be broken for it.
        if let Some(card) = finding.fact(Fact::Card) {
            let longer = format!("{place}, {} {}", self.card, clip(card));
            if longer.chars().count() + detail.chars().count() + 2 <= width {
                place = longer;
            }
        }
        if place.is_empty() || detail.is_empty() { place + &detail } else { format!("{place}: {detail}") }
    }

    /// The windows of the places to be shown, read in one pass over each file.
    fn windows(&mut self, report: &PackageReport, rules: &[Ruled]) -> io::Result<Windows> {
        let mut places: BTreeMap<(FileRole, u64), Place> = BTreeMap::new();
        let groups: Vec<&Group> = rules.iter().flat_map(|r| &r.elements).collect();
        // Every group gets a share, so that the first rule does not use up all windows.
        let share = (MAX_WINDOWS / groups.len().max(1)).max(3);
        let mut complete = true;
        for group in groups {
            let mut replay = group.places.iter()?;
            let mut taken = 0;
            while let Some(view) = replay.next_view()? {
                if view.place.line > 0 {
                    if taken == share {
                        complete = false;
                        break;
                    }
                    taken += 1;
                    places.insert((view.file, view.place.offset), view.place);
                }
            }
        }
        let mut windows = BTreeMap::new();
        for (role, source) in [(FileRole::Persons, &report.persons_source), (FileRole::Main, &report.main_source)] {
            let wanted: Vec<Place> = places.iter().filter(|((r, _), _)| *r == role).map(|(_, p)| *p).collect();
            let (Some((source, coding)), false) = (source, wanted.is_empty()) else { continue };
            match fetch(source, *coding, &wanted, &self.masks) {
                Ok(found) => windows.extend(wanted.iter().zip(found).filter_map(|(p, w)| w.map(|w| ((role, p.offset), w)))),
                Err(_) => writeln!(self.out, "  {}", self.text(Key::WindowsNone, &[]))?,
            }
        }
        if !complete {
            let count = self.texts.number(self.options.lang, share as u64);
            writeln!(self.out, "  {}", self.text(Key::WindowsFirst, &[("count", &count)]))?;
        }
        Ok(windows)
    }

    fn paint(&self, code: &str, text: &str) -> String {
        if self.options.style.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Writes the edition of the rule book, once before the first package.
    fn edition(&mut self, applied: &Applied) -> io::Result<()> {
        let Some(edition) = applied.edition.as_ref().filter(|_| !std::mem::replace(&mut self.said, true)) else { return Ok(()) };
        let date = self.day_of(&edition.date);
        let line = self.text(Key::ReportRules, &[("book", &edition.book), ("edition", edition.number(self.texts, self.options.lang)), ("date", &date)]);
        self.line(&line, 2)?;
        self.region_lines().into_iter().try_for_each(|line| self.line(&line, 2))
    }

    /// What the region changes, if one is in force.
    fn region_lines(&self) -> Vec<String> {
        let Some(Merging { code, name, tables, weighing }) = &self.options.region else { return Vec::new() };
        let sum = |count: fn(&Touched) -> u64| tables.iter().map(count).sum::<u64>().to_string();
        let (changed, added) = (sum(|table| table.changed), sum(|table| table.added));
        let region = format!("{code} {name}");
        let mut lines = vec![self.text(Key::ReportRegion, &[("region", region.trim()), ("changed", &changed), ("added", &added)])];
        let Weighing { select, ignore, severity } = weighing;
        let severity: Vec<String> = severity.iter().map(|(rule, word)| format!("{rule} {word}")).collect();
        let lists = [(Key::ReportRegionSelect, select), (Key::ReportRegionIgnore, ignore), (Key::ReportRegionSeverity, &severity)];
        lines.extend(lists.into_iter().filter(|(_, list)| !list.is_empty()).map(|(key, list)| self.text(key, &[("list", &list.join(", "))])));
        lines
    }

    fn day_of(&self, text: &str) -> String {
        Date::parse(text).map_or_else(|| text.to_owned(), |day| self.texts.day(self.options.lang, day))
    }
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
const CYAN: &str = "36";

impl<W: Write> Report for Human<'_, W> {
    fn package(&mut self, report: &PackageReport) -> io::Result<()> {
        if self.options.quiet {
            return self.one_line(report);
        }
        if let Some(applied) = &report.applied {
            self.edition(applied)?;
        }
        if self.options.summary {
            return self.summary.add(&report.findings, self.catalog, self.options.show_personal);
        }
        let head = self.head(report);
        self.line(&head, 4)?;
        self.rules(report)
    }

    fn finish(&mut self, ending: &Ending<'_>) -> io::Result<()> {
        if !self.options.quiet {
            let foot = Foot { texts: self.texts, lang: self.options.lang, ending };
            let mut lines = vec![foot.totals(self.catalog)];
            lines.extend(foot.hidden());
            if self.options.summary {
                let table = self.summary.table(self.catalog, self.texts, self.options.lang);
                self.out.write_all(table.as_bytes())?;
                lines.extend(foot.by_mender(self.catalog));
                lines.extend(foot.idle());
                lines.extend(foot.age());
            } else {
                lines.extend(foot.not_checked());
            }
            lines.extend(foot.protocols());
            for line in lines {
                self.line(&line, 2)?;
            }
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{self, Desk};
    use super::*;
    use crate::registry::encoding::Coding;
    use crate::registry::source::{DiskFile, Source};

    fn write(desk: &Desk, packages: &[PackageReport], options: Options) -> String {
        let mut out = Vec::new();
        let mut report = Human::new(&mut out, &desk.catalog, &desk.formats, &desk.texts, options);
        desk.run(&mut report, packages, None);
        String::from_utf8(out).expect("UTF-8").replace('\u{a0}', " ")
    }

    fn options() -> Options {
        Options { limit: 3, folders: vec!["выгрузка".into()], ..Options::default() }
    }

    #[test]
    fn grouped_by_rule_with_the_first_places() {
        let desk = Desk::new();
        insta::assert_snapshot!(write(&desk, &[samples::mixed(&desk), samples::clean(), samples::damaged(&desk)], options()));
    }

    #[test]
    fn a_thousand_findings_of_one_rule_are_one_headline() {
        let desk = Desk::new();
        let mut report = samples::clean();
        report.verdict = Verdict::Errors;
        for n in 0..1000 {
            let finding = samples::finding(&desk, "order", &format!("ZL_LIST/ZAP/E{}", n % 40));
            report.findings.push(Finding { found: Some(format!("F{}", n % 40).into()), ..finding }).expect("pushed");
        }
        let short = write(&desk, &[report], options());
        let headlines: Vec<&str> = short.lines().filter(|l| l.contains("S005")).collect();
        assert_eq!(headlines, ["  S005  ошибка × 1 000   нарушен порядок: … стоит после …"]);
        assert!(short.contains("      нарушен порядок: E3 стоит после F3 × 25\n        строка 41:7\n"), "{short}");
        assert!(short.contains("      ещё элементов 30: --full\n      что делать: ") && short.lines().count() < 60, "{short}");
    }

    #[test]
    fn in_english_with_all_places() {
        let desk = Desk::new();
        let options = Options { lang: Lang::En, full: true, show_personal: true, ..options() };
        insta::assert_snapshot!(write(&desk, &[samples::mixed(&desk), samples::clean()], options));
    }

    #[test]
    fn quiet_says_nothing_of_clean_packages() {
        let desk = Desk::new();
        let options = || Options { quiet: true, ..options() };
        assert_eq!(write(&desk, &[samples::clean()], options()), "");
        let expected = "HM140001S14002_2103.zip: 10 ошибок, 1 предупреждение\nбитый архив.zip: 1 ошибка · файл не прочитан до конца\n";
        assert_eq!(write(&desk, &[samples::mixed(&desk), samples::clean(), samples::damaged(&desk)], options()), expected);
    }

    #[test]
    fn few_findings_open_a_window_that_hides_names() {
        let desk = Desk::new();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("L.xml");
        let text = "<PERS>\n <ID_PAC>7</ID_PAC>\n <FAM>Zanozin</FAM>\n <IM>Egor</IM>\n <W>3</W>\n</PERS>\n";
        std::fs::write(&path, text).expect("written");
        let mut report = samples::clean();
        report.verdict = Verdict::Errors;
        report.persons_source = Some((Source::File(DiskFile::at(path)), Coding::Windows1251));
        let place = Place { offset: text.find("<W>").expect("there") as u64, line: 5, column: 2 };
        let finding = samples::finding(&desk, "not-in-list", "PERS_LIST/PERS/W");
        report.findings.push(Finding { file: FileRole::Persons, place, value: Some("3".into()), expected: Some("1 2".into()), ..finding }).expect("pushed");
        let text = write(&desk, &[report], options());
        assert!(!text.contains("Zanozin") && !text.contains("Egor"));
        insta::assert_snapshot!(text);
    }

    #[test]
    fn colours_only_on_request() {
        let desk = Desk::new();
        assert!(!write(&desk, &[samples::mixed(&desk)], options()).contains('\u{1b}'));
        let options = Options { style: Style { color: true, ascii: false }, ..options() };
        assert!(write(&desk, &[samples::mixed(&desk)], options).contains("\u{1b}[31m"));
    }
}
