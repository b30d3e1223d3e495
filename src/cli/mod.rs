//! The command line: one file a verb. Only this module prints.

mod args;
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
mod receive;
mod review;
mod rules;
mod session;
mod settings;
mod status;
mod submit;
mod tools;
mod ui;
mod usage;
mod validate;
mod watch;
mod when;
mod withdraw;
mod workspace;

use std::ffi::OsString;
use std::panic;

pub use exit::Exit;

use args::Cli;
use clap::{CommandFactory as _, FromArgMatches as _};
use failure::Failure;
use session::Session;
use settings::{Settings, Valued};
use ui::Ui;

use crate::tables::RuleFiles;
use crate::texts::{Key, Lang, Texts};

/// Runs the program on the arguments of the process.
pub fn main() -> Exit {
    let args: Vec<OsString> = std::env::args_os().collect();
    let lang = lang::choose(&args, |name| variable(name)?.into_string().ok());
    let texts = match Texts::load(&RuleFiles::embedded()) {
        Ok(texts) => texts,
        Err(error) => {
            ui::say(&error.to_string());
            return Exit::Bug;
        }
    };
    let bug = texts.get(Key::ErrorBug, lang.value).to_owned();
    panic::set_hook(Box::new(move |info| ui::say(&report_bug(&bug, info))));
    panic::catch_unwind(|| run(&args, lang, &texts)).unwrap_or(Exit::Bug)
}

/// Where in the program it happened; a message that was formatted may hold data of the input and is not shown.
fn report_bug(text: &str, info: &panic::PanicHookInfo<'_>) -> String {
    // The folders of the machine that built it say nothing.
    let file = |path: &str| path.rsplit(['/', '\\']).take(4).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
    let place = info.location().map_or_else(String::new, |l| format!("{}:{}", file(l.file()), l.line()));
    let why = info.payload().downcast_ref::<&'static str>().map_or_else(String::new, |w| format!(": {w}"));
    crate::texts::fill(text, |slot| match slot {
        "version" => Some(env!("CARGO_PKG_VERSION")),
        "place" => Some(&place),
        _ => None,
    }) + &why
}

fn run(args: &[OsString], lang: Valued<Lang>, texts: &Texts) -> Exit {
    let spoken = lang.value;
    let command = help::command(Cli::command(), texts, spoken);
    let parsed = command.clone().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage::explain(&error, args, &command, texts, spoken),
    };
    match start(&cli, lang) {
        Ok(exit) => exit,
        Err(failure) => {
            if let Some(text) = failure.text(texts, spoken) {
                ui::say(&texts.fill(Key::Error, spoken, &[("text", &text)]));
            }
            failure.exit()
        }
    }
}

fn start(cli: &Cli, lang: Valued<Lang>) -> Result<Exit, Failure> {
    if let Some(folder) = &cli.flags.directory {
        std::env::set_current_dir(folder).map_err(|error| Failure::Read(folder.clone(), error))?;
    }
    let settings = Settings::load(&cli.flags, &variable, lang, cli.verb.first_path())?;
    let files = rule_files(&settings, cli.verb.makes_rules_folder())?;
    let texts = Texts::load(&files)?;
    let ui = Ui::new(&settings, &texts)?;
    let session = Session::new(&settings, &files, &ui, Cli::command);
    // A pool of our own: nothing global, and the verbs need not know how many threads there are.
    let threads = settings.threads().map_or(0, |threads| usize::from(threads.value));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().map_err(|_| Failure::Threads)?;
    pool.install(|| cli.verb.run(&session))
}

/// A variable of the environment; an empty one is none.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The rule tables: those of the folder that was named; imported ones lie where nobody has to name them.
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
