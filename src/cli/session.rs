//! The context that every verb gets: settings, rule tables, texts and terminal, and the moment of the run.

use clap::Command;
use jiff::Timestamp;

use super::settings::Settings;
use super::ui::Ui;
use super::{Failure, who};
use crate::tables::RuleFiles;
use crate::texts::Key;
use crate::values::{Date, Moment};
use crate::watch::Watch;
use crate::workspace::{Actor, Operation, Tables};

/// One run of the program.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) settings: &'a Settings<'a>,
    /// The rule tables, with those of a folder over them.
    pub(super) files: &'a RuleFiles,
    /// Texts, language and terminal.
    pub(super) ui: &'a Ui<'a>,
    /// Makes the definition of the whole command line, for manual pages and completions.
    pub(super) command: fn() -> Command,
    /// The one moment of the run.
    moment: Moment,
}

impl<'a> Session<'a> {
    /// A session that begins now.
    pub(super) fn new(settings: &'a Settings<'a>, files: &'a RuleFiles, ui: &'a Ui<'a>, command: fn() -> Command) -> Self {
        Self { settings, files, ui, command, moment: Timestamp::now().into() }
    }

    /// The same session at the present moment, for `watch`, which may run for days and needs the day on which a file comes.
    pub(super) fn renewed(&self) -> Self {
        Self { moment: Timestamp::now().into(), ..*self }
    }

    /// What to tell of settings that do not count because their file lies among the inputs; `None` when all settings count.
    pub(super) fn unheeded(&self) -> Option<String> {
        let file = self.settings.file().filter(|file| !file.unheeded.is_empty())?;
        Some(self.ui.texts.fill(Key::ConfigUnheeded, self.ui.lang, &[("file", &file.name), ("keys", &file.unheeded.join(", "))]))
    }

    /// The moment of the run.
    pub(super) fn moment(&self) -> Moment {
        self.moment
    }

    /// The calendar day of the run at the clinic.
    pub(super) fn today(&self) -> Date {
        self.moment.day_in(self.ui.zone())
    }

    /// The moment at which a day begins at the clinic, in UTC as `YYYY-MM-DDTHH:MM:SS`.
    /// `None` for a day beyond the calendar.
    pub(super) fn begin_of(&self, day: Date) -> Option<String> {
        let (year, month, day) = day.parts();
        let local = jiff::civil::date(year.cast_signed(), month.cast_signed(), day.cast_signed()).at(0, 0, 0, 0);
        let at = self.ui.zone().to_ambiguous_timestamp(local).compatible();
        at.ok().map(|at| at.strftime("%Y-%m-%dT%H:%M:%S").to_string())
    }

    /// A change of the workspace at the moment of the run.
    pub(super) fn operation<'o>(&self, actor: &'o Actor, watch: &'o dyn Watch) -> Operation<'o> {
        Operation::new(actor, self.moment, self.ui.zone(), watch)
    }

    /// The account and the machine of this process, in the role that an option or a setting names; by default in the first role of the
    /// workflow table, which forms registries.
    pub(super) fn actor(&self, typed: Option<&str>, tables: &Tables) -> Result<Actor, Failure> {
        let workflow = &tables.workflow;
        let first = || workflow.roles().first().map_or_else(String::new, |r| r.id.clone());
        let role = self.settings.role(typed).map_or_else(first, |role| role.value);
        match workflow.role_called(&role) {
            Some(known) => Ok(who::actor(&known.id)),
            None => {
                let known = workflow.roles().iter().map(|r| format!("{} ({})", r.id, r.name.get(self.ui.lang)));
                Err(Failure::Value(role, known.collect::<Vec<_>>().join(", ")))
            }
        }
    }
}

/// Runs a test with a session of built-in tables, default settings and one language.
#[cfg(test)]
pub(super) fn of_tests<T>(lang: crate::texts::Lang, work: impl FnOnce(&Session<'_>) -> T) -> T {
    use super::flags::Flags;
    use super::settings::{Origin, Valued};

    let files = RuleFiles::embedded();
    let texts = crate::texts::Texts::load(&files).expect("the built-in table is sound");
    let flags = Flags { no_config: true, ..Flags::default() };
    let settings = Settings::load(&flags, &|_| None, Valued { value: lang, origin: Origin::Default }, None, &[]).unwrap_or_else(|_| panic!("nothing to read"));
    let ui = Ui::new(&settings, &texts, jiff::tz::TimeZone::UTC);
    work(&Session::new(&settings, &files, &ui, || Command::new("puomp")))
}
