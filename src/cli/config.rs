//! `puomp.toml`, the region's overlay and the options: one setting after another, and where each comes from.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use glob::Pattern;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::args::{Cli, Shape};
use super::ui::Ui;
use super::{Exit, Failure, nsi, print, when};
use crate::finding::policy::{Baseline, Level, Policy, Suppression};
use crate::tables::RuleFiles;
use crate::texts::{Key, Severity};
use crate::values::Date;

/// Name of the file, looked for in the folder of the first path and in those around it.
const NAME: &str = "puomp.toml";

/// A weight as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum Word {
    /// Refuses.
    Error,
    /// Does not stop acceptance.
    Warning,
    /// Worth knowing.
    Info,
    /// Does not run.
    Off,
}

impl Word {
    fn level(self) -> Level {
        match self {
            Self::Error => Level::As(Severity::Error),
            Self::Warning => Level::As(Severity::Warning),
            Self::Info => Level::As(Severity::Info),
            Self::Off => Level::Off,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Off => "off",
        }
    }
}

/// What `puomp.toml` may hold. A region's overlay holds `name`, `select`, `ignore` and `severity`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Document {
    name: Option<String>,
    region: Option<Spanned<String>>,
    select: Option<Vec<Spanned<String>>>,
    ignore: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    severity: BTreeMap<String, Spanned<Word>>,
    #[serde(default)]
    suppress: Vec<Spanned<Suppress>>,
    baseline: Option<PathBuf>,
    books: Option<PathBuf>,
    rules: Option<PathBuf>,
    protocol_dir: Option<PathBuf>,
    limit: Option<u64>,
    store: Option<String>,
    role: Option<String>,
}

/// A finding that somebody takes upon himself.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Suppress {
    rule: String,
    reason: String,
    until: String,
    file: Option<String>,
    element: Option<String>,
    idcase: Option<String>,
    n_zap: Option<String>,
}

/// A document with its text, so that a mistake can be shown by its line.
#[derive(Debug, Default)]
struct Source {
    /// As messages name it.
    name: String,
    text: String,
    document: Document,
}

impl Source {
    fn read(name: String, text: String) -> Result<Self, Failure> {
        let document = toml::from_str(&text).map_err(|e: toml::de::Error| Failure::Verb(format!("{name}: {}", e.to_string().trim_end()), Exit::Usage))?;
        Ok(Self { name, text, document })
    }

    /// `puomp.toml:3` of a place in the text.
    fn place(&self, offset: usize) -> String {
        let line = self.text.get(..offset).map_or(0, |before| before.matches('\n').count()) + 1;
        format!("{}:{line}", self.name)
    }
}

/// The configuration file, if there is one.
#[derive(Debug, Default)]
pub(super) struct Config {
    source: Option<Source>,
    folder: PathBuf,
}

impl Config {
    /// Finds and reads the file: that of `--config`, else the nearest one upward from a path; none with `--no-config`.
    pub(super) fn load(cli: &Cli, from: Option<&Path>) -> Result<Self, Failure> {
        let here = std::env::current_dir().unwrap_or_default();
        let path = match &cli.config {
            _ if cli.no_config => None,
            Some(path) => Some(path.clone()),
            None => {
                let start = from.filter(|p| p.exists()).map_or_else(|| here.clone(), |p| here.join(p));
                start.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file())
            }
        };
        let Some(path) = path else { return Ok(Self::default()) };
        let text = fs::read_to_string(&path).map_err(|e| Failure::Read(path.clone(), e))?;
        let shown = path.strip_prefix(&here).unwrap_or(&path).display().to_string();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        Ok(Self { source: Some(Source::read(shown, text)?), folder })
    }

    /// A path of the file counts from the file's own folder.
    fn path(&self, choose: impl Fn(&Document) -> &Option<PathBuf>) -> Option<PathBuf> {
        self.source.as_ref().and_then(|s| choose(&s.document).as_ref()).map(|p| self.folder.join(p))
    }

    /// The folder of rule tables.
    pub(super) fn rules(&self) -> Option<PathBuf> {
        self.path(|d| &d.rules)
    }

    /// The folder of books.
    pub(super) fn books(&self) -> Option<PathBuf> {
        self.path(|d| &d.books)
    }

    /// The folder of protocols.
    pub(super) fn protocol_dir(&self) -> Option<PathBuf> {
        self.path(|d| &d.protocol_dir)
    }

    /// Address of the workspace's store.
    pub(super) fn store(&self) -> Option<String> {
        self.source.as_ref().and_then(|s| s.document.store.clone())
    }

    /// The role in which the user acts.
    pub(super) fn role(&self) -> Option<String> {
        self.source.as_ref().and_then(|s| s.document.role.clone())
    }

    /// Places shown for a rule.
    pub(super) fn limit(&self) -> Option<u64> {
        self.source.as_ref().and_then(|s| s.document.limit)
    }
}

/// Which findings count, as typed.
#[derive(Debug, Default, Clone, Args)]
pub(super) struct ControlArgs {
    /// Only these rules.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    select: Vec<String>,
    /// All but these rules.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    ignore: Vec<String>,
    /// Weight of rules.
    #[arg(long, value_name = "ID=LEVEL", value_delimiter = ',')]
    severity: Vec<String>,
    /// Overlay of a region.
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// What was found before.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Where what was found is kept.
    #[arg(long, value_name = "FILE")]
    pub(super) write_baseline: Option<PathBuf>,
}

/// A setting in force, for `puomp config`.
#[derive(Debug, Serialize)]
struct Setting {
    key: String,
    value: String,
    origin: String,
}

/// All wishes about findings, resolved.
struct Resolved {
    settings: Vec<Setting>,
    select: Vec<String>,
    ignore: Vec<String>,
    levels: Vec<(String, Level)>,
    suppressions: Vec<Suppression>,
    baseline: Option<PathBuf>,
}

struct Resolver<'r> {
    ids: &'r [String],
    ui: &'r Ui<'r>,
    settings: Vec<Setting>,
}

impl Resolver<'_> {
    fn set(&mut self, key: &str, value: impl Into<String>, origin: &str) {
        self.settings.push(Setting { key: key.to_owned(), value: value.into(), origin: origin.to_owned() });
    }

    fn mistake(&self, key: Key, slots: &[(&str, &str)]) -> Failure {
        Failure::Verb(self.ui.texts.fill(key, self.ui.lang, slots), Exit::Usage)
    }

    /// An id or its beginning that some rule has.
    fn known(&self, id: &str, place: &str) -> Result<(), Failure> {
        if !id.is_empty() && self.ids.iter().any(|known| known.starts_with(id)) {
            return Ok(());
        }
        let common = |a: &str| a.bytes().zip(id.bytes()).take_while(|(a, b)| a == b).count();
        let best = self.ids.iter().map(|known| common(known)).max().unwrap_or(0);
        let near: Vec<&str> = self.ids.iter().filter(|known| best > 0 && common(known) == best).take(3).map(String::as_str).collect();
        let near = if near.is_empty() { "006F, 001F.00.0270, S001".to_owned() } else { near.join(", ") };
        Err(self.mistake(Key::ConfigUnknownId, &[("place", place), ("id", id), ("near", &near)]))
    }

    /// A list of ids: the first of the sources that has one.
    fn list(
        &mut self,
        key: &str,
        typed: &[String],
        sources: &[&Source],
        choose: fn(&Document) -> Option<&Vec<Spanned<String>>>,
    ) -> Result<Vec<String>, Failure> {
        if !typed.is_empty() {
            let option = format!("--{key}");
            typed.iter().try_for_each(|id| self.known(id, &option))?;
            self.set(key, typed.join(", "), &option);
            return Ok(typed.to_vec());
        }
        for source in sources {
            let Some(list) = choose(&source.document) else { continue };
            let mut ids = Vec::new();
            for id in list {
                self.known(id.get_ref(), &source.place(id.span().start))?;
                ids.push(id.get_ref().clone());
            }
            let origin = list.first().map_or_else(|| source.name.clone(), |id| source.place(id.span().start));
            self.set(key, ids.join(", "), &origin);
            return Ok(ids);
        }
        Ok(Vec::new())
    }

    fn levels(&mut self, typed: &[String], sources: &[&Source]) -> Result<Vec<(String, Level)>, Failure> {
        let mut levels = Vec::new();
        for source in sources.iter().rev() {
            for (id, word) in &source.document.severity {
                let place = source.place(word.span().start);
                self.known(id, &place)?;
                self.set(&format!("severity {id}"), word.get_ref().as_str(), &place);
                levels.push((id.clone(), word.get_ref().level()));
            }
        }
        for text in typed {
            let word = text.split_once('=').and_then(|(id, word)| Some((id, Word::from_str(word, true).ok()?)));
            let Some((id, word)) = word else { return Err(Failure::Value(text.clone(), "ID=error|warning|info|off".to_owned())) };
            self.known(id, "--severity")?;
            self.set(&format!("severity {id}"), word.as_str(), "--severity");
            levels.push((id.to_owned(), word.level()));
        }
        Ok(levels)
    }

    fn suppressions(&mut self, sources: &[&Source]) -> Result<Vec<Suppression>, Failure> {
        let mut all = Vec::new();
        for source in sources {
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
                self.set(&format!("suppress {}", row.rule), format!("{until}: {}", row.reason), &place);
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
        }
        Ok(all)
    }
}

impl ControlArgs {
    /// Options before the file, the file before the region.
    fn resolve(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Resolved, Failure> {
        let ids = known_ids(files)?;
        let mut to = Resolver { ids: &ids, ui, settings: Vec::new() };
        let own = config.source.as_ref();
        let region = self.region.clone().map(|code| (code, "--region".to_owned()));
        let region = region.or_else(|| own.and_then(|s| s.document.region.as_ref().map(|r| (r.get_ref().clone(), s.place(r.span().start)))));
        let overlay = match region {
            Some((code, origin)) => Some(overlay(&code, &origin, files, &mut to)?),
            None => None,
        };
        let sources: Vec<&Source> = own.into_iter().chain(&overlay).collect();
        let select = to.list("select", &self.select, &sources, |d| d.select.as_ref())?;
        let ignore = to.list("ignore", &self.ignore, &sources, |d| d.ignore.as_ref())?;
        let levels = to.levels(&self.severity, &sources)?;
        let suppressions = to.suppressions(&own.into_iter().collect::<Vec<_>>())?;
        let baseline = self.baseline.clone().map(|p| (p, "--baseline".to_owned()));
        let baseline = baseline.or_else(|| config.path(|d| &d.baseline).zip(own.map(|s| s.name.clone())));
        if let Some((path, origin)) = &baseline {
            to.set("baseline", path.display().to_string(), origin);
        }
        Ok(Resolved { settings: to.settings, select, ignore, levels, suppressions, baseline: baseline.map(|(p, _)| p) })
    }

    /// What decides which findings count. A baseline that is not there yet holds nothing only if this run writes it.
    pub(super) fn control(&self, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Policy, Failure> {
        let of_config = config.source.is_some();
        let of_options = !(self.select.is_empty() && self.ignore.is_empty() && self.severity.is_empty()) || self.region.is_some() || self.baseline.is_some();
        if !of_config && !of_options {
            return Ok(Policy::default());
        }
        let Resolved { select, ignore, levels, suppressions, baseline, .. } = self.resolve(config, files, ui)?;
        let control = Policy::new(select, ignore, levels, suppressions, when::today());
        let Some(path) = baseline else { return Ok(control) };
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.write_baseline.as_deref() == Some(&path) => return Ok(control),
            text => text.map_err(|e| Failure::Read(path.clone(), e))?,
        };
        let baseline = Baseline::parse(&text).map_err(|line| {
            let place = format!("{}:{line}", path.display());
            Failure::Verb(ui.texts.fill(Key::ConfigBadBaseline, ui.lang, &[("place", &place)]), Exit::Usage)
        })?;
        Ok(control.with_baseline(baseline))
    }
}

fn overlay(code: &str, origin: &str, files: &RuleFiles, to: &mut Resolver<'_>) -> Result<Source, Failure> {
    let table = format!("regions/{code}.toml");
    let fits = !code.is_empty() && code.bytes().all(|b| b.is_ascii_digit());
    let text = fits.then(|| files.text(&table).ok()).flatten();
    let text = text.ok_or_else(|| to.mistake(Key::ConfigNoRegion, &[("place", origin), ("code", code), ("known", &files.names("regions/").join(", "))]))?;
    let source = Source::read(format!("rules/{table}"), text.into_owned())?;
    let name = source.document.name.clone().unwrap_or_default();
    to.set("region", format!("{code} {name}").trim(), origin);
    Ok(source)
}

/// Ids of every rule there is, structural and federal.
fn known_ids(files: &RuleFiles) -> Result<Vec<String>, Failure> {
    let structural = crate::finding::Catalog::load(files)?;
    let mut ids: Vec<String> = structural.rules().map(|(_, rule)| rule.id.clone()).collect();
    ids.extend(crate::rules::rows(files)?.into_iter().map(|row| row.id));
    ids.dedup();
    Ok(ids)
}

/// Arguments of `puomp config`.
#[derive(Debug, Args)]
pub(super) struct ConfigArgs {
    /// From where the file is looked for.
    #[arg(value_name = "PATH")]
    pub(super) path: Option<PathBuf>,
    /// Form of the answer.
    #[arg(long, value_enum, default_value_t)]
    format: Shape,
}

#[derive(Serialize)]
struct Body {
    settings: Vec<Setting>,
}

impl ConfigArgs {
    /// Prints what is in force and where each value comes from.
    pub(super) fn run(&self, cli: &Cli, config: &Config, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
        let mut settings = ControlArgs::default().resolve(config, files, ui)?.settings;
        let built_in = ui.texts.get(Key::ConfigBuiltIn, ui.lang);
        let own = config.source.as_ref().map_or("", |s| s.name.as_str());
        let mut add = |key: &str, value: Option<String>, origin: &str| {
            settings.push(Setting { key: key.to_owned(), value: value.unwrap_or_default(), origin: origin.to_owned() })
        };
        add("config", Some(own.to_owned()).filter(|n| !n.is_empty()), if cli.config.is_some() { "--config" } else { built_in });
        let shown = |path: Option<PathBuf>| path.map(|p| p.display().to_string());
        // What the command line and the environment said went before the file when the program started.
        let origin = |typed: bool, of_file: bool, option: &'static str| {
            if typed && !of_file {
                option
            } else if of_file {
                own
            } else {
                built_in
            }
        };
        let rules_of_file = config.rules().is_some() && cli.rules == config.rules();
        add("rules", shown(cli.rules.clone()), origin(cli.rules.is_some(), rules_of_file, "--rules, PUOMP_RULES"));
        let books_of_file = config.books().is_some() && cli.books == config.books();
        add("books", shown(nsi::folder(cli)), origin(cli.books.is_some() || std::env::var_os("PUOMP_BOOKS").is_some(), books_of_file, "--books, PUOMP_BOOKS"));
        add("protocol-dir", shown(config.protocol_dir()), if config.protocol_dir().is_some() { own } else { built_in });
        // The address may hold a password.
        add(
            "store",
            config.store().map(|url| url.split_once('@').map_or(url.clone(), |(_, host)| format!("…@{host}"))),
            if config.store().is_some() { own } else { built_in },
        );
        add("role", config.role(), if config.role().is_some() { own } else { built_in });
        add("limit", Some(config.limit().unwrap_or(super::validate::LIMIT).to_string()), if config.limit().is_some() { own } else { built_in });
        add(
            "lang",
            Some(if ui.lang == crate::texts::Lang::Ru { "ru" } else { "en" }.to_owned()),
            if cli.lang.is_some() { "--lang" } else { "PUOMP_LANG, LANG" },
        );
        match self.format {
            Shape::Json => nsi::json(&Body { settings })?,
            Shape::Human => {
                let head: Vec<String> = ui.texts.get(Key::ConfigHead, ui.lang).split('|').map(str::to_owned).collect();
                let row = |s: &Setting| vec![s.key.clone(), if s.value.is_empty() { "—".to_owned() } else { s.value.clone() }, s.origin.clone()];
                let table: Vec<Vec<String>> = std::iter::once(head).chain(settings.iter().map(row)).collect();
                print(&nsi::columns(&table))?;
            }
        }
        Ok(Exit::Done)
    }
}
