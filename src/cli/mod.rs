//! The command line: one file a verb. Only this module prints.

mod args;
mod config;
mod docs;
pub mod exit;
mod explain;
mod failure;
mod formats;
mod generate;
mod help;
mod inputs;
mod lang;
mod nsi;
mod rules;
mod tools;
mod ui;
mod usage;
mod validate;
mod workspace;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic;
use std::sync::Arc;

pub use exit::Exit;

use args::{Cli, Verb};
use clap::FromArgMatches as _;
use config::Config;
use failure::{Failure, Voice};
use formats::FormatsError;
use jiff::tz::TimeZone;
use ui::Ui;

use crate::registry::format::Formats;
use crate::tables::RuleFiles;
use crate::texts::{ErrorClass, Key, Keyed, Lang, Texts};

/// Runs the program on the arguments of the process.
pub fn main() -> Exit {
    let args: Vec<OsString> = std::env::args_os().collect();
    let lang = lang::choose(&args, |name| std::env::var(name).ok());
    let texts = match Texts::load(&RuleFiles::embedded()) {
        Ok(texts) => Arc::new(texts.in_zone(TimeZone::system())),
        Err(error) => {
            ui::say(&error.to_string());
            return Exit::Bug;
        }
    };
    let voice = Voice::of(&args);
    let for_bugs = Arc::clone(&texts);
    panic::set_hook(Box::new(move |info| voice.tell_bug(&bug(info), &for_bugs, lang)));
    panic::catch_unwind(|| run(&args, voice, lang, &texts)).unwrap_or(Exit::Bug)
}

/// Where in the program it happened; a message that was formatted may hold data of the input and is not shown.
fn bug(info: &panic::PanicHookInfo<'_>) -> Keyed {
    // The folders of the machine that built it say nothing.
    let file = |path: &str| path.rsplit(['/', '\\']).take(4).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
    let place = info.location().map_or_else(String::new, |l| format!("{}:{}", file(l.file()), l.line()));
    let why = info.payload().downcast_ref::<&'static str>().map_or_else(String::new, |w| format!(": {w}"));
    Keyed::new(ErrorClass::Bug, Key::ErrorBug, &[("version", env!("CARGO_PKG_VERSION")), ("place", &place), ("why", &why)])
}

fn run(args: &[OsString], voice: Voice, lang: Lang, texts: &Texts) -> Exit {
    let command = help::command(texts, lang);
    let parsed = command.clone().try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(error) => return usage::explain(&error, args, &command, voice, texts, lang),
    };
    start(cli, lang).unwrap_or_else(|failure| failure.end(voice, texts, lang))
}

fn start(mut cli: Cli, lang: Lang) -> Result<Exit, Failure> {
    if let Some(folder) = &cli.directory {
        std::env::set_current_dir(folder).map_err(|error| Failure::Read(folder.clone(), error))?;
    }
    let config = Config::load(&cli, cli.verb.first_path())?;
    // What was typed and the environment go before the file.
    cli.rules = cli.rules.take().or_else(|| config.rules());
    if cli.books.is_none() && std::env::var_os(nsi::VARIABLE).is_none_or(|v| v.is_empty()) {
        cli.books = config.books();
    }
    let cli = &cli;
    let files = match &cli.rules {
        Some(folder) if !folder.is_dir() => match &cli.verb {
            Verb::Rules(verb) if verb.makes_folder() => RuleFiles::embedded(),
            _ => return Err(Failure::NoFolder(folder.clone())),
        },
        Some(folder) => RuleFiles::with_overlay(folder),
        // Imported rule books lie where nobody has to name them.
        None => rules::folder(cli).filter(|f| f.is_dir()).map_or_else(RuleFiles::embedded, |f| RuleFiles::with_overlay(&f)),
    };
    let texts = Texts::load(&files)?.in_zone(TimeZone::system());
    let ui = Ui::new(cli, lang, &texts);
    let run = || match &cli.verb {
        Verb::Validate(verb) => verb.run(cli, &config, &files, &ui),
        Verb::Init(verb) => verb.run(&config, &ui),
        Verb::Load(verb) => verb.run(cli, &config, &files, &ui),
        Verb::Watch(verb) => verb.run(cli, &config, &files, &ui),
        Verb::Form(verb) => verb.run(cli, &config, &files, &ui),
        Verb::Submit(verb) => verb.run(&config, &files, &ui),
        Verb::Review(verb) => verb.run(&config, &files, &ui),
        Verb::Receive(verb) => verb.run(&config, &files, &ui),
        Verb::Withdraw(verb) => verb.run(&config, &files, &ui),
        Verb::Status(verb) => verb.run(&config, &files, &ui),
        Verb::Journal(verb) => verb.run(&config, &files, &ui),
        Verb::Config(verb) => verb.run(cli, &config, &files, &ui),
        Verb::Formats(verb) => run_formats(verb, &files, &ui),
        Verb::Generate(verb) => verb.run(&files, &ui),
        Verb::Nsi(verb) => verb.run(cli, &files, &ui),
        Verb::Rules(verb) => verb.run(cli, &files, &ui),
        Verb::Explain(verb) => verb.run(cli, &files, &ui),
        Verb::Man(verb) => verb.run(),
        Verb::Completions(verb) => verb.run(),
    };
    // A pool of our own: nothing global, and the verbs need not know how many threads there are.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(usize::from(cli.threads.unwrap_or(0))).build().map_err(|_| Failure::Threads)?;
    pool.install(run)
}

fn run_formats(verb: &formats::FormatsArgs, files: &RuleFiles, ui: &Ui<'_>) -> Result<Exit, Failure> {
    let formats = Formats::load(files)?;
    match formats::run(verb, &formats, ui.texts, ui.lang, &mut io::stdout().lock()) {
        Ok(remark) => {
            if let Some(remark) = remark.filter(|_| !ui.quiet) {
                ui::say(&remark);
            }
            Ok(Exit::Done)
        }
        Err(FormatsError::Output(error)) => Err(error.into()),
        Err(error) => Err(Failure::of(error)),
    }
}

/// Writes to standard output; a reader that has seen enough is no error.
fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush())?)
}
