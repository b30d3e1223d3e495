//! Reads `puomp.toml` and the settings of regions, and keeps the place of each value for messages.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;
use toml::Spanned;

use crate::cli::Failure;
use crate::finding::policy::Level;
use crate::sys::{self, open_input};
use crate::texts::{ErrorClass, Key, Severity};
use crate::workspace::FOLDER;

/// Name of the configuration file. It is searched for in the folder of the first path and upward.
const NAME: &str = "puomp.toml";

/// A severity as written in a file or an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(in crate::cli) enum Word {
    /// Findings of the rule lead to a refusal.
    Error,
    /// Findings of the rule do not prevent acceptance.
    Warning,
    /// Findings of the rule are for information only.
    Info,
    /// The rule does not run.
    Off,
}

impl Word {
    pub(in crate::cli) fn level(self) -> Level {
        match self {
            Self::Error => Level::As(Severity::Error),
            Self::Warning => Level::As(Severity::Warning),
            Self::Info => Level::As(Severity::Info),
            Self::Off => Level::Off,
        }
    }

    pub(in crate::cli) fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
            Self::Off => "off",
        }
    }
}

/// The content of `puomp.toml`. The settings of a region may have `name`, `select`, `ignore` and `severity` only.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Document {
    /// The name of a region; whoever reads the region's tables reads it.
    #[serde(rename = "name")]
    _name: Option<String>,
    pub(in crate::cli) region: Option<Spanned<String>>,
    pub(in crate::cli) select: Option<Vec<Spanned<String>>>,
    pub(in crate::cli) ignore: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(in crate::cli) severity: BTreeMap<String, Spanned<Word>>,
    #[serde(default)]
    pub(in crate::cli) suppress: Vec<Spanned<Suppress>>,
    pub(super) baseline: Option<PathBuf>,
    pub(super) books: Option<PathBuf>,
    pub(super) rules: Option<PathBuf>,
    pub(super) protocol_dir: Option<PathBuf>,
    pub(super) limit: Option<u64>,
    pub(super) store: Option<String>,
    pub(super) role: Option<String>,
    #[serde(rename = "time_zone", alias = "time-zone")]
    pub(super) time_zone: Option<String>,
}

/// A finding that the user has accepted, until a day and with a reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(in crate::cli) struct Suppress {
    pub(in crate::cli) rule: String,
    pub(in crate::cli) reason: String,
    pub(in crate::cli) until: String,
    pub(in crate::cli) file: Option<String>,
    pub(in crate::cli) element: Option<String>,
    pub(in crate::cli) idcase: Option<String>,
    pub(in crate::cli) n_zap: Option<String>,
}

/// A configuration file with its text, so that an error can name its line.
#[derive(Debug)]
pub(in crate::cli) struct Source {
    /// Keys that the file gives and that do not count, because the file was found and is not the user's own.
    pub(in crate::cli) unheeded: Vec<&'static str>,
    /// The name of the file in messages.
    pub(in crate::cli) name: String,
    /// The folder from which relative paths in the file count.
    folder: PathBuf,
    text: String,
    pub(in crate::cli) document: Document,
}

impl Document {
    /// Takes out the settings that decide whose tables and books are used, where data go and which checks count; returns their keys. Only
    /// the user's own file may give them: a folder of registries comes from anybody.
    fn take_own(&mut self) -> Vec<&'static str> {
        let Self { _name: _, region, limit: _, time_zone: _, select, ignore, severity, suppress, baseline, books, rules, protocol_dir, store, role } = self;
        let given = [
            (super::REGION.key, region.take().is_some()),
            (super::RULES.key, rules.take().is_some()),
            (super::BOOKS.key, books.take().is_some()),
            (super::STORE.key, store.take().is_some()),
            (super::ROLE.key, role.take().is_some()),
            (super::PROTOCOL_DIR.key, protocol_dir.take().is_some()),
            (super::BASELINE.key, baseline.take().is_some()),
            (super::SELECT.key, select.take().is_some()),
            (super::IGNORE.key, ignore.take().is_some()),
            (super::SEVERITY.key, !std::mem::take(severity).is_empty()),
            ("suppress", !std::mem::take(suppress).is_empty()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(key, _)| key).collect()
    }
}

/// Whether a `puomp.toml` that was found in a folder is the user's own: it lies in the folder in which he works or around it, and not among
/// the inputs, unless the folder is a workspace.
fn is_own(folder: &Path, here: &Path, inputs: &[&Path]) -> bool {
    let real = |path: &Path| sys::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = real(folder);
    if !real(here).starts_with(&folder) {
        return false;
    }
    let is_among = |input: &&Path| {
        let input = here.join(input);
        // A wildcard is in its folder, as a file is.
        let holder = if input.is_dir() { Some(input.as_path()) } else { input.parent() };
        holder.is_some_and(|holder| folder.starts_with(real(holder)))
    };
    folder.join(FOLDER).is_dir() || !inputs.iter().any(is_among)
}

impl Source {
    /// Reads the named file, else the nearest `puomp.toml` upward from a path that exists, else upward from the current folder. Of a file
    /// that was found and is not the user's own the settings of [`Document::take_own`] do not count. `inputs` are the files and folders
    /// that the command reads.
    pub(super) fn find(named: Option<&Path>, from: Option<&Path>, here: &Path, inputs: &[&Path]) -> Result<Option<Self>, Failure> {
        let nearest = || {
            let start = from.filter(|p| p.exists()).map_or_else(|| here.to_owned(), |p| here.join(p));
            start.ancestors().map(|folder| folder.join(NAME)).find(|file| file.is_file())
        };
        let Some(path) = named.map(Path::to_owned).or_else(nearest) else { return Ok(None) };
        let text = open_input(&path).and_then(io::read_to_string).map_err(|e| Failure::Read(path.clone(), e))?;
        let shown = path.strip_prefix(here).unwrap_or(&path).display().to_string();
        let folder = path.parent().unwrap_or(Path::new("")).to_owned();
        let mut this = Self { folder, ..Self::read(shown, text)? };
        if named.is_none() && !is_own(&this.folder, here, inputs) {
            this.unheeded = this.document.take_own();
        }
        Ok(Some(this))
    }

    /// Reads a text; `name` is the name of the file in messages.
    pub(in crate::cli) fn read(name: String, text: String) -> Result<Self, Failure> {
        let document = toml::from_str(&text).map_err(|e| {
            let place = format!("{name}:{}", crate::tables::line_of_toml(&text, &e));
            Failure::said(ErrorClass::Usage, Key::ConfigBroken, &[("place", &place), ("reason", e.message())])
        })?;
        Ok(Self { unheeded: Vec::new(), name, folder: PathBuf::new(), text, document })
    }

    /// The file and the line of an offset in the text, such as `puomp.toml:3`.
    pub(in crate::cli) fn place(&self, offset: usize) -> String {
        let line = self.text.get(..offset).map_or(0, |before| before.matches('\n').count()) + 1;
        format!("{}:{line}", self.name)
    }

    /// A path of the file counts from the file's own folder.
    pub(super) fn path(&self, choose: impl Fn(&Document) -> &Option<PathBuf>) -> Option<PathBuf> {
        choose(&self.document).as_ref().map(|p| self.folder.join(p))
    }
}
