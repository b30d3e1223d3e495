//! What can be typed. Help texts stand in `rules/texts.csv` in both languages; the comments here are for programmers.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use super::config::ConfigArgs;
use super::docs::{CompletionsArgs, ManArgs};
use super::explain::ExplainArgs;
use super::form::FormArgs;
use super::formats::FormatsArgs;
use super::generate::GenerateArgs;
use super::init::InitArgs;
use super::journal::JournalArgs;
use super::load::LoadArgs;
use super::nsi::NsiArgs;
use super::receive::ReceiveArgs;
use super::review::{ReviewArgs, WithdrawArgs};
use super::rules::RulesArgs;
use super::status::StatusArgs;
use super::submit::SubmitArgs;
use super::validate::ValidateArgs;
use super::watch::WatchArgs;
use crate::texts::Lang;

/// The program.
#[derive(Debug, Parser)]
#[command(name = "puomp", version, propagate_version = false, disable_help_subcommand = true)]
pub(super) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) verb: Verb,
    /// Language of messages; read before parsing, see `lang.rs`.
    #[arg(long, global = true, value_name = "LANG")]
    pub(super) lang: Option<LangArg>,
    /// When to use colours.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: ColorArg,
    /// Only what is wrong.
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Worker threads; as many as the machine has by default.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(super) threads: Option<u16>,
    /// A folder shaped like `rules/` that overrides built-in tables.
    #[arg(long, global = true, value_name = "DIR", env = "PUOMP_RULES")]
    pub(super) rules: Option<PathBuf>,
    /// The configuration file; found upward from the first path by default.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// No configuration file.
    #[arg(long, global = true, conflicts_with = "config")]
    pub(super) no_config: bool,
    /// The folder of imported books.
    #[arg(long, global = true, value_name = "DIR")]
    pub(super) books: Option<PathBuf>,
    /// The folder to work in.
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub(super) directory: Option<PathBuf>,
}

/// The verbs, one file each.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Format-logic control.
    Validate(ValidateArgs),
    /// A folder becomes a workspace.
    Init(InitArgs),
    /// Packages are taken in.
    Load(LoadArgs),
    /// A folder of exports is taken in as they come.
    Watch(WatchArgs),
    /// Cases become registries.
    Form(FormArgs),
    /// Registries go to their payers.
    Submit(SubmitArgs),
    /// The payer decides.
    Review(ReviewArgs),
    /// The clinic takes in an answer.
    Receive(ReceiveArgs),
    /// The clinic takes a registry back.
    Withdraw(WithdrawArgs),
    /// What stands where.
    Status(StatusArgs),
    /// Who did what.
    Journal(JournalArgs),
    /// The tables of the formats.
    Formats(FormatsArgs),
    /// What is in force.
    Config(ConfigArgs),
    /// Invented packages.
    Generate(GenerateArgs),
    /// Reference books.
    Nsi(NsiArgs),
    /// The rule book.
    Rules(RulesArgs),
    /// One rule.
    Explain(ExplainArgs),
    /// Manual pages.
    #[command(hide = true)]
    Man(ManArgs),
    /// Completions of the shells.
    #[command(hide = true)]
    Completions(CompletionsArgs),
}

impl Verb {
    /// The first path that a verb works on: from there the configuration file is looked for.
    pub(super) fn first_path(&self) -> Option<&std::path::Path> {
        match self {
            Self::Validate(verb) => verb.first_path(),
            Self::Config(verb) => verb.path.as_deref(),
            _ => None,
        }
    }
}

/// Form of an answer that is read or goes to a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum Shape {
    /// For reading.
    #[default]
    Human,
    /// For programs.
    Json,
}

/// Form of an answer that is a list: a table of a spreadsheet is one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(super) enum ListShape {
    /// For reading.
    #[default]
    Human,
    /// For programs.
    Json,
    /// For tables.
    Csv,
}

/// Languages as typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum LangArg {
    /// Russian.
    Ru,
    /// English.
    En,
}

impl From<LangArg> for Lang {
    fn from(arg: LangArg) -> Self {
        match arg {
            LangArg::Ru => Self::Ru,
            LangArg::En => Self::En,
        }
    }
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ColorArg {
    /// On a terminal that shows them, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}
