//! Decides which findings count: options take precedence over `puomp.toml`, and that over the overlay of a region.

use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum as _;
use glob::Pattern;
use toml::Spanned;

use super::Failure;
use super::flags::ControlArgs;
use super::session::Session;
use super::settings::{self, Name, Origin, Source, Valued, Word};
use crate::finding::policy::{Baseline, Level, Names, Policy, Suppression, Verdict};
use crate::finding::{Catalog, Mends};
use crate::flk::PackageReport;
use crate::report::Hidden;
use crate::sys::open_input;
use crate::tables::{Merging, Region, RuleFiles, Touched};
use crate::texts::{ErrorClass, Key};
use crate::values::Date;

/// A setting about findings that is in force: its key, and its value with the origin.
pub(super) type ToldSetting = (String, Valued<String>);

/// All settings about findings, after the sources were merged.
pub(super) struct Wishes {
    /// The settings as `puomp config` shows them.
    pub(super) told: Vec<ToldSetting>,
    select: Vec<String>,
    ignore: Vec<String>,
    levels: Vec<(String, Level)>,
    suppressions: Vec<Suppression>,
    baseline: Option<PathBuf>,
}

struct Resolver<'r> {
    session: &'r Session<'r>,
    ids: &'r [String],
    told: Vec<ToldSetting>,
}

impl Resolver<'_> {
    fn tell(&mut self, key: &str, value: impl Into<String>, origin: Origin) {
        self.told.push((key.to_owned(), Valued { value: value.into(), origin }));
    }

    fn mistake(&self, key: Key, slots: &[(&'static str, &str)]) -> Failure {
        Failure::said(ErrorClass::Usage, key, slots)
    }

    fn known(&self, id: &str, place: &str) -> Result<(), Failure> {
        known(self.ids, id, place)
    }

    /// A list of ids: the one of the command line, else the one of the first source that has it.
    fn list(
        &mut self,
        name: Name,
        typed: &[String],
        sources: &[&Source],
        choose: fn(&Source) -> Option<&Vec<Spanned<String>>>,
    ) -> Result<Vec<String>, Failure> {
        if !typed.is_empty() {
            typed.iter().try_for_each(|id| self.known(id, name.flag))?;
            self.tell(name.key, typed.join(", "), Origin::Flag(name.flag));
            return Ok(typed.to_vec());
        }
        for source in sources {
            let Some(list) = choose(source) else { continue };
            let mut ids = Vec::new();
            for id in list {
                self.known(id.get_ref(), &source.place(id.span().start))?;
                ids.push(id.get_ref().clone());
            }
            let place = list.first().map_or_else(|| source.name.clone(), |id| source.place(id.span().start));
            self.tell(name.key, ids.join(", "), Origin::File(place));
            return Ok(ids);
        }
        Ok(Vec::new())
    }

    fn levels(&mut self, typed: &[String], sources: &[&Source]) -> Result<Vec<(String, Level)>, Failure> {
        let Name { key, flag, .. } = settings::SEVERITY;
        let mut levels = Vec::new();
        for source in sources.iter().rev() {
            for (id, word) in &source.document.severity {
                let place = source.place(word.span().start);
                self.known(id, &place)?;
                self.tell(&format!("{key} {id}"), word.get_ref().as_str(), Origin::File(place));
                levels.push((id.clone(), word.get_ref().level()));
            }
        }
        for text in typed {
            let word = text.split_once('=').and_then(|(id, word)| Some((id, Word::from_str(word, true).ok()?)));
            let Some((id, word)) = word else { return Err(Failure::Value(text.clone(), "ID=error|warning|info|off".to_owned())) };
            self.known(id, flag)?;
            self.tell(&format!("{key} {id}"), word.as_str(), Origin::Flag(flag));
            levels.push((id.to_owned(), word.level()));
        }
        Ok(levels)
    }

    fn suppressions(&mut self, source: &Source) -> Result<Vec<Suppression>, Failure> {
        let mut all = Vec::new();
        for entry in &source.document.suppress {
            let place = source.place(entry.span().start);
            let row = entry.get_ref();
            self.known(&row.rule, &place)?;
            if row.reason.trim().is_empty() {
                return Err(self.mistake(Key::ConfigNoReason, &[("place", &place), ("id", &row.rule)]));
            }
            let until = Date::parse(&row.until).ok_or_else(|| self.mistake(Key::ConfigBadDate, &[("place", &place), ("value", &row.until)]))?;
            let file = row.file.as_deref().map(Pattern::new).transpose();
            let file = file.map_err(|e| Failure::Pattern(row.file.clone().unwrap_or_default(), e.to_string()))?;
            self.tell(&format!("suppress {}", row.rule), format!("{until}: {}", row.reason), Origin::File(place));
            all.push(Suppression {
                rule: row.rule.clone(),
                reason: row.reason.clone(),
                until,
                file,
                element: row.element.clone(),
                idcase: row.idcase.clone(),
                n_zap: row.n_zap.clone(),
            });
        }
        Ok(all)
    }

    /// The settings of the region, which it tells; `None` if no region is in force, or it has none.
    fn region(&mut self) -> Result<Option<Source>, Failure> {
        let Some(Merging { code, name, tables, .. }) = self.session.files.region().map(Region::merging) else { return Ok(None) };
        let origin = self.session.settings.region().map_or(Origin::Default, |said| said.origin);
        self.tell(settings::REGION.key, format!("{code} {name}").trim(), origin);
        for Touched { table, changed, added } in tables {
            let (changed, added) = (changed.to_string(), added.to_string());
            let ui = self.session.ui;
            let said = ui.texts.fill(Key::ConfigRegionTable, ui.lang, &[("changed", &changed), ("added", &added)]);
            self.tell(&table, said, Origin::File(format!("rules/regions/{code}/{table}")));
        }
        of_region(self.session.files)
    }
}

/// Fails unless the id of some rule begins with `id`. The error names `place`.
fn known(ids: &[String], id: &str, place: &str) -> Result<(), Failure> {
    if !id.is_empty() && ids.iter().any(|known| known.starts_with(id)) {
        return Ok(());
    }
    let common = |a: &str| a.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
    let best = ids.iter().map(|known| common(known)).max().unwrap_or(0);
    let near: Vec<&str> = ids.iter().filter(|known| best > 0 && common(known) == best).take(3).map(String::as_str).collect();
    let near = if near.is_empty() { "006F, 001F.00.0270, S001".to_owned() } else { near.join(", ") };
    Err(Failure::said(ErrorClass::Usage, Key::ConfigUnknownId, &[("place", place), ("id", id), ("near", &near)]))
}

/// The settings of the region; `None` if no region is in force, or it has none.
fn of_region(files: &RuleFiles) -> Result<Option<Source>, Failure> {
    let Some(Merging { code, .. }) = files.region().map(Region::merging) else { return Ok(None) };
    let table = Region::settings(&code);
    match files.text(&table) {
        Ok(text) => Source::read(format!("rules/{table}"), text.into_owned()).map(Some),
        Err(_) => Ok(None),
    }
}

/// Reads the settings of the region, if one is in force, and looks up the rules that they name.
pub(super) fn prove_region(files: &RuleFiles) -> Result<(), Failure> {
    let Some(source) = of_region(files)? else { return Ok(()) };
    let document = &source.document;
    let listed = [&document.select, &document.ignore].into_iter().flatten().flatten().map(|id| (id.get_ref(), id.span().start));
    let named: Vec<(&String, usize)> = listed.chain(document.severity.iter().map(|(id, word)| (id, word.span().start))).collect();
    if named.is_empty() {
        return Ok(());
    }
    let ids = known_ids(files)?;
    named.into_iter().try_for_each(|(id, at)| known(&ids, id, &source.place(at)))
}

/// Merges the settings: options go before the file, the file before the region.
pub(super) fn resolve(args: &ControlArgs, session: &Session<'_>) -> Result<Wishes, Failure> {
    let ids = known_ids(session.files)?;
    let mut to = Resolver { session, ids: &ids, told: Vec::new() };
    let own = session.settings.file();
    let region = to.region()?;
    let sources: Vec<&Source> = own.into_iter().chain(&region).collect();
    let select = to.list(settings::SELECT, &args.select, &sources, |s| s.document.select.as_ref())?;
    let ignore = to.list(settings::IGNORE, &args.ignore, &sources, |s| s.document.ignore.as_ref())?;
    let levels = to.levels(&args.severity, &sources)?;
    let suppressions = own.map(|source| to.suppressions(source)).transpose()?.unwrap_or_default();
    let baseline = session.settings.baseline(args.baseline.as_deref());
    if let Some(Valued { value, origin }) = &baseline {
        to.tell(settings::BASELINE.key, value.display().to_string(), origin.clone());
    }
    Ok(Wishes { told: to.told, select, ignore, levels, suppressions, baseline: baseline.map(|b| b.value) })
}

/// The policy that decides which findings count. A missing baseline counts as empty only if this run writes it.
pub(super) fn policy(args: &ControlArgs, session: &Session<'_>) -> Result<Policy, Failure> {
    let ControlArgs { select, ignore, severity, baseline, write_baseline, mendable } = args;
    let menders = menders(mendable, session)?;
    let typed = !(select.is_empty() && ignore.is_empty() && severity.is_empty()) || session.files.region().is_some() || baseline.is_some();
    if session.settings.file().is_none() && !typed {
        return Ok(Policy::default().mendable(menders));
    }
    let Wishes { select, ignore, levels, suppressions, baseline, .. } = resolve(args, session)?;
    let policy = Policy::new(select, ignore, levels, suppressions, session.today()).mendable(menders);
    match baseline {
        Some(path) => Ok(match read_baseline(&path, write_baseline.as_deref() == Some(&path))? {
            Some(baseline) => policy.with_baseline(baseline),
            None => policy,
        }),
        None => Ok(policy),
    }
}

/// Who is meant by the words of `--mendable`.
fn menders(words: &[String], session: &Session<'_>) -> Result<Vec<Mends>, Failure> {
    let (texts, lang) = (session.ui.texts, session.ui.lang);
    let words_of = |mends: Mends| format!("{} ({})", mends.as_str(), mends.name(texts, lang));
    let known = || Mends::ALL.map(words_of).join(", ");
    words.iter().map(|word| Mends::called(word, texts).ok_or_else(|| Failure::Value(word.clone(), known()))).collect()
}

/// Removes findings that do not count from a report. Packages must come in the same order in every run, so that a baseline is used up
/// in the same way.
pub(super) fn judge(hidden: &mut Hidden, package: &mut PackageReport, control: &Policy, baseline: Option<&mut Baseline>, catalog: &Catalog) -> io::Result<()> {
    let main = package.main.clone().unwrap_or_else(|| package.path.clone());
    if let Some(baseline) = baseline {
        for finding in package.findings.iter()? {
            let finding = finding?;
            baseline.add(&finding, catalog.rule(finding.rule), &main);
        }
    }
    if !control.is_in_force() || package.findings.is_empty() {
        return Ok(());
    }
    let mut findings = std::mem::take(&mut package.findings);
    // What follows from a rule that does not run stands on its own.
    let off: Vec<_> = findings.followers().keys().copied().filter(|cause| !control.runs(&catalog.rule(*cause).id)).collect();
    if !off.is_empty() {
        findings.change(|finding| finding.follows_from = finding.follows_from.filter(|cause| !off.contains(cause)))?;
    }
    findings.retain(|finding| {
        let names = Names { file: Some(package.file_name(finding.file)), package: &main };
        match control.judge(finding, catalog.rule(finding.rule), names) {
            Verdict::Keep => return true,
            Verdict::Suppressed => hidden.suppressed += 1,
            Verdict::Baseline => hidden.baseline += 1,
            Verdict::Off => hidden.off += 1,
            Verdict::Others => hidden.others += 1,
        }
        false
    })?;
    package.findings = findings;
    package.judge(catalog);
    Ok(())
}

/// A baseline; `None` for one that is not there and may be missing.
fn read_baseline(path: &Path, may_miss: bool) -> Result<Option<Baseline>, Failure> {
    let text = match open_input(path).and_then(io::read_to_string) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && may_miss => return Ok(None),
        text => text.map_err(|e| Failure::Read(path.to_owned(), e))?,
    };
    let baseline = Baseline::parse(&text).map_err(|line| {
        let place = format!("{}:{line}", path.display());
        Failure::said(ErrorClass::Usage, Key::ConfigBadBaseline, &[("place", &place)])
    })?;
    Ok(Some(baseline))
}

/// Ids of every rule there is, structural and federal.
fn known_ids(files: &RuleFiles) -> Result<Vec<String>, Failure> {
    let structural = crate::finding::Catalog::load(files)?;
    let mut ids: Vec<String> = structural.rules().map(|(_, rule)| rule.id.clone()).collect();
    ids.extend(crate::rules::rows(files)?.into_iter().map(|row| row.id));
    ids.dedup();
    Ok(ids)
}
