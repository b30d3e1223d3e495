//! The settings of a run, each with its origin. The order is decided here: the command line, then the environment, then `puomp.toml`, then
//! the program's default.

mod file;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

pub(super) use file::{Source, Word};

use super::flags::{ColorArg, Flags};
use super::{Failure, when};
use crate::sys::data_folder;
use crate::texts::{ErrorClass, Key, Lang};
use crate::workspace::FOLDER;

/// A variable of the environment; `None` when it is not set or empty.
pub(super) type Variables<'a> = dyn Fn(&str) -> Option<OsString> + Sync + 'a;

/// Where the value of a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// An option of the command line, such as `--role`.
    Flag(&'static str),
    /// A variable of the environment, such as `PUOMP_ROLE`.
    Variable(&'static str),
    /// A configuration file, with the line where that is known: `puomp.toml`, `rules/regions/14/region.toml:3`.
    File(String),
    /// The program's default.
    Default,
}

impl Origin {
    /// The name of the origin; `None` for a default.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Flag(name) | Self::Variable(name) => Some(name),
            Self::File(place) => Some(place),
            Self::Default => None,
        }
    }
}

/// A value and its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Valued<T> {
    pub(super) value: T,
    pub(super) origin: Origin,
}

impl<T> Valued<T> {
    /// The converted value with the same origin.
    pub(super) fn map<U>(self, form: impl FnOnce(T) -> U) -> Valued<U> {
        Valued { value: form(self.value), origin: self.origin }
    }

    fn built_in(value: T) -> Self {
        Self { value, origin: Origin::Default }
    }
}

/// The names of a setting in each place where it can be given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Name {
    /// Key in `puomp.toml` and in the answer of `puomp config`.
    pub(super) key: &'static str,
    /// Option of the command line.
    pub(super) flag: &'static str,
    /// Variable of the environment; `None` if there is none.
    pub(super) variable: Option<&'static str>,
}

impl Name {
    const fn new(key: &'static str, flag: &'static str, variable: Option<&'static str>) -> Self {
        Self { key, flag, variable }
    }
}

/// Path of the configuration file.
pub(super) const CONFIG: Name = Name::new("config", "--config", None);
/// The folder of rule tables.
pub(super) const RULES: Name = Name::new("rules", "--rules", Some("PUOMP_RULES"));
/// The folder of imported books.
pub(super) const BOOKS: Name = Name::new("books", "--books", Some("PUOMP_BOOKS"));
/// The folder of protocols.
pub(super) const PROTOCOL_DIR: Name = Name::new("protocol-dir", "--protocol-dir", None);
/// Address of the workspace's store.
pub(super) const STORE: Name = Name::new("store", "--store", Some("PUOMP_STORE"));
/// The role in which the user acts.
pub(super) const ROLE: Name = Name::new("role", "--role", Some("PUOMP_ROLE"));
/// Places of a rule that are shown.
pub(super) const LIMIT: Name = Name::new("limit", "--limit", None);
/// Language of messages.
pub(super) const LANG: Name = Name::new("lang", "--lang", Some("PUOMP_LANG"));
/// The time zone of the clinic.
pub(super) const TIME_ZONE: Name = Name::new("time_zone", "--time-zone", Some("PUOMP_TIME_ZONE"));
/// When to use colours.
pub(super) const COLOR: Name = Name::new("color", "--color", None);
/// Worker threads.
pub(super) const THREADS: Name = Name::new("threads", "--threads", None);
/// File with findings of an earlier run, which do not count.
pub(super) const BASELINE: Name = Name::new("baseline", "--baseline", None);
/// The region whose tables are merged over the federal ones.
pub(super) const REGION: Name = Name::new("region", "--region", Some("PUOMP_REGION"));
/// Rules that run; all others do not.
pub(super) const SELECT: Name = Name::new("select", "--select", None);
/// Rules that do not run.
pub(super) const IGNORE: Name = Name::new("ignore", "--ignore", None);
/// Severity of rules.
pub(super) const SEVERITY: Name = Name::new("severity", "--severity", None);
/// Settings that only `nsi update` uses: addresses of the publishers' sites, a proxy, and certificates to trust.
pub(super) const NSI_URL: Name = Name::new("url", "--url", Some("PUOMP_NSI_URL"));
pub(super) const MINISTRY_URL: Name = Name::new("ministry-url", "--ministry-url", Some("PUOMP_MINISTRY_URL"));
pub(super) const PROXY: Name = Name::new("proxy", "--proxy", Some("PUOMP_PROXY"));
pub(super) const CA: Name = Name::new("ca", "--ca", Some("PUOMP_CA"));

/// All settings, so that a test can find those that the help does not name.
#[cfg(test)]
pub(super) const ALL: [Name; 20] = [
    CONFIG,
    RULES,
    BOOKS,
    PROTOCOL_DIR,
    STORE,
    ROLE,
    LIMIT,
    LANG,
    TIME_ZONE,
    COLOR,
    THREADS,
    BASELINE,
    REGION,
    SELECT,
    IGNORE,
    SEVERITY,
    NSI_URL,
    MINISTRY_URL,
    PROXY,
    CA,
];

/// Places of a rule that are shown unless the user wants another number.
const FEW: u64 = 3;
/// Name of the program's folder among the user's data, and of the folder of imported rules in it or in the workspace's memory.
const PROGRAM: &str = "puomp";
const IMPORTED_RULES: &str = "rules";

/// The settings from the command line, the environment and `puomp.toml`.
pub(super) struct Settings<'a> {
    flags: &'a Flags,
    variables: &'a Variables<'a>,
    /// The configuration file, if there is one.
    file: Option<Source>,
    /// The current folder.
    here: PathBuf,
    lang: Valued<Lang>,
}

impl<'a> Settings<'a> {
    /// Finds and reads `puomp.toml`: the file of `--config`, else the nearest one upward from a path; none with `--no-config`. The language
    /// was chosen before the arguments were parsed.
    pub(super) fn load(flags: &'a Flags, variables: &'a Variables<'a>, lang: Valued<Lang>, from: Option<&Path>, inputs: &[&Path]) -> Result<Self, Failure> {
        let here = std::env::current_dir().unwrap_or_default();
        let file = if flags.no_config { None } else { Source::find(flags.config.as_deref(), from, &here, inputs)? };
        Ok(Self { flags, variables, file, here, lang })
    }

    /// The configuration file.
    pub(super) fn file(&self) -> Option<&Source> {
        self.file.as_ref()
    }

    /// The name of the configuration file. Its origin is `Default` when it was found without `--config`.
    pub(super) fn config(&self) -> Option<Valued<String>> {
        let origin = if self.flags.config.is_some() { Origin::Flag(CONFIG.flag) } else { Origin::Default };
        self.file.as_ref().map(|file| Valued { value: file.name.clone(), origin })
    }

    /// The current folder.
    pub(super) fn here(&self) -> &Path {
        &self.here
    }

    /// The value that was given: on the command line, else in the environment, else in the file. `None` if nowhere.
    fn said<T>(&self, name: Name, typed: Option<T>, of_variable: impl Fn(OsString) -> Option<T>, of_file: impl Fn(&Source) -> Option<T>) -> Option<Valued<T>> {
        let typed = typed.map(|value| Valued { value, origin: Origin::Flag(name.flag) });
        let set = || {
            let variable = name.variable?;
            (self.variables)(variable).and_then(of_variable).map(|value| Valued { value, origin: Origin::Variable(variable) })
        };
        let written = || {
            let file = self.file.as_ref()?;
            of_file(file).map(|value| Valued { value, origin: Origin::File(file.name.clone()) })
        };
        typed.or_else(set).or_else(written)
    }

    fn path(&self, name: Name, typed: Option<&Path>, of_file: impl Fn(&Source) -> Option<PathBuf>) -> Option<Valued<PathBuf>> {
        self.said(name, typed.map(Path::to_owned), |set| Some(set.into()), of_file)
    }

    fn text(&self, name: Name, typed: Option<&str>, of_file: impl Fn(&Source) -> Option<String>) -> Option<Valued<String>> {
        self.said(name, typed.map(str::to_owned), |set| set.into_string().ok(), of_file)
    }

    /// The folder of rule tables, if one was named.
    pub(super) fn rules(&self) -> Option<Valued<PathBuf>> {
        self.path(RULES, self.flags.rules.as_deref(), |file| file.path(|d| &d.rules))
    }

    /// The code of the region whose tables are merged over the federal ones.
    pub(super) fn region(&self) -> Option<Valued<String>> {
        let written = |file: &Source| Some(file.document.region.as_ref()?.get_ref().clone());
        let said = self.text(REGION, self.flags.region.as_deref(), written)?;
        let place = || Some(self.file.as_ref()?.place(self.file.as_ref()?.document.region.as_ref()?.span().start));
        let origin = if let Origin::File(_) = said.origin { place().map_or(said.origin, Origin::File) } else { said.origin };
        Some(Valued { origin, ..said })
    }

    /// The folder of imported rules: the one that was named, else the workspace's, else the one among the user's data.
    pub(super) fn rules_folder(&self) -> Option<PathBuf> {
        let workspace = || self.here.ancestors().map(|a| a.join(FOLDER)).find(|w| w.is_dir()).map(|w| w.join(IMPORTED_RULES));
        let user = || data_folder(self.variables).map(|data| data.join(PROGRAM).join(IMPORTED_RULES));
        self.rules().map(|named| named.value).or_else(workspace).or_else(user)
    }

    /// The folder of imported books: the one that was named, else that of the workspace, else that among the user's data.
    pub(super) fn books(&self) -> Option<Valued<PathBuf>> {
        let named = self.path(BOOKS, self.flags.books.as_deref(), |file| file.path(|d| &d.books));
        named.or_else(|| crate::nsi::folder(&self.here, data_folder(self.variables).as_deref()).map(Valued::built_in))
    }

    /// The folder of protocols.
    pub(super) fn protocol_dir(&self, typed: Option<&Path>) -> Option<Valued<PathBuf>> {
        self.path(PROTOCOL_DIR, typed, |file| file.path(|d| &d.protocol_dir))
    }

    /// The baseline.
    pub(super) fn baseline(&self, typed: Option<&Path>) -> Option<Valued<PathBuf>> {
        self.path(BASELINE, typed, |file| file.path(|d| &d.baseline))
    }

    /// Address of the workspace's store; `None` for the file in the workspace.
    pub(super) fn store(&self, typed: Option<&str>) -> Option<Valued<String>> {
        self.text(STORE, typed, |file| file.document.store.clone())
    }

    /// The role in which the user acts; `None` for the first of the table.
    pub(super) fn role(&self, typed: Option<&str>) -> Option<Valued<String>> {
        self.text(ROLE, typed, |file| file.document.role.clone())
    }

    /// A setting of `nsi update`, which cannot be given in `puomp.toml`.
    pub(super) fn of_update(&self, name: Name, typed: Option<&str>) -> Option<String> {
        self.text(name, typed, |_| None).map(|said| said.value)
    }

    /// The certificates that `nsi update` trusts besides the system's.
    pub(super) fn certificates(&self, typed: Option<&Path>) -> Option<PathBuf> {
        self.path(CA, typed, |_| None).map(|said| said.value)
    }

    /// Places of a rule that are shown.
    pub(super) fn limit(&self, typed: Option<u64>) -> Valued<u64> {
        self.said(LIMIT, typed, |_| None, |file| file.document.limit).unwrap_or(Valued::built_in(FEW))
    }

    /// The name of the clinic's time zone as it was given; it may be wrong.
    pub(super) fn zone_name(&self) -> Option<Valued<String>> {
        self.text(TIME_ZONE, self.flags.time_zone.as_deref(), |file| file.document.time_zone.clone())
    }

    /// The time zone of the clinic; the system's when none was given.
    ///
    /// # Errors
    /// The given text is not a time zone.
    pub(super) fn time_zone(&self) -> Result<TimeZone, Failure> {
        let Some(said) = self.zone_name() else { return Ok(TimeZone::system()) };
        when::zone(&said.value).ok_or_else(|| {
            let slots = [("place", said.origin.name().unwrap_or_default()), ("value", said.value.as_str())];
            Failure::said(ErrorClass::Usage, Key::ConfigBadZone, &slots)
        })
    }

    /// Language of messages.
    pub(super) fn lang(&self) -> &Valued<Lang> {
        &self.lang
    }

    /// Whether only what is wrong is reported.
    pub(super) fn quiet(&self) -> bool {
        self.flags.quiet
    }

    /// When to use colours.
    pub(super) fn color(&self) -> Valued<ColorArg> {
        self.said(COLOR, self.flags.color, |_| None, |_| None).unwrap_or(Valued::built_in(ColorArg::default()))
    }

    /// Worker threads; `None` for as many as the machine has.
    pub(super) fn threads(&self) -> Option<Valued<u16>> {
        self.said(THREADS, self.flags.threads, |_| None, |_| None)
    }

    /// A variable of the environment as text; `None` when it is not set or not Unicode.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name)?.into_string().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a test with the settings of these flags and variables and a `puomp.toml` of this text.
    fn with<T>(flags: &Flags, set: &[(&str, &str)], toml: &str, look: impl FnOnce(&Settings<'_>) -> T) -> T {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("puomp.toml");
        std::fs::write(&path, toml).expect("written");
        let flags = Flags { config: Some(path), ..flags.clone() };
        let variables = |name: &str| set.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
        let settings = Settings::load(&flags, &variables, Valued::built_in(Lang::Ru), None, &[]).unwrap_or_else(|_| panic!("{toml} is sound"));
        look(&settings)
    }

    #[test]
    fn the_command_line_wins_then_the_environment_then_the_file() {
        let set = [("PUOMP_ROLE", "insurer"), ("PUOMP_TIME_ZONE", "UTC")];
        let role = |typed: Option<&str>, set: &[(&str, &str)], toml: &str| {
            with(&Flags::default(), set, toml, |s| {
                let role = s.role(typed)?;
                Some((role.value, role.origin.name().map(|n| n.rsplit(['/', '\\']).next().unwrap_or(n).to_owned())))
            })
        };
        let due = |value: &str, origin: &str| Some((value.to_owned(), Some(origin.to_owned())));
        assert_eq!(role(Some("fund"), &set, "role = \"head\""), due("fund", "--role"));
        assert_eq!(role(None, &set, "role = \"head\""), due("insurer", "PUOMP_ROLE"));
        assert_eq!(role(None, &[], "role = \"head\""), due("head", "puomp.toml"));
        assert_eq!(role(None, &[], ""), None);
    }

    #[test]
    fn a_value_like_the_files_own_is_still_of_the_command_line() {
        // `--rules` with the folder that the file also names was once reported as the file's, before each value kept its origin.
        let flags = Flags { books: Some("x".into()), rules: Some("x".into()), ..Flags::default() };
        let origins =
            |flags: &Flags, set: &[(&str, &str)]| with(flags, set, "books = \"/x\"\nrules = \"/x\"\n", |s| [s.books(), s.rules()].map(|v| v.map(|v| v.origin)));
        assert_eq!(origins(&flags, &[("PUOMP_BOOKS", "x")]), [Some(Origin::Flag("--books")), Some(Origin::Flag("--rules"))]);
        let set = [("PUOMP_BOOKS", "/x"), ("PUOMP_RULES", "/x")];
        assert_eq!(origins(&Flags::default(), &set), [Some(Origin::Variable("PUOMP_BOOKS")), Some(Origin::Variable("PUOMP_RULES"))]);
        assert!(origins(&Flags::default(), &[]).iter().all(|o| matches!(o, Some(Origin::File(_)))));
    }

    #[test]
    fn the_time_zone_of_the_clinic() {
        let zone = |toml: &str, set: &[(&str, &str)]| with(&Flags::default(), set, toml, |s| s.time_zone());
        let is = |zone: Result<TimeZone, Failure>, name: &str| zone.is_ok_and(|zone| Some(zone) == when::zone(name));
        assert!(is(zone("time_zone = \"Asia/Yakutsk\"", &[]), "Asia/Yakutsk"));
        assert!(is(zone("time-zone = \"+09:00\"", &[]), "+09:00"));
        assert!(is(zone("time_zone = \"+09:00\"", &[("PUOMP_TIME_ZONE", "-01:00")]), "-01:00"));
        assert!(zone("", &[]).is_ok_and(|zone| zone == TimeZone::system()));
        let refused = zone("time_zone = \"Yakutsk\"", &[]).expect_err("no zone").to_string();
        assert!(refused.contains("Yakutsk") && refused.contains("puomp.toml"), "{refused}");
    }
}
