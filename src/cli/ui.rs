//! The terminal: what goes to standard output and what to standard error, colours, the progress bar.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::args::{Cli, ColorArg};
use super::{Failure, lang, timings};
use crate::report::human::Style;
use crate::sys::{Access, AtomicFile};
use crate::texts::{Key, Lang, Texts};
use crate::timings::Timings;
use crate::watch::Watch;

/// A bar for less time than this would only flicker.
const PATIENCE: Duration = Duration::from_millis(400);

/// Says something on standard error; when nobody listens, it is lost.
pub(super) fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// How the program talks.
pub(super) struct Ui<'a> {
    pub(super) lang: Lang,
    pub(super) texts: &'a Texts,
    pub(super) quiet: bool,
    color: ColorArg,
}

impl<'a> Ui<'a> {
    pub(super) fn new(cli: &Cli, lang: Lang, texts: &'a Texts) -> Self {
        Self { lang, texts, quiet: cli.quiet, color: cli.color }
    }

    /// What the target of the human report can show.
    pub(super) fn style(&self, to_file: bool) -> Style {
        let variable = |name: &str| std::env::var(name).ok();
        let color = match self.color {
            ColorArg::Always => true,
            ColorArg::Never => false,
            // On Windows this also switches the console to escape sequences.
            ColorArg::Auto => !to_file && io::stdout().is_terminal() && !anstyle_query::no_color() && anstyle_query::term_supports_ansi_color(),
        };
        Style { color, ascii: lang::not_unicode(variable) }
    }

    /// A progress bar; it shows nothing unless standard error is a terminal and the user wants to hear.
    pub(super) fn bar(&self) -> Bar {
        let wanted = !self.quiet && io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let template =
            format!("{{percent:>3}} % [{{bar:32}}] {{bytes}} / {{total_bytes}} · {}", self.texts.fill(Key::ProgressLeft, self.lang, &[("time", "{eta}")]));
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        bar.set_style(style.progress_chars("=> "));
        Bar { bar, begun: Instant::now(), waiting: AtomicBool::new(wanted), timings: None }
    }
}

/// The progress of files that come from elsewhere.
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
    /// What comes now.
    pub(super) fn turn(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// How much of how much is there.
    pub(super) fn size(&self, from: u64, total: Option<u64>) {
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(from);
    }

    /// More is there.
    pub(super) fn bytes(&self, count: u64) {
        self.bar.inc(count);
    }

    /// Something is said while the bar steps aside.
    pub(super) fn aside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    /// Removes the bar.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

/// The progress bar of a run.
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    /// Wanted, but the run is young.
    waiting: AtomicBool,
    /// Where the time goes, if the user wants to know.
    timings: Option<Timings>,
}

impl Bar {
    /// The same, measuring where the time goes if that is wanted.
    pub(super) fn timed(self, wanted: bool) -> Self {
        Self { timings: wanted.then(|| Timings::new(Instant::now)), ..self }
    }

    /// Says where the time went, if it was measured.
    pub(super) fn tell_timings(&self, ui: &Ui<'_>) {
        if let Some(timings) = &self.timings {
            say(&timings::table(timings, ui));
        }
    }

    /// A handle for writing while the bar is on the screen.
    pub(super) fn handle(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Removes the bar.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Bar {
    fn timings(&self) -> Option<&Timings> {
        self.timings.as_ref()
    }

    fn start(&self, _packages: u64, bytes: u64) {
        self.bar.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.begun.elapsed() > PATIENCE && self.waiting.swap(false, Ordering::Relaxed) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
        }
    }
}

/// Where the result goes.
pub(super) enum Target {
    /// Standard output; a progress bar on the same screen steps aside.
    Stdout(BufWriter<Screen>),
    /// A file that appears when it is complete.
    File(PathBuf, Box<AtomicFile>),
}

/// Standard output beside a progress bar.
pub(super) struct Screen {
    bar: Option<ProgressBar>,
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stdout().write(bytes);
        self.bar.as_ref().map_or_else(write, |bar| bar.suspend(write))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush()
    }
}

impl Target {
    pub(super) fn new(file: Option<&Path>, access: Access, bar: &Bar) -> Result<Self, Failure> {
        match file {
            None => {
                let bar = (io::stdout().is_terminal() && io::stderr().is_terminal()).then(|| bar.handle());
                Ok(Self::Stdout(BufWriter::with_capacity(64 << 10, Screen { bar })))
            }
            Some(path) => match AtomicFile::create(path, access) {
                Ok(file) => Ok(Self::File(path.to_owned(), Box::new(file))),
                Err(error) => Err(Failure::Write(path.to_owned(), error)),
            },
        }
    }

    /// Completes the result.
    pub(super) fn commit(self) -> Result<(), Failure> {
        match self {
            Self::Stdout(mut out) => Ok(out.flush()?),
            Self::File(path, file) => file.commit().map_err(|error| Failure::Write(path, error)),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out) => out.write(bytes),
            Self::File(_, file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out) => out.flush(),
            Self::File(_, file) => file.flush(),
        }
    }
}
