//! The command line: one file for each verb. No other module prints.

mod args;
mod backup;
mod cases;
mod completions;
mod config;
mod control;
pub mod exit;
mod explain;
mod failure;
mod flags;
mod form;
mod formats;
mod generate;
mod help;
mod init;
mod inputs;
mod journal;
mod lang;
mod load;
mod man;
mod nsi;
mod out;
mod protocols;
mod receive;
mod region;
mod restore;
mod review;
mod rules;
mod say;
mod session;
mod settings;
mod status;
mod stop;
mod submit;
mod taking_back;
mod timings;
mod tools;
mod ui;
mod usage;
mod validate;
mod watch;
mod when;
mod who;
mod withdraw;
mod workspace;

use std::ffi::OsString;
use std::panic;
use std::sync::Arc;

pub use exit::Exit;

use args::Cli;
use clap::{CommandFactory as _, FromArgMatches as _};
use failure::{Failure, Voice};
use say::say;
use session::Session;
use settings::{Settings, Valued};
use ui::Ui;

use crate::tables::RuleFiles;
use crate::texts::{ErrorClass, Key, Keyed, Lang, Texts};

/// Runs the program on the arguments of the process.
pub fn main() -> Exit {
    let args: Vec<OsString> = std::env::args_os().collect();
    let lang = lang::choose(&args, |name| variable(name)?.into_string().ok());
    let texts = match Texts::load(&RuleFiles::embedded()) {
        Ok(texts) => Arc::new(texts),
        Err(error) => {
            say(&error.to_string());
            return Exit::Bug;
        }
    };
    let voice = Voice::of(&args);
    let (for_bugs, spoken) = (Arc::clone(&texts), lang.value);
    panic::set_hook(Box::new(move |info| voice.tell_bug(&bug(info), &for_bugs, spoken)));
    let for_stop = Arc::clone(&texts);
    stop::listen(move |failure| failure.end(voice, &for_stop, spoken).code().into());
    panic::catch_unwind(|| run(&args, voice, lang, &texts)).unwrap_or(Exit::Bug)
}

/// The place in the program where a bug showed. A formatted message may hold data of the input and is not shown.
fn bug(info: &panic::PanicHookInfo<'_>) -> Keyed {
    // The folders of the machine that built the program are left out.
    let file = |path: &str| path.rsplit(['/', '\\']).take(4).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
    let place = info.location().map_or_else(String::new, |l| format!("{}:{}", file(l.file()), l.line()));
    let why = info.payload().downcast_ref::<&'static str>().map_or_else(String::new, |w| format!(": {w}"));
    Keyed::new(ErrorClass::Bug, Key::ErrorBug, &[("version", env!("CARGO_PKG_VERSION")), ("place", &place), ("why", &why)])
}

fn run(args: &[OsString], voice: Voice, lang: Valued<Lang>, texts: &Texts) -> Exit {
    let spoken = lang.value;
    let command = help::command(Cli::command(), texts, spoken);
    let parsed = command.clone().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => start(&cli, voice, lang, texts).unwrap_or_else(|failure| failure.end(voice, texts, spoken)),
        Err(error) => usage::explain(&error, args, &command, voice, texts, spoken),
    }
}

fn start(cli: &Cli, voice: Voice, lang: Valued<Lang>, built_in: &Texts) -> Result<Exit, Failure> {
    if let Some(folder) = &cli.flags.directory {
        std::env::set_current_dir(folder).map_err(|error| Failure::Read(folder.clone(), error))?;
    }
    let settings = Settings::load(&cli.flags, &variable, lang, cli.verb.first_path(), &cli.verb.inputs())?;
    let files = region::with_region(rule_files(&settings, cli.verb.makes_rules_folder())?, &settings)?;
    let zone = settings.time_zone()?;
    let texts = if files.overrides(&Texts::TABLES) { Texts::load(&files)? } else { built_in.clone() }.in_zone(zone.clone());
    let ui = Ui::new(&settings, &texts, zone);
    let session = Session::new(&settings, &files, &ui, Cli::command);
    if let Some(line) = session.unheeded() {
        say(&line);
    }
    let threads = settings.threads().map_or(0, |threads| usize::from(threads.value));
    // The global pool: threads that a verb starts by itself work in it as well.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(|_| Failure::Threads)?;
    // From here on failures are reported in the texts and the time zone of the settings.
    Ok(cli.verb.run(&session).unwrap_or_else(|failure| failure.end(voice, ui.texts, ui.lang)))
}

/// A variable of the environment; `None` when it is not set or empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The rule tables with those of the named folder over them, or else with the imported ones if there are any.
fn rule_files(settings: &Settings<'_>, may_miss: bool) -> Result<RuleFiles, Failure> {
    match settings.rules() {
        Some(named) if !named.value.is_dir() => {
            if may_miss {
                Ok(RuleFiles::embedded())
            } else {
                Err(Failure::NoFolder(named.value))
            }
        }
        Some(named) => Ok(RuleFiles::with_overlay(&named.value)),
        None => Ok(settings.rules_folder().filter(|f| f.is_dir()).map_or_else(RuleFiles::embedded, |f| RuleFiles::with_overlay(&f))),
    }
}
