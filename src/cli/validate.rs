//! `puomp validate`: runs the format-logic control (ФЛК) on packages.

use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::{Args, ValueEnum};

use super::control::judge;
use super::flags::ControlArgs;
use super::inputs::inputs;
use super::out::Target;
use super::protocols::Protocols;
use super::say::say;
use super::session::Session;
use super::tools::Tools;
use super::workspace::loaded;
use super::{Exit, Failure, stop};
use crate::finding::policy::Baseline;
use crate::finding::{Catalog, Check};
use crate::flk::{self, PackageReport};
use crate::report::book::{FindingsBook, Sheets};
use crate::report::columns::Columns;
use crate::report::csv::Csv;
use crate::report::flk::{Flk, Protocol};
use crate::report::html::Html;
use crate::report::human::{Human, Options};
use crate::report::json::Json;
use crate::report::jsonl::Jsonl;
use crate::report::junit::Junit;
use crate::report::sarif::Sarif;
use crate::report::{Ending, Hidden, Report, RuleSet, Tally};
use crate::sys::Access;
use crate::tables::Region;
use crate::texts::{ErrorClass, Key, Lang};
use crate::timings::{self, Phase};
use crate::watch::Watch as _;

/// Arguments of `puomp validate`.
#[derive(Debug, Args)]
pub(super) struct ValidateArgs {
    /// Files, folders, wildcards, `-`; without them what the workspace holds.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Format of the result.
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: FormatArg,
    /// Where the result goes instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Folder for the official protocols.
    #[arg(long, value_name = "DIR")]
    protocol_dir: Option<PathBuf>,
    /// Letter that decides how protocols are named: V, P or F.
    #[arg(long, value_name = "LETTER")]
    protocol_letter: Option<char>,
    /// Options about which findings count.
    #[command(flatten)]
    control: ControlArgs,
    /// Only findings that these can mend.
    #[arg(long, value_name = "WHO", value_delimiter = ',')]
    mendable: Vec<String>,
    /// A table by rule instead of the findings.
    #[arg(long, conflicts_with = "full")]
    summary: bool,
    /// Number of places shown for each rule.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// All places with their source.
    #[arg(long)]
    full: bool,
    /// Show personal data as they are.
    #[arg(long)]
    show_personal: bool,
    /// No durations in the result.
    #[arg(long)]
    no_timing: bool,
    /// Show how long each phase took.
    #[arg(long, conflicts_with = "no_timing")]
    timings: bool,
    /// Exit code 0 whatever was found.
    #[arg(long)]
    exit_zero: bool,
}

/// The values of `--format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// For people.
    Human,
    /// One document.
    Json,
    /// One finding a line.
    Jsonl,
    /// For Excel.
    Csv,
    /// A workbook of Excel.
    Xlsx,
    /// A page for a browser.
    Html,
    /// For build systems and editors.
    Sarif,
    /// Test results for build systems.
    Junit,
    /// The official protocol.
    Flk,
}

impl ValidateArgs {
    pub(super) fn inputs(&self) -> Vec<&Path> {
        self.paths.iter().map(PathBuf::as_path).collect()
    }

    pub(super) fn first_path(&self) -> Option<&Path> {
        self.paths.first().map(PathBuf::as_path)
    }

    pub(super) fn run(&self, session: &Session<'_>) -> Result<Exit, Failure> {
        let begun = Instant::now();
        let Session { files, ui, .. } = *session;
        if self.format == FormatArg::Xlsx && self.output.is_none() && io::stdout().is_terminal() {
            return Err(Failure::said(ErrorClass::Usage, Key::BookNeedsFile, &[]));
        }
        let inputs = if self.paths.is_empty() { loaded(session)? } else { inputs(&self.paths)? };
        let (rules, protocol, columns, sheets) = (RuleSet::load(files)?, Protocol::load(files)?, Columns::load(files)?, Sheets::load(files)?);
        let control = ControlArgs { mendable: self.mendable.clone(), ..self.control.clone() };
        let tools = Tools::load(session, &control)?;
        let (catalog, control) = (&tools.catalog, &tools.control);
        if !ui.quiet {
            control.expired().iter().for_each(|s| {
                say(&ui.texts.fill(Key::ControlExpired, ui.lang, &[("id", &s.rule), ("until", &s.until.to_string()), ("reason", &s.reason)]));
            });
        }
        let naming = protocol.naming(self.protocol_letter).ok_or_else(|| self.unknown_letter(&protocol))?;
        let protocol_dir = session.settings.protocol_dir(self.protocol_dir.as_deref()).map(|folder| folder.value);
        let mut protocols = match &protocol_dir {
            Some(folder) => Some(Protocols::new(folder, &protocol, catalog, naming)?),
            None => None,
        };
        let checker = tools.checker()?;
        let bar = ui.bar().timed(self.timings);
        // Protocols, and results for which the user asked for it, hold values of personal elements: other users must not read them.
        let access = if self.show_personal || self.format == FormatArg::Flk { Access::Private } else { Access::Default };
        let mut target = Target::new(self.output.as_deref(), access, Some(&bar))?;
        // On the screen it is said already.
        if let Some(line) = session.unheeded().filter(|_| self.format == FormatArg::Human && self.output.is_some()) {
            writeln!(target, "{line}")?;
        }
        let mut tally = Tally::default();
        let mut hidden = Hidden::default();
        // A protocol has no place for what is no error.
        let mut untold: Vec<String> = Vec::new();
        let mut baseline = self.control.write_baseline.as_ref().map(|_| Baseline::default());
        {
            let out = &mut target;
            let mut report: Box<dyn Report + Send + '_> = match self.format {
                FormatArg::Human => Box::new(Human::new(out, catalog, &tools.formats, ui.texts, self.options(session))),
                FormatArg::Json => Box::new(Json::new(out, &rules, catalog, self.show_personal)?),
                FormatArg::Jsonl => Box::new(Jsonl::new(out, &rules, catalog, self.show_personal)),
                FormatArg::Csv => Box::new(Csv::new(out, &columns, ui.texts, ui.lang, catalog, self.show_personal)?),
                FormatArg::Xlsx => Box::new(FindingsBook::new(out, &sheets, ui.texts, ui.lang, catalog, self.show_personal)?),
                FormatArg::Html => Box::new(Html::new(out, &rules, ui.texts, ui.lang, catalog, self.show_personal)),
                FormatArg::Sarif => Box::new(Sarif::new(out, &rules, catalog, self.show_personal)?),
                FormatArg::Junit => Box::new(Junit::new(out, catalog, self.show_personal)?),
                FormatArg::Flk => Box::new(Flk::new(out, &protocol, catalog, naming)),
            };
            let mut failure = None;
            let untold = &mut untold;
            let run = checker.validate(&inputs, &flk::Config::on(session.today()), &bar, &mut |mut package| {
                judge(&mut hidden, &mut package, control, baseline.as_mut(), catalog)?;
                tally.add(&package, catalog);
                let _report = timings::span(bar.timings(), Phase::Report);
                if let Some(protocols) = &mut protocols
                    && let Err(error) = protocols.replace(&package)
                {
                    failure = Some(error);
                    return Err(io::Error::other("a protocol cannot be written"));
                }
                if self.format == FormatArg::Flk {
                    untold.extend(without_rules(&package, catalog, ui.lang)?);
                }
                report.package(&package)
            });
            bar.done();
            if let Some(failure) = failure {
                return Err(failure);
            }
            run?;
            if let Some(protocols) = &mut protocols {
                protocols.settle()?;
            }
            stop::at_once()?;
            if tally.packages == 0 {
                return Err(Failure::Nothing);
            }
            hidden.gone = control.gone();
            let written = protocols.as_ref().map(|p| (p.folder(), p.count()));
            let ending = Ending {
                tally: &tally,
                seconds: (!self.no_timing).then(|| begun.elapsed().as_secs_f64()),
                protocols: written,
                protocol: protocols.as_ref().and_then(Protocols::only),
                code: self.exit(&tally).code(),
                hidden: control.is_in_force().then_some(hidden),
                timings: bar.timings(),
            };
            let _report = timings::span(bar.timings(), Phase::Report);
            report.finish(&ending)?;
        }
        target.commit()?;
        untold.iter().for_each(|line| say(line));
        if let (Some(path), Some(baseline)) = (&self.control.write_baseline, &baseline) {
            baseline.write(path).map_err(|error| Failure::Write(path.clone(), error))?;
        }
        if !matches!(self.format, FormatArg::Json | FormatArg::Jsonl) {
            super::timings::tell(bar.timings(), ui);
        }
        let exit = self.exit(&tally);
        std::mem::forget(checker);
        tools.leave();
        Ok(exit)
    }

    fn options(&self, session: &Session<'_>) -> Options {
        let ui = session.ui;
        Options {
            lang: ui.lang,
            limit: session.settings.limit(self.limit).value,
            full: self.full,
            summary: self.summary,
            show_personal: self.show_personal,
            quiet: ui.quiet,
            style: ui.style(self.output.is_some()),
            region: session.files.region().map(Region::merging),
            folders: self.paths.iter().filter(|p| p.is_dir()).cloned().collect(),
        }
    }

    /// The exit code. Unreadable packages count as errors, but if no package at all could be read, the code is `Input`.
    fn exit(&self, tally: &Tally) -> Exit {
        match () {
            () if self.exit_zero => Exit::Done,
            () if tally.all_rejected() => Exit::Input,
            () if tally.errors > 0 => Exit::Findings,
            () => Exit::Done,
        }
    }

    fn unknown_letter(&self, protocol: &Protocol) -> Failure {
        let letters: Vec<String> = protocol.letters().map(String::from).collect();
        Failure::Value(self.protocol_letter.map_or_else(String::new, String::from), letters.join(", "))
    }
}

/// What is said of a package that is older than the rule book: that no federal rule was run.
fn without_rules(package: &PackageReport, catalog: &Catalog, lang: Lang) -> io::Result<Vec<String>> {
    let mut lines = Vec::new();
    for finding in package.findings.iter()? {
        let finding = finding?;
        let rule = catalog.rule(finding.rule);
        if rule.check == Some(Check::BeforeRules) {
            lines.push(format!("{}: {}", package.path, finding.message(rule, lang)));
        }
    }
    Ok(lines)
}
