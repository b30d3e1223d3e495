//! How the program communicates: language, colours, time zone, the progress bar, messages on standard error.

use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;

use super::flags::ColorArg;
use super::lang;
use super::say::say;
use super::settings::Settings;
use super::stop::ByUser;
use crate::report::human::Style;
use crate::texts::{Coded, Key, Lang, Texts};
use crate::timings::Timings;
use crate::watch::Watch;

/// The time before a bar appears: in a shorter run it would only flicker.
const PATIENCE: Duration = Duration::from_millis(400);

/// How the program communicates with the user.
pub(super) struct Ui<'a> {
    pub(super) lang: Lang,
    pub(super) texts: &'a Texts,
    pub(super) quiet: bool,
    color: ColorArg,
    /// Lines are drawn in ASCII.
    ascii: bool,
    /// The time zone of the clinic.
    zone: TimeZone,
}

impl<'a> Ui<'a> {
    /// The settings of language, colours and quiet, with the time zone of the clinic.
    pub(super) fn new(settings: &Settings<'_>, texts: &'a Texts, zone: TimeZone) -> Self {
        let ascii = lang::not_unicode(|name| settings.variable(name));
        Self { lang: settings.lang().value, texts, quiet: settings.quiet(), color: settings.color().value, ascii, zone }
    }

    /// Tells an error on standard error; the command goes on.
    pub(super) fn complain(&self, error: &dyn Coded) {
        say(&self.texts.fill(Key::Error, self.lang, &[("text", &self.texts.error(error, self.lang))]));
    }

    /// The time zone of the clinic.
    pub(super) fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The style of the human report: colours and lines that its target can show.
    pub(super) fn style(&self, to_file: bool) -> Style {
        let color = match self.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            // On Windows this also switches the console to escape sequences.
            ColorArg::Auto => !to_file && io::stdout().is_terminal() && !anstyle_query::no_color() && anstyle_query::term_supports_ansi_color(),
        };
        Style { color, ascii: self.ascii }
    }

    /// A progress bar; it shows nothing unless standard error is a terminal and the user wants to hear.
    pub(super) fn bar(&self) -> Bar {
        let wanted = !self.quiet && io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template =
            format!("{{percent:>3}} % [{{bar:32}}] {{bytes}} / {{total_bytes}} · {}", self.texts.fill(Key::ProgressLeft, self.lang, &[("time", "{eta}")]));
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        Bar { bar, begun: Instant::now(), waiting: AtomicBool::new(wanted), timings: None, stop: ByUser::new() }
    }
}

/// The progress bar of files that are fetched.
pub(super) struct Transfer {
    bar: ProgressBar,
}

impl Ui<'_> {
    /// A bar for transfers; it shows nothing unless standard error is a terminal and the user wants to hear.
    pub(super) fn transfer(&self) -> Transfer {
        let wanted = !self.quiet && io::stderr().is_terminal();
        let target = if wanted { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(ProgressStyle::with_template("{msg}  {bytes} / {total_bytes}").unwrap_or_else(|_| ProgressStyle::default_bar()));
        Transfer { bar }
    }
}

impl Transfer {
    /// Sets the text about what is fetched now.
    pub(super) fn turn(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Sets how many bytes of the file are there, and its size if it is known.
    pub(super) fn size(&self, from: u64, total: Option<u64>) {
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(from);
    }

    /// Adds bytes that have arrived.
    pub(super) fn bytes(&self, count: u64) {
        self.bar.inc(count);
    }

    /// Hides the bar while `say` writes.
    pub(super) fn aside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// Removes the bar.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress bar of a run, which the user can stop.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    /// Whether the bar is wanted but the run has not lasted long enough.
    waiting: AtomicBool,
    /// The time by phase, if the user wants to know it.
    timings: Option<Timings>,
    stop: ByUser,
}

impl Bar {
    /// A handle for writing while the bar is on the screen.
    pub(super) fn handle(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Removes the bar.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }

    /// The same bar, which also measures the time by phase if that is wanted.
    pub(super) fn timed(self, wanted: bool) -> Self {
        Self { timings: wanted.then(|| Timings::new(Instant::now)), ..self }
    }
}

impl Watch for Bar {
    fn is_stopped(&self) -> bool {
        self.stop.is_stopped()
    }

    fn timings(&self) -> Option<&Timings> {
        self.timings.as_ref()
    }

    fn start(&self, bytes: u64) {
        self.bar.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.begun.elapsed() > PATIENCE && self.waiting.swap(false, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
    }
}
